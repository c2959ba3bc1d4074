"""Listening with limits that aiohttp leaves open: silent connections, half-sent headers, too many connections.

Stopping is graceful: 503 for new work, what waits finished and answered, and only then no connections any more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from ledger.server.log.log import Log
from ledger.server.service.app import SERVER, make_app
from ledger.server.service.errors import ProblemError
from ledger.server.service.problems import problem_response

HEADER_DEADLINE_S = 10.0
KEEP_ALIVE_S = 30.0
WRITE_DEADLINE_S = 30.0
MAX_CONNECTIONS = 512
SHUTDOWN_S = 10.0
LINGER_S = 1.0
"""How long the rest of a refused body is read, so that its sender sees the answer."""

_BACKLOG = 256
_MAX_LINE_BYTES = 8190
_MAX_HEAD_BYTES = 65_536
_logger = logging.getLogger(__name__)


class _Connection(web.RequestHandler):
    """aiohttp's end of a connection; what it says of bytes that are not HTTP is a problem document of ours too."""

    __slots__ = ()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Log the error, and answer without aiohttp's words: they quote Python and name versions."""
        super().handle_error(request, status, exc, message)  # raises ConnectionError where an answer is under way
        not_http = ProblemError(status, "bad-request", "this is not an HTTP request that is understood here")
        response = problem_response(RuntimeError() if status >= 500 else not_http)
        response.headers["Server"] = SERVER
        response.force_close()
        return response


class _Guard(asyncio.Protocol):
    """Hands a connection to aiohttp; cuts it if headers do not come for 10 s, or nothing is taken for 30 s."""

    def __init__(self, inner: asyncio.Protocol, connections: set[_Guard]) -> None:
        self._inner = inner
        self._connections = connections
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
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
            # Line ends may come before a request, and do not end its headers; a body may come with them.
            head = (self._head + data).lstrip(b"\r\n")
            self._head = head[-_MAX_HEAD_BYTES:]
            if b"\r\n\r\n" in head:
                self._deadline.cancel()
                self._deadline = None
                self._head = b""
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._deadline, self._stalled):
            if timer is not None:
                timer.cancel()
        if self in self._connections:
            self._connections.discard(self)
            self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        if isinstance(self.transport, asyncio.Transport):
            self._stalled = asyncio.get_running_loop().call_later(WRITE_DEADLINE_S, self.transport.abort)
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
        self._inner.resume_writing()


async def serve(
    log: Log,
    host: str,
    port: int,
    stop: asyncio.Event,
    ready: Callable[[str, int], None],
    *,
    predecessor: Path | None = None,
) -> None:
    """Serve `log` until `stop` is set; call `ready` with the address once connections are taken.

    `predecessor` is where the mirror of the ledger before it would be.
    """
    runner = web.AppRunner(make_app(log, predecessor), shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    connections: set[_Guard] = set()

    def accept() -> asyncio.Protocol:
        if runner.server is None:
            raise RuntimeError("the runner is set up before it serves")
        connection = _Connection(
            runner.server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type] # None is how aiohttp is told to keep none
            keepalive_timeout=KEEP_ALIVE_S,
            lingering_time=LINGER_S,
            max_line_size=_MAX_LINE_BYTES,
            max_field_size=_MAX_LINE_BYTES,
            auto_decompress=False,  # compressed bodies are refused, and not unpacked to be thrown away
        )
        return _Guard(connection, connections)

    try:
        server = await asyncio.get_running_loop().create_server(accept, host, port, backlog=_BACKLOG)
        address = server.sockets[0].getsockname()
        ready(address[0], address[1])
        await stop.wait()
        _logger.info("stopping: finishing what waits")
        await log.stop()  # new work is answered with 503 meanwhile
        server.close()
    finally:
        await runner.cleanup()
