"""When a duty is due, and what has become of it (docs/terms.md §7, docs/statements.md §10 *Erasure duty*)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from verifier.judgement.state import JudgedLicense
from verifier.terms.answers import NOWHERE, Places
from verifier.terms.implication import opened_places, sealed_places
from verifier.terms.parsed import Atomic, Obligation

FULFILLED, VIOLATED, PENDING, UNDETERMINED = "fulfilled", "violated", "pending", "undetermined"


class DutyState(NamedTuple):
    """What has become of one obligation, as of a moment."""

    obligation: Obligation
    state: str
    due_ms: int | None
    """None: never late; or, under a legal hold, not yet; or not to be told."""
    entries: frozenset[int]
    """Those that it follows from beside E(L)."""
    places: Places
    """Sealed, of an undetermined one."""
    rests_on: Places


class _Deadline(NamedTuple):
    due_ms: int | None
    elapsed_ms: int
    """Of its `elapsedTime`; 0 if it has none."""


def _places(terms: JudgedLicense, obligation: Obligation) -> Places:
    return NOWHERE.union(*[sealed_places(terms.terms_index, item) for item in obligation.constraints])


def _opened(terms: JudgedLicense, obligation: Obligation) -> Places:
    return NOWHERE.union(*[opened_places(terms.terms_index, item) for item in obligation.constraints])


def deadline(obligation: Obligation, trigger_ms: int) -> _Deadline:
    """Return when an obligation without a sealed constraint is due, its trigger being at `trigger_ms` (§7.2)."""
    due: list[int] = []
    elapsed: list[int] = []
    for constraint in obligation.constraints:
        if isinstance(constraint, Atomic) and constraint.values is not None:
            value = int(constraint.values[0]) - (constraint.operator == "lt")
            if constraint.operand == "elapsedTime":
                elapsed.append(value)
            else:
                due.append(value)
    if elapsed:
        due.append(trigger_ms + min(elapsed))
    if not obligation.constraints and obligation.action == "delete":
        due.append(trigger_ms)
    return _Deadline(max(0, min(due)) if due else None, min(elapsed, default=0))


def _due_ms(terms: JudgedLicense, obligation: Obligation, trigger_ms: int) -> int | None:
    """Return the due moment, which legal holds move where it is about erasure."""
    due_ms, elapsed_ms = deadline(obligation, trigger_ms)
    if obligation.action != "delete" or due_ms is None:
        return due_ms
    if terms.suspending:
        return None
    return due_ms if terms.released_ms is None else max(due_ms, terms.released_ms + elapsed_ms)


class ErasureDuty(NamedTuple):
    """The erasure duty of a license: its obligations to `delete`, taken together."""

    due_ms: int | None
    """The earliest due moment that can be told; None: there is none."""
    places: Places
    """Sealed places of those whose due moment cannot be told."""
    rests_on: Places


def erasure_duty(terms: JudgedLicense) -> ErasureDuty:
    """Return the erasure duty of a license as it stands after the newest entry taken."""
    due: list[int] = []
    places = rests_on = NOWHERE
    for obligation in terms.terms.obligations:
        if obligation.action != "delete":
            continue
        if sealed := _places(terms, obligation):
            places |= sealed
            continue
        rests_on |= _opened(terms, obligation)
        due_ms = _due_ms(terms, obligation, terms.ends_ms())
        if due_ms is not None:
            due.append(due_ms)
    return ErasureDuty(min(due, default=None), places, rests_on)


def is_erasure_overdue(terms: JudgedLicense, time_ms: int) -> bool:
    """Tell whether copies are held at `time_ms` that should have been destroyed."""
    if not terms.held:
        return False
    due_ms = erasure_duty(terms).due_ms
    return due_ms is not None and time_ms > due_ms


def duty_states(terms: JudgedLicense, as_of_ms: int) -> Iterator[DutyState]:
    """Yield what has become of each obligation, and of the consequences of those that are violated (§7.3)."""
    for obligation in terms.terms.obligations:
        trigger_ms = terms.ends_ms() if obligation.action == "delete" else terms.agreed_ms
        yield from _duty_states(terms, obligation, trigger_ms, as_of_ms, 0)


def _duty_states(
    terms: JudgedLicense, obligation: Obligation, trigger_ms: int, as_of_ms: int, earliest_ms: int
) -> Iterator[DutyState]:
    """Yield the state of one duty, due no earlier than `earliest_ms`, and of what follows from it."""
    places = _places(terms, obligation)
    due_ms = None if places else _due_ms(terms, obligation, trigger_ms)
    due_ms = None if due_ms is None else max(due_ms, earliest_ms)
    state, entries = UNDETERMINED, frozenset[int]()
    if not places and obligation.action == "delete":
        state = _erasure_state(terms, trigger_ms, due_ms, as_of_ms)
        if state == FULFILLED and terms.erased_index is not None:
            entries = frozenset({terms.erased_index})
    elif not places:
        met = terms.met.get(obligation.action)
        if met is not None and (due_ms is None or met[0] <= due_ms):
            state, entries = FULFILLED, frozenset({met[1]})
        else:
            state = VIOLATED if due_ms is not None and as_of_ms > due_ms else PENDING
    yield DutyState(obligation, state, due_ms, entries, places, _opened(terms, obligation))
    if state == VIOLATED and due_ms is not None:
        for consequence in obligation.consequences:
            yield from _duty_states(terms, consequence, due_ms, as_of_ms, due_ms)


def _erasure_state(terms: JudgedLicense, trigger_ms: int, due_ms: int | None, as_of_ms: int) -> str:
    if not terms.held:
        return PENDING if as_of_ms < trigger_ms else FULFILLED
    return VIOLATED if due_ms is not None and as_of_ms > due_ms else PENDING
