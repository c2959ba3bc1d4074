"""The terms of a license in plain words, clause by clause (docs/terms.md §2 to §4). Nothing is decided here."""

from __future__ import annotations

import re
from collections.abc import Iterator

from verifier.core.jcs import Json
from verifier.core.words import quote
from verifier.terms.parsed import Atomic, Constraint, Logical, Obligation, Rule, Sealed, Terms

_VERBS = {
    "use": "use the data in any way",
    "read": "read the data",
    "reproduce": "copy the data",
    "derive": "derive new data from it",
    "aggregate": "aggregate the data",
    "anonymize": "anonymize the data",
    "distribute": "distribute the data",
    "grantUse": "grant its use to others",
    "sell": "sell the data",
    "transfer": "transfer ownership of the data",
    "delete": "delete the data",
    "attribute": "name the source of the data",
    "inform": "inform the licensor of what it does",
    "obtainConsent": "obtain consent",
    "train": "train a model on the data",
}
_ORDER = {
    "eq": "exactly",
    "neq": "anything but",
    "lt": "less than",
    "lteq": "at most",
    "gt": "more than",
    "gteq": "at least",
}
_MOMENT = {"eq": "exactly at", "neq": "not at", "lt": "before", "lteq": "not after", "gt": "after", "gteq": "from"}
_OF_WORDS = {
    "eq": "exactly",
    "neq": "stated, and other than",
    "isA": "at or beneath",
    "isPartOf": "at or beneath",
    "isAnyOf": "at or beneath any of",
    "isAllOf": "at or beneath all of",
    "isNoneOf": "stated, and beneath none of",
}
_SUBJECT = {
    "purpose": "the purpose is",
    "spatial": "the region is",
    "industry": "the industry is",
    "product": "the product is",
    "recipient": "the recipient is",
    "version": "the version of the listing is",
}
_JOINED = {"and": "all of", "or": "at least one of", "xone": "exactly one of"}
_UNITS = {"D": "day", "H": "hour", "M": "minute", "S": "second"}


def action_words(action: str) -> str:
    """Return an action as a verb, with its own word."""
    return f"{_VERBS[action]} ({action})"


def _duration(text: str) -> str:
    """Return an xsd:duration of docs/terms.md §3.1 in words."""
    parts = [(int(number), _UNITS[unit]) for number, unit in re.findall("([0-9]+)([DHMS])", text)]
    return ", ".join(f"{number} {unit}{'' if number == 1 else 's'}" for number, unit in parts)


def _right(value: Json, operand: str) -> str:
    if type(value) is list:
        return ", ".join(_right(item, operand) for item in value)
    if type(value) is dict:
        return _duration(value["@value"]) if operand == "elapsedTime" else str(value["@value"])
    return quote(value) if type(value) is str else str(value)


def _atomic(item: Atomic, since: str) -> str:
    right = "a value that is sealed" if item.values is None else _right(item.raw["rightOperand"], item.operand)
    if item.operand == "dateTime":
        words = f"{_MOMENT[item.operator]} {right}"
    elif item.operand == "elapsedTime":
        words = f"{_ORDER[item.operator]} {right} after {since}"
    elif item.operand == "count":
        words = f"the number of times, this one included, is {_ORDER[item.operator]} {right}"
    else:
        words = f"{_SUBJECT[item.operand]} {(_OF_WORDS | _version_words(item))[item.operator]} {right}"
    return words + _disclosed(item)


def _version_words(item: Atomic) -> dict[str, str]:
    return _ORDER if item.operand == "version" else {}


def _disclosed(item: Atomic | Logical) -> str:
    return " (disclosed)" if item.pointer in item.opened or f"{item.pointer}/rightOperand" in item.opened else ""


def constraint_words(item: Constraint, since: str) -> str:
    """Return one condition in words; `since` is the moment that elapsed time runs from."""
    if isinstance(item, Sealed):
        return "a condition that is sealed"
    if isinstance(item, Logical):
        members = "; ".join(constraint_words(member, since) for member in item.members)
        return f"{_JOINED[item.operator]} ({members}){_disclosed(item)}"
    return _atomic(item, since)


def _conditions(rule: Rule | Obligation, since: str) -> str:
    return ", and ".join(constraint_words(item, since) for item in rule.constraints)


_AGREED = "the license was agreed"


def permission_words(rule: Rule, licensee: str) -> str:
    """Return what a permission says."""
    words = f"{licensee} may {action_words(rule.action)}"
    if rule.constraints:
        words += f", if {_conditions(rule, _AGREED)}"
    if rule.duties:
        words += f", once it has met these duties: {', '.join(map(action_words, rule.duties))}"
    return words


def prohibition_words(rule: Rule, licensee: str) -> str:
    """Return what a prohibition says."""
    words = f"{licensee} must not {action_words(rule.action)}"
    return f"{words} where {_conditions(rule, _AGREED)}" if rule.constraints else words


def obligation_words(duty: Obligation, licensee: str, *, follows: bool = False) -> str:
    """Return what an obligation says, without its consequences; `follows` tells that it is a consequence itself."""
    words = f"{licensee} must {action_words(duty.action)}"
    since = "the end of the license" if duty.action == "delete" else _AGREED
    if follows:
        since = "that duty was due"
    if duty.constraints:
        return f"{words}, {_conditions(duty, since)}"
    return f"{words} at {since}" if duty.action == "delete" else f"{words}, at no set time"


def rules_words(terms: Terms, licensee: str) -> Iterator[tuple[str, str]]:
    """Yield the pointer and the words of every rule, consequences after the duty that they follow."""
    for rule in terms.permissions:
        yield rule.pointer, permission_words(rule, licensee)
    for rule in terms.prohibitions:
        yield rule.pointer, prohibition_words(rule, licensee)
    for duty in terms.obligations:
        yield from _duty_words(duty, licensee, follows=False)


def _duty_words(duty: Obligation, licensee: str, *, follows: bool) -> Iterator[tuple[str, str]]:
    words = obligation_words(duty, licensee, follows=follows)
    yield duty.pointer, f"where that duty is violated, {words}" if follows else words
    for consequence in duty.consequences:
        yield from _duty_words(consequence, licensee, follows=True)
