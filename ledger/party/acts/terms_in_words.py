"""Terms said in plain words, for a person who is about to sign them (docs/terms.md). Pure.

They come from another company: the words are made from the same value that is signed, and nothing in it is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.core.encoding import Json, canonical
from ledger.party.vault.sealing import is_sealed
from ledger.statements.vocabulary import COVERS

_ACTIONS = {
    "aggregate": "aggregate it",
    "anonymize": "anonymize it",
    "attribute": "name its source",
    "delete": "delete it",
    "derive": "derive other data from it",
    "distribute": "pass it on",
    "grantUse": "let others use it (sub-license it)",
    "inform": "inform the licensor of its use",
    "obtainConsent": "obtain consent",
    "read": "read it",
    "reproduce": "copy it",
    "sell": "sell it",
    "train": "train models on it",
    "transfer": "transfer it to somebody else for good",
    "use": "use it in any way",
}
_OPERANDS = {
    "count": "the number of times",
    "dateTime": "the moment",
    "elapsedTime": "the time since the agreement",
    "industry": "the industry",
    "product": "the product",
    "purpose": "the purpose",
    "recipient": "the recipient",
    "spatial": "the place",
    "version": "the version of the dataset",
}
_ORDERS = {
    "eq": "is exactly",
    "gt": "is more than",
    "gteq": "is at least",
    "lt": "is less than",
    "lteq": "is at most",
    "neq": "is not",
}
_MOMENTS = {
    "eq": "is exactly",
    "gt": "is after",
    "gteq": "is not before",
    "lt": "is before",
    "lteq": "is not after",
    "neq": "is not",
}
_SETS = {
    "isA": ("is, or is a kind of,", " or "),
    "isAllOf": ("is, or is within, all of:", ", "),
    "isAnyOf": ("is, or is within, one of:", ", "),
    "isNoneOf": ("is not, nor within, any of:", ", "),
    "isPartOf": ("is, or is part of,", " or "),
}
_NESTED = {"and": ", and ", "or": ", or ", "xone": ", or else (one of these alone) "}
_UNKNOWN = "SEALED: you have not seen what stands here"


@dataclass(frozen=True)
class Clause:
    """One rule in words, which follow the licensee's name; `conditions` are all to hold, `notes` explain."""

    heading: str
    conditions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def describe(terms: dict[str, Json]) -> list[Clause]:
    """Return every rule of an agreement in words, in its order: permissions, prohibitions, obligations."""
    clauses = [_permission(rule) for rule in terms.get("permission", ())]
    clauses += [_prohibition(rule) for rule in terms.get("prohibition", ())]
    for rule in terms.get("obligation", ()):
        clauses += _obligation(rule, "must", "the end of the license")
    return clauses


def say_constraint(constraint: Json) -> str:
    """Return a constraint in words."""
    if is_sealed(constraint):
        return _UNKNOWN
    for connective, between in _NESTED.items():
        if connective in constraint:
            return "(" + between.join(say_constraint(item) for item in constraint[connective]) + ")"
    operand, operator, right = (constraint[name] for name in ("leftOperand", "operator", "rightOperand"))
    subject = _OPERANDS.get(operand, operand)
    values = [_value(item) for item in right] if isinstance(right, list) else [_value(right)]
    if operator in _SETS and not is_sealed(right):
        words, between = _SETS[operator]
        return f"{subject} {words} {between.join(values)}"
    verb = (_MOMENTS if operand == "dateTime" else _ORDERS).get(operator, operator)
    return f"{subject} {verb} {', '.join(values)}"


def _permission(rule: dict[str, Json]) -> Clause:
    duties = [f"{_act(duty['action'])} was done before, or with it" for duty in rule.get("duty", ())]
    conditions = _if([*map(say_constraint, rule.get("constraint", ())), *duties])
    return Clause(
        f"may {_act(rule['action'])}", conditions, _includes(rule["action"], "but not what is prohibited below")
    )


def _prohibition(rule: dict[str, Json]) -> Clause:
    conditions = _if([say_constraint(item) for item in rule.get("constraint", ())])
    verb = "must not" if conditions else "must never"
    return Clause(f"{verb} {_act(rule['action'])}", conditions, _includes(rule["action"]))


def _if(conditions: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{'and' if number else 'if'} {condition}" for number, condition in enumerate(conditions))


def _includes(action: str, but: str = "") -> tuple[str, ...]:
    covered = sorted(COVERS.get(action, frozenset()) - {action})
    return (f"this includes: {', '.join(covered)}{f'; {but}' if but else ''}",) if covered else ()


def _obligation(rule: dict[str, Json], verb: str, after: str) -> list[Clause]:
    deletes = rule["action"] == "delete"
    trigger = after if deletes or verb != "must" else "the agreement"
    deadlines = tuple(_deadline(item, trigger) for item in rule.get("constraint", ()))
    if not deadlines:
        deadlines = (f"at {trigger}",) if deletes or verb != "must" else ("without a deadline",)
    clauses = [Clause(f"{verb} {_act(rule['action'])}", deadlines)]
    for consequence in rule.get("consequence", ()):
        clauses += _obligation(consequence, "if that is not done in time, must", "that deadline")
    return clauses


def _deadline(constraint: Json, trigger: str) -> str:
    if is_sealed(constraint):
        return _UNKNOWN
    within = "before" if constraint["operator"] == "lt" else "by"
    if constraint["leftOperand"] == "dateTime":
        return f"{within} {_value(constraint['rightOperand'])}"
    span = "in less than" if constraint["operator"] == "lt" else "within"
    return f"{span} {_value(constraint['rightOperand'])} of {trigger}"


def _value(right: Json) -> str:
    if is_sealed(right):
        return _UNKNOWN
    if isinstance(right, dict) and isinstance(right.get("@value"), str):
        return str(right["@value"])
    # In quotes, with quotes in it escaped: words of the other side's own must not read as words of ours.
    return canonical(right).decode()


def _act(action: str) -> str:
    words = _ACTIONS.get(action)
    return action if words is None else f"{words} [{action}]"
