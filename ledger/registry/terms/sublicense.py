"""Whether a sub-license is wider than its parent (docs/terms.md §6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ledger.registry.terms.decision import decide
from ledger.registry.terms.evaluation import Place
from ledger.registry.terms.situation import Request, Standing, Stated
from ledger.statements.terms import Constraint, Permission, Rules, Truth, implies
from ledger.statements.terms.constraints import SealedConstraint, SealedOperand, leaves
from ledger.statements.vocabulary import covers


class Width(NamedTuple):
    """The answer; `places` are the sealed places for which it is UNKNOWN (position 0 is the sub-license itself)."""

    is_wider: Truth
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class _Side:
    """The constraints of one rule, and where they stand."""

    position: int
    pointer: str
    constraints: Sequence[Constraint]


class _Finding(NamedTuple):
    """How certain one part is, and the sealed places that it would need."""

    certainty: Truth
    places: Sequence[Place] = ()


def is_wider(
    child: Standing, parents: Sequence[Standing], licensee: str, time_ms: int, version: Stated | None
) -> Width:
    """Tell whether `child`, granted to `licensee` at `time_ms`, is wider than its parent, the first of `parents`.

    `version` is the listing's at that moment. Everything is looked at as of then, by whoever granted it.
    """
    parent = parents[0]
    within = child.valid_from_ms >= parent.valid_from_ms and child.valid_until_ms <= parent.valid_until_ms
    parts = [
        _may_grant(parents, Request("grantUse", time_ms, version, {"recipient": licensee})),
        _Finding(Truth.of(within)),
        *_compared(child.terms, parent.terms),
    ]
    certainty = min(part.certainty for part in parts)
    places = (place for part in parts for place in part.places) if certainty is Truth.UNKNOWN else ()
    return Width(certainty.negated(), tuple(dict.fromkeys(places)))


def _may_grant(parents: Sequence[Standing], request: Request) -> _Finding:
    decision = decide(parents, request)
    certainty = {"permitted": Truth.TRUE, "undetermined": Truth.UNKNOWN, "prohibited": Truth.FALSE}[decision.state]
    return _Finding(certainty, [_one_up(place) for place in decision.places])


def _one_up(place: Place) -> Place:
    """Turn a place in the parent's chain into one in the sub-license's."""
    return place if place.position is None else place._replace(position=place.position + 1)


def _compared(child: Rules, parent: Rules) -> Iterator[_Finding]:
    """Yield how certain each of 3, 4 and 5 of §6.1 is, rule by rule."""
    for number, narrower in enumerate(child.permissions):
        side = _Side(0, f"/terms/permission/{number}", narrower.constraints)
        yield _best(
            _follows(side, _Side(1, f"/terms/permission/{other}", permission.constraints))
            for other, permission in enumerate(parent.permissions)
            if covers(permission.action, narrower.action) and _has_duties(narrower, permission)
        )
    for number, prohibition in enumerate(parent.prohibitions):
        side = _Side(1, f"/terms/prohibition/{number}", prohibition.constraints)
        yield _best(
            _follows(side, _Side(0, f"/terms/prohibition/{other}", wider.constraints))
            for other, wider in enumerate(child.prohibitions)
            if covers(wider.action, prohibition.action)
        )
    for number, obligation in enumerate(parent.obligations):
        side = _Side(1, f"/terms/obligation/{number}", obligation.constraints)
        yield _best(
            _follows(_Side(0, f"/terms/obligation/{other}", own.constraints), side)
            for other, own in enumerate(child.obligations)
            if own.action == obligation.action
        )


def _has_duties(permission: Permission, parent: Permission) -> bool:
    return {duty.action for duty in parent.duties} <= {duty.action for duty in permission.duties}


def _best(findings: Iterable[_Finding]) -> _Finding:
    """Return the most certain, one being enough; where none is certain, with the places of all that are unknown."""
    best = _Finding(Truth.FALSE)
    for finding in findings:
        if finding.certainty is Truth.TRUE:
            return finding
        if finding.certainty is Truth.UNKNOWN:
            best = _Finding(Truth.UNKNOWN, [*best.places, *finding.places])
    return best


def _follows(given: _Side, wanted: _Side) -> _Finding:
    """Tell whether each constraint of `wanted` is implied by those of `given`."""
    whole = _Finding(Truth.TRUE)
    for number, constraint in enumerate(wanted.constraints):
        certainty = implies(given.constraints, constraint)
        if certainty is Truth.FALSE:
            return _Finding(Truth.FALSE)
        if certainty is Truth.UNKNOWN:
            places = _sealed_places(given, constraint, wanted.position, f"{wanted.pointer}/constraint/{number}")
            whole = _Finding(Truth.UNKNOWN, [*whole.places, *places])
    return whole


def _sealed_places(given: _Side, constraint: Constraint, position: int, pointer: str) -> Iterator[Place]:
    """Yield every sealed place in the list and in `constraint`, for which it is unknown (docs/terms.md §5.5)."""
    yield from _seals(constraint, position, pointer)
    for number, each in enumerate(given.constraints):
        yield from _seals(each, given.position, f"{given.pointer}/constraint/{number}")


def _seals(constraint: Constraint, position: int, pointer: str) -> Iterator[Place]:
    for place, leaf in leaves(constraint, pointer):
        if isinstance(leaf, SealedConstraint):
            yield Place(position, place)
        elif isinstance(leaf, SealedOperand):
            yield Place(position, f"{place}/rightOperand")
