"""Acceptance: whether a statement may stand at its index (docs/format.md §9).

The steps stand in the order of §9; the first that fails gives the reason. Steps 9.1 to 9.3 and the
signatures of known keys were done by verifier/rules/examine.py, which remembers the outcome for the step it belongs to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.core.checks import Check, Failure
from verifier.core.ids import id_text
from verifier.core.moments import MAX_CLOCK_DIFFERENCE_MS
from verifier.rules.references import verify_references
from verifier.rules.refusal import refuse
from verifier.rules.signers import verify_algorithms, verify_signers
from verifier.schema.entries import pre_authentication

if TYPE_CHECKING:
    from verifier.core.tree import Tree
    from verifier.rules.examine import Examined, Statement
    from verifier.rules.registry import Registry


def verify_acceptance(
    registry: Registry, tree: Tree, entry: Examined, index: int, *, is_whole: bool = True, knows_seen: bool = True
) -> Statement:
    """Check that the ledger was right to record `entry` at `index`, and return its statement.

    `registry` is the state after the entries 0 … index − 1, `tree` holds at least their leaves. Raises `CheckFailed`
    with the check and reason of the first step of docs/format.md §9 that fails. Where entries before it may be missing
    (not `is_whole`), one of them may revoke a key: then `verify_algorithms` is the caller's to ask. Where some are of
    the tree that its signers saw (not `knows_seen`), nothing is asked of that.
    """
    statement = entry.statement
    if statement is None:
        failure = entry.failure or Failure(Check.ENTRY_FORM, "malformed")
        refuse(failure.check, failure.reason, index, failure.where)
    _verify_ledger(registry, statement, index)
    _verify_signatures(registry, statement, index)
    if statement.issuer not in registry.parties and statement.kind not in ("ledger.created", "party.registered"):
        refuse(Check.ISSUER, "unknown-party", index, "/issuer", actual=statement.issuer)  # 9.10
    verify_signers(registry, statement, index)  # 9.11
    if is_whole:
        verify_algorithms(registry, statement, index)
    if statement.issued_ms > entry.time_ms + MAX_CLOCK_DIFFERENCE_MS:  # 9.12
        refuse(Check.FRESHNESS, "issued-in-future", index, "/issued_ms", f"≤ {entry.time_ms + MAX_CLOCK_DIFFERENCE_MS}",
                str(statement.issued_ms))  # fmt: skip
    if entry.time_ms > statement.not_after_ms:
        refuse(Check.FRESHNESS, "expired", index, "/not_after_ms", f"≥ {entry.time_ms}", str(statement.not_after_ms))
    if statement.seen is not None and knows_seen:
        _verify_seen(tree, statement.seen, index)
    verify_references(registry, statement, index)  # 9.14
    if not entry.fits:
        refuse(Check.FITS, "too-large", index)  # 9.15
    return statement


def _verify_ledger(registry: Registry, statement: Statement, index: int) -> None:
    """§9.14 for entry 0, §9.4, §9.5."""
    if statement.ledger is not None:
        if index == 0:
            refuse(Check.REFERENCE, "not-created", index, "/type", "ledger.created", statement.kind)
        if statement.ledger != registry.ledger:
            # A ledger of the same name, even with the same keys, is another ledger.
            expected = id_text(registry.ledger) if registry.ledger else "no ledger"
            refuse(Check.LEDGER, "wrong-ledger", index, "/ledger", expected, id_text(statement.ledger))
    if statement.id in registry.recorded:
        refuse(Check.DUPLICATE, "duplicate-statement", index, actual=id_text(statement.id))


def _verify_signatures(registry: Registry, statement: Statement, index: int) -> None:
    """§9.6 to §9.9."""
    if statement.signature_set:
        refuse(Check.SIGNATURE_SET, statement.signature_set, index, "/signers")
    keys = registry.keys
    for keyid in statement.signers:
        if keyid not in keys and all(keyid != key.keyid for key in statement.introduced):
            refuse(Check.KEY_KNOWN, "unknown-key", index, "/signers", actual=keyid)
    if statement.wrong_signer:
        refuse(Check.SIGNATURE, "wrong-signature", index, statement.wrong_signer)
    if statement.unverified:
        message = pre_authentication(statement.payload)
        for keyid, signature in statement.unverified:
            if not keys[keyid].public_key.is_signed(message, signature):
                refuse(Check.SIGNATURE, "wrong-signature", index, keyid)
    for keyid in statement.signers:
        if keyid in keys and keys[keyid].revoked_index is not None:
            expected = f"signed before its revocation at entry {keys[keyid].revoked_index}"
            refuse(Check.KEY_REVOKED, "revoked-key", index, "/signers", expected, keyid)


def _verify_seen(tree: Tree, seen: tuple[int, bytes], index: int) -> None:
    """§9.13: a false `seen` is how a fork shows, so the tree must be this log's own."""
    size, root = seen
    if size > index:
        refuse(Check.SEEN, "seen-mismatch", index, "/seen/size", f"≤ {index}", str(size))
    if tree.root(size) != root:
        refuse(Check.SEEN, "seen-mismatch", index, "/seen/root", tree.root(size).hex(), root.hex())
