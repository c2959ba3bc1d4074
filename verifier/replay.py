"""Replaying a whole log: from its checkpoint and its files to everything that can be said about them.

The plan is the order of `Check`: checkpoint, then every bundle in turn (bytes, links, rules), then the root, the hash
tiles, and what only the end can tell. Nothing stops at a single bad entry.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from verifier.checks import Check, Doubt, Failure, Finding
from verifier.chunks import Chunk, Examiner, Task, read_first_rules
from verifier.consequences import first_unknown, part_consequences
from verifier.errors import CheckFailed, SourceUnavailable
from verifier.judgement import judge, judge_compromises
from verifier.notes import Checkpoint
from verifier.parties import PinCheck, Pins, verify_pins
from verifier.policy import OpenedCheckpoint, Policy, open_checkpoint
from verifier.registry import Registry
from verifier.remembered import compare_roots, find_fork
from verifier.rules import verify_acceptance
from verifier.schema import KNOWN_RULES, STATEMENT_TYPES
from verifier.source import open_source, read_checkpoint, read_tile
from verifier.state import ReplayState
from verifier.tree import HASH_BYTES, TILE_HEIGHT, TILE_WIDTH, Tree, tile_path, tile_widths

if TYPE_CHECKING:
    from collections.abc import Callable

    from verifier.examine import Examined
    from verifier.notes import VerifierKey

FIRST_LINK = bytes(HASH_BYTES)
"""`previous` of entry 0 (docs/format.md §7.2)."""
MAX_CLOCK_DIFFERENCE_S = 300
"""How far a cosignature may be behind the newest entry (§10.6)."""


@dataclass(slots=True)
class Replay:
    """What a replay established so far, or in the end."""

    location: str
    log: VerifierKey
    policy: Policy
    opened: OpenedCheckpoint | None = None
    tree: Tree = field(default_factory=Tree)
    registry: Registry = field(default_factory=Registry)
    failures: list[Failure] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    resumed_size: int = 0
    """Entries that an earlier replay vouches for."""
    remembered: bytes = b""
    """The signed checkpoint of that replay: with a contradicting one, proof of a fork."""
    judged_size: int = 0
    """Entries judged by the rules."""
    pins: PinCheck = field(default_factory=PinCheck)

    @property
    def is_complete(self) -> bool:
        """Every entry below the checkpoint's size was read, hashed and judged."""
        return self.opened is not None and self.judged_size == self.tree.size == self.opened.checkpoint.size

    def state(self) -> ReplayState:
        """Return what the next replay can start from; only a replay without failure or doubt may be remembered."""
        opened = self.opened
        if opened is None or self.failures or self.doubts:
            raise ValueError("only a green replay can be remembered")
        findings = [finding for finding in self.findings if finding.slug != "key-compromised"]
        return ReplayState(opened.raw, self.tree, self.registry, findings)


def replay(
    location: str,
    policy: Policy,
    log: VerifierKey,
    *,
    pins: Pins = (),
    state: ReplayState | None = None,
    processes: int = 1,
    progress: Callable[[int, int], None],
) -> Replay:
    """Check everything about the log at `location` against the policy, from `state` on if there is one.

    `progress` is called with the entries done and the entries in all. Faults do not raise: they are in the result's
    `failures` and `doubts`.
    """
    result = Replay(location, log, policy)
    try:
        _Replayer(result, state).run(processes, progress)
    except CheckFailed as error:
        result.failures.append(error.failure)
    except SourceUnavailable as error:
        result.doubts.append(Doubt(Check.AVAILABLE, error.why, where=error.where))
    unknown = first_unknown(result.failures, result.resumed_size)
    if unknown is not None:
        result.failures, doubts = part_consequences(result.failures, unknown)
        result.doubts += doubts
        result.judged_size = min(result.judged_size, unknown)
    result.pins = verify_pins(result.registry, pins, is_complete=result.is_complete)
    result.failures += result.pins.failures
    result.doubts += result.pins.doubts
    result.findings += judge_compromises(result.registry)
    result.findings.sort(key=lambda finding: finding.index)
    result.failures.sort(key=lambda failure: -1 if failure.index is None else failure.index)
    return result


