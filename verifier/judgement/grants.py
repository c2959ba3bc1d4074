"""Judging listings and licenses: who may offer what to whom (docs/statements.md §3, §4, §10)."""

from __future__ import annotations

from verifier.core.ids import id_bytes
from verifier.judgement.decision import Question, decide
from verifier.judgement.facts import AcceptedEntry, Facts
from verifier.judgement.state import JudgedLicense, JudgedListing
from verifier.judgement.sublicense import is_within
from verifier.terms.answers import Truth, any_of, negation
from verifier.terms.parsed import is_sealed, parse_terms

_BOUNDS = ("valid_from_ms", "valid_until_ms")


def take_listing(facts: Facts, entry: AcceptedEntry) -> None:
    """`listing.registered`."""
    listing = JudgedListing(entry.statement.id, facts.registry.listings[entry.statement.id])
    facts.listings[listing.id] = listing
    _describe(facts, listing, entry)


def take_listing_amended(facts: Facts, entry: AcceptedEntry) -> None:
    """`listing.amended`."""
    _describe(facts, facts.listings[entry.body.id("listing")], entry)


def _describe(facts: Facts, listing: JudgedListing, entry: AcceptedEntry) -> None:
    body = entry.body
    if "title" in body:
        listing.title = None if is_sealed(body["title"]) else body["title"]
    if "version" in body:
        listing.version = entry.stated("version")
    if "venue" in body:
        listing.venue = body["venue"].get("party")
    for source in body.get("derived_from", ()):
        _judge_source(facts, facts.listings[id_bytes(source)], entry)


def _judge_source(facts: Facts, source: JudgedListing, entry: AcceptedEntry) -> None:
    """`derived-from-unlicensed`: one license on the source that permits `derive` is enough (docs/terms.md §5.4)."""
    if source.issuer == entry.issuer:
        return
    answers = []
    for terms in reversed(facts.grants.get((source.id, entry.issuer), [])):
        answers.append(decide(terms, Question("derive", entry.time_ms, more=1)).answer)
        if answers[-1].truth is Truth.TRUE and not answers[-1].rests_on:
            return
    answer = any_of(answers)
    if answer.truth is Truth.TRUE:
        sentence = f"A license on the listing of entry {source.index} permits {entry.issuer} to derive from it."
        facts.clear("derived-from-unlicensed", entry, entry.issuer, {source.index}, sentence, answer)
        return
    sentence = (
        f"{entry.issuer} derived the listing of entry {entry.index} from the listing of {source.issuer}, entry "
        f"{source.index}, and no license on that permits {entry.issuer} to derive."
    )
    facts.note("derived-from-unlicensed", entry, entry.issuer, {source.index}, sentence, negation(answer))


def judge_listing(facts: Facts, listing: JudgedListing, entry: AcceptedEntry, did: str) -> None:
    """Note that something was done with a listing that is withdrawn, or on a venue that is closed."""
    withdrawn_index = listing.recorded.withdrawn_index
    if withdrawn_index is not None:
        sentence = (
            f"{entry.issuer} {did} the listing of entry {listing.index}, which had been withdrawn at entry "
            f"{withdrawn_index}."
        )
        facts.note("listing-withdrawn", entry, entry.issuer, {withdrawn_index}, sentence)
    status, announced_index = facts.venues.get(listing.venue or "", ("", 0))
    if status == "closed":
        sentence = (
            f"{entry.issuer} {did} the listing of entry {listing.index}, whose venue {listing.venue} had announced at "
            f"entry {announced_index} that it is closed."
        )
        facts.note("venue-closed", entry, entry.issuer, {announced_index}, sentence)


def take_license(facts: Facts, entry: AcceptedEntry) -> None:
    """`license.agreed`, of either version."""
    body, index = entry.body, entry.index
    listing = facts.listings[body.id("listing")]
    terms = JudgedLicense(
        entry.statement.id,
        facts.registry.licenses[entry.statement.id],
        entry.time_ms,
        listing,
        facts.licenses[body.id("parent")] if "parent" in body else None,
        body["terms"],
        parse_terms(body["terms"], "/terms", entry.opened),
        index,
        index,
        body.get("marking_consent", False),
        index,
        body.get("marking"),
    )
    facts.licenses[terms.id] = terms
    facts.grants.setdefault((listing.id, terms.licensee), []).append(terms)
    judge_listing(facts, listing, entry, "licensed")
    _judge_sublicense(facts, terms, entry)


def take_amended(facts: Facts, entry: AcceptedEntry) -> None:
    """`license.amended`."""
    body = entry.body
    terms = facts.licenses[body.id("license")]
    if any(name in body for name in _BOUNDS):
        terms.bound_index = entry.index
    if "marking_consent" in body:
        terms.consents_to_marks, terms.consent_index = body["marking_consent"], entry.index
        terms.marking = body.get("marking")
    if "terms" in body:
        terms.raw_terms, terms.terms_index = body["terms"], entry.index
        terms.terms = parse_terms(body["terms"], "/terms", entry.opened)
        terms.meetings = {}  # they are of prohibitions that stand no longer
    if "terms" in body or any(name in body for name in _BOUNDS):
        _judge_sublicense(facts, terms, entry)


def _judge_sublicense(facts: Facts, terms: JudgedLicense, entry: AcceptedEntry) -> None:
    if terms.parent is None:
        return
    is_wider = negation(is_within(terms, terms.parent, entry.index, entry.time_ms))
    is_within_it = is_wider.truth is Truth.FALSE
    sentence = (
        f"The sub-license of entry {terms.index} that {terms.licensor} granted to {terms.licensee} is, since entry "
        f"{entry.index}, {'no wider' if is_within_it else 'wider'} than its parent, entry {terms.parent.index}."
    )
    did = facts.clear if is_within_it else facts.note
    did("sublicense-wider-than-parent", entry, terms.licensor, terms.parent.entries(), sentence, is_wider)


def take_ended(facts: Facts, entry: AcceptedEntry) -> None:
    """`license.ended`: an end is never retroactive."""
    terms = facts.licenses[entry.body.id("license")]
    terms.end_ms = max(entry.body.get("effective_ms", 0), entry.time_ms)


def take_venue(facts: Facts, entry: AcceptedEntry) -> None:
    """`venue.status`: what others observed changes nothing."""
    if entry.issuer == entry.body["venue"]:
        facts.venues[entry.issuer] = (entry.body["status"], entry.index)
