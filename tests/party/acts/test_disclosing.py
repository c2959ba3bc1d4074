"""What was sealed is shown to whom its owner chooses, and is gone for ever once its salt is destroyed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ledger.core.commitment import Place, commit
from ledger.core.encoding import b64decode, canonical
from ledger.party.acts import disclosing, handoff, listings
from ledger.party.answers.recorded import Recorded
from ledger.party.client.client import LedgerClient
from ledger.party.errors import AlreadyThere, NeedsRules, Problem, Unfit, VaultDamaged
from ledger.party.speaking.speaker import Speaker
from ledger.party.vault.sealing import sealed_places
from ledger.party.vault.vault import Vault
from ledger.statements.parse import NEWEST_RULES
from tests.harness.builder import LedgerBuilder
from tests.harness.people import person
from tests.party.answers.liar import Liar, serving
from verifier.sealed.disclosures import parse_disclosures

SECRETS = ("The secret title", "secret holder", "keyword-one")
SEAL = ["/title", "/rights_holder", "/keywords/0", "/use/consents"]


@pytest.fixture(params=[NEWEST_RULES])
async def liar(request: pytest.FixtureRequest) -> AsyncIterator[Liar]:
    async with serving(LedgerBuilder(rules=request.param)) as server:
        yield server


@pytest.fixture
async def alpha(liar: Liar, tmp_path: Path) -> AsyncIterator[Speaker]:
    who = liar.builder.register(person("alpha"))
    liar.builder.register(person("beta"))
    vault = Vault(tmp_path / "alpha")
    client = LedgerClient(liar.url, liar.policy, vault, backoff_s=0.01)
    async with client:
        yield Speaker(client, vault, who.name, who.key, lambda: liar.builder.now_ms)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.csv"
    path.write_text("a,b\n1,2\n")
    return path


async def sealed_listing(alpha: Speaker, data: Path) -> Recorded:
    return await listings.register(
        alpha,
        [data],
        title=SECRETS[0],
        seal=SEAL,
        rights_holder=SECRETS[1],
        keywords=[SECRETS[2], "open"],
        use={"consents": "secret consents"},
    )


async def test_a_listing_is_sealed_in_places_and_opened_by_a_file(
    liar: Liar, alpha: Speaker, data: Path, tmp_path: Path
) -> None:
    recorded = await sealed_listing(alpha, data)
    public = b"".join(liar.builder.entries) + b"".join(
        b64decode(json.loads(raw)["statement"]["payload"]) for raw in liar.builder.entries
    )
    assert not [secret for secret in SECRETS if secret.encode() in public]
    assert b'"open"' in public
    path = tmp_path / "out.json"
    shown = await disclosing.hand_out(
        alpha, recorded.statement_id, ["/title", "/keywords/0"], whom="A judge", path=path
    )
    raw = path.read_bytes()
    document = json.loads(raw)
    assert raw == canonical(document) + b"\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert (document["for"], document["type"]) == ("A judge", "provenance-ledger.disclosures/v1")
    assert [item["value"] for item in document["disclosures"]] == [SECRETS[0], SECRETS[2]]
    assert SECRETS[1].encode() not in raw
    places = dict(sealed_places(json.loads(recorded.entry.envelope.payload)))
    for item in document["disclosures"]:
        place = Place(item["kind"], item["ledger"], item["issuer"], item["nonce"], item["pointer"])
        assert commit(place, item["salt"], item["value"]) == places[item["pointer"]]
        assert item["statement_id"] == recorded.statement_id
    theirs, whom = parse_disclosures(raw)
    assert (whom, [item.commitment() for item in theirs]) == ("A judge", [places["/title"], places["/keywords/0"]])
    handed = {place.kept.pointer: place.handed for place in await disclosing.places(alpha, recorded.statement_id)}
    assert [item.whom for item in handed["/title"]] == ["A judge"]
    assert handed["/rights_holder"] == ()
    assert len(shown) == 2
    with pytest.raises(AlreadyThere):
        await disclosing.hand_out(alpha, recorded.statement_id, ["/title"], whom="B", path=path)
    everything = await disclosing.hand_out(alpha, recorded.statement_id, [], whom="B", path=tmp_path / "all.json")
    assert sorted(item.pointer for item in everything) == sorted([*SEAL, "/content"])


async def test_what_is_not_ours_or_not_there_is_not_handed_out(alpha: Speaker, data: Path, tmp_path: Path) -> None:
    recorded = await sealed_listing(alpha, data)
    path = tmp_path / "out.json"
    with pytest.raises(Unfit, match="nothing of ours is sealed at /description"):
        await disclosing.hand_out(alpha, recorded.statement_id, ["/description"], whom="x", path=path)
    with pytest.raises(Unfit, match="holds nothing"):
        await disclosing.hand_out(alpha, "sha256:" + "0" * 64, ["/title"], whom="x", path=path)
    with pytest.raises(Unfit, match="one line"):
        await disclosing.hand_out(alpha, recorded.statement_id, ["/title"], whom="x\ny", path=path)
    entry = alpha.vault.directory / "entries" / f"{recorded.statement_id[7:]}.entry"
    entry.write_bytes(entry.read_bytes().replace(b'"index"', b'"indey"'))
    with pytest.raises(VaultDamaged):
        await disclosing.hand_out(alpha, recorded.statement_id, ["/title"], whom="x", path=path)
    assert not path.exists()
    assert all(not place.handed for place in await disclosing.places(alpha, recorded.statement_id))


async def test_no_network_is_needed_to_show_what_is_ours(
    liar: Liar, alpha: Speaker, data: Path, tmp_path: Path
) -> None:
    recorded = await sealed_listing(alpha, data)
    liar.fail = dict.fromkeys([f"/v1/statements/{recorded.statement_id}", "/checkpoint"], 500)
    await disclosing.hand_out(alpha, recorded.statement_id, ["/title"], whom="x", path=tmp_path / "out.json")


async def test_erasing_destroys_it_here_and_says_so_on_the_ledger(
    liar: Liar, alpha: Speaker, data: Path, tmp_path: Path
) -> None:
    recorded = await sealed_listing(alpha, data)
    said = await disclosing.erase(
        alpha, recorded.statement_id, ["/title", "/keywords/0"], basis="gdpr-17", method="overwritten"
    )
    assert said is not None
    statement = json.loads(said.entry.envelope.payload)
    assert statement["type"] == "erasure.attested"
    assert (statement["statement"], statement["pointers"]) == (recorded.statement_id, ["/keywords/0", "/title"])
    assert (statement["destroyed"], statement["basis"]) == (["salts"], "gdpr-17")
    with pytest.raises(Unfit, match="/title was erased"):
        await disclosing.hand_out(alpha, recorded.statement_id, ["/title"], whom="x", path=tmp_path / "out.json")
    left = await disclosing.hand_out(alpha, recorded.statement_id, [], whom="x", path=tmp_path / "out.json")
    assert sorted(item.pointer for item in left) == ["/content", "/rights_holder", "/use/consents"]
    places = {place.kept.pointer: place for place in await disclosing.places(alpha, recorded.statement_id)}
    assert (places["/title"].value, places["/rights_holder"].value) == (None, SECRETS[1])
    assert await disclosing.erase(alpha, recorded.statement_id, ["/use/consents"], basis="other", attest=False) is None
    assert liar.builder.size == said.index + 1


async def test_the_salt_of_a_hand_off_goes_with_its_manifest(alpha: Speaker, data: Path, tmp_path: Path) -> None:
    listing = await listings.register(alpha, [data], title="open")
    offered = await handoff.offer(
        alpha,
        [data],
        listing=listing.statement_id,
        license_id=None,
        recipient="beta",
        manifest_path=tmp_path / "m.json",
    )
    kept = alpha.vault.directory / "manifests" / f"{offered.statement_id[7:]}.json"
    assert kept.exists()
    await disclosing.erase(alpha, offered.statement_id, ["/content"], basis="contract")
    assert not kept.exists()


async def test_a_statement_that_the_ledger_refuses_leaves_nothing_to_disclose(alpha: Speaker) -> None:
    with pytest.raises(Problem) as refused:
        await alpha.say("listing.withdrawn", seal=["/reason"], listing="sha256:" + "0" * 64, reason="secret")
    assert refused.value.refusal is not None
    assert alpha.locker.places() == []


async def test_what_opens_a_statement_is_kept_before_it_is_sent(liar: Liar, alpha: Speaker, data: Path) -> None:
    liar.fail = {"/v1/statements": 500}
    with pytest.raises(Problem):
        await sealed_listing(alpha, data)
    assert sorted(place.pointer for place in alpha.locker.places()) == sorted([*SEAL, "/content"])


@pytest.mark.parametrize("liar", [1], indirect=True)
async def test_nothing_is_destroyed_where_it_could_not_be_attested(alpha: Speaker, data: Path) -> None:
    recorded = await listings.register(alpha, [data], title="open")
    with pytest.raises(NeedsRules):
        await disclosing.erase(alpha, recorded.statement_id, ["/content"], basis="other")
    assert len(alpha.locker.disclosures(recorded.statement_id)) == 1
    with pytest.raises(NeedsRules):
        await listings.register(alpha, [data], title="open", seal=["/title"])
