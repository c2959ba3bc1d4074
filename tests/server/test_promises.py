"""Promises: what cannot be recorded now is on the disk before it is promised, and recorded first when it can be."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from ledger.core.dsse import PROMISE_TYPE, Envelope, parse_envelope
from ledger.core.encoding import canonical, parse_json
from ledger.core.keys import verify_ed25519
from ledger.party.client.client import LedgerClient
from ledger.party.errors import Promised
from ledger.party.vault.vault import Vault
from ledger.server.log import promising, sequencer
from ledger.server.log.intake import intake
from ledger.server.log.intake.workers import Workers
from ledger.server.log.log import Log
from ledger.server.log.state.errors import PromisedError, SignedRefusalError, UnavailableError
from ledger.server.store.contract import Store, StoreError
from ledger.server.store.sqlite import SQLiteStore
from tests.harness.faulty import Fault, Faults
from tests.harness.memory_store import MemoryStore
from tests.harness.people import person
from tests.harness.running import Clock, House, running, serving, submit_all
from tests.harness.speech import Speech, signed
from tests.harness.waiting import PATIENCE_S, until

ALPHA = person("alpha")


class Disk:
    """How much is free; nearly nothing when it is `full`."""

    def __init__(self) -> None:
        """Begin with room."""
        self.free = sequencer.MIN_FREE_BYTES

    async def __call__(self) -> int:
        return self.free

    def fill(self) -> None:
        self.free = promising.MIN_FREE_BYTES

    def clear(self) -> None:
        self.free = sequencer.MIN_FREE_BYTES


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(promising, "STALL_S", 0.0)
    monkeypatch.setattr(promising, "RETRY_S", 0.02)
    for kind in (MemoryStore, SQLiteStore):
        monkeypatch.setattr(kind, "free_bytes", lambda _store: disk())
    return disk


@pytest.fixture
async def log(workers: Workers, disk: Disk) -> AsyncIterator[Log]:  # noqa: ARG001 - it has room
    async with running(MemoryStore(), HOUSE, workers, Clock()) as log:
        await submit_all(log, [HOUSE.created, HOUSE.registration(ALPHA)])
        yield log


HOUSE = House()


async def promised(log: Log, envelope: Envelope) -> Envelope:
    with pytest.raises(PromisedError) as caught:
        await log.submit(envelope.recorded)
    assert caught.value.statement_id == envelope.id
    return caught.value.promise


async def recorded(log: Log, envelope: Envelope) -> int:
    """Wait until a statement is recorded, and return its index."""
    await until(lambda: is_recorded(log.store, envelope.id))
    index = await log.store.index_of(envelope.id)
    assert index is not None
    return index


async def is_recorded(store: Store, statement_id: str) -> bool:
    return await store.index_of(statement_id) is not None


async def is_kept(store: Store) -> bool:
    """Tell whether no promise waits any more."""
    return await store.pending() == []


async def test_a_full_disk_promises_and_keeps_it(log: Log, disk: Disk) -> None:
    """In the order of the promises, without anybody asking, and before what comes later."""
    envelopes = HOUSE.listings(ALPHA, 3)
    head = log.published
    assert head is not None
    disk.fill()
    promise = await promised(log, envelopes[0])
    payload = parse_json(promise.payload)
    assert payload == {
        "deadline_ms": Clock().now_ms + promising.PROMISE_MS,
        "ledger": log.standing.ledger_id,
        "root": head.head.root.hex(),
        "size": 2,
        "statement_id": envelopes[0].id,
        "time": Clock().now_ms,
        "type": "provenance-ledger.promise/v1",
    }
    [(keyid, signature)] = promise.signatures
    service = HOUSE.identity.service_key.public
    assert keyid == service.keyid
    assert verify_ed25519(
        service.raw, parse_envelope(canonical(promise.document()), PROMISE_TYPE).signed_bytes, signature
    )
    assert [item.statement_id for item in await log.store.pending()] == [envelopes[0].id]
    assert await promised(log, envelopes[0]) == promise, "the same promise again"
    await promised(log, envelopes[1])
    assert await log.store.index_of(envelopes[0].id) is None
    disk.clear()
    assert (await log.submit(envelopes[2].recorded)).entry.index == 4
    assert [await recorded(log, envelope) for envelope in envelopes] == [2, 3, 4]
    assert await log.store.pending() == []
    assert (await log.submit(envelopes[0].recorded)).duplicate


async def test_nobody_has_to_ask_for_what_was_promised(log: Log, disk: Disk) -> None:
    [envelope] = HOUSE.listings(ALPHA, 1)
    disk.fill()
    await promised(log, envelope)
    disk.clear()
    assert await recorded(log, envelope) == 2


async def test_one_promise_rests_on_another(log: Log, disk: Disk) -> None:
    """A party and its first listing are promised together; what would be refused is not promised, nor refused yet."""
    beta, stranger = person("beta"), person("stranger")
    disk.fill()
    registration = HOUSE.registration(beta)
    await promised(log, registration)
    listing = signed(HOUSE.speech.listing_registered(beta), beta.key)
    await asyncio.sleep(0)
    with pytest.raises((PromisedError, UnavailableError)):
        await log.submit(listing.recorded)
    for bad in (signed(HOUSE.speech.listing_registered(stranger), stranger.key), HOUSE.registration(ALPHA)):
        with pytest.raises(UnavailableError):
            await log.submit(bad.recorded)
    disk.clear()
    assert await recorded(log, registration) == 2


async def test_nothing_is_promised_at_once_or_without_room(
    log: Log, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    [envelope] = HOUSE.listings(ALPHA, 1)
    monkeypatch.setattr(promising, "STALL_S", 60.0)
    disk.fill()
    with pytest.raises(UnavailableError, match="disk"):
        await log.submit(envelope.recorded)
    monkeypatch.setattr(promising, "STALL_S", 0.0)
    disk.free -= 1
    with pytest.raises(UnavailableError, match="disk"):
        await log.submit(envelope.recorded)
    assert await log.store.pending() == []
    disk.clear()
    assert not (await log.submit(envelope.recorded)).duplicate


async def test_a_store_that_fails_promises(log: Log) -> None:
    [envelope] = HOUSE.listings(ALPHA, 1)
    Faults(log.store, plan=[Fault.BEFORE] * 3)
    await promised(log, envelope)
    assert await recorded(log, envelope) == 2


async def test_a_promise_that_cannot_be_stored_is_not_given(log: Log, disk: Disk) -> None:
    [envelope] = HOUSE.listings(ALPHA, 1)
    disk.fill()
    Faults(log.store, "keep_pending", [Fault.BEFORE])
    with pytest.raises(UnavailableError):
        await log.submit(envelope.recorded)
    await promised(log, envelope)


async def test_promises_outlive_the_process(tmp_path: Path, workers: Workers, disk: Disk) -> None:
    """The log ends without a word between a promise and its entry; the next start records it before anything else."""
    first, second = HOUSE.listings(ALPHA, 2)
    store = await SQLiteStore.open(tmp_path / "ledger.db")
    async with running(store, HOUSE, workers) as log:
        await submit_all(log, [HOUSE.created, HOUSE.registration(ALPHA)])
        disk.fill()
        await promised(log, first)
    await store.close()
    store = await SQLiteStore.open(tmp_path / "ledger.db")
    async with running(store, HOUSE, workers) as log:
        assert (await promised(log, first)).payload == (await store.pending())[0].promise
        disk.clear()
        assert (await log.submit(second.recorded)).entry.index == 3
        assert await recorded(log, first) == 2
        assert await store.pending() == []
    await store.close()


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from ledger.server.log import promising, sequencer
from ledger.server.log.state.errors import PromisedError
from ledger.server.log.intake.workers import Workers
from ledger.server.store.sqlite import SQLiteStore
from tests.harness.people import person
from tests.harness.running import House, running, submit_all

async def main(path):
    house, alpha, workers = House(), person("alpha"), Workers()
    await workers.start()
    promising.STALL_S = 0.0
    store = await SQLiteStore.open(path)
    async with running(store, house, workers) as log:
        await submit_all(log, [house.created, house.registration(alpha)])
        sequencer.MIN_FREE_BYTES = 1 << 80
        [envelope] = house.listings(alpha, 1)
        try:
            await log.submit(envelope.recorded)
        except PromisedError as promised:
            print(promised.statement_id, flush=True)
            os.killpg(0, signal.SIGKILL)

asyncio.run(main(Path(sys.argv[1])))
"""


