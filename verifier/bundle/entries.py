"""The entries of a bundle: checkpoint, receipts, chain, and a replay of the entries that are there.

Acceptance and judgement are the replay's own (verifier/rules/acceptance.py, verifier/judgement/judge.py), fed with the
bundle's entries in the order of their indexes. A rule that an entry which is not there could explain does not accuse:
it cannot tell.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from verifier.bundle.checks import BundleCheck, Outcome
from verifier.core.checks import Check, Failure
from verifier.core.errors import CheckFailed, MalformedInput
from verifier.core.moments import MAX_CLOCK_DIFFERENCE_S
from verifier.core.policy import OpenedCheckpoint, Policy, open_checkpoint
from verifier.core.receipt import parse_receipt
from verifier.core.tree import Tree, leaf_hash, verify_inclusion, verify_inclusions
from verifier.judgement.judge import Judge
from verifier.rules.acceptance import verify_acceptance
from verifier.rules.examine import Examined, Reading, Statement, examine_entry
from verifier.rules.registry import ROTATION, Registry
from verifier.rules.signers import verify_algorithms
from verifier.rules.subject import Told
from verifier.schema.checks import key_of
from verifier.schema.entries import FIRST_LINK, guess_rules, parse_entry
from verifier.schema.versions import KNOWN_RULES
from verifier.sealed.disclosures import POOL_PLACE, Disclosures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verifier.bundle.form import Bundle
    from verifier.core.keys import PublicKey
    from verifier.core.notes import VerifierKey

_SIGNATURE = frozenset({Check.SIGNATURE_SET, Check.KEY_KNOWN, Check.SIGNATURE, Check.KEY_REVOKED, Check.SIGNERS})
_ENTRY = frozenset({Check.ENTRY_FORM, Check.ENTRY_INDEX, Check.LINK, Check.TIME})
_EXPLAINED = frozenset({"legal-hold", "wrong-value"})
"""Reasons of step 9.14 that an entry which a bundle need not hold would explain."""


@dataclass(slots=True)
class Chain:
    """The entries of a bundle that were accepted, and what the chain says after them."""

    opened: OpenedCheckpoint
    indexes: frozenset[int]
    """Of all entries in the bundle."""
    prefix_size: int
    """So many entries from 0 on are in the bundle, one after the other."""
    tree: Tree
    """Over these."""
    registry: Registry = field(default_factory=Registry)
    told: dict[int, Told] = field(default_factory=dict)
    """Accepted entries by index, ascending."""
    by_id: dict[bytes, Told] = field(default_factory=dict)
    seen_sizes: dict[int, int] = field(default_factory=dict)
    """Of each accepted entry, the size of the tree that its signers say they had seen."""
    service_key: bytes = b""
    """Public key that signs histories, as entry 0 names it."""
    is_readable: bool = True
    """Every entry is under rules that this program knows."""

    @property
    def is_whole(self) -> bool:
        """The bundle holds every entry of the log."""
        return self.prefix_size == self.opened.checkpoint.size

    @property
    def ledger(self) -> str:
        """The ledger's id, as text."""
        return f"sha256:{(self.registry.ledger or b'').hex()}"

    def judge(self, disclosures: Disclosures, as_of_ms: int | None = None) -> Judge:
        """Return a judge that took the accepted entries, those until a moment if one is given."""
        judge = Judge(as_of_ms, disclosures)
        for index, told in self.told.items():
            judge.take(index, told.time_ms, told.statement)
        return judge

    def find(self, name: str, kind: str) -> Told | None:
        """Return the accepted entry of that id and type; None if it is not there."""
        told = self.by_id.get(bytes.fromhex(name.removeprefix("sha256:")))
        return told if told is not None and told.kind == kind else None

    def of_kind(self, kind: str) -> Iterator[Told]:
        """Yield the accepted entries of a type, ascending."""
        return (told for told in self.told.values() if told.kind == kind)


