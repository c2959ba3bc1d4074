"""Examining a log's bundles, in order, on several processes.

A worker is handed the number of a bundle and fetches it itself; it returns compact values. This process hands out the
work, takes a bundle itself whenever the next one is not there yet, and yields results in order.
"""

from __future__ import annotations

import multiprocessing
import signal
from dataclasses import dataclass, replace
from itertools import tee
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, NamedTuple

from verifier.core.checks import Check, Doubt, Failure
from verifier.core.errors import SourceUnavailable
from verifier.core.tree import HASH_BYTES, TILE_WIDTH, leaf_hash, tile_path
from verifier.rules.body import unpack_body
from verifier.rules.examine import Examined, Reading, Statement, examine_entry, leaf_hashes
from verifier.schema.entries import guess_rules, split_bundle
from verifier.schema.versions import NEWEST_RULES
from verifier.sealed.disclosures import Disclosures
from verifier.sources.source import Location, Source, open_source, read_tile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.process import BaseProcess

    from verifier.core.keys import PublicKey

_QUEUED = 2
_KEYS_PER_ORDER = 256
"""Bundles handed to a worker at a time: one in work, one waiting, so that it never waits for this process."""
_POLL_EVERY = 32
"""Entries between two looks at the workers while this process examines a bundle."""
_FULL_BUNDLE_COUNT = TILE_WIDTH


class Task(NamedTuple):
    """One bundle to examine."""

    number: int
    width: int
    skip: int
    """Entries at its start that were judged before, and are only hashed."""


@dataclass(slots=True)
class Chunk:
    """What one bundle holds."""

    number: int
    leaves: bytes
    """Leaf hashes, joined; where entries are missing, those of the tile; shorter if there is neither."""
    tile: bytes | None
    """The level-0 tile where it differs from `leaves`."""
    tile_path: str
    rules: int
    """The version of the rules that its entries were read by."""
    entries: list[Examined | Failure]
    """From the task's `skip` on, up to the first that could not be read."""
    failure: Failure | None
    doubts: list[Doubt]


def _do_nothing() -> None:
    pass


def read_bundle(source: Source, number: int, width: int) -> tuple[str, list[bytes], str]:
    """Return the path of a bundle, its first `width` entries, and what is wrong with its framing (empty if nothing).

    Raises `SourceUnavailable`.
    """
    path, raw = read_tile(source, "entries", number, width)
    count = width if path.endswith(f".p/{width}") else _FULL_BUNDLE_COUNT
    raws, fault = split_bundle(raw, count)
    return path, raws[:width], fault


def read_first_rules(source: Source, size: int) -> int:
    """Return the version of the rules that a log of `size` entries seems to begin with: what to examine it by first."""
    try:
        _, raws, _ = read_bundle(source, 0, min(size, TILE_WIDTH))
    except SourceUnavailable:
        return NEWEST_RULES
    return guess_rules(raws[0]) if raws else NEWEST_RULES


