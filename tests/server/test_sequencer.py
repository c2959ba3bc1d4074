"""The sequencer: batches, duplicates, refusals, failing stores, limits and stopping."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from ledger.core.dsse import REFUSAL_TYPE, Envelope
from ledger.core.encoding import parse_canonical
from ledger.core.entry import parse_entry
from ledger.core.errors import FormatError, LedgerError
from ledger.core.keys import ED25519, verify_ed25519
from ledger.core.policy import Policy
from ledger.core.receipt import format_receipt
from ledger.registry.refusal import Refused
from ledger.server.log import drafting, promising, sequencer
from ledger.server.log.intake import checking, intake
from ledger.server.log.intake.submission import Recorded
from ledger.server.log.intake.workers import Workers
from ledger.server.log.log import Log
from ledger.server.log.state.errors import BusyError, PromisedError, SignedRefusalError, UnavailableError
from tests.harness.faulty import Fault, Faults
from tests.harness.memory_store import MemoryStore
from tests.harness.people import key, person
from tests.harness.reference import ReferenceTree, entry_leaf
from tests.harness.running import Clock, House, running, submit_all
from tests.harness.speech import START_MS, signed
from tests.harness.waiting import PATIENCE_S, until

ALPHA, BETA = person("alpha"), person("beta")


def receipt_of(recorded: Recorded) -> bytes:
    return format_receipt(recorded.entry.index, recorded.path, recorded.checkpoint)


async def check_log(house: House, log: Log, checkpoints: list[bytes] | None = None) -> list[bytes]:
    """Check links, times, the tree, and that every checkpoint signs a prefix of it; return the entries."""
    assert log.published is not None
    raws = await log.store.entries(0, 1 << 20)
    tree = ReferenceTree([entry_leaf(raw) for raw in raws])
    previous, time_ms = "0" * 64, 0
    for index, raw in enumerate(raws):
        entry = parse_entry(raw)
        assert (entry.index, entry.previous) == (index, previous)
        assert entry.time_ms >= time_ms
        previous, time_ms = entry_leaf(raw).hex(), entry.time_ms
    for note in [log.published.checkpoint, *(checkpoints or [])]:
        head = Policy(logs=[house.identity.note_key], quorum="none").open_checkpoint(note).head
        assert head.root == tree.root(head.size)
    assert log.published.head.size == len(raws)
    return raws


def check_recorded(house: House, envelope: Envelope, recorded: Recorded) -> None:
    """Check that an answer proves what was submitted."""
    entry, _ = house.open(receipt_of(recorded), recorded.entry.raw)
    assert entry.envelope == envelope
    assert recorded.statement_id == envelope.id


async def test_one_batch_may_refer_to_itself(workers: Workers) -> None:
    house, store = House(), MemoryStore()
    appends = Faults(store)
    async with running(store, house, workers) as log:
        everything = [house.created, *house.story(ALPHA, BETA)]
        for envelope, recorded in zip(everything, await submit_all(log, everything), strict=True):
            check_recorded(house, envelope, recorded)
            assert not recorded.duplicate
        assert len(appends.done) == 2  # entry 0 says by which rules the rest is read
        raws = await check_log(house, log)
        assert [parse_entry(raw).envelope.id for raw in raws] == [envelope.id for envelope in everything]


async def test_duplicates_return_the_first_entry(workers: Workers) -> None:
    house, store = House(), MemoryStore()
    registration = house.registration(ALPHA)
    async with running(store, house, workers) as log:
        _, first, second = await submit_all(log, [house.created, registration, registration])
        later = await log.submit(registration.recorded)
        await submit_all(log, house.listings(ALPHA, 3))
    async with running(store, house, workers) as log:
        # 9.5 comes before 9.6: even badly signed it is the statement that is recorded
        unsigned = registration.with_signatures([(ALPHA.key.public.keyid, bytes(64))])
        last = await log.submit(unsigned.recorded)
        assert len(await check_log(house, log)) == 5
    for recorded in (first, second, later, last):
        check_recorded(house, registration, recorded)
        assert recorded.entry.raw == first.entry.raw
        assert recorded.duplicate is (recorded is not first)


PLANS = {
    "fails": [Fault.BEFORE],
    "fails for long": [Fault.BEFORE] * 4,
    "writes and fails": [Fault.AFTER],
    "writes and fails, again and again": [Fault.AFTER] * 4,
    "both": [Fault.NONE, Fault.AFTER, Fault.BEFORE, Fault.NONE, Fault.BEFORE, Fault.AFTER],
    "in words that nobody foresaw": [Fault.FOREIGN, Fault.NONE, Fault.FOREIGN],
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("together", [1, 4])
async def test_a_failing_store_neither_forks_nor_loses(workers: Workers, plan: list[Fault], together: int) -> None:
    house, store = House(), MemoryStore()
    async with running(store, house, workers) as log:
        await submit_all(log, [house.created, house.registration(ALPHA)])
        appends = Faults(store, plan=list(plan))
        envelopes = house.listings(ALPHA, 14)
        checkpoints: list[bytes] = []
        for at in range(0, len(envelopes), together):
            waiting = envelopes[at : at + together]
            for _ in range(2 * len(plan) + 2):
                before, done = len(await store.entries(0, 99)), len(appends.done)
                answers = await asyncio.gather(*(log.submit(item.recorded) for item in waiting), return_exceptions=True)
                failed = [item for item, answer in zip(waiting, answers, strict=True) if isinstance(answer, Exception)]
                assert all(isinstance(answer, Recorded | UnavailableError) for answer in answers)
                if appends.done[done:] in ([Fault.BEFORE], [Fault.FOREIGN]):
                    assert failed == waiting, "nothing that is not there was acknowledged"
                    assert len(await store.entries(0, 99)) == before
                for item, answer in zip(waiting, answers, strict=True):
                    if isinstance(answer, Recorded):
                        check_recorded(house, item, answer)
                        checkpoints.append(answer.checkpoint)
                waiting = failed
                if not waiting:
                    break
            assert not waiting
        raws = await check_log(house, log, checkpoints)
    recorded = [parse_entry(raw).envelope.id for raw in raws[2:]]
    assert sorted(recorded) == sorted(item.id for item in envelopes), "each once"
    assert not appends.plan
    async with running(store, house, workers) as log:
        assert await check_log(house, log, checkpoints) == raws


async def test_where_even_reading_back_fails_the_log_stops_and_a_restart_helps(workers: Workers) -> None:
    house, store = House(), MemoryStore()
    async with running(store, house, workers) as log:
        await submit_all(log, [house.created, house.registration(ALPHA)])
        one, two = house.listings(ALPHA, 2)
        Faults(store, plan=[Fault.AFTER])
        Faults(store, "checkpoint", [Fault.FOREIGN])
        for envelope in (one, two, one):
            with pytest.raises(UnavailableError):
                await asyncio.wait_for(log.submit(envelope.recorded), PATIENCE_S)
        assert log.standing.failure is not None
        assert log.published is not None
        assert log.published.head.size == 2, "nothing more is shown than was known to be stored"
    async with running(store, house, workers) as log:
        assert (await log.submit(one.recorded)).duplicate
        assert not (await log.submit(two.recorded)).duplicate
        assert len(await check_log(house, log)) == 4


async def test_time_never_goes_back(workers: Workers) -> None:
    house, store, clock = House(), MemoryStore(), Clock()
    speech = house.speech
    shown = []
    async with running(store, house, workers, clock) as log:
        await submit_all(log, [house.created, house.registration(ALPHA)])
        for clock.now_ms in (START_MS + 50, START_MS - 3_600_000, START_MS + 60, 0):
            (recorded,) = await submit_all(log, house.listings(ALPHA, 1))
            shown.append(recorded.entry.time_ms - START_MS)
    async with running(store, house, workers, clock) as log:
        (recorded,) = await submit_all(log, house.listings(ALPHA, 1))
        shown.append(recorded.entry.time_ms - START_MS)
        # The rules go by the log's time, not by the clock that went back.
        statement = speech.listing_registered(ALPHA, issued_ms=START_MS, not_after_ms=START_MS + 59)
        with pytest.raises(SignedRefusalError, match="expired"):
            await log.submit(signed(statement, ALPHA.key).recorded)
        await check_log(house, log)
    assert shown == [50, 50, 60, 60, 60]


async def test_only_authentic_refusals_are_signed_and_on_a_state_that_the_log_had(workers: Workers) -> None:
    house, store = House(), MemoryStore()
    speech = house.speech
    listing = signed(speech.listing_registered(ALPHA), ALPHA.key)
    stranger, draft = person("stranger"), signed(speech.listing_registered(ALPHA), ALPHA.key)
    unsigned = {
        "wrong-signature": draft.with_signatures([(ALPHA.key.public.keyid, bytes(64))]),
        "extra-signature": draft.with_signatures([(BETA.key.public.keyid, BETA.key.sign(draft.signed_bytes))]),
        "unknown-key": signed(speech.listing_registered(stranger), stranger.key),
        "missing-signature": signed(speech.license_agreed(ALPHA, BETA, listing.id), ALPHA.key),
    }
    signed_for = {
        "wrong-ledger": signed(speech.listing_registered(ALPHA, ledger="sha256:" + "0" * 64), ALPHA.key),
        "expired": signed(speech.listing_registered(ALPHA, issued_ms=1, not_after_ms=2), ALPHA.key),
        "wrong-signers": signed(speech.listing_registered(ALPHA) | {"signers": [BETA.key.public.keyid]}, BETA.key),
        "unknown-reference": signed(speech.listing_withdrawn(ALPHA, "sha256:" + "1" * 64), ALPHA.key),
        "wrong-role": signed(speech.listing_withdrawn(BETA, listing.id), BETA.key),
        "unknown-party": signed(speech.transfer_offered(ALPHA, stranger, listing.id), ALPHA.key),
        "seen-mismatch": signed(speech.listing_registered(ALPHA, seen={"size": 1, "root": "0" * 64}), ALPHA.key),
        "name-taken": signed(speech.party_registered(person("alpha", "another")), *person("alpha", "another").all_keys),
    }
    good = iter(house.listings(ALPHA, 20))
    async with running(store, house, workers) as log:
        await submit_all(log, [house.created, house.registration(ALPHA), house.registration(BETA), listing])
        answers = {}
        for reason, envelope in (unsigned | signed_for).items():  # one batch: a good one after each bad one
            answers[reason] = await log.submit_waiting(envelope.recorded)
            await log.submit_waiting(next(good).recorded)
        refusals = {reason: await asyncio.wait_for(_refused(answer), PATIENCE_S) for reason, answer in answers.items()}
        raws = await check_log(house, log)
    tree = ReferenceTree([entry_leaf(raw) for raw in raws])
    sizes = []
    for reason, error in refusals.items():
        if reason in unsigned:
            assert isinstance(error, Refused)
            assert error.reason == reason
            continue
        assert isinstance(error, SignedRefusalError)
        assert error.refused.reason == reason
        refusal = error.refusal
        ((keyid, signature),) = refusal.signatures
        service = house.identity.service_key.public
        assert refusal.payload_type == REFUSAL_TYPE
        assert keyid == service.keyid
        assert verify_ed25519(service.raw, refusal.signed_bytes, signature)
        payload = parse_canonical(refusal.payload)
        sizes.append(payload["size"])
        assert payload == {
            "ledger": house.created.id,
            "reason": reason,
            "root": tree.root(payload["size"]).hex(),
            "size": payload["size"],
            "statement_id": signed_for[reason].id,
            "time": START_MS,
            "type": "provenance-ledger.refusal/v1",
        }
    assert sizes == sorted(set(sizes)), "each at the size that it met"


async def _refused(answer: asyncio.Future[Recorded]) -> LedgerError:
    try:
        await answer
    except LedgerError as error:
        return error
    raise AssertionError("recorded")


async def test_before_entry_0_nothing_else_is_taken_and_no_refusal_signed(workers: Workers) -> None:
    house = House()
    async with running(MemoryStore(), house, workers) as log:
        with pytest.raises(Refused, match="not-created"):
            await log.submit(house.registration(ALPHA).recorded)
        assert log.published is None
        with pytest.raises(FormatError):
            await log.submit(b"{")
        await log.submit(house.created.recorded)
        other = House("another").created
        with pytest.raises(SignedRefusalError, match="already-created"):
            await log.submit(other.recorded)


async def test_a_full_disk_stops_writing_until_there_is_room(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    house, store = House(), MemoryStore()
    free = sequencer.MIN_FREE_BYTES

    async def free_bytes() -> int:
        return free

    monkeypatch.setattr(store, "free_bytes", free_bytes)
    async with running(store, house, workers) as log:
        await log.submit(house.created.recorded)
        free -= 1
        with pytest.raises(UnavailableError, match="disk"):
            await log.submit(house.registration(ALPHA).recorded)
        assert len(await check_log(house, log)) == 1
        free += 1
        assert not (await log.submit(house.registration(ALPHA).recorded)).duplicate


async def test_a_full_queue_promises_and_lets_streams_wait(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """What finds no room is promised, between two batches, as far as may be promised; the rest is turned away."""
    monkeypatch.setattr(intake, "MAX_WAITING", 2)
    monkeypatch.setattr(promising, "MAX_PROMISED", 5)
    monkeypatch.setattr(intake, "_MAX_CHECKED", 1)
    house, store = House(), MemoryStore()
    async with running(store, house, workers) as log:
        await submit_all(log, [house.created, house.registration(ALPHA)])
        appends = Faults(store, plan=[Fault.HELD])
        envelopes = house.listings(ALPHA, 30)
        submissions = [asyncio.create_task(log.submit(item.recorded)) for item in envelopes]
        stream = asyncio.create_task(submit_all(log, envelopes))
        await asyncio.wait(submissions, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        refused = [task for task in submissions if task.done()]
        assert all(isinstance(task.exception(), BusyError) for task in refused)
        assert refused
        assert log.intake.waiting.qsize() <= 2
        appends.gate.set()
        answers = await asyncio.gather(*submissions, return_exceptions=True)
        promised = [answer for answer in answers if isinstance(answer, PromisedError)]
        assert len(promised) == 5
        assert {type(answer) for answer in answers} == {Recorded, PromisedError, BusyError}
        assert [answer.statement_id for answer in await stream] == [item.id for item in envelopes], "none was dropped"
        assert len(await check_log(house, log)) == 32
        for promise in promised:
            assert await store.index_of(promise.statement_id) is not None
        assert await store.pending() == []


async def test_stopping_finishes_what_waits(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"MAX_WAITING": 8, "MAX_GROUP": 4, "_MAX_CHECKED": 1}.items():
        monkeypatch.setattr(intake, name, value)
    house, store = House(), MemoryStore()
    async with running(store, house, workers) as log:
        await submit_all(log, [house.created, house.registration(ALPHA)])
        appends = Faults(store, plan=[Fault.HELD])
        envelopes = house.listings(ALPHA, 40)
        stream = asyncio.create_task(submit_all(log, envelopes))  # more than the queue holds: some wait for room
        await until(lambda: log.intake.waiting.qsize() == 8)
        stopping = asyncio.create_task(log.stop())
        await asyncio.sleep(0)
        with pytest.raises(UnavailableError, match="stopping"):
            await log.submit(house.listings(ALPHA, 1)[0].recorded)
        with pytest.raises(UnavailableError, match="stopping"):
            await log.submit_waiting(house.listings(ALPHA, 1)[0].recorded)
        appends.gate.set()
        await asyncio.wait_for(stopping, PATIENCE_S)
        with pytest.raises(UnavailableError):  # its later lines came too late; those queued before are recorded
            await stream
        raws = await check_log(house, log)
        recorded = [parse_entry(raw).envelope.id for raw in raws[2:]]
        assert recorded == [item.id for item in envelopes[: len(recorded)]]
        assert len(recorded) >= 8


async def test_a_killed_worker_costs_one_answer_and_no_more() -> None:
    workers = Workers()
    house = House()
    try:
        async with running(MemoryStore(), house, workers) as log:
            await submit_all(log, [house.created, house.registration(ALPHA)])
            for envelope in house.listings(ALPHA, 2):
                kill_all(workers)
                answers = 0
                while True:
                    answers += 1
                    assert answers < 4
                    try:
                        recorded = await asyncio.wait_for(log.submit(envelope.recorded), PATIENCE_S)
                    except UnavailableError:
                        continue
                    check_recorded(house, envelope, recorded)
                    break
            assert len(await check_log(house, log)) == 4
    finally:
        workers.close()


async def test_workers_may_die_at_any_moment() -> None:
    workers = Workers()
    check = (ED25519, b"", b"", b"")
    try:
        lost = 0
        for at in range(30):
            work = [asyncio.create_task(workers.check([check] * 40)) for _ in range(4)]
            await asyncio.sleep(0.002 * (at % 5))
            kill_all(workers)
            answers = await asyncio.wait_for(asyncio.gather(*work, return_exceptions=True), PATIENCE_S)
            for answer in answers:
                assert isinstance(answer, UnavailableError) or answer == [False] * 40
            lost += sum(isinstance(answer, UnavailableError) for answer in answers)
        assert lost
        with suppress(UnavailableError):
            await workers.check([check] * 40)
        assert await workers.check([check] * 40) == [False] * 40
    finally:
        await asyncio.wait_for(asyncio.to_thread(workers.close), PATIENCE_S)


def kill_all(workers: Workers) -> None:
    """Kill the workers that have nothing to do."""
    for worker in list(workers._pool._idle):
        if worker is not None:
            worker.process.kill()


async def test_a_signature_whose_key_left_the_cache_is_not_taken_on_trust(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "_MAX_CACHED_KEYS", 4)
    house, store = House(), MemoryStore()
    async with running(store, house, workers) as log:
        await log.submit(house.created.recorded)
        held = Faults(store, plan=[Fault.HELD])
        crowd = [person(f"crowd-{at}") for at in range(6)]
        listing = signed(house.speech.listing_registered(ALPHA), ALPHA.key)
        forged = listing.with_signatures([(ALPHA.key.public.keyid, key("mallory").sign(listing.signed_bytes))])
        answers = []
        for envelope in [*map(house.registration, (BETA, ALPHA, *crowd[:5])), forged, house.registration(crowd[5])]:
            answers.append(await log.submit_waiting(envelope.recorded))
            await log.intake.waiting.join()  # it is checked, and waits behind the batch that is held
        held.gate.set()
        *registered, refused, last = answers
        assert [(await answer).entry.index for answer in [*registered, last]] == [1, 2, 3, 4, 5, 6, 7, 8]
        with pytest.raises(UnavailableError):  # it was never looked at: neither taken nor called wrong
            await refused
        assert not (await log.submit(listing.recorded)).duplicate, "the true one is taken"


async def test_caches_of_one_element_change_nothing(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafting, "_MAX_CACHED_ROOTS", 1)
    for name in ("_MAX_CACHED_KEYS", "_MAX_SENT_KEYS"):
        monkeypatch.setattr(checking, name, 1)
    house = House()
    async with running(MemoryStore(), house, workers) as log:
        story = [house.created, *house.story(ALPHA, BETA)]
        await submit_all(log, story)
        raws = await check_log(house, log)
        tree = ReferenceTree([entry_leaf(raw) for raw in raws])
        envelopes = []
        for size in (1, 5, 3, 7, 2, 5):
            seen = {"size": size, "root": tree.root(size).hex()}
            envelopes += [signed(house.speech.listing_registered(who, seen=seen), who.key) for who in (ALPHA, BETA)]
        await submit_all(log, envelopes)
        await submit_all(
            log, envelopes[:2] + [signed(house.speech.party_registered(who), *who.all_keys) for who in CROWD]
        )
        assert len(await check_log(house, log)) == 7 + 12 + len(CROWD)


CROWD = [person(f"member-{at}") for at in range(3)]


async def test_seen_may_name_a_size_inside_the_same_batch(workers: Workers) -> None:
    house = House()
    async with running(MemoryStore(), house, workers) as log:
        beginning = [house.created, house.registration(ALPHA)]
        await submit_all(log, beginning)
        first, second = house.listings(ALPHA, 2)
        (one,) = await submit_all(log, [first])
        tree = ReferenceTree([entry_leaf(raw) for raw in await log.store.entries(0, 3)])
        assert one.entry.index == 2
        # What the root at size 4 will be is known to whoever writes both statements.
        next_entry = type(one.entry)(3, entry_leaf(one.entry.raw).hex(), second, START_MS)
        tree.leaves.append(entry_leaf(next_entry.raw))
        seen = {"size": 4, "root": tree.root(4).hex()}
        third = signed(house.speech.listing_registered(ALPHA, seen=seen), ALPHA.key)
        too_early = signed(house.speech.listing_registered(ALPHA, seen=seen | {"size": 5}), ALPHA.key)
        answers = [await log.submit_waiting(item.recorded) for item in (second, too_early, third)]
        assert (await answers[0]).entry.index == 3
        assert isinstance(await _refused(answers[1]), SignedRefusalError)
        assert (await answers[2]).entry.index == 4
        await check_log(house, log)
