"""Connections that only read, for whoever asks: a few at a time, none for long."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import aiosqlite

from ledger.server.store.contract import ReadTooLongError
from ledger.server.store.sqlite_file import close_all

PUBLIC_READERS = 3
"""Connections for reads that anybody may ask for: a slow read leaves the others."""

DEADLINE_S = 2.0
"""How long one query of such a read may take, its wait for a connection not counted."""


class Readers:
    """Connections that take turns; a query that lasts longer than the deadline is interrupted (ReadTooLongError)."""

    def __init__(self, connections: Sequence[aiosqlite.Connection], deadline_s: float = DEADLINE_S) -> None:
        self._connections = connections
        self._deadline_s = deadline_s
        self._free: asyncio.Queue[aiosqlite.Connection] = asyncio.Queue()
        for connection in connections:
            self._free.put_nowait(connection)

    async def execute_fetchall(self, query: str, parameters: Iterable[Any] | None = None) -> Iterable[sqlite3.Row]:
        """Run one query on a free connection and return its rows."""
        connection = await self._free.get()
        reading = asyncio.ensure_future(connection.execute_fetchall(query, parameters))

        def free(_: object) -> None:
            self._free.put_nowait(connection)
            if not reading.cancelled():
                reading.exception()  # of a read that nobody waits for any more

        reading.add_done_callback(free)
        try:
            return await asyncio.wait_for(asyncio.shield(reading), self._deadline_s)
        except TimeoutError as error:
            raise ReadTooLongError from error
        finally:
            # After the deadline, or where whoever asked has gone: the connection is wanted by others.
            if not reading.done():
                await connection.interrupt()

    async def close(self) -> None:
        """Close all, once each has ended what it does."""
        for _ in self._connections:
            await self._free.get()
        await close_all(*self._connections)