def examine_bundle(
    source: Source, task: Task, keys: dict[str, PublicKey], reading: Reading, poll: Callable[[], None] = _do_nothing
) -> Chunk:
    """Check all that the bytes of one bundle and its level-0 tile decide; `poll` is called in between."""
    start = task.number * TILE_WIDTH
    doubts: list[Doubt] = []
    raws: list[bytes] = []
    fault, bundle_path = "missing", tile_path("entries", task.number, task.width)
    try:
        bundle_path, raws, fault = read_bundle(source, task.number, task.width)
    except SourceUnavailable as error:
        doubts.append(Doubt(Check.AVAILABLE, error.why, start, error.where))
    entries: list[Examined | Failure] = []
    for position, raw in enumerate(raws[task.skip :]):
        if position % _POLL_EVERY == 0:
            poll()
        entries.append(examine_entry(raw, keys, reading))
    leaves = leaf_hashes(raws)
    hashes: bytes | None = None
    served_path = tile_path(0, task.number, task.width)
    try:
        served_path, hashes = read_tile(source, 0, task.number, task.width)
        if served_path == tile_path(0, task.number, TILE_WIDTH):
            hashes = hashes[: task.width * HASH_BYTES] if len(hashes) == TILE_WIDTH * HASH_BYTES else hashes
    except SourceUnavailable as error:
        doubts.append(Doubt(Check.AVAILABLE, error.why, start, error.where))
    failure = None
    if fault:
        first = task.skip + next((at for at, entry in enumerate(entries) if isinstance(entry, Failure)), len(entries))
        if hashes is not None:  # a wrong length can leave something that looks like an entry: the tile knows better
            first = min(first, _first_difference(leaves, hashes))
        if len(raws) == task.width and first >= task.width:
            first = task.width - 1  # every entry is whole, and something follows the last
        else:
            entries = entries[: max(0, first - task.skip)]
            leaves = leaves[: first * HASH_BYTES] + (hashes or b"")[first * HASH_BYTES :]
        if fault != "missing":
            failure = Failure(Check.BUNDLE, fault, start + first, bundle_path)
    tile = None if hashes == leaves else hashes
    return Chunk(task.number, leaves, tile, served_path, reading.rules, entries, failure, doubts)


def _first_difference(left: bytes, right: bytes) -> int:
    """Return the first hash at which two rows differ; the length of the shorter if they do not."""
    count = min(len(left), len(right)) // HASH_BYTES
    spans = (slice(at * HASH_BYTES, (at + 1) * HASH_BYTES) for at in range(count))
    return next((at for at, span in enumerate(spans) if left[span] != right[span]), count)


def _pack(chunk: Chunk) -> Chunk:
    """Return a chunk for sending: plain tuples take half the time that named ones do."""
    plain: Any = [item if isinstance(item, Failure) else _plain(item) for item in chunk.entries]
    return replace(chunk, entries=plain)


def _plain(item: Examined) -> tuple[Any, ...]:
    index, previous, time_ms, fits, statement, failure = item
    said = None if statement is None else (statement[:-1], statement.body.packed())
    return index, previous, time_ms, fits, said, failure


def _unpack(chunk: Chunk) -> Chunk:
    """Return the chunk that `_pack` was given."""
    plain: Any = chunk.entries
    return replace(chunk, entries=[item if isinstance(item, Failure) else _whole(item) for item in plain])


def _whole(plain: tuple[Any, ...]) -> Examined:
    index, previous, time_ms, fits, said, failure = plain
    statement = None if said is None else Statement._make((*said[0], unpack_body(said[1])))
    return Examined(index, previous, time_ms, fits, statement, failure)


