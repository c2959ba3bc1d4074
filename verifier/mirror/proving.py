"""Entries and proofs out of a mirror on disk: everything that a ledger proves, without the ledger (format.md §20.3).

Only what is below the mirror's checkpoint is given. The files were verified when they were written; whoever gets a
proof verifies it again.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from verifier.core.errors import SourceUnavailable
from verifier.core.tree import HASH_BYTES, TILE_HEIGHT, TILE_WIDTH, node_hash, tile_path
from verifier.schema.entries import split_bundle
from verifier.sources.source import MAX_BUNDLE_BYTES, MAX_TILE_BYTES, DirectorySource, read_tile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PATH = re.compile(r"tile/(0|[1-9][0-9]?|entries)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)
_MAX_LEVEL = 63
_MAX_DIGITS = 15
_TILES_KEPT = 512
"""Full hash tiles, 8 KiB each."""


class Address(NamedTuple):
    """A tile's place: `level` is a number, or `entries`."""

    level: int | str
    number: int
    width: int


def parse_tile_path(path: str) -> Address | None:
    """Return the address that a path spells, None unless it is the one spelling of one (docs/format.md §11.1)."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    digits = match[2].replace("/", "").replace("x", "")
    width = TILE_WIDTH if match[3] is None else int(match[3])
    level = match[1] if match[1] == "entries" else int(match[1])
    if len(digits) > _MAX_DIGITS or (level != "entries" and int(level) > _MAX_LEVEL):
        return None
    address = Address(level, int(digits), width)
    return address if (match[3] is None or width < TILE_WIDTH) and tile_path(*address) == path else None


class MirrorFiles:
    """The files of a mirror in `directory`, whose tiles and bundles are those of a tree of `size`."""

    def __init__(self, directory: Path, size: int) -> None:
        self.size = size
        """May grow as the mirror does."""
        self._source = DirectorySource(directory)
        self._kept: OrderedDict[tuple[int, int], bytes] = OrderedDict()

    def file(self, path: str) -> bytes | None:
        """Return the bytes of a tile or bundle; None where the tree has no such tile.

        A partial one that was never written is cut from what is there. Raises `SourceUnavailable` for a file that is
        missing all the same.
        """
        address = parse_tile_path(path)
        if address is None:
            return None
        level, number, width = address
        there = (self.size >> (TILE_HEIGHT * level if isinstance(level, int) else 0)) - number * TILE_WIDTH
        if there < width:
            return None
        if isinstance(level, int):
            return self._tile(level, number, min(there, TILE_WIDTH))[: width * HASH_BYTES]
        raws = self._bundle(number, min(there, TILE_WIDTH), width)
        return b"".join(len(raw).to_bytes(2, "big") + raw for raw in raws)

    def entry(self, index: int) -> bytes:
        """Return the bytes of an entry, 0 ≤ index < self.size.

        Raises `SourceUnavailable`.
        """
        number, at = divmod(index, TILE_WIDTH)
        return self._bundle(number, min(TILE_WIDTH, self.size - number * TILE_WIDTH), at + 1)[at]

    def inclusion_path(self, index: int, size: int) -> list[bytes]:
        """Return the inclusion path of an entry in the tree of `size`, index < size ≤ self.size (RFC 9162 §2.1.3)."""
        return list(self._climb(index, size - 1, 0, size))

    def consistency_path(self, old: int, new: int) -> list[bytes]:
        """Return the consistency path between two sizes, 1 ≤ old ≤ new ≤ self.size (RFC 9162 §2.1.4)."""
        if old == new:
            return []
        fn, sn, level = old - 1, new - 1, 0
        while fn & 1:
            fn, sn, level = fn >> 1, sn >> 1, level + 1
        # At fn = 0 the old tree is one complete node, which whoever verifies has: it is the old root.
        return ([self._node(level, fn)] if fn else []) + list(self._climb(fn, sn, level, new))

    def _climb(self, fn: int, sn: int, level: int, size: int) -> Iterator[bytes]:
        """Yield the siblings on the way up from node `fn` of a level whose last node is `sn`."""
        while sn:
            if fn & 1:
                yield self._node(level, fn - 1)
            elif fn < sn:
                yield self._range(fn + 1 << level, min(size, fn + 2 << level))
            fn, sn, level = fn >> 1, sn >> 1, level + 1

    def _range(self, start: int, end: int) -> bytes:
        """Return the root over [start, end), a subtree that may lack leaves at its right."""
        root, rest = b"", end - start
        while rest:  # complete subtrees from the right, the smallest first
            low = rest & -rest
            subtree = self._node(low.bit_length() - 1, (start + rest) // low - 1)
            root = node_hash(subtree, root) if root else subtree
            rest -= low
        return root

    def _node(self, level: int, position: int) -> bytes:
        """Return the hash of a complete node: at most 127 hashes above a tile's own."""
        tile_level, height = divmod(level, TILE_HEIGHT)
        number, at = divmod(position << height, TILE_WIDTH)
        width = min(TILE_WIDTH, (self.size >> (TILE_HEIGHT * tile_level)) - number * TILE_WIDTH)
        tile = self._tile(tile_level, number, width)
        row = [
            tile[start : start + HASH_BYTES] for start in range(at * HASH_BYTES, (at + (1 << height)) * HASH_BYTES, 32)
        ]
        while len(row) > 1:
            row = [node_hash(row[left], row[left + 1]) for left in range(0, len(row), 2)]
        return row[0]

    def _tile(self, level: int, number: int, width: int) -> bytes:
        if (kept := self._kept.get((level, number))) is not None:
            return kept
        path, hashes = read_tile(self._source, level, number, width)
        if len(hashes) < width * HASH_BYTES or len(hashes) > MAX_TILE_BYTES:
            raise SourceUnavailable(path, "the file is cut short")
        if len(hashes) == MAX_TILE_BYTES:
            self._kept[level, number] = hashes
            if len(self._kept) > _TILES_KEPT:
                self._kept.popitem(last=False)
        return hashes

    def _bundle(self, number: int, width: int, count: int) -> list[bytes]:
        path, raw = read_tile(self._source, "entries", number, width)
        raws, _ = split_bundle(raw[:MAX_BUNDLE_BYTES], count)
        if len(raws) < count:
            raise SourceUnavailable(path, "the file is cut short")
        return raws
