"""A store in one SQLite file (WAL, synchronous=FULL), through aiosqlite.

One connection writes, another only reads; an operating-system lock keeps a second process out, because SQLite before
3.51.3 can corrupt a WAL that two connections write or checkpoint at once. Every PRAGMA's row is fetched and compared:
an error in switching the journal mode is lost otherwise.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import IO, Any

import aiosqlite

from ledger.core.merkle import Node
from ledger.core.tiles import TILE_WIDTH, node_in_tile, tile_of
from ledger.registry.facts import Fact, View, read_fact
from ledger.server.store.contract import Batch, IntegrityError, StoredCheckpoint, StoreError, StoreLockedError
from ledger.server.store.retention import superseded

SCHEMA_VERSION = 1
_APPLICATION_ID = 0x50_4C_44_47  # "PLDG"
_ID_PREFIX = "sha256:"
_MAX_VARIABLES = 10_000
_ROWS_PER_INSERT = 250
_CACHE_KIB = 65_536
_CHECKPOINT_PAGES = 4_000


class SQLiteStore:
    """See the contract. Made by `open`."""

    def __init__(self, path: Path, writer: aiosqlite.Connection, reader: aiosqlite.Connection, lock: IO[str]) -> None:
        self._path = path
        self._writer = writer
        self._reader = reader
        self._lock = lock

    @classmethod
    async def open(cls, path: Path) -> SQLiteStore:
        """Open the file, making it (mode 0600) where it is missing; raise StoreLockedError or StoreError."""
        lock = _lock(path)
        writer = reader = None
        uri = path.absolute().as_uri()  # noqa: ASYNC240 - no I/O worth a thread
        try:
            path.touch(mode=0o600)  # noqa: ASYNC240 - once, at start
            writer = await aiosqlite.connect(path, isolation_level=None)
            await _configure(writer)
            reader = await aiosqlite.connect(f"{uri}?mode=ro", uri=True, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            await _close(reader, writer)
            lock.close()
            raise StoreError(f"{path}: {error}") from error
        except StoreError:
            await _close(reader, writer)
            lock.close()
            raise
        return cls(path, writer, reader, lock)

    async def append(self, batch: Batch) -> None:
        """Write a batch in one transaction."""
        try:
            if self._writer.in_transaction:  # an earlier ROLLBACK failed
                await self._writer.execute("ROLLBACK")
            await self._writer.execute("BEGIN IMMEDIATE")
            try:
                await self._check_place(batch.entries[0].index)
                await self._write(batch)
                await self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    await self._writer.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise StoreError(f"{self._path}: {error}") from error

    async def _check_place(self, first: int) -> None:
        ((size,),) = await self._writer.execute_fetchall("SELECT coalesce(max(idx) + 1, 0) FROM entries")
        if size != first:
            raise StoreError(f"the batch starts at {first}, the store has size {size}")

    async def _write(self, batch: Batch) -> None:
        writer = self._writer
        await self._insert(
            "INSERT INTO entries (idx, statement_id, raw) VALUES {}",
            [(entry.index, _id_bytes(entry.statement_id), entry.raw) for entry in batch.entries],
        )
        await self._insert(
            "INSERT INTO subjects (subject, idx) VALUES {}",
            # That an entry concerns its own statement is in `entries` already: a quarter of the work of a commit less.
            [(name, entry.index) for entry in batch.entries for name in entry.subjects if name != entry.statement_id],
        )
        await self._insert(
            "INSERT INTO facts (key, kind, idx, document) VALUES {}"
            " ON CONFLICT (key) DO UPDATE SET document = excluded.document",
            [(_key_bytes(fact.key), fact.kind, fact.index, json.dumps(fact.document())) for fact in batch.facts],
        )
        await self._insert(
            "INSERT INTO tiles (level, position, hashes) VALUES {}"
            " ON CONFLICT (level, position) DO UPDATE SET hashes = excluded.hashes",
            [(level, position, hashes) for (level, position), hashes in batch.tiles.items()],
        )
        kept = list(await writer.execute_fetchall("SELECT size, time_ms FROM checkpoints ORDER BY size DESC LIMIT 2"))
        if superseded([time_ms for _, time_ms in reversed(kept)]):
            await writer.execute("DELETE FROM checkpoints WHERE size = ?", (kept[0][0],))
        checkpoint = batch.checkpoint
        await writer.execute(
            "INSERT INTO checkpoints (size, time_ms, note) VALUES (?, ?, ?)",
            (checkpoint.size, checkpoint.time_ms, checkpoint.note),
        )

    async def _insert(self, query: str, rows: Sequence[tuple[str | bytes | int, ...]]) -> None:
        """Insert many rows a call: each call of SQLite lets go of the interpreter lock, and waits to get it back."""
        for start in range(0, len(rows), _ROWS_PER_INSERT):
            some = rows[start : start + _ROWS_PER_INSERT]
            places = ",".join([f"({','.join('?' * len(some[0]))})"] * len(some))
            await self._writer.execute(query.format(places), [value for row in some for value in row])

    async def checkpoint(self, size: int | None = None) -> StoredCheckpoint | None:
        """Return the newest checkpoint, or the retained one of exactly `size`."""
        where = "ORDER BY size DESC LIMIT 1" if size is None else "WHERE size = ?"
        parameters = () if size is None else (size,)
        rows = await self._read(f"SELECT size, time_ms, note FROM checkpoints {where}", parameters)  # noqa: S608 - constants
        return StoredCheckpoint(*rows[0]) if rows else None

    async def entries(self, start: int, end: int) -> list[bytes]:
        """Return the entries of [start, end) that exist."""
        rows = await self._read("SELECT raw FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx", (start, end))
        return [raw for (raw,) in rows]

    async def index_of(self, statement_id: str) -> int | None:
        """Return the index at which a statement is recorded."""
        rows = await self._read("SELECT idx FROM entries WHERE statement_id = ?", (_id_bytes(statement_id),))
        return rows[0][0] if rows else None

    async def view(self, keys: Collection[str], statement_ids: Collection[str]) -> View:
        """Load facts and recorded ids, one query each for up to 10,000."""
        facts = await self._in("SELECT kind, document FROM facts WHERE key IN", [_key_bytes(key) for key in keys])
        recorded = await self._in(
            "SELECT statement_id, idx FROM entries WHERE statement_id IN", [_id_bytes(name) for name in statement_ids]
        )
        return View(
            (read_fact(kind, json.loads(document)) for kind, document in facts),
            {_ID_PREFIX + digest.hex(): index for digest, index in recorded},
        )

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
        rows = await self._in("SELECT idx FROM subjects WHERE subject IN", subjects)
        rows += await self._in("SELECT idx FROM entries WHERE statement_id IN", [_id_bytes(name) for name in subjects])
        return sorted({index for (index,) in rows})

    async def facts(self, kind: str, subject: str | None, after: int, limit: int) -> list[Fact]:
        """Return facts of a kind, ascending by index."""
        if subject is None:
            query = "SELECT document FROM facts WHERE kind = ? AND idx > ? ORDER BY idx LIMIT ?"
            rows = await self._read(query, (kind, after, limit))
        else:
            query = (
                "SELECT document, idx FROM subjects JOIN facts USING (idx) WHERE subject = ? AND kind = ? AND idx > ?"
                " UNION ALL SELECT document, idx FROM entries JOIN facts USING (idx)"
                " WHERE statement_id = ? AND kind = ? AND idx > ? ORDER BY idx LIMIT ?"
            )
            rows = await self._read(query, (subject, kind, after, _id_bytes(subject), kind, after, limit))
        return [read_fact(kind, json.loads(row[0])) for row in rows]

    async def free_bytes(self) -> int:
        """Return the free space of the file system."""
        return (await asyncio.to_thread(shutil.disk_usage, self._path)).free

    async def close(self) -> None:
        """Close both connections, then let go of the lock."""
        await _close(self._reader, self._writer)
        self._lock.close()

    async def _read(self, query: str, parameters: Iterable[Any]) -> list[Any]:
        try:
            return list(await self._reader.execute_fetchall(query, parameters))
        except sqlite3.Error as error:
            raise StoreError(f"{self._path}: {error}") from error

    async def _in(self, query: str, values: Collection[Any]) -> list[Any]:
        rows: list[Any] = []
        remaining = list(values)
        while remaining:
            some, remaining = remaining[:_MAX_VARIABLES], remaining[_MAX_VARIABLES:]
            rows += await self._read(f"{query} ({','.join('?' * len(some))})", some)
        return rows


def _lock(path: Path) -> IO[str]:
    lock_path = path.with_name(path.name + ".lock")
    try:
        lock = os.fdopen(os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o600), "r+")
    except OSError as error:
        raise StoreError(f"{lock_path}: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise StoreLockedError(f"{path} is open in another process: one ledger has one writer") from error
    return lock


async def _configure(connection: aiosqlite.Connection) -> None:
    ((version,),) = await connection.execute_fetchall("PRAGMA user_version")
    ((application,),) = await connection.execute_fetchall("PRAGMA application_id")
    ((tables,),) = await connection.execute_fetchall("SELECT count(*) FROM sqlite_schema")
    # Most programs leave both numbers at 0: only a file without a table is nobody's. Nothing is written before this.
    if (version, application) != (SCHEMA_VERSION, _APPLICATION_ID) and (version, application, tables) != (0, 0, 0):
        raise StoreError(f"this is not a ledger's database of version {SCHEMA_VERSION}")
    await _pragma(connection, "journal_mode", "WAL", "wal")
    await _pragma(connection, "synchronous", "FULL", 2)
    await _pragma(connection, "cache_size", f"-{_CACHE_KIB}", -_CACHE_KIB)
    await _pragma(connection, "wal_autocheckpoint", str(_CHECKPOINT_PAGES), _CHECKPOINT_PAGES)
    schema = resources.files(__package__).joinpath("schema.sql").read_text(encoding="utf-8")
    pragmas = f"PRAGMA user_version = {SCHEMA_VERSION}; PRAGMA application_id = {_APPLICATION_ID};"
    await connection.executescript(f"BEGIN; {schema} {pragmas} COMMIT;")


async def _pragma(connection: aiosqlite.Connection, name: str, value: str, expected: str | int) -> None:
    await connection.execute_fetchall(f"PRAGMA {name} = {value}")
    ((actual,),) = await connection.execute_fetchall(f"PRAGMA {name}")
    if actual != expected:
        raise StoreError(f"SQLite has {name} = {actual}, and {expected} is needed for durability")


async def _close(*connections: aiosqlite.Connection | None) -> None:
    for connection in connections:
        if connection is not None:
            await connection.close()


def _id_bytes(statement_id: str) -> bytes:
    """Return the digest of an id, and nothing that is stored for anything else: a party's name is no statement."""
    return bytes.fromhex(statement_id.removeprefix(_ID_PREFIX)) if statement_id.startswith(_ID_PREFIX) else b""


def _key_bytes(key: str) -> bytes:
    return sha256(key.encode()).digest()
