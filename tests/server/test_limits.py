"""Clients that are slow, silent, many or no clients at all; and how the service stops."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress

import aiohttp
import pytest

from ledger.server.log import promising, sequencer
from ledger.server.service import listener, submission
from tests.harness.faulty import Fault, Faults
from tests.harness.people import Person
from tests.harness.running import House, Served, post_head
from tests.harness.waiting import PATIENCE_S, until

DEADLINE_S = 0.3
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: ledger\r\n\r\n"
LAST_REQUEST = b"GET /healthz HTTP/1.1\r\nHost: ledger\r\nConnection: close\r\n\r\n"


@pytest.fixture(autouse=True)
def short_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEADER_DEADLINE_S", "KEEP_ALIVE_S", "LINGER_S", "SHUTDOWN_S"):
        monkeypatch.setattr(listener, name, DEADLINE_S)
    for name in ("BODY_DEADLINE_S", "IDLE_DEADLINE_S"):
        monkeypatch.setattr(submission, name, DEADLINE_S)


def long_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut no connection while requests are on their way: this test is about something else."""
    for name in ("HEADER_DEADLINE_S", "KEEP_ALIVE_S"):
        monkeypatch.setattr(listener, name, PATIENCE_S)
    for name in ("BODY_DEADLINE_S", "IDLE_DEADLINE_S"):
        monkeypatch.setattr(submission, name, PATIENCE_S)


async def send_and_wait(served: Served, data: bytes, *, drip: bytes = b"") -> tuple[bytes, float]:
    """Send, wait until the server ends the connection, and return what it said and how long it took."""
    reader, writer = await asyncio.open_connection(served.host, served.port)
    start = time.monotonic()
    writer.write(data)
    said = b""

    async def read() -> None:
        nonlocal said
        with suppress(ConnectionError):  # what came before a reset counts
            while chunk := await reader.read(1 << 16):
                said += chunk

    answer = asyncio.create_task(read())
    while drip and not answer.done():
        writer.write(drip)
        await asyncio.wait([answer], timeout=DEADLINE_S / 5)
    await asyncio.wait_for(answer, PATIENCE_S)
    writer.close()
    return said, time.monotonic() - start


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GET /heal",
        b"GET /healthz HTTP/1.1\r\nHost: le",
        b"\r\n\r\n",
        b"\r\n\r\n\r\nGET /healthz HTTP/1.1\r\n",
    ],
    ids=["silent", "half a line", "half a header", "empty lines", "empty lines and half a header"],
)
async def test_a_request_that_never_comes_is_cut(served: Served, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "KEEP_ALIVE_S", 2 * PATIENCE_S)  # which also cuts a first request, but later
    said, took = await send_and_wait(served, data)
    assert said == b""
    assert DEADLINE_S * 0.9 < took < PATIENCE_S


async def test_a_header_that_drips_in_is_cut(served: Served) -> None:
    said, _ = await send_and_wait(served, b"GET /healthz HTTP/1.1\r\nHost: ledger\r\nX: ", drip=b"x")
    assert said == b""


async def test_a_silent_connection_is_cut_after_a_request_too(served: Served) -> None:
    said, _ = await send_and_wait(served, REQUEST)
    assert said.endswith(b"alive\n")
    said, _ = await send_and_wait(served, REQUEST + b"GET /heal")
    assert said.count(b"HTTP/1.1") == said.count(b"alive") == 1


@pytest.mark.parametrize("drip", [b"", b" "], ids=["silent", "dripping"])
async def test_half_a_body_is_cut(served: Served, drip: bytes) -> None:
    said, took = await send_and_wait(served, post_head("application/json", 5000) + b"{", drip=drip)
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408")
    assert json.loads(body)["type"] == "too-slow"
    assert took < PATIENCE_S


async def test_a_stream_that_falls_silent_just_ends(served: Served, house: House, alpha: Person) -> None:
    first, second = house.listings(alpha, 2)
    body = first.recorded + b"\n" + second.recorded[:100]
    said, _ = await send_and_wait(served, post_head("application/jsonl", 100_000) + body)
    assert said.count(b"HTTP/1.1") == 1, "no second answer inside the first"
    assert said.startswith(b"HTTP/1.1 200")
    assert b'"done"' not in said
    assert b'"line":1,' in said, "what was complete is recorded and answered"
    assert b'"problem"' not in said
    assert await served.log.store.index_of(first.id) == 2
    assert served.log.published is not None
    assert served.log.published.head.size == 3


