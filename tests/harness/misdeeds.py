"""What parties do wrong on a sound ledger (docs/statements.md §10): nothing is false, it is recorded, and it is found.

Each misdeed is told once to an honest scene, by statements that the ledger has to take.
"""

# ruff: noqa: D401 - the docstring of a misdeed is what it says

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ledger.core.encoding import Json
from tests.harness.agreements import atomic, duration, fixed_members, rule, use_permitted
from tests.harness.people import Person
from tests.harness.scene_2 import Scene2
from tests.harness.speech import DAY_MS, drawn_marks, sealed, signed


class Found(NamedTuple):
    """A finding that a misdeed must cause: the entry it is about, what it is called, and who did it."""

    at: int
    slug: str
    party: str


Misdeed = Callable[[Scene2], Found]
MISDEEDS: list[Misdeed] = []
ALICE, BOB, CAROL = "alice.example", "bob.example", "carol"


def misdeed(tell: Misdeed) -> Misdeed:
    """Add a misdeed to the list."""
    MISDEEDS.append(tell)
    return tell


def _drawn(scene: Scene2, **fields: Json) -> str:
    """Have alice prepare, and bob ask for, a copy; return the preparation's id."""
    prepared = scene.prepare(**fields)
    scene.ask(prepared)
    return prepared


def _offer(scene: Scene2, slug: str, license_id: str | None, by: Person, to: Person, **fields: Json) -> Found:
    scene.say(scene.speech.transfer_offered(by, to, scene.listing, license_id, **fields), by.key)
    return Found(scene.size - 1, slug, by.name)


def _license(scene: Scene2, rules: dict[str, Json], **fields: Json) -> str:
    """Let alice license to bob under these rules."""
    terms = fixed_members(scene.listing, ALICE, BOB) | rules
    statement = scene.speech.license_agreed(scene.alice, scene.bob, scene.listing, terms=terms, **fields)
    return scene.say(statement, scene.alice.key, scene.bob.key)


def _use(scene: Scene2, slug: str, license_id: str, **fields: Json) -> Found:
    scene.tell("usage.reported", scene.bob, license=license_id, **fields)
    return Found(scene.size - 1, slug, BOB)


def _offered(scene: Scene2, license_id: str) -> str:
    """Let alice offer bob a copy under a license."""
    offer = scene.speech.transfer_offered(scene.alice, scene.bob, scene.listing, license_id)
    return scene.say(offer, scene.alice.key)


def _received(scene: Scene2, license_id: str) -> str:
    """Let bob hold a copy under a license."""
    copy = _offered(scene, license_id)
    scene.tell("transfer.acknowledged", scene.bob, transfer=copy, content=sealed("received"))
    return copy


def _wait(scene: Scene2, days: int) -> None:
    """Let days pass, in which nobody says anything but that a venue operates."""
    scene.speech.now_ms = scene.now_ms + days * DAY_MS
    statement = scene.said("venue.status", scene.alice, venue=ALICE, status="operating")
    scene.record(signed(statement, scene.alice.key), scene.speech.now_ms)


@misdeed
def handed_over_without_a_license(scene: Scene2) -> Found:
    """Alice offers data to bob, and no license says that he may have them."""
    return _offer(scene, "transfer-without-license", None, scene.alice, scene.bob)


@misdeed
def handed_over_outside_its_term(scene: Scene2) -> Found:
    """Alice offers data under a license that begins only tomorrow."""
    from_ms = scene.now_ms + DAY_MS
    later = _license(scene, use_permitted(), valid_from_ms=from_ms, valid_until_ms=from_ms + DAY_MS)
    return _offer(scene, "transfer-outside-term", later, scene.alice, scene.bob)


@misdeed
def handed_to_somebody_else(scene: Scene2) -> Found:
    """Alice offers to carol what she licensed to bob."""
    return _offer(scene, "transfer-wrong-recipient", scene.license, scene.alice, scene.carol)


@misdeed
def handed_over_by_somebody_else(scene: Scene2) -> Found:
    """Carol offers to bob what alice licensed to him."""
    return _offer(scene, "transfer-wrong-sender", scene.license, scene.carol, scene.bob)


