"""Acceptance of the types since version 2 (docs/statements.md §2–§9): by whom, about what, when, and when no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.verifier.builder import START_MS, Builder, agreement, key_from, keyid, public
from tests.verifier.rules.test_rules import outcome, run
from verifier.schema.versions import NEWEST_RULES

if TYPE_CHECKING:
    from pathlib import Path

NOTHING = "sha256:" + "0" * 64
SEAL = {"sealed": "ab" * 32}
NEW, OLD = key_from("new"), key_from("old")


class World(Builder):
    """A ledger of the newest version: acme licenses and hands over to birch; cedar and dogwood look on."""

    def __init__(self, rules: int = NEWEST_RULES) -> None:
        super().__init__(rules=rules)
        self.create()
        for name in ("acme", "birch", "cedar", "dogwood"):
            self.register(name)
        self.listing = self.list_dataset("acme")
        self.terms = self.license("acme", "birch", self.listing)
        self.offered = self.offer("acme", "birch", self.listing, license=self.terms)

    def sublicense(self, issuer: str = "birch", licensee: str = "cedar", **fields: Any) -> str:
        return self.license(issuer, licensee, self.listing, **({"parent": self.terms} | fields))

    def amend(self, issuer: str = "acme", *also: str, **fields: Any) -> str:
        return self.say("license.amended", issuer, *(also or ("birch",)), **({"license": self.terms} | fields))

    def end(self, issuer: str = "acme", **fields: Any) -> str:
        return self.say("license.ended", issuer, **({"license": self.terms, "code": "breach"} | fields))

    def forward(self, issuer: str = "birch", **fields: Any) -> str:
        own = {"transfer": self.offered} | ({} if "outsider" in fields else {"recipient": "cedar"})
        return self.say("transfer.forwarded", issuer, **(own | fields))

    def compelled(self, issuer: str = "birch", **fields: Any) -> str:
        own = {} if "listing" in fields else {"transfer": self.offered}
        return self.say("disclosure.compelled", issuer, **(own | {"authority": SEAL, "instrument": SEAL} | fields))

    def use(self, issuer: str = "birch", **fields: Any) -> str:
        return self.say("usage.reported", issuer, **({"license": self.terms, "action": "read"} | fields))

    def claim(self, issuer: str = "acme", **fields: Any) -> str:
        own = {} if "transfer" in fields else {"license": self.terms}
        return self.say("claim.opened", issuer, **(own | {"respondent": "birch", "clause": SEAL} | fields))

    def answer(self, claim: str, issuer: str = "birch") -> str:
        return self.say("claim.answered", issuer, claim=claim, position="denied")

    def determine(self, claim: str, outcome: str = "withdrawn", issuer: str = "acme", *also: str) -> str:
        return self.say("claim.determined", issuer, *also, claim=claim, outcome=outcome)

    def request(self, issuer: str = "acme", **fields: Any) -> str:
        own = {} if "license" in fields else {"transfer": self.offered}
        return self.say("erasure.requested", issuer, **(own | {"basis": "gdpr-17", "erase_by_ms": START_MS} | fields))

    def attest(self, issuer: str = "birch", **fields: Any) -> str:
        own = {} if {"license", "statement"} & fields.keys() else {"transfer": self.offered}
        return self.say("erasure.attested", issuer, **(own | {"basis": "contract", "destroyed": ["data"]} | fields))


Course = Callable[[World], Any]


def _claimed(**fields: Any) -> Callable[[Callable[[World, str], Any]], Course]:
    """Return how to make a course of what is done with a claim."""
    return lambda then: lambda world: then(world, world.claim(**fields))


GOOD: list[tuple[str, Course]] = [
    ("a new key", lambda w: w.append(
        "party.key_added", "acme", [NEW, w.keys("acme")[1]], key=public(NEW), use="signing")),
    ("a revoked key", lambda w: w.append(
        "party.key_revoked", "acme", [w.keys("acme")[1]], keyid=keyid(w.keys("acme")[0]), reason=SEAL)),
    ("identity", lambda w: w.append(
        "party.registered", "elm", [NEW, OLD], keys=[public(NEW)], recovery_keys=[public(OLD)],
        identity={"legal_name": SEAL, "registration": {"authority": "Zug", "number": SEAL}})),
    ("a derived listing", lambda w: w.list_dataset(
        "birch", derived_from=[w.listing], venue={"party": "cedar", "name": SEAL})),
    ("derived from itself, in a circle", lambda w: w.say(
        "listing.amended", "acme", listing=w.listing, derived_from=sorted([w.listing, w.list_dataset("birch")]))),
    ("classification", lambda w: w.say(
        "classification.changed", "acme", listing=w.listing, classification=SEAL)),
    ("a sub-license of a sub-license", lambda w: w.sublicense("cedar", "acme", parent=w.sublicense())),
    ("an amended bound", lambda w: (w.amend(valid_until_ms=START_MS + 5), w.amend("birch", "acme", valid_from_ms=0))),
    ("amended terms", lambda w: w.amend("birch", "acme", terms=agreement(w.listing, "acme", "birch", uid="urn:2"))),
    ("amended terms of a sub-license", lambda w: w.amend(
        "birch", "cedar", license=w.sublicense(), terms=agreement(w.listing, "birch", "cedar"))),
    ("an end in the future", lambda w: w.end("birch", effective_ms=2**53 - 1)),
    ("refused", lambda w: w.decide("birch", w.offered, "transfer.refused")),
    ("an offer with a date", lambda w: w.offer("acme", "birch", w.listing, acknowledge_by_ms=0, dsp=SEAL)),
    ("forwarded to a party", lambda w: w.forward(license=w.sublicense(), disclosure=w.compelled())),
    ("forwarded to a stranger", lambda w: w.forward(outsider=SEAL)),
    ("compelled by the sender", lambda w: w.compelled("acme")),
    ("compelled of a listing", lambda w: w.compelled("acme", listing=w.listing)),
    ("used", lambda w: w.use(transfer=w.offered, count=SEAL, derivatives=[{"title": "x", "listing": NOTHING}])),
    ("a venue", lambda w: (w.say("venue.status", "cedar", venue="cedar", status="operating"),
                           w.say("venue.status", "acme", venue="cedar", status="closed"))),
    ("a claim of the licensee", lambda w: w.claim("birch", respondent="dogwood", tribunal="cedar")),
    ("answered, then decided", _claimed(tribunal="cedar")(
        lambda w, c: (w.answer(c), w.determine(c, "upheld", "cedar")))),
    ("settled", _claimed()(lambda w, c: w.determine(c, "settled", "acme", "birch"))),
    ("withdrawn unanswered", lambda w: w.determine(w.claim(transfer=w.offered))),
    ("erased on request", lambda w: w.attest(request=w.request())),
    ("the license's copies erased on request", lambda w: w.attest(
        "acme", license=w.terms, request=w.request(license=w.terms))),
    ("salts destroyed", lambda w: w.attest("dogwood", statement=w.ledger, pointers=["/x"], destroyed=["salts"])),
]  # fmt: skip


@pytest.mark.parametrize("course", [row[1] for row in GOOD], ids=[row[0] for row in GOOD])
def test_what_the_page_allows_is_accepted(course: Course, tmp_path: Path) -> None:
    """By everybody who may say it, with every reference that it can have."""
    world = World()
    course(world)
    result = run(world, tmp_path)
    assert (outcome(result), result.doubts, result.is_complete) == ([], [], True)


def _about_a_listing(kind: str, **fields: Any) -> list[tuple[str, Course, str, str]]:
    """Return what is wrong about any change of a listing."""

    def withdrawn(world: World) -> None:
        world.say("listing.withdrawn", "acme", listing=world.listing)
        world.say(kind, "acme", listing=world.listing, **fields)

    return [
        (f"{kind}: no listing", lambda w: w.say(kind, "acme", listing=w.terms, **fields), "reference",
         "unknown-reference"),
        (f"{kind}: another's", lambda w: w.say(kind, "birch", listing=w.listing, **fields), "reference", "wrong-role"),
        (f"{kind}: withdrawn", withdrawn, "reference", "already-decided"),
    ]  # fmt: skip


BAD: list[tuple[str, Course, str, str]] = [
    ("derived from nothing", lambda w: w.list_dataset("birch", derived_from=[NOTHING]), "reference",
     "unknown-reference"),
    ("derived from a license", lambda w: w.list_dataset("birch", derived_from=[w.terms]), "reference",
     "unknown-reference"),
    ("an unknown venue", lambda w: w.list_dataset("birch", venue={"party": "nobody"}), "reference", "unknown-party"),
    ("sources go before the venue", lambda w: w.list_dataset(
        "birch", derived_from=[NOTHING], venue={"party": "nobody"}), "reference", "unknown-reference"),
    *_about_a_listing("listing.amended", version="2"),
    *_about_a_listing("classification.changed", classification=SEAL),
    ("amended: the listing's own state goes first", lambda w: (
        w.say("listing.withdrawn", "acme", listing=w.listing),
        w.say("listing.amended", "acme", listing=w.listing, derived_from=[NOTHING])), "reference", "already-decided"),
    ("amended: derived from nothing", lambda w: w.say(
        "listing.amended", "acme", listing=w.listing, derived_from=[NOTHING]), "reference", "unknown-reference"),
    ("amended: an unknown venue", lambda w: w.say(
        "listing.amended", "acme", listing=w.listing, venue={"party": "nobody"}), "reference", "unknown-party"),

    ("no parent", lambda w: w.sublicense(parent=NOTHING), "reference", "unknown-reference"),
    ("a listing is no parent", lambda w: w.sublicense(parent=w.listing), "reference", "unknown-reference"),
    ("parent of another listing", lambda w: (
        other := w.list_dataset("birch"), w.license("birch", "cedar", other, parent=w.terms)), "reference",
     "wrong-value"),
    ("the licensor grants a sub-license", lambda w: w.sublicense("acme"), "reference", "wrong-role"),
    ("without a parent", lambda w: w.license("birch", "cedar", w.listing), "reference", "wrong-role"),
    ("sub-licensed to oneself", lambda w: w.sublicense("birch", "birch"), "reference", "same-party"),
    ("licensed to nobody", lambda w: w.append(
        "license.agreed", "acme", [w.keys("acme")[0]], listing=w.listing, licensee="nobody", valid_from_ms=0,
        valid_until_ms=1, terms=agreement(w.listing, "acme", "nobody")), "signers", "wrong-signers"),

    ("amended: no license", lambda w: w.say("license.amended", "dogwood", license=NOTHING, forum=SEAL), "reference",
     "unknown-reference"),
    ("amended by one alone", lambda w: w.say("license.amended", "acme", license=w.terms, forum=SEAL), "signers",
     "wrong-signers"),
    ("amended with a third", lambda w: w.amend("acme", "birch", "cedar", forum=SEAL), "signers", "wrong-signers"),
    ("amended with a recovery key", lambda w: w.append(
        "license.amended", "acme", [w.keys("acme")[1], w.keys("birch")[0]], license=w.terms, forum=SEAL), "signers",
     "wrong-signers"),
    ("amended in another's name", lambda w: w.append(
        "license.amended", "cedar", [w.keys("acme")[0], w.keys("birch")[0]], license=w.terms, forum=SEAL), "reference",
     "wrong-role"),
    ("amended after its end", lambda w: (w.end(), w.amend(forum=SEAL)), "reference", "already-decided"),
    ("amended after an end to come", lambda w: (w.end(effective_ms=2**53 - 1), w.amend(forum=SEAL)), "reference",
     "already-decided"),
    ("amended to no term", lambda w: w.amend(valid_until_ms=START_MS), "reference", "wrong-value"),
    ("amended, by two steps, to no term", lambda w: (
        w.amend(valid_until_ms=START_MS + 5), w.amend(valid_from_ms=START_MS + 5)), "reference", "wrong-value"),
    ("amended terms of another listing", lambda w: w.amend(
        terms=agreement(w.list_dataset("acme"), "acme", "birch")), "reference", "wrong-value"),
    ("amended terms from another", lambda w: w.amend(terms=agreement(w.listing, "cedar", "birch")), "reference",
     "wrong-value"),
    ("amended terms for another", lambda w: w.amend(terms=agreement(w.listing, "acme", "cedar")), "reference",
     "wrong-value"),
    ("amended terms of no form", lambda w: w.amend(terms=agreement("x", "acme", "birch")), "fields", "wrong-value"),
    ("unjudgeable", lambda w: w.amend(terms=agreement(w.listing, "acme", "birch", permission=[{"action": "burn"}])),
     "fields", "unjudgeable-terms"),
    ("contradictory", lambda w: w.license("acme", "birch", w.listing, terms=agreement(
        w.listing, "acme", "birch", prohibition=[{"action": "use"}])), "fields", "contradictory-terms"),
    ("ended: no license", lambda w: w.end(license=w.listing), "reference", "unknown-reference"),
    ("ended by a stranger", lambda w: w.end("cedar"), "reference", "wrong-role"),
    ("ended twice", lambda w: (w.end(effective_ms=2**53 - 1), w.end("birch")), "reference", "already-decided"),

    ("refused after it was acknowledged", lambda w: (
        w.decide("birch", w.offered), w.decide("birch", w.offered, "transfer.refused")), "reference",
     "already-decided"),
    ("forwarded: no transfer", lambda w: w.forward(transfer=w.terms), "reference", "unknown-reference"),
    ("forwarded by the sender", lambda w: w.forward("acme"), "reference", "wrong-role"),
    ("forwarded: no license", lambda w: w.forward(license=w.listing), "reference", "unknown-reference"),
    ("forwarded: no disclosure", lambda w: w.forward(disclosure=w.offered), "reference", "unknown-reference"),
    ("forwarded to nobody", lambda w: w.forward(recipient="nobody"), "reference", "unknown-party"),
    ("forwarded to oneself", lambda w: w.forward(recipient="birch"), "reference", "same-party"),
    ("forwarded: references go before the recipient", lambda w: w.forward(recipient="nobody", disclosure=NOTHING),
     "reference", "unknown-reference"),
    ("compelled: no transfer", lambda w: w.compelled(transfer=w.listing), "reference", "unknown-reference"),
    ("compelled: a stranger", lambda w: w.compelled("cedar"), "reference", "wrong-role"),
    ("compelled: no listing", lambda w: w.compelled(listing=w.offered), "reference", "unknown-reference"),
    ("compelled: another's listing", lambda w: w.compelled(listing=w.listing), "reference", "wrong-role"),

    ("used: no license", lambda w: w.use(license=w.listing), "reference", "unknown-reference"),
    ("used by the licensor", lambda w: w.use("acme"), "reference", "wrong-role"),
    ("used: no transfer", lambda w: w.use(transfer=w.terms), "reference", "unknown-reference"),
    ("used: another's copy", lambda w: w.use("birch", transfer=w.offer("acme", "cedar", w.listing)), "reference",
     "wrong-role"),
    ("no venue", lambda w: w.say("venue.status", "acme", venue="nobody", status="closed"), "reference",
     "unknown-party"),

    ("claimed: no license", lambda w: w.claim(license=w.offered), "reference", "unknown-reference"),
    ("claimed: no transfer", lambda w: w.claim(transfer=w.terms), "reference", "unknown-reference"),
    ("claimed by a stranger", lambda w: w.claim("cedar"), "reference", "wrong-role"),
    ("claimed against nobody", lambda w: w.claim(respondent="nobody"), "reference", "unknown-party"),
    ("claimed against oneself", lambda w: w.claim(respondent="acme"), "reference", "same-party"),
    ("no tribunal", lambda w: w.claim(tribunal="nobody"), "reference", "unknown-party"),
    ("a judge in one's own case", lambda w: w.claim(tribunal="acme"), "reference", "same-party"),
    ("the respondent judges", lambda w: w.claim(tribunal="birch"), "reference", "same-party"),
    ("answered: no claim", lambda w: w.answer(w.terms), "reference", "unknown-reference"),
    ("answered by another", _claimed()(lambda w, c: w.answer(c, "acme")), "reference", "wrong-role"),
    ("answered twice", _claimed()(lambda w, c: (w.answer(c), w.answer(c))), "reference", "already-decided"),
    ("answered too late", _claimed()(lambda w, c: (w.determine(c), w.answer(c))), "reference", "already-decided"),
    ("determined: no claim", lambda w: w.determine(w.terms), "reference", "unknown-reference"),
    ("settled: no claim", lambda w: w.determine(w.terms, "settled", "dogwood"), "reference", "unknown-reference"),
    ("settled by one alone", _claimed()(lambda w, c: w.determine(c, "settled")), "signers", "wrong-signers"),
    ("settled with the tribunal", _claimed(tribunal="cedar")(
        lambda w, c: w.determine(c, "settled", "acme", "birch", "cedar")), "signers", "wrong-signers"),
    ("settled in the respondent's name", _claimed()(lambda w, c: w.determine(c, "settled", "birch", "acme")),
     "reference", "wrong-role"),
    ("withdrawn by the respondent", _claimed()(lambda w, c: w.determine(c, "withdrawn", "birch")), "reference",
     "wrong-role"),
    ("withdrawn by both", _claimed()(lambda w, c: w.determine(c, "withdrawn", "acme", "birch")), "signers",
     "wrong-signers"),
    ("upheld by the claimant", _claimed(tribunal="cedar")(lambda w, c: w.determine(c, "upheld")), "reference",
     "wrong-role"),
    ("dismissed where no tribunal was named", _claimed()(lambda w, c: w.determine(c, "dismissed", "cedar")),
     "reference", "wrong-role"),
    ("withdrawn by the tribunal", _claimed(tribunal="cedar")(lambda w, c: w.determine(c, "withdrawn", "cedar")),
     "reference", "wrong-role"),
    ("determined twice", _claimed(tribunal="cedar")(
        lambda w, c: (w.determine(c, "dismissed", "cedar"), w.determine(c))), "reference", "already-decided"),

    ("requested: nothing", lambda w: w.request(transfer=w.terms), "reference", "unknown-reference"),
    ("requested: no license", lambda w: w.request(license=w.offered), "reference", "unknown-reference"),
    ("requested by the recipient", lambda w: w.request("birch"), "reference", "wrong-role"),
    ("requested by the licensee", lambda w: w.request("birch", license=w.terms), "reference", "wrong-role"),
    ("attested: nothing", lambda w: w.attest(transfer=w.listing), "reference", "unknown-reference"),
    ("attested by a stranger", lambda w: w.attest("cedar"), "reference", "wrong-role"),
    ("attested: no request", lambda w: w.attest(request=w.offered), "reference", "unknown-reference"),
    ("attested: a request about something else", lambda w: w.attest(request=w.request(license=w.terms)), "reference",
     "wrong-value"),
    ("attested: salts of nothing", lambda w: w.attest(statement=NOTHING, pointers=["/x"]), "reference",
     "unknown-reference"),
    ("a request goes before a hold", _claimed(legal_hold=True)(lambda w, _: w.attest(request=NOTHING)), "reference",
     "unknown-reference"),
    ("a role goes before a hold", _claimed(legal_hold=True)(lambda w, _: w.attest("cedar")), "reference",
     "wrong-role"),
]  # fmt: skip


@pytest.mark.parametrize(("course", "check", "reason"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_the_page_forbids_is_refused(course: Course, check: str, reason: str, tmp_path: Path) -> None:
    """The last statement of a course is refused for its reason, at its index, and nothing else is blamed."""
    world = World()
    course(world)
    at = len(world.entries) - 1
    world.list_dataset("cedar")  # the replay goes on behind it
    result = run(world, tmp_path)
    assert outcome(result) == [(check, reason, at)]
    assert result.judged_size == len(world.entries)


def attested(world: World, tmp_path: Path, **subject: Any) -> list[str]:
    """Return why an attestation would be refused now, if it would."""
    world.attest(**subject)
    reasons = [reason for _, reason, index in outcome(run(world, tmp_path)) if index == len(world.entries) - 1]
    del world.entries[-1], world.leaves[-1]
    return reasons


@pytest.mark.parametrize("by_transfer", [False, True], ids=["of the license", "of a transfer"])
def test_a_legal_hold_blocks_erasure_until_its_claim_is_determined(by_transfer: bool, tmp_path: Path) -> None:
    """On a license it is on its transfers, later ones too; on a transfer it is on its license, and on no other one."""
    world = World()
    sibling = world.offer("acme", "birch", world.listing, license=world.terms)
    free = world.offer("acme", "birch", world.listing)
    subject = {"transfer": world.offered} if by_transfer else {"license": world.terms}

    def held() -> dict[str, bool]:
        named = {"license": world.terms}, {"transfer": world.offered}, {"transfer": sibling}, {"transfer": free}
        names = ("license", "offered", "sibling", "free")
        return {
            name: attested(world, tmp_path, **one) == ["legal-hold"] for name, one in zip(names, named, strict=True)
        }

    nothing = {"license": False, "offered": False, "sibling": False, "free": False}
    everything = {"license": True, "offered": True, "sibling": not by_transfer, "free": False}
    world.claim(**subject)
    world.claim(**subject, legal_hold=False)
    assert held() == nothing
    first, second = world.claim(**subject, legal_hold=True), world.claim(**subject, legal_hold=True)
    assert held() == everything
    world.answer(first)
    world.determine(first)
    assert held() == everything  # each claim is a hold of its own
    world.determine(second, "settled", "acme", "birch")
    assert held() == nothing
    world.attest(license=world.terms)
    assert attested(world, tmp_path, statement=world.offered, pointers=["/x"]) == []
    later = world.claim(license=world.terms, legal_hold=True)
    late = world.offer("acme", "birch", world.listing, license=world.terms)
    assert attested(world, tmp_path, transfer=late) == ["legal-hold"]
    world.determine(later)
    assert attested(world, tmp_path, transfer=late) == []
    assert run(world, tmp_path).registry.holds == run(world, tmp_path).registry.holds_below == {}
