"""What only a moment can tell: what is overdue, what has become of each rule, whose key was stolen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from verifier.core.checks import Finding
from verifier.core.words import format_time
from verifier.judgement.claims import attested_ms, request_due_ms, unanswered
from verifier.judgement.decision import Question, evaluate
from verifier.judgement.duties import UNDETERMINED, VIOLATED, DutyState, duty_states, erasure_duty
from verifier.judgement.facts import Facts, make_finding
from verifier.judgement.handoffs import late_decision
from verifier.judgement.state import JudgedLicense
from verifier.terms.answers import NOWHERE, YES, Places, Truth
from verifier.terms.parsed import Atomic, Rule, Sealed

PERMITTED, PROHIBITED = "permitted", "prohibited"
_LOOKED_AT = ("dateTime", "elapsedTime", "version", "count")


class RuleState(NamedTuple):
    """What is said of one rule of a license as of a moment (docs/terms.md §7.3)."""

    pointer: str
    action: str
    state: str
    """`permitted`, `prohibited`, `fulfilled`, `violated`, `pending` or `undetermined`."""
    entries: tuple[int, ...]
    due_ms: int | None
    places: tuple[tuple[int, str], ...]
    rests_on: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class LicenseState:
    """One license and the states of its rules."""

    statement_id: bytes
    index: int
    rules: tuple[RuleState, ...]


@dataclass(frozen=True, slots=True)
class Erased:
    """A sealed place whose salt its owner says it destroyed."""

    index: int
    pointer: str
    erased_index: int
    """The entry that says so."""


def overdue(facts: Facts, as_of_ms: int) -> Iterator[Finding]:
    """Yield the findings that waited for a moment to pass, and, with `places`, what could not be decided of them."""
    for transfer_id, by_ms in facts.awaited.items():
        if as_of_ms > by_ms:
            yield late_decision(facts.transfers[transfer_id], by_ms, "had done neither")
    for claim in facts.claims.values():
        if claim.answer_by_ms is not None and claim.answered_ms is None and as_of_ms > claim.answer_by_ms:
            yield unanswered(claim, claim.answer_by_ms, "neither answered nor determined")
    for request in facts.requests:
        due_ms, done_ms = request_due_ms(facts, request), attested_ms(facts, request)
        if due_ms is not None and as_of_ms > due_ms and (done_ms is None or done_ms > due_ms):
            sentence = (
                f"{request.party} had not attested by {format_time(due_ms)} the erasure that entry {request.index} "
                f"asks for."
            )
            yield make_finding("erasure-late", request.index, request.party, (), due_ms, sentence)
    for terms in facts.licenses.values():
        yield from _license_overdue(terms, as_of_ms)


def _license_overdue(terms: JudgedLicense, as_of_ms: int) -> Iterator[Finding]:
    duty = erasure_duty(terms)
    if terms.held and duty.due_ms is not None and as_of_ms > duty.due_ms:
        sentence = (
            f"{terms.licensee} still holds {len(terms.held)} hand-offs under the license of entry {terms.index}, and "
            f"should have destroyed them by {format_time(duty.due_ms)}."
        )
        answer = YES.resting_on(duty.rests_on)
        slug = "license-ended-without-erasure"
        yield make_finding(slug, terms.index, terms.licensee, terms.entries(), duty.due_ms, sentence, answer)
    states = [state for state in duty_states(terms, as_of_ms) if state.obligation.action != "delete"]
    violated = [state for state in states if state.state == VIOLATED]
    if violated:
        yield _unfulfilled(terms, violated)


def _unfulfilled(terms: JudgedLicense, violated: list[DutyState]) -> Finding:
    first = min(violated, key=lambda state: state.due_ms or 0)
    since_ms = first.due_ms or 0
    duties = ", ".join(sorted({state.obligation.action for state in violated}))
    sentence = (
        f"{terms.licensee} has not done in time what the license of entry {terms.index} obliges it to: {duties}, since "
        f"{format_time(since_ms)}."
    )
    answer = YES.resting_on(first.rests_on)
    return make_finding("duty-unfulfilled", terms.index, terms.licensee, terms.entries(), since_ms, sentence, answer)


def compromised(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for every entry signed with a key that was, as its owner said later, compromised by then.

    It flags and never voids: an owner could else undo what it signed by calling its own key stolen.
    """
    worst: dict[int, tuple[str, int, int, int]] = {}
    for keyid, since_ms, owner, said_index in facts.compromises:
        signed = facts.signed.get(keyid, ())
        for index, time_ms in zip(signed[::2], signed[1::2], strict=True):
            if time_ms >= since_ms:
                worst[index] = min(
                    worst.get(index, (owner, said_index, since_ms, time_ms)), (owner, said_index, since_ms, time_ms)
                )
    for index, (owner, said_index, since_ms, time_ms) in worst.items():
        sentence = (
            f"A key of {owner} that signed entry {index} was compromised since {format_time(since_ms)}, says entry "
            f"{said_index}."
        )
        yield make_finding("key-compromised", index, owner, {said_index}, time_ms, sentence)


