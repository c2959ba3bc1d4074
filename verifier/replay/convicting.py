"""What a replay or a mirror does when it meets a fraud: it reads what proves it, and keeps the proof as a file."""

from __future__ import annotations

from bisect import bisect_right
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verifier.core.checks import Check, Failure
from verifier.core.errors import CheckFailed, SourceUnavailable, UsageError
from verifier.core.files import write_atomically
from verifier.core.jcs import parse_canonical
from verifier.core.notes import MAX_NOTE_BYTES
from verifier.core.policy import OpenedCheckpoint, open_checkpoint
from verifier.core.tree import TILE_WIDTH, Tree, leaf_hash, tile_widths
from verifier.core.words import escape
from verifier.fraud.making import Draft, HeldLog, make_fork, make_rewrite
from verifier.fraud.parts import name_of
from verifier.fraud.rules import RULES, UNSIGNED
from verifier.replay.workers import read_bundle
from verifier.schema.entries import parse_entry
from verifier.sources.remembered import read_hashes
from verifier.sources.source import DirectorySource, Location, Source, open_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from verifier.core.notes import VerifierKey
    from verifier.core.policy import Policy
    from verifier.mirror.mirror import Mirrored
    from verifier.replay.result import Replay

MAX_PROOFS = 20
"""Files that one run writes: a log with a thousand lies is convicted by the first."""


FRAUD_DIR = "where to keep proofs of what the operator did, for verifier fraud (default: beside {beside})"
"""Help of the option; `beside` names what it is beside."""


def keep_frauds(given: str | None, beside: Path | None, frauds: Iterable[bytes]) -> list[str]:
    """Write fraud proofs, each named by its digest, and return their paths; there may be none.

    They go where the user said, or beside a file or directory of the user's; nowhere if there is neither. Raises
    `UsageError` where that cannot be written.
    """
    if not given and beside is None:
        return []
    directory = Path(given or f"{beside}.frauds")
    paths: list[str] = []
    for raw in islice(frauds, MAX_PROOFS):
        path = directory / f"{sha256(raw).hexdigest()}.json"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            write_atomically(path, raw)
        except OSError as error:
            raise UsageError(f"cannot write the fraud proof {path}: {error.strerror}") from error
        paths.append(str(path))
    return paths


def format_kept(paths: Sequence[str]) -> str:
    """Return what to say of proofs that were kept, above a report; empty if there are none."""
    lines = [f"Proof       of a fraud is kept in {escape(path)}" for path in paths]
    if lines:
        lines.append("            show it to anybody: verifier fraud FILE --policy POLICY checks it, offline")
    return "".join(f"{line}\n" for line in lines)


def frauds_of_replay(result: Replay) -> Iterator[bytes]:
    """Yield a proof for each failure of a replay that can be proved: the source is read again for it."""
    if result.opened is None or not result.failures:
        return
    source = open_source(result.location)
    try:
        yield from _Prover(source, result, result.opened).prove()
    except SourceUnavailable:  # what is gone cannot be shown; the replay's own report stands
        return
    finally:
        source.close()


def fraud_of_promise(result: Replay, envelope: dict[str, Any], deadline_ms: int) -> bytes | None:
    """Return the proof that a promise was broken: the log from its beginning to the first entry after the deadline.

    None where the source has not all of it, it is too much for one file, or it does not prove that. The source is read
    again for it.
    """
    if result.opened is None:
        return None
    source = open_source(result.location)
    try:
        return _Prover(source, result, result.opened).omission(envelope, deadline_ms)
    except (CheckFailed, SourceUnavailable):
        return None
    finally:
        source.close()


def frauds_of_mirror(
    result: Mirrored, location: Location, directory: Path, policy: Policy, log: VerifierKey
) -> Iterator[bytes]:
    """Yield the proofs that a log contradicts the mirror in `directory`: forks, and the first entry changed."""
    others = [*(view.opened for view in result.views), *result.contradicting]
    is_forked = any(_is_fork(failure) for failure in result.failures)
    if result.opened is None or not (is_forked or result.contradicting):
        return
    own, source = DirectorySource(directory), open_source(location)
    try:
        new = _hold(source, result.opened, policy, log)
        yield from _forks(result.opened, others, new, policy, log)
        before = open_checkpoint(own.read("checkpoint", MAX_NOTE_BYTES), policy, log)
        yield from _forks(result.opened, [before], new, policy, log)
        old = _hold(own, before, policy, log)
        if before.checkpoint.size > result.opened.checkpoint.size:  # an older log that went on otherwise
            yield from _forks(before, [result.opened], old, policy, log)
        if old is not None and new is not None and (at := _first_difference(old.tree, new.tree)) is not None:
            raws = _read(own, old, at), _read(source, new, at)
            if raws[0] is not None and raws[1] is not None and (raw := make_rewrite(old, new, at, (raws[0], raws[1]))):
                yield raw
    except (SourceUnavailable, CheckFailed):
        return
    finally:
        source.close()


