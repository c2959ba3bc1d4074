"""Acceptance: whether a statement may stand at its index (docs/format.md §9).

One function a step or two, in the order of §9; the first that fails gives the reason. Steps 9.1 to 9.3 and the
signatures of known keys were done by verifier/examine.py, which remembers the outcome for the step it belongs to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from verifier.checks import Check, Failure
from verifier.ed25519 import is_signed
from verifier.entries import pre_authentication
from verifier.errors import CheckFailed
from verifier.examine import id_bytes
from verifier.registry import RECOVERY, SIGNING, named_transfer

if TYPE_CHECKING:
    from verifier.examine import Examined, Statement
    from verifier.registry import Registry
    from verifier.tree import Tree

MAX_AHEAD_MS = 300_000
"""How far `issued_ms` may be ahead of the entry's time (§9.12)."""


def _refuse(  # noqa: PLR0917 (the fields of a Failure, in their order)
    check: Check, reason: str, index: int, where: str = "", expected: str = "", actual: str = ""
) -> NoReturn:
    raise CheckFailed(Failure(check, reason, index, where, expected, actual))


def verify_acceptance(registry: Registry, tree: Tree, entry: Examined, index: int) -> Statement:
    """Check that the ledger was right to record `entry` at `index`, and return its statement.

    `registry` is the state after the entries 0 … index − 1, `tree` holds at least their leaves. Raises `CheckFailed`
    with the check and reason of the first step of docs/format.md §9 that fails.
    """
    statement = entry.statement
    if statement is None:
        failure = entry.failure or Failure(Check.ENTRY_FORM, "malformed")
        _refuse(failure.check, failure.reason, index, failure.where)
    _verify_ledger(registry, statement, index)
    _verify_signatures(registry, statement, index)
    if statement.issuer not in registry.parties and statement.kind not in ("ledger.created", "party.registered"):
        _refuse(Check.ISSUER, "unknown-party", index, "/issuer", actual=statement.issuer)  # 9.10
    if not _has_right_signers(registry, statement):
        _refuse(Check.SIGNERS, "wrong-signers", index, "/signers", actual=" ".join(statement.signers))  # 9.11
    if statement.issued_ms > entry.time_ms + MAX_AHEAD_MS:  # 9.12
        _refuse(Check.FRESHNESS, "issued-in-future", index, "/issued_ms", f"≤ {entry.time_ms + MAX_AHEAD_MS}",
                str(statement.issued_ms))  # fmt: skip
    if entry.time_ms > statement.not_after_ms:
        _refuse(Check.FRESHNESS, "expired", index, "/not_after_ms", f"≥ {entry.time_ms}", str(statement.not_after_ms))
    if statement.seen is not None:
        _verify_seen(tree, statement.seen, index)
    _REFERENCES[statement.kind](registry, statement, index)
    if not entry.fits:
        _refuse(Check.FITS, "too-large", index)  # 9.15
    return statement


def _verify_ledger(registry: Registry, statement: Statement, index: int) -> None:
    """§9.14 for entry 0, §9.4, §9.5."""
    if statement.ledger is not None:
        if index == 0:
            _refuse(Check.REFERENCE, "not-created", index, "/type", "ledger.created", statement.kind)
        if statement.ledger != registry.ledger:
            # A ledger of the same name, even with the same keys, is another ledger.
            expected = f"sha256:{registry.ledger.hex()}" if registry.ledger else "no ledger"
            _refuse(Check.LEDGER, "wrong-ledger", index, "/ledger", expected, f"sha256:{statement.ledger.hex()}")
    if statement.id in registry.recorded:
        _refuse(Check.DUPLICATE, "duplicate-statement", index, actual=f"sha256:{statement.id.hex()}")