def _serve(location: Location, disclosures: Disclosures | None, mine: Connection, theirs: Connection) -> None:
    """Examine bundles for another process until it says, or hangs up, that there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted too, and ends its workers
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # that is how it does, whatever the parent does at its own
    theirs.close()
    source = open_source(location)
    keys: dict[str, PublicKey] = {}
    try:
        while (order := mine.recv()) is not None:
            task, more_keys, rules = order
            keys.update(more_keys)
            mine.send(_pack(examine_bundle(source, task, keys, Reading(rules, disclosures=disclosures))))
    except (EOFError, OSError):  # the parent is gone
        return


class _Worker:
    """One worker, seen from the process that started it."""

    def __init__(self, location: Location, disclosures: Disclosures | None) -> None:
        context = multiprocessing.get_context("fork")  # there are no threads to be cut in half
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(
            target=_serve, args=(location, disclosures, theirs, self.connection), daemon=True
        )
        self.process.start()
        theirs.close()
        self.outstanding = 0
        self.keys_known = 0

    def order(self, task: Task, keys: list[tuple[str, PublicKey]], rules: int) -> None:
        # Two orders must fit into the pipe: a parent that waits to send, to a worker that waits to send, never ends.
        # Signatures by keys that a worker does not have yet come back unverified, and are checked here.
        some = keys[self.keys_known : self.keys_known + _KEYS_PER_ORDER]
        self.connection.send((task, some, rules))
        self.keys_known += len(some)
        self.outstanding += 1

    def receive(self) -> Chunk:
        try:
            chunk = _unpack(self.connection.recv())
        except EOFError:
            raise SourceUnavailable("worker", "a worker process ended unexpectedly") from None
        self.outstanding -= 1
        return chunk


class Examiner:
    """Examines bundles on `processes` processes, this one included."""

    def __init__(self, location: Location, processes: int, rules: int, disclosures: Disclosures | None) -> None:
        self.rules = rules
        """The version of the rules to read the bundles by that are handed out from now on."""
        self._disclosures = disclosures
        self._source = open_source(location)
        self._workers = [_Worker(location, disclosures) for _ in range(processes - 1)]
        self._keys: list[tuple[str, PublicKey]] = []
        self._own_keys: dict[str, PublicKey] = {}
        self._waiting: Iterator[Task] = iter(())
        self._next: Task | None = None
        self._done: dict[int, Chunk] = {}
        self._horizon = 0
        self._again: tuple[int, list[bytes]] = (-1, [])
        """Number and entries of the bundle that was read again last."""

    def learn(self, keyid: str, public_key: PublicKey) -> None:
        """Make a public key known for the bundles that are handed out from now on."""
        self._keys.append((keyid, public_key))
        self._own_keys[keyid] = public_key

    def examine(self, tasks: Iterator[Task]) -> Iterator[Chunk]:
        """Yield the chunks of `tasks`, whose numbers ascend, in their order."""
        self._waiting, wanted = tee(tasks)
        self._next = next(self._waiting, None)
        for task in wanted:
            self._horizon = task.number + 2 + 2 * _QUEUED * (1 + len(self._workers))  # bounds what lies in memory
            while task.number not in self._done:
                self._exchange()
                if task.number in self._done:
                    break
                own = self._take()
                if own is not None:
                    reading = Reading(self.rules, disclosures=self._disclosures)
                    self._done[own.number] = examine_bundle(self._source, own, self._own_keys, reading, self._exchange)
                else:
                    wait([worker.connection for worker in self._workers if worker.outstanding])
            self._exchange()
            yield self._done.pop(task.number)

    def examine_again(
        self, index: int, width: int, leaf: bytes, rules: int, types: frozenset[str]
    ) -> Examined | Failure:
        """Examine one entry anew, of a bundle of `width`, by other rules than its chunk was read by.

        Raises `SourceUnavailable` where its bytes are not to be had, or are no longer those that hash to `leaf`.
        """
        number, position = divmod(index, TILE_WIDTH)
        if self._again[0] != number:
            self._again = (number, read_bundle(self._source, number, width)[1])
        raws = self._again[1]
        if position >= len(raws) or leaf_hash(raws[position]) != leaf:
            raise SourceUnavailable(tile_path("entries", number, width), "changed while it was read")
        return examine_entry(raws[position], self._own_keys, Reading(rules, types, self._disclosures))

    def _exchange(self) -> None:
        """Take what the workers have finished, and hand out more."""
        for worker in self._workers:
            while worker.outstanding and worker.connection.poll():
                chunk = worker.receive()
                self._done[chunk.number] = chunk
            while worker.outstanding < _QUEUED and (task := self._take()) is not None:
                worker.order(task, self._keys, self.rules)

    def _take(self) -> Task | None:
        """Return the next task that may be begun."""
        task = self._next
        if task is None or task.number >= self._horizon:
            return None
        self._next = next(self._waiting, None)
        return task

    def close(self) -> None:
        """End the workers, busy or not."""
        for worker in self._workers:
            worker.process.terminate()
            worker.process.join()
            worker.connection.close()
        self._source.close()