def _forks(
    opened: OpenedCheckpoint,
    others: Iterable[OpenedCheckpoint | None],
    held: HeldLog | None,
    policy: Policy,
    log: VerifierKey,
) -> Iterator[bytes]:
    """Yield the proofs that other checkpoints contradict one, whose tree is held where it is to be had."""
    for other in others:
        if other is None or other.checkpoint == opened.checkpoint or other.checkpoint.size > opened.checkpoint.size:
            continue
        raw = make_fork(other, opened, held.tree if held else None, policy, log)
        if raw is not None:
            yield raw


def _is_fork(failure: Failure) -> bool:
    return failure.check is Check.REMEMBERED and failure.reason == "fork"


def _hold(source: Source, opened: OpenedCheckpoint, policy: Policy, log: VerifierKey) -> HeldLog | None:
    """Return a log as its level-0 tiles have it; None where these are not to be had, or miss the signed root.

    It raises nothing: whoever signed a fork could keep its tiles back, and must not stop what is proved without them.
    """
    head = opened.checkpoint
    try:
        tree = Tree(b"".join(read_hashes(source, 0, number, width) for number, width in tile_widths(head.size, 0)))
    except (SourceUnavailable, CheckFailed):
        return None
    return HeldLog(opened, tree, policy, log) if tree.root(head.size) == head.root else None


def _read(source: Source, held: HeldLog, index: int) -> bytes | None:
    """Return the bytes of an entry that hash to the tree's leaf; None where the source has others.

    Raises `SourceUnavailable`.
    """
    number = index // TILE_WIDTH
    raws = read_bundle(source, number, min(TILE_WIDTH, held.size - number * TILE_WIDTH))[1]
    at = index % TILE_WIDTH
    return raws[at] if at < len(raws) and leaf_hash(raws[at]) == held.tree.leaf(index) else None


def _seen_size(raw: bytes) -> int:
    """Return the size in `seen` of an entry whose fields a replay has checked."""
    size: int = parse_canonical(parse_entry(raw).payload, "payload")["seen"]["size"]
    return size


def _first_difference(old: Tree, new: Tree) -> int | None:
    return next((at for at in range(min(old.size, new.size)) if old.leaf(at) != new.leaf(at)), None)


