"""How far a statement got, as the ledger says and as the witnesses' cosignatures show: told as it is, never better."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ledger.cli.kit.words import recorded_document, state_words
from ledger.core.dsse import Envelope
from ledger.core.encoding import Json
from ledger.core.policy import parse_policy
from ledger.party.client.client import LedgerClient
from ledger.party.errors import NotWitnessed, Problem, ReplyInvalid
from ledger.party.vault.vault import Vault
from tests.harness.builder import LedgerBuilder
from tests.harness.people import person
from tests.harness.speech import signed
from tests.harness.witness import Witness
from tests.party.answers.liar import Liar, serving

ALPHA = person("alpha")


@pytest.fixture
def builder() -> LedgerBuilder:
    builder = LedgerBuilder()
    builder.register(ALPHA)
    return builder


@pytest.fixture
async def liar(builder: LedgerBuilder) -> AsyncIterator[Liar]:
    async with serving(builder) as server:
        yield server


def listing(builder: LedgerBuilder) -> Envelope:
    return signed(builder.speech.listing_registered(ALPHA), ALPHA.key)


def says(liar: Liar, state: Json) -> None:
    """Have the ledger say how far each statement got, and each checkpoint of a stream."""

    def lie(path: str, answer: Json) -> Json:
        is_said = path == "/v1/statements" and ("receipt" in answer or "checkpoint" in answer)
        return answer | {"state": state} if is_said else answer

    liar.lie = lie


@pytest.mark.parametrize("state", ["recorded", "witnessed", None])
async def test_what_the_ledger_says_is_kept_and_shown_as_its_word(
    liar: Liar, builder: LedgerBuilder, state: str | None
) -> None:
    if state is not None:
        says(liar, state)
    async with LedgerClient(liar.url, liar.policy) as client:
        one = await client.submit(listing(builder))
        [many] = [result async for result in client.submit_many([listing(builder)])]
        read = await client.entry(one.index)
    assert not isinstance(many, Problem)
    assert (one.state, many.state, read.state) == (state, state, None)
    assert not one.is_quorate
    assert recorded_document(one)["state"] == state
    words = {
        "recorded": "recorded: in the log, on disk, and not cosigned",
        "witnessed": "witnessed, says the ledger",
        None: "None",
    }
    assert str(state_words(one)).startswith(words[state])


async def test_a_state_that_is_none_is_no_answer(liar: Liar, builder: LedgerBuilder) -> None:
    says(liar, "settled")
    async with LedgerClient(liar.url, liar.policy) as client:
        with pytest.raises(ReplyInvalid):
            await client.submit(listing(builder))
        with pytest.raises(ReplyInvalid):
            _ = [result async for result in client.submit_many([listing(builder)])]


async def test_witnesses_that_our_policy_asks_for_are_waited_for(
    liar: Liar, builder: LedgerBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger answers before they have cosigned: asked again, it has a later receipt; or it never has one."""
    witness, plain = Witness("w"), builder.checkpoint
    policy = parse_policy(builder.policy().replace("quorum none", f"{witness.policy_line}\nquorum w"))
    cosigned_at = 0

    def checkpoint(size: int | None = None) -> bytes:
        note = plain(size)
        return witness.cosign(note, builder.now_ms // 1000) if liar.posted >= cosigned_at else note

    monkeypatch.setattr(builder, "checkpoint", checkpoint)
    async with LedgerClient(liar.url, policy, Vault(tmp_path / "vault"), backoff_s=0.001) as client:
        await client.identity()
        cosigned_at = 3
        says(liar, "recorded")
        envelope = listing(builder)
        recorded = await client.submit(envelope)
        assert (liar.posted, recorded.duplicate, recorded.is_quorate) == (3, False, True)
        assert str(state_words(recorded)).startswith("witnessed: the witnesses that your policy asks for")
        cosigned_at = 1 << 30
        another = listing(builder)
        with pytest.raises(NotWitnessed) as caught:
            await client.submit(another)
        assert (caught.value.statement_id, caught.value.index) == (another.id, recorded.index + 1)
        cosigned_at = 0
        assert (await client.submit(another)).duplicate, "it was in the log all the time"
