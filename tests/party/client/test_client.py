"""The client believes nothing: every lie of a ledger is caught before anything is returned."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from ledger.core.dsse import HISTORY_TYPE, REFUSAL_TYPE, Envelope, sign
from ledger.core.encoding import Json, b64decode, parse_json
from ledger.core.entry import Entry
from ledger.core.errors import QuorumError
from ledger.core.hashing import leaf_hash
from ledger.core.note import COSIGNATURE_TYPE, NoteKey
from ledger.core.policy import parse_policy
from ledger.party.acts.enrolment import register
from ledger.party.answers.recorded import Recorded
from ledger.party.audit.memory import Memory
from ledger.party.client.client import LedgerClient
from ledger.party.errors import (
    ForkDetected,
    FraudProven,
    Problem,
    ReceiptInvalid,
    ReplyInvalid,
    Unfit,
    Unproven,
    Unreachable,
)
from ledger.party.vault.vault import Vault
from ledger.registry.facts import PartyFact
from tests.harness.builder import LedgerBuilder
from tests.harness.people import key, person
from tests.harness.speech import signed
from tests.party.answers.liar import Liar, convicts, foreign_checkpoint, forked, serving

ALPHA = person("alpha")


@pytest.fixture
def builder() -> LedgerBuilder:
    return LedgerBuilder()


@pytest.fixture
async def liar(builder: LedgerBuilder) -> AsyncIterator[Liar]:
    async with serving(builder) as server:
        yield server


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault")


@pytest.fixture
async def client(liar: Liar, vault: Vault) -> AsyncIterator[LedgerClient]:
    async with LedgerClient(liar.url, liar.policy, vault, backoff_s=0.01) as client:
        yield client


def registration(builder: LedgerBuilder) -> Envelope:
    return signed(builder.speech.party_registered(ALPHA), *ALPHA.all_keys)


def listing(builder: LedgerBuilder, title: str = "Airports") -> Envelope:
    return signed(builder.speech.listing_registered(ALPHA, title), ALPHA.key)


async def test_a_statement_is_recorded_once_and_its_receipt_kept(
    client: LedgerClient, builder: LedgerBuilder, vault: Vault
) -> None:
    envelope = registration(builder)
    first = await client.submit(envelope)
    again = await client.submit(envelope)
    assert (first.index, first.duplicate, again.index, again.duplicate) == (1, False, 1, True)
    assert (await client.identity()).id == builder.id
    kept = vault.entry(first.statement_id)
    assert kept is not None
    assert kept[0] == builder.entries[1]
    newest = client.remembered()
    assert newest is not None
    assert newest[0].head == builder.head()


async def test_a_duplicate_bears_the_same_keys_good_signatures(client: LedgerClient, builder: LedgerBuilder) -> None:
    await client.submit(registration(builder))
    good = listing(builder)
    keyid, signature = good.signatures[0]
    wrong = good.with_signatures([(keyid, bytes(64))])
    other = Envelope(good.payload, ((key("stranger").public.keyid, signature),))
    for recorded in (wrong, other, good):
        raw = Entry(builder.size, leaf_hash(builder.entries[-1]).hex(), recorded, builder.now_ms).raw
        builder.chain(raw, builder.now_ms)
        builder.view.recorded[good.id] = builder.size - 1
        if recorded is good:
            assert (await client.submit(wrong)).duplicate
            assert len([result async for result in client.submit_many([wrong, good])]) == 2
        else:
            with pytest.raises(FraudProven, match="signature") as caught:
                await client.submit(good)
            assert caught.value.kept is not None
            assert convicts(caught.value.kept, builder.policy()) == "unsigned-statement"
            with pytest.raises(FraudProven, match="signature"):
                _ = [result async for result in client.submit_many([good])]


async def test_a_registration_is_found_again_only_as_we_signed_it(client: LedgerClient, builder: LedgerBuilder) -> None:
    envelope = registration(builder).with_signatures([(ALPHA.key.public.keyid, bytes(64))])
    builder.chain(Entry(1, leaf_hash(builder.entries[0]).hex(), envelope, builder.now_ms).raw, builder.now_ms)
    builder.view.put(PartyFact(1, "alpha", []))
    with pytest.raises(ReceiptInvalid, match="never made"):
        await register(client, "alpha", ALPHA.key, ALPHA.recovery, lambda: builder.now_ms)


async def test_a_busy_ledger_is_asked_again_and_an_absent_one_is_not_reachable(
    client: LedgerClient, liar: Liar, builder: LedgerBuilder
) -> None:
    liar.busy_count = 2
    assert (await client.submit(registration(builder))).index == 1
    assert liar.posted == 3
    liar.busy_count = 100
    with pytest.raises(Problem) as caught:
        await client.submit(listing(builder))
    assert (caught.value.status, caught.value.type) == (503, "busy")
    async with LedgerClient("http://127.0.0.1:9", liar.policy) as nowhere:
        with pytest.raises(Unreachable):
            await nowhere.checkpoint()


async def test_a_receipt_that_proves_something_else_is_refused(
    client: LedgerClient, liar: Liar, builder: LedgerBuilder
) -> None:
    await client.submit(registration(builder))
    envelope = listing(builder)
    statement_id = builder.record(envelope)
    good = liar.recorded(2)
    other = liar.recorded(1)
    stranger = LedgerBuilder("second")
    lies = {
        "another entry with its own good receipt": other,
        "a receipt of another entry": good | {"receipt": other["receipt"]},
        "an entry of another index": good | {"index": 1},
        "a path with a flipped bit": good | {"receipt": flip(good["receipt"], 2)},
        "a receipt under another log's key": Liar(stranger).recorded(0),
        "an entry that is not in the log": good | {"entry": other["entry"]},
    }
    for name, lie in lies.items():
        liar.lie = lambda path, answer, lie=lie: lie if path == "/v1/statements" else answer  # type: ignore[misc]
        with pytest.raises(ReceiptInvalid):
            pytest.fail(f"{name}: {await client.submit(envelope)}")
        liar.lie = lambda path, answer, lie=lie: lie if path.startswith("/v1/st") else answer  # type: ignore[misc]
        with pytest.raises(ReceiptInvalid):
            pytest.fail(f"{name}: {await client.statement(statement_id)}")
    nonsense: Json
    for nonsense in ([], {}, {"statement_id": 1}, good | {"entry": "!"}):
        liar.lie = lambda _path, _answer, nonsense=nonsense: nonsense  # type: ignore[misc]
        with pytest.raises(ReplyInvalid):
            await client.submit(envelope)


def flip(receipt: str, line: int) -> str:
    lines = receipt.split("\n")
    lines[line] = ("A" if lines[line][0] != "A" else "B") + lines[line][1:]
    return "\n".join(lines)


async def test_another_history_is_a_fork_and_both_checkpoints_are_kept(
    client: LedgerClient, liar: Liar, builder: LedgerBuilder, vault: Vault
) -> None:
    await client.submit(registration(builder))
    known = builder.checkpoint()
    other = forked(builder)
    beta = other.register(person("beta"))
    liar.builder = other
    with pytest.raises(ForkDetected) as same_size:
        await client.checkpoint()
    assert same_size.value.certain
    other.say(other.speech.listing_registered(beta), beta.key)
    with pytest.raises(ForkDetected) as larger:
        await client.checkpoint()
    for fork in (same_size.value, larger.value):
        assert fork.known == known
        assert fork.certain
        assert fork.kept is not None
        assert convicts(fork.kept, builder.policy()) == "fork"
    assert vault.checkpoint(builder.origin) == known


async def test_a_shortened_log_is_noticed_in_a_new_process(liar: Liar, builder: LedgerBuilder, vault: Vault) -> None:
    async with LedgerClient(liar.url, liar.policy, vault) as client:
        await client.submit(registration(builder))
        await client.submit(listing(builder))
    liar.builder = forked(builder)
    liar.builder.register(ALPHA)
    async with LedgerClient(liar.url, liar.policy, vault) as client:
        with pytest.raises(Unproven) as caught:
            await client.checkpoint()
    assert caught.value.kept is not None
    evidence = json.loads(caught.value.kept.read_bytes())
    assert evidence["other"].encode() == liar.builder.checkpoint()


async def test_a_read_of_a_shorter_log_is_no_answer(
    client: LedgerClient, liar: Liar, builder: LedgerBuilder, vault: Vault
) -> None:
    builder.record(registration(builder))
    listing_id = builder.record(listing(builder))
    transfer = builder.say(builder.speech.transfer_offered(ALPHA, builder.operator, listing_id), ALPHA.key)
    reads: list[Callable[[], Awaitable[object]]] = [
        client.listings,
        client.licenses,
        client.transfers,
        lambda: client.party("alpha"),
        lambda: client.transfer(transfer),
    ]
    for read in reads:
        await read()
    await client.checkpoint()
    liar.lie = lambda _path, answer: answer | {"size": 2} if "size" in answer else answer
    for read in reads:
        with pytest.raises(ReplyInvalid, match="showed 4 before"):
            await read()
    liar.lie = lambda _path, answer: answer
    liar.builder = forked(builder)
    liar.builder.register(ALPHA)
    for read in reads[:4]:
        with pytest.raises(Unproven):
            await read()
    assert vault.checkpoint(builder.origin) == builder.checkpoint()


async def test_a_proof_that_was_not_given_is_no_fork(client: LedgerClient, liar: Liar, builder: LedgerBuilder) -> None:
    await client.submit(registration(builder))
    builder.record(listing(builder))
    for status in (400, 403, 404):
        liar.fail = {"/v1/consistency": status}
        with pytest.raises(Unproven, match=f"http-{status}"):
            await client.checkpoint()
    liar.fail = {"/v1/consistency": 500}
    with pytest.raises(Problem):
        await client.checkpoint()
    liar.fail = {}
    assert (await client.checkpoint()).head == builder.head()


async def test_a_smaller_checkpoint_of_the_same_log_is_no_fork(
    client: LedgerClient, liar: Liar, builder: LedgerBuilder, vault: Vault
) -> None:
    await client.submit(registration(builder))
    await client.submit(listing(builder))
    older = builder.checkpoint(2)
    memory = Memory(liar.policy, client.origin, client.consistency, client.node, vault)
    assert (await memory.remember(older)).head.size == 2
    newest = client.remembered()
    assert newest is not None
    assert newest[0].head.size == 3
    with pytest.raises(ForkDetected):
        await memory.remember(foreign_checkpoint(builder, 2))
    assert liar.builder is builder


async def test_a_refusal_is_kept_only_if_the_service_key_signed_it(
    client: LedgerClient, liar: Liar, builder: LedgerBuilder
) -> None:
    await client.submit(registration(builder))
    envelope = signed(builder.speech.party_registered(ALPHA), *ALPHA.all_keys)
    with pytest.raises(Problem) as caught:
        await client.submit(envelope)
    problem = caught.value
    assert (problem.type, problem.field) == ("name-taken", "/issuer")
    assert problem.refusal is not None
    assert problem.refusal.document["statement_id"] == envelope.id
    assert problem.refusal.kept is not None
    assert problem.refusal.kept.exists()
    forged = sign(problem.refusal.document, [key("stranger")], REFUSAL_TYPE)
    liar.lie = lambda _path, answer: answer | {"refusal": forged.document()} if "refusal" in answer else answer
    with pytest.raises(ReceiptInvalid):
        await client.submit(signed(builder.speech.party_registered(ALPHA), *ALPHA.all_keys))


async def test_a_refusal_on_another_log_than_ours_is_a_fork(
    client: LedgerClient, liar: Liar, builder: LedgerBuilder
) -> None:
    await client.submit(registration(builder))
    builder.record(listing(builder))

    async def refused_on(**lie: Json) -> Problem:
        envelope = signed(builder.speech.party_registered(ALPHA), *ALPHA.all_keys)

        def bend(_path: str, answer: Json) -> Json:
            if "refusal" not in answer:
                return answer
            payload = parse_json(b64decode(answer["refusal"]["payload"])) | lie
            return answer | {"refusal": sign(payload, [builder.service_key], REFUSAL_TYPE).document()}

        liar.lie = bend
        with pytest.raises(Problem) as caught:
            await client.submit(envelope)
        return caught.value

    assert (await refused_on()).refusal is not None
    for size in (2, 3):
        with pytest.raises(ForkDetected) as fork:
            await refused_on(size=size, root="00" * 32)
        assert fork.value.kept is not None
        assert convicts(fork.value.kept, builder.policy()) == "fork"
        assert REFUSAL_TYPE.encode() in fork.value.kept.read_bytes()
    for lie in ({"size": 0}, {"size": "3"}, {"more": 1}):
        with pytest.raises(ReceiptInvalid):
            await refused_on(**lie)
    liar.fail = {"/v1/consistency": 403}
    assert (await refused_on(size=99)).refusal is not None


async def test_a_history_is_signed_by_the_service_key_and_about_the_log_that_we_see(
    client: LedgerClient, liar: Liar, builder: LedgerBuilder
) -> None:
    history = await client.history(["alpha"])
    assert (history.indexes, history.head) == ((0,), builder.head())
    assert history.kept is not None
    honest = liar.history_payload(["alpha"])

    def serve(payload: Json, by: str = "first service") -> None:
        envelope = sign(payload, [key(by)], HISTORY_TYPE).document()
        liar.lie = lambda path, answer: envelope if path == "/v1/history" else answer

    for payload in (
        honest | {"subjects": ["beta"]},
        honest | {"indexes": [0, 7]},
        honest | {"ledger": "sha256:" + "0" * 64},
        honest | {"more": 1},
    ):
        serve(payload)
        with pytest.raises(ReceiptInvalid):
            await client.history(["alpha"])
    serve(honest, by="stranger")
    with pytest.raises(ReceiptInvalid):
        await client.history(["alpha"])
    serve(honest | {"root": "00" * 32})
    with pytest.raises(ForkDetected):
        await client.history(["alpha"])


async def test_many_statements_at_once_are_each_verified(
    client: LedgerClient, liar: Liar, builder: LedgerBuilder
) -> None:
    await client.submit(registration(builder))
    good = [listing(builder, f"Listing {number}") for number in range(20)]
    stale = signed(builder.speech.listing_withdrawn(ALPHA, "sha256:" + "0" * 64), ALPHA.key)
    results = [result async for result in client.submit_many([*good, stale, good[0]])]
    assert [result.index for result in results[:20] if isinstance(result, Recorded)] == list(range(2, 22))
    refused, duplicate = results[20:]
    assert isinstance(refused, Problem)
    assert refused.type == "unknown-reference"
    assert refused.refusal is not None
    assert isinstance(duplicate, Recorded)
    assert (duplicate.index, duplicate.duplicate) == (2, True)

    more = [listing(builder, f"More {number}") for number in range(5)]
    liar.cut_after = 3
    with pytest.raises(Unreachable):
        _ = [result async for result in client.submit_many(more)]
    liar.cut_after = None
    assert len([result async for result in client.submit_many(more)]) == 5
    for name, value in (("previous", "0" * 64), ("time", 1), ("index", 3), ("line", 2), ("path", [])):
        liar.lie = lambda _path, answer, lie=(name, value): answer | dict([lie]) if "line" in answer else answer  # type: ignore[misc]
        with pytest.raises(ReplyInvalid):
            _ = [result async for result in client.submit_many([listing(builder, f"Bent {name}")])]


async def test_a_ledger_that_is_not_the_policys_is_none(liar: Liar, builder: LedgerBuilder) -> None:
    stranger = parse_policy(LedgerBuilder("second").policy())
    async with LedgerClient(liar.url, stranger) as client:
        with pytest.raises(ReceiptInvalid):
            await client.identity()
    witness = NoteKey("w", COSIGNATURE_TYPE, key("witness").public.raw)
    witnessed = parse_policy(builder.policy().replace("quorum none", f"witness w {witness.vkey()}\nquorum w"))
    async with LedgerClient(liar.url, witnessed) as client:
        with pytest.raises(QuorumError):
            await client.identity()
    both = parse_policy(builder.policy() + LedgerBuilder("third", "other.example").policy().splitlines()[0])
    with pytest.raises(Unfit):
        LedgerClient(liar.url, both)
    for url in ("ftp://ledger.example", "file:///etc/passwd", "http://", "http://a.example?x=1"):
        with pytest.raises(Unfit):
            LedgerClient(url, liar.policy)
