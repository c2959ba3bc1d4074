"""The judge's facts as JSON, and back, for the state file of a green replay.

Only facts without disclosures are kept, so nothing here was ever opened. `load_facts` trusts its caller for the digest
of the file; what is not of this form raises `KeyError`, `TypeError` or `ValueError`.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import astuple
from typing import Any

from verifier.core.b64 import decode_base64, encode_base64
from verifier.core.checks import Finding
from verifier.core.jcs import Json
from verifier.judgement.facts import Facts
from verifier.judgement.identity import Presented
from verifier.judgement.state import (
    Count,
    ErasureRequest,
    JudgedClaim,
    JudgedLicense,
    JudgedListing,
    Meeting,
    Periods,
    Stated,
)
from verifier.rules.registry import Registry
from verifier.terms.answers import Place
from verifier.terms.parsed import parse_terms


def _name(statement_id: bytes) -> str:
    return encode_base64(statement_id)


def _id(text: str) -> bytes:
    decoded = decode_base64(text)
    if decoded is None:
        raise ValueError("not base64")
    return decoded


def _places(rows: Iterable[list[Any]]) -> list[Place]:
    return [(int(index), str(pointer)) for index, pointer in rows]


def _dump_listing(listing: JudgedListing) -> list[Json]:
    version = None if listing.version is None else [listing.version.value, *listing.version.place]
    return [
        _name(listing.id), listing.index, listing.issuer, listing.title, version, listing.venue,
        listing.recorded.withdrawn_index,
    ]  # fmt: skip


def _load_listing(row: list[Any], registry: Registry) -> JudgedListing:
    name, _, _, title, version, venue, _ = row
    statement_id = _id(name)
    stated = None if version is None else Stated(version[0], (version[1], version[2]))
    return JudgedListing(statement_id, registry.listings[statement_id], title, stated, venue)


def _dump_periods(periods: Periods) -> list[Json]:
    return [periods.starts_ms, periods.ends_ms, periods.start_indexes, periods.end_indexes, periods.count]


def _dump_license(terms: JudgedLicense) -> dict[str, Json]:
    return {
        "id": _name(terms.id),
        "listing": _name(terms.listing.id),
        "parent": None if terms.parent is None else _name(terms.parent.id),
        "terms": terms.raw_terms,
        "agreed": [terms.index, terms.agreed_ms, terms.licensor, terms.licensee],
        "term": [terms.valid_from_ms, terms.valid_until_ms, terms.ended_index, terms.end_ms],
        "set": [terms.terms_index, terms.bound_index],
        "consent": [terms.consents_to_marks, terms.consent_index, terms.marking],
        "counts": {action: [count.known, count.sealed] for action, count in terms.counts.items()},
        "met": terms.met,
        "meetings": {
            pointer: [meeting.first, meeting.latest, meeting.doubtful, sorted(meeting.places)]
            for pointer, meeting in terms.meetings.items()
        },
        "held": sorted(map(_name, terms.held)),
        "erased": [terms.erased_index, terms.attested_ms],
        "holds": [_dump_periods(terms.holds), _dump_periods(terms.own_holds), terms.suspending, terms.released_ms],
    }


def _load_license(row: dict[str, Any], facts: Facts) -> JudgedLicense:
    _, agreed_ms, _, _ = row["agreed"]
    _, _, _, end_ms = row["term"]
    statement_id = _id(row["id"])
    terms_index, bound_index = row["set"]
    consents_to_marks, consent_index, marking = row["consent"]
    erased_index, attested_ms = row["erased"]
    holds, own_holds, suspending, released_ms = row["holds"]
    return JudgedLicense(
        statement_id,
        facts.registry.licenses[statement_id],
        agreed_ms,
        facts.listings[_id(row["listing"])],
        None if row["parent"] is None else facts.licenses[_id(row["parent"])],
        row["terms"],
        parse_terms(row["terms"]),
        terms_index,
        bound_index,
        consents_to_marks,
        consent_index,
        marking,
        end_ms,
        {action: Count(total, _places(sealed)) for action, (total, sealed) in row["counts"].items()},
        {action: (time_ms, at) for action, (time_ms, at) in row["met"].items()},
        {
            pointer: Meeting(first, latest, doubtful, frozenset(_places(places)))
            for pointer, (first, latest, doubtful, places) in row["meetings"].items()
        },
        set(map(_id, row["held"])),
        erased_index,
        attested_ms,
        Periods(*holds),
        Periods(*own_holds),
        suspending,
        released_ms,
    )


def _dump_claim(claim: JudgedClaim) -> list[Json]:
    recorded = claim.recorded
    return [
        recorded.index, _name(recorded.subject), recorded.respondent, recorded.claimant, claim.answer_by_ms,
        recorded.is_hold, claim.suspends, claim.answered_ms,
    ]  # fmt: skip


def _load_finding(row: list[Any]) -> Finding:
    slug, index, party, entries, since_ms, sentence, rests_on, places = row
    return Finding(
        slug, index, party, tuple(entries), since_ms, sentence, tuple(_places(rests_on)), tuple(_places(places))
    )


def dump_facts(facts: Facts) -> dict[str, Json]:
    """Return facts as a JSON value."""
    ids = {id(transfer): _name(name) for name, transfer in facts.transfers.items()}
    return {
        "listings": [_dump_listing(listing) for listing in facts.listings.values()],
        "licenses": [_dump_license(terms) for terms in facts.licenses.values()],
        "transfers": [
            [ids[id(item)], item.index, _name(item.listing), None if item.license is None else _name(item.license),
             item.sender, item.recipient, item.decided_index if item.state == "acknowledged" else None]
            for item in facts.transfers.values()
        ],
        "acknowledged": {_name(name): ids[id(transfer)] for name, transfer in facts.acknowledged.items()},
        "awaited": {_name(name): by_ms for name, by_ms in facts.awaited.items()},
        "transfer_holds": {_name(name): _dump_periods(periods) for name, periods in facts.transfer_holds.items()},
        "transfer_attested_ms": {_name(name): time_ms for name, time_ms in facts.transfer_attested_ms.items()},
        "claims": {
            _name(name): _dump_claim(item) for name, item in facts.claims.items()
        },
        "requests": [[item.index, _name(item.subject), item.party, item.erase_by_ms] for item in facts.requests],
        "compelled": {_name(name): [issuer, _name(subject)] for name, (issuer, subject) in facts.compelled.items()},
        "venues": facts.venues,
        "signed": {keyid: list(signed) for keyid, signed in facts.signed.items()},
        "certificates": facts.certificates,
        "compromises": facts.compromises,
        "sealed": {_name(name): row for name, row in facts.sealed.items()},
        "sealed_count": facts.sealed_count,
        "attestations": [[index, issuer, _name(of), where] for index, issuer, of, where in facts.attestations],
        "findings": [astuple(finding) for finding in facts.findings],
        "undetermined": [astuple(finding) for finding in facts.undetermined],
    }  # fmt: skip


def load_facts(saved: dict[str, Any], registry: Registry) -> Facts:
    """Return the facts that a JSON value holds, of what `registry` knows; what that says already is not read twice."""
    facts = Facts(registry)
    for row in saved["listings"]:
        listing = _load_listing(row, registry)
        facts.listings[listing.id] = listing
    for row in saved["licenses"]:
        terms = _load_license(row, facts)
        facts.licenses[terms.id] = terms
        facts.grants.setdefault((terms.listing.id, terms.licensee), []).append(terms)
    facts.acknowledged = {_id(name): facts.transfers[_id(of)] for name, of in saved["acknowledged"].items()}
    facts.awaited = {_id(name): by_ms for name, by_ms in saved["awaited"].items()}
    facts.transfer_holds = {_id(name): Periods(*row) for name, row in saved["transfer_holds"].items()}
    facts.transfer_attested_ms = {_id(name): time_ms for name, time_ms in saved["transfer_attested_ms"].items()}
    for name, (_, _, _, _, answer_by_ms, _, suspends, answered_ms) in saved["claims"].items():
        facts.claims[_id(name)] = JudgedClaim(registry.claims[_id(name)], answer_by_ms, suspends, answered_ms)
    facts.requests = [ErasureRequest(index, _id(subject), *rest) for index, subject, *rest in saved["requests"]]
    facts.compelled = {_id(name): (issuer, _id(subject)) for name, (issuer, subject) in saved["compelled"].items()}
    facts.venues = {name: (status, index) for name, (status, index) in saved["venues"].items()}
    facts.signed = {keyid: array("Q", signed) for keyid, signed in saved["signed"].items()}
    facts.certificates = {
        name: Presented(index, time_ms, tuple(keyids), tuple(chain), signature, is_disclosed)
        for name, (index, time_ms, keyids, chain, signature, is_disclosed) in saved["certificates"].items()
    }
    facts.compromises = [(keyid, since, owner, index) for keyid, since, owner, index in saved["compromises"]]
    facts.sealed = {
        _id(name): (index, issuer, tuple(where)) for name, (index, issuer, where) in saved["sealed"].items()
    }
    facts.sealed_count = saved["sealed_count"]
    facts.attestations = [(index, issuer, _id(of), tuple(where)) for index, issuer, of, where in saved["attestations"]]
    facts.findings = [_load_finding(row) for row in saved["findings"]]
    facts.undetermined = [_load_finding(row) for row in saved["undetermined"]]
    return facts
