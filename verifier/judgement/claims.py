"""Judging claims, legal holds and erasure (docs/statements.md §8 to §10)."""

from __future__ import annotations

from bisect import bisect_right

from verifier.core.checks import Finding
from verifier.core.words import format_time
from verifier.judgement.duties import erasure_duty, is_erasure_overdue
from verifier.judgement.facts import AcceptedEntry, Facts, make_finding
from verifier.judgement.state import ErasureRequest, JudgedClaim, JudgedLicense, Periods
from verifier.terms.answers import YES


def take_claim(facts: Facts, entry: AcceptedEntry) -> None:
    """`claim.opened`."""
    body = entry.body
    recorded = facts.registry.claims[entry.statement.id]
    claim = facts.claims[entry.statement.id] = JudgedClaim(recorded, body.get("answer_by_ms"))
    if not recorded.is_hold:
        return
    terms = _license_of(facts, recorded.subject)
    if terms is not None and not is_erasure_overdue(terms, entry.time_ms):
        claim.suspends = True
        terms.suspending += 1
    for periods in _held(facts, recorded.subject):
        periods.open(entry.index, entry.time_ms)


def _license_of(facts: Facts, subject: bytes) -> JudgedLicense | None:
    """Return the license that a hold on `subject` is on too."""
    return facts.licenses.get(subject) or facts.license_of(facts.transfers[subject])


def _held(facts: Facts, subject: bytes) -> list[Periods]:
    """Return what a hold on a license or transfer is kept in."""
    if subject in facts.licenses:
        return [facts.licenses[subject].own_holds, facts.licenses[subject].holds]
    terms = facts.license_of(facts.transfers[subject])
    return [facts.transfer_holds.setdefault(subject, Periods()), *([terms.holds] if terms is not None else [])]


def take_answered(facts: Facts, entry: AcceptedEntry) -> None:
    """`claim.answered`."""
    claim = facts.claims[entry.body.id("claim")]
    claim.answered_ms = entry.time_ms
    _judge_answer(facts, claim, entry)


def _judge_answer(facts: Facts, claim: JudgedClaim, entry: AcceptedEntry) -> None:
    if claim.answer_by_ms is not None and entry.time_ms > claim.answer_by_ms:
        facts.findings.append(unanswered(claim, claim.answer_by_ms, f"first moved at entry {entry.index}"))


def unanswered(claim: JudgedClaim, by_ms: int, did: str) -> Finding:
    """Return `claim-unanswered`; `did` says what became of the claim instead."""
    recorded = claim.recorded
    sentence = (
        f"{recorded.respondent} should have answered the claim of {recorded.claimant}, entry {recorded.index}, by "
        f"{format_time(by_ms)}; "
        f"it was {did}."
    )
    return make_finding("claim-unanswered", recorded.index, recorded.respondent, (), by_ms, sentence)


def take_determined(facts: Facts, entry: AcceptedEntry) -> None:
    """`claim.determined`: its hold ends."""
    claim = facts.claims.pop(entry.body.id("claim"))
    if claim.answered_ms is None:
        _judge_answer(facts, claim, entry)
    if not claim.recorded.is_hold:
        return
    for periods in _held(facts, claim.recorded.subject):
        periods.close(entry.index, entry.time_ms)
    terms = _license_of(facts, claim.recorded.subject)
    if claim.suspends and terms is not None:
        terms.suspending -= 1
        if not terms.suspending:
            terms.released_ms = entry.time_ms


def take_request(facts: Facts, entry: AcceptedEntry) -> None:
    """`erasure.requested`."""
    body = entry.body
    subject = body.subject()
    terms = facts.licenses.get(subject)
    party = terms.licensee if terms is not None else facts.transfers[subject].recipient
    facts.requests.append(ErasureRequest(entry.index, subject, party, body["erase_by_ms"]))


def request_due_ms(facts: Facts, request: ErasureRequest) -> int | None:
    """Return the due moment of a request for erasure; None while a hold that moves it is on.

    A hold counts if it was on when the request was recorded, or was opened by the due moment as it was then.
    """
    subject = request.subject
    if subject in facts.licenses:
        rows = [facts.licenses[subject].holds]
    else:
        terms = facts.license_of(facts.transfers[subject])
        rows = [facts.transfer_holds.get(subject, Periods()), *([terms.own_holds] if terms is not None else [])]
    due_ms = request.erase_by_ms
    for row in rows:  # on already when it was recorded
        first = row.first_after(request.index)
        if first < len(row.starts_ms) and row.start_indexes[first] < request.index:
            end_ms = row.ends_ms[first]
            if end_ms is None:
                return None
            due_ms = max(due_ms, end_ms)
    before = None
    while before != due_ms:
        before = due_ms
        for row in rows:
            number = bisect_right(row.starts_ms, due_ms) - 1
            if number >= row.first_after(request.index):
                end_ms = row.ends_ms[number]
                if end_ms is None:
                    return None
                due_ms = max(due_ms, end_ms)
    return due_ms


def attested_ms(facts: Facts, request: ErasureRequest) -> int | None:
    """Return when the party that was asked first attested erasure of what was asked for; None: it has not."""
    if request.subject in facts.licenses:
        return facts.licenses[request.subject].attested_ms.get(request.party)
    times = [facts.transfer_attested_ms.get(request.subject)]
    terms = facts.license_of(facts.transfers[request.subject])
    if terms is not None:
        times.append(terms.attested_ms.get(request.party))
    return min((time_ms for time_ms in times if time_ms is not None), default=None)


def take_attested(facts: Facts, entry: AcceptedEntry) -> None:
    """`erasure.attested`."""
    body = entry.body
    if "statement" in body:
        target, pointers = body.id("statement"), tuple(body["pointers"])
        facts.attestations.append((entry.index, entry.issuer, target, pointers))
    elif "license" in body:
        terms = facts.licenses[body.id("license")]
        terms.attested_ms.setdefault(entry.issuer, entry.time_ms)
        if entry.issuer == terms.licensee:
            _destroy(facts, terms, set(terms.held), entry)
    else:
        transfer_id = body.id("transfer")
        transfer = facts.transfers[transfer_id]
        if entry.issuer == transfer.recipient:
            facts.transfer_attested_ms.setdefault(transfer_id, entry.time_ms)
            received = facts.license_of(transfer)
            if received is not None and transfer.recipient == received.licensee:
                _destroy(facts, received, {transfer_id} & received.held, entry)


def _destroy(facts: Facts, terms: JudgedLicense, copies: set[bytes], entry: AcceptedEntry) -> None:
    """End held copies; `erasure-late` if that should have been done before."""
    if not copies:
        return
    duty = erasure_duty(terms)
    if duty.due_ms is not None and entry.time_ms > duty.due_ms:
        sentence = (
            f"{entry.issuer} destroyed at entry {entry.index} what it held under the license of entry {terms.index}, "
            f"after that was due at {format_time(duty.due_ms)}."
        )
        answer = YES.resting_on(duty.rests_on)
        facts.note("erasure-late", entry, entry.issuer, {terms.index} | terms.entries(), sentence, answer)
    terms.erased_index = entry.index
    terms.held -= copies
