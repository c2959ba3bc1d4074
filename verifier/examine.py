"""The stateless half of judging an entry, and its result in a form that is cheap to hand between processes.

A worker examines whole bundles in any order; only `verifier/rules.py` knows what came before.
"""

from __future__ import annotations

from hashlib import sha256
from sys import intern
from typing import TYPE_CHECKING, Any, NamedTuple

from verifier.checks import Check, Failure
from verifier.ed25519 import is_signed
from verifier.entries import has_unknown_rules, parse_entry, parse_statement, pre_authentication
from verifier.errors import CheckFailed
from verifier.jcs import Json
from verifier.schema import key_bytes, keyids
from verifier.tree import leaf_hash

if TYPE_CHECKING:
    from collections.abc import Callable


class Introduced(NamedTuple):
    """A key that a statement brings into the ledger."""

    keyid: str
    use: str
    """`signing` or `recovery`."""
    public_key: bytes


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
    body: Json
    """The fields that the rules of its type look at: see `_BODIES`."""
    introduced: tuple[Introduced, ...]
    signature_set: str
    """Empty, or the reason of §9.6."""
    wrong_signer: str
    """A keyid whose signature is wrong, or empty (§9.8)."""
    unverified: tuple[tuple[str, bytes], ...]
    """keyid and signature, where the key was not known here."""
    payload: bytes
    """The signed bytes, where a signature is left to verify; else empty."""


class Examined(NamedTuple):
    """One entry, examined."""

    entry_index: int
    previous: bytes
    time_ms: int
    fits: bool
    statement: Statement | None
    failure: Failure | None
    """Why there is no statement."""


def _reference(name: str) -> Callable[[dict[str, Any]], bytes]:
    return lambda fields: _id_bytes(fields[name])


def _id_bytes(text: str) -> bytes:
    return bytes.fromhex(text[7:])


_BODIES: dict[str, Callable[[dict[str, Any]], Json]] = {
    "ledger.created": lambda fields: (
        fields["origin"],
        tuple(fields["log_keys"]),
        key_bytes(fields["service_key"]),
        fields["admission"],
    ),
    "ledger.rules_changed": lambda fields: fields["rules"],
    "party.registered": lambda _: None,
    "party.key_added": lambda _: None,
    "party.key_revoked": lambda fields: (fields["keyid"], fields.get("compromised_since_ms")),
    "listing.registered": lambda _: None,
    "listing.withdrawn": _reference("listing"),
    "license.agreed": lambda fields: (
        _id_bytes(fields["listing"]),
        fields["licensee"],
        fields["terms"]["valid_from_ms"],
        fields["terms"]["valid_until_ms"],
    ),
    "license.ended": _reference("license"),
    "transfer.offered": lambda fields: (
        _id_bytes(fields["listing"]),
        _id_bytes(fields["license"]) if "license" in fields else None,
        intern(fields["recipient"]),
    ),
    "transfer.acknowledged": _reference("transfer"),
    "transfer.refused": _reference("transfer"),
}


def introduced_keys(fields: dict[str, Any]) -> tuple[Introduced, ...]:
    """Return the keys that a statement introduces (docs/format.md §6.1, §6.3, §6.4)."""
    if "recovery_keys" in fields:
        named = [("signing", key) for key in fields["keys"]] + [("recovery", key) for key in fields["recovery_keys"]]
    elif "key" in fields:
        named = [(fields["use"], fields["key"])]
    else:
        return ()
    ids = keyids([key for _, key in named])
    return tuple(Introduced(keyid, use, key_bytes(key)) for keyid, (use, key) in zip(ids, named, strict=True))


def _signature_set(signers: tuple[str, ...], signatures: list[tuple[str, bytes]]) -> str:
    present = tuple([keyid for keyid, _ in signatures])
    if present == signers:
        return ""
    return "missing-signature" if set(signers) - set(present) else "extra-signature"


def examine_statement(payload: bytes, signatures: list[tuple[str, bytes]], keys: dict[str, bytes]) -> Statement:
    """Check everything about a signed statement that its bytes alone decide.

    `keys` maps keyids to public keys. A keyid is the hash of its key, so whoever filled it cannot have lied; keys that
    the statement introduces are added to it. Raises `CheckFailed` for §9.2 and §9.3.
    """
    fields = parse_statement(payload)
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
            elif not is_signed(public_key, message, signature):
                wrong = keyid
                break
    kind, seen = intern(fields["type"]), fields.get("seen")
    return Statement(
        kind,
        sha256(message).digest(),  # the statement id (§4.3)
        _id_bytes(fields["ledger"]) if "ledger" in fields else None,
        intern(fields["issuer"]),
        signers,
        fields["issued_ms"],
        fields["not_after_ms"],
        (seen["size"], bytes.fromhex(seen["root"])) if seen else None,
        _BODIES[kind](fields),
        introduced,
        fault,
        wrong,
        tuple(unverified),
        payload if unverified else b"",
    )


def examine_entry(raw: bytes, keys: dict[str, bytes]) -> Examined | Failure:
    """Check everything about an entry that its bytes alone decide; a `Failure` if it is not even an entry."""
    try:
        entry = parse_entry(raw)
    except CheckFailed as error:
        return error.failure
    statement, failure = None, entry.envelope_failure
    if failure is None and entry.index == 0 and has_unknown_rules(entry.payload):
        failure = Failure(Check.RULES_VERSION, "unknown-rules", 0)
    if failure is None:
        try:
            statement = examine_statement(entry.payload, entry.signatures, keys)
        except CheckFailed as error:
            failure = error.failure
    return Examined(entry.index, entry.previous, entry.time_ms, entry.fits, statement, failure)


def leaf_hashes(entries: list[bytes]) -> bytes:
    """Return the leaf hashes of entries, joined."""
    return b"".join([leaf_hash(entry) for entry in entries])
