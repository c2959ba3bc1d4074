"""The stateless half of judging an entry, and its result in a form that is cheap to hand between processes.

A worker examines whole bundles in any order; only `verifier/rules/acceptance.py` knows what came before.
"""

from __future__ import annotations

from functools import lru_cache, partial
from hashlib import sha256
from sys import intern
from typing import Any, NamedTuple

from verifier.core.checks import Check, Failure
from verifier.core.errors import CheckFailed
from verifier.core.keys import PublicKey
from verifier.core.tree import leaf_hash
from verifier.rules.body import Body, Offer, known_id, read_body
from verifier.schema.checks import key_of
from verifier.schema.entries import has_unknown_rules, parse_entry, parse_statement, pre_authentication, verify_forms
from verifier.schema.versions import KNOWN_RULES, NEWEST_RULES, verify_fields
from verifier.sealed.disclosures import Disclosures, OpenedPlace, open_fields


class Introduced(NamedTuple):
    """A key that a statement brings into the ledger."""

    keyid: str
    use: str
    """`signing` or `recovery`."""
    public_key: PublicKey


class Statement(NamedTuple):
    """What the rules need of a statement whose envelope, payload and fields are in order (§9.1–9.3)."""

    kind: str
    id: bytes
    ledger: bytes | None
    issuer: str
    signers: tuple[str, ...]
    issued_ms: int
    not_after_ms: int
    seen: tuple[int, bytes] | None
    introduced: tuple[Introduced, ...]
    signature_set: str
    """Empty, or the reason of §9.6."""
    wrong_signer: str
    """A keyid whose signature is wrong, or empty (§9.8)."""
    unverified: tuple[tuple[str, bytes], ...]
    """keyid and signature, where the key was not known here."""
    payload: bytes
    """The signed bytes, where a signature is left to verify; else empty."""
    rules: int
    """The version of the rules that it was read by."""
    opened: tuple[OpenedPlace, ...]
    """What a disclosure opened: in `body`, its value stands there; of a `content`, the commitment still does."""
    faults: tuple[tuple[str, str], ...]
    """Reason and pointer of disclosures of this statement that open nothing."""
    body: Body

    @property
    def offer(self) -> Offer:
        """What a `transfer.offered` says; raises `TypeError` for any other."""
        if type(self.body) is Offer:
            return self.body
        raise TypeError(self.kind)


class Examined(NamedTuple):
    """One entry, examined."""

    entry_index: int
    previous: bytes
    time_ms: int
    fits: bool
    statement: Statement | None
    failure: Failure | None
    """Why there is no statement."""


_known_root = lru_cache(maxsize=1024)(bytes.fromhex)


class Reading(NamedTuple):
    """How statements are to be read."""

    rules: int
    """The version of the rules, a known one."""
    types: frozenset[str] | None = None
    """The statement types that are allowed; None for all that the version has."""
    disclosures: Disclosures | None = None
    """What opens sealed places."""


def introduced_keys(fields: dict[str, Any]) -> tuple[Introduced, ...]:
    """Return the keys that a statement introduces (docs/format.md §6.1, §6.3, §6.4)."""
    if "recovery_keys" in fields:
        named = [("signing", key) for key in fields["keys"]] + [("recovery", key) for key in fields["recovery_keys"]]
    elif "key" in fields:
        named = [(fields["use"], fields["key"])]
    else:
        return ()
    keys = [(use, key_of(key)) for use, key in named]
    return tuple(Introduced(key.keyid, use, key) for use, key in keys)


def _open(
    fields: dict[str, Any], statement_id: bytes, reading: Reading
) -> tuple[tuple[OpenedPlace, ...], tuple[tuple[str, str], ...]]:
    """Put what was disclosed of a statement in its place, and return what was, and what opens nothing."""
    if reading.disclosures is None or statement_id not in reading.disclosures.by_statement:
        return (), ()
    verify = partial(verify_fields, fields["type"], rules=reading.rules)
    opening = open_fields(fields, statement_id, reading.disclosures, verify)
    return opening.opened, opening.faults


def _signature_set(signers: tuple[str, ...], signatures: list[tuple[str, bytes]]) -> str:
    present = tuple([keyid for keyid, _ in signatures])
    if present == signers:
        return ""
    return "missing-signature" if set(signers) - set(present) else "extra-signature"


def examine_statement(
    payload: bytes, signatures: list[tuple[str, bytes]], keys: dict[str, PublicKey], reading: Reading
) -> Statement:
    """Check everything about a signed statement that its bytes and the rules in force decide.

    `keys` maps keyids to public keys. A keyid is the hash of its key, so whoever filled it cannot have lied; keys that
    the statement introduces are added to it. Raises `CheckFailed` for §9.1 (widths of signatures), §9.2 and §9.3.
    """
    verify_forms(signatures, reading.rules)
    fields = parse_statement(payload, reading.rules, reading.types)
    introduced = introduced_keys(fields)
    for key in introduced:
        keys[key.keyid] = key.public_key
    signers = tuple(map(intern, fields["signers"]))  # the same few in every entry: sent once a chunk, kept once
    fault = _signature_set(signers, signatures)
    message = pre_authentication(payload)
    wrong, unverified = "", []
    if not fault:
        for keyid, signature in signatures:
            if (public_key := keys.get(keyid)) is None:
                unverified.append((keyid, signature))
            elif not public_key.is_signed(message, signature):
                wrong = keyid
                break
    kind, seen = intern(fields["type"]), fields.get("seen")
    statement_id = sha256(message).digest()  # §4.3
    opened, faults = _open(fields, statement_id, reading) if reading.disclosures else ((), ())
    return Statement(
        kind,
        statement_id,
        known_id(fields["ledger"]) if "ledger" in fields else None,
        intern(fields["issuer"]),
        signers,
        fields["issued_ms"],
        fields["not_after_ms"],
        (seen["size"], _known_root(seen["root"])) if seen else None,
        introduced,
        fault,
        wrong,
        tuple(unverified),
        payload if unverified else b"",
        reading.rules,
        opened,
        faults,
        read_body(kind, fields),
    )


def examine_entry(raw: bytes, keys: dict[str, PublicKey], reading: Reading) -> Examined | Failure:
    """Check everything about an entry that its bytes and the rules in force decide; a `Failure` if it is none."""
    try:
        entry = parse_entry(raw)
    except CheckFailed as error:
        return error.failure
    statement, failure = None, entry.envelope_failure
    if failure is None and entry.index == 0 and has_unknown_rules(entry.payload):
        failure = Failure(Check.RULES_VERSION, "unknown-rules", 0)
    if failure is None:
        try:
            statement = examine_statement(entry.payload, entry.signatures, keys, reading)
        except CheckFailed as error:
            failure = error.failure
    return Examined(entry.index, entry.previous, entry.time_ms, entry.fits, statement, failure)


def leaf_hashes(entries: list[bytes]) -> bytes:
    """Return the leaf hashes of entries, joined."""
    return b"".join([leaf_hash(entry) for entry in entries])


def readable_rules(payload: bytes) -> int:
    """Return the newest version of the rules that a payload can be read by: only a replay knows which was in force."""
    for rules in sorted(KNOWN_RULES, reverse=True):
        try:
            parse_statement(payload, rules)
        except CheckFailed:
            continue
        return rules
    return NEWEST_RULES  # reading it by these says what is wrong with it
