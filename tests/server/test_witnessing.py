"""A log and its witnesses: good ones, slow, lying, huge, dripping, redirecting and dead ones (docs/format.md §17.3)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from ledger.core.encoding import b64decode, b64encode
from ledger.core.errors import PolicyError
from ledger.core.note import parse_note
from ledger.core.policy import Policy, parse_policy
from ledger.core.receipt import open_receipt
from ledger.server.log import publisher
from ledger.server.log.intake.workers import Workers
from ledger.server.log.log import Log
from ledger.server.log.witnesses import asking
from ledger.server.log.witnesses.policy import WitnessPolicy, read_witness_policy
from ledger.server.store.sqlite import SQLiteStore
from tests.harness.memory_store import MemoryStore
from tests.harness.people import person
from tests.harness.running import ORIGIN, Clock, House, serving, submit_all
from tests.harness.waiting import PATIENCE_S, until
from tests.harness.witness import LastingWitness, Witness
from tests.harness.witnesses import WitnessProcess

HOUSE = House("witnessed")
ALPHA = person("alpha.example", "witnessed alpha")
NOW_MS = Clock().now_ms
Behave = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Fake:
    """A witness in this process: it keeps the protocol, unless `behave` is something else."""

    def __init__(self, name: str, kind: type[Witness] = Witness) -> None:
        self.witness = kind(name)
        self.size = 0
        self.asked = 0
        self.behave: Behave = self.cosign
        self.time_s = NOW_MS // 1000
        self.url = ""

    @property
    def line(self) -> str:
        return f"{self.witness.policy_line} {self.url}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        return await self.behave(request)

    async def cosign(self, request: web.Request) -> web.Response:
        head, _, note = (await request.read()).partition(b"\n\n")
        old = int(head.split(b"\n")[0].removeprefix(b"old "))
        if old != self.size:
            return web.Response(status=409, text=f"{self.size}\n", content_type="text/x.tlog.size")
        text = parse_note(note).text
        self.size = int(text.split(b"\n")[1])
        return web.Response(body=self.witness.line(text, self.time_s))


async def text_of(request: web.Request) -> bytes:
    return parse_note((await request.read()).partition(b"\n\n")[2]).text


@asynccontextmanager
async def standing(*fakes: Fake) -> AsyncIterator[None]:
    """Serve them on the loopback, each at a path of its own."""
    app = web.Application()
    for number, fake in enumerate(fakes):
        app.router.add_post(f"/{number}/add-checkpoint", fake.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    for number, fake in enumerate(fakes):
        fake.url = f"http://127.0.0.1:{port}/{number}/"
    try:
        yield
    finally:
        await runner.cleanup()


def policy_text(lines: list[str], quorum: str) -> str:
    return "\n".join([f"log {HOUSE.identity.note_key.vkey()}", *lines, quorum, ""])


def policy_of(fakes: list[Fake], threshold: int, *, must_await: bool = True) -> WitnessPolicy:
    names = " ".join(fake.witness.name for fake in fakes)
    text = policy_text([fake.line for fake in fakes], f"group g {threshold} {names}\nquorum g")
    return read_witness_policy(text, [HOUSE.identity.note_key], must_await=must_await)


@asynccontextmanager
async def witnessed(
    workers: Workers, witness_policy: WitnessPolicy, store: MemoryStore | None = None
) -> AsyncIterator[Log]:
    """Run a log with witnesses, from entry 0 on."""
    store = store or MemoryStore()
    if not await store.entries(0, 1):
        first = Log(store, HOUSE.identity, workers, Clock())
        await first.start()
        await first.submit(HOUSE.created.recorded)
        await first.stop()
    log = Log(store, HOUSE.identity, workers, Clock(), witness_policy=witness_policy)
    await log.start()
    try:
        yield log
    finally:
        await log.stop()


@pytest.mark.parametrize("kind", [Witness, LastingWitness])
async def test_answers_wait_for_the_quorum(workers: Workers, kind: type[Witness]) -> None:
    fakes = [Fake(name, kind) for name in ("w1", "w2", "w3")]
    async with standing(*fakes), witnessed(workers, witness_policy := policy_of(fakes, 2)) as log:
        recorded = await submit_all(log, [HOUSE.registration(ALPHA), *HOUSE.listings(ALPHA, 40)])
        assert {item.witnessed for item in recorded} == {True}
        for item in recorded:
            open_receipt_of(item.entry.index, item.path, item.checkpoint, item.entry.raw, witness_policy.policy)
        again = await log.submit(HOUSE.created.recorded)
        assert (again.duplicate, again.witnessed) == (True, True)
        await until(lambda: log.shown is not None and log.shown.head.size == 42)
        assert log.shown is not None
        # The third comes later than the quorum, and its line is added all the same.
        await until(lambda: len(parse_note(log.shown.checkpoint).signatures) == 4 if log.shown else False)
        stored = await log.store.cosigned()
        assert stored is not None
        assert stored.note == log.shown.checkpoint


def open_receipt_of(index: int, path: list[bytes], note: bytes, raw: bytes, policy: Policy) -> None:
    lines = "".join(b64encode(value) + "\n" for value in path)
    open_receipt(f"c2sp.org/tlog-proof@v1\nindex {index}\n{lines}\n".encode() + note, raw, policy)


async def _drip(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"\xe2\x80\x94 ")
        await asyncio.sleep(0.05)


async def _never(_request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(3600)
    raise AssertionError


async def _huge(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(160):
        await response.write(bytes(65_536))
    return response


async def _garbage(_request: web.Request) -> web.Response:
    return web.Response(body=b"\xff\xfe no note \0")


async def _nothing(_request: web.Request) -> web.Response:
    return web.Response()


async def _two_notes(request: web.Request) -> web.Response:
    """Answer with a second text below an empty line, cosigned rightly: not the one that was asked for."""
    text = (await text_of(request)).replace(b"\n2\n", b"\n9\n")
    return web.Response(body=b"x\n\n" + Witness("bad").line(text, NOW_MS // 1000))


async def _redirect(request: web.Request) -> web.Response:
    raise web.HTTPTemporaryRedirect(str(request.url.with_path("/0/add-checkpoint")))


async def _conflict(_request: web.Request) -> web.Response:
    return web.Response(status=409, text="0\n", content_type="text/x.tlog.size")


async def _ahead(_request: web.Request) -> web.Response:
    return web.Response(status=409, text="9007199254740991\n", content_type="text/x.tlog.size")


async def _fault(_request: web.Request) -> web.Response:
    return web.Response(status=500, text="no")


async def _another_log(request: web.Request) -> web.Response:
    text = (await text_of(request)).replace(ORIGIN.encode(), b"other.example/log")
    return web.Response(body=Witness("bad").line(text, NOW_MS // 1000))


async def _another_witness(request: web.Request) -> web.Response:
    return web.Response(body=Witness("w1").line(await text_of(request), NOW_MS // 1000))


async def _too_old(request: web.Request) -> web.Response:
    return web.Response(body=Witness("bad").line(await text_of(request), NOW_MS // 1000 - 302))


async def _too_new(request: web.Request) -> web.Response:
    return web.Response(body=Witness("bad").line(await text_of(request), NOW_MS // 1000 + 301))


BAD: list[tuple[Behave, str]] = [
    (_drip, "slow"), (_never, "slow"), (_huge, "wrong"), (_garbage, "wrong"), (_nothing, "wrong"),
    (_two_notes, "wrong"), (_redirect, "refused"), (_conflict, "wrong"), (_ahead, "ahead"), (_fault, "refused"),
    (_another_log, "wrong"), (_another_witness, "wrong"), (_too_old, "wrong"), (_too_new, "wrong"),
]  # fmt: skip


async def test_bad_witnesses_harm_nobody(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them at once, beside one good witness that is enough: answers come at once, with its line alone."""
    good, bad = Fake("w1"), [Fake("bad") for _ in BAD]
    for number, (fake, (behave, _)) in enumerate(zip(bad, BAD, strict=True)):
        fake.behave = behave
        fake.witness.note_key = Witness("bad").note_key
        fake.witness.name = f"bad-{number}"
    async with standing(good, *bad):
        outcomes = []
        for fake, (_, outcome) in zip(bad, BAD, strict=True):
            # One key under one name: each bad witness has a policy of its own.
            witness_policy = policy_of([good, fake], 1)
            good.size = 0
            if outcome == "slow":  # it is given up in an hour, and answers come at once: nobody waits for the bad one
                monkeypatch.setattr(asking, "ASK_S", 3600.0)
                async with witnessed(workers, witness_policy) as log, asyncio.timeout(PATIENCE_S):
                    recorded = await submit_all(log, [HOUSE.registration(ALPHA), *HOUSE.listings(ALPHA, 3)])
                    assert {item.witnessed for item in recorded} == {True}
                good.size = 0
            monkeypatch.setattr(asking, "ASK_S", 1.0 if outcome == "slow" else PATIENCE_S)
            async with witnessed(workers, witness_policy) as log:
                recorded = await submit_all(log, [HOUSE.registration(ALPHA), *HOUSE.listings(ALPHA, 3)])
                assert outcome == "slow" or {item.witnessed for item in recorded} == {True}
                assert log.publisher.witnessing is not None
                seat = log.publisher.witnessing.witnesses[1]
                await until(lambda seat=seat: seat.outcomes.total() > 0)  # type: ignore[misc]
                assert log.shown is not None
                assert [line.name for line in parse_note(log.shown.checkpoint).signatures] == [ORIGIN, "w1"]
                outcomes.append((next(iter(seat.outcomes)), outcome))
        assert all(found == expected for found, expected in outcomes), outcomes
    assert good.asked < 200, "nobody was sent there by a redirect"


