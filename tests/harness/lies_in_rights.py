"""Lies about licenses, use, claims and erasure: each records one statement that had to be refused."""

# ruff: noqa: D401 - the docstring of a lie is what it says

from __future__ import annotations

from ledger.core.encoding import Json
from tests.harness.agreements import atomic, duration, fixed_members, rule
from tests.harness.forger import Expected
from tests.harness.scene_2 import Scene2, lie_2, lie_5
from tests.harness.speech import marks, sealed

ERASED: dict[str, Json] = {"basis": "contract", "destroyed": ["data"]}


def _refused_terms(scene: Scene2, rules: dict[str, Json], reason: str) -> list[Expected]:
    terms = fixed_members(scene.listing, "alice.example", "bob.example") | rules
    statement = scene.speech.license_agreed(scene.alice, scene.bob, scene.listing, terms=terms)
    return [(scene.force_said(statement, scene.alice.key, scene.bob.key), "fields", reason)]


@lie_2
def contradictory_terms(scene: Scene2) -> list[Expected]:
    """A license that permits more than three uses of at most three."""
    constraints = [atomic("count", "gt", 3), atomic("count", "lteq", 3)]
    return _refused_terms(scene, {"permission": [rule("use", *constraints)]}, "contradictory-terms")


@lie_2
def permission_taken_away(scene: Scene2) -> list[Expected]:
    """A license that permits training and prohibits it."""
    rules: dict[str, Json] = {"permission": [rule("train")], "prohibition": [rule("use")]}
    return _refused_terms(scene, rules, "contradictory-terms")


@lie_2
def unjudgeable_terms(scene: Scene2) -> list[Expected]:
    """A license for a month, which has no fixed length."""
    month = atomic("elapsedTime", "lteq", duration("P1M"))
    return _refused_terms(scene, {"permission": [rule("use", month)]}, "unjudgeable-terms")


@lie_2
def another_conflict_strategy(scene: Scene2) -> list[Expected]:
    """A license whose permissions win over its prohibitions."""
    return _refused_terms(scene, {"permission": [rule("use")], "conflict": "perm"}, "wrong-value")


@lie_2
def terms_of_another_listing(scene: Scene2) -> list[Expected]:
    """Terms that name another listing than the license does."""
    rules: dict[str, Json] = {"permission": [rule("use")], "target": f"urn:provenance-ledger:{scene.second}"}
    return _refused_terms(scene, rules, "wrong-value")


@lie_2
def ended_license_amended(scene: Scene2) -> list[Expected]:
    """A license that ended is given more time."""
    at = scene.lie("license.amended", scene.alice, scene.carol, license=scene.ended, valid_until_ms=2**53 - 1)
    return [(at, "reference", "already-decided")]


@lie_2
def license_amended_by_one_side(scene: Scene2) -> list[Expected]:
    """The licensor alone shortens the term."""
    at = scene.lie("license.amended", scene.alice, license=scene.license, valid_until_ms=scene.now_ms)
    return [(at, "signers", "wrong-signers")]


@lie_2
def license_amended_with_a_stranger(scene: Scene2) -> list[Expected]:
    """Two people who are not both party to a license amend it."""
    at = scene.lie("license.amended", scene.alice, scene.carol, license=scene.license, forum="Zug")
    return [(at, "signers", "wrong-signers")]


@lie_2
def amended_to_end_before_it_begins(scene: Scene2) -> list[Expected]:
    """An amendment after which the term is empty."""
    at = scene.lie("license.amended", scene.alice, scene.bob, license=scene.license, valid_until_ms=1)
    return [(at, "reference", "wrong-value")]


@lie_2
def sublicense_by_a_stranger(scene: Scene2) -> list[Expected]:
    """Carol grants what was licensed to bob."""
    fields = scene.license_fields(scene.carol, scene.court)
    return [(scene.lie("license.agreed", scene.carol, scene.court, **fields), "reference", "wrong-role")]


@lie_2
def sublicense_of_another_listing(scene: Scene2) -> list[Expected]:
    """Bob grants on one listing what he has on another."""
    terms = fixed_members(scene.second, "bob.example", "carol") | {"permission": [rule("use")]}
    fields = scene.license_fields(scene.bob, scene.carol, listing=scene.second, terms=terms)
    return [(scene.lie("license.agreed", scene.bob, scene.carol, **fields), "reference", "wrong-value")]


