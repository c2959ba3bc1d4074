"""Terms as they are judged: compact, each constraint with its place in the statement (docs/terms.md §2, §3).

`parse_terms` trusts its caller: only what `verifier.terms.terms.verify_terms` passed may reach it. Pointers are of the
statement (`/terms/permission/0/constraint/1`). A place that was sealed and opened stands as its value; `opened`
remembers where.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from verifier.core.jcs import Json
from verifier.terms.form import parse_operand

LOGICAL = ("and", "or", "xone")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A constraint that nobody opened."""

    pointer: str


@dataclass(frozen=True, slots=True)
class Atomic:
    """One comparison."""

    pointer: str
    operand: str
    operator: str
    values: tuple[str | int, ...] | None
    """The right operand, one value being a row of one; None where it is sealed."""
    raw: Json
    """The JSON that it was parsed from."""
    opened: tuple[str, ...] = ()
    """Pointers in it that were sealed, and opened by a disclosure."""

    @property
    def place(self) -> str:
        """Pointer of the right operand: what is sealed where `values` is None."""
        return f"{self.pointer}/rightOperand"


@dataclass(frozen=True, slots=True)
class Logical:
    """Constraints under `and`, `or` or `xone`."""

    pointer: str
    operator: str
    members: tuple[Constraint, ...]
    raw: Json
    opened: tuple[str, ...] = ()
    """Pointers of it and above it, in the same rule, that were sealed and opened."""


Constraint = Sealed | Atomic | Logical


@dataclass(frozen=True, slots=True)
class Rule:
    """A permission (which may have duties) or a prohibition."""

    pointer: str
    action: str
    constraints: tuple[Constraint, ...]
    duties: tuple[str, ...] = ()
    """Actions that must have been done before (or by) the use."""


@dataclass(frozen=True, slots=True)
class Obligation:
    """What the licensee must do, and what follows if it does not."""

    pointer: str
    action: str
    constraints: tuple[Constraint, ...]
    consequences: tuple[Obligation, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """The rules of one license."""

    permissions: tuple[Rule, ...] = ()
    prohibitions: tuple[Rule, ...] = ()
    obligations: tuple[Obligation, ...] = ()


def is_sealed(value: Json) -> bool:
    """Tell whether a place holds a commitment; that it is a whole one is for the checks of form."""
    return type(value) is dict and value.keys() == {"sealed"}


def parse_constraint(value: Json, pointer: str, opened: frozenset[str], above: tuple[str, ...] = ()) -> Constraint:
    """Return one constraint; `above` are the opened places that it stands in."""
    if is_sealed(value):
        return Sealed(pointer)
    seen = (*above, pointer) if pointer in opened else above
    for name in LOGICAL:
        if name in value:
            members = tuple(
                parse_constraint(member, f"{pointer}/{name}/{position}", opened, seen)
                for position, member in enumerate(value[name])
            )
            return Logical(pointer, name, members, value, seen)
    operand, operator, right = value["leftOperand"], value["operator"], value["rightOperand"]
    values = None if is_sealed(right) else parse_operand(operand, operator, right)
    if f"{pointer}/rightOperand" in opened:
        seen = (*seen, f"{pointer}/rightOperand")
    return Atomic(pointer, operand, operator, values, value, seen)


def parse_constraints(rule: dict[str, Any], pointer: str, opened: frozenset[str]) -> tuple[Constraint, ...]:
    """Return a rule's list of constraints."""
    return tuple(
        parse_constraint(value, f"{pointer}/constraint/{position}", opened)
        for position, value in enumerate(rule.get("constraint", ()))
    )


def _parse_obligation(value: dict[str, Any], pointer: str, opened: frozenset[str]) -> Obligation:
    consequences = tuple(
        _parse_obligation(item, f"{pointer}/consequence/{position}", opened)
        for position, item in enumerate(value.get("consequence", ()))
    )
    return Obligation(pointer, value["action"], parse_constraints(value, pointer, opened), consequences)


def _parse_rules(terms: dict[str, Any], name: str, pointer: str, opened: frozenset[str]) -> tuple[Rule, ...]:
    rules = []
    for position, value in enumerate(terms.get(name, ())):
        place = f"{pointer}/{name}/{position}"
        duties = tuple(duty["action"] for duty in value.get("duty", ()))
        rules.append(Rule(place, value["action"], parse_constraints(value, place, opened), duties))
    return tuple(rules)


def parse_terms(terms: dict[str, Any], pointer: str = "/terms", opened: frozenset[str] = frozenset()) -> Terms:
    """Return the rules of terms of version 2, or of version 1, which read as one permission (docs/terms.md §5.5)."""
    if "purposes" in terms:
        values = tuple(terms["purposes"])
        raw = {"leftOperand": "purpose", "operator": "isAnyOf", "rightOperand": terms["purposes"]}
        purpose = Atomic(f"{pointer}/purposes", "purpose", "isAnyOf", values, raw)
        return Terms((Rule(pointer, "use", (purpose,)),))
    obligations = tuple(
        _parse_obligation(value, f"{pointer}/obligation/{position}", opened)
        for position, value in enumerate(terms.get("obligation", ()))
    )
    return Terms(
        _parse_rules(terms, "permission", pointer, opened),
        _parse_rules(terms, "prohibition", pointer, opened),
        obligations,
    )