async def test_without_a_quorum_in_time_the_answer_says_recorded(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of three are dead: what is durable is answered as recorded, and shown as far as it was witnessed."""
    monkeypatch.setattr(publisher, "AWAIT_S", 0.3)
    monkeypatch.setattr("ledger.server.log.witnesses.witnessing.FIRST_S", 0.2)
    fakes = [Fake(name) for name in ("w1", "w2", "w3")]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(standing(*fakes))
        log = await stack.enter_async_context(witnessed(workers, policy_of(fakes, 2)))
        (first,) = await submit_all(log, [HOUSE.registration(ALPHA)])
        assert first.witnessed
        for fake in fakes[1:]:
            fake.behave = _fault
        late = await submit_all(log, HOUSE.listings(ALPHA, 5))
        assert {item.witnessed for item in late} == {False}
        for item in late:
            open_receipt_of(item.entry.index, item.path, item.checkpoint, item.entry.raw, HOUSE.policy)
        duplicate = await log.submit(late[0].entry.envelope.recorded)
        assert (duplicate.duplicate, duplicate.witnessed) == (True, False)
        assert log.shown is not None
        assert log.shown.head.size == 2, "what is shown is what the quorum cosigned"
        for fake in fakes[1:]:
            fake.behave = fake.cosign
        await until(lambda: log.shown is not None and log.shown.head.size == 7)
        (after,) = await submit_all(log, HOUSE.listings(ALPHA, 6)[5:])
        assert after.witnessed


async def test_without_waiting_answers_come_at_once_and_readers_get_cosignatures(workers: Workers) -> None:
    fakes = [Fake(name) for name in ("w1", "w2")]
    async with (
        standing(*fakes),
        witnessed(workers, witness_policy := policy_of(fakes, 2, must_await=False)) as log,
        serving(log) as served,
        aiohttp.ClientSession(served.url) as session,
    ):
        registration = HOUSE.registration(ALPHA).document()
        async with session.post("/v1/statements", json=registration) as response:
            document = await response.json()
        assert document["state"] == "recorded"
        await until(lambda: log.shown is not None and log.shown.head.size == 2)
        async with session.get("/checkpoint") as response:
            assert witness_policy.policy.open_checkpoint(await response.read()).head.size == 2
        async with session.get("/v1/receipts/1") as response:
            open_receipt(await response.read(), b64decode(document["entry"]), witness_policy.policy)
        async with session.get("/v1/receipts/1?size=2") as response:
            open_receipt(await response.read(), b64decode(document["entry"]), witness_policy.policy)
        async with session.post("/v1/statements", json=registration) as response:
            assert (response.status, (await response.json())["state"]) == (200, "witnessed")
        async with session.get("/metrics") as response:
            metrics = await response.text()
        assert 'ledger_witness_answers_total{outcome="cosigned",witness="w1"} ' in metrics
        assert 'ledger_witness_size_entries{witness="w2"} 2.0' in metrics
        assert "ledger_shown_size_entries 2.0" in metrics


async def test_the_stream_says_what_it_returns(workers: Workers) -> None:
    fakes = [Fake("w1")]
    async with (
        standing(*fakes),
        witnessed(workers, policy_of(fakes, 1)) as log,
        serving(log) as served,
        aiohttp.ClientSession(served.url) as session,
    ):
        lines = b"\n".join(item.recorded for item in [HOUSE.registration(ALPHA), *HOUSE.listings(ALPHA, 700)])
        headers = {"Content-Type": "application/jsonl"}
        async with session.post("/v1/statements", data=lines, headers=headers) as response:
            answered = [await response.content.readline() for _ in range(3)]
            rest = await response.read()
        assert b'"state":"witnessed"' in answered[0]
        assert b'"recorded"' not in rest
        assert rest.endswith(b'{"done":701}\n')


async def test_quorum_none_shows_at_once_and_gathers(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "ASK_S", 3600.0)
    fake = Fake("w1")
    async with standing(fake):
        text = policy_text([fake.line], "quorum none")
        witness_policy = read_witness_policy(text, [HOUSE.identity.note_key], must_await=False)
        async with witnessed(workers, witness_policy) as log:
            await submit_all(log, [HOUSE.registration(ALPHA)])
            await until(lambda: log.shown is not None and b"w1" in log.shown.checkpoint and log.shown.head.size == 2)
        fake.behave = _never
        async with witnessed(workers, witness_policy) as log:
            await submit_all(log, [HOUSE.registration(ALPHA), *HOUSE.listings(ALPHA, 2)])
            await until(lambda: log.shown is not None and log.shown.head.size == 4)


async def test_cosignatures_outlive_the_process(
    workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ASK_S", 3600.0)
    fake = Fake("w1")
    async with standing(fake):
        store = await SQLiteStore.open(tmp_path / "ledger.db")
        async with witnessed(workers, policy_of([fake], 1), store) as log:  # type: ignore[arg-type]
            await submit_all(log, [HOUSE.registration(ALPHA)])
        await store.close()
        fake.behave = _never
        store = await SQLiteStore.open(tmp_path / "ledger.db")
        made = witnessed(workers, witness_policy := policy_of([fake], 1), store)  # type: ignore[arg-type]
        async with asyncio.timeout(PATIENCE_S), made as log:
            assert log.shown is not None, "what is stored has its quorum: nobody is waited for"
            assert witness_policy.policy.open_checkpoint(log.shown.checkpoint).head.size == 2
            assert len(parse_note(log.shown.checkpoint).signatures) == 2
        await store.close()


async def test_our_own_witness_process(workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole way: our log, and our witness as people run it, with both of its keys."""
    monkeypatch.setattr(asking, "MAX_CLOCK_DIFFERENCE_S", 10**10)  # the log's clock here stands still
    with WitnessProcess(tmp_path / "w", policy_text([], "quorum none"), lasting=True) as process:
        url = process.wait_ready()
        lines = [f"{line} {url}" for line in process.lines]
        names = " ".join(line.split()[1] for line in process.lines)
        text = policy_text(lines, f"group both all {names}\nquorum both")
        witness_policy = read_witness_policy(text, [HOUSE.identity.note_key], must_await=True)
        assert len(witness_policy.addresses) == 1, "one request for both keys"
        async with witnessed(workers, witness_policy) as log:
            (recorded,) = await submit_all(log, [HOUSE.registration(ALPHA)])
        assert recorded.witnessed
        assert parse_policy(text).open_checkpoint(recorded.checkpoint).head.size == 2


@pytest.mark.parametrize(
    ("lines", "quorum", "words"),
    [
        (["witness w {vkey} ftp://w.example/"], "quorum w", "not http"),
        (["witness w {vkey} http:///x"], "quorum w", "not http"),
        (["witness w {vkey} http://user@w.example"], "quorum w", "not http"),
        (["witness w {vkey} http://w.example/?x=1"], "quorum w", "not http"),
        (["witness w {vkey} http://w.example:99999/"], "quorum w", "not http"),
        (["witness w {vkey}"], "quorum w", "no witness line says a URL"),
        (["witness w {vkey} http://w.example/"], "quorum none", "nothing to wait for"),
        ([], "quorum x", "not defined"),
    ],
)
def test_policies_that_cannot_be_used(lines: list[str], quorum: str, words: str) -> None:
    vkey = Witness("w").note_key.vkey()
    text = policy_text([line.format(vkey=vkey) for line in lines], quorum)
    with pytest.raises(PolicyError, match=words):
        read_witness_policy(text, [HOUSE.identity.note_key], must_await=True)


def test_a_policy_of_another_log() -> None:
    vkey = Witness("w").note_key.vkey()
    other = House("another").identity.note_key
    text = f"log {other.vkey()}\nwitness w {vkey} http://w.example/\nquorum w\n"
    with pytest.raises(PolicyError, match="has no line 'log"):
        read_witness_policy(text, [HOUSE.identity.note_key], must_await=True)
