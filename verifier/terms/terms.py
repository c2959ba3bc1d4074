"""The form of terms: an ODRL Agreement of which every word has one meaning here (docs/terms.md §1 to §3).

What has passed `verify_terms` is parsed by verifier/terms/parsed.py and judged from there. Pointers are relative to the
terms: `/permission/0/constraint/1`.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

from verifier.core.errors import MalformedInput
from verifier.core.jcs import Json
from verifier.terms.contradictions import find_contradiction
from verifier.terms.form import OutOfBounds, parse_operand
from verifier.terms.parsed import LOGICAL, parse_terms
from verifier.terms.vocabulary import ACTIONS, OPERATORS

PROFILE = "urn:provenance-ledger:odrl-profile:1"
URN, PARTY_URN = "urn:provenance-ledger:", "urn:provenance-ledger:party:"
_CONTEXT: Json = [
    "http://www.w3.org/ns/odrl.jsonld",
    {
        "and": {"@container": "@list", "@id": "odrl:and"},
        "industry": "odrl:industry",
        "neq": "odrl:neq",
        "or": {"@container": "@list", "@id": "odrl:or"},
        "sealed": f"{PROFILE}#sealed",
        "train": f"{PROFILE}#train",
        "xone": {"@container": "@list", "@id": "odrl:xone"},
    },
]
_FIXED: dict[str, Json] = {
    "@context": _CONTEXT,
    "@type": "Agreement",
    "conflict": "prohibit",
    "profile": PROFILE,
}
_RULES = ("permission", "prohibition", "obligation")
_MAX_RULES, _MAX_CONSTRAINTS, _MAX_DUTIES, _MAX_CONSEQUENCES, _MAX_MEMBERS = 100, 200, 20, 10, 20
_MAX_UID_CHARS = 500
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_is_iri = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+", re.ASCII).fullmatch
"""An absolute IRI (§1.1)."""
_is_hex32 = re.compile("[0-9a-f]{64}").fullmatch
_is_target = re.compile(f"{URN}sha256:[0-9a-f]{{64}}").fullmatch
_is_party = re.compile(rf"{PARTY_URN}(?=.{{1,128}}\Z){_LABEL}(?:\.{_LABEL})*").fullmatch


def _refuse(reason: str, pointer: str) -> NoReturn:
    raise MalformedInput("statement", reason, pointer)


def verify_terms(
    terms: Json, listing: str | None = None, assigner: str | None = None, assignee: str | None = None
) -> None:
    """Check the terms of a license of version 2 (docs/terms.md §1 to §3).

    `listing` (an id), `assigner` and `assignee` (names of the licensor and of the licensee) are what the statement
    says; None if it does not (`license.amended`: the form is checked here, `verify_parties` does the rest).
    Raises `MalformedInput` with a reason of docs/format.md §9.3, `unjudgeable-terms` or `contradictory-terms`, and the
    pointer of the place, relative to the terms.
    """
    _head(terms)
    verify_parties(terms, listing, assigner, assignee)
    if not any(name in terms for name in _RULES):
        _refuse("missing-field", "/permission")
    for name in _RULES:
        if name in terms:
            for position, rule in enumerate(_list(terms[name], f"/{name}", _MAX_RULES)):
                _rule(rule, f"/{name}/{position}", name)
    pointer = find_contradiction(parse_terms(terms, ""))
    if pointer is not None:
        _refuse("contradictory-terms", pointer)


def _head(terms: Json) -> None:
    """Check what stands beside the rules."""
    _members(terms, "", (*_FIXED, "assignee", "assigner", "target", "uid"), _RULES)
    for name, value in _FIXED.items():
        if type(terms[name]) is not type(value):
            _refuse("wrong-type", f"/{name}")
        if terms[name] != value:
            _refuse("wrong-value", f"/{name}")
    _line(terms["uid"], "/uid", _MAX_UID_CHARS)
    if not _is_iri(terms["uid"]):
        _refuse("wrong-value", "/uid")
    for name, matches in (("target", _is_target), ("assigner", _is_party), ("assignee", _is_party)):
        if type(terms[name]) is not str:
            _refuse("wrong-type", f"/{name}")
        if not matches(terms[name]):
            _refuse("wrong-value", f"/{name}")


def verify_parties(terms: dict[str, Any], listing: str | None, assigner: str | None, assignee: str | None) -> None:
    """Check that terms of the right form are of this listing, licensor and licensee; None is not compared (§1.2).

    Raises `MalformedInput` (`wrong-value`).
    """
    expected = {
        "target": listing and URN + listing,
        "assigner": assigner and PARTY_URN + assigner,
        "assignee": assignee and PARTY_URN + assignee,
    }
    for name, value in expected.items():
        if value is not None and terms[name] != value:
            _refuse("wrong-value", f"/{name}")


def _members(value: Json, pointer: str, needed: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
    if type(value) is not dict:
        _refuse("wrong-type", pointer)
    if missing := set(needed) - value.keys():
        _refuse("missing-field", f"{pointer}/{min(missing)}")
    if unknown := value.keys() - set(needed) - set(optional):
        _refuse("unknown-field", f"{pointer}/{min(unknown)}")


def _line(value: Json, pointer: str, most: int) -> None:
    if type(value) is not str:
        _refuse("wrong-type", pointer)
    if not 1 <= len(value) <= most or "\n" in value:
        _refuse("wrong-value", pointer)


def _list(value: Json, pointer: str, most: int, least: int = 1) -> list[Json]:
    if type(value) is not list:
        _refuse("wrong-type", pointer)
    if not least <= len(value) <= most:
        _refuse("wrong-value", pointer)
    return value


def _action(rule: dict[str, Any], pointer: str) -> None:
    if type(rule["action"]) is not str:
        _refuse("wrong-type", f"{pointer}/action")
    if rule["action"] not in ACTIONS:
        _refuse("unjudgeable-terms", f"{pointer}/action")


def _rule(value: Json, pointer: str, kind: str) -> None:
    """Check a permission, a prohibition or an obligation (which a consequence is too)."""
    own = {"permission": ("duty",), "prohibition": (), "obligation": ("consequence",)}[kind]
    _members(value, pointer, ("action",), ("constraint", *own))
    _action(value, pointer)
    if "constraint" in value:
        for position, item in enumerate(_list(value["constraint"], f"{pointer}/constraint", _MAX_CONSTRAINTS)):
            _constraint(item, f"{pointer}/constraint/{position}", is_deadline=kind == "obligation")
    if "duty" in value:
        for position, duty in enumerate(_list(value["duty"], f"{pointer}/duty", _MAX_DUTIES)):
            place = f"{pointer}/duty/{position}"
            _members(duty, place, ("action",))
            _action(duty, place)
    if "consequence" in value:
        for position, item in enumerate(_list(value["consequence"], f"{pointer}/consequence", _MAX_CONSEQUENCES)):
            _rule(item, f"{pointer}/consequence/{position}", "obligation")


def _seal(value: dict[str, Any], pointer: str) -> None:
    _members(value, pointer, ("sealed",))
    if type(value["sealed"]) is not str:
        _refuse("wrong-type", f"{pointer}/sealed")
    if not _is_hex32(value["sealed"]):
        _refuse("wrong-value", f"{pointer}/sealed")


def _constraint(value: Json, pointer: str, *, is_deadline: bool) -> None:
    """Check one constraint; `is_deadline` tells that it is an obligation's, which says until when (§2)."""
    if type(value) is not dict:
        _refuse("wrong-type", pointer)
    if "sealed" in value:
        _seal(value, pointer)
        return
    name = next((name for name in LOGICAL if name in value), None)
    if name is not None:
        _members(value, pointer, (name,))
        if is_deadline:
            _refuse("unjudgeable-terms", pointer)
        for position, member in enumerate(_list(value[name], f"{pointer}/{name}", _MAX_MEMBERS, least=2)):
            _constraint(member, f"{pointer}/{name}/{position}", is_deadline=False)
        return
    _atomic(value, pointer, is_deadline=is_deadline)


