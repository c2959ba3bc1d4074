"""Judging hand-offs and what is done with the data (docs/statements.md §5, §6, §10)."""

from __future__ import annotations

from hashlib import sha256

from verifier.core.checks import Finding
from verifier.core.jcs import format_canonical
from verifier.core.words import format_time
from verifier.judgement.decision import Assessment, Decision, Question, assess, decide_chain
from verifier.judgement.facts import AcceptedEntry, Facts, make_finding
from verifier.judgement.grants import judge_listing
from verifier.judgement.state import Count, JudgedLicense, Meeting, Stated
from verifier.rules.registry import Transfer
from verifier.sealed.disclosures import Disclosures
from verifier.terms.answers import NO, YES, Truth, negation

_OPERANDS = ("purpose", "spatial", "industry", "product", "recipient")
_CONTENT, _MARKS = "/content", "/marks/seal"
_PERMITS = {Truth.TRUE: "permits", Truth.UNKNOWN: "does not permit", Truth.FALSE: "does not permit"}


def take_offer(facts: Facts, entry: AcceptedEntry, disclosures: Disclosures | None) -> None:
    """`transfer.offered`."""
    offer = entry.statement.offer
    transfer = facts.transfers[entry.statement.id]
    terms = facts.license_of(transfer)
    if offer.acknowledge_by_ms is not None:
        facts.awaited[entry.statement.id] = offer.acknowledge_by_ms
    if _CONTENT in entry.opened:
        facts.contents[entry.statement.id] = _digest(entry, disclosures)
    listing = facts.listings[offer.listing]
    judge_listing(facts, listing, entry, "handed over")
    if offer.marks is not None:
        _take_marks(facts, terms, transfer, entry)
    if terms is None or terms.listing is not listing:
        named = (
            "without a license" if terms is None else f"under the license of entry {terms.index}, of another listing"
        )
        sentence = f"{entry.issuer} handed data to {transfer.recipient} {named}."
        facts.note("transfer-without-license", entry, entry.issuer, {terms.index} if terms else (), sentence)
        return
    _judge_terms(facts, terms, transfer, entry)


def _judge_terms(facts: Facts, terms: JudgedLicense, transfer: Transfer, entry: AcceptedEntry) -> None:
    who = f"{entry.issuer} handed data to {transfer.recipient}"
    outside = next((step for step in terms.chain() if not step.is_in_force(entry.time_ms)), None)
    if outside is not None:
        which = "its license" if outside is terms else "a license above its own"
        if outside.end_ms is not None and entry.time_ms >= outside.end_ms:
            why = f"after {which}, entry {outside.index}, was ended at entry {outside.ended_index}"
        else:
            bounds = (outside.valid_from_ms, outside.valid_until_ms)
            term = "from {} until just before {}".format(*map(format_time, bounds))
            why = f"at {format_time(entry.time_ms)}, outside the term of {which}, entry {outside.index}: {term}"
        facts.note("transfer-outside-term", entry, entry.issuer, outside.entries(), f"{who} {why}.")
    agreed = terms.recorded
    if transfer.recipient != agreed.licensee:
        sentence = f"{who}, but the license of entry {terms.index} is for {terms.licensee}."
        facts.note("transfer-wrong-recipient", entry, entry.issuer, {terms.index}, sentence)
    if entry.issuer != agreed.licensor:
        sentence = f"{who}, but the license of entry {terms.index} is from {terms.licensor}."
        facts.note("transfer-wrong-sender", entry, entry.issuer, {terms.index}, sentence)


def _take_marks(facts: Facts, terms: JudgedLicense | None, transfer: Transfer, entry: AcceptedEntry) -> None:
    """Count the seal of a marked copy, and note that its licensee did not agree to marks, or to such ones."""
    if "seal" in entry.body["marks"]:
        facts.sealed_count += 1
        places = tuple(place for place in (_CONTENT, _MARKS) if place not in entry.opened)
        if places:
            facts.sealed[entry.statement.id] = (entry.index, entry.issuer, places)
    if terms is not None and terms.consents_to_marks:
        _compare_marking(facts, terms, transfer, entry)
        return
    sentence = f"{entry.issuer} marked the copy that it handed to {transfer.recipient}, "
    if terms is None:
        sentence += "and names no license that consents to marks."
    else:
        sentence += f"and the license of entry {terms.index} does not consent to marks."
    others = () if terms is None else (terms.index, terms.consent_index)
    facts.note("marked-without-consent", entry, entry.issuer, others, sentence)


