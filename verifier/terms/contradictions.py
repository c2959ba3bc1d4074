"""Terms that contradict themselves (docs/terms.md §3.3)."""

from __future__ import annotations

from collections.abc import Iterator

from verifier.terms.answers import Truth
from verifier.terms.comparison import compare
from verifier.terms.implication import Listed, implies, interval
from verifier.terms.parsed import Atomic, Obligation, Rule, Terms
from verifier.terms.vocabulary import BENEATH, NUMERIC, covers, lineage


def find_contradiction(terms: Terms) -> str | None:
    """Return the pointer of a rule that contradicts itself or another, None if none does."""
    for rule in (*terms.permissions, *terms.prohibitions):
        if _can_never_apply(rule):
            return rule.pointer
    for permission in terms.permissions:
        if any(_takes_away(prohibition, permission) for prohibition in terms.prohibitions):
            return permission.pointer
    forbidden = [rule.action for rule in terms.prohibitions if not rule.constraints]
    for action, pointer in _demands(terms):
        if any(covers(other, action) for other in forbidden):
            return pointer
    return None


def _can_never_apply(rule: Rule) -> bool:
    by_operand: dict[str, list[Atomic]] = {}
    for constraint in rule.constraints:
        if isinstance(constraint, Atomic) and constraint.values is not None:
            by_operand.setdefault(constraint.operand, []).append(constraint)
    for operand, constraints in by_operand.items():
        if operand in NUMERIC:
            if _no_integer_meets(constraints, 1 if operand == "count" else 0):
                return True
        elif operand != "version" and _no_word_meets(operand, constraints):
            return True
    return False


def _no_integer_meets(constraints: list[Atomic], least: int) -> bool:
    most: int | None = None
    for constraint in constraints:
        if constraint.operator == "neq":
            continue
        low, high = interval(constraint)
        least = least if low is None else max(least, low)
        most = most if high is None else high if most is None else min(most, high)
    if most is None or least < most:
        return False
    excluded = {value for item in constraints if item.operator == "neq" for value in item.values or ()}
    return least > most or least in excluded


def _no_word_meets(operand: str, constraints: list[Atomic]) -> bool:
    equals = {value for item in constraints if item.operator == "eq" for value in item.values or ()}
    if equals:
        return any(
            not compare(operand, item.operator, value, item.values or ()) for value in equals for item in constraints
        )
    excluded = [frozenset(item.values or ()) for item in constraints if item.operator == "isNoneOf"]
    if not excluded:
        return False
    for item in constraints:
        if item.operator in BENEATH or item.operator == "isAnyOf":
            above = [lineage(operand, str(value)) for value in frozenset(item.values or ())]
            if any(all(not words.isdisjoint(nones) for words in above) for nones in excluded):
                return True
    return False


def _takes_away(prohibition: Rule, permission: Rule) -> bool:
    if not covers(prohibition.action, permission.action):
        return False
    premises = Listed(0, permission.constraints)
    return all(implies(premises, item, 0).truth is Truth.TRUE for item in prohibition.constraints)


def _demands(terms: Terms) -> Iterator[tuple[str, str]]:
    """Yield the action and the pointer of every duty, its rule's where it is a permission's."""
    for permission in terms.permissions:
        for action in permission.duties:
            yield action, permission.pointer
    for obligation in terms.obligations:
        yield from _consequences(obligation)


def _consequences(obligation: Obligation) -> Iterator[tuple[str, str]]:
    yield obligation.action, obligation.pointer
    for consequence in obligation.consequences:
        yield from _consequences(consequence)