def verify_chain(bundle: Bundle, policy: Policy, log: VerifierKey, outcome: Outcome) -> Chain:
    """Check checkpoint, receipts, entries, signatures and acceptance; what fails is noted in `outcome`.

    Raises `Unverifiable` where nothing further could be made of it.
    """
    opened = _open_checkpoint(bundle, policy, log, outcome)
    outcome.stop_if_false()
    assert opened is not None  # noqa: S101 (a failure would have stopped this)
    prefix_size = next(at for at, index in enumerate([*bundle.entries, -1]) if at != index)
    leaves = {index: leaf_hash(raw) for index, raw in bundle.entries.items()}
    tree = Tree(b"".join([leaves[index] for index in range(prefix_size)]))
    _verify_receipts(bundle, opened, leaves, outcome)
    chain = Chain(opened, frozenset(leaves), prefix_size, tree)
    _verify_links(bundle, leaves, outcome)
    outcome.stop_if_false()
    _Acceptor(chain, bundle, outcome).run(bundle.entries)
    if chain.registry.ledger is not None:
        _verify_entry_0(chain, log, outcome)
        _verify_clocks(chain, outcome)
    outcome.stop_if_false()
    return chain


def _open_checkpoint(bundle: Bundle, policy: Policy, log: VerifierKey, outcome: Outcome) -> OpenedCheckpoint | None:
    try:
        opened = open_checkpoint(bundle.note, policy, log)
    except CheckFailed as error:
        failure = error.failure
        outcome.fail(BundleCheck.CHECKPOINT, failure.reason, failure.where, failure.expected, failure.actual)
        return None
    if not opened.is_quorate:
        outcome.doubt(BundleCheck.CHECKPOINT, "quorum-not-reached", policy.quorum or "")
    return opened


def _verify_receipts(bundle: Bundle, opened: OpenedCheckpoint, leaves: dict[int, bytes], outcome: Outcome) -> None:
    head = opened.checkpoint
    if bundle.inclusion is not None:
        try:
            verify_inclusions(leaves, head.size, bundle.inclusion, head.root)
        except MalformedInput as error:
            outcome.fail(BundleCheck.RECEIPT, error.reason, "inclusion.bin", "", error.detail)
    for index, raw in bundle.receipts.items():
        where = f"receipts/{index}.tlog-proof"
        try:
            receipt = parse_receipt(raw)
            if receipt.note != bundle.note:
                outcome.fail(BundleCheck.RECEIPT, "other-checkpoint", where)
            elif receipt.index != index:
                outcome.fail(BundleCheck.RECEIPT, "wrong-index", where, index, receipt.index)
            else:
                verify_inclusion(leaves[index], index, head.size, receipt.path, head.root)
        except MalformedInput as error:
            outcome.fail(BundleCheck.RECEIPT, error.reason, where, "", error.detail)


def _verify_links(bundle: Bundle, leaves: dict[int, bytes], outcome: Outcome) -> None:
    """Check the form of every entry and its place in the chain, whatever its statement says."""
    last_ms = 0
    for index, raw in bundle.entries.items():
        where = f"entry {index}"
        try:
            entry = parse_entry(raw)
        except CheckFailed as error:
            outcome.fail(BundleCheck.ENTRY, error.failure.reason, f"{where} {error.failure.where}".rstrip())
            continue
        before = leaves.get(index - 1, FIRST_LINK if index == 0 else None)
        if entry.index != index:
            outcome.fail(BundleCheck.ENTRY, "wrong-index", where, index, entry.index)
        if before is not None and entry.previous != before:
            outcome.fail(BundleCheck.ENTRY, "wrong-previous", where, before.hex(), entry.previous.hex())
        if entry.time_ms < last_ms:
            outcome.fail(BundleCheck.ENTRY, "time-decreased", where, f"≥ {last_ms}", entry.time_ms)
        last_ms = entry.time_ms


