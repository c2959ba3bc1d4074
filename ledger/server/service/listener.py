"""Listening with limits that aiohttp leaves open: silent connections, half-sent headers, too many connections.

Stopping is graceful: no new connections, 503 for new work, the batch finished and answered, then the rest is cut.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from aiohttp import web

from ledger.server.log.sequencer import Log
from ledger.server.service.app import make_app

HEADER_DEADLINE_S = 10.0
KEEP_ALIVE_S = 30.0
MAX_CONNECTIONS = 512
SHUTDOWN_S = 10.0
_BACKLOG = 256
_MAX_LINE_BYTES = 8190
_logger = logging.getLogger(__name__)


class _Guard(asyncio.Protocol):
    """Hands a connection to aiohttp; cuts it if the first request's headers are not in after 10 s."""

    def __init__(self, inner: asyncio.Protocol, connections: set[_Guard]) -> None:
        self._inner = inner
        self._connections = connections
        self._deadline: asyncio.TimerHandle | None = None
        self._head = b""
        self.transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        if len(self._connections) >= MAX_CONNECTIONS and isinstance(transport, asyncio.Transport):
            transport.abort()
            return
        self._connections.add(self)
        if isinstance(transport, asyncio.Transport):
            self._deadline = asyncio.get_running_loop().call_later(HEADER_DEADLINE_S, transport.abort)
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._deadline is not None:
            self._head = (self._head + data)[-_MAX_LINE_BYTES * 8 :]
            if b"\r\n\r\n" in self._head:
                self._deadline.cancel()
                self._deadline = None
                self._head = b""
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        if self in self._connections:
            self._connections.discard(self)
            self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()


async def serve(log: Log, host: str, port: int, stop: asyncio.Event, ready: Callable[[str, int], None]) -> None:
    """Serve `log` until `stop` is set; call `ready` with the address once connections are taken."""
    runner = web.AppRunner(
        make_app(log),
        access_log=None,
        keepalive_timeout=KEEP_ALIVE_S,
        shutdown_timeout=SHUTDOWN_S,
        max_line_size=_MAX_LINE_BYTES,
        max_field_size=_MAX_LINE_BYTES,
    )
    await runner.setup()
    connections: set[_Guard] = set()

    def accept() -> asyncio.Protocol:
        if runner.server is None:
            raise RuntimeError("the runner is set up before it serves")
        return _Guard(runner.server(), connections)

    try:
        server = await asyncio.get_running_loop().create_server(accept, host, port, backlog=_BACKLOG)
        address = server.sockets[0].getsockname()
        ready(address[0], address[1])
        await stop.wait()
        _logger.info("stopping: finishing what waits")
        await log.stop()
        server.close()
    finally:
        await runner.cleanup()
