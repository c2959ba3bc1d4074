"""What an entry shows beside what the vault holds is kept as a proof that convicts, by the verifier's own reading."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from ledger.core.checkpoint import TreeHead
from ledger.core.dsse import Envelope
from ledger.core.encoding import Json, canonical
from ledger.core.entry import parse_entry
from ledger.core.hashing import leaf_hash
from ledger.core.keys import Signer
from ledger.core.policy import parse_policy
from ledger.party.client.client import LedgerClient
from ledger.party.errors import FraudProven, Problem, Promised
from ledger.party.vault.vault import Vault
from tests.harness.builder import LedgerBuilder
from tests.harness.people import person
from tests.harness.speech import START_MS, signed
from tests.harness.witness import Witness
from tests.party.answers.liar import Liar, convicts, serving

ALPHA, BETA, GAMMA = person("alpha"), person("beta"), person("gamma")
MINUTE_MS = 60_000


class Scene:
    """A liar, its ledger, and a client that has spoken there: entries 1 and 2 register, 3 is a listing of alpha's."""

    def __init__(self, liar: Liar, client: LedgerClient) -> None:
        self.liar, self.client, self.builder = liar, client, liar.builder
        self.speech = self.builder.speech

    def listing(self, title: str = "More", *keys: Signer, **fields: Json) -> Envelope:
        return signed(self.speech.listing_registered(ALPHA, title, **fields), *(keys or [ALPHA.key]))

    def chain(self, envelope: Envelope, time_ms: int | None = None, **members: Json) -> int:
        """Record an envelope that nobody judged; `members` of the entry say what they like."""
        builder = self.builder
        time_ms = builder.now_ms if time_ms is None else time_ms
        own = {"index": builder.size, "previous": leaf_hash(builder.entries[-1]).hex(), "time": time_ms}
        builder.chain(canonical(own | {"statement": envelope.document()} | members), time_ms)
        builder.view.recorded[envelope.id] = builder.size - 1
        return builder.size - 1

    def cut(self, size: int) -> None:
        """Take the log back."""
        del self.builder.entries[size:], self.builder.times[size:]
        self.builder.rehash()

    async def refuse(self, envelope: Envelope, reason: str = "wrong-role") -> None:
        """Have it sign a refusal, which proves nothing yet."""
        self.liar.refuse = reason
        with pytest.raises(Problem) as caught:
            await self.client.submit(envelope)
        assert caught.value.refusal is not None
        self.liar.refuse = ""

    async def read(self, index: int) -> None:
        await self.client.entry(index)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    builder = LedgerBuilder()
    witness = Witness("w")
    async with serving(builder) as liar:
        policy = parse_policy(builder.policy().replace("quorum none", f"{witness.policy_line}\nquorum none"))
        async with LedgerClient(liar.url, policy, Vault(tmp_path / "vault"), backoff_s=0.01) as client:
            for who in (ALPHA, BETA):
                await client.submit(signed(builder.speech.party_registered(who), *who.all_keys))
            scene = Scene(liar, client)
            await client.submit(scene.listing("Airports"))
            yield scene


def statement_at(builder: LedgerBuilder, index: int) -> Envelope:
    return parse_entry(builder.entries[index]).envelope


async def a_rewritten_entry(scene: Scene) -> None:
    scene.cut(3)
    scene.chain(signed(scene.speech.listing_registered(BETA), BETA.key))
    await scene.read(3)


async def the_same_entry_at_another_time(scene: Scene) -> None:
    envelope = statement_at(scene.builder, 3)
    scene.cut(3)
    scene.chain(envelope, scene.builder.now_ms + MINUTE_MS)
    await scene.client.submit(envelope)


async def a_statement_recorded_twice(scene: Scene) -> None:
    await scene.read(scene.chain(statement_at(scene.builder, 3)))


async def a_wrong_link(scene: Scene) -> None:
    await scene.read(scene.chain(scene.listing(), previous="0" * 64))


async def an_entry_of_another_place(scene: Scene) -> None:
    await scene.read(scene.chain(scene.listing(), index=7))


async def what_is_no_entry(scene: Scene) -> None:
    await scene.read(scene.chain(scene.listing(), more=1))


async def a_payload_that_is_not_canonical(scene: Scene) -> None:
    payload = b" " + scene.listing().payload
    await scene.read(scene.chain(Envelope(payload, scene.listing().signatures)))


async def what_had_expired(scene: Scene) -> None:
    await scene.read(scene.chain(scene.listing(not_after_ms=START_MS + 1)))


async def what_was_not_issued_yet(scene: Scene) -> None:
    later = scene.builder.now_ms + 6 * MINUTE_MS
    await scene.read(scene.chain(scene.listing(issued_ms=later, not_after_ms=later)))


async def a_name_given_again(scene: Scene) -> None:
    thief = person("alpha", "thief")
    await scene.read(1)
    await scene.read(scene.chain(signed(scene.speech.party_registered(thief), *thief.all_keys)))


