"""Refusals, promises and histories: what the operator signs is held against what the company holds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from ledger.cli.kit.home import reading
from ledger.core.dsse import Envelope
from ledger.core.encoding import Json
from ledger.party.answers.recorded import Recorded
from ledger.party.client.client import LedgerClient
from ledger.party.errors import FraudProven, Problem, Promised, ReceiptInvalid
from ledger.party.vault.vault import Config, Vault
from tests.harness.builder import LedgerBuilder
from tests.harness.people import person
from tests.harness.speech import START_MS, signed
from tests.party.answers.liar import Liar, convicts, serving

ALPHA, BETA = person("alpha"), person("beta")
DEADLINE_MS = START_MS + 60_000


@pytest.fixture
def builder() -> LedgerBuilder:
    builder = LedgerBuilder()
    builder.register(ALPHA)
    builder.register(BETA)
    return builder


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


def kind_of(caught: pytest.ExceptionInfo[FraudProven], builder: LedgerBuilder) -> str:
    kept = caught.value.kept
    assert kept is not None
    assert kept.parent.name == "evidence"
    kind = convicts(kept, builder.policy())
    assert kind == caught.value.kind
    return kind


def listed(liar: Liar, *indexes: int) -> None:
    """Have the histories list these entries."""
    payload = liar.history_payload
    liar.history_payload = lambda subjects: payload(subjects) | {"indexes": list(indexes)}  # type: ignore[method-assign]


# Histories


async def test_an_entry_that_a_history_leaves_out(client: LedgerClient, liar: Liar, builder: LedgerBuilder) -> None:
    recorded = await client.submit(signed(builder.speech.listing_registered(ALPHA), ALPHA.key))
    listed(liar, 1, recorded.index)
    assert (await client.history(["alpha"])).indexes == (1, 3)
    listed(liar, 1)
    with pytest.raises(FraudProven, match="leaves out entry 3") as caught:
        await client.history(["alpha"])
    assert kind_of(caught, builder) == "left-out-of-history"


async def test_an_entry_that_concerns_it_by_another(client: LedgerClient, liar: Liar, builder: LedgerBuilder) -> None:
    """An acknowledgement names the hand-off, which names the listing; what is behind the history is not missed."""
    speech = builder.speech
    listing = (await client.submit(signed(speech.listing_registered(ALPHA), ALPHA.key))).statement_id
    agreed = signed(speech.license_agreed(ALPHA, BETA, listing), ALPHA.key, BETA.key)
    license_id = (await client.submit(agreed)).statement_id
    offer = signed(speech.transfer_offered(ALPHA, BETA, listing, license_id), ALPHA.key)
    transfer = (await client.submit(offer)).statement_id
    await client.submit(signed(speech.transfer_acknowledged(BETA, transfer), BETA.key))
    listed(liar, 3, 4, 5, 6)
    await client.history([listing])
    listed(liar, 3, 4, 5)
    with pytest.raises(FraudProven, match="leaves out entry 6") as caught:
        await client.history([listing])
    assert kind_of(caught, builder) == "left-out-of-history"


# Refusals


async def test_a_refusal_of_what_is_recorded(client: LedgerClient, liar: Liar, builder: LedgerBuilder) -> None:
    envelope = signed(builder.speech.listing_registered(ALPHA), ALPHA.key)
    await client.submit(envelope)
    liar.refuse = "wrong-role"
    with pytest.raises(FraudProven, match="it had recorded") as caught:
        await client.submit(envelope)
    assert kind_of(caught, builder) == "refusal-contradicts-log"


@pytest.mark.parametrize("reason", ["expired", "issued-in-future"])
async def test_a_refusal_that_denies_itself(
    client: LedgerClient, liar: Liar, builder: LedgerBuilder, reason: str
) -> None:
    liar.refuse = reason
    with pytest.raises(FraudProven, match=reason) as caught:
        await client.submit(signed(builder.speech.listing_registered(ALPHA), ALPHA.key))
    assert kind_of(caught, builder) == "refusal-contradicts-log"


async def test_a_refusal_that_may_be_right(client: LedgerClient, liar: Liar, builder: LedgerBuilder) -> None:
    late = signed(builder.speech.listing_registered(ALPHA, not_after_ms=START_MS), ALPHA.key)
    for reason, envelope in (("wrong-role", signed(builder.speech.listing_registered(ALPHA), ALPHA.key)),
                             ("expired", late)):  # fmt: skip
        liar.refuse = reason
        with pytest.raises(Problem) as caught:
            await client.submit(envelope)
        assert caught.value.refusal is not None


# Promises


async def promised(client: LedgerClient, liar: Liar, builder: LedgerBuilder) -> Envelope:
    liar.deadline_ms = DEADLINE_MS
    envelope = signed(builder.speech.listing_registered(ALPHA), ALPHA.key)
    with pytest.raises(Promised) as caught:
        await client.submit(envelope)
    liar.deadline_ms = 0
    assert (caught.value.statement_id, caught.value.deadline_ms) == (envelope.id, DEADLINE_MS)
    assert caught.value.kept is not None
    return envelope


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set this machine's clock past the deadline."""
    monkeypatch.setattr("time.time_ns", lambda: (DEADLINE_MS + 1) * 1_000_000)