@misdeed
def marked_in_secret(scene: Scene2) -> Found:
    """Alice marks bob's copy, and the license does not say that she may."""
    marked = drawn_marks(_drawn(scene))
    return _offer(scene, "marked-without-consent", scene.license, scene.alice, scene.bob, marks=marked)


@misdeed
def marked_otherwise(scene: Scene2) -> Found:
    """Bob agrees to marks that accuse falsely once in a million cases, and alice makes some that do so once in two."""
    agreed: Json = {"bound": "0.000001", "method": "canary", "recipients": 2}
    fields: dict[str, Json] = {"marking_consent": True, "marking": agreed}
    scene.tell("license.amended", scene.alice, scene.bob, license=scene.license, **fields)
    marked = drawn_marks(_drawn(scene, bound="0.5"))
    return _offer(scene, "marked-otherwise-than-agreed", scene.license, scene.alice, scene.bob, marks=marked)


@misdeed
def offered_after_withdrawal(scene: Scene2) -> Found:
    """Alice withdraws her listing and goes on to hand it over."""
    scene.say(scene.speech.listing_withdrawn(scene.alice, scene.listing), scene.alice.key)
    scene.is_over = True
    return _offer(scene, "listing-withdrawn", scene.license, scene.alice, scene.bob)


@misdeed
def offered_at_a_venue_that_closed(scene: Scene2) -> Found:
    """The exchange of a listing announces that it closed, and alice goes on to hand over under it."""
    fields: dict[str, Json] = {"title": "Planes", "content": sealed("planes"), "venue": {"party": scene.court.name}}
    listing = scene.tell("listing.registered", scene.alice, **fields)
    agreed = scene.speech.license_agreed(scene.alice, scene.bob, listing)
    terms = scene.say(agreed, scene.alice.key, scene.bob.key)
    scene.tell("venue.status", scene.court, venue=scene.court.name, status="closed")
    scene.say(scene.speech.transfer_offered(scene.alice, scene.bob, listing, terms), scene.alice.key)
    return Found(scene.size - 1, "venue-closed", ALICE)


@misdeed
def used_for_what_is_prohibited(scene: Scene2) -> Found:
    """Bob trains a model with data whose license forbids it, and reports it."""
    rules: dict[str, Json] = {"permission": [rule("use")], "prohibition": [rule("train")]}
    return _use(scene, "usage-prohibited", _license(scene, rules), action="train")


@misdeed
def used_for_another_purpose(scene: Scene2) -> Found:
    """Bob reads for advertising what he has for research."""
    research = rule("read", atomic("purpose", "eq", "AcademicResearch"))
    terms = _license(scene, {"permission": [research]})
    return _use(scene, "usage-prohibited", terms, action="read", purpose="Advertising")


@misdeed
def used_too_often(scene: Scene2) -> Found:
    """Bob may use it twice, and reports a third time."""
    twice = _license(scene, {"permission": [rule("use", atomic("count", "lteq", 2))]})
    scene.tell("usage.reported", scene.bob, license=twice, action="use", count=2)
    return _use(scene, "usage-beyond-count", twice, action="use")


@misdeed
def sublicensed_more_than_one_has(scene: Scene2) -> Found:
    """Bob, who may only read, grants carol every use."""
    parent = _license(scene, {"permission": [rule("read"), rule("grantUse")]})
    fields = scene.license_fields(scene.bob, scene.carol, parent=parent) | scene.speech.term(30)
    scene.tell("license.agreed", scene.bob, scene.carol, **fields)
    return Found(scene.size - 1, "sublicense-wider-than-parent", BOB)


@misdeed
def made_from_what_was_not_licensed(scene: Scene2) -> Found:
    """Somebody puts on offer what it made from alice's data, which nobody let it derive from."""
    fields: dict[str, Json] = {"title": "Made of it", "content": sealed("made"), "derived_from": [scene.listing]}
    scene.tell("listing.registered", scene.court, **fields)
    return Found(scene.size - 1, "derived-from-unlicensed", scene.court.name)


