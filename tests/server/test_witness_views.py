"""At start-up a log asks its witnesses what they have of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from aiohttp import web

from ledger.core.checkpoint import TreeHead, sign_checkpoint
from ledger.server.log.intake.workers import Workers
from ledger.server.log.log import Log
from ledger.server.log.recovery import witness_views
from ledger.server.log.recovery.published import PublishedFile
from ledger.server.log.recovery.witness_views import WitnessViews
from ledger.server.log.state.errors import ContradictedError
from tests.harness.memory_store import MemoryStore
from tests.harness.people import key
from tests.harness.running import ORIGIN, Clock, House

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
PATH = f"/w/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint"


@asynccontextmanager
async def witness(answer: Answer) -> AsyncIterator[str]:
    """Answer at a witness's address for this log."""
    app = web.Application()
    app.router.add_get(PATH, answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/w/"
    finally:
        await runner.cleanup()


async def start(house: House, workers: Workers, directory: Path, *urls: str) -> int:
    """Start a new log of one entry, stop it, and start it again with these witnesses; return its size."""
    directory.mkdir()
    store, size = MemoryStore(), 0
    for asked in ((), urls):
        views = WitnessViews(PublishedFile(directory / "published"), asked, house.identity.note_keys)
        log = Log(store, house.identity, workers, Clock(), views)
        await log.start()
        if not asked:
            await log.submit(house.created.recorded)
        await log.stop()
        size = log.published.head.size if log.published else 0
    return size


def said(raw: bytes, status: int = 200) -> Answer:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=raw, status=status)

    return answer


async def test_a_checkpoint_that_the_database_lacks_stops_the_log(workers: Workers, tmp_path: Path) -> None:
    """Larger than the database, or another past of the same size, signed by this log: it does not sign on."""
    house = House()
    for size in (1, 7):
        note = sign_checkpoint(ORIGIN, TreeHead(size, bytes(32)), house.identity.log_key)
        async with witness(said(note)) as url:
            with pytest.raises(ContradictedError, match="the witness at http") as caught:
                await start(house, workers, tmp_path / str(size), "http://127.0.0.1:1", url)
            assert (caught.value.shown, caught.value.size) == (size, 1)


async def test_what_else_a_witness_says_harms_nobody(
    workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Garbage, another log's checkpoint, another key's, 10 MB, a redirect, silence, and nobody there."""
    monkeypatch.setattr(witness_views, "TOTAL_S", 0.5)
    house = House()
    large = TreeHead(2**53 - 1, bytes(32))

    async def never(_request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    async def moved(_request: web.Request) -> web.Response:
        raise web.HTTPFound("http://127.0.0.1:1/")

    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(600):
            await response.write(b"x")
            await asyncio.sleep(0.1)
        return response

    lies = [
        said(b"garbage"),
        said(sign_checkpoint("another.example/log", large, house.identity.log_key)),
        said(sign_checkpoint(ORIGIN, large, key("another"))),
        said(bytes(10 << 20)),
        said(b"", 404),
        said(b"", 500),
        moved,
        never,
        trickle,
    ]
    for number, lie in enumerate(lies):
        async with witness(lie) as url:
            assert await start(house, workers, tmp_path / str(number), url) == 1
    assert await start(house, workers, tmp_path / "nobody", "http://127.0.0.1:1") == 1
