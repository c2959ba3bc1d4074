"""Whoever answers in a ledger's place, at whatever length and pace: the client keeps nothing, and asks nobody else."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ledger.core.errors import LedgerError
from ledger.core.policy import parse_policy
from ledger.party.answers import transport
from ledger.party.client.client import LedgerClient
from ledger.party.vault.vault import Vault
from ledger.server.copies import source
from ledger.server.copies.errors import CopyUnreadable
from tests.harness.builder import LedgerBuilder
from tests.harness.people import person
from tests.harness.speech import signed
from tests.harness.waiting import PATIENCE_S

ALPHA = person("alpha")
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def said(body: bytes, status: int = 200, **headers: str) -> Answer:
    async def answer(_request: web.Request) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(body=body, status=status, headers=named)

    return answer


async def _never(_request: web.Request) -> web.Response:
    await asyncio.sleep(3600)
    raise AssertionError


async def _trickle(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.05)


async def _without_end(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(bytes(1 << 20))


async def _cut_short(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "9999"})
    await response.prepare(request)
    await response.write(b"{")
    assert request.transport is not None
    request.transport.abort()
    return response


ANSWERS: dict[str, Answer] = {
    "garbage": said(b"\xff\xfe\0"),
    "a page": said(b"<html>Welcome</html>"),
    "nothing": said(b""),
    "nesting without end": said(b"[" * 100_000),
    "a redirect": said(b"", 307, Location="/elsewhere"),
    "a redirect to a file": said(b"", 302, Location="file:///etc/passwd"),
    "a bomb": said(gzip.compress(bytes(1 << 26)), Content_Encoding="gzip"),
    "an encoding that nobody knows": said(b"\x1b", Content_Encoding="br"),
    "a body without end": _without_end,
    "one byte now and then": _trickle,
    "cut short": _cut_short,
    "never": _never,
}


@asynccontextmanager
async def answering(name: str) -> AsyncIterator[str]:
    """Answer like that whatever is asked; where a redirect leads, nobody may come."""
    asked: set[str] = set()

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.add(request.path)
        return await ANSWERS[name](request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    server = TestServer(app, handler_cancellation=True)
    await server.start_server(shutdown_timeout=0.1)
    try:
        yield str(server.make_url("/")).rstrip("/")
    finally:
        await server.close()
    assert asked
    assert "/elsewhere" not in asked


@pytest.mark.parametrize("name", ANSWERS)
async def test_a_hostile_answer_is_a_typed_error(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error with a type, in bounded time, to reads and a submission; nothing is kept, and no other address asked."""
    monkeypatch.setattr(transport, "TOTAL_S", 0.2)
    monkeypatch.setattr(transport, "MAX_REPLY_BYTES", 1 << 22)
    builder, vault = LedgerBuilder(), Vault(tmp_path / "vault")
    envelope = signed(builder.speech.party_registered(ALPHA), *ALPHA.all_keys)
    async with (
        answering(name) as url,
        LedgerClient(url, parse_policy(builder.policy()), vault, backoff_s=0.01) as client,
    ):
        for call in (client.checkpoint, client.identity, lambda: client.submit(envelope)):
            with pytest.raises(LedgerError):
                await asyncio.wait_for(call(), PATIENCE_S)
        assert client.remembered() is None
    assert vault.entry(envelope.id) is None


@pytest.mark.parametrize("name", ANSWERS)
async def test_a_hostile_mirror_is_read_within_bounds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By `ledger restore` and `adopt`: what is too long, too slow or cut is an error, and nothing is unfolded."""
    monkeypatch.setattr(source, "TOTAL_S", 0.2)
    max_bytes = 200_000
    async with answering(name) as url, source.open_files(url) as files:
        try:
            raw = await asyncio.wait_for(files.read("checkpoint", max_bytes), PATIENCE_S)
        except CopyUnreadable:
            assert name not in {"garbage", "a page", "nothing"}
        else:
            assert len(raw) <= max_bytes
            assert name in {
                "garbage",
                "a page",
                "nothing",
                "nesting without end",
                "a bomb",
                "an encoding that nobody knows",
            }