def _verify_signatures(registry: Registry, statement: Statement, index: int) -> None:
    """§9.6 to §9.9."""
    if statement.signature_set:
        _refuse(Check.SIGNATURE_SET, statement.signature_set, index, "/signers")
    keys = registry.keys
    for keyid in statement.signers:
        if keyid not in keys and all(keyid != key.keyid for key in statement.introduced):
            _refuse(Check.KEY_KNOWN, "unknown-key", index, "/signers", actual=keyid)
    if statement.wrong_signer:
        _refuse(Check.SIGNATURE, "wrong-signature", index, statement.wrong_signer)
    if statement.unverified:
        message = pre_authentication(statement.payload)
        for keyid, signature in statement.unverified:
            if not is_signed(keys[keyid].public_key, message, signature):
                _refuse(Check.SIGNATURE, "wrong-signature", index, keyid)
    for keyid in statement.signers:
        if keyid in keys and keys[keyid].revoked_index is not None:
            expected = f"signed before its revocation at entry {keys[keyid].revoked_index}"
            _refuse(Check.KEY_REVOKED, "revoked-key", index, "/signers", expected, keyid)


def _verify_seen(tree: Tree, seen: tuple[int, bytes], index: int) -> None:
    """§9.13: a false `seen` is how a fork shows, so the tree must be this log's own."""
    size, root = seen
    if size > index:
        _refuse(Check.SEEN, "seen-mismatch", index, "/seen/size", f"≤ {index}", str(size))
    if tree.root(size) != root:
        _refuse(Check.SEEN, "seen-mismatch", index, "/seen/root", tree.root(size).hex(), root.hex())


def _are_all(registry: Registry, keyids: set[str], owner: str, use: str) -> bool:
    """Tell whether `keyids` are one or more keys of one party and use, and none of anybody else."""
    keys = registry.keys
    return bool(keyids) and all(
        keyid in keys and keys[keyid].owner == owner and keys[keyid].use == use for keyid in keyids
    )


def _has_right_signers(registry: Registry, statement: Statement) -> bool:  # noqa: PLR0911 (one return a type)
    """§9.11, with *Signed by* of §6."""
    keys, issuer = registry.keys, statement.issuer
    signers = set(statement.signers)
    new = {key.keyid for key in statement.introduced}
    match statement.kind:
        case "ledger.created":
            return signers == new
        case "ledger.rules_changed":
            return _are_all(registry, signers, registry.operator, SIGNING)
        case "party.registered":
            if registry.admission == "operator":
                return new <= signers and _are_all(registry, signers - new, registry.operator, SIGNING)
            return signers == new
        case "party.key_added":
            return new <= signers and _are_all(registry, signers - new, issuer, RECOVERY)
        case "party.key_revoked":
            revokes_itself = signers == {statement.body["keyid"]} and _are_all(registry, signers, issuer, SIGNING)
            return revokes_itself or _are_all(registry, signers, issuer, RECOVERY)
        case "license.agreed":
            owners = {keys[keyid].owner for keyid in signers}
            return owners == {issuer, statement.body["licensee"]} and all(
                keys[keyid].use == SIGNING for keyid in signers
            )
        case _:
            return _are_all(registry, signers, issuer, SIGNING)


def _created(_registry: Registry, statement: Statement, index: int) -> None:
    if index != 0:
        _refuse(Check.REFERENCE, "already-created", index, "/type", actual=statement.kind)


def _rules_changed(registry: Registry, statement: Statement, index: int) -> None:
    if statement.issuer != registry.operator:
        _refuse(Check.REFERENCE, "wrong-role", index, "/issuer", registry.operator, statement.issuer)
    if statement.body["rules"] != registry.rules + 1:
        expected = str(registry.rules + 1)
        _refuse(Check.REFERENCE, "wrong-rules-version", index, "/rules", expected, str(statement.body["rules"]))


def _verify_keys_free(registry: Registry, statement: Statement, index: int) -> None:
    for key in statement.introduced:
        if key.keyid in registry.keys or key.keyid in registry.reserved_keyids:
            _refuse(Check.REFERENCE, "key-taken", index, actual=key.keyid)


def _party_registered(registry: Registry, statement: Statement, index: int) -> None:
    if statement.issuer in registry.parties:
        _refuse(Check.REFERENCE, "name-taken", index, "/issuer", actual=statement.issuer)
    _verify_keys_free(registry, statement, index)


