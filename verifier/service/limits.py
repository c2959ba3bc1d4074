"""Serving HTTP with limits that aiohttp leaves open: silent connections, half-sent headers, too many connections.

Only serving commands import this module, and aiohttp with it: checking needs neither.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable

HEADER_DEADLINE_S = 10.0
KEEP_ALIVE_S = 75.0
WRITE_DEADLINE_S = 30.0
MAX_CONNECTIONS = 512
_MAX_HEAD_BYTES = 65_536
_SHUTDOWN_S = 5.0


class _Guard(asyncio.Protocol):
    """Hands a connection to aiohttp; cuts it where a head does not come, or nothing is taken."""

    def __init__(self, inner: asyncio.Protocol, open_guards: set[_Guard]) -> None:
        self._inner = inner
        self._open = open_guards
        self._head = b""
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a connection that is not a stream")
        if len(self._open) >= MAX_CONNECTIONS:
            transport.abort()
            return
        self._open.add(self)
        self._transport = transport
        self._deadline = asyncio.get_running_loop().call_later(HEADER_DEADLINE_S, transport.abort)
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._deadline is not None:
            self._head = (self._head + data)[-_MAX_HEAD_BYTES:]
            if b"\r\n\r\n" in self._head.lstrip(b"\r\n"):
                self._deadline.cancel()
                self._deadline, self._head = None, b""
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._deadline, self._stalled):
            if timer is not None:
                timer.cancel()
        if self in self._open:
            self._open.discard(self)
            self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        if self._transport is not None:
            self._stalled = asyncio.get_running_loop().call_later(WRITE_DEADLINE_S, self._transport.abort)
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
        self._inner.resume_writing()


def new_application(max_body_bytes: int = 1024) -> web.Application:
    """Return an application that takes bodies of at most so many bytes, and does not name its software."""
    app = web.Application(client_max_size=max_body_bytes)
    app.on_response_prepare.append(_hide_software)
    return app


def stop_on_signals() -> asyncio.Event:
    """Return what SIGINT and SIGTERM set; called in a running event loop."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def serve(app: web.Application, host: str, port: int, stop: asyncio.Event, ready: Callable[[str], None]) -> None:
    """Serve until `stop` is set; `ready` gets the URL once connections are taken.

    Raises `OSError` where the address cannot be had.
    """
    runner = web.AppRunner(
        app, access_log=None, keepalive_timeout=KEEP_ALIVE_S, auto_decompress=False, shutdown_timeout=_SHUTDOWN_S
    )
    await runner.setup()
    guards: set[_Guard] = set()

    def accept() -> asyncio.Protocol:
        if runner.server is None:
            raise RuntimeError("the runner is set up before it serves")
        return _Guard(runner.server(), guards)

    try:
        server = await asyncio.get_running_loop().create_server(accept, host, port)
        address = server.sockets[0].getsockname()
        name = f"[{address[0]}]" if ":" in address[0] else address[0]
        ready(f"http://{name}:{address[1]}")
        await stop.wait()
        server.close()
    finally:
        await runner.cleanup()


async def _hide_software(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "provenance-ledger-verifier"
