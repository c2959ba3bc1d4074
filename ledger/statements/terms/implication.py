"""What follows from a list of constraints (docs/terms.md §6.2): sound, and no more complete than its table.

Every use that meets the list for certain meets what the list implies for certain.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.statements.terms.constraints import (
    BENEATH,
    Constraint,
    Logical,
    Measure,
    Membership,
    Ordering,
    SealedConstraint,
    SealedOperand,
    apart,
    has_seal,
)
from ledger.statements.terms.truth import Truth
from ledger.statements.vocabulary import upward


def implies(constraints: Sequence[Constraint], wanted: Constraint) -> Truth:
    """Tell whether the list implies `wanted`: TRUE is for certain, UNKNOWN rests on a sealed place."""
    return _Proof(constraints).of(None, wanted)


class _Proof:
    """One question. Answers are kept, because an `or` in an `or` leads to the same part along many ways."""

    def __init__(self, constraints: Sequence[Constraint]) -> None:
        self._list = list(apart(constraints))
        self._answers: dict[tuple[Constraint | None, Constraint], Truth] = {}

    def of(self, given: Constraint | None, wanted: Constraint) -> Truth:
        """Answer for the list `[given]`; None stands for the whole list."""
        key = given, wanted
        if key not in self._answers:
            self._answers[key] = self._find(given, wanted)
        return self._answers[key]

    def _find(self, given: Constraint | None, wanted: Constraint) -> Truth:
        constraints = self._list if given is None else list(apart([given]))
        if any(each.document == wanted.document for each in constraints) and not has_seal(wanted):
            return Truth.TRUE
        best = Truth.FALSE
        match wanted:
            case SealedConstraint() | SealedOperand():
                best = Truth.UNKNOWN
            case Logical(connective="and", members=members):
                best = min(self.of(given, member) for member in members)
            case Logical(connective="or", members=members):
                best = max(self.of(given, member) for member in members)
            case Logical() if any(has_seal(each) for each in (wanted, *constraints) if _is_xone(each)):
                best = Truth.UNKNOWN  # opened, it may be the very same
        for each in constraints:
            if best is Truth.TRUE:
                break
            best = max(best, self._one(each, wanted))
        return best

    def _one(self, given: Constraint, wanted: Constraint) -> Truth:
        match given:
            case SealedConstraint():
                return Truth.UNKNOWN
            case Logical(connective="or", members=members):
                return min(self.of(member, wanted) for member in members)
            case Logical():
                return Truth.FALSE
        if isinstance(wanted, Logical | SealedConstraint) or given.left != wanted.left:
            return Truth.FALSE
        if isinstance(given, SealedOperand):
            return Truth.UNKNOWN
        return Truth.of(_table(given, wanted))


def _is_xone(constraint: Constraint) -> bool:
    return isinstance(constraint, Logical) and constraint.connective == "xone"


def _table(given: Measure | Membership | Ordering, wanted: Measure | Membership | Ordering | SealedOperand) -> bool:
    match given, wanted:
        case Measure(), Measure():
            return _measure(given, wanted)
        case Membership(left="version"), Membership():
            return given.operator in ("eq", "isAnyOf") and all(wanted.meets(word) for word in given.words)
        case Membership(), Membership():
            return _words(given, wanted)
    return False  # ordered versions imply themselves only, and a sealed operand nothing for certain


def _measure(given: Measure, wanted: Measure) -> bool:
    if given.interval is None:
        return wanted.operator == "neq" and given.bound == wanted.bound
    low, high = given.interval
    if wanted.interval is None:
        return not low <= wanted.bound <= high
    return wanted.interval[0] <= low and high <= wanted.interval[1]


def _words(given: Membership, wanted: Membership) -> bool:
    """Read the table of §6.2 by its rows."""
    match given.operator:
        case "eq":
            return all(wanted.meets(word) for word in given.words)
        case "neq":
            return wanted.operator == "neq" and given.words == wanted.words
        case "isNoneOf":
            beneath = all(not given.words.isdisjoint(upward(given.left, word)) for word in wanted.words)
            return wanted.operator in ("neq", "isNoneOf") and beneath
        case "isAllOf":
            return _all_of(given, wanted)
    return _any_of(given, wanted)


def _any_of(given: Membership, wanted: Membership) -> bool:
    """Read the row of `isA`, `isPartOf` and `isAnyOf`; R and S are the words of `given` and `wanted`."""
    left, r, s = given.left, given.words, wanted.words
    if wanted.operator in BENEATH:
        return all(not s.isdisjoint(upward(left, word)) for word in r)
    match wanted.operator:
        case "isAllOf":
            return all(s <= upward(left, word) for word in r)
        case "neq":
            return r.isdisjoint(wanted.above)
        case "isNoneOf":
            return r.isdisjoint(wanted.above) and s.isdisjoint(given.above)
    return False


def _all_of(given: Membership, wanted: Membership) -> bool:
    """Read the row of `isAllOf`."""
    left, r, s = given.left, given.words, wanted.words
    if wanted.operator in BENEATH:
        return not s.isdisjoint(given.above)
    match wanted.operator:
        case "isAllOf":
            return s <= given.above
        case "neq":
            return not r <= wanted.above
        case "isNoneOf":
            return all(any(_are_apart(left, one, other) for one in r) for other in s)
    return False


def _are_apart(left: str, one: str, other: str) -> bool:
    return one not in upward(left, other) and other not in upward(left, one)
