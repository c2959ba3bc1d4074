"""Registrations that the operator countersigns: it signs what it can check, or nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from ledger.party.acts import enrolment
from ledger.party.client.client import LedgerClient
from ledger.party.errors import ForkDetected, Unfit
from ledger.party.speaking.composing import DRAFT_LIFETIME_MS
from ledger.party.speaking.drafts import Draft, new_draft
from tests.harness.builder import LedgerBuilder
from tests.harness.people import key, person
from tests.party.answers.liar import Liar, serving

ALPHA = person("alpha")


@pytest.fixture
async def liar() -> AsyncIterator[Liar]:
    async with serving(LedgerBuilder(admission="operator")) as server:
        yield server


@pytest.fixture
async def client(liar: Liar) -> AsyncIterator[LedgerClient]:
    async with LedgerClient(liar.url, liar.policy) as client:
        yield client


@pytest.fixture
async def draft(client: LedgerClient, liar: Liar) -> Draft:
    return await enrolment.draft(client, "alpha", ALPHA.key, ALPHA.recovery, lambda: liar.builder.now_ms)


async def test_a_registration_is_admitted_as_it_was_drafted(client: LedgerClient, liar: Liar, draft: Draft) -> None:
    operator = liar.builder.operator.key
    statement = await enrolment.review(client, draft, [operator.public.keyid], lambda: liar.builder.now_ms)
    assert (statement.issuer, len(statement.introduced)) == ("alpha", 2)
    recorded = await enrolment.admit(client, draft, [operator], lambda: liar.builder.now_ms)
    assert recorded.statement_id == draft.envelope.id


async def test_a_registration_that_is_not_for_us_to_admit_is_not_signed(
    client: LedgerClient, liar: Liar, draft: Draft
) -> None:
    builder = liar.builder
    operator = builder.operator.key
    with pytest.raises(Unfit, match="alone"):
        await enrolment.admit(client, draft, [key("stranger")], lambda: builder.now_ms)
    with pytest.raises(Unfit, match="expired"):
        await enrolment.admit(client, draft, [operator], lambda: builder.now_ms + 2 * DRAFT_LIFETIME_MS)
    bare = new_draft(json.loads(draft.envelope.payload))
    with pytest.raises(Unfit, match="lacks"):
        await enrolment.admit(client, bare, [operator], lambda: builder.now_ms)
    for changes, error in (
        ({"ledger": "sha256:" + "0" * 64}, Unfit),
        ({"signers": sorted([*draft.statement.signers, "0" * 64])}, Unfit),
        ({"seen": {"root": "00" * 32, "size": 1}}, ForkDetected),
        ({"seen": {"root": "00" * 32, "size": 99}}, Unfit),
    ):
        bent = new_draft(json.loads(draft.envelope.payload) | changes).signed(ALPHA.key).signed(ALPHA.recovery)
        with pytest.raises(error):
            await enrolment.admit(client, bent, [operator], lambda: builder.now_ms)
    assert builder.size == 1