def _compare_marking(facts: Facts, terms: JudgedLicense, transfer: Transfer, entry: AcceptedEntry) -> None:
    """Note that a copy is marked in another way than the licensee agreed to."""
    preparation = facts.preparation_of(entry)
    if preparation is None or terms.marking is None or terms.recorded.listing != transfer.listing:
        return
    if preparation.is_marking(terms.marking):
        return
    sentence = (
        f"{entry.issuer} marked the copy that it handed to {transfer.recipient} otherwise than the license of entry "
        f"{terms.index} says: bound, method or number of recipients of entry {preparation.index} are others."
    )
    others = (preparation.index, terms.index, terms.consent_index)
    facts.note("marked-otherwise-than-agreed", entry, entry.issuer, others, sentence)


def _digest(entry: AcceptedEntry, disclosures: Disclosures | None) -> bytes:
    """Return the digest of the content that was disclosed of a hand-off."""
    [opened] = [item for item in entry.statement.opened if item.pointer == _CONTENT]
    known = disclosures.by_statement[entry.statement.id] if disclosures else {}
    return sha256(format_canonical(known[opened.commitment].value)).digest()


def take_acknowledged(facts: Facts, entry: AcceptedEntry, disclosures: Disclosures | None) -> None:
    """`transfer.acknowledged`."""
    transfer_id = entry.statement.body.id("transfer")
    transfer = facts.transfers[transfer_id]
    facts.acknowledged[entry.statement.id] = transfer
    _decide(facts, transfer_id, transfer, entry)
    terms = facts.license_of(transfer)
    if terms is not None and transfer.recipient == terms.licensee:
        terms.held.add(transfer_id)
    if _CONTENT in entry.opened and transfer_id in facts.contents:
        _compare(facts, transfer, entry, is_same=facts.contents[transfer_id] == _digest(entry, disclosures))


def _compare(facts: Facts, transfer: Transfer, entry: AcceptedEntry, *, is_same: bool) -> None:
    """Say whether what was acknowledged is what was offered, where both contents were disclosed."""
    sentence = (
        f"What {entry.issuer} acknowledges at entry {entry.index} is {'' if is_same else 'not '}what {transfer.sender} "
        f"offered at entry {transfer.index}: the disclosed contents {'are the same' if is_same else 'differ'}."
    )
    answer = (NO if is_same else YES).resting_on(frozenset({(transfer.index, _CONTENT), (entry.index, _CONTENT)}))
    did = facts.clear if is_same else facts.note
    did("digest-mismatch", entry, entry.issuer, {transfer.index}, sentence, answer)


def take_refused(facts: Facts, entry: AcceptedEntry) -> None:
    """`transfer.refused`, of either version."""
    transfer_id = entry.body.id("transfer")
    transfer = facts.transfers[transfer_id]
    _decide(facts, transfer_id, transfer, entry)
    if entry.body.get("code") == "digest-mismatch":
        sentence = (
            f"{entry.issuer} refused what {transfer.sender} handed over at entry {transfer.index}: it was not what the "
            f"offer sealed."
        )
        facts.note("digest-mismatch", entry, transfer.sender, {transfer.index}, sentence)


def _decide(facts: Facts, transfer_id: bytes, transfer: Transfer, entry: AcceptedEntry) -> None:
    by_ms = facts.awaited.get(transfer_id)
    if by_ms is None:
        return
    del facts.awaited[transfer_id]
    if entry.time_ms > by_ms:
        facts.findings.append(late_decision(transfer, by_ms, f"decided it only at entry {entry.index}"))


def late_decision(transfer: Transfer, by_ms: int, did: str) -> Finding:
    """Return `not-acknowledged-in-time`; `did` says what the recipient did instead."""
    sentence = (
        f"{transfer.recipient} should have acknowledged or refused the offer of entry {transfer.index} by "
        f"{format_time(by_ms)}, and {did}."
    )
    return make_finding("not-acknowledged-in-time", transfer.index, transfer.recipient, (), by_ms, sentence)


