"""The tables of fields of version 1 of the rules, one a type (docs/format.md §5, §6)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from verifier.core.errors import MalformedInput
from verifier.core.jcs import MAX_INTEGER, Json
from verifier.core.notes import TYPE_ED25519, parse_vkey
from verifier.schema.checks import (
    MAX_KEYS,
    Fault,
    base64,
    codes,
    count,
    hex32,
    id_,
    integer,
    key_of,
    line,
    list_of,
    matching,
    media_type,
    members,
    name,
    public_key,
    public_keys,
    sealed,
    set_of,
    text,
    time,
)

if TYPE_CHECKING:
    from verifier.schema.checks import Checker

MAX_LIFETIME_MS = 7_776_000_000
"""90 days."""
NONCE_BYTES = 16
MAX_SIGNERS = 16

_is_origin = re.compile(r"[!-*,-~]{1,255}").fullmatch


def _log_key(value: Json) -> None:
    if type(value) is not str:
        raise Fault("wrong-type")
    try:
        if parse_vkey(value).kind != TYPE_ED25519:
            raise Fault("wrong-value")
    except MalformedInput as error:
        raise Fault("weak-key" if error.reason == "weak-key" else "wrong-value") from None


_log_key_list = list_of(_log_key, MAX_KEYS)


def _log_keys(value: Json) -> None:
    _log_key_list(value)
    if len(set(value)) != len(value):
        raise Fault("wrong-value")


document = members({"bytes": count, "media_type": media_type, "sha256": hex32})
_allowed = set_of(line(200), 64)
_terms = members(
    {
        "purposes": list_of(line(200), 20),
        "text?": document,
        "valid_from_ms": time,
        "valid_until_ms": time,
    }
)

_COMMON: dict[str, Checker] = {
    "type": line(200),
    "issuer": name,
    "signers": set_of(hex32, MAX_SIGNERS),
    "nonce": base64(NONCE_BYTES, NONCE_BYTES),
    "issued_ms": time,
    "not_after_ms": time,
}
_IN_A_LEDGER: dict[str, Checker] = {"ledger": id_, "seen?": members({"root": hex32, "size": count})}
"""Common fields that `ledger.created` has not: it has no ledger yet, and nothing to have seen."""
COMMON_FIELDS = frozenset(_COMMON) | {"ledger", "seen"}
"""The fields that a statement has whatever its type is (docs/format.md §5)."""

OWN_FIELDS: dict[str, dict[str, Checker]] = {
    "ledger.created": {
        "origin": matching(_is_origin),
        "keys": public_keys,
        "recovery_keys": public_keys,
        "log_keys": _log_keys,
        "service_key": public_key,
        "rules": integer(1, MAX_INTEGER),
        "relation": text(1000),
        "admission": codes("open", "operator"),
        "predecessor?": members({"ledger": id_, "root": hex32, "size": count}),
    },
    "ledger.rules_changed": {
        "rules": integer(2, MAX_INTEGER),
        "payload_types": _allowed,
        "statement_types": _allowed,
        "signature_forms": _allowed,
    },
    "party.registered": {"keys": public_keys, "recovery_keys": public_keys},
    "party.key_added": {"key": public_key, "use": codes("signing", "recovery")},
    "party.key_revoked": {"keyid": hex32, "compromised_since_ms?": time, "reason?": text(1000)},
    "listing.registered": {"title": line(300), "description?": text(4000), "content": sealed},
    "listing.withdrawn": {"listing": id_, "reason?": text(1000)},
    "license.agreed": {"listing": id_, "licensee": name, "terms": _terms},
    "license.ended": {"license": id_, "reason?": text(1000)},
    "transfer.offered": {"listing": id_, "license?": id_, "recipient": name, "content": sealed},
    "transfer.acknowledged": {"transfer": id_, "content": sealed},
    "transfer.refused": {"transfer": id_, "reason": text(1000), "content?": sealed},
}
"""The fields that each type has beside the common ones."""


def with_common_fields(kind: str, own: dict[str, Checker]) -> Checker:
    """Return the check of all fields of a type that has these of its own."""
    return members(_COMMON | own if kind == "ledger.created" else _COMMON | _IN_A_LEDGER | own)


def verify_common_relations(statement: dict[str, Any]) -> None:
    """Check what docs/format.md §5, §6.1 and §6.3 say of several fields at once, under any version."""
    issued_ms = statement["issued_ms"]
    if not issued_ms <= statement["not_after_ms"] <= issued_ms + MAX_LIFETIME_MS:
        raise Fault("lifetime-too-long", "/not_after_ms")
    if "recovery_keys" not in statement:
        return
    keys = [key_of(key).raw for key in statement["keys"] + statement["recovery_keys"]]
    if "log_keys" in statement:
        log_keys = [parse_vkey(vkey) for vkey in statement["log_keys"]]
        if any(key.name != statement["origin"] for key in log_keys):
            raise Fault("wrong-value", "/log_keys")
        keys += [key.public_key for key in log_keys] + [key_of(statement["service_key"]).raw]
    if len(set(keys)) != len(keys):
        raise Fault("wrong-value", "/keys")


def verify_relations(statement: dict[str, Any]) -> None:
    """Check what version 1 says of several fields at once."""
    if "terms" in statement and statement["terms"]["valid_until_ms"] <= statement["terms"]["valid_from_ms"]:
        raise Fault("wrong-value", "/terms/valid_until_ms")
