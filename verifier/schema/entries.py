"""From bytes to a statement: entry bundles, entries, envelopes and payloads (docs/format.md §4, §7, §9.1–9.3, §11.1).

Everything here depends on the bytes alone, so that it can be done in any order and by any process.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from verifier.core.b64 import decode_base64
from verifier.core.checks import Check, Failure
from verifier.core.ed25519 import SIGNATURE_BYTES
from verifier.core.errors import CheckFailed, MalformedInput
from verifier.core.jcs import MAX_INTEGER, Json, decode_fast, parse_canonical
from verifier.core.keys import SIGNATURE_WIDTHS
from verifier.core.tree import HASH_BYTES
from verifier.schema.templates import read_template
from verifier.schema.versions import KNOWN_RULES, NEWEST_RULES, STATEMENT_TYPES, verify_fields

FIRST_LINK = bytes(HASH_BYTES)
"""`previous` of entry 0 (docs/format.md §7.2)."""
MAX_ENTRY_BYTES = 65_535
MAX_PAYLOAD_BYTES = 32_768
MAX_SIGNATURES = 16
LASTING_KEYS = 5
"""The version of the rules since which parties may have keys of ML-DSA-44 (docs/format.md §3.1)."""
PAYLOAD_TYPE = "application/vnd.provenance-ledger.statement.v1+json"
_LENGTH_BYTES = 2
_WIDEST_INTEGER_CHARS = 16

_INTEGER = rb"(0|[1-9][0-9]{0,15})"
_SIGNATURE = (
    rb'\{"keyid":"([0-9a-f]{64})","sig":"((?:[A-Za-z0-9+/]{85}[AQgw]=|[A-Za-z0-9+/]{3226}[AEIMQUYcgkosw048])=)"\}'
)
"""keyid and signature; it lets no second spelling of one pass."""
_match_entry = re.compile(
    rb'\{"index":' + _INTEGER + rb',"previous":"([0-9a-f]{64})","statement":\{"payload":"([^"]*)","payloadType":"'
    + re.escape(PAYLOAD_TYPE.encode()) + rb'","signatures":\[' + _SIGNATURE + rb"((?:," + _SIGNATURE
    + rb')*)\]\},"time":' + _INTEGER + rb"\}"
).fullmatch  # fmt: skip
_find_signatures = re.compile(_SIGNATURE).findall
_is_hex32 = re.compile("[0-9a-f]{64}").fullmatch
_PAE_HEAD = b"DSSEv1 %d %s " % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode())


@dataclass(slots=True)
class Entry:
    """An entry of the right form; its statement is not judged."""

    index: int
    previous: bytes
    """Leaf hash that it names as that of the entry before."""
    time_ms: int
    payload: bytes
    signatures: list[tuple[str, bytes]]
    """keyid and signature, ascending by keyid."""
    fits: bool
    """It would still fit with an index and a time of 16 digits (§7.1)."""
    envelope_failure: Failure | None = None
    """Why there is neither payload nor signature (§9.1)."""


def split_bundle(raw: bytes, count: int) -> tuple[list[bytes], str]:
    """Return the first `count` entries of a bundle, and what is wrong with its framing (empty if nothing).

    Every entry that stands before the fault is returned.
    """
    entries: list[bytes] = []
    at = 0
    while len(entries) < count:
        start = at + _LENGTH_BYTES
        end = start + int.from_bytes(raw[at:start], "big")
        if start > len(raw) or end > len(raw):
            return entries, "truncated"
        entries.append(raw[start:end])
        at = end
    return entries, "" if at == len(raw) else "trailing-bytes"


def pre_authentication(payload: bytes) -> bytes:
    """Return the bytes that a signature is over (docs/format.md §4.2)."""
    return b"%s%d %s" % (_PAE_HEAD, len(payload), payload)


def parse_entry(raw: bytes) -> Entry:
    """Return the entry that `raw` encodes, with its envelope's failure if it has one (docs/format.md §7.1, §9.1).

    Raises `CheckFailed` (check `entry-form`) for an entry of another form.
    """
    return _parse_template(raw) or _parse_slowly(raw)


def _parse_template(raw: bytes) -> Entry | None:
    """Return the entry if `raw` follows, byte for byte, the one shape that a good entry can have."""
    match = _match_entry(raw)
    if match is None or len(raw) > MAX_ENTRY_BYTES:
        return None
    index_text, previous, payload_text, keyid, sig, others, _, _, time_text = match.groups()
    payload = decode_base64(payload_text)
    index, time_ms = int(index_text), int(time_text)
    if payload is None or index > MAX_INTEGER or time_ms > MAX_INTEGER:
        return None
    signatures = [(keyid.decode(), a2b_base64(sig))]
    if others:
        signatures += [(keyid.decode(), a2b_base64(sig)) for keyid, sig in _find_signatures(others)]
        if len(signatures) > MAX_SIGNATURES or any(left[0] >= right[0] for left, right in pairwise(signatures)):
            return None
    return Entry(index, bytes.fromhex(previous.decode()), time_ms, payload, signatures, _fits(raw, index, time_ms))


def _fits(raw: bytes, index: int, time_ms: int) -> bool:
    if len(raw) <= MAX_ENTRY_BYTES - 2 * _WIDEST_INTEGER_CHARS:
        return True
    return len(raw) - len(str(index)) - len(str(time_ms)) + 2 * _WIDEST_INTEGER_CHARS <= MAX_ENTRY_BYTES


def _fail(check: Check, reason: str, where: str = "") -> CheckFailed:
    return CheckFailed(Failure(check, reason, where=where))


def _parse_slowly(raw: bytes) -> Entry:
    """Find out what is wrong with an entry that does not follow the template."""
    if len(raw) > MAX_ENTRY_BYTES:
        raise _fail(Check.ENTRY_FORM, "too-large")
    try:
        value = parse_canonical(raw, "entry")
    except MalformedInput as error:
        raise _fail(Check.ENTRY_FORM, error.reason, error.detail) from error
    _verify_members(Check.ENTRY_FORM, value, {"index": int, "previous": str, "statement": dict, "time": int}, "")
    for name in ("index", "time"):
        if not 0 <= value[name] <= MAX_INTEGER:
            raise _fail(Check.ENTRY_FORM, "wrong-value", f"/{name}")
    if not _is_hex32(value["previous"]):
        raise _fail(Check.ENTRY_FORM, "wrong-value", "/previous")
    failure = None
    try:
        payload, signatures = _parse_envelope(value["statement"])
    except CheckFailed as error:
        payload, signatures, failure = b"", [], error.failure
    index, time_ms = value["index"], value["time"]
    previous = bytes.fromhex(value["previous"])
    return Entry(index, previous, time_ms, payload, signatures, _fits(raw, index, time_ms), failure)


def _verify_members(check: Check, value: Json, members: dict[str, type], where: str) -> None:
    if type(value) is not dict:
        raise _fail(check, "wrong-type" if where else "not-an-object", where)
    if missing := members.keys() - value.keys():
        raise _fail(check, "missing-field", f"{where}/{min(missing)}")
    if unknown := value.keys() - members.keys():
        raise _fail(check, "unknown-field", f"{where}/{min(unknown)}")
    for name, kind in members.items():
        if type(value[name]) is not kind:
            raise _fail(check, "wrong-type", f"{where}/{name}")


def _parse_envelope(value: dict[str, Any]) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Check a recorded envelope (docs/format.md §4.1, §9.1)."""
    _verify_members(Check.ENVELOPE, value, {"payload": str, "payloadType": str, "signatures": list}, "/statement")
    if value["payloadType"] != PAYLOAD_TYPE:
        raise _fail(Check.ENVELOPE, "wrong-payload-type", "/statement/payloadType")
    payload = decode_base64(value["payload"])
    if payload is None:
        raise _fail(Check.ENVELOPE, "bad-base64", "/statement/payload")
    if not 1 <= len(value["signatures"]) <= MAX_SIGNATURES:
        raise _fail(Check.ENVELOPE, "wrong-value", "/statement/signatures")
    signatures: list[tuple[str, bytes]] = []
    for position, member in enumerate(value["signatures"]):
        where = f"/statement/signatures/{position}"
        _verify_members(Check.ENVELOPE, member, {"keyid": str, "sig": str}, where)
        signature = decode_base64(member["sig"])
        if signature is None:
            raise _fail(Check.ENVELOPE, "bad-base64", f"{where}/sig")
        if len(signature) not in SIGNATURE_WIDTHS or not _is_hex32(member["keyid"]):
            raise _fail(Check.ENVELOPE, "malformed-signature", where)
        signatures.append((member["keyid"], signature))
    keyids = [keyid for keyid, _ in signatures]
    if len(set(keyids)) != len(keyids):
        raise _fail(Check.ENVELOPE, "duplicate-signature", "/statement/signatures")
    if keyids != sorted(keyids):  # a recorded envelope has one spelling (§4.4)
        raise _fail(Check.ENVELOPE, "non-canonical", "/statement/signatures")
    return payload, signatures