async def test_a_promise_outlives_a_kill(tmp_path: Path, workers: Workers) -> None:
    """Killed right after the promise was given: it is kept by the next start."""
    path = tmp_path / "ledger.db"
    child = subprocess.run(
        [sys.executable, "-c", KILLED, path],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        start_new_session=True,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    store = await SQLiteStore.open(path)
    async with running(store, HOUSE, workers) as log:
        await until(lambda: is_recorded(store, child.stdout.strip()))
        assert await store.index_of(child.stdout.strip()) == 2
        assert await store.pending() == []
        assert log.published is not None
        assert log.published.head.size == 3
    await store.close()


@pytest.mark.usefixtures("disk")
async def test_nothing_that_waits_breaks_a_promise(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is promised to who found no room; who asked for it before, and waits with no promise, is refused."""
    monkeypatch.setattr(intake, "MAX_WAITING", 1)
    monkeypatch.setattr(intake, "_MAX_CHECKED", 1)
    early, late = (HOUSE.registration(person("beta", label)) for label in ("early", "late"))
    async with running(MemoryStore(), HOUSE, workers, Clock()) as log:
        await submit_all(log, [HOUSE.created, HOUSE.registration(ALPHA)])
        appends = Faults(log.store, plan=[Fault.HELD])
        ahead = [asyncio.create_task(log.submit(one.recorded)) for one in HOUSE.listings(ALPHA, 1)]
        await appends.called.wait()
        # Two are on the way, one checked and one about to be; `early` fills the queue.
        for envelope, comes in zip(
            [*HOUSE.listings(ALPHA, 2), early],
            [log.intake.checked.full, lambda: log.intake.waiting.qsize() == 0, lambda: log.intake.waiting.qsize() == 1],
            strict=True,
        ):
            ahead.append(asyncio.create_task(log.submit(envelope.recorded)))
            await asyncio.sleep(0)  # it begins
            await until(comes)
        surplus = asyncio.create_task(log.submit(late.recorded))
        await asyncio.sleep(0)
        appends.gate.set()
        with pytest.raises(PromisedError):
            await surplus
        with pytest.raises(SignedRefusalError, match="name-taken"):
            await ahead.pop()
        await asyncio.gather(*ahead)
        assert (await log.submit(late.recorded)).duplicate


async def test_a_change_of_the_rules_is_promised_last(workers: Workers, disk: Disk) -> None:
    """What follows it is read by other rules: nothing is promised, nor called wrong, before it is recorded."""
    house = House()
    change = signed(house.speech.rules_changed(house.operator, 2), house.operator.key)
    [before] = house.listings(ALPHA, 1)
    later = signed(Speech(house.created.id, rules=2).listing_registered(ALPHA), ALPHA.key)
    async with running(MemoryStore(), house, workers, Clock()) as log:
        await submit_all(log, [house.created, house.registration(ALPHA)])
        disk.fill()
        await promised(log, before)
        await promised(log, change)
        with pytest.raises(UnavailableError):
            await log.submit(later.recorded)
        disk.clear()
        assert [await recorded(log, before), await recorded(log, change)] == [2, 3]
        assert (await log.submit(later.recorded)).entry.index == 4


async def test_an_expired_promise_is_given_up(workers: Workers, disk: Disk) -> None:
    """It is broken, and the log goes on."""
    clock = Clock()
    async with running(MemoryStore(), HOUSE, workers, clock) as log:
        await submit_all(log, [HOUSE.created, HOUSE.registration(ALPHA)])
        statement = HOUSE.speech.listing_registered(ALPHA, not_after_ms=clock.now_ms + promising.MIN_LIFE_MS)
        short, [later] = signed(statement, ALPHA.key), HOUSE.listings(ALPHA, 1)
        disk.fill()
        promise = await promised(log, short)
        lives_ms = promising.MIN_LIFE_MS
        assert parse_json(promise.payload)["deadline_ms"] == clock.now_ms + lives_ms - promising.MARGIN_MS
        clock.now_ms += lives_ms + 1
        disk.clear()
        assert (await log.submit(later.recorded)).entry.index == 2
        await until(lambda: is_kept(log.store))


@pytest.mark.parametrize("lives_ms", [1, 100, 3_000, promising.MIN_LIFE_MS - 1])
async def test_nobody_is_promised_what_expires_soon(log: Log, disk: Disk, lives_ms: int) -> None:
    """A stranger could break the promise for an honest ledger, by a statement that expires before it is written."""
    envelope = signed(HOUSE.speech.listing_registered(ALPHA, not_after_ms=Clock().now_ms + lives_ms), ALPHA.key)
    disk.fill()
    with pytest.raises(UnavailableError):
        await log.submit(envelope.recorded)
    assert await log.store.pending() == []


async def test_no_word_is_later_than_what_a_restart_goes_by(workers: Workers, disk: Disk, tmp_path: Path) -> None:
    """The clock is an hour ahead for one refusal or one promise, and right after a restart: no entry contradicts it."""
    for number, is_promise in enumerate((False, True)):
        path = tmp_path / str(number)
        path.mkdir()
        clock, [early, later] = Clock(), HOUSE.listings(ALPHA, 2)
        store = await SQLiteStore.open(path / "ledger.db")
        async with running(store, HOUSE, workers, clock) as log:
            await submit_all(log, [HOUSE.created, HOUSE.registration(ALPHA)])
            clock.now_ms += 3_600_000
            if is_promise:
                disk.fill()
                word = await promised(log, early)
                disk.clear()
                await recorded(log, early)
            else:
                expired = signed(HOUSE.speech.listing_registered(ALPHA, issued_ms=1, not_after_ms=2), ALPHA.key)
                with pytest.raises(SignedRefusalError) as caught:
                    await log.submit(expired.recorded)
                word = caught.value.refusal
        await store.close()
        said_ms = parse_json(word.payload)["time"]
        assert said_ms >= Clock().now_ms + 3_600_000
        store = await SQLiteStore.open(path / "ledger.db")
        assert await store.signed_time_ms() >= said_ms, "durable before it left"
        async with running(store, HOUSE, workers, Clock()) as log:
            done = await log.submit(later.recorded)
        await store.close()
        assert said_ms <= done.entry.time_ms <= said_ms + 60_000


async def test_a_refusal_does_not_leave_before_its_time_is_durable(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the time cannot be kept, nobody is refused: they are asked to come again."""
    async with running(MemoryStore(), HOUSE, workers, Clock()) as log:
        await submit_all(log, [HOUSE.created, HOUSE.registration(ALPHA)])

        async def fails(time_ms: int) -> None:
            raise StoreError(f"planned, at {time_ms}")

        monkeypatch.setattr(log.store, "keep_signed_time", fails)
        expired = signed(HOUSE.speech.listing_registered(ALPHA, issued_ms=1, not_after_ms=2), ALPHA.key)
        with pytest.raises(UnavailableError, match="resubmit"):
            await log.submit(expired.recorded)


async def test_over_http(log: Log, disk: Disk) -> None:
    one, two = HOUSE.listings(ALPHA, 2)
    disk.fill()
    async with serving(log) as served, aiohttp.ClientSession(served.url) as session:
        headers = {"Content-Type": "application/json"}
        async with session.post("/v1/statements", data=one.recorded, headers=headers) as response:
            document = await response.json()
        assert (response.status, document["statement_id"], set(document)) == (202, one.id, {"statement_id", "promise"})
        lines = one.recorded + b"\n" + two.recorded + b"\n"
        headers = {"Content-Type": "application/jsonl"}
        async with session.post("/v1/statements", data=lines, headers=headers) as response:
            first, second, done = [parse_json(line) for line in (await response.read()).splitlines()]
        assert first == {"line": 1} | document
        assert (second["line"], second["statement_id"], done) == (2, two.id, {"done": 2})
        disk.clear()


async def test_a_client_holds_the_ledger_to_it(log: Log, disk: Disk, tmp_path: Path) -> None:
    """The promise is kept in the vault until the receipt takes its place; nobody sends anything twice."""
    first, second = HOUSE.listings(ALPHA, 2)
    vault = Vault(tmp_path / "vault")
    async with serving(log) as served, LedgerClient(served.url, HOUSE.policy, vault) as client:
        await client.submit(first)
        disk.fill()
        with pytest.raises(Promised) as caught:
            await client.submit(second)
        assert caught.value.kept is not None
        await client.checkpoint()
        assert [name for name, _ in vault.promises()] == [second.id]
        disk.clear()
        index = await recorded(log, second)
        await client.checkpoint()
        assert vault.promises() == []
        assert (await client.statement(second.id)).index == index
