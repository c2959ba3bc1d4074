"""The form of a fraud proof (docs/format.md §19.1): a file that stands alone. Nothing in it is verified here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from verifier.core.b64 import decode_base64
from verifier.core.errors import MalformedInput, VerifierError
from verifier.core.jcs import Json, parse_canonical
from verifier.core.keys import PublicKey
from verifier.core.notes import MAX_NOTE_BYTES
from verifier.schema.checks import (
    Fault,
    base64,
    codes,
    hex32,
    id_,
    key_of,
    list_of,
    members,
    name,
    party_key,
    size,
    text,
    time,
    up_to,
)

TYPE = "provenance-ledger.fraud/v1"
KINDS = (
    "fork",
    "left-out-of-history",
    "omission-after-promise",
    "refusal-contradicts-log",
    "rewrite",
    "rollback",
    "time",
    "unlawful-entry",
    "unsigned-statement",
)
MAX_FRAUD_BYTES = 1 << 26
"""Of a file: 64 MiB."""
HISTORY = "application/vnd.provenance-ledger.history.v1+json"
PROMISE = "application/vnd.provenance-ledger.promise.v1+json"
REFUSAL = "application/vnd.provenance-ledger.refusal.v1+json"
WHAT = "fraud proof"
_MAX_HEADS, _MAX_ENTRIES, _MAX_KEYS, _MAX_PATH = 64, 1 << 20, 64, 64
_MAX_ENTRY_BYTES = 1 << 17


class UntoldFraud(VerifierError):
    """A file of a kind, or of a version, or under rules, that this program does not know: exit 3."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{WHAT}: {reason}" + (f" ({detail})" if detail else ""))


@dataclass(frozen=True, slots=True)
class ProvenEntry:
    """The bytes of an entry, and what is said to lead from them to a head."""

    raw: bytes
    index: int
    """Where the path says that it stands: its own word may be false."""
    head: int
    """Position in `Fraud.heads`."""
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Prefix:
    """Entries 0 … n − 1, and the consistency path from the tree of these to a head."""

    entries: tuple[bytes, ...]
    head: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Consistency:
    """The root that a larger tree has at an earlier size, and the consistency path that shows it."""

    root: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Fraud:
    """A parsed fraud proof."""

    kind: str
    origin: str
    heads: tuple[dict[str, Any], ...]
    """Each `{"checkpoint": note}` or `{"signed": envelope}`."""
    entries: tuple[ProvenEntry, ...]
    index: int | None
    """The entry in question, for the kinds that have one."""
    prefix: Prefix | None
    consistency: Consistency | None
    keys: tuple[PublicKey, ...]
    """Public keys of parties: what a keyid stands for needs nobody's word."""
    statement: bytes
    """`refusal-contradicts-log`: the envelope of the refused statement, as recorded ones are written; else empty."""


_path = up_to(_MAX_PATH, base64(32, 32))
_entry = base64(1, _MAX_ENTRY_BYTES)
signed_envelope = members(
    {
        "payload": base64(1, 1 << 24),
        "payloadType": codes(HISTORY, PROMISE, REFUSAL),
        "signatures": list_of(members({"keyid": hex32, "sig": base64(64, 64)}), 1),
    }
)
"""Checks the form of what the service key signs."""
_checkpoint_head = members({"checkpoint": text(MAX_NOTE_BYTES)})
_signed_head = members({"signed": signed_envelope})


def _head(value: Json) -> None:
    if type(value) is not dict:
        raise Fault("wrong-type")
    (_signed_head if "signed" in value else _checkpoint_head)(value)


_fraud = members(
    {
        "type": codes(TYPE),
        "consistency?": members({"path": _path, "root": hex32}),
        "entries?": list_of(members({"entry": _entry, "head": size, "index": size, "path": _path}), _MAX_ENTRIES),
        "heads": list_of(_head, _MAX_HEADS),
        "index?": size,
        "keys?": list_of(party_key, _MAX_KEYS),
        "kind": codes(*KINDS),
        "origin": text(255),
        "prefix?": members({"entries": list_of(_entry, _MAX_ENTRIES), "head": size, "path": _path}),
        "statement?": base64(1, 1 << 17),
    }
)


def _subject(value: Json) -> None:
    (id_ if type(value) is str and value.startswith("sha256:") else name)(value)


_state = {"ledger": id_, "root": hex32, "size": size}
SIGNED = {
    HISTORY: members(
        {
            "type": codes("provenance-ledger.history/v1"),
            "indexes": up_to(1 << 20, size),
            "subjects": list_of(_subject, 1000),
            **_state,
        }
    ),
    PROMISE: members(
        {
            "type": codes("provenance-ledger.promise/v1"),
            "deadline_ms": time,
            "statement_id": id_,
            "time": time,
            **_state,
        }
    ),
    REFUSAL: members(
        {
            "type": codes("provenance-ledger.refusal/v1"),
            "reason": text(200),
            "statement_id": id_,
            "time": time,
            **_state,
        }
    ),
}
"""What the service key signs, by payload type (docs/format.md §12, §18)."""


def parse_fraud(raw: bytes) -> Fraud:
    """Return what a file holds.

    Raises `MalformedInput`, and `UntoldFraud` for a kind or version that is not known here.
    """
    if len(raw) > MAX_FRAUD_BYTES:
        raise MalformedInput(WHAT, "too-large", f"{len(raw)} bytes")
    if not raw.endswith(b"\n"):
        raise MalformedInput(WHAT, "malformed", "no line feed at its end")
    value = parse_canonical(raw[:-1], WHAT)
    if type(value) is dict:
        _refuse_unknown(value)
    check_form(value, _fraud)
    prefix, consistency = value.get("prefix"), value.get("consistency")
    fraud = Fraud(
        value["kind"],
        value["origin"],
        tuple(value["heads"]),
        tuple(
            ProvenEntry(decoded(item["entry"]), item["index"], item["head"], _hashes(item["path"]))
            for item in value.get("entries", ())
        ),
        value.get("index"),
        None if prefix is None
        else Prefix(tuple(map(decoded, prefix["entries"])), prefix["head"], _hashes(prefix["path"])),
        None if consistency is None else Consistency(bytes.fromhex(consistency["root"]), _hashes(consistency["path"])),
        tuple(map(key_of, value.get("keys", ()))),
        decoded(value.get("statement", "")),
    )  # fmt: skip
    used = [item.head for item in fraud.entries] + ([] if fraud.prefix is None else [fraud.prefix.head])
    if any(head >= len(fraud.heads) for head in used):
        raise MalformedInput(WHAT, "wrong-value", "an entry names a head that is not there")
    return fraud


def _refuse_unknown(value: dict[str, Any]) -> None:
    """Tell what a later version of this program may know from what is broken."""
    kind, version = value.get("kind"), value.get("type")
    if type(version) is str and version.startswith("provenance-ledger.fraud/") and version != TYPE:
        raise UntoldFraud("unknown-version", version[:80])
    if version == TYPE and type(kind) is str and kind not in KINDS:
        raise UntoldFraud("unknown-kind", kind[:80])


def check_form(value: Json, check: Any) -> None:  # noqa: ANN401 (a Checker)
    """Check a JSON value of a fraud proof.

    Raises `MalformedInput`.
    """
    try:
        check(value)
    except Fault as fault:
        raise MalformedInput(WHAT, fault.reason, fault.field) from None


def decoded(text: str) -> bytes:
    """Return the bytes of base64 that was checked."""
    return decode_base64(text) or b""


def _hashes(path: list[str]) -> tuple[bytes, ...]:
    return tuple(map(decoded, path))