@pytest.mark.parametrize(
    "data",
    [
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/1.1\r\nBad Header\r\n\r\n",
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: ledger\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 9000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
    ids=["no method", "no colon", "long address", "long header", "TLS"],
)
async def test_what_is_not_http_gets_a_problem_and_learns_nothing(served: Served, data: bytes) -> None:
    said, _ = await send_and_wait(served, data)
    head, _, body = said.partition(b"\r\n\r\n")
    assert b" 400 " in head.splitlines()[0]
    assert b"application/problem+json" in head
    assert json.loads(body)["type"] == "bad-request"
    for inside in (b"aiohttp", b"Python", b"bytearray", b"Traceback"):
        assert inside not in said


async def test_connections_past_the_cap_are_cut_and_room_is_made_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_deadlines(monkeypatch)
    monkeypatch.setattr(listener, "MAX_CONNECTIONS", 3)
    open_ones = [await asyncio.open_connection(served.host, served.port) for _ in range(3)]
    for reader, writer in open_ones:  # who is answered has been counted
        writer.write(REQUEST)
        await asyncio.wait_for(reader.readuntil(b"alive\n"), PATIENCE_S)
    said, took = await send_and_wait(served, LAST_REQUEST)
    assert said == b""
    assert took < PATIENCE_S / 2
    open_ones[0][1].close()

    async def is_answered() -> bool:
        said, _ = await send_and_wait(served, LAST_REQUEST)
        return said.endswith(b"alive\n")

    await until(is_answered)
    for _, writer in open_ones[1:]:
        writer.close()


JSON = {"Content-Type": "application/json"}


async def test_a_full_queue_and_a_full_disk_say_when_to_come_back(
    served: Served, session: aiohttp.ClientSession, house: House, alpha: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_deadlines(monkeypatch)
    one, *more = house.listings(alpha, 20)
    monkeypatch.setattr(served.log.intake.waiting, "_maxsize", 1)
    monkeypatch.setattr(promising, "MAX_PROMISED", 3)
    held = Faults(served.log.store, plan=[Fault.HELD])

    async def submit(body: bytes) -> tuple[int, str | None, str]:
        async with session.post("/v1/statements", data=body, headers=JSON) as response:
            document = await response.json()
            return response.status, response.headers.get("Retry-After"), document.get("type", "")

    first = asyncio.create_task(submit(one.recorded))
    await held.called.wait()
    rest = [asyncio.create_task(submit(envelope.recorded)) for envelope in more]
    await asyncio.wait(rest, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)  # as much waits as may
    held.gate.set()
    answers = set(await asyncio.gather(first, *rest))
    assert answers == {(201, None, ""), (202, None, ""), (429, "1", "busy")}

    monkeypatch.setattr(sequencer, "MIN_FREE_BYTES", 1 << 80)
    assert await submit(house.listings(alpha, 1)[0].recorded) == (503, "1", "unavailable")
    async with session.get("/checkpoint") as response:
        assert response.status == 200, "reading goes on"


async def test_stopping_answers_what_waits_and_refuses_the_rest(
    served: Served, session: aiohttp.ClientSession, house: House, alpha: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_deadlines(monkeypatch)
    early, late, line = house.listings(alpha, 3)
    held = Faults(served.log.store, plan=[Fault.HELD])

    async def submit(body: bytes) -> tuple[int, str | None]:
        async with session.post("/v1/statements", data=body, headers=JSON) as response:
            await response.read()
            return response.status, response.headers.get("Retry-After")

    waiting = asyncio.create_task(submit(early.recorded))
    await held.called.wait()
    served.stop.set()
    await until(lambda: served.log.standing.is_stopping)
    assert await submit(late.recorded) == (503, "1")
    async with session.post(
        "/v1/statements", data=line.recorded, headers={"Content-Type": "application/jsonl"}
    ) as stream:
        problem, done = [json.loads(text) for text in (await stream.read()).splitlines()]
    assert (problem["problem"]["status"], problem["problem"]["type"]) == (503, "unavailable")
    assert done == {"done": 1}
    async with session.get("/readyz") as ready, session.get("/healthz") as alive:
        assert (ready.status, ready.headers["Retry-After"], alive.status) == (503, "1", 200)
    held.gate.set()
    assert await waiting == (201, None)
    await asyncio.wait_for(served.task, PATIENCE_S)
    assert await served.log.store.index_of(early.id) == 2
    assert await served.log.store.index_of(late.id) is None
    with pytest.raises(aiohttp.ClientConnectionError):
        await session.get("/healthz")
