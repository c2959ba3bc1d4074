"""What only the end of a replay can tell: the root, the hash tiles, the clocks, and whose log entry 0 made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from verifier.core.checks import Check, Doubt
from verifier.core.errors import CheckFailed, SourceUnavailable
from verifier.core.moments import MAX_CLOCK_DIFFERENCE_S
from verifier.core.notes import parse_note
from verifier.core.policy import is_signed_by
from verifier.core.tree import HASH_BYTES, TILE_HEIGHT, TILE_WIDTH, Tree, tile_path, tile_widths
from verifier.rules.registry import ROTATION
from verifier.sources.remembered import find_fork
from verifier.sources.source import open_source, read_tile

if TYPE_CHECKING:
    from verifier.core.notes import Checkpoint
    from verifier.core.policy import OpenedCheckpoint
    from verifier.replay.result import Replay


class Ending:
    """The checks of a log of which every entry was hashed; what they find goes into `result`."""

    def __init__(self, result: Replay, tiles: dict[int, tuple[str, bytes]], overlap: bytes, last_time_ms: int) -> None:
        self.result = result
        self.tiles = tiles
        """Level-0 tiles that differ from the entries' leaf hashes, and their paths, by number."""
        self.overlap = overlap
        """Leaf hashes, in the first bundle, of entries that were judged before: as the source has them now."""
        self.last_time_ms = last_time_ms

    def verify(self, opened: OpenedCheckpoint) -> None:
        """Check everything."""
        self.verify_root(opened)
        self.verify_tiles(opened.checkpoint.size)
        self.verify_times(opened)
        self.verify_identity()

    def verify_root(self, opened: OpenedCheckpoint) -> None:
        """Compare the root; where it differs, let the level-0 tiles say which entries were changed."""
        result, head = self.result, opened.checkpoint
        actual = result.tree.root(head.size)
        if actual == head.root:
            return
        signed = Tree(self.tile_leaves(bytearray(result.tree.leaves), result.resumed_size))
        if signed.root(head.size) != head.root:
            if not (result.resumed_size and self.verify_prefix(head)):
                result.fail(Check.ROOT, "root-mismatch", None, "checkpoint", head.root.hex(), actual.hex())
            return
        for index in range(head.size):  # the tiles fold to the signed root: it is the entries that are not the log's
            if signed.leaf(index) != result.tree.leaf(index):
                expected, found = signed.leaf(index).hex(), result.tree.leaf(index).hex()
                number = index // TILE_WIDTH
                where = tile_path("entries", number, min(TILE_WIDTH, head.size - number * TILE_WIDTH))
                result.fail(Check.ENTRY_BYTES, "changed-bytes", index, where, expected, found)
        result.fail(Check.ROOT, "root-mismatch", None, "checkpoint", head.root.hex(), actual.hex())
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
        result = self.result
        before = result.remembered_head()
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
        result, tree = self.result, self.result.tree
        for number, (path, hashes) in self.tiles.items():
            width = min(TILE_WIDTH, size - number * TILE_WIDTH)
            self.verify_tile(path, hashes, tree.tile(0, number, width), number * TILE_WIDTH)
        source = open_source(result.location)
        try:
            level = 1
            while size >> (TILE_HEIGHT * level):
                done = result.resumed_size >> (TILE_HEIGHT * (level + 1))
                for number, width in tile_widths(size, level, done):
                    try:
                        path, hashes = read_tile(source, level, number, width)
                    except SourceUnavailable as error:
                        result.doubts.append(Doubt(Check.AVAILABLE, error.why, where=error.where))
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
            self.result.fail(Check.TILE, "wrong-length", None, path, f"{len(expected)} bytes", f"{len(hashes)} bytes")
            return
        for at in range(0, len(expected), HASH_BYTES):
            if hashes[at : at + HASH_BYTES] != expected[at : at + HASH_BYTES]:
                index = None if start is None else start + at // HASH_BYTES
                wanted, found = expected[at : at + HASH_BYTES].hex(), hashes[at : at + HASH_BYTES].hex()
                self.result.fail(Check.TILE, "wrong-hash", index, f"{path} hash {at // HASH_BYTES}", wanted, found)

    def verify_times(self, opened: OpenedCheckpoint) -> None:
        """Compare the witnesses' clocks with the newest entry (§10.6)."""
        earliest_unix_s = -(-self.last_time_ms // 1000) - MAX_CLOCK_DIFFERENCE_S
        for name, time_unix_s in opened.cosigned_unix_s.items():
            if time_unix_s < earliest_unix_s:
                self.result.fail(Check.COSIGNATURE_TIME, "older-than-entry", None, name, f"≥ {earliest_unix_s}",
                          str(time_unix_s))  # fmt: skip

    def verify_identity(self) -> None:
        """Compare the ledger with the policy: a statement under the policy's log must be made for that log.

        One of the policy's keys that signed must be in force at this size, and all that are in force must have signed.
        """
        result, registry, log = self.result, self.result.registry, self.result.log
        if registry.ledger is None:
            return
        if registry.origin != log.name:
            result.fail(Check.IDENTITY, "wrong-origin", 0, "/origin", log.name, registry.origin)
        opened = result.opened
        if opened is None:
            return
        if not set(opened.log_vkeys) & set(registry.log_vkeys):
            if result.is_complete or registry.rules < ROTATION:
                wanted, found = " ".join(opened.log_vkeys), " ".join(registry.log_vkeys)
                result.fail(Check.IDENTITY, "wrong-log-key", 0, "/log_keys", wanted, found)
            else:  # an entry that could not be judged may have brought it
                result.doubts.append(Doubt(Check.IDENTITY, "log-key-unknown", where=" ".join(opened.log_vkeys)))
        if result.is_complete and registry.rules >= ROTATION:
            note = parse_note(opened.raw)
            for vkey in registry.log_vkeys:
                if not is_signed_by(note, vkey):  # whoever passed it on may have left the line out: nobody is accused
                    result.doubts.append(Doubt(Check.IDENTITY, "log-signature-missing", where=vkey))
