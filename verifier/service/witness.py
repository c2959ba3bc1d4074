"""A witness behind HTTP (C2SP tlog-witness v1.0.0): `POST /add-checkpoint`, `GET /<origin hash>/checkpoint`.

One thread does all that touches the keys and the database, a request after the other: the check of the old size and
the new state are one step, and answers wait for the disk there without stopping others from being read.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from aiohttp import web

from verifier.service.limits import new_application, stop_on_signals
from verifier.service.limits import serve as serve_application
from verifier.witness.witness import MAX_REQUEST_BYTES, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from verifier.witness.witness import Witness

BODY_DEADLINE_S = 10.0
MAX_WAITING = 256
"""Requests that may wait for their turn; past that, 503."""
_ArgumentT = TypeVar("_ArgumentT")
_logger = logging.getLogger(__name__)


class _Service:
    """The two calls, over one witness."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness
        self._turn = ThreadPoolExecutor(1, "witness")
        self._waiting = 0

    def make_app(self) -> web.Application:
        app = new_application(MAX_REQUEST_BYTES)
        app.router.add_post("/add-checkpoint", self._add)
        app.router.add_get("/{hash:[0-9a-f]{64}}/checkpoint", self._newest)
        app.on_cleanup.append(self._close)
        return app

    async def _add(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(BODY_DEADLINE_S):
                raw = await request.read()
        except TimeoutError:
            return _say(Refused(408, "send the request within ten seconds"))
        lines = await self._in_turn(self._witness.add_checkpoint, raw)
        return lines if isinstance(lines, web.Response) else web.Response(body=lines, content_type="text/plain")

    async def _newest(self, request: web.Request) -> web.Response:
        note = await self._in_turn(self._witness.newest, request.match_info["hash"])
        if isinstance(note, web.Response):
            return note
        headers = {"Cache-Control": "public, max-age=1"}
        return web.Response(body=note, headers=headers, content_type="text/plain", charset="utf-8")

    async def _in_turn(self, work: Callable[[_ArgumentT], bytes], argument: _ArgumentT) -> bytes | web.Response:
        if self._waiting >= MAX_WAITING:
            return _say(Refused(503, "too many requests are waiting"))
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._turn, work, argument)
        except Refused as refused:
            return _say(refused)
        except (OSError, sqlite3.Error):
            _logger.exception("nothing was cosigned")
            return _say(Refused(503, "the witness cannot write"))
        finally:
            self._waiting -= 1

    async def _close(self, _app: web.Application) -> None:
        self._turn.shutdown()


def _say(refused: Refused) -> web.Response:
    return web.Response(status=refused.status, body=refused.why.encode(), content_type=refused.content_type)


async def serve(witness: Witness, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve a witness until SIGINT or SIGTERM; `ready` gets the URL."""
    await serve_application(_Service(witness).make_app(), host, port, stop_on_signals(), ready)