def verify_forms(signatures: list[tuple[str, bytes]], rules: int) -> None:
    """Check that signatures have a width that version `rules` knows (docs/format.md §4.1).

    Raises `CheckFailed`, check `envelope`.
    """
    if rules >= LASTING_KEYS:
        return
    for position, (_, signature) in enumerate(signatures):
        if len(signature) != SIGNATURE_BYTES:
            raise _fail(Check.ENVELOPE, "malformed-signature", f"/statement/signatures/{position}")


def parse_statement(payload: bytes, rules: int, types: frozenset[str] | None = None) -> dict[str, Any]:
    """Return the statement that a payload encodes, every field of it checked (docs/format.md §9.2, §9.3).

    `rules` is the version to read it by, a known one; `types` are the types that are allowed under it, by default all
    that it has. Raises `CheckFailed` with check `payload` or `fields`.
    """
    if types is None:
        types = STATEMENT_TYPES[rules]
    if len(payload) <= MAX_PAYLOAD_BYTES and (statement := _parse_fast(payload, rules, types)) is not None:
        return statement
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise _fail(Check.PAYLOAD, "too-large")
    try:
        value = parse_canonical(payload, "payload")
    except MalformedInput as error:
        raise _fail(Check.PAYLOAD, error.reason, error.detail) from error
    if type(value) is not dict:
        raise _fail(Check.PAYLOAD, "not-an-object")
    if "type" not in value:
        raise _fail(Check.PAYLOAD, "missing-field", "/type")
    if type(value["type"]) is not str:
        raise _fail(Check.PAYLOAD, "wrong-type", "/type")
    if value["type"] not in types:
        raise _fail(Check.PAYLOAD, "unknown-type", value["type"][:80])
    try:
        verify_fields(value["type"], value, rules)
    except MalformedInput as error:
        raise _fail(Check.FIELDS, error.reason, error.detail) from error
    return value


