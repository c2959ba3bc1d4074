"""A store in one SQLite file (WAL, synchronous=FULL), through aiosqlite.

One connection writes, another reads for whoever writes, and a few read for everybody else (`public`): no reader waits
in the sequencer's way. An operating-system lock keeps a second process out, because SQLite before 3.51.3 can corrupt a
WAL that two connections write or checkpoint at once. Every PRAGMA's row is fetched and compared: an error in switching
the journal mode is lost otherwise.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

import aiosqlite

from ledger.registry.facts import View
from ledger.registry.things import FACTS_VERSION
from ledger.server.store.contract import (
    Batch,
    Derived,
    Pending,
    Rebuild,
    StoredCheckpoint,
    StoreError,
)
from ledger.server.store.retention import superseded
from ledger.server.store.sqlite_derived import DerivedTables, id_bytes
from ledger.server.store.sqlite_file import close_all, configure, connect_read_only, lock_file
from ledger.server.store.sqlite_readers import PUBLIC_READERS, Readers
from ledger.server.store.sqlite_reads import SQLiteReads
from ledger.server.store.stamps import StoredStamp


class SQLiteStore(SQLiteReads):
    """See the contract. Made by `open`."""

    def __init__(
        self,
        path: Path,
        writer: aiosqlite.Connection,
        reader: aiosqlite.Connection,
        public: Readers,
        lock: IO[str],
    ) -> None:
        super().__init__(path, reader)
        self.public = SQLiteReads(path, public)
        self._writer = writer
        self._written = DerivedTables(writer)
        self._lock = lock
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path) -> SQLiteStore:
        """Open the file, making it (mode 0600) where it is missing; raise StoreLockedError or StoreError."""
        lock = lock_file(path)
        opened: list[aiosqlite.Connection] = []
        try:
            path.touch(mode=0o600)  # noqa: ASYNC240 - once, at start
            opened.append(await aiosqlite.connect(path, isolation_level=None))
            await configure(opened[0])
            for _ in range(1 + PUBLIC_READERS):
                opened.append(await connect_read_only(path))  # noqa: PERF401 - what fails leaves the others to close
        except (OSError, sqlite3.Error, StoreError) as error:
            await close_all(*opened)
            lock.close()
            if isinstance(error, StoreError):
                raise
            raise StoreError(f"{path}: {error}") from error
        writer, reader, *others = opened
        return cls(path, writer, reader, await Readers.over(others), lock)

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

    async def keep_stamp(self, stamp: StoredStamp) -> None:
        """Keep a token, in a transaction of its own."""
        async with self._transaction():
            await self._writer.execute(
                "INSERT INTO timestamps (size, note, token) VALUES (?, ?, ?) ON CONFLICT (size) DO NOTHING",
                (stamp.size, stamp.note, stamp.token),
            )

    async def keep_signed_time(self, time_ms: int) -> None:
        """Keep the greatest time, in a transaction of its own."""
        async with self._transaction():
            await self._writer.execute(
                "INSERT INTO signed (one, time_ms) VALUES (1, ?)"
                " ON CONFLICT (one) DO UPDATE SET time_ms = max(time_ms, excluded.time_ms)",
                (time_ms,),
            )

    async def signed_time_ms(self) -> int:
        """Return the greatest time that was kept."""
        rows = await self._read("SELECT time_ms FROM signed", ())
        return int(rows[0][0]) if rows else 0

    async def keep_pending(self, items: Sequence[Pending]) -> None:
        """Keep statements that are to be recorded later, in a transaction of its own."""
        async with self._transaction():
            await self._writer.executemany(
                "INSERT INTO pending (statement_id, raw, promise) VALUES (?, ?, ?)",
                [(id_bytes(item.statement_id), item.raw, item.promise) for item in items],
            )

    async def drop_pending(self, statement_ids: Collection[str]) -> None:
        """Drop statements that can never be recorded."""
        async with self._transaction():
            names = [(id_bytes(name),) for name in statement_ids]
            await self._writer.executemany("DELETE FROM pending WHERE statement_id = ?", names)

    async def free_bytes(self) -> int:
        """Return the free space of the file system."""
        return (await asyncio.to_thread(shutil.disk_usage, self._path)).free

    async def close(self) -> None:
        """Close all connections, then let go of the lock."""
        await self.public.close()
        await super().close()
        await self._writer.close()
        self._lock.close()


class _Rebuild:
    """See the contract: it reads what it writes, which nobody else sees yet."""

    def __init__(self, tables: DerivedTables) -> None:
        self._tables = tables

    async def view(self, keys: Collection[str], statement_ids: Collection[str]) -> View:
        return await self._tables.view(keys, statement_ids)

    async def put(self, derived: Derived) -> None:
        await self._tables.put(derived)