def license_states(facts: Facts, as_of_ms: int) -> Iterator[LicenseState]:
    """Yield what is said of every rule of every license (docs/terms.md §7.3)."""
    for terms in facts.licenses.values():
        rules = [_permission(terms, rule, as_of_ms) for rule in terms.terms.permissions]
        rules += [_prohibition(terms, rule) for rule in terms.terms.prohibitions]
        rules += [_duty(terms, state) for state in duty_states(terms, as_of_ms)]
        yield LicenseState(terms.id, terms.index, tuple(rules))


def _state(  # noqa: PLR0917 (the members of a state, in their order)
    terms: JudgedLicense,
    rule: Rule,
    state: str,
    others: set[int],
    places: Places = NOWHERE,
    rests_on: Places = NOWHERE,
) -> RuleState:
    entries = tuple(sorted(terms.entries() | others))
    return RuleState(rule.pointer, rule.action, state, entries, None, tuple(sorted(places)), tuple(sorted(rests_on)))


def _permission(terms: JudgedLicense, rule: Rule, as_of_ms: int) -> RuleState:
    """Say whether a permission stands; conditions on a use are not looked at here."""
    if not terms.is_in_force(as_of_ms):
        return _state(terms, rule, PROHIBITED, set())
    question = Question(rule.action, as_of_ms, more=1)
    answers = [
        evaluate(item, terms, question, rule.action)
        for item in rule.constraints
        if isinstance(item, Sealed) or (isinstance(item, Atomic) and item.operand in _LOOKED_AT)
    ]
    rests_on = NOWHERE.union(*[answer.rests_on for answer in answers])
    if any(answer.truth is Truth.FALSE for answer in answers):
        return _state(terms, rule, PROHIBITED, set(), NOWHERE, rests_on)
    places = NOWHERE.union(*[answer.places for answer in answers])
    return _state(terms, rule, UNDETERMINED if places else PERMITTED, set(), places, rests_on)


def _prohibition(terms: JudgedLicense, rule: Rule) -> RuleState:
    meeting = terms.meetings.get(rule.pointer)
    if meeting is None:
        return _state(terms, rule, PROHIBITED, set())
    if meeting.first is not None and meeting.latest is not None:
        return _state(terms, rule, VIOLATED, {meeting.first, meeting.latest}, NOWHERE, meeting.rests_on)
    doubtful = set() if meeting.doubtful is None else {meeting.doubtful}
    return _state(terms, rule, UNDETERMINED, doubtful, meeting.places)


def _duty(terms: JudgedLicense, duty: DutyState) -> RuleState:
    return RuleState(
        duty.obligation.pointer,
        duty.obligation.action,
        duty.state,
        tuple(sorted(terms.entries() | duty.entries)),
        duty.due_ms,
        tuple(sorted(duty.places)),
        tuple(sorted(duty.rests_on)),
    )


def erased(facts: Facts) -> Iterator[Erased]:
    """Yield the sealed places whose salts their owners say they destroyed (docs/format.md §8.7)."""
    told = set[tuple[int, str]]()
    for erased_index, issuer, statement_id, pointers in facts.attestations:
        index, owner, sealed = _sealed_in(facts, statement_id)
        for pointer in pointers:
            if owner == issuer and pointer in sealed and (index, pointer) not in told:
                told.add((index, pointer))
                yield Erased(index, pointer, erased_index)


def _sealed_in(facts: Facts, statement_id: bytes) -> tuple[int, str, tuple[str, ...]]:
    if statement_id in facts.sealed:
        return facts.sealed[statement_id]
    if transfer := facts.transfers.get(statement_id):
        return transfer.index, transfer.sender, ("/content",)
    transfer = facts.acknowledged.get(statement_id)
    if transfer is not None and transfer.decided_index is not None:
        return transfer.decided_index, transfer.recipient, ("/content",)
    return 0, "", ()
