"""The parts of a fraud proof, opened: every signature and every path is checked before any part is looked at.

A head is what the operator signed about a tree: a checkpoint, by the log's key, or a promise, refusal or history, by
the service key that entry 0 names. That entry has to stand under a checkpoint: then the log's key vouches for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from verifier.core.ed25519 import is_signed, key_id
from verifier.core.errors import CheckFailed, MalformedInput, VerifierError
from verifier.core.jcs import Json, parse_canonical
from verifier.core.policy import Policy, open_checkpoint
from verifier.core.tree import Tree, leaf_hash, verify_consistency, verify_inclusion
from verifier.fraud.form import SIGNED, WHAT, Fraud, UntoldFraud, check_form, decoded
from verifier.schema.checks import key_of
from verifier.schema.entries import Entry, parse_entry, parse_statement, pre_authentication
from verifier.schema.versions import KNOWN_RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verifier.core.notes import VerifierKey

CHECKPOINT = "checkpoint"
"""What a head is that the log's key signed; others are named by their payload type."""


class NotProven(VerifierError):
    """A part does not hold, or what it shows is not a fraud: exit 1."""

    def __init__(self, reason: str, where: str = "") -> None:
        self.reason = reason
        self.where = where
        super().__init__(reason + (f" ({where})" if where else ""))


@dataclass(frozen=True, slots=True)
class Head:
    """A tree head that the operator signed."""

    signed_as: str
    """`CHECKPOINT`, or the payload type of what the service key signed."""
    size: int
    root: bytes
    cosigned_unix_s: dict[str, int]
    """Of a checkpoint: the policy's witnesses that cosigned it, and when."""
    payload: dict[str, Any]
    """Of the others: what was signed."""
    log_vkeys: tuple[str, ...] = ()
    """Of a checkpoint: the policy's log keys that signed it."""

    @property
    def time_ms(self) -> int | None:
        """When the operator says that the log stood so; None if it does not say."""
        return self.payload.get("time")


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry that is under a head."""

    index: int
    raw: bytes
    head: Head
    entry: Entry | None
    """None where the bytes are not an entry (docs/format.md §7.1)."""

    @property
    def time_ms(self) -> int | None:
        """What it says of its time; None for what is not an entry."""
        return None if self.entry is None else self.entry.time_ms

    @property
    def statement_id(self) -> str:
        """The id of its statement; empty if there is none."""
        if self.entry is None or self.entry.envelope_failure is not None:
            return ""
        return name_of(self.entry.payload)

    def payload(self) -> dict[str, Any]:
        """Return the payload as far as it is a canonical JSON object, else nothing: its fields are not checked."""
        if self.entry is None:
            return {}
        try:
            value = parse_canonical(self.entry.payload, WHAT)
        except MalformedInput:
            return {}
        return value if type(value) is dict else {}


@dataclass(slots=True)
class Parts:
    """All parts of one fraud proof; each holds."""

    fraud: Fraud
    policy: Policy
    log: VerifierKey
    heads: list[Head]
    shown: list[Shown]
    """Those of `entries` in their order, then those of `prefix`."""
    ledger: str = ""
    """Id of the ledger, empty where entry 0 is not shown."""

    @property
    def prefix_size(self) -> int:
        """So many entries from 0 on are shown, none missing."""
        return 0 if self.fraud.prefix is None else len(self.fraud.prefix.entries)

    def disputed(self) -> Shown:
        """Return the entry in question.

        Raises `NotProven` if it is not here.
        """
        if self.fraud.index is None:
            raise NotProven("missing-part", "index")
        found = next((item for item in self.shown if item.index == self.fraud.index), None)
        if found is None:
            raise NotProven("missing-part", f"entry {self.fraud.index}")
        return found

    def before(self, index: int) -> Iterator[Shown]:
        """Yield the entries below an index, ascending."""
        return iter(sorted((item for item in self.shown if item.index < index), key=lambda item: item.index))

    @property
    def log_vkeys(self) -> tuple[str, ...]:
        """The log keys on which everything here rests, each once."""
        return tuple(sorted({vkey for head in self.heads for vkey in head.log_vkeys}))

    def of_kind(self, signed_as: str) -> Iterator[Head]:
        """Yield the heads of a kind."""
        return (head for head in self.heads if head.signed_as == signed_as)


def name_of(payload: bytes) -> str:
    """Return the id of the statement with this payload (docs/format.md §4.3)."""
    return f"sha256:{sha256(pre_authentication(payload)).hexdigest()}"


def open_parts(fraud: Fraud, policy: Policy, log: VerifierKey) -> Parts:
    """Verify every signature and every path.

    Raises `NotProven`, and `UntoldFraud` for a ledger under rules that are not known.
    """
    if fraud.origin != log.name:
        raise NotProven("wrong-origin", f"the policy names the log {log.name}, this is about {fraud.origin}")
    heads: list[Head | None] = [None] * len(fraud.heads)
    for position, value in enumerate(fraud.heads):
        if "checkpoint" in value:
            heads[position] = _open_note(value["checkpoint"].encode(), position, policy, log)
    parts = Parts(fraud, policy, log, [], [])
    if any(head is None for head in heads):
        service_key = _open_created(parts, heads)
        for position, value in enumerate(fraud.heads):
            if "signed" in value:
                heads[position] = _open_signed(value["signed"], position, parts.ledger, service_key)
    parts.heads = [head for head in heads if head is not None]
    for item in fraud.entries:
        parts.shown.append(_show(item.raw, item.index, parts.heads[item.head]))
        _verify_path(item.raw, item.index, item.path, parts.heads[item.head])
    if fraud.prefix is not None:
        _open_prefix(parts)
    return parts


def open_statement(raw: bytes) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Return payload and signatures of an envelope; raise `NotProven` where it is none."""
    wrapped = b'{"index":0,"previous":"%s","statement":%s,"time":0}' % (b"0" * 64, raw)
    try:
        entry = parse_entry(wrapped)
    except CheckFailed as error:
        raise NotProven("malformed-statement", error.failure.reason) from None
    if entry.envelope_failure is not None:
        raise NotProven("malformed-statement", entry.envelope_failure.reason)
    return entry.payload, entry.signatures


