"""Copying a log: every byte is verified before it is written, and the checkpoint is written last.

The level-0 tiles come first: once they fold to the signed root, every leaf hash is known, and each bundle can be
checked, written and forgotten on its own. So a copy can be interrupted anywhere, and taken up again. The files that are
there already are read again: one that is damaged is reported and left alone, one that is missing is fetched.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from verifier.core.checks import Check, Doubt, Failure
from verifier.core.errors import CheckFailed, SourceUnavailable
from verifier.core.files import write_atomically
from verifier.core.policy import OpenedCheckpoint, Policy, open_checkpoint
from verifier.core.tree import HASH_BYTES, TILE_HEIGHT, TILE_WIDTH, Tree, tile_path, tile_widths
from verifier.rules.examine import leaf_hashes
from verifier.schema.entries import split_bundle
from verifier.sources.remembered import compare_roots, compare_shorter, find_fork, read_hashes
from verifier.sources.several import View, by_use, contradictions, look_at
from verifier.sources.source import (
    MAX_BUNDLE_BYTES,
    MAX_TILE_BYTES,
    DirectorySource,
    Source,
    name_location,
    open_source,
    read_checkpoint,
    read_tile,
)
from verifier.sources.stamps import FOLDER, SIZES, false_parts, read_sizes, read_stamped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from verifier.core.notes import Checkpoint, VerifierKey
    from verifier.sources.source import Location


@dataclass(slots=True)
class Mirrored:
    """What a run of the mirror did."""

    opened: OpenedCheckpoint | None = None
    tree: Tree | None = None
    """That of the checkpoint, where the mirror stands under it now."""
    size_before: int = 0
    files_written: int = 0
    views: list[View] = field(default_factory=list)
    """What each source showed, if there are several."""
    contradicting: list[OpenedCheckpoint] = field(default_factory=list)
    """Time-stamped checkpoints that the log signed, and that are not of the tree."""
    failures: list[Failure] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)


def mirror(  # noqa: PLR0917 (from where, to where, whom to trust, and how to go on)
    location: Location,
    directory: Path,
    policy: Policy,
    log: VerifierKey,
    progress: Callable[[int, int], None],
    known: Tree | None = None,
) -> Mirrored:
    """Bring the mirror in `directory` up to the log's newest checkpoint.

    `progress` is called with entries done and entries in all. `known` is the mirror's tree as an earlier call in this
    process left it: then the mirror's own files are not read again. Faults do not raise: they are in the result's
    `failures` and `doubts`, and if there are any the mirror's checkpoint stays as it was. Raises `OSError` where the
    directory cannot be written.
    """
    result = Mirrored()
    if not isinstance(location, str):
        result.views = look_at(location, policy, log)
        location = by_use(result.views) or location
    try:
        source = open_source(location)
        try:
            _Mirror(source, name_location(location), directory, policy, log, result, known).run(progress)
        finally:
            source.close()
    except CheckFailed as error:
        result.failures.append(error.failure)
    except SourceUnavailable as error:
        result.doubts.append(Doubt(Check.AVAILABLE, error.why, where=error.where))
    result.failures += [view.failure for view in result.views if view.failure]
    return result


class _Mirror:
    def __init__(  # noqa: PLR0917 (what a run is of)
        self,
        source: Source,
        where: str,
        directory: Path,
        policy: Policy,
        log: VerifierKey,
        result: Mirrored,
        known: Tree | None,
    ) -> None:
        self.source = source
        self.where = where
        self.directory = directory
        self.own = DirectorySource(directory)
        self.policy = policy
        self.log = log
        self.result = result
        self.known = known

    def run(self, progress: Callable[[int, int], None]) -> None:
        opened = open_checkpoint(read_checkpoint(self.source), self.policy, self.log)
        self.result.opened = opened
        if not opened.is_quorate:
            self.result.doubts.append(Doubt(Check.QUORUM, "quorum-not-reached", where=self.policy.quorum or ""))
            return
        tree, before = self.open_tree(opened)
        size = opened.checkpoint.size
        self.result.failures += contradictions(self.result.views, tree, View(self.where, opened))
        if self.known is None:
            self.verify_own(tree, before, size, progress)
        if self.result.failures or self.result.doubts:  # nobody would learn what was damaged if it were overwritten
            return
        self.copy_bundles(tree, before, size, progress)
        self.copy_tiles(tree, before, size)
        self.write("checkpoint", opened.raw)
        self.result.tree = tree
        self.copy_stamps(tree, size)

    def copy_stamps(self, tree: Tree, size: int) -> None:
        """Copy the time-stamps that are not here yet (docs/format.md §21.4); the log itself is whole without them."""
        sizes = [one for one in read_sizes(self.source) if one <= size]
        had = set(read_sizes(self.own))
        for one in sizes:
            if one in had:
                continue
            stamped = read_stamped(self.source, one)
            failures, contradicting = false_parts(stamped, tree, self.policy, self.log)
            self.result.failures += failures
            self.result.contradicting += contradicting
            if failures:
                continue
            self.write(f"{FOLDER}/{one}.tsr", stamped.token)
            if stamped.note is not None:
                self.write(f"{FOLDER}/{one}.checkpoint", stamped.note)
            had.add(one)
        if had:
            self.write(SIZES, "".join(f"{one}\n" for one in sorted(had)).encode())

    def open_tree(self, opened: OpenedCheckpoint) -> tuple[Tree, int]:
        """Return the tree of the signed root, and the size that the mirror has already."""
        head = opened.checkpoint
        own = self.open_own()
        before = own.size if own else 0
        self.result.size_before = before
        if own and head.size < before:
            raise CheckFailed(compare_shorter(self.known or self.open_own_tree(own), head))
        if own and head.size == before and (fork := compare_roots(own, head.root)):
            raise CheckFailed(fork)
        tree = self.known or (self.open_own_tree(own) if own else Tree())
        tail = bytearray()
        for number, width in tile_widths(head.size, 0, before // TILE_WIDTH):
            hashes = read_hashes(self.source, 0, number, width)
            tree.extend(hashes[(tree.size - number * TILE_WIDTH) * HASH_BYTES :])
            tail += hashes
        if tree.root(head.size) != head.root:
            raise CheckFailed(self.explain_mismatch(tree, own, head, bytes(tail)))
        return tree, before

    def open_own(self) -> Checkpoint | None:
        """Return the checkpoint that the mirror stands under, None if it has none yet."""
        try:
            return open_checkpoint(read_checkpoint(self.own), self.policy, self.log).checkpoint
        except SourceUnavailable as error:
            if not error.missing:
                raise
            return None
        except CheckFailed as error:
            where = f"{self.directory / 'checkpoint'} {error.failure.where.removeprefix('checkpoint')}".strip()
            raise CheckFailed(replace(error.failure, where=where)) from error

    def open_own_tree(self, own: Checkpoint) -> Tree:
        """Return the tree of the mirror's own level-0 tiles; one that is missing is taken from the source."""
        leaves, is_whole = bytearray(), True
        for number, width in tile_widths(own.size, 0):
            try:
                leaves += read_hashes(self.own, 0, number, width)
            except SourceUnavailable as error:
                if not error.missing:
                    raise
                is_whole = False
                leaves += read_hashes(self.source, 0, number, width)
            except CheckFailed as error:
                where = str(self.directory / error.failure.where)
                raise CheckFailed(replace(error.failure, where=where)) from error
        tree = Tree(bytes(leaves))
        if (actual := tree.root(own.size)) != own.root:
            signed = Tree()
            with suppress(SourceUnavailable):
                signed = Tree(_hash_bundles(self.own, b"", own.size))
            if is_whole and (failure := _blame_tile(tree, signed, own, f"{self.directory}/")):
                raise CheckFailed(failure)
            where = str(self.directory / "checkpoint")
            raise CheckFailed(Failure(Check.ROOT, "root-mismatch", None, where, own.root.hex(), actual.hex()))
        return tree

    def explain_mismatch(self, tree: Tree, own: Checkpoint | None, head: Checkpoint, tail: bytes) -> Failure:
        """Return what is wrong where the mirror's leaves and the source's level-0 hashes miss the signed root.

        The mirror's own tiles fold to a root that the log signed; `tail` is the source's hashes from the first tile on
        that holds new ones. Only the source's own files can tell a fork from a tile that is damaged.
        """
        try:
            if own and (fork := find_fork(self.source, own, head, [tail])):
                return fork
            signed = Tree(_hash_bundles(self.source, tree.leaves[: own.size * HASH_BYTES] if own else b"", head.size))
        except SourceUnavailable as error:
            self.result.doubts.append(Doubt(Check.AVAILABLE, error.why, where=error.where))
            signed = Tree()
        except CheckFailed as error:
            return error.failure
        if failure := _blame_tile(tree, signed, head, ""):
            return failure
        return Failure(Check.ROOT, "root-mismatch", None, "checkpoint", head.root.hex(), tree.root(head.size).hex())

    def verify_own(self, tree: Tree, before: int, size: int, progress: Callable[[int, int], None]) -> None:
        """Read the mirror's own files again: what was whole when it was written may not be so any more."""
        for number, width in tile_widths(before, 0):
            path = tile_path("entries", number, width)
            with self.noting_faults():
                raw = self.own.read(path, MAX_BUNDLE_BYTES)
                _verify_bundle(raw, str(self.directory / path), number, width, width, tree.tile(0, number, width))
            progress(number * TILE_WIDTH + width, size)
        level = 1  # those of level 0 folded to the root
        while before >> (TILE_HEIGHT * level):
            for number, width in tile_widths(before, level):
                path = tile_path(level, number, width)
                with self.noting_faults():
                    if self.own.read(path, MAX_TILE_BYTES) != tree.tile(level, number, width):
                        raise CheckFailed(Failure(Check.TILE, "wrong-hash", None, str(self.directory / path)))
            level += 1

    @contextmanager
    def noting_faults(self) -> Iterator[None]:
        """Go on after a fault in a file of the mirror; one that is missing is none, for it is fetched again."""
        try:
            yield
        except CheckFailed as error:
            self.result.failures.append(error.failure)
        except SourceUnavailable as error:
            if not error.missing:
                self.result.doubts.append(Doubt(Check.AVAILABLE, error.why, where=str(self.directory / error.where)))

    def copy_bundles(self, tree: Tree, before: int, size: int, progress: Callable[[int, int], None]) -> None:
        for number, width in tile_widths(size, 0):
            expected = tree.tile(0, number, width)
            path = tile_path("entries", number, width)
            if number < before // TILE_WIDTH and (self.directory / path).exists():
                continue
            if not self.has_bundle(path, width, expected):
                self.write(path, self.read_bundle(number, width, expected))
            progress(number * TILE_WIDTH + width, size)

    def has_bundle(self, path: str, width: int, expected: bytes) -> bool:
        """Tell whether an interrupted run has left this bundle, whole."""
        try:
            raws, fault = split_bundle(self.own.read(path, MAX_BUNDLE_BYTES), width)
        except SourceUnavailable:
            return False
        return not fault and leaf_hashes(raws) == expected

    def read_bundle(self, number: int, width: int, expected: bytes) -> bytes:
        """Fetch a bundle and return its bytes if they hash to `expected`."""
        path, raw = read_tile(self.source, "entries", number, width)
        count = TILE_WIDTH if path == tile_path("entries", number, TILE_WIDTH) else width
        raws = _verify_bundle(raw, path, number, width, count, expected)
        # Of a full bundle that stands in for a partial one, only the entries that the checkpoint covers are verified.
        return raw[: sum(2 + len(entry) for entry in raws)]

    def copy_tiles(self, tree: Tree, before: int, size: int) -> None:
        level = 0
        while size >> (TILE_HEIGHT * level):
            done = before >> (TILE_HEIGHT * (level + 1))
            for number, width in tile_widths(size, level):
                path = tile_path(level, number, width)
                if number < done and (self.directory / path).exists():
                    continue
                expected = tree.tile(level, number, width)
                # Those of level 0 folded to the signed root; the others are still to be compared.
                if level and read_hashes(self.source, level, number, width) != expected:
                    raise CheckFailed(Failure(Check.TILE, "wrong-hash", None, path))
                self.write(path, expected)
            level += 1

    def write(self, path: str, raw: bytes) -> None:
        """Write a verified file, unless it is there already."""
        target = self.directory / path
        if target.is_file() and target.read_bytes() == raw:
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, raw)
        target.chmod(0o644)  # a mirror is public
        self.result.files_written += 1