def _atomic(value: dict[str, Any], pointer: str, *, is_deadline: bool) -> None:
    _members(value, pointer, ("leftOperand", "operator", "rightOperand"))
    operand, operator, right = value["leftOperand"], value["operator"], value["rightOperand"]
    for name in ("leftOperand", "operator"):
        if type(value[name]) is not str:
            _refuse("wrong-type", f"{pointer}/{name}")
    if operand not in OPERATORS:
        _refuse("unjudgeable-terms", f"{pointer}/leftOperand")
    if operator not in OPERATORS[operand]:
        _refuse("unjudgeable-terms", f"{pointer}/operator")
    if is_deadline and (operand not in ("dateTime", "elapsedTime") or operator not in ("lt", "lteq")):
        _refuse("unjudgeable-terms", pointer)
    if type(right) is dict and "sealed" in right:
        _seal(right, f"{pointer}/rightOperand")
    else:
        _right_operand(operand, operator, right, f"{pointer}/rightOperand")


def _right_operand(operand: str, operator: str, right: Json, pointer: str) -> None:
    try:
        is_judgeable = parse_operand(operand, operator, right) is not None
    except OutOfBounds:
        _refuse("wrong-value", pointer)
    if not is_judgeable:
        _refuse("unjudgeable-terms", pointer)