class _Replayer:
    """One run; its fields are what the next entry is judged by."""

    def __init__(self, result: Replay, state: ReplayState | None) -> None:
        self.result = result
        self.previous: bytes | None = FIRST_LINK
        """Leaf hash of the entry before; None if it is not known."""
        self.last_time_ms = 0
        self.is_judging = True
        self.tiles: dict[int, tuple[str, bytes]] = {}
        """Level-0 tiles that differ from the entries' leaf hashes."""
        self.overlap = b""
        """Leaf hashes, in the first bundle, of entries that were judged before: as the source has them now."""
        if state is not None:
            result.tree, result.registry, result.findings = state.tree, state.registry, list(state.findings)
            result.resumed_size = result.judged_size = state.size
            result.remembered = state.note
            self.previous = state.tree.leaf(state.size - 1)
            self.last_time_ms = state.registry.times_ms[-1]

    def fail(  # noqa: PLR0917 (the fields of a Failure, in their order)
        self,
        check: Check,
        reason: str,
        index: int | None = None,
        where: str = "",
        expected: str = "",
        actual: str = "",
    ) -> None:
        """Note something false, and go on."""
        self.result.failures.append(Failure(check, reason, index, where, expected, actual))

    def run(self, processes: int, progress: Callable[[int, int], None]) -> None:
        result = self.result
        source = open_source(result.location)
        try:
            result.opened = open_checkpoint(read_checkpoint(source), result.policy, result.log)
            self.verify_head(result.opened)
            size, start = result.opened.checkpoint.size, result.resumed_size
            rules = result.registry.rules if start or not size else read_first_rules(source, size)
        finally:
            source.close()
        tasks = (  # never a list: a checkpoint can be signed over 2^53 − 1 entries
            Task(number, width, max(0, start - number * TILE_WIDTH))
            for number, width in tile_widths(size, 0, start // TILE_WIDTH)
            if number * TILE_WIDTH + width > start
        )
        examiner = Examiner(result.location, min(processes, 1 + (size - start) // TILE_WIDTH), rules)
        try:
            for keyid, key in result.registry.keys.items():
                examiner.learn(keyid, key.public_key)
            for chunk in examiner.examine(tasks):
                if not self.take(chunk, min(TILE_WIDTH, size - chunk.number * TILE_WIDTH), examiner):
                    return
                progress(result.tree.size, size)
        finally:
            examiner.close()
        self.verify_root(result.opened)
        self.verify_tiles(size)
        self.verify_times(result.opened)
        self.verify_identity()

    def verify_head(self, opened: OpenedCheckpoint) -> None:
        """Judge the checkpoint by the policy's quorum and by what is remembered."""
        head, result = opened.checkpoint, self.result
        if not opened.is_quorate:
            result.doubts.append(Doubt(Check.QUORUM, "quorum-not-reached", where=result.policy.quorum or ""))
        if head.size < result.resumed_size:
            failure = Failure(
                Check.REMEMBERED, "rollback", None, "checkpoint", f"size ≥ {result.resumed_size}", f"size {head.size}"
            )
            raise CheckFailed(failure)
        if head.size == result.resumed_size and head.size and (fork := compare_roots(self.remembered(), head.root)):
            raise CheckFailed(fork)
        if head.size == 0:
            result.doubts.append(Doubt(Check.IDENTITY, "empty", where="the log has no entry 0"))

    def remembered(self) -> Checkpoint:
        """Return the checkpoint that the replay goes on from."""
        size = self.result.resumed_size
        return Checkpoint(self.result.log.name, size, self.result.tree.root(size))

    def take(self, chunk: Chunk, width: int, examiner: Examiner) -> bool:
        """Judge the entries of a bundle; False if the replay cannot go on behind it."""
        result, start = self.result, chunk.number * TILE_WIDTH
        result.doubts += chunk.doubts
        if chunk.failure:
            result.failures.append(chunk.failure)
        if chunk.tile is not None:
            self.tiles[chunk.number] = (chunk.tile_path, chunk.tile)
        skip = result.tree.size - start
        if skip:
            self.take_again(chunk, start, skip, width)
        result.tree.extend(chunk.leaves[skip * HASH_BYTES : width * HASH_BYTES])
        for position, item in enumerate(chunk.entries, start=start + skip):
            self.take_entry(position, self.by_rules_in_force(position, item, chunk.rules, width, examiner), examiner)
        unread = start + skip + len(chunk.entries)
        if unread < start + width:
            self.stop_judging(Check.JUDGED, "entries-missing", unread)
            self.previous = None
            if result.tree.size < start + width:
                return False
            self.previous = result.tree.leaf(start + width - 1)
            result.registry.times_ms.extend([0] * (start + width - len(result.registry.times_ms)))
        return True

    def take_again(self, chunk: Chunk, start: int, skip: int, width: int) -> None:
        """Compare the entries of a bundle that were judged before; whether a fork replaced them, the root will tell."""
        self.overlap = chunk.leaves[: skip * HASH_BYTES]
        where = tile_path("entries", chunk.number, width)
        for position in range(len(self.overlap) // HASH_BYTES):
            leaf = self.overlap[position * HASH_BYTES : (position + 1) * HASH_BYTES]
            if leaf != self.result.tree.leaf(start + position):
                expected = self.result.tree.leaf(start + position).hex()
                self.fail(Check.ENTRY_BYTES, "changed-bytes", start + position, where, expected, leaf.hex())

    def stop_judging(self, check: Check, reason: str, index: int) -> None:
        """Go on with bytes, links and tree only: on an incomplete state, a rule would accuse the innocent."""
        if self.is_judging:
            self.result.doubts.append(Doubt(check, reason, index))
        self.is_judging = False

    def by_rules_in_force(
        self, index: int, item: Examined | Failure, rules: int, width: int, examiner: Examiner
    ) -> Examined | Failure:
        """Return the entry as read by the rules in force at its index: workers may have read it by others."""
        registry = self.result.registry
        if isinstance(item, Failure) or not self.is_judging or registry.ledger is None:
            return item  # (the version of entry 0 is its own, and what it says does not depend on it)
        if rules == registry.rules and (
            item.statement.kind in registry.types
            if item.statement is not None
            else registry.types == STATEMENT_TYPES[rules]  # else its type, known here, may not be allowed there
        ):
            return item
        return examiner.examine_again(index, width, self.result.tree.leaf(index), registry.rules, registry.types)

    def take_entry(self, index: int, item: Examined | Failure, examiner: Examiner) -> None:
        """Check one entry's place in the chain, then judge it."""
        result, registry = self.result, self.result.registry
        previous, self.previous = self.previous, result.tree.leaf(index)
        if isinstance(item, Failure):
            self.fail(item.check, item.reason, index, item.where)
            registry.times_ms.append(self.last_time_ms)
            self.close_entry(index)
            return
        if item.entry_index != index:
            self.fail(Check.ENTRY_INDEX, "wrong-index", index, "/index", str(index), str(item.entry_index))
        if item.previous != previous and previous is not None:
            self.fail(Check.LINK, "wrong-previous", index, "/previous", previous.hex(), item.previous.hex())
        if item.time_ms < self.last_time_ms:
            self.fail(Check.TIME, "time-decreased", index, "/time", f"≥ {self.last_time_ms}", str(item.time_ms))
        self.last_time_ms = item.time_ms
        registry.times_ms.append(item.time_ms)
        if index == 0 and item.failure is not None and item.failure.check is Check.RULES_VERSION:
            self.stop_judging(Check.RULES_VERSION, "unknown-rules", 0)
        if self.is_judging:
            try:
                statement = verify_acceptance(registry, result.tree, item, index)
            except CheckFailed as error:
                result.failures.append(error.failure)
            else:
                result.findings += judge(registry, index, item.time_ms, statement)
                registry.record(index, statement)
                examiner.rules = registry.rules
                for key in statement.introduced:
                    examiner.learn(key.keyid, key.public_key)
        self.close_entry(index)

    def close_entry(self, index: int) -> None:
        """Count a judged entry, and see whether the next can be judged."""
        if not self.is_judging:
            return
        self.result.judged_size = index + 1
        if self.result.registry.ledger is None:  # entry 0 failed: no later one can name this ledger
            self.stop_judging(Check.JUDGED, "no-ledger", index + 1)
        if self.result.registry.rules not in KNOWN_RULES:
            self.stop_judging(Check.RULES_VERSION, "unknown-rules", index + 1)

    def verify_root(self, opened: OpenedCheckpoint) -> None:
        """Compare the root; where it differs, let the level-0 tiles say which entries were changed."""
        result, head = self.result, opened.checkpoint
        actual = result.tree.root(head.size)
        if actual == head.root:
            return
        signed = Tree(self.tile_leaves(bytearray(result.tree.leaves), result.resumed_size))
        if signed.root(head.size) != head.root:
            if not (result.resumed_size and self.verify_prefix(head)):
                self.fail(Check.ROOT, "root-mismatch", None, "checkpoint", head.root.hex(), actual.hex())
            return
        for index in range(head.size):  # the tiles fold to the signed root: it is the entries that are not the log's
            if signed.leaf(index) != result.tree.leaf(index):
                expected, found = signed.leaf(index).hex(), result.tree.leaf(index).hex()
                number = index // TILE_WIDTH
                where = tile_path("entries", number, min(TILE_WIDTH, head.size - number * TILE_WIDTH))
                self.fail(Check.ENTRY_BYTES, "changed-bytes", index, where, expected, found)
        self.fail(Check.ROOT, "root-mismatch", None, "checkpoint", head.root.hex(), actual.hex())
        result.tree = signed

    def tile_leaves(self, leaves: bytearray, first: int) -> bytes:
        """Return `leaves` with the hashes of the source's level-0 tiles in their place, from leaf `first` on."""
        for number, (_, hashes) in self.tiles.items():
            start = number * TILE_WIDTH * HASH_BYTES
            if len(leaves[start : start + TILE_WIDTH * HASH_BYTES]) == len(hashes):
                cut = max(start, first * HASH_BYTES)
                leaves[cut : start + len(hashes)] = hashes[cut - start :]
        return bytes(leaves)

    def verify_prefix(self, head: Checkpoint) -> bool:
        """Tell whether a fork explains the wrong root: only the source's own tiles can show one."""
        result, before = self.result, self.remembered()
        first = before.size // TILE_WIDTH * TILE_WIDTH
        entries = bytearray(result.tree.leaves)
        if len(self.overlap) == (before.size - first) * HASH_BYTES:
            entries[first * HASH_BYTES : before.size * HASH_BYTES] = self.overlap
        rows = [bytes(entries), self.tile_leaves(entries, first)]
        try:
            source = open_source(result.location)
            try:
                fork = find_fork(source, before, head, [row[first * HASH_BYTES :] for row in rows])
            finally:
                source.close()
        except SourceUnavailable as error:
            result.doubts.append(Doubt(Check.AVAILABLE, error.why, where=error.where))
            return False
        except CheckFailed as error:
            result.failures.append(error.failure)
            return False
        if fork is None:
            return False
        result.failures = [
            replace(item, check=Check.REMEMBERED, reason="changed-entry")
            if item.check is Check.ENTRY_BYTES and item.index is not None and item.index < before.size
            else item
            for item in result.failures
        ]
        result.failures.append(fork)
        return True

    def verify_tiles(self, size: int) -> None:
        """Compare every hash tile with the tree (§11.1); those of level 0 came with their bundles."""
        tree = self.result.tree
        for number, (path, hashes) in self.tiles.items():
            width = min(TILE_WIDTH, size - number * TILE_WIDTH)
            self.verify_tile(path, hashes, tree.tile(0, number, width), number * TILE_WIDTH)
        source = open_source(self.result.location)
        try:
            level = 1
            while size >> (TILE_HEIGHT * level):
                done = self.result.resumed_size >> (TILE_HEIGHT * (level + 1))
                for number, width in tile_widths(size, level, done):
                    try:
                        path, hashes = read_tile(source, level, number, width)
                    except SourceUnavailable as error:
                        self.result.doubts.append(Doubt(Check.AVAILABLE, error.why, where=error.where))
                        continue
                    if path == tile_path(level, number, TILE_WIDTH) and len(hashes) == TILE_WIDTH * HASH_BYTES:
                        hashes = hashes[: width * HASH_BYTES]
                    self.verify_tile(path, hashes, tree.tile(level, number, width), None)
                level += 1
        finally:
            source.close()

    def verify_tile(self, path: str, hashes: bytes, expected: bytes, start: int | None) -> None:
        """Compare one tile; `start` is the index of the entry that its first hash is of, at level 0."""
        if len(hashes) != len(expected):
            self.fail(Check.TILE, "wrong-length", None, path, f"{len(expected)} bytes", f"{len(hashes)} bytes")
            return
        for at in range(0, len(expected), HASH_BYTES):
            if hashes[at : at + HASH_BYTES] != expected[at : at + HASH_BYTES]:
                index = None if start is None else start + at // HASH_BYTES
                wanted, found = expected[at : at + HASH_BYTES].hex(), hashes[at : at + HASH_BYTES].hex()
                self.fail(Check.TILE, "wrong-hash", index, f"{path} hash {at // HASH_BYTES}", wanted, found)

    def verify_times(self, opened: OpenedCheckpoint) -> None:
        """Compare the witnesses' clocks with the newest entry (§10.6)."""
        earliest_unix_s = -(-self.last_time_ms // 1000) - MAX_CLOCK_DIFFERENCE_S
        for name, time_unix_s in opened.cosigned_unix_s.items():
            if time_unix_s < earliest_unix_s:
                self.fail(Check.COSIGNATURE_TIME, "older-than-entry", None, name, f"≥ {earliest_unix_s}",
                          str(time_unix_s))  # fmt: skip

    def verify_identity(self) -> None:
        """Compare entry 0 with the policy: a statement under the policy's log must be made for that log."""
        registry, log = self.result.registry, self.result.log
        if registry.ledger is None:
            return
        if registry.origin != log.name:
            self.fail(Check.IDENTITY, "wrong-origin", 0, "/origin", log.name, registry.origin)
        if log.vkey not in registry.log_vkeys:
            self.fail(Check.IDENTITY, "wrong-log-key", 0, "/log_keys", log.vkey, " ".join(registry.log_vkeys))