async def test_a_promise_that_is_kept(client: LedgerClient, liar: Liar, builder: LedgerBuilder, vault: Vault) -> None:
    promise = await promised(client, liar, builder)
    assert [name for name, _ in vault.promises()] == [promise.id]
    builder.record(promise, DEADLINE_MS)
    await client.seen()
    assert vault.promises() == []
    assert vault.entry(promise.id) is not None


async def test_a_promise_is_not_broken_before_its_deadline(
    client: LedgerClient, liar: Liar, builder: LedgerBuilder, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time_ns", lambda: DEADLINE_MS * 1_000_000)
    await promised(client, liar, builder)
    await client.seen()
    assert len(vault.promises()) == 1


@pytest.mark.usefixtures("late")
async def test_a_promise_that_is_broken(client: LedgerClient, liar: Liar, builder: LedgerBuilder, vault: Vault) -> None:
    await promised(client, liar, builder)
    listed(liar)
    await client.seen()
    assert len(vault.promises()) == 1, "the log shows nothing of after the deadline yet"
    builder.record(signed(builder.speech.listing_registered(BETA), BETA.key), DEADLINE_MS + 1)
    with pytest.raises(FraudProven, match="promised to record") as caught:
        await client.seen()
    assert kind_of(caught, builder) == "omission-after-promise"
    await client.seen()
    assert vault.promises() == [], "it is told once"


class Occasion(NamedTuple):
    """What a contact with the ledger may need."""

    client: LedgerClient
    builder: LedgerBuilder
    vault: Vault
    url: str


async def by_entry(at: Occasion) -> None:
    await at.client.entry(1)


async def by_history(at: Occasion) -> None:
    await at.client.history(["gamma"])


async def by_submitting(at: Occasion) -> None:
    """Say two things: the first answer shows that the log has grown, and the second waits for the look."""
    for _ in range(2):
        await at.client.submit(signed(at.builder.speech.listing_registered(ALPHA), ALPHA.key))


async def by_a_stream(at: Occasion) -> None:
    for _ in range(2):
        envelopes = [signed(at.builder.speech.listing_registered(ALPHA), ALPHA.key)]
        _ = [result async for result in at.client.submit_many(envelopes)]


async def by_a_command(at: Occasion) -> None:
    """Any that speaks with the ledger, were it for what is only the operator's word."""
    policy = at.builder.policy()
    at.vault.keep_config(Config(key="/k", ledger_url=at.url, party="alpha", policy=policy, recovery_key="/r"))
    async with reading(at.vault.directory):
        raise AssertionError("nothing is done before it was looked")


@pytest.mark.usefixtures("late")
@pytest.mark.parametrize("contact", [by_entry, by_history, by_submitting, by_a_stream, by_a_command])
async def test_whatever_shows_a_head_is_an_occasion_to_look(
    client: LedgerClient,
    liar: Liar,
    builder: LedgerBuilder,
    vault: Vault,
    contact: Callable[[Occasion], Awaitable[None]],
) -> None:
    await promised(client, liar, builder)
    builder.record(signed(builder.speech.listing_registered(BETA), BETA.key), DEADLINE_MS + 1)
    listed(liar)
    with pytest.raises(FraudProven, match="promised to record") as caught:
        await contact(Occasion(client, builder, vault, liar.url))
    assert kind_of(caught, builder) == "omission-after-promise"


async def test_of_a_log_that_has_not_grown_nothing_is_asked_twice(
    client: LedgerClient, liar: Liar, builder: LedgerBuilder
) -> None:
    promise = await promised(client, liar, builder)
    asked: list[str] = []
    find = client.statement

    async def statement(statement_id: str) -> Recorded:
        asked.append(statement_id)
        return await find(statement_id)

    client.statement = statement  # type: ignore[method-assign]
    for _ in range(3):
        await client.entry(1)
    assert len(asked) <= 1
    builder.record(signed(builder.speech.listing_registered(BETA), BETA.key))
    asked.clear()
    for _ in range(2):
        await client.checkpoint()
    assert asked == [promise.id]


@pytest.mark.usefixtures("late")
async def test_a_ledger_that_lets_nothing_in_convicts_itself_by_a_refusal(
    client: LedgerClient, liar: Liar, builder: LedgerBuilder
) -> None:
    """No entry says that the deadline has passed, and a refusal that it signed since does."""
    await promised(client, liar, builder)
    listed(liar)
    builder.record(signed(builder.speech.listing_registered(BETA), BETA.key), DEADLINE_MS - 500)
    await client.checkpoint()
    liar.refuse = "wrong-role"
    with pytest.raises(Problem):
        await client.submit(signed(builder.speech.listing_registered(BETA), BETA.key))
    builder.record(signed(builder.speech.listing_registered(BETA), BETA.key), DEADLINE_MS)
    with pytest.raises(FraudProven, match="promised to record") as caught:
        await client.checkpoint()
    assert kind_of(caught, builder) == "omission-after-promise"


async def test_a_promise_that_is_kept_too_late(client: LedgerClient, liar: Liar, builder: LedgerBuilder) -> None:
    builder.record(await promised(client, liar, builder), DEADLINE_MS + 1)
    with pytest.raises(FraudProven, match="after the deadline") as caught:
        await client.seen()
    assert kind_of(caught, builder) == "omission-after-promise"


async def test_promises_in_a_stream(client: LedgerClient, liar: Liar, builder: LedgerBuilder, vault: Vault) -> None:
    liar.deadline_ms = DEADLINE_MS
    envelopes = [signed(builder.speech.listing_registered(ALPHA, f"Data {at}"), ALPHA.key) for at in range(3)]
    results = [result async for result in client.submit_many(envelopes)]
    assert [result.statement_id for result in results if isinstance(result, Promised)] == [
        item.id for item in envelopes
    ]
    assert len(vault.promises()) == 3


@pytest.mark.parametrize(
    "lie", [{"statement_id": "sha256:" + "ab" * 32}, {"deadline_ms": 1}, {"more": 1}, {"size": "3"}, {"ledger": "x"}]
)
async def test_a_promise_that_is_none(
    client: LedgerClient, liar: Liar, builder: LedgerBuilder, vault: Vault, lie: dict[str, Json]
) -> None:
    state = liar._state
    liar._state = lambda kind: state(kind) | lie  # type: ignore[method-assign]
    liar.deadline_ms = DEADLINE_MS if "deadline_ms" not in lie else 1
    if "statement_id" in lie:
        promise = liar._promise
        liar._promise = lambda statement_id: promise("sha256:" + "ab" * 32)  # type: ignore[method-assign] # noqa: ARG005
    with pytest.raises(ReceiptInvalid):
        await client.submit(signed(builder.speech.listing_registered(ALPHA), ALPHA.key))
    assert vault.promises() == []
