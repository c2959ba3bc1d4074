"""What the licensee owes, and until when (docs/terms.md §7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from ledger.registry.terms.situation import Standing
from ledger.statements.terms import Obligation
from ledger.statements.terms.constraints import Measure, has_seal

DutyAnswer: TypeAlias = Literal["fulfilled", "pending", "undetermined", "violated"]
ERASURE: Final = "delete"


@dataclass(frozen=True, slots=True)
class Hold:
    """The legal holds that move an erasure duty: those opened while it was not yet overdue (docs/statements.md §10).

    `is_on`: one is not released yet. `released_ms`: when the last of them was; None where there was none.
    """

    is_on: bool = False
    released_ms: int | None = None


NO_HOLD: Final = Hold()


@dataclass(frozen=True, slots=True)
class DutyState:
    """What is said of one obligation; `pointer` is in the terms' statement, `due_ms` None where it is never late."""

    pointer: str
    action: str
    state: DutyAnswer
    due_ms: int | None


def due_ms(obligation: Obligation, trigger_ms: int, hold: Hold = NO_HOLD) -> int | None:
    """Return the last moment at which it can be met in time (docs/terms.md §7.2).

    None where it is never late: it has no constraints, or a sealed one, or is an erasure duty under a hold.
    """
    is_erasure = obligation.action == ERASURE
    if _is_sealed(obligation) or (is_erasure and hold.is_on):
        return None
    deadlines = [each for each in obligation.constraints if isinstance(each, Measure)]
    due = min((_deadline_ms(each, trigger_ms) for each in deadlines), default=trigger_ms if is_erasure else None)
    due = None if due is None else max(0, due)
    if due is None or not is_erasure or hold.released_ms is None:
        return due
    again = (_deadline_ms(each, hold.released_ms) for each in deadlines if each.left == "elapsedTime")
    return max(due, min(again, default=hold.released_ms))


def erasure_due_ms(standing: Standing, hold: Hold = NO_HOLD) -> int | None:
    """Return when all copies must be destroyed: the earliest due moment of its obligations to delete that has one."""
    owed = (each for each in standing.terms.obligations if each.action == ERASURE)
    return min((due for each in owed if (due := due_ms(each, standing.end_ms, hold)) is not None), default=None)


def duty_states(standing: Standing, at_ms: int, *, has_copies: bool, hold: Hold = NO_HOLD) -> list[DutyState]:
    """Return what is said of each obligation as of `at_ms` (docs/terms.md §7.3).

    Consequences come after the duty that they follow, once that is violated. `standing` is the license as of then;
    `has_copies` tells whether its licensee holds copies.
    """
    moment = _Moment(standing, at_ms, has_copies, hold)
    found: list[DutyState] = []
    for number, obligation in enumerate(standing.terms.obligations):
        trigger_ms = standing.end_ms if obligation.action == ERASURE else standing.agreed_ms
        found += moment.states(obligation, f"/terms/obligation/{number}", trigger_ms)
    return found


@dataclass(frozen=True, slots=True)
class _Moment:
    """What the states of obligations are told from."""

    standing: Standing
    at_ms: int
    has_copies: bool
    hold: Hold

    def states(
        self, obligation: Obligation, pointer: str, trigger_ms: int, earliest_ms: int | None = None
    ) -> Iterator[DutyState]:
        """Yield the state of an obligation and, once it is violated, those of its consequences.

        A consequence is due no earlier than `earliest_ms`, its trigger: not before anybody owes it.
        """
        due = due_ms(obligation, trigger_ms, self.hold)
        if due is not None and earliest_ms is not None:
            due = max(due, earliest_ms)
        state = self._state(obligation, trigger_ms, due)
        yield DutyState(pointer, obligation.action, state, due)
        if state == "violated" and due is not None:
            for number, consequence in enumerate(obligation.consequences):
                yield from self.states(consequence, f"{pointer}/consequence/{number}", due, earliest_ms=due)

    def _state(self, obligation: Obligation, trigger_ms: int, due: int | None) -> DutyAnswer:
        if _is_sealed(obligation):
            return "undetermined"
        if obligation.action == ERASURE:
            if not self.has_copies:
                return "pending" if self.at_ms < trigger_ms else "fulfilled"
            is_met = False
        else:
            met_ms = self.standing.met.get(obligation.action)
            is_met = met_ms is not None and (due is None or met_ms <= due)
        if is_met:
            return "fulfilled"
        return "violated" if due is not None and self.at_ms > due else "pending"


def _deadline_ms(deadline: Measure, trigger_ms: int) -> int:
    moment = deadline.bound if deadline.left == "dateTime" else trigger_ms + deadline.bound
    return moment - 1 if deadline.operator == "lt" else moment


def _is_sealed(obligation: Obligation) -> bool:
    return any(has_seal(each) for each in obligation.constraints)
