"""May this be done under this license, and under every license that it rests on? (docs/terms.md §5.3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from ledger.registry.terms.evaluation import Facts, Place, evaluate_all, unknown_places
from ledger.registry.terms.situation import Request, Standing
from ledger.statements.terms import Prohibition, Truth
from ledger.statements.vocabulary import covers

Answer: TypeAlias = Literal["permitted", "prohibited", "undetermined"]
ANSWERS: Final[dict[Truth, Answer]] = {
    Truth.TRUE: "permitted",
    Truth.FALSE: "prohibited",
    Truth.UNKNOWN: "undetermined",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer for a chain of licenses.

    `deciding` is the position of the license that says so, the first going up; None where the use is permitted.
    `places` are the sealed places, each once, for which it is undetermined; empty if it is not.
    """

    state: Answer
    deciding: int | None = None
    is_only_count: bool = False
    places: tuple[Place, ...] = ()


def decide(chain: Sequence[Standing], request: Request) -> Decision:
    """Decide a request under a chain of licenses: the license itself first, then its parent, and so on up."""
    unknown: list[int] = []
    for position, standing in enumerate(chain):
        match permits(standing, request):
            case Truth.FALSE:
                is_only_count = permits(standing, request, is_counted=False) is not Truth.FALSE
                return Decision("prohibited", position, is_only_count)
            case Truth.UNKNOWN:
                unknown.append(position)
    if not unknown:
        return Decision("permitted")
    places = (place for position in unknown for place in _unknown_places(chain[position], request, position))
    return Decision("undetermined", unknown[0], places=tuple(dict.fromkeys(places)))


def permits(standing: Standing, request: Request, *, is_counted: bool = True) -> Truth:
    """Tell whether one license, looked at alone, permits it.

    With `is_counted` False, every `count` constraint of its permissions is taken as true.
    """
    if not standing.is_in_force(request.time_ms):
        return Truth.FALSE
    prohibited = max(prohibitions_met(standing, request), default=Truth.FALSE)
    if prohibited is Truth.TRUE:
        return Truth.FALSE
    permitted = max(_permissions(standing, request, is_counted=is_counted), default=Truth.FALSE)
    return min(permitted, prohibited.negated())


def prohibitions_met(standing: Standing, request: Request) -> list[Truth]:
    """Return, for each prohibition of the license in its order, whether this use would meet it (docs/terms.md §7.3)."""
    return [
        evaluate_all(rule.constraints, Facts(standing, request, rule.action))
        if covers(rule.action, request.action)
        else Truth.FALSE
        for rule in standing.terms.prohibitions
    ]


def _permissions(standing: Standing, request: Request, *, is_counted: bool = True) -> list[Truth]:
    """Return, for each permission of the license in its order, whether it permits this, its duties included."""
    return [
        evaluate_all(rule.constraints, Facts(standing, request, rule.action, is_counted))
        if covers(rule.action, request.action) and all(duty.action in standing.met for duty in rule.duties)
        else Truth.FALSE
        for rule in standing.terms.permissions
    ]


def _unknown_places(standing: Standing, request: Request, position: int) -> Iterator[Place]:
    """Yield what is sealed in unknown prohibitions and, where no permission is true, in unknown permissions."""
    rules: list[tuple[str, Prohibition]] = [
        (f"/terms/prohibition/{number}", standing.terms.prohibitions[number])
        for number, truth in enumerate(prohibitions_met(standing, request))
        if truth is Truth.UNKNOWN
    ]
    permitted = _permissions(standing, request)
    if Truth.TRUE not in permitted:
        rules += [
            (f"/terms/permission/{number}", standing.terms.permissions[number])
            for number, truth in enumerate(permitted)
            if truth is Truth.UNKNOWN
        ]
    for pointer, rule in rules:
        facts = Facts(standing, request, rule.action)
        for number, constraint in enumerate(rule.constraints):
            yield from unknown_places(constraint, facts, position, f"{pointer}/constraint/{number}")
