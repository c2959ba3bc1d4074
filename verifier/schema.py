"""Strict field checks of every statement type (docs/format.md §5, §6), one table a type.

A check takes a value and raises `_Fault` with a reason of §9.3. A missing
field goes before an unknown one, and both before a wrong value.
"""

from __future__ import annotations

import re
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from verifier.b64 import decode_base64
from verifier.ed25519 import PUBLIC_KEY_BYTES, is_strong, key_id
from verifier.errors import MalformedInput
from verifier.jcs import MAX_INTEGER, Json
from verifier.notes import TYPE_ED25519, parse_vkey

if TYPE_CHECKING:
    from collections.abc import Callable

    Checker = Callable[[Any], None]


MAX_LIFETIME_MS = 7_776_000_000
"""90 days."""
MAX_NAME_CHARS = 128
NONCE_BYTES = 16
MAX_SIGNERS = 16
MAX_KEYS = 8

LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_is_name = re.compile(rf"(?=.{{1,{MAX_NAME_CHARS}}}\Z){LABEL}(?:\.{LABEL})*").fullmatch
_is_hex32 = re.compile("[0-9a-f]{64}").fullmatch
_is_id = re.compile("sha256:[0-9a-f]{64}").fullmatch
_is_origin = re.compile(r"[!-*,-~]{1,255}").fullmatch
_TOKEN = "[a-z0-9!#$&^_.+-]+"  # noqa: S105 (a grammar, not a secret)
_is_media_type = re.compile(rf"(?=.{{1,127}}\Z){_TOKEN}/{_TOKEN}").fullmatch


class _Fault(Exception):
    def __init__(self, reason: str, field: str = "") -> None:
        self.reason = reason
        self.field = field
        super().__init__(reason)


def _matching(match: Callable[[str], Any]) -> Checker:
    def check(value: Json) -> None:
        if type(value) is not str:
            raise _Fault("wrong-type")
        if not match(value):
            raise _Fault("wrong-value")

    return check


def _integer(least: int, greatest: int) -> Checker:
    def check(value: Json) -> None:
        if type(value) is not int:  # bool is an int to isinstance, not to the format
            raise _Fault("wrong-type")
        if not least <= value <= greatest:
            raise _Fault("wrong-value")

    return check


def _string(most: int, forbidden: str | None, value: Json) -> None:
    if type(value) is not str:
        raise _Fault("wrong-type")
    if not 1 <= len(value) <= most or (forbidden and forbidden in value):
        raise _Fault("wrong-value")


def _one_of(words: tuple[str, ...], value: Json) -> None:
    if type(value) is not str:
        raise _Fault("wrong-type")
    if value not in words:
        raise _Fault("wrong-value")


def _base64(length_bytes: int, value: Json) -> None:
    if type(value) is not str:
        raise _Fault("wrong-type")
    decoded = decode_base64(value)
    if decoded is None:
        raise _Fault("bad-base64")
    if len(decoded) != length_bytes:
        raise _Fault("wrong-value")


def _list(item: Checker, most: int, value: Json) -> None:
    if type(value) is not list:
        raise _Fault("wrong-type")
    if not 1 <= len(value) <= most:
        raise _Fault("wrong-value")
    for position, member in enumerate(value):
        try:
            item(member)
        except _Fault as fault:
            raise _Fault(fault.reason, f"/{position}{fault.field}") from None


def _ascending(item: Checker, most: int, value: Json) -> None:
    _list(item, most, value)
    if len(value) > 1 and any(left >= right for left, right in pairwise(value)):
        raise _Fault("wrong-value")


def _members(fields: dict[str, Checker]) -> Checker:
    """Return the check of an object with exactly these members, those marked with `?` being optional."""
    table = {name.rstrip("?"): checker for name, checker in fields.items()}
    optional = frozenset(name[:-1] for name in fields if name.endswith("?"))

    def check(value: Json) -> None:
        if type(value) is not dict:
            raise _Fault("wrong-type")
        if value.keys() != table.keys():
            if missing := table.keys() - value.keys() - optional:
                raise _Fault("missing-field", f"/{min(missing)}")
            if unknown := value.keys() - table.keys():
                raise _Fault("unknown-field", f"/{min(unknown)}")
        name = ""
        try:
            for name, member in value.items():
                table[name](member)
        except _Fault as fault:
            raise _Fault(fault.reason, f"/{name}{fault.field}") from None

    return check


def _line(most: int) -> Checker:
    return partial(_string, most, "\n")


def _text(most: int) -> Checker:
    return partial(_string, most, None)


def _public_key(value: Json) -> None:
    _key_object(value)
    if not is_strong(key_bytes(value)):
        raise _Fault("weak-key")


def _keys(value: Json) -> None:
    _list(_public_key, MAX_KEYS, value)


def _vkeys(value: Json) -> None:
    _list(_log_key, MAX_KEYS, value)
    if len(set(value)) != len(value):
        raise _Fault("wrong-value")


def _log_key(value: Json) -> None:
    if type(value) is not str:
        raise _Fault("wrong-type")
    try:
        if parse_vkey(value).kind != TYPE_ED25519:
            raise _Fault("wrong-value")
    except MalformedInput as error:
        raise _Fault("weak-key" if error.reason == "weak-key" else "wrong-value") from None