@lie_2
def use_reported_by_a_stranger(scene: Scene2) -> list[Expected]:
    """Carol reports a use under bob's license."""
    at = scene.lie("usage.reported", scene.carol, license=scene.license, action="use")
    return [(at, "reference", "wrong-role")]


@lie_2
def use_of_anothers_copy(scene: Scene2) -> list[Expected]:
    """Carol reports, under her own license, the use of a copy that bob received."""
    at = scene.lie("usage.reported", scene.carol, license=scene.sub, transfer=scene.copy, action="use")
    return [(at, "reference", "wrong-role")]


@lie_2
def unknown_action(scene: Scene2) -> list[Expected]:
    """A use of a kind that no table knows."""
    at = scene.lie("usage.reported", scene.bob, license=scene.license, action="enjoy")
    return [(at, "fields", "wrong-value")]


@lie_2
def forwarded_by_a_stranger(scene: Scene2) -> list[Expected]:
    """Carol says that she handed on what bob received."""
    at = scene.lie("transfer.forwarded", scene.carol, transfer=scene.copy, recipient="court")
    return [(at, "reference", "wrong-role")]


@lie_2
def forwarded_to_two(scene: Scene2) -> list[Expected]:
    """One hand-off to a party and to somebody who is none."""
    at = scene.lie("transfer.forwarded", scene.bob, transfer=scene.copy, recipient="carol", outsider="Somebody")
    return [(at, "fields", "unknown-field")]


@lie_2
def compelled_to_disclose_anothers_copy(scene: Scene2) -> list[Expected]:
    """Carol was compelled to hand out a copy that she has not."""
    fields: dict[str, Json] = {"transfer": scene.copy, "authority": "Court", "instrument": "Order"}
    return [(scene.lie("disclosure.compelled", scene.carol, **fields), "reference", "wrong-role")]


@lie_2
def claim_by_a_stranger(scene: Scene2) -> list[Expected]:
    """Carol claims under a license that is not hers."""
    fields: dict[str, Json] = {"license": scene.license, "respondent": "bob.example", "clause": "1"}
    return [(scene.lie("claim.opened", scene.carol, **fields), "reference", "wrong-role")]


@lie_2
def tribunal_in_its_own_cause(scene: Scene2) -> list[Expected]:
    """A claim that the claimant is to decide."""
    fields: dict[str, Json] = {"license": scene.license, "respondent": "bob.example", "clause": "1"}
    at = scene.lie("claim.opened", scene.alice, tribunal="alice.example", **fields)
    return [(at, "reference", "same-party")]


@lie_2
def claim_decided_by_a_stranger(scene: Scene2) -> list[Expected]:
    """Carol, who is no tribunal, upholds alice's claim."""
    at = scene.lie("claim.determined", scene.carol, claim=scene.claim, outcome="upheld")
    return [(at, "reference", "wrong-role")]


@lie_2
def claim_upheld_by_the_claimant(scene: Scene2) -> list[Expected]:
    """Alice upholds her own claim."""
    at = scene.lie("claim.determined", scene.alice, claim=scene.claim, outcome="upheld")
    return [(at, "reference", "wrong-role")]


@lie_2
def claim_settled_by_one_side(scene: Scene2) -> list[Expected]:
    """Alice settles with bob, without him."""
    at = scene.lie("claim.determined", scene.alice, claim=scene.claim, outcome="settled")
    return [(at, "signers", "wrong-signers")]


@lie_2
def claim_answered_twice(scene: Scene2) -> list[Expected]:
    """Alice, who denied, admits."""
    at = scene.lie("claim.answered", scene.alice, claim=scene.answered, position="admitted")
    return [(at, "reference", "already-decided")]


@lie_2
def erased_under_a_hold(scene: Scene2) -> list[Expected]:
    """Bob attests that he destroyed what a claim orders him to keep."""
    return [(scene.lie("erasure.attested", scene.bob, license=scene.license, **ERASED), "reference", "legal-hold")]


@lie_2
def erased_under_a_hold_on_its_license(scene: Scene2) -> list[Expected]:
    """A hold on a license is one on every transfer under it."""
    return [(scene.lie("erasure.attested", scene.bob, transfer=scene.copy, **ERASED), "reference", "legal-hold")]


