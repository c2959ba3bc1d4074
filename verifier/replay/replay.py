"""Replaying a whole log: from its checkpoint and its files to everything that can be said about them.

The plan is the order of `Check`: checkpoint, then every bundle in turn (bytes, links, rules), then the root, the hash
tiles, and what only the end can tell. Nothing stops at a single bad entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.core.checks import Check, Doubt, Failure
from verifier.core.errors import CheckFailed, SourceUnavailable
from verifier.core.policy import OpenedCheckpoint, Policy, open_checkpoint
from verifier.core.tree import HASH_BYTES, TILE_WIDTH, tile_path, tile_widths
from verifier.judgement.identity import Roots
from verifier.judgement.judge import Judge
from verifier.judgement.pins import Pins, verify_pins
from verifier.replay.ending import Ending
from verifier.replay.result import Replay
from verifier.replay.state import ReplayState
from verifier.replay.workers import Chunk, Examiner, Task, read_first_rules
from verifier.rules.acceptance import verify_acceptance
from verifier.rules.consequences import first_unknown, part_consequences
from verifier.schema.entries import FIRST_LINK
from verifier.schema.versions import KNOWN_RULES, STATEMENT_TYPES
from verifier.sealed.disclosures import Disclosures, verify_disclosures
from verifier.sources.remembered import compare_roots, compare_shorter
from verifier.sources.several import View, by_use, compare_views, look_at
from verifier.sources.source import name_location, open_source, read_checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from verifier.core.notes import VerifierKey
    from verifier.rules.examine import Examined, Statement
    from verifier.sources.source import Location


def replay(
    location: Location,
    policy: Policy,
    log: VerifierKey,
    *,
    pins: Pins = (),
    roots: Roots = (),
    state: ReplayState | None = None,
    disclosures: Disclosures | None = None,
    as_of_ms: int | None = None,
    observe: Callable[[int, int, Statement], None] | None = None,
    begun: Callable[[Replay], None] | None = None,
    processes: int = 1,
    progress: Callable[[int, int], None],
) -> Replay:
    """Check everything about the log at `location` against the policy, from `state` on if there is one.

    Of several sources, whichever answers is read, and what each shows is compared.

    Parties are known by `pins`, and by certificates whose issuers are among `roots`.

    What parties did is judged as of `as_of_ms` (Unix milliseconds; None: the newest entry's time), and with
    `disclosures`; neither goes with a `state`. `progress` is called with the entries done and the entries in all,
    `observe` with index, time and statement of every accepted entry, `begun` with the result before anything is read,
    for those that look at it while it grows. Faults do not raise: they are in the result's `failures` and `doubts`.
    """
    result = Replay(location, log, policy, roots=roots)
    result.judge = Judge(as_of_ms, disclosures, result.registry)
    if not isinstance(location, str):
        result.views = look_at(location, policy, log)
        result.location = by_use(result.views) or location
    try:
        replayer = _Replayer(result, state, disclosures, observe)
        if begun is not None:
            begun(result)
        replayer.run(processes, progress)
    except CheckFailed as error:
        result.failures.append(error.failure)
    except SourceUnavailable as error:
        result.doubts.append(Doubt(Check.AVAILABLE, error.why, where=error.where))
    result.failures += compare_views(result.views, result.tree, View(name_location(result.location), result.opened))
    unknown = first_unknown(result.failures, result.resumed_size)
    if unknown is not None:
        result.failures, doubts = part_consequences(result.failures, unknown)
        result.doubts += doubts
        result.judged_size = min(result.judged_size, unknown)
    if disclosures is not None:
        registry = result.registry
        failures, doubts = verify_disclosures(
            disclosures, registry.ledger, registry.recorded, is_complete=result.is_complete
        )
        result.failures += failures
        result.doubts += doubts
    result.pins = verify_pins(result.registry, pins, is_complete=result.is_complete)
    result.failures += result.pins.failures
    result.doubts += result.pins.doubts
    result.judgement = result.judge.close(result.registry.newest_time_ms)
    result.failures.sort(key=lambda failure: -1 if failure.index is None else failure.index)
    return result


class _Replayer:
    """One run; its fields are what the next entry is judged by."""

    def __init__(
        self,
        result: Replay,
        state: ReplayState | None,
        disclosures: Disclosures | None,
        observe: Callable[[int, int, Statement], None] | None,
    ) -> None:
        self.result = result
        self.observe = observe
        self.disclosures = disclosures
        self.previous: bytes | None = FIRST_LINK
        """Leaf hash of the entry before; None if it is not known."""
        self.last_time_ms = 0
        self.is_judging = True
        self.tiles: dict[int, tuple[str, bytes]] = {}
        """Level-0 tiles that differ from the entries' leaf hashes."""
        self.overlap = b""
        """Leaf hashes, in the first bundle, of entries that were judged before: as the source has them now."""
        if state is not None:
            result.tree, result.registry, result.judge = state.tree, state.registry, state.judge
            result.resumed_size = result.judged_size = state.size
            result.remembered = state.note
            self.previous = state.tree.leaf(state.size - 1)
            self.last_time_ms = state.registry.last_time_ms

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
        count = min(processes, 1 + (size - start) // TILE_WIDTH)
        examiner = Examiner(result.location, count, rules, self.disclosures)
        try:
            for keyid, key in result.registry.keys.items():
                examiner.learn(keyid, key.public_key)
            for chunk in examiner.examine(tasks):
                if not self.take(chunk, min(TILE_WIDTH, size - chunk.number * TILE_WIDTH), examiner):
                    return
                progress(result.tree.size, size)
        finally:
            examiner.close()
        Ending(result, self.tiles, self.overlap, self.last_time_ms).verify(result.opened)

    def verify_head(self, opened: OpenedCheckpoint) -> None:
        """Judge the checkpoint by the policy's quorum and by what is remembered."""
        head, result = opened.checkpoint, self.result
        if not opened.is_quorate:
            result.doubts.append(Doubt(Check.QUORUM, "quorum-not-reached", where=result.policy.quorum or ""))
        if head.size < result.resumed_size:
            raise CheckFailed(compare_shorter(result.tree, head))
        if head.size == result.resumed_size > 0 and (fork := compare_roots(result.remembered_head(), head.root)):
            raise CheckFailed(fork)
        if head.size == 0:
            result.doubts.append(Doubt(Check.IDENTITY, "empty", where="the log has no entry 0"))

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
        return True

    def take_again(self, chunk: Chunk, start: int, skip: int, width: int) -> None:
        """Compare the entries of a bundle that were judged before; whether a fork replaced them, the root will tell."""
        self.overlap = chunk.leaves[: skip * HASH_BYTES]
        where = tile_path("entries", chunk.number, width)
        result = self.result
        for position in range(len(self.overlap) // HASH_BYTES):
            leaf = self.overlap[position * HASH_BYTES : (position + 1) * HASH_BYTES]
            if leaf != result.tree.leaf(start + position):
                expected = result.tree.leaf(start + position).hex()
                result.fail(Check.ENTRY_BYTES, "changed-bytes", start + position, where, expected, leaf.hex())

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
            result.fail(item.check, item.reason, index, item.where)
            self.close_entry(index)
            return
        if item.entry_index != index:
            result.fail(Check.ENTRY_INDEX, "wrong-index", index, "/index", str(index), str(item.entry_index))
        if item.previous != previous and previous is not None:
            result.fail(Check.LINK, "wrong-previous", index, "/previous", previous.hex(), item.previous.hex())
        if item.time_ms < self.last_time_ms:
            result.fail(Check.TIME, "time-decreased", index, "/time", f"≥ {self.last_time_ms}", str(item.time_ms))
        self.last_time_ms = registry.last_time_ms = item.time_ms
        if index == 0:
            registry.first_time_ms = item.time_ms
        registry.newest_time_ms = max(registry.newest_time_ms, item.time_ms)
        if index == 0 and item.failure is not None and item.failure.check is Check.RULES_VERSION:
            self.stop_judging(Check.RULES_VERSION, "unknown-rules", 0)
        if self.is_judging:
            self.accept(index, item, examiner)
        self.close_entry(index)

    def accept(self, index: int, item: Examined, examiner: Examiner) -> None:
        """Judge one entry by the rules, and let it take effect if it keeps them."""
        result, registry = self.result, self.result.registry
        try:
            statement = verify_acceptance(registry, result.tree, item, index)
        except CheckFailed as error:
            result.failures.append(error.failure)
            return
        for reason, pointer in statement.faults:
            result.fail(Check.DISCLOSURE, reason, index, pointer)
        registry.record(index, statement)
        result.judge.take(index, item.time_ms, statement)
        if self.observe is not None:
            self.observe(index, item.time_ms, statement)
        for key in statement.introduced:
            examiner.learn(key.keyid, key.public_key)
        if registry.rules in KNOWN_RULES:  # what comes after others is not judged, whatever it is read by
            examiner.rules = registry.rules

    def close_entry(self, index: int) -> None:
        """Count a judged entry, and see whether the next can be judged."""
        if not self.is_judging:
            return
        self.result.judged_size = index + 1
        if self.result.registry.ledger is None:  # entry 0 failed: no later one can name this ledger
            self.stop_judging(Check.JUDGED, "no-ledger", index + 1)
        if self.result.registry.rules not in KNOWN_RULES:
            self.stop_judging(Check.RULES_VERSION, "unknown-rules", index + 1)