@misdeed
def handed_on_without_permission(scene: Scene2) -> Found:
    """Bob, who may only read, hands his copy on to an outsider."""
    copy = _received(scene, _license(scene, {"permission": [rule("read")]}))
    scene.tell("transfer.forwarded", scene.bob, transfer=copy, outsider="A broker")
    return Found(scene.size - 1, "onward-without-permission", BOB)


@misdeed
def handed_on_and_called_compelled(scene: Scene2) -> Found:
    """A court orders bob to hand over one copy, and he names its order when he hands on another."""
    terms = _license(scene, {"permission": [rule("read")]})
    ordered, other = _received(scene, terms), _received(scene, terms)
    order = scene.tell("disclosure.compelled", scene.bob, transfer=ordered, authority="A court", instrument="Order 12")
    scene.tell("transfer.forwarded", scene.bob, transfer=other, outsider="A broker", disclosure=order)
    return Found(scene.size - 1, "onward-without-permission", BOB)


@misdeed
def other_data_than_agreed(scene: Scene2) -> Found:
    """Bob refuses what alice sent: its digest is not the one that she sealed."""
    scene.tell("transfer.refused", scene.bob, transfer=_offered(scene, scene.license), code="digest-mismatch")
    return Found(scene.size - 1, "digest-mismatch", ALICE)


@misdeed
def acknowledgement_overdue(scene: Scene2) -> Found:
    """Bob lets the day pass by which he was to say what he received."""
    found = _offer(
        scene, "not-acknowledged-in-time", scene.license, scene.alice, scene.bob,
        acknowledge_by_ms=scene.now_ms + DAY_MS,
    )  # fmt: skip
    _wait(scene, 2)
    return found._replace(party=BOB)


@misdeed
def claim_left_unanswered(scene: Scene2) -> Found:
    """Alice claims, and bob lets the day for an answer pass."""
    fields: dict[str, Json] = {"license": scene.license, "respondent": BOB, "clause": "5"}
    scene.tell("claim.opened", scene.alice, answer_by_ms=scene.now_ms + DAY_MS, **fields)
    at = scene.size - 1
    _wait(scene, 2)
    return Found(at, "claim-unanswered", BOB)


@misdeed
def not_erased_when_asked(scene: Scene2) -> Found:
    """Alice asks bob to erase a copy within a day, and he does not attest it."""
    copy = _received(scene, _license(scene, use_permitted()))
    asked: dict[str, Json] = {"transfer": copy, "basis": "contract", "erase_by_ms": scene.now_ms + DAY_MS}
    scene.tell("erasure.requested", scene.alice, **asked)
    at = scene.size - 1
    _wait(scene, 2)
    return Found(at, "erasure-late", BOB)


@misdeed
def kept_after_the_end(scene: Scene2) -> Found:
    """Bob keeps his copy longer than the day after the end that the license gives him."""
    delete = rule("delete", atomic("elapsedTime", "lteq", duration("P1D")))
    terms = _license(
        scene,
        use_permitted() | {"obligation": [delete]},
        valid_from_ms=scene.now_ms,
        valid_until_ms=scene.now_ms + DAY_MS,
    )
    at = scene.size - 1
    _received(scene, terms)
    _wait(scene, 3)
    return Found(at, "license-ended-without-erasure", BOB)


@misdeed
def duty_not_done(scene: Scene2) -> Found:
    """Bob is to attribute the data within a day of the agreement, and reports no such thing."""
    attribute = rule("attribute", atomic("elapsedTime", "lteq", duration("P1D")))
    _license(scene, use_permitted() | {"obligation": [attribute]})
    at = scene.size - 1
    _wait(scene, 2)
    return Found(at, "duty-unfulfilled", BOB)


@misdeed
def signed_with_a_stolen_key(scene: Scene2) -> Found:
    """Carol revokes her key, and says that it was stolen before it signed a listing: what stands is flagged."""
    scene.say(scene.speech.listing_registered(scene.carol), scene.carol.key)
    at = scene.size - 1
    gone = scene.speech.key_revoked(scene.carol, scene.carol.key, compromised_since_ms=scene.times[-1])
    scene.say(gone, scene.carol.recovery)
    return Found(at, "key-compromised", CAROL)
