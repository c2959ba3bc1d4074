"""Rules that say nothing, or take each other away (docs/terms.md §3.3)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ledger.core.errors import FormatError
from ledger.statements.terms.constraints import BENEATH, Constraint, Measure, Membership
from ledger.statements.terms.implication import implies
from ledger.statements.terms.rules import Obligation, Permission, Prohibition, Rules
from ledger.statements.terms.truth import Truth
from ledger.statements.vocabulary import covers, upward

_LEAST = {"dateTime": 0, "elapsedTime": 0, "count": 1}


def check_contradictions(rules: Rules) -> None:
    """Raise FormatError `contradictory-terms` with the pointer of the first rule that contradicts itself or another."""
    conditional: tuple[tuple[str, Sequence[Prohibition]], ...] = (
        ("permission", rules.permissions),
        ("prohibition", rules.prohibitions),
    )
    for place, each in conditional:
        for position, rule in enumerate(each):
            if not _can_apply(rule.constraints):
                _refuse(f"/{place}/{position}", "its constraints exclude each other, so that it can never apply")
    for position, permission in enumerate(rules.permissions):
        for other, prohibition in enumerate(rules.prohibitions):
            if _takes_away(prohibition, permission):
                _refuse(f"/permission/{position}", f"prohibition {other} always takes it away")
    forbidden = [rule.action for rule in rules.prohibitions if not rule.constraints]
    for pointer, action in _duties(rules):
        if any(covers(each, action) for each in forbidden):
            _refuse(pointer, f"it is a duty to {action}, which a prohibition without constraints forbids")


def _refuse(pointer: str, detail: str) -> None:
    raise FormatError("contradictory-terms", pointer, detail)


def _can_apply(constraints: Sequence[Constraint]) -> bool:
    measures: dict[str, list[Measure]] = {}
    words: dict[str, list[Membership]] = {}
    for constraint in constraints:
        match constraint:
            case Measure(left=left):
                measures.setdefault(left, []).append(constraint)
            case Membership(left=left) if left != "version":
                words.setdefault(left, []).append(constraint)
    return all(_has_integer(each) for each in measures.values()) and all(_has_word(each) for each in words.values())


def _has_integer(constraints: list[Measure]) -> bool:
    """Tell whether an integer meets all, as far as §3.3 looks: `neq` counts only where one integer is left."""
    intervals = [each.interval for each in constraints if each.interval is not None]
    low = max([_LEAST[constraints[0].left], *(interval[0] for interval in intervals)])
    high = min((interval[1] for interval in intervals), default=math.inf)
    excluded = low == high and any(each.operator == "neq" and each.bound == low for each in constraints)
    return low <= high and not excluded


def _has_word(constraints: list[Membership]) -> bool:
    """Tell whether a word meets all, as far as §3.3 looks."""
    equals = [word for each in constraints if each.operator == "eq" for word in each.words]
    if equals:
        return all(each.meets(word) for word in set(equals) for each in constraints)
    excluding = [each for each in constraints if each.operator == "isNoneOf"]
    return not any(_excludes(none, some) for none in excluding for some in constraints if some.operator in BENEATH)


def _excludes(none: Membership, some: Membership) -> bool:
    return all(not none.words.isdisjoint(upward(some.left, word)) for word in some.words)


def _takes_away(prohibition: Prohibition, permission: Permission) -> bool:
    return covers(prohibition.action, permission.action) and all(
        implies(permission.constraints, constraint) is Truth.TRUE for constraint in prohibition.constraints
    )


def _duties(rules: Rules) -> Iterator[tuple[str, str]]:
    for position, permission in enumerate(rules.permissions):
        for each, duty in enumerate(permission.duties):
            yield f"/permission/{position}/duty/{each}", duty.action
    yield from _owed("/obligation", rules.obligations)


def _owed(pointer: str, obligations: Sequence[Obligation]) -> Iterator[tuple[str, str]]:
    for position, obligation in enumerate(obligations):
        place = f"{pointer}/{position}"
        yield place, obligation.action
        yield from _owed(f"{place}/consequence", obligation.consequences)
