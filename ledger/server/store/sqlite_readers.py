"""Connections that only read, for whoever asks: a few at a time, none for long."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import aiosqlite

from ledger.server.store.contract import ReadTooLongError
from ledger.server.store.sqlite_file import close_all

PUBLIC_READERS = 3
"""Connections for reads that anybody may ask for: a slow read leaves the others."""

DEADLINE_S = 2.0
"""How long one query of such a read may take, its wait for a connection not counted."""

_STEPS_BETWEEN_LOOKS = 10_000
"""Of SQLite's machine: a fraction of a millisecond."""


class _Reader:
    """One connection, and whether what it does now must end."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self.connection = connection
        self.must_end = False


class Readers:
    """Connections that take turns; a query that lasts longer than the deadline is ended (ReadTooLongError)."""

    def __init__(self, readers: Sequence[_Reader], deadline_s: float) -> None:
        self._readers = readers
        self._deadline_s = deadline_s
        self._free: asyncio.Queue[_Reader] = asyncio.Queue()
        for reader in readers:
            self._free.put_nowait(reader)

    @classmethod
    async def over(cls, connections: Iterable[aiosqlite.Connection], deadline_s: float = DEADLINE_S) -> Readers:
        """Take connections over, all their own."""
        readers = [_Reader(connection) for connection in connections]
        for reader in readers:
            # Asked by SQLite itself: `interrupt` would pass by a query that its thread has not begun yet.
            await reader.connection.set_progress_handler(partial(getattr, reader, "must_end"), _STEPS_BETWEEN_LOOKS)
        return cls(readers, deadline_s)

    async def execute_fetchall(self, query: str, parameters: Iterable[Any] | None = None) -> Iterable[sqlite3.Row]:
        """Run one query on a free connection and return its rows."""
        reader = await self._free.get()
        reading = asyncio.ensure_future(reader.connection.execute_fetchall(query, parameters))

        def free(_: object) -> None:
            reader.must_end = False
            self._free.put_nowait(reader)
            if not reading.cancelled():
                reading.exception()  # of a read that nobody waits for any more

        reading.add_done_callback(free)
        try:
            return await asyncio.wait_for(asyncio.shield(reading), self._deadline_s)
        except TimeoutError as error:
            raise ReadTooLongError from error
        finally:
            # After the deadline, or where whoever asked has gone: the connection is wanted by others.
            reader.must_end = not reading.done()

    async def close(self) -> None:
        """Close all, once each has ended what it does."""
        for _ in self._readers:
            await self._free.get()
        await close_all(*(reader.connection for reader in self._readers))