def _verify_bundle(  # noqa: PLR0917 (a bundle, its place, and what it should hash to)
    raw: bytes, where: str, number: int, width: int, count: int, expected: bytes
) -> list[bytes]:
    """Return the first `width` of the `count` entries of a bundle, if they hash to `expected`.

    Raises `CheckFailed`.
    """
    raws, fault = split_bundle(raw, count)
    actual = leaf_hashes(raws[:width])
    for at in range(0, min(len(actual), len(expected)), HASH_BYTES):
        wanted, found = expected[at : at + HASH_BYTES], actual[at : at + HASH_BYTES]
        if wanted != found:
            index = number * TILE_WIDTH + at // HASH_BYTES
            raise CheckFailed(Failure(Check.ENTRY_BYTES, "changed-bytes", index, where, wanted.hex(), found.hex()))
    if fault:
        first = number * TILE_WIDTH + min(len(raws), width - 1)
        raise CheckFailed(Failure(Check.BUNDLE, fault, first, where))
    return raws[:width]


def _hash_bundles(source: Source, leaves: bytes, size: int) -> bytes:
    """Return `leaves` and behind them those of the source's bundles, as far as these can be split."""
    rows = [leaves]
    before = len(leaves) // HASH_BYTES
    for number, width in tile_widths(size, 0, before // TILE_WIDTH):
        path, raw = read_tile(source, "entries", number, width)
        raws, _ = split_bundle(raw, TILE_WIDTH if path == tile_path("entries", number, TILE_WIDTH) else width)
        rows.append(leaf_hashes(raws[max(0, before - number * TILE_WIDTH) : width]))
    return b"".join(rows)


def _blame_tile(tree: Tree, signed: Tree, head: Checkpoint, directory: str) -> Failure | None:
    """Return the first hash in which level-0 tiles (`tree`) differ from entries (`signed`) that fold to the root."""
    if signed.size != head.size or signed.root(head.size) != head.root:
        return None
    index = next(at for at in range(head.size) if tree.leaf(at) != signed.leaf(at))
    number, at = divmod(index, TILE_WIDTH)
    where = f"{directory}{tile_path(0, number, min(TILE_WIDTH, head.size - number * TILE_WIDTH))} hash {at}"
    return Failure(Check.TILE, "wrong-hash", index, where, signed.leaf(index).hex(), tree.leaf(index).hex())