async def a_wrong_signature(scene: Scene) -> None:
    good = scene.listing()
    await scene.read(scene.chain(good.with_signatures([(ALPHA.key.public.keyid, bytes(64))])))


async def a_signature_left_out(scene: Scene) -> None:
    both = scene.speech.listing_registered(ALPHA) | {"signers": sorted([ALPHA.key.public.keyid, BETA.key.public.keyid])}
    await scene.read(scene.chain(signed(both, ALPHA.key)))


async def a_revoked_key(scene: Scene) -> None:
    await scene.client.submit(signed(scene.speech.key_revoked(ALPHA, ALPHA.key), ALPHA.recovery))
    await scene.read(scene.chain(scene.listing()))


async def time_that_goes_back(scene: Scene) -> None:
    scene.chain(scene.listing(), scene.builder.now_ms + MINUTE_MS)
    scene.chain(scene.listing(), scene.builder.times[-1] - 1)
    await scene.read(4)
    await scene.read(5)


async def an_entry_that_a_witness_had_seen_before(scene: Scene) -> None:
    plain, witness = scene.builder.checkpoint, Witness("w")
    index = scene.chain(scene.listing(), scene.builder.now_ms + 6 * MINUTE_MS)
    scene.builder.checkpoint = lambda size=None: witness.cosign(plain(size), START_MS // 1000)  # type: ignore[method-assign]
    await scene.read(index)


async def what_had_seen_a_longer_log(scene: Scene) -> None:
    head = scene.builder.head()
    envelope = scene.listing(seen={"root": head.root.hex(), "size": head.size})
    scene.cut(2)
    scene.chain(envelope)
    await scene.client.submit(envelope)


async def a_log_that_was_longer_than_a_refusal_says(scene: Scene) -> None:
    """Back-date an entry that follows a refusal of now."""
    builder = scene.builder
    builder.times[-1] += 6 * MINUTE_MS
    await scene.refuse(scene.listing())
    await scene.read(scene.chain(scene.listing(), builder.now_ms - 6 * MINUTE_MS - 2000))


async def a_promise_on_a_log_that_was_longer(scene: Scene) -> None:
    """Promise on a log that is smaller than what it was at an earlier time."""
    builder, whole = scene.builder, scene.builder.head
    builder.times[-1] += 6 * MINUTE_MS
    builder.head = lambda size=None: whole(3 if size is None else size)  # type: ignore[method-assign]
    scene.liar.deadline_ms = builder.now_ms + MINUTE_MS
    with pytest.raises(Promised):
        await scene.client.submit(scene.listing())


async def a_refusal_of_what_was_recorded_long_before(scene: Scene) -> None:
    """Refuse first, and have the entry, below the size that the refusal names, turn up later."""
    envelope = scene.listing()
    scene.builder.record(envelope)
    await scene.refuse(envelope)
    await scene.client.statement(envelope.id)


async def a_refusal_for_a_party_that_is_registered(scene: Scene) -> None:
    await scene.refuse(scene.listing(), "unknown-party")


async def a_refusal_of_what_had_seen_the_log(scene: Scene) -> None:
    head = scene.builder.head()
    await scene.refuse(scene.listing(seen={"root": head.root.hex(), "size": head.size}), "seen-mismatch")


async def a_history_that_an_entry_gives_the_lie_to(scene: Scene) -> None:
    """Sign a history first, and have what it left out turn up later."""
    other = signed(scene.speech.listing_registered(BETA), BETA.key)
    scene.builder.record(other)
    payload = scene.liar.history_payload
    scene.liar.history_payload = lambda subjects: payload(subjects) | {"indexes": [2]}  # type: ignore[method-assign]
    await scene.client.history(["beta"])
    await scene.client.statement(other.id)


async def an_entry_that_concerns_it_by_whose_key_signed(scene: Scene) -> None:
    """Leave out what only the signature of its own key makes a concern of the operator's."""
    operator = scene.builder.operator
    statement = scene.speech.party_registered(GAMMA, operator)
    await scene.read(scene.chain(signed(statement, *GAMMA.all_keys, operator.key)))
    await scene.client.history([operator.name])


async def an_entry_that_concerns_it_by_a_key_added_later(scene: Scene) -> None:
    new = person("alpha", "new").key
    await scene.client.submit(signed(scene.speech.key_added(ALPHA, new), new, ALPHA.recovery))
    named = scene.speech.listing_registered(BETA) | {"signers": sorted([BETA.key.public.keyid, new.public.keyid])}
    await scene.read(scene.chain(signed(named, BETA.key, new)))
    payload = scene.liar.history_payload
    scene.liar.history_payload = lambda subjects: payload(subjects) | {"indexes": [1, 3, 4]}  # type: ignore[method-assign]
    await scene.client.history(["alpha"])


async def two_trees_of_one_size(scene: Scene) -> None:
    """Refuse on a tree that is never proved to be of the log, and has the size of an older receipt's."""
    plain, size = scene.builder.head, scene.builder.size
    await scene.client.submit(scene.listing())
    scene.liar.fail["/v1/consistency"] = 404
    scene.builder.head = lambda size=None: TreeHead(known, bytes(32)) if size is None else plain(size)  # type: ignore[method-assign]
    known = size
    await scene.refuse(scene.listing())
    scene.builder.head, scene.liar.fail = plain, {}  # type: ignore[method-assign]
    payload = scene.liar.history_payload
    scene.liar.history_payload = lambda subjects: payload(subjects) | {"indexes": [1, 3, 4]}  # type: ignore[method-assign]
    await scene.client.history(["alpha"])


KINDS = [
    (a_rewritten_entry, "rewrite"),
    (the_same_entry_at_another_time, "rewrite"),
    (a_statement_recorded_twice, "unlawful-entry"),
    (a_wrong_link, "unlawful-entry"),
    (an_entry_of_another_place, "unlawful-entry"),
    (what_is_no_entry, "unlawful-entry"),
    (a_payload_that_is_not_canonical, "unlawful-entry"),
    (what_had_expired, "unlawful-entry"),
    (what_was_not_issued_yet, "unlawful-entry"),
    (a_name_given_again, "unlawful-entry"),
    (a_wrong_signature, "unsigned-statement"),
    (a_signature_left_out, "unsigned-statement"),
    (a_revoked_key, "unsigned-statement"),
    (time_that_goes_back, "time"),
    (an_entry_that_a_witness_had_seen_before, "time"),
    (what_had_seen_a_longer_log, "rollback"),
    (a_log_that_was_longer_than_a_refusal_says, "rollback"),
    (a_promise_on_a_log_that_was_longer, "rollback"),
    (a_refusal_of_what_was_recorded_long_before, "refusal-contradicts-log"),
    (a_refusal_for_a_party_that_is_registered, "refusal-contradicts-log"),
    (a_refusal_of_what_had_seen_the_log, "refusal-contradicts-log"),
    (two_trees_of_one_size, "fork"),
    (a_history_that_an_entry_gives_the_lie_to, "left-out-of-history"),
    (an_entry_that_concerns_it_by_whose_key_signed, "left-out-of-history"),
    (an_entry_that_concerns_it_by_a_key_added_later, "left-out-of-history"),
]


@pytest.mark.parametrize(("lie", "kind"), KINDS, ids=[lie.__name__ for lie, _ in KINDS])
async def test_it_is_proved(scene: Scene, lie: Callable[[Scene], Awaitable[None]], kind: str) -> None:
    policy = scene.builder.policy().replace("quorum none", f"{Witness('w').policy_line}\nquorum none")
    with pytest.raises(FraudProven) as caught:
        await lie(scene)
    assert caught.value.kind == kind
    assert caught.value.kept is not None
    assert convicts(caught.value.kept, policy) == kind


async def test_a_key_that_only_the_operator_names_is_as_good(scene: Scene, tmp_path: Path) -> None:
    """A keyid is the hash of its key, whoever shows it: who asks whose signature it is gets the proof."""
    index = scene.chain(scene.listing().with_signatures([(ALPHA.key.public.keyid, bytes(64))]))
    async with LedgerClient(scene.liar.url, scene.client.policy, Vault(tmp_path / "another")) as client:
        await client.identity()
        entry = await client.entry(index)
        with pytest.raises(FraudProven) as caught:
            await client.check_speaker(entry)
    assert caught.value.kept is not None
    assert convicts(caught.value.kept, scene.builder.policy()) == "unsigned-statement"


async def test_an_honest_ledger_is_not_accused(scene: Scene) -> None:
    """It refuses what it has to, forgets nothing that it signed, and goes on."""
    client, speech, liar = scene.client, scene.speech, scene.liar
    stranger = person("stranger")
    refused = [
        signed(speech.listing_registered(stranger), stranger.key),
        scene.listing(seen={"root": "00" * 32, "size": 2}),
        scene.listing(not_after_ms=START_MS),
        signed(speech.transfer_offered(ALPHA, stranger, statement_at(scene.builder, 3).id), ALPHA.key),
    ]
    for envelope in refused:
        with pytest.raises(Problem) as caught:
            await client.submit(envelope)
        assert caught.value.type in {"unknown-key", "seen-mismatch", "expired", "unknown-party"}
    liar.deadline_ms = scene.builder.now_ms + MINUTE_MS
    promised = scene.listing("Promised")
    with pytest.raises(Promised):
        await client.submit(promised)
    liar.deadline_ms = 0
    payload = liar.history_payload
    liar.history_payload = lambda subjects: payload(subjects) | {"indexes": [1, 3]}  # type: ignore[method-assign]
    await client.history(["alpha"])
    await client.submit(promised)
    await client.submit(signed(speech.party_registered(stranger), *stranger.all_keys))
    results = [one async for one in client.submit_many([refused[0], scene.listing("Next")])]
    assert not any(isinstance(one, Problem) for one in results)
    for index in range(scene.builder.size):
        await client.entry(index)
    liar.history_payload = lambda subjects: payload(subjects) | {"indexes": [1, 3, 4, 7]}  # type: ignore[method-assign]
    await client.history(["alpha"])
