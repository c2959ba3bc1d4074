"""Licenses: two parties pass a file; neither can make the other sign something else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.core.encoding import Json
from ledger.party import licensing
from ledger.party.client import LedgerClient
from ledger.party.composing import DRAFT_LIFETIME_MS
from ledger.party.drafts import Draft, new_draft, read_draft, write_draft
from ledger.party.errors import ForkDetected, Unfit
from ledger.party.speaker import Speaker
from ledger.party.vault import Vault
from ledger.statements.license import Terms
from tests.harness.builder import LedgerBuilder
from tests.harness.people import Person, person
from tests.party.liar import Liar, serving

TERMS = Terms(purposes=["research"], valid_from_ms=1, valid_until_ms=2)


@pytest.fixture
async def liar() -> AsyncIterator[Liar]:
    async with serving(LedgerBuilder()) as server:
        yield server


@pytest.fixture
async def sides(liar: Liar, tmp_path: Path) -> AsyncIterator[tuple[Speaker, Speaker, Speaker]]:
    def speaker(who: Person) -> Speaker:
        vault = Vault(tmp_path / who.name)
        client = LedgerClient(liar.url, liar.policy, vault, backoff_s=0.01)
        return Speaker(client, vault, who.name, who.key, lambda: liar.builder.now_ms)

    alpha, beta, gamma = (speaker(liar.builder.register(person(name))) for name in ("alpha", "beta", "gamma"))
    async with alpha.client, beta.client, gamma.client:
        yield alpha, beta, gamma


@pytest.fixture
async def draft(liar: Liar, sides: tuple[Speaker, Speaker, Speaker]) -> Draft:
    alpha = person("alpha")
    listing = liar.builder.say(liar.builder.speech.listing_registered(alpha), alpha.key)
    return await licensing.draft(sides[0], listing, "beta", TERMS)


Sides = tuple[Speaker, Speaker, Speaker]


async def test_two_parties_sign_one_file(liar: Liar, sides: Sides, draft: Draft, tmp_path: Path) -> None:
    alpha, beta, gamma = sides
    path = tmp_path / "license.json"
    write_draft(path, draft, new=True)
    for speaker in (alpha, beta):
        current = read_draft(path)
        statement, listing = await licensing.review(speaker, current)
        assert (statement.terms, listing.title) == (TERMS, "Airports")
        with pytest.raises(Unfit, match="not signed yet"):
            await licensing.submit(speaker, current)
        write_draft(path, current.signed(speaker.key), new=False)
    with pytest.raises(Unfit):
        await licensing.review(gamma, read_draft(path))
    recorded = await licensing.submit(beta, read_draft(path))
    assert recorded.statement_id == draft.envelope.id
    assert len(recorded.entry.envelope.signatures) == 2
    assert liar.builder.size == recorded.index + 1


async def test_the_licensee_may_draft_too_and_a_third_party_may_not(liar: Liar, sides: Sides, draft: Draft) -> None:
    _, beta, gamma = sides
    listing = (await licensing.review(beta, draft))[0].listing
    drafted = await licensing.draft(beta, listing, "beta", TERMS)
    assert drafted.statement.issuer == "alpha"
    assert drafted.statement.signers == draft.statement.signers
    with pytest.raises(Unfit):
        await licensing.draft(gamma, listing, "beta", TERMS)
    assert liar.builder.size > 0


def set_at(*path: str, value: Any) -> Callable[[Json], None]:
    def change(document: Json) -> None:
        for name in path[:-1]:
            document = document[name]
        document[path[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        set_at("statement", "terms", "purposes", value=["anything"]),
        set_at("statement", "ledger", value="sha256:" + "0" * 64),
        set_at("statement", "licensee", value="gamma"),
        set_at("statement", "issuer", value="beta"),
        set_at("statement", "extra", value=1),
        set_at("statement", "type", value="license.ended"),
        set_at("signatures", value=[{"keyid": "0" * 64, "sig": "A" * 86 + "=="}]),
        set_at("payload", value="e30="),
        set_at("type", value="other"),
    ],
)
async def test_a_draft_that_was_changed_on_its_way_is_not_signed(
    sides: Sides, draft: Draft, tmp_path: Path, change: Callable[[Json], None]
) -> None:
    alpha, beta, _ = sides
    path = tmp_path / "license.json"
    write_draft(path, draft.signed(alpha.key), new=True)
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(Unfit):
        await licensing.review(beta, read_draft(path))


async def test_an_expired_draft_and_one_for_another_key_are_not_signed(liar: Liar, sides: Sides, draft: Draft) -> None:
    _, beta, gamma = sides
    late = Speaker(beta.client, beta.vault, "beta", beta.key, lambda: liar.builder.now_ms + 2 * DRAFT_LIFETIME_MS)
    with pytest.raises(Unfit, match="expired"):
        await licensing.review(late, draft)
    with pytest.raises(Unfit, match="another key"):
        await licensing.review(Speaker(beta.client, beta.vault, "beta", gamma.key, beta.clock), draft)


async def test_a_draft_that_saw_another_history_shows_the_fork(liar: Liar, sides: Sides, draft: Draft) -> None:
    alpha, beta, _ = sides
    frame = await alpha.frame(DRAFT_LIFETIME_MS)
    statement = json.loads(draft.envelope.payload)
    statement["seen"] = {"root": "00" * 32, "size": 2}
    assert frame.seen == liar.builder.head()
    with pytest.raises(ForkDetected):
        await licensing.review(beta, new_draft(statement))