def key_bytes(public_key: dict[str, str]) -> bytes:
    """Return the bytes of a public key object that this module has checked."""
    return decode_base64(public_key["public_key"]) or b""


def keyids(public_keys: list[dict[str, str]]) -> list[str]:
    """Return the keyids of public key objects that this module has checked."""
    return [key_id(key_bytes(public_key)) for public_key in public_keys]


_name = _matching(_is_name)
_hex32 = _matching(_is_hex32)
_id = _matching(_is_id)
_time = _integer(0, MAX_INTEGER)
_count = _integer(1, MAX_INTEGER)
_key_object = _members({"alg": partial(_one_of, ("ed25519",)), "public_key": partial(_base64, PUBLIC_KEY_BYTES)})
_sealed = _members({"sealed": _hex32})
_seen = _members({"root": _hex32, "size": _count})
_predecessor = _members({"ledger": _id, "root": _hex32, "size": _count})
_allowed = partial(_ascending, _line(200), 64)
_terms_text = _members({"bytes": _count, "media_type": _matching(_is_media_type), "sha256": _hex32})
_terms = _members(
    {
        "purposes": partial(_list, _line(200), 20),
        "text?": _terms_text,
        "valid_from_ms": _time,
        "valid_until_ms": _time,
    }
)

_COMMON: dict[str, Checker] = {
    "type": _line(200),
    "issuer": _name,
    "signers": partial(_ascending, _hex32, MAX_SIGNERS),
    "nonce": partial(_base64, NONCE_BYTES),
    "issued_ms": _time,
    "not_after_ms": _time,
}
_IN_A_LEDGER: dict[str, Checker] = {"ledger": _id, "seen?": _seen}
"""Common fields that `ledger.created` has not: it has no ledger yet, and nothing to have seen."""

COMMON_FIELDS = frozenset(_COMMON) | {"ledger", "seen"}
"""The fields that a statement has whatever its type is (docs/format.md §5)."""

_OWN: dict[str, dict[str, Checker]] = {
    "ledger.created": {
        "origin": _matching(_is_origin),
        "keys": _keys,
        "recovery_keys": _keys,
        "log_keys": _vkeys,
        "service_key": _public_key,
        "rules": _integer(1, MAX_INTEGER),
        "relation": _text(1000),
        "admission": partial(_one_of, ("open", "operator")),
        "predecessor?": _predecessor,
    },
    "ledger.rules_changed": {
        "rules": _integer(2, MAX_INTEGER),
        "payload_types": _allowed,
        "statement_types": _allowed,
        "signature_forms": _allowed,
    },
    "party.registered": {"keys": _keys, "recovery_keys": _keys},
    "party.key_added": {"key": _public_key, "use": partial(_one_of, ("signing", "recovery"))},
    "party.key_revoked": {"keyid": _hex32, "compromised_since_ms?": _time, "reason?": _text(1000)},
    "listing.registered": {"title": _line(300), "description?": _text(4000), "content": _sealed},
    "listing.withdrawn": {"listing": _id, "reason?": _text(1000)},
    "license.agreed": {"listing": _id, "licensee": _name, "terms": _terms},
    "license.ended": {"license": _id, "reason?": _text(1000)},
    "transfer.offered": {"listing": _id, "license?": _id, "recipient": _name, "content": _sealed},
    "transfer.acknowledged": {"transfer": _id, "content": _sealed},
    "transfer.refused": {"transfer": _id, "reason": _text(1000), "content?": _sealed},
}
STATEMENT_TYPES = frozenset(_OWN)
"""The statement types of rules version 1."""

KNOWN_RULES = 1
"""The one version of the rules that this verifier can judge by."""


def _table(kind: str) -> Checker:
    common = _COMMON if kind == "ledger.created" else _COMMON | _IN_A_LEDGER
    return _members(common | _OWN[kind])


_TABLES = {kind: _table(kind) for kind in _OWN}


def _relations(statement: dict[str, Any]) -> None:
    """Check what §5 and §6 say of several fields at once."""
    issued_ms = statement["issued_ms"]
    if not issued_ms <= statement["not_after_ms"] <= issued_ms + MAX_LIFETIME_MS:
        raise _Fault("lifetime-too-long", "/not_after_ms")
    if "terms" in statement and statement["terms"]["valid_until_ms"] <= statement["terms"]["valid_from_ms"]:
        raise _Fault("wrong-value", "/terms/valid_until_ms")
    if "recovery_keys" not in statement:
        return
    public_keys = [key_bytes(key) for key in statement["keys"] + statement["recovery_keys"]]
    if "log_keys" in statement:
        log_keys = [parse_vkey(text) for text in statement["log_keys"]]
        if any(key.name != statement["origin"] for key in log_keys):
            raise _Fault("wrong-value", "/log_keys")
        public_keys += [key.public_key for key in log_keys] + [key_bytes(statement["service_key"])]
    if len(set(public_keys)) != len(public_keys):
        raise _Fault("wrong-value", "/keys")


def verify_fields(kind: str, statement: dict[str, Any]) -> None:
    """Check all fields of a statement of a known type (docs/format.md §9.3).

    Raises `MalformedInput` with a reason of §9.3 and the JSON pointer of the field.
    """
    try:
        _TABLES[kind](statement)
        _relations(statement)
    except _Fault as fault:
        raise MalformedInput("statement", fault.reason, fault.field) from None
