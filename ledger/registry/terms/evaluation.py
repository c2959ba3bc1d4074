"""Whether a constraint holds: true, false, or unknown (docs/terms.md §5.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ledger.registry.terms.situation import SEALED, Count, Request, Standing, Stated
from ledger.statements.terms import Constraint, Truth
from ledger.statements.terms.constraints import Logical, Measure, Membership, Ordering, SealedConstraint, SealedOperand


class Place(NamedTuple):
    """A sealed place that an answer would have needed.

    `position` is that of a license in the chain: then `pointer` is one in the statement that set its terms, or `/count`
    in the first earlier use in a sum that sealed it, whose entry is `entry_index` if `Count` told it. `position` None
    stands for the statement that is judged; there, `pointer` is `/` and the left operand (`/version` is the listing's).
    """

    position: int | None
    pointer: str
    entry_index: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the constraints of a rule on `action`, of the license `standing`, are compared with (docs/terms.md §5.1).

    With `is_counted` False every `count` constraint is taken as true (§5.3).
    """

    standing: Standing
    request: Request
    action: str
    is_counted: bool = True

    @property
    def count(self) -> Count:
        """How often, this time included."""
        return self.standing.count_of(self.action) + self.request.count

    def stated(self, left: str) -> Stated | None:
        """Return what was said about a word's left operand; None where nothing was."""
        return self.request.version if left == "version" else self.request.stated.get(left)


def evaluate(constraint: Constraint, facts: Facts) -> Truth:
    """Return whether the constraint holds."""
    match constraint:
        case Measure():
            return _measure(constraint, facts)
        case Membership() | Ordering():
            return _word(constraint, facts.stated(constraint.left))
        case Logical():
            return _logical(constraint, facts)
        case SealedOperand(left="count") if not facts.is_counted:
            return Truth.TRUE
    return Truth.UNKNOWN


def evaluate_all(constraints: Iterable[Constraint], facts: Facts) -> Truth:
    """Return whether all of them hold: a rule's list, or an `and`."""
    weakest = Truth.TRUE
    for constraint in constraints:
        weakest = min(weakest, evaluate(constraint, facts))
        if weakest is Truth.FALSE:
            break
    return weakest


def unknown_places(constraint: Constraint, facts: Facts, position: int, pointer: str) -> Iterator[Place]:
    """Yield the sealed places for which the constraint of the license at `position` is unknown; none if it is not."""
    if evaluate(constraint, facts) is not Truth.UNKNOWN:
        return
    match constraint:
        case Logical(connective=connective, members=members):
            for number, member in enumerate(members):
                yield from unknown_places(member, facts, position, f"{pointer}/{connective}/{number}")
            return
        case SealedConstraint():
            yield Place(position, pointer)
            return
        case SealedOperand():
            yield Place(position, f"{pointer}/rightOperand")
    if constraint.left == "count":
        earlier = facts.standing.count_of(facts.action)
        if earlier.is_uncertain:
            yield Place(position, "/count", earlier.sealed_index)
        elif facts.request.count.is_uncertain:
            yield Place(None, "/count")
    elif facts.stated(constraint.left) is SEALED:
        yield Place(None, f"/{constraint.left}")


def _measure(constraint: Measure, facts: Facts) -> Truth:
    if constraint.left == "dateTime":
        return Truth.of(constraint.meets(facts.request.time_ms))
    if constraint.left == "elapsedTime":
        return Truth.of(constraint.meets(facts.request.time_ms - facts.standing.agreed_ms))
    return _count(constraint, facts.count) if facts.is_counted else Truth.TRUE


def _count(constraint: Measure, count: Count) -> Truth:
    if not count.is_uncertain:
        return Truth.of(constraint.meets(count.known))
    least = constraint.bound if constraint.operator in ("gteq", "lt") else constraint.bound + 1
    if count.known < least:
        return Truth.UNKNOWN  # a greater sum may answer otherwise
    return Truth.of(constraint.operator in ("gt", "gteq", "neq"))


def _word(constraint: Membership | Ordering, stated: Stated | None) -> Truth:
    if stated is None:
        return Truth.FALSE
    return Truth.UNKNOWN if stated is SEALED else Truth.of(constraint.meets(stated))


def _logical(constraint: Logical, facts: Facts) -> Truth:
    if constraint.connective == "and":
        return evaluate_all(constraint.members, facts)
    answers = [evaluate(member, facts) for member in constraint.members]
    if constraint.connective == "or":
        return max(answers)
    if answers.count(Truth.TRUE) > 1:
        return Truth.FALSE
    return Truth.UNKNOWN if Truth.UNKNOWN in answers else Truth.of(Truth.TRUE in answers)