class _Prover:
    """What a replay found, and the source that it read."""

    def __init__(self, source: Source, result: Replay, opened: OpenedCheckpoint) -> None:
        self.source, self.result, self.opened = source, result, opened
        self.policy, self.log = result.policy, result.log
        head, tree = opened.checkpoint, result.tree
        is_held = tree.size >= head.size and tree.root(head.size) == head.root
        self.held = HeldLog(opened, tree, self.policy, self.log) if is_held else None

    def prove(self) -> Iterator[bytes]:
        if self.result.contradicting or any(_is_fork(failure) for failure in self.result.failures):
            yield from self._forks()
        for failure in self.result.failures:
            raw = None
            if self.held is not None and failure.check is Check.COSIGNATURE_TIME:
                raw = self._time(self.held, self.held.size - 1)
            elif self.held is not None and failure.index is not None and failure.check is Check.TIME:
                raw = self._time(self.held, failure.index)
            elif self.held is not None and failure.index is not None and failure.check in RULES:
                raw = self._entry(self.held, failure, failure.index)
            if raw is not None:
                yield raw

    def omission(self, envelope: dict[str, Any], deadline_ms: int) -> bytes | None:
        """Return the proof that a promise was broken; raise `CheckFailed` and `SourceUnavailable`."""
        held = self.held
        if held is None:
            return None
        draft = Draft("omission-after-promise", self.policy, self.log)
        draft.signed(envelope)
        first = bisect_right(range(held.size), deadline_ms, key=lambda index: self._time_ms(held, index))
        is_whole = held.add_prefix(draft, self._first(held, first + 1)) if first < held.size else False
        return draft.finish() if is_whole else None

    def _time_ms(self, held: HeldLog, index: int) -> int:
        raw = _read(self.source, held, index)
        if raw is None:
            raise SourceUnavailable(f"entry {index}", "not as it was signed")
        return parse_entry(raw).time_ms

    def _forks(self) -> Iterator[bytes]:
        others = [*(view.opened for view in self.result.views), *self.result.contradicting]
        held = self.held
        try:
            if self.result.remembered:
                remembered = open_checkpoint(self.result.remembered, self.policy, self.log)
                others.append(remembered)
                if remembered.checkpoint.size > self.opened.checkpoint.size:  # an older log that went on otherwise
                    own = HeldLog(remembered, self.result.tree, self.policy, self.log)
                    yield from _forks(remembered, [self.opened], own, self.policy, self.log)
            held = held or _hold(self.source, self.opened, self.policy, self.log)
        except CheckFailed:
            held = None
        yield from _forks(self.opened, others, held, self.policy, self.log)

    def _time(self, held: HeldLog, index: int) -> bytes | None:
        draft = held.draft("time", index)
        for at in (index - 1, index):
            if at >= 0 and (raw := _read(self.source, held, at)) is not None:
                held.add(draft, at, raw)
        return draft.finish()

    def _entry(self, held: HeldLog, failure: Failure, index: int) -> bytes | None:
        """Return the smallest proof that there is: by the entry and those that forbid it, else by all before it."""
        raw = _read(self.source, held, index)
        if raw is None:  # what the source serves is not what the log signed
            return None
        kind = "unsigned-statement" if failure.check in UNSIGNED else "unlawful-entry"
        draft = held.draft(kind, index)
        held.add(draft, index, raw)
        for at in sorted(self._witnesses(held, failure, raw, index)):
            if (other := _read(self.source, held, at)) is not None:
                held.add(draft, at, other)
        key = self.result.registry.keys.get(failure.where)
        if failure.check is Check.SIGNATURE and key is not None:
            draft.key(key.public_key)
        if failure.check is Check.SEEN and failure.where == "/seen/root":
            held.add_consistency(draft, _seen_size(raw))
        small = draft.finish()
        if small is not None:
            return small
        whole = held.draft(kind, index)
        held.add(whole, index, raw)
        return whole.finish() if held.add_prefix(whole, self._first(held, index)) else None

    def _witnesses(self, held: HeldLog, failure: Failure, raw: bytes, index: int) -> set[int]:
        """Return the entries before that forbid this one."""
        registry = self.result.registry
        match failure.check:
            case Check.LINK:
                return {index - 1}
            case Check.LEDGER:
                return {0}
            case Check.KEY_REVOKED if (key := registry.keys.get(failure.actual)) and key.revoked_index is not None:
                return {key.revoked_index}
            case Check.REFERENCE if failure.reason == "name-taken" and failure.actual in registry.parties:
                return {registry.parties[failure.actual]}
            case Check.DUPLICATE:
                return self._earlier(held, raw, index)
            case _:
                return set()

    def _earlier(self, held: HeldLog, raw: bytes, index: int) -> set[int]:
        wanted = name_of(parse_entry(raw).payload)
        for at, other in enumerate(self._each(held, index)):
            try:
                if other is not None and name_of(parse_entry(other).payload) == wanted:
                    return {at}
            except CheckFailed:
                continue
        return set()

    def _first(self, held: HeldLog, count: int) -> list[bytes]:
        """Return the first entries; none where one of them is not to be had as it was signed."""
        raws = [raw for raw in self._each(held, count) if raw is not None]
        return raws if len(raws) == count else []

    def _each(self, held: HeldLog, count: int) -> Iterator[bytes | None]:
        for start in range(0, count, TILE_WIDTH):
            number = start // TILE_WIDTH
            raws = read_bundle(self.source, number, min(TILE_WIDTH, held.size - start))[1]
            for at in range(start, min(start + TILE_WIDTH, count)):
                raw = raws[at - start] if at - start < len(raws) else None
                yield raw if raw is not None and leaf_hash(raw) == held.tree.leaf(at) else None