class _Acceptor:
    """Steps 9.1 to 9.15 over the entries that are there."""

    def __init__(self, chain: Chain, bundle: Bundle, outcome: Outcome) -> None:
        self.chain, self.outcome = chain, outcome
        self.disclosures = bundle.disclosures
        self.keys: dict[str, PublicKey] = {}

    def run(self, entries: dict[int, bytes]) -> None:
        registry = self.chain.registry
        registry.rules = guess_rules(entries[0])
        types = None
        for index, raw in entries.items():
            item = examine_entry(raw, self.keys, Reading(registry.rules, types, self.disclosures))
            if isinstance(item, Failure):  # it has been told
                continue
            if index == 0 and item.failure is not None and item.failure.check is Check.RULES_VERSION:
                self.stop(0)
                return
            self.take(index, item)
            if registry.ledger is None:
                return
            types = registry.types
            if registry.rules not in KNOWN_RULES:
                self.stop(index + 1)
                return

    def stop(self, index: int) -> None:
        self.chain.is_readable = False
        self.outcome.doubt(BundleCheck.ENTRY, "unknown-rules", f"entry {index} and those behind it")

    def take(self, index: int, item: Examined) -> None:
        chain, registry = self.chain, self.chain.registry
        if index == 0:
            registry.first_time_ms = item.time_ms
        registry.last_time_ms = registry.newest_time_ms = item.time_ms
        try:
            knows_seen = self._knows_seen(index, item.statement)
            statement = verify_acceptance(
                registry, chain.tree, item, index, is_whole=chain.is_whole, knows_seen=knows_seen
            )
        except CheckFailed as error:
            self._refuse(index, error.failure)
            return
        if not chain.is_whole:
            self._doubt_algorithms(index, statement)
        registry.record(index, statement)
        told = chain.told[index] = chain.by_id[statement.id] = Told(index, item.time_ms, statement)
        if item.statement is not None and item.statement.seen is not None:
            chain.seen_sizes[index] = item.statement.seen[0]
        if index == 0:
            chain.service_key = key_of(told.body["service_key"]).raw
        for reason, pointer in statement.faults:
            is_marks = pointer in {"/marks/seal", POOL_PLACE} and reason == "disclosure-malformed"
            check = BundleCheck.MARKS if is_marks else BundleCheck.DISCLOSURE
            self.outcome.fail(check, reason, f"disclosures.json: {told.statement.id.hex()} {pointer}")

    def _doubt_algorithms(self, index: int, statement: Statement) -> None:
        """Note a statement that lacks the signature of an algorithm: a revocation that is not here would explain it."""
        try:
            verify_algorithms(self.chain.registry, statement, index)
        except CheckFailed as error:
            self.outcome.doubt(BundleCheck.SIGNATURE, error.failure.reason, f"entry {index} /signers")

    def _knows_seen(self, index: int, statement: Statement | None) -> bool:
        """Tell whether the entries that are here tell the tree that a statement's signers saw."""
        seen = None if statement is None else statement.seen
        return seen is None or not self.chain.prefix_size < seen[0] <= index

    def _refuse(self, index: int, failure: Failure) -> None:
        where = f"entry {index} {failure.where}".rstrip()
        is_explained = (
            failure.check is Check.REFERENCE and failure.reason in _EXPLAINED and not self.chain.is_whole
            and (failure.reason == "legal-hold" or failure.where in {"/valid_from_ms", "/valid_until_ms"})
        )  # fmt: skip
        check = BundleCheck.SIGNATURE if failure.check in _SIGNATURE else BundleCheck.ACCEPTANCE
        if is_explained:
            self.outcome.doubt(check, failure.reason, where)
        else:
            self.outcome.fail(check, failure.reason, where, failure.expected, failure.actual)


def _verify_entry_0(chain: Chain, log: VerifierKey, outcome: Outcome) -> None:
    """Check that the ledger's own statement names the policy's log: else its entries were made for another."""
    registry = chain.registry
    if registry.origin != log.name:
        outcome.fail(BundleCheck.ACCEPTANCE, "wrong-origin", "entry 0 /origin", log.name, registry.origin)
    signed_by = chain.opened.log_vkeys
    if not set(signed_by) & set(registry.log_vkeys):
        if registry.rules < ROTATION or chain.is_whole:
            wanted, actual = " ".join(signed_by), " ".join(registry.log_vkeys)
            outcome.fail(BundleCheck.ACCEPTANCE, "wrong-log-key", "entry 0 /log_keys", wanted, actual)
        else:  # the entry that brought it may have been left out
            outcome.doubt(BundleCheck.ACCEPTANCE, "log-key-unknown", " ".join(signed_by))


def _verify_clocks(chain: Chain, outcome: Outcome) -> None:
    """Check that no cosignature is older than the newest entry that is here (docs/format.md §10.6)."""
    earliest_unix_s = -(-chain.registry.newest_time_ms // 1000) - MAX_CLOCK_DIFFERENCE_S
    for name, time_unix_s in chain.opened.cosigned_unix_s.items():
        if time_unix_s < earliest_unix_s:
            outcome.fail(BundleCheck.ACCEPTANCE, "older-than-entry", name, f"≥ {earliest_unix_s}", time_unix_s)