def _open_note(note: bytes, position: int, policy: Policy, log: VerifierKey) -> Head:
    try:
        opened = open_checkpoint(note, policy, log)
    except CheckFailed as error:
        raise NotProven(error.failure.reason, f"heads/{position}: {error.failure.check.slug}") from None
    head = opened.checkpoint
    return Head(CHECKPOINT, head.size, head.root, opened.cosigned_unix_s, {}, opened.log_vkeys)


def _open_created(parts: Parts, heads: list[Head | None]) -> bytes:
    """Note which ledger it is, by an entry 0 that the log's key vouches for, and return its service key."""
    fraud = parts.fraud
    for item in fraud.entries:
        head = heads[item.head]
        if item.index == 0 and head is not None:
            _verify_path(item.raw, 0, item.path, head)
            return _read_created(parts, item.raw)
    if fraud.prefix is not None and (head := heads[fraud.prefix.head]) is not None:
        _verify_prefix(fraud, head)
        return _read_created(parts, fraud.prefix.entries[0])
    raise NotProven("missing-part", "entry 0 under a checkpoint, which names the service key")


def _read_created(parts: Parts, raw: bytes) -> bytes:
    try:
        entry = parse_entry(raw)
        rules = _rules(entry.payload)
        statement = parse_statement(entry.payload, rules)
    except CheckFailed as error:
        raise NotProven("wrong-entry-0", error.failure.reason) from None
    if statement["type"] != "ledger.created" or statement["origin"] != parts.log.name:
        raise NotProven("wrong-entry-0", "it does not create the log that the policy names")
    parts.ledger = name_of(entry.payload)
    return key_of(statement["service_key"]).raw


def _rules(payload: bytes) -> int:
    try:
        value: Json = parse_canonical(payload, WHAT)
    except MalformedInput as error:
        raise NotProven("wrong-entry-0", error.reason) from None
    rules = value.get("rules") if type(value) is dict else None
    if type(rules) is not int or rules < 1:
        raise NotProven("wrong-entry-0", "it names no rules")
    if rules not in KNOWN_RULES:
        raise UntoldFraud("unknown-rules", f"entry 0 puts version {rules} in force")
    return rules


def _open_signed(envelope: dict[str, Any], position: int, ledger: str, service_key: bytes) -> Head:
    where, kind, payload = f"heads/{position}", envelope["payloadType"], decoded(envelope["payload"])
    [signature] = envelope["signatures"]
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
    if signature["keyid"] != key_id(service_key) or not is_signed(service_key, message, decoded(signature["sig"])):
        raise NotProven("wrong-signature", f"{where}: not signed by the service key of entry 0")
    try:
        value = parse_canonical(payload, WHAT)
        check_form(value, SIGNED[kind])
    except MalformedInput as error:
        raise NotProven(error.reason, f"{where}: {error.detail}") from None
    if value["ledger"] != ledger:
        raise NotProven("wrong-ledger", where)
    return Head(kind, value["size"], bytes.fromhex(value["root"]), {}, value)


def _verify_path(raw: bytes, index: int, path: tuple[bytes, ...], head: Head) -> None:
    try:
        verify_inclusion(leaf_hash(raw), index, head.size, path, head.root)
    except MalformedInput as error:
        raise NotProven(error.reason, f"entry {index} is not under its head") from None


def _open_prefix(parts: Parts) -> None:
    prefix = parts.fraud.prefix
    assert prefix is not None  # noqa: S101 (the caller looked)
    head = parts.heads[prefix.head]
    _verify_prefix(parts.fraud, head)
    parts.shown += [_show(raw, index, head) for index, raw in enumerate(prefix.entries)]


def _verify_prefix(fraud: Fraud, head: Head) -> None:
    prefix = fraud.prefix
    assert prefix is not None  # noqa: S101 (the callers looked)
    count = len(prefix.entries)
    root = Tree(b"".join(map(leaf_hash, prefix.entries))).root(count)
    try:
        verify_consistency(count, root, head.size, head.root, prefix.path)
    except MalformedInput as error:
        raise NotProven(error.reason, f"the first {count} entries are not under their head") from None


def _show(raw: bytes, index: int, head: Head) -> Shown:
    try:
        entry = parse_entry(raw)
    except CheckFailed:
        entry = None
    return Shown(index, raw, head, entry)
