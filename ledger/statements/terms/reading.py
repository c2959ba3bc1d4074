"""From the JSON of a constraint to what it says, or a reason at a place in it (docs/terms.md §3.1, §3.2)."""

from __future__ import annotations

import re
from typing import Final

from ledger.core.encoding import Json
from ledger.core.errors import FormatError, pointer
from ledger.statements.terms.constraints import (
    Constraint,
    Logical,
    Measure,
    Membership,
    Ordering,
    SealedConstraint,
    SealedOperand,
)
from ledger.statements.terms.operands import date_time_ms, duration_ms, ordered_version, size, word, words

CONNECTIVES: Final = ("and", "or", "xone")
MAX_MEMBERS = 20

_ORDERING = frozenset({"lt", "lteq", "gt", "gteq"})
_SETS = frozenset({"isAnyOf", "isAllOf", "isNoneOf"})
_MEASURED = {"dateTime": date_time_ms, "elapsedTime": duration_ms, "count": size}
_OPERATORS = _ORDERING | _SETS | {"eq", "neq", "isA", "isPartOf"}
OPERATORS: Final[dict[str, frozenset[str]]] = {
    **dict.fromkeys(_MEASURED, _ORDERING | {"eq", "neq"}),
    "version": _ORDERING | _SETS | {"eq", "neq"},
    **dict.fromkeys(("purpose", "spatial", "industry", "product"), _OPERATORS - _ORDERING),
    "recipient": _SETS | {"eq", "neq"},
}
"""Each left operand, and the operators that it has."""

_ATOMIC = ("leftOperand", "operator", "rightOperand")
_HEX32 = re.compile("[0-9a-f]{64}")


def read_constraint(document: Json) -> Constraint:
    """Read the constraint of a permission or prohibition; raise FormatError with a pointer that begins at it."""
    if not isinstance(document, dict):
        raise FormatError("wrong-type", detail="a constraint is an object")
    if "sealed" in document:
        _read_seal(document)
        return SealedConstraint(document)
    connective = next((name for name in CONNECTIVES if name in document), None)
    return _read_atomic(document) if connective is None else _read_logical(document, connective)


def read_deadline(document: Json) -> Constraint:
    """Read the constraint of an obligation: until when (docs/terms.md §2); raise FormatError."""
    constraint = read_constraint(document)
    match constraint:
        case Measure("dateTime" | "elapsedTime", "lt" | "lteq") | SealedConstraint():
            return constraint
        case SealedOperand("dateTime" | "elapsedTime", "lt" | "lteq"):
            return constraint
    raise _unjudgeable("an obligation's constraint is dateTime or elapsedTime with lt or lteq, and nothing else")


def _read_logical(document: dict[str, Json], connective: str) -> Logical:
    _check_members(document, (connective,))
    members = document[connective]
    if not isinstance(members, list):
        raise FormatError("wrong-type", f"/{connective}", "a list of constraints")
    if not 2 <= len(members) <= MAX_MEMBERS:
        raise FormatError("wrong-value", f"/{connective}", f"2 to {MAX_MEMBERS} constraints")
    found: list[Constraint] = []
    for position, member in enumerate(members):
        try:
            found.append(read_constraint(member))
        except FormatError as error:
            raise FormatError(error.reason, f"/{connective}/{position}{error.field}", error.detail) from error
    return Logical(connective, tuple(found), document)


def _read_atomic(document: dict[str, Json]) -> Constraint:
    _check_members(document, _ATOMIC)
    left, operator = document["leftOperand"], document["operator"]
    for name, value in (("leftOperand", left), ("operator", operator)):
        if not isinstance(value, str):
            raise FormatError("wrong-type", pointer(name), "a string")
    if left not in OPERATORS:
        raise _unjudgeable(f"not a left operand of docs/terms.md §3.1: {left[:100]}")
    if operator not in OPERATORS[left]:
        raise _unjudgeable(f"{left} does not have the operator {operator[:100]}")
    try:
        return _read_right(left, operator, document)
    except FormatError as error:
        if error.reason == "unjudgeable-terms":
            raise _unjudgeable(f"rightOperand{error.field}: {error.detail}") from error
        raise FormatError(error.reason, "/rightOperand" + error.field, error.detail) from error


def _read_right(left: str, operator: str, document: dict[str, Json]) -> Constraint:
    right = document["rightOperand"]
    if isinstance(right, dict) and "sealed" in right:
        _read_seal(right)
        return SealedOperand(left, operator, document)
    if left in _MEASURED:
        return Measure(left, operator, _MEASURED[left](right), document)
    if operator in _ORDERING:
        return Ordering(left, operator, ordered_version(right), document)
    found = words(right) if operator in _SETS else frozenset({word(right)})
    return Membership(left, operator, found, document)


def _read_seal(document: dict[str, Json]) -> None:
    _check_members(document, ("sealed",))
    seal = document["sealed"]
    if not isinstance(seal, str):
        raise FormatError("wrong-type", "/sealed", "a string")
    if not _HEX32.fullmatch(seal):
        raise FormatError("wrong-value", "/sealed", "64 hex digits")


def _check_members(document: dict[str, Json], names: tuple[str, ...]) -> None:
    for name in names:
        if name not in document:
            raise FormatError("missing-field", pointer(name), "a constraint needs it")
    for name in document:
        if name not in names:
            raise FormatError("unknown-field", pointer(name), "a constraint of this form has no such member")


def _unjudgeable(detail: str) -> FormatError:
    """Return the error; the clause that is named is the constraint (docs/terms.md §3.2)."""
    return FormatError("unjudgeable-terms", detail=detail)