def has_unknown_rules(payload: bytes) -> bool:
    """Tell whether a payload is a `ledger.created` under rules that this verifier does not know (docs/format.md §6.2).

    `rules` is read before all other fields: what another version asks of them is not known here.
    """
    try:
        value = parse_canonical(payload, "payload")
    except MalformedInput:
        return False
    if type(value) is not dict or value.get("type") != "ledger.created":
        return False
    return type(value.get("rules")) is int and value["rules"] > NEWEST_RULES


def guess_rules(raw: bytes) -> int:
    """Return the version of the rules that an entry's bytes, if it is entry 0, put in force; nothing is checked.

    Where that is none that is known, the newest: it says by which version a ledger without a good entry 0 is read.
    """
    try:
        value = parse_canonical(parse_entry(raw).payload, "payload")
    except (MalformedInput, CheckFailed):
        return NEWEST_RULES
    rules = value.get("rules") if type(value) is dict and value.get("type") == "ledger.created" else None
    return rules if type(rules) is int and rules in KNOWN_RULES else NEWEST_RULES


def _parse_fast(payload: bytes, rules: int, types: frozenset[str]) -> dict[str, Any] | None:
    """Return the statement if nothing is wrong with it: the strict check of fields stands in for the rest."""
    if (template := read_template(payload, rules)) and template["type"] in types:
        return template
    value = decode_fast(payload)
    kind = value.get("type") if type(value) is dict else None
    if type(kind) is not str or kind not in types:
        return None
    try:
        verify_fields(kind, value, rules)
    except MalformedInput:
        return None
    statement: dict[str, Any] = value
    return statement