def take_usage(facts: Facts, entry: AcceptedEntry) -> None:
    """`usage.reported`: counted and met first, for this time and this entry are included."""
    body = entry.body
    terms = facts.licenses[body.id("license")]
    for action in (body["action"], *body.get("fulfils", ())):
        terms.met.setdefault(action, (entry.time_ms, entry.index))
    stated = {name: value for name in _OPERANDS if name in body and (value := entry.stated(name)) is not None}
    decision = _act(terms, Question(body["action"], entry.time_ms, stated), entry)
    if decision.answer.truth is Truth.TRUE or decision.deciding is None:
        if decision.answer.rests_on:
            did = f"{entry.issuer} reported at entry {entry.index} the action {body['action']}"
            sentence = f"{did}, which is permitted."
            facts.clear("usage-prohibited", entry, entry.issuer, terms.entries(), sentence, decision.answer)
        return
    deciding = decision.deciding
    slug = "usage-beyond-count" if decision.is_only_count else "usage-prohibited"
    how = "more often than allowed" if decision.is_only_count else "which is not permitted"
    if not deciding.is_in_force(entry.time_ms):
        how = "outside its term"
    under = f"the license of entry {deciding.index}"
    if deciding is not terms:
        under += f", above its own of entry {terms.index}"
    sentence = f"{entry.issuer} reported at entry {entry.index} the action {body['action']}, {how} under {under}."
    facts.note(slug, entry, entry.issuer, deciding.entries(), sentence, negation(decision.answer))


def _act(terms: JudgedLicense, question: Question, entry: AcceptedEntry) -> Decision:
    """Count what was done under a license and those above it, note prohibitions that it met, and decide it."""
    count = (entry.stated("count") if entry.statement.kind == "usage.reported" else None) or _ONCE
    chain = list(terms.chain())
    for step in chain:
        step.counts.setdefault(question.action, Count()).add(count)
    assessments = [assess(step, question) for step in chain]
    for assessment in assessments:
        _remember_met(assessment, entry.index)
    return decide_chain(assessments, question)


_ONCE = Stated(1, (0, ""))


def _remember_met(assessment: Assessment, index: int) -> None:
    """Keep when prohibitions were met (docs/terms.md §7.3)."""
    for rule, answer in assessment.met:
        if answer.truth is Truth.FALSE:
            continue
        meeting = assessment.license.meetings.setdefault(rule.pointer, Meeting())
        if answer.truth is Truth.UNKNOWN:
            if meeting.doubtful is None:
                meeting.doubtful, meeting.places = index, answer.places
            continue
        if meeting.first is None:
            meeting.first, meeting.rests_on = index, answer.rests_on
        meeting.latest = index


def take_forwarded(facts: Facts, entry: AcceptedEntry) -> None:
    """`transfer.forwarded`: an onward hand-off is one `distribute` under the license that its issuer has."""
    body = entry.body
    transfer = facts.transfers[body.id("transfer")]
    terms, answer = facts.license_of(transfer), NO
    if terms is not None and terms.licensee == entry.issuer:
        stated = {name: value for name in ("purpose", "spatial") if (value := entry.stated(name)) is not None}
        recipient = entry.stated("recipient") or entry.stated("outsider")
        if recipient is not None:
            stated["recipient"] = recipient
        answer = _act(terms, Question("distribute", entry.time_ms, stated), entry).answer
    if _was_compelled(facts, transfer, entry) or _is_sublicensed(facts, transfer, entry):
        return
    others = {transfer.index} | (terms.entries() if terms is not None else set())
    to = body.get("recipient", "somebody who is no party")
    sentence = f"{entry.issuer} handed on to {to} what it had received by the offer of entry {transfer.index}; "
    if terms is None:
        sentence += "no license covers that."
    else:
        sentence += f"the license of entry {terms.index} {_PERMITS[answer.truth]} that."
    did = facts.clear if answer.truth is Truth.TRUE else facts.note
    did("onward-without-permission", entry, entry.issuer, others, sentence, negation(answer))


def _was_compelled(facts: Facts, transfer: Transfer, entry: AcceptedEntry) -> bool:
    """Tell whether the issuer had to: it names its own disclosure about this transfer or its listing."""
    if "disclosure" not in entry.body:
        return False
    issuer, subject = facts.compelled[entry.body.id("disclosure")]
    return issuer == entry.issuer and (subject == transfer.listing or facts.transfers.get(subject) is transfer)


def _is_sublicensed(facts: Facts, transfer: Transfer, entry: AcceptedEntry) -> bool:
    """Tell whether a sub-license that the issuer granted to the recipient covers it, and is in force to the top."""
    if "license" not in entry.body or transfer.license is None:
        return False
    terms = facts.licenses[entry.body.id("license")]
    chain = list(terms.chain())
    return (
        (terms.licensor, terms.licensee) == (entry.issuer, entry.body.get("recipient"))
        and terms.listing.id == transfer.listing
        and any(step.id == transfer.license for step in chain)
        and all(step.is_in_force(entry.time_ms) for step in chain)
    )


def take_compelled(facts: Facts, entry: AcceptedEntry) -> None:
    """`disclosure.compelled`."""
    subject = entry.body.id("transfer" if "transfer" in entry.body else "listing")
    facts.compelled[entry.statement.id] = (entry.issuer, subject)
