"""A store in one SQLite file (WAL, synchronous=FULL), through aiosqlite.

One connection writes, another only reads; an operating-system lock keeps a second process out, because SQLite before
3.51.3 can corrupt a WAL that two connections write or checkpoint at once. Every PRAGMA's row is fetched and compared:
an error in switching the journal mode is lost otherwise.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO, Any

import aiosqlite

from ledger.core.merkle import Node
from ledger.core.tiles import TILE_WIDTH, node_in_tile, tile_of
from ledger.registry.facts import Fact, View
from ledger.registry.finding import Finding
from ledger.registry.things import FACTS_VERSION, read_fact
from ledger.server.store.contract import (
    Batch,
    Derived,
    IntegrityError,
    Pending,
    Rebuild,
    StoredCheckpoint,
    StoreError,
)
from ledger.server.store.retention import superseded
from ledger.server.store.sqlite_derived import DerivedTables, id_bytes, id_text
from ledger.server.store.sqlite_file import close_all, configure, lock_file
from ledger.server.store.stamps import StoredStamp


class SQLiteStore:
    """See the contract. Made by `open`."""

    def __init__(self, path: Path, writer: aiosqlite.Connection, reader: aiosqlite.Connection, lock: IO[str]) -> None:
        self._path = path
        self._writer = writer
        self._reader = reader
        self._written = DerivedTables(writer)
        self._shown = DerivedTables(reader)
        self._lock = lock
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path) -> SQLiteStore:
        """Open the file, making it (mode 0600) where it is missing; raise StoreLockedError or StoreError."""
        lock = lock_file(path)
        writer = reader = None
        uri = path.absolute().as_uri()  # noqa: ASYNC240 - no I/O worth a thread
        try:
            path.touch(mode=0o600)  # noqa: ASYNC240 - once, at start
            writer = await aiosqlite.connect(path, isolation_level=None)
            await configure(writer)
            reader = await aiosqlite.connect(f"{uri}?mode=ro", uri=True, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            await close_all(reader, writer)
            lock.close()
            raise StoreError(f"{path}: {error}") from error
        except StoreError:
            await close_all(reader, writer)
            lock.close()
            raise
        return cls(path, writer, reader, lock)

    async def append(self, batch: Batch) -> None:
        """Write a batch in one transaction."""
        async with self._transaction():
            await self._check_place(batch.entries[0].index)
            await self._write(batch)

    @asynccontextmanager
    async def rebuild(self, version: int) -> AsyncIterator[Rebuild]:
        """Make all that is derived anew, in one transaction: readers see what was there until it ends."""
        async with self._transaction():
            await self._written.clear()
            yield _Rebuild(self._written)
            await self._written.set_version(version)

    async def derived_version(self) -> int:
        """Return the version of what derived the facts."""
        with self._faults():
            return await self._shown.version()

    async def findings(
        self, party: str | None, as_of_ms: int, after: tuple[int, int, int], limit: int
    ) -> list[Finding]:
        """Return findings that hold as of a moment, in order."""
        with self._faults():
            return await self._shown.findings(party, as_of_ms, after, limit)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        """Do all of it, or nothing; one after the other, as there is one connection that writes."""
        async with self._turn:
            with self._faults():
                await self._begin()
                try:
                    yield
                    await self._writer.execute("COMMIT")
                except BaseException:
                    if self._writer.in_transaction:
                        await self._writer.execute("ROLLBACK")
                    raise

    async def _begin(self) -> None:
        if self._writer.in_transaction:  # an earlier ROLLBACK failed
            await self._writer.execute("ROLLBACK")
        await self._writer.execute("BEGIN IMMEDIATE")

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Turn what SQLite says into a StoreError."""
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"{self._path}: {error}") from error

    async def _check_place(self, first: int) -> None:
        ((size,),) = await self._writer.execute_fetchall("SELECT coalesce(max(idx) + 1, 0) FROM entries")
        if size != first:
            raise StoreError(f"the batch starts at {first}, the store has size {size}")

    async def _write(self, batch: Batch) -> None:
        await self._written.insert(
            "INSERT INTO entries (idx, statement_id, raw) VALUES {}",
            [(entry.index, id_bytes(entry.statement_id), entry.raw) for entry in batch.entries],
        )
        subjects = [(entry.index, entry.statement_id, entry.subjects) for entry in batch.entries]
        await self._written.put(Derived(subjects, batch.facts, batch.findings))
        recorded = "SELECT 1 FROM entries WHERE entries.statement_id = pending.statement_id"
        await self._writer.execute(f"DELETE FROM pending WHERE EXISTS ({recorded})")  # noqa: S608 - constants
        if batch.entries[0].index == 0:
            await self._written.set_version(FACTS_VERSION)
        await self._written.insert(
            "INSERT INTO tiles (level, position, hashes) VALUES {}"
            " ON CONFLICT (level, position) DO UPDATE SET hashes = excluded.hashes",
            [(level, position, hashes) for (level, position), hashes in batch.tiles.items()],
        )
        if batch.checkpoint is not None:
            await self._write_checkpoint(batch.checkpoint)

    async def _write_checkpoint(self, checkpoint: StoredCheckpoint) -> None:
        writer = self._writer
        kept = list(await writer.execute_fetchall("SELECT size, time_ms FROM checkpoints ORDER BY size DESC LIMIT 2"))
        if superseded([time_ms for _, time_ms in reversed(kept)]):
            await writer.execute("DELETE FROM checkpoints WHERE size = ?", (kept[0][0],))
        await writer.execute(
            "INSERT INTO checkpoints (size, time_ms, note) VALUES (?, ?, ?)",
            (checkpoint.size, checkpoint.time_ms, checkpoint.note),
        )

    async def checkpoint(self, size: int | None = None) -> StoredCheckpoint | None:
        """Return the newest checkpoint, or the retained one of exactly `size`."""
        wanted = "(SELECT max(size) FROM checkpoints)" if size is None else "?"
        one = f"SELECT size, time_ms, note FROM {{}} WHERE size = {wanted}"  # noqa: S608 - constants
        parameters = () if size is None else (size, size)
        rows = await self._read(f"{one.format('cosigned')} UNION ALL {one.format('checkpoints')}", parameters)
        return StoredCheckpoint(*rows[0]) if rows else None

    async def keep_cosigned(self, checkpoint: StoredCheckpoint) -> None:
        """Keep a checkpoint with cosignatures, in a transaction of its own."""
        async with self._transaction():
            query = "SELECT size, time_ms FROM cosigned WHERE size < ? ORDER BY size DESC LIMIT 2"
            kept = list(await self._writer.execute_fetchall(query, (checkpoint.size,)))
            if superseded([time_ms for _, time_ms in reversed(kept)]):
                await self._writer.execute("DELETE FROM cosigned WHERE size = ?", (kept[0][0],))
            await self._writer.execute(
                "INSERT INTO cosigned (size, time_ms, note) VALUES (?, ?, ?)"
                " ON CONFLICT (size) DO UPDATE SET note = excluded.note",
                (checkpoint.size, checkpoint.time_ms, checkpoint.note),
            )

    async def cosigned(self) -> StoredCheckpoint | None:
        """Return the newest checkpoint with cosignatures."""
        rows = await self._read("SELECT size, time_ms, note FROM cosigned ORDER BY size DESC LIMIT 1", ())
        return StoredCheckpoint(*rows[0]) if rows else None

    async def keep_stamp(self, stamp: StoredStamp) -> None:
        """Keep a token, in a transaction of its own."""
        async with self._transaction():
            await self._writer.execute(
                "INSERT INTO timestamps (size, note, token) VALUES (?, ?, ?) ON CONFLICT (size) DO NOTHING",
                (stamp.size, stamp.note, stamp.token),
            )

    async def stamp(self, size: int) -> StoredStamp | None:
        """Return the token over the checkpoint of exactly `size`."""
        rows = await self._read("SELECT size, note, token FROM timestamps WHERE size = ?", (size,))
        return StoredStamp(*rows[0]) if rows else None

    async def stamp_sizes(self, after: int, limit: int) -> list[int]:
        """Return the sizes that have a token, ascending."""
        query = "SELECT size FROM timestamps WHERE size > ? ORDER BY size LIMIT ?"
        return [size for (size,) in await self._read(query, (after, limit))]

    async def keep_pending(self, items: Sequence[Pending]) -> None:
        """Keep statements that are to be recorded later, in a transaction of its own."""
        async with self._transaction():
            await self._writer.executemany(
                "INSERT INTO pending (statement_id, raw, promise) VALUES (?, ?, ?)",
                [(id_bytes(item.statement_id), item.raw, item.promise) for item in items],
            )

    async def pending(self) -> list[Pending]:
        """Return what is still to be recorded."""
        rows = await self._read("SELECT statement_id, raw, promise FROM pending ORDER BY position", ())
        return [Pending(id_text(name), raw, promise) for name, raw, promise in rows]

    async def drop_pending(self, statement_ids: Collection[str]) -> None:
        """Drop statements that can never be recorded."""
        async with self._transaction():
            names = [(id_bytes(name),) for name in statement_ids]
            await self._writer.executemany("DELETE FROM pending WHERE statement_id = ?", names)

    async def entries(self, start: int, end: int) -> list[bytes]:
        """Return the entries of [start, end) that exist."""
        rows = await self._read("SELECT raw FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx", (start, end))
        return [raw for (raw,) in rows]

    async def index_of(self, statement_id: str) -> int | None:
        """Return the index at which a statement is recorded."""
        rows = await self._read("SELECT idx FROM entries WHERE statement_id = ?", (id_bytes(statement_id),))
        return rows[0][0] if rows else None

    async def view(self, keys: Collection[str], statement_ids: Collection[str]) -> View:
        """Load facts and recorded ids, one query each for up to 10,000."""
        with self._faults():
            return await self._shown.view(keys, statement_ids)

    async def tile(self, level: int, position: int) -> bytes:
        """Return the hashes of a tile that exist so far."""
        rows = await self._read("SELECT hashes FROM tiles WHERE level = ? AND position = ?", (level, position))
        return rows[0][0] if rows else b""

    async def nodes(self, nodes: Collection[Node]) -> dict[Node, bytes]:
        """Return perfect-subtree hashes; one read a tile."""
        tiles = {address: await self.tile(*address) for address in {tile_of(node) for node in nodes}}
        try:
            return {node: node_in_tile(node, tiles[tile_of(node)]) for node in nodes}
        except IndexError as error:
            raise IntegrityError(f"the hash of {error} is not stored") from error

    async def tiles(self, level: int) -> AsyncIterator[bytes]:
        """Yield the tiles of a level in order, 256 a read."""
        position = 0
        while True:
            rows = await self._read(
                "SELECT position, hashes FROM tiles WHERE level = ? AND position >= ? ORDER BY position LIMIT ?",
                (level, position, TILE_WIDTH),
            )
            for at, hashes in rows:
                if at != position:
                    raise IntegrityError(f"tile {position} of level {level} is missing")
                yield hashes
                position += 1
            if not rows:
                return

    async def history(self, subjects: Collection[str]) -> list[int]:
        """Return the indexes of all entries that concern any of the subjects, through the index on subjects."""
        own = [id_bytes(name) for name in subjects]
        with self._faults():
            rows = await self._shown.rows_in("SELECT idx FROM subjects WHERE subject IN", subjects)
            rows += await self._shown.rows_in("SELECT idx FROM entries WHERE statement_id IN", own)
        return sorted({index for (index,) in rows})

    async def facts(self, kind: str, subject: str | None, after: int, limit: int) -> list[Fact]:
        """Return facts of a kind, ascending by index."""
        if subject is None:
            query = "SELECT document FROM facts WHERE kind = ? AND idx > ? ORDER BY idx LIMIT ?"
            rows = await self._read(query, (kind, after, limit))
        else:
            # CROSS JOIN keeps the order of the tables, and +idx keeps SQLite from making `idx > ?` a range of its own
            # in `facts`: it would walk all facts of the kind once for each entry that concerns the subject.
            fact = "CROSS JOIN facts AS f ON f.kind = ? AND f.idx = +s.idx"
            query = (
                f"SELECT document, s.idx AS idx FROM subjects AS s {fact} WHERE s.subject = ? AND s.idx > ?"  # noqa: S608
                f" UNION ALL SELECT document, s.idx FROM entries AS s {fact} WHERE s.statement_id = ? AND s.idx > ?"
                " ORDER BY idx LIMIT ?"  # of constants
            )
            rows = await self._read(query, (kind, subject, after, kind, id_bytes(subject), after, limit))
        return [read_fact(kind, json.loads(row[0])) for row in rows]

    async def free_bytes(self) -> int:
        """Return the free space of the file system."""
        return (await asyncio.to_thread(shutil.disk_usage, self._path)).free

    async def close(self) -> None:
        """Close both connections, then let go of the lock."""
        await close_all(self._reader, self._writer)
        self._lock.close()

    async def _read(self, query: str, parameters: Iterable[Any]) -> list[Any]:
        with self._faults():
            return list(await self._reader.execute_fetchall(query, parameters))


class _Rebuild:
    """See the contract: it reads what it writes, which nobody else sees yet."""

    def __init__(self, tables: DerivedTables) -> None:
        self._tables = tables

    async def view(self, keys: Collection[str], statement_ids: Collection[str]) -> View:
        return await self._tables.view(keys, statement_ids)

    async def put(self, derived: Derived) -> None:
        await self._tables.put(derived)