@lie_2
def salts_erased_under_a_hold(scene: Scene2) -> list[Expected]:
    """Alice attests that nobody can open the terms any more that her claim is about."""
    own = {"basis": "other", "destroyed": ["salts"], "pointers": ["/terms/permission/0/constraint/0"]}
    return [(scene.lie("erasure.attested", scene.alice, statement=scene.license, **own), "reference", "legal-hold")]


@lie_2
def salts_of_a_hand_off_erased_under_a_hold(scene: Scene2) -> list[Expected]:
    """A hold on a license is one on every transfer under it, and on what opens that."""
    own = {"basis": "other", "destroyed": ["salts"], "pointers": ["/content"]}
    return [(scene.lie("erasure.attested", scene.alice, statement=scene.copy, **own), "reference", "legal-hold")]


@lie_2
def erased_for_another_request(scene: Scene2) -> list[Expected]:
    """Carol answers, for her own license, a request about bob's copy."""
    at = scene.lie("erasure.attested", scene.carol, license=scene.sub, request=scene.request, **ERASED)
    return [(at, "reference", "wrong-value")]


@lie_2
def erasure_asked_for_by_the_recipient(scene: Scene2) -> list[Expected]:
    """Bob asks himself to erase."""
    at = scene.lie("erasure.requested", scene.bob, transfer=scene.copy, basis="contract", erase_by_ms=0)
    return [(at, "reference", "wrong-role")]


@lie_2
def listing_amended_by_a_stranger(scene: Scene2) -> list[Expected]:
    """Bob changes what alice says about her data."""
    at = scene.lie("listing.amended", scene.bob, listing=scene.listing, version="2")
    return [(at, "reference", "wrong-role")]


@lie_2
def derived_from_nothing(scene: Scene2) -> list[Expected]:
    """A listing made from one that does not exist."""
    fields: dict[str, Json] = {"title": "Made", "content": sealed("x"), "derived_from": ["sha256:" + "0" * 64]}
    return [(scene.lie("listing.registered", scene.bob, **fields), "reference", "unknown-reference")]


@lie_2
def status_of_nobody(scene: Scene2) -> list[Expected]:
    """A venue that nobody registered is said to be closed."""
    at = scene.lie("venue.status", scene.bob, venue="nowhere.example", status="closed")
    return [(at, "reference", "unknown-party")]


@lie_2
def sealed_date(scene: Scene2) -> list[Expected]:
    """An offer whose last day for an acknowledgement nobody can read: by such a time the ledger decides."""
    fields: dict[str, Json] = {"listing": scene.listing, "recipient": "bob.example", "content": sealed("x")}
    at = scene.lie("transfer.offered", scene.alice, acknowledge_by_ms=sealed("when"), **fields)
    return [(at, "fields", "wrong-type")]


@lie_2
def sealed_terms(scene: Scene2) -> list[Expected]:
    """A license of which nobody can read anything."""
    statement = scene.speech.license_agreed(scene.alice, scene.bob, scene.listing, terms=sealed("terms"))
    at = scene.force_said(statement, scene.alice.key, scene.bob.key)
    return [(at, "fields", "missing-field")]


@lie_2
def sealed_action(scene: Scene2) -> list[Expected]:
    """A permission to do what nobody can read."""
    return _refused_terms(scene, {"permission": [{"action": sealed("action")}]}, "wrong-type")


def _marked(scene: Scene2, said: Json) -> int:
    offer = scene.speech.transfer_offered(scene.alice, scene.bob, scene.listing, scene.license, marks=said)
    return scene.force_said(offer, scene.alice.key)


@lie_5
def marks_in_the_open(scene: Scene2) -> list[Expected]:
    """Who reads the ledger could take the marks out of a copy: they are sealed, always."""
    return [(_marked(scene, marks(seal=["0101"])), "fields", "wrong-type")]


@lie_5
def marks_sealed_as_a_whole(scene: Scene2) -> list[Expected]:
    """A bound that is shown only once somebody is accused is no bound."""
    return [(_marked(scene, sealed("marks")), "fields", "missing-field")]


@lie_5
def marks_whose_bound_is_sealed(scene: Scene2) -> list[Expected]:
    """The same, of one member."""
    return [(_marked(scene, marks(bound=sealed("bound"))), "fields", "wrong-type")]


@lie_5
def marks_by_no_method(scene: Scene2) -> list[Expected]:
    """A method that nobody can check."""
    return [(_marked(scene, marks(method="secret")), "fields", "wrong-value")]