def _key_revoked(registry: Registry, statement: Statement, index: int) -> None:
    key = registry.keys.get(statement.body["keyid"])
    if key is None or key.owner != statement.issuer:
        _refuse(Check.REFERENCE, "unknown-reference", index, "/keyid", actual=statement.body["keyid"])
    if key.revoked_index is not None:
        _refuse(Check.REFERENCE, "already-decided", index, "/keyid", actual=f"revoked at entry {key.revoked_index}")


def _unknown(index: int, where: str, named: bytes) -> NoReturn:
    _refuse(Check.REFERENCE, "unknown-reference", index, where, actual=f"sha256:{named.hex()}")


def _verify_issuer(statement: Statement, index: int, *allowed: str) -> None:
    if statement.issuer not in allowed:
        _refuse(Check.REFERENCE, "wrong-role", index, "/issuer", " or ".join(allowed), statement.issuer)


def _verify_undecided(decided_index: int | None, index: int) -> None:
    if decided_index is not None:
        _refuse(Check.REFERENCE, "already-decided", index, actual=f"decided at entry {decided_index}")


def _verify_other_party(registry: Registry, statement: Statement, other: str, index: int, where: str) -> None:
    if other not in registry.parties:
        _refuse(Check.REFERENCE, "unknown-party", index, where, actual=other)
    if other == statement.issuer:
        _refuse(Check.REFERENCE, "same-party", index, where, actual=other)


def _listing_registered(registry: Registry, statement: Statement, index: int) -> None:
    """Refer to nothing."""


def _listing_withdrawn(registry: Registry, statement: Statement, index: int) -> None:
    named = id_bytes(statement.body["listing"])
    listing = registry.listings.get(named)
    if listing is None:
        _unknown(index, "/listing", named)
    _verify_issuer(statement, index, listing.issuer)
    _verify_undecided(listing.withdrawn_index, index)


def _license_agreed(registry: Registry, statement: Statement, index: int) -> None:
    named, licensee = id_bytes(statement.body["listing"]), statement.body["licensee"]
    listing = registry.listings.get(named)
    if listing is None:
        _unknown(index, "/listing", named)
    _verify_issuer(statement, index, listing.issuer)
    _verify_other_party(registry, statement, licensee, index, "/licensee")


def _license_ended(registry: Registry, statement: Statement, index: int) -> None:
    named = id_bytes(statement.body["license"])
    terms = registry.licenses.get(named)
    if terms is None:
        _unknown(index, "/license", named)
    _verify_issuer(statement, index, terms.licensor, terms.licensee)
    _verify_undecided(terms.ended_index, index)


def _transfer_offered(registry: Registry, statement: Statement, index: int) -> None:
    listing, license_id, recipient, _ = statement.body
    if listing not in registry.listings:
        _unknown(index, "/listing", listing)
    if license_id is not None and license_id not in registry.licenses:
        _unknown(index, "/license", license_id)
    _verify_other_party(registry, statement, recipient, index, "/recipient")


def _transfer_decided(registry: Registry, statement: Statement, index: int) -> None:
    named = named_transfer(statement)
    transfer = registry.transfers.get(named)
    if transfer is None:
        _unknown(index, "/transfer", named)
    _verify_issuer(statement, index, transfer.recipient)
    _verify_undecided(transfer.decided_index, index)


_REFERENCES = {
    "ledger.created": _created,
    "ledger.rules_changed": _rules_changed,
    "party.registered": _party_registered,
    "party.key_added": _verify_keys_free,
    "party.key_revoked": _key_revoked,
    "listing.registered": _listing_registered,
    "listing.withdrawn": _listing_withdrawn,
    "license.agreed": _license_agreed,
    "license.ended": _license_ended,
    "transfer.offered": _transfer_offered,
    "transfer.acknowledged": _transfer_decided,
    "transfer.refused": _transfer_decided,
}
"""§9.14, one function a type."""
