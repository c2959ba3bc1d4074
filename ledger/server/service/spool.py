"""Results on their way out, kept in a file while the client does not take them."""

from __future__ import annotations

import asyncio
from tempfile import SpooledTemporaryFile

from aiohttp import web

MAX_SPOOL_BYTES = 1 << 26
SEND_DEADLINE_S = 30.0
"""How long a client may take nothing."""

_MEMORY_BYTES = 1 << 20
_WRITE_BYTES = 1 << 16


class Spool:
    """Bytes in, in any haste; bytes out, as the client reads. At most about 64 MiB wait, past 1 MiB on disk."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=_MEMORY_BYTES)  # noqa: SIM115 - closed by `close`
        self._written = 0
        self._sent = 0
        self._ended = False
        self._more = asyncio.Event()
        self._empty = asyncio.Event()

    async def room(self) -> None:
        """Wait, past 64 MiB, until the client took all: what it can make us keep is bounded."""
        if self._written > MAX_SPOOL_BYTES:
            self._empty.clear()
            await self._empty.wait()

    def add(self, data: bytes) -> None:
        """Append bytes."""
        self._file.seek(self._written)
        self._file.write(data)
        self._written += len(data)
        self._more.set()

    def end(self, data: bytes) -> None:
        """Append the last bytes."""
        self._ended = True
        self.add(data)

    async def send(self, response: web.StreamResponse) -> None:
        """Send bytes as they come, until the last; TimeoutError if the client takes nothing for 30 s."""
        while not (self._ended and self._sent == self._written):
            if self._sent == self._written:
                self._more.clear()
                await self._more.wait()
            self._file.seek(self._sent)
            chunk = self._file.read(_WRITE_BYTES)
            async with asyncio.timeout(SEND_DEADLINE_S):
                await response.write(chunk)
            self._sent += len(chunk)
            if self._sent == self._written:
                self._file.seek(0)
                self._file.truncate()
                self._sent = self._written = 0
                self._empty.set()

    def close(self) -> None:
        """Drop what was not sent."""
        self._file.close()
