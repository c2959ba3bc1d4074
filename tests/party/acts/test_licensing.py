"""Licenses: two parties pass a file; neither can make the other sign something else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.core.dsse import statement_id
from ledger.core.encoding import Json, canonical
from ledger.core.errors import FormatError
from ledger.party.acts import licensing
from ledger.party.acts.licensing import Deal
from ledger.party.acts.terms import Wishes
from ledger.party.answers.recorded import Recorded
from ledger.party.client.client import LedgerClient
from ledger.party.errors import ForkDetected, NeedsRules, Unfit
from ledger.party.speaking.composing import DRAFT_LIFETIME_MS
from ledger.party.speaking.countersigning import submit_draft
from ledger.party.speaking.drafts import Draft, new_draft, read_draft, write_draft
from ledger.party.speaking.speaker import Speaker
from ledger.party.vault.sealing import seal_fields
from ledger.party.vault.vault import Vault
from ledger.statements import version_1
from ledger.statements.license import LicenseAgreed, LicenseAmended
from ledger.statements.parse import NEWEST_RULES
from tests.harness.builder import LedgerBuilder
from tests.harness.people import Person, person
from tests.party.answers.liar import Liar, serving

DEAL = Deal(valid_from_ms=1, valid_until_ms=2, wishes=Wishes(purposes=["research"]))
SECRET = "/terms/permission/0/constraint/0/rightOperand"


@pytest.fixture(params=[1, NEWEST_RULES])
async def liar(request: pytest.FixtureRequest) -> AsyncIterator[Liar]:
    async with serving(LedgerBuilder(rules=request.param)) as server:
        yield server


@pytest.fixture
def rules(liar: Liar) -> int:
    return liar.builder.rules


newest_version_only = pytest.mark.parametrize("liar", [NEWEST_RULES], indirect=True)
"""For what version 1 knows nothing of."""


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
    return await licensing.draft(sides[0], listing, "beta", DEAL)


Sides = tuple[Speaker, Speaker, Speaker]


async def test_two_parties_sign_one_file(liar: Liar, sides: Sides, draft: Draft, tmp_path: Path) -> None:
    alpha, beta, gamma = sides
    path = tmp_path / "license.json"
    write_draft(path, draft, new=True)
    for speaker in (alpha, beta):
        current = read_draft(path)
        reviewed = await licensing.review(speaker, current)
        assert reviewed.listing.title == "Airports"
        assert (reviewed.licensor, reviewed.licensee) == ("alpha", "beta")
        assert "research" in str(reviewed.opened.terms)
        with pytest.raises(Unfit, match="not signed yet"):
            await submit_draft(speaker, current, licensing.review)
        write_draft(path, await speaker.sign_draft(current), new=False)
    with pytest.raises(Unfit):
        await licensing.review(gamma, read_draft(path))
    recorded = await submit_draft(beta, read_draft(path), licensing.review)
    assert recorded.statement_id == draft.envelope.id
    assert len(recorded.entry.envelope.signatures) == 2
    assert liar.builder.size == recorded.index + 1


async def test_the_licensee_may_draft_too_and_a_third_party_may_not(liar: Liar, sides: Sides, draft: Draft) -> None:
    _, beta, gamma = sides
    listing = draft.statement.listing  # type: ignore[attr-defined]
    assert (await licensing.review(beta, draft)).listing.title == "Airports"
    drafted = await licensing.draft(beta, listing, "beta", DEAL)
    assert drafted.statement.issuer == "alpha"
    assert drafted.statement.signers == draft.statement.signers
    with pytest.raises(Unfit):
        await licensing.draft(gamma, listing, "beta", DEAL)
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
        set_at("statement", "not_after_ms", value=2**50),
        set_at("statement", "nonce", value="A" * 22 + "=="),
        set_at("statement", "terms", value={"purposes": ["anything"], "valid_from_ms": 1, "valid_until_ms": 2}),
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


async def both_sign(sides: Sides, drafted: Draft, tmp_path: Path) -> Recorded:
    """Pass the draft from one side to the other as a file, and have it recorded."""
    path = tmp_path / f"{drafted.envelope.id[7:]}.json"
    write_draft(path, drafted, new=True)
    for speaker in sides[:2]:
        current = read_draft(path)
        await licensing.review(speaker, current)
        write_draft(path, await speaker.sign_draft(current), new=False)
    return await submit_draft(sides[0], read_draft(path), licensing.review)


async def test_what_version_1_cannot_say_is_said_to_need_version_2(sides: Sides, draft: Draft, rules: int) -> None:
    listing = draft.statement.listing  # type: ignore[attr-defined]
    if rules > 1:
        assert isinstance(draft.statement, LicenseAgreed)
        return
    assert isinstance(draft.statement, version_1.LicenseAgreed)
    for more in (
        Deal(1, 2, Wishes(regions=["EU"], purposes=["x"])),
        Deal(1, 2, Wishes(purposes=["x"]), forum="here"),
        Deal(1, 2, rules={"permission": [{"action": "use"}]}),
    ):
        with pytest.raises(NeedsRules) as error:
            await licensing.draft(sides[0], listing, "beta", more)
        assert (error.value.rules, error.value.needed) == (1, 2)
    with pytest.raises(NeedsRules):
        await licensing.end(sides[0], listing, code="breach")


@newest_version_only
async def test_a_sealed_term_is_seen_by_those_who_sign_and_by_nobody_else(
    liar: Liar, sides: Sides, draft: Draft, tmp_path: Path
) -> None:
    alpha, beta, _ = sides
    listing = draft.statement.listing  # type: ignore[attr-defined]
    deal = Deal(1, 2, Wishes(purposes=["secret-project-x"]), governing_law="secret law")
    drafted = await licensing.draft(alpha, listing, "beta", deal, seal=[SECRET, "/governing_law"])
    assert b"secret" not in drafted.envelope.payload
    reviewed = await licensing.review(beta, drafted)
    assert "secret-project-x" in str(reviewed.opened.terms)
    recorded = await both_sign(sides, drafted, tmp_path)
    assert b"secret" not in b"".join(liar.builder.entries)
    for speaker in (alpha, beta):
        kept = {item.pointer: item.value for item in speaker.locker.disclosures(recorded.statement_id)}
        assert kept == {SECRET: ["secret-project-x"], "/governing_law": "secret law"}


@newest_version_only
async def test_nobody_signs_what_it_has_not_seen(sides: Sides, draft: Draft, tmp_path: Path) -> None:
    alpha = sides[0]
    listing = draft.statement.listing  # type: ignore[attr-defined]
    drafted = await licensing.draft(alpha, listing, "beta", DEAL, seal=[SECRET])
    path = tmp_path / "draft.json"
    write_draft(path, drafted, new=True)
    whole = json.loads(path.read_bytes())

    def refused(change: Callable[[Json], None], words: str) -> None:
        document = json.loads(json.dumps(whole))
        change(document)
        path.write_text(json.dumps(document))
        with pytest.raises(Unfit, match=words):
            read_draft(path)

    refused(lambda document: document.pop("disclosures"), "without showing it")
    refused(lambda document: document["disclosures"].append(document["disclosures"][0]), "twice")
    refused(lambda document: document["disclosures"][0].update(value=["other"]), "does not open")
    refused(lambda document: document["disclosures"][0].update(salt="A" * 22 + "=="), "does not open")
    refused(lambda document: document["disclosures"][0].update(pointer="/forum"), "does not open")
    assert len(alpha.locker.places()) == 0


@newest_version_only
async def test_a_sealed_value_of_the_wrong_form_is_found_by_who_reads_the_draft(
    sides: Sides, draft: Draft, tmp_path: Path
) -> None:
    alpha = sides[0]
    listing = draft.statement.listing  # type: ignore[attr-defined]
    frame = await alpha.frame(DRAFT_LIFETIME_MS)
    fields = DEAL.fields(listing, "alpha", "beta")
    statement = frame.statement("license.agreed", draft.statement.signers, listing=listing, licensee="beta", **fields)
    statement["terms"]["permission"][0]["constraint"][0]["rightOperand"] = 7
    path = tmp_path / "draft.json"
    sealed, openings = seal_fields(statement, [SECRET])
    with pytest.raises(FormatError, match="unjudgeable-terms"):
        new_draft(sealed, openings)
    made = [opening.disclosure(statement_id(canonical(sealed))).model_dump() for opening in openings]
    file = {"disclosures": made, "signatures": [], "statement": sealed, "type": "provenance-ledger.draft/v1"}
    path.write_bytes(canonical(file))
    with pytest.raises(Unfit, match="unjudgeable-terms"):
        read_draft(path)


@pytest.mark.parametrize(
    "pointer", ["/licensee", "/terms", "/valid_until_ms", "/terms/permission/0/action", "/terms/target", "/parent"]
)
@newest_version_only
async def test_what_the_ledger_decides_by_cannot_be_sealed(sides: Sides, draft: Draft, pointer: str) -> None:
    with pytest.raises(Unfit, match=r"cannot be sealed|nothing at"):
        await licensing.draft(sides[0], draft.statement.listing, "beta", DEAL, seal=[pointer])  # type: ignore[attr-defined]


@newest_version_only
async def test_contradictory_terms_are_refused_before_anybody_signs(sides: Sides, draft: Draft) -> None:
    deal = Deal(1, 2, Wishes(actions=["train"], prohibited=["use"]))
    with pytest.raises(FormatError, match="contradictory-terms: /terms/permission/0"):
        await licensing.draft(sides[0], draft.statement.listing, "beta", deal)  # type: ignore[attr-defined]


@newest_version_only
async def test_both_sides_amend_a_license_and_either_may_draft_it(sides: Sides, draft: Draft, tmp_path: Path) -> None:
    alpha, beta, gamma = sides
    agreed = await both_sign(sides, draft, tmp_path)
    drafted = await licensing.amend(beta, agreed.statement_id, Deal(valid_until_ms=9, forum="there"), seal=["/forum"])
    assert drafted.statement.issuer == "beta"
    reviewed = await licensing.review(alpha, drafted)
    assert isinstance(reviewed.opened, LicenseAmended)
    assert (reviewed.opened.valid_until_ms, reviewed.opened.forum) == (9, "there")
    assert reviewed.agreed is not None
    assert reviewed.agreed.model_dump() == agreed.statement.model_dump()
    with pytest.raises(Unfit):
        await licensing.review(gamma, drafted)
    with pytest.raises(Unfit):
        await licensing.amend(gamma, agreed.statement_id, Deal(valid_until_ms=9))
    recorded = await both_sign(sides, drafted, tmp_path)
    assert recorded.statement.type == "license.amended"
    ended = await licensing.end(alpha, agreed.statement_id, "secret quarrel", seal=["/reason"])
    assert (ended.statement.code, type(ended.statement.reason).__name__) == ("other", "Sealed")  # type: ignore[attr-defined]


@newest_version_only
async def test_a_sub_license_is_drafted_by_the_licensee_above_it(sides: Sides, draft: Draft, tmp_path: Path) -> None:
    alpha, beta, gamma = sides
    agreed = await both_sign(sides, draft, tmp_path)
    deal = Deal(1, 2, Wishes(purposes=["research"]), parent=agreed.statement_id)
    listing = draft.statement.listing  # type: ignore[attr-defined]
    drafted = await licensing.draft(beta, listing, "gamma", deal)
    assert (drafted.statement.issuer, drafted.statement.type) == ("beta", "license.agreed")
    recorded = await both_sign((beta, gamma, alpha), drafted, tmp_path)
    assert recorded.statement.parent == agreed.statement_id  # type: ignore[attr-defined]
    with pytest.raises(Unfit, match="between beta and gamma"):
        await licensing.draft(alpha, listing, "gamma", deal)
