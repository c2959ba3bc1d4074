"""Checking one entry's receipt, offline (docs/format.md §11.2; C2SP tlog-proof)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from verifier.core.checks import Check, Doubt, Failure
from verifier.core.errors import CheckFailed, MalformedInput
from verifier.core.policy import OpenedCheckpoint, Policy, open_checkpoint
from verifier.core.receipt import Receipt, parse_receipt
from verifier.core.tree import leaf_hash, verify_inclusion
from verifier.rules.examine import Reading, examine_statement, readable_rules
from verifier.schema.entries import Entry, parse_entry, parse_statement
from verifier.sources.remembered import compare_roots

if TYPE_CHECKING:
    from verifier.core.notes import VerifierKey
    from verifier.replay.state import ReplayState


@dataclass(slots=True)
class ReceiptCheck:
    """What is known of an entry by its receipt."""

    index: int | None = None
    opened: OpenedCheckpoint | None = None
    statement: dict[str, Any] | None = None
    """What the entry says, every field checked."""
    verified_keyids: list[str] = field(default_factory=list)
    """Signers that the statement itself introduces, and whose signature is valid."""
    unknown_keyids: list[str] = field(default_factory=list)
    """Signers whose keys only a replay can tell."""
    replayed_size: int | None = None
    """Entries that an earlier replay judged, this one among them, in a tree that begins with the receipt's."""
    failures: list[Failure] = field(default_factory=list)


def verify_receipt(raw: bytes, entry_raw: bytes, policy: Policy, log: VerifierKey) -> ReceiptCheck:
    """Check a receipt against the exact bytes of its entry; faults are in the result's `failures`."""
    result = ReceiptCheck()
    try:
        receipt = parse_receipt(raw)
        result.index = receipt.index
        result.opened = open_checkpoint(receipt.note, policy, log)
        head = result.opened.checkpoint
        _verify_path(entry_raw, receipt, head.size, head.root)
        entry = parse_entry(entry_raw)
        _verify_statement(entry, result)
    except MalformedInput as error:
        result.failures.append(Failure(Check.RECEIPT_FORM, error.reason, where=error.detail))
    except CheckFailed as error:
        result.failures.append(error.failure)
    return result


def compare_with_replay(result: ReceiptCheck, state: ReplayState) -> list[Doubt]:
    """Compare a receipt that holds with what a replay without failure or doubt remembers; return what is not told.

    In the tree of that replay, the entry was judged with all others, and it matters no more by which key the receipt's
    own checkpoint was signed. In another one it is a fork's: a failure.
    """
    if result.opened is None or result.failures:
        return []
    head = result.opened.checkpoint
    if head.size > state.size:
        return [
            Doubt(Check.REMEMBERED, "replay-ends-before", where=f"size {state.size}, and the receipt's {head.size}")
        ]
    if fork := compare_roots(head, state.tree.root(head.size)):
        result.failures.append(fork)
    else:
        result.replayed_size = state.size
    return []


def _verify_path(entry_raw: bytes, receipt: Receipt, size: int, root: bytes) -> None:
    try:
        verify_inclusion(leaf_hash(entry_raw), receipt.index, size, receipt.path, root)
    except MalformedInput as error:
        failure = Failure(Check.INCLUSION, error.reason, receipt.index, "", root.hex(), error.detail)
        raise CheckFailed(failure) from error


def _verify_statement(entry: Entry, result: ReceiptCheck) -> None:
    """Check all that the entry's own bytes decide: its place, its form, and the signatures of keys it introduces."""
    if entry.index != result.index:
        raise CheckFailed(
            Failure(Check.ENTRY_INDEX, "wrong-index", result.index, "/index", str(result.index), str(entry.index))
        )
    if entry.envelope_failure:
        raise CheckFailed(entry.envelope_failure)
    rules = readable_rules(entry.payload)
    examined = examine_statement(entry.payload, entry.signatures, {}, Reading(rules))
    result.statement = parse_statement(entry.payload, rules)
    if examined.signature_set:
        raise CheckFailed(Failure(Check.SIGNATURE_SET, examined.signature_set, entry.index, "/signers"))
    if examined.wrong_signer:
        raise CheckFailed(Failure(Check.SIGNATURE, "wrong-signature", entry.index, examined.wrong_signer))
    result.unknown_keyids = [keyid for keyid, _ in examined.unverified]
    result.verified_keyids = [keyid for keyid in examined.signers if keyid not in result.unknown_keyids]


def list_unchecked(result: ReceiptCheck) -> list[str]:
    """Return what a receipt leaves open, a sentence each: only a replay can tell, or the one that it agrees with."""
    if result.failures:
        return []
    later = "what followed: whether a later entry revoked, withdrew, ended or decided what this one says"
    if result.replayed_size is not None:
        return [later]
    signed_by = " and ".join(result.opened.log_vkeys) if result.opened else ""
    in_force = (
        f"whether {signed_by} was in force at that size: a log's key may have been retired before, and whoever has it "
        "since can sign (--state compares with a replay)"
    )
    signatures = [
        f"the signature by {keyid}: whose key it is, and whether the signature is valid"
        for keyid in result.unknown_keyids
    ]
    return [
        *signatures,
        "whether the ledger was right to record it: its parties, their keys, what it refers to",
        in_force,
        later,
    ]


def describe_receipt(result: ReceiptCheck) -> dict[str, Any]:
    """Return what is known of the entry as a JSON value, without verdict and checkpoint."""
    return {
        "type": "provenance-ledger.receipt-report/v1",
        "index": result.index,
        "statement": result.statement,
        "verified_keyids": result.verified_keyids,
        "unknown_keyids": result.unknown_keyids,
        "log_keys": list(result.opened.log_vkeys) if result.opened else [],
        "replayed_size": result.replayed_size,
        "not_checked": list_unchecked(result),
        "failures": [asdict(failure) | {"check": failure.check.slug} for failure in result.failures],
    }
