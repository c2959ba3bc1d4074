"""What the chain says after the honest story, and which entries concern whom (docs/format.md §12.3)."""

from __future__ import annotations

import json

import pytest

from ledger.registry.acceptance import Candidate, accept
from ledger.registry.facts import (
    Fact,
    KeyFact,
    LedgerFact,
    LicenseFact,
    ListingFact,
    PartyFact,
    TransferFact,
    View,
    key_key,
    party_key,
)
from ledger.registry.things import read_fact
from ledger.statements.parse import parse_statement
from tests.harness.forger import Scene
from tests.harness.speech import signed


@pytest.fixture
def scene() -> Scene:
    story = Scene()
    story.go_on()
    return story


def test_the_ledger(scene: Scene) -> None:
    fact = scene.view.ledger
    assert fact is not None
    assert (fact.id, fact.origin, fact.operator, fact.rules, fact.admission) == (
        scene.id,
        scene.origin,
        "operator",
        1,
        "open",
    )
    assert set(fact.reserved_keyids) == {scene.log_key.public.keyid, scene.service_key.public.keyid}


def test_parties_and_keys(scene: Scene) -> None:
    alice = scene.view.get(PartyFact, party_key("alice.example"))
    assert alice == PartyFact(
        1, "alice.example", [item.public.keyid for item in [*scene.alice.all_keys, scene.old_key]]
    )
    old = scene.view.get(KeyFact, key_key(scene.old_key.public.keyid))
    assert old is not None
    assert (old.index, old.party, old.use, old.revoked_index) == (4, "alice.example", "signing", 5)
    assert old.compromised_since_ms == scene.times[4] + 1001
    recovery = scene.view.get(KeyFact, key_key(scene.alice.recovery.public.keyid))
    assert recovery is not None
    assert (recovery.use, recovery.revoked_index) == ("recovery", None)


def test_things(scene: Scene) -> None:
    listing = scene.view.get(ListingFact, scene.listing)
    agreed = scene.view.get(LicenseFact, scene.license)
    done, late = scene.view.get(TransferFact, scene.done), scene.view.get(TransferFact, scene.open)
    assert listing is not None
    assert agreed is not None
    assert done is not None
    assert late is not None
    assert (listing.index, listing.issuer, listing.withdrawn_index) == (6, "alice.example", 12)
    assert (agreed.index, agreed.licensor, agreed.licensee) == (7, "alice.example", "bob.example")
    assert agreed.terms["purposes"] == ["research"]
    assert (done.state, done.decided_index, done.license) == ("acknowledged", 9, scene.license)
    assert (late.state, late.decided_index, late.recipient) == ("refused", 11, "bob.example")


def test_a_fact_is_found_by_its_kind_only(scene: Scene) -> None:
    assert scene.view.get(LicenseFact, scene.listing) is None
    assert scene.view.get(ListingFact, None) is None
    assert scene.view.get(LedgerFact, scene.listing) is None


def test_facts_read_back(scene: Scene) -> None:
    """A store keeps a kind and JSON; the fact comes back equal."""
    facts = list(scene.view._facts.values())
    assert {fact.kind for fact in facts} == {"ledger", "party", "key", "listing", "license", "transfer", "grant"}
    for fact in facts:
        again: Fact = read_fact(fact.kind, json.loads(json.dumps(fact.document())))
        assert again == fact
        assert again.key == fact.key


def test_what_an_entry_concerns(scene: Scene) -> None:
    """Itself, issuer, parties named, owners of the signers, and all that the things it names concern."""
    alice, bob = "alice.example", "bob.example"
    listing = {scene.listing, alice}
    agreed = {*listing, scene.license, bob}
    offered = {*agreed, scene.open}
    speech = scene.speech
    license_agreed = speech.license_agreed(scene.alice, scene.bob, scene.listing)
    transfer_offered = speech.transfer_offered(scene.carol, scene.bob, scene.listing)
    cases = [
        (speech.listing_withdrawn(scene.alice, scene.listing), [scene.alice.key], listing),
        (license_agreed, [scene.alice.key, scene.bob.key], {*listing, bob}),
        (speech.license_ended(scene.bob, scene.license), [scene.bob.key], agreed),
        (transfer_offered, [scene.carol.key], {*listing, bob, "carol"}),
        (speech.transfer_acknowledged(scene.bob, scene.open), [scene.bob.key], offered),
    ]
    for statement, keys, expected in cases:
        story = Scene()
        envelope = signed(statement, *keys)
        candidate = Candidate(parse_statement(envelope.payload, 1), envelope)
        subjects = accept(story.view, candidate, story.size, story.now_ms, story.root_at)
        assert subjects == sorted({*expected, envelope.id})


def test_a_changed_fact_is_marked_for_the_store(scene: Scene) -> None:
    view = View(scene.view._facts.values(), scene.view.recorded)
    assert view.changed == {}
    fact = view.get(ListingFact, scene.listing)
    assert fact is not None
    view.change(fact, withdrawn_index=99)
    assert list(view.changed) == [scene.listing]
    assert fact.withdrawn_index == 12
