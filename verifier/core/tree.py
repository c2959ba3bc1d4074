"""The Merkle tree of RFC 9162 §2.1 with SHA-256, checked iteratively, and grown leaf by leaf for a replay.

Pure: no input, no output, no keys. Sizes are counts of leaves, indexes count from zero, ranges are half-open.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from verifier.core.errors import MalformedInput
from verifier.core.jcs import MAX_INTEGER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
"""Root of the tree without leaves."""
TILE_WIDTH = 256
"""Hashes in a full tile, and entries in a full bundle (docs/format.md §11.1)."""
TILE_HEIGHT = 8
"""Levels of the tree that one level of tiles spans."""

_ROOTS_KEPT = 4096
"""Recent answers of `Tree.root` that are kept: statements made together have seen the same checkpoint."""


def leaf_hash(entry: bytes) -> bytes:
    """Return SHA-256(0x00 ‖ entry) (RFC 9162 §2.1.1)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 ‖ left ‖ right) (RFC 9162 §2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


def _refuse_lengths(path: Sequence[bytes], *roots: bytes) -> None:
    if any(len(digest) != HASH_BYTES for digest in (*path, *roots)):
        raise MalformedInput("proof", "malformed", "a hash is not 32 bytes long")


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Check that `leaf` is the leaf hash at `index` of the tree of `size` leaves with this root (RFC 9162 §2.1.3.2).

    Raises `MalformedInput` unless 0 ≤ index < size ≤ 2^53 − 1, all hashes have 32 bytes, the path has exactly the
    length that the sizes ask for, and it leads to `root`.
    """
    if not 0 <= index < size <= MAX_INTEGER:
        raise MalformedInput("inclusion proof", "out-of-range", f"index {index} of size {size}")
    _refuse_lengths(path, leaf, root)
    fn, sn, computed = index, size - 1, leaf
    for sibling in path:
        if sn == 0:
            raise MalformedInput("inclusion proof", "path-length", "longer than the size asks for")
        if fn & 1 or fn == sn:
            computed = node_hash(sibling, computed)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            computed = node_hash(computed, sibling)
        fn >>= 1
        sn >>= 1
    if sn:
        raise MalformedInput("inclusion proof", "path-length", "shorter than the size asks for")
    if computed != root:
        raise MalformedInput("inclusion proof", "root-mismatch", computed.hex())


def verify_inclusions(leaves: Mapping[int, bytes], size: int, hashes: bytes, root: bytes) -> None:
    """Check that leaf hashes, by index, stand in the tree of `size` leaves with this root (docs/bundle.md §2.2).

    `hashes` are those of the subtrees that hold none of them, joined: level by level from the leaves, each ascending.
    Raises `MalformedInput` unless 0 ≤ index < size ≤ 2^53 − 1, there is a leaf, and exactly the hashes that are asked
    for lead to `root`.
    """
    level = sorted(leaves.items())
    if not level or not 0 <= level[0][0] <= level[-1][0] < size <= MAX_INTEGER:
        raise MalformedInput("inclusion proof", "out-of-range", f"of size {size}")
    if len(hashes) % HASH_BYTES:
        raise MalformedInput("inclusion proof", "malformed", "a hash is not 32 bytes long")
    given = (hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES))
    try:
        while size > 1:
            level = _parents(level, size, given)
            size = (size + 1) >> 1
    except StopIteration:
        raise MalformedInput("inclusion proof", "path-length", "fewer hashes than the indexes ask for") from None
    if next(given, None) is not None:
        raise MalformedInput("inclusion proof", "path-length", "more hashes than the indexes ask for")
    if level[0][1] != root:
        raise MalformedInput("inclusion proof", "root-mismatch", level[0][1].hex())


def _parents(level: list[tuple[int, bytes]], width: int, given: Iterator[bytes]) -> list[tuple[int, bytes]]:
    """Return the nodes above some nodes of a level of `width`; raises StopIteration where a sibling is missing."""
    above: list[tuple[int, bytes]] = []
    known = iter(level)
    waiting = next(known, None)
    while waiting is not None:
        position, own = waiting
        waiting = next(known, None)
        if position & 1:
            own = node_hash(next(given), own)
        elif waiting is not None and waiting[0] == position + 1:
            own = node_hash(own, waiting[1])
            waiting = next(known, None)
        elif position + 1 < width:
            own = node_hash(own, next(given))
        above.append((position >> 1, own))  # else the last of an odd level: the RFC's tree has it a level higher
    return above


def verify_consistency(  # noqa: C901, PLR0912 (step by step as the RFC has it)
    size1: int, root1: bytes, size2: int, root2: bytes, path: Sequence[bytes]
) -> None:
    """Check that the tree of `size1` leaves is a prefix of that of `size2` (RFC 9162 §2.1.4.2).

    Raises `MalformedInput` unless 1 ≤ size1 ≤ size2 ≤ 2^53 − 1, all hashes have 32 bytes, the path has exactly the
    length that the sizes ask for (none for equal sizes), and it leads to both roots.
    """
    if not 1 <= size1 <= size2 <= MAX_INTEGER:
        raise MalformedInput("consistency proof", "out-of-range", f"from {size1} to {size2}")
    _refuse_lengths(path, root1, root2)
    if size1 == size2:
        if path or root1 != root2:
            raise MalformedInput("consistency proof", "root-mismatch", "equal sizes have equal roots and no path")
        return
    rest = list(path)
    if size1 & (size1 - 1) == 0:  # a power of two: the old root is itself a node of the new tree
        rest.insert(0, root1)
    fn, sn = size1 - 1, size2 - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    if not rest:
        raise MalformedInput("consistency proof", "path-length", "shorter than the sizes ask for")
    old = new = rest[0]
    for digest in rest[1:]:
        if sn == 0:
            raise MalformedInput("consistency proof", "path-length", "longer than the sizes ask for")
        if fn & 1 or fn == sn:
            old, new = node_hash(digest, old), node_hash(digest, new)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            new = node_hash(new, digest)
        fn >>= 1
        sn >>= 1
    if sn:
        raise MalformedInput("consistency proof", "path-length", "shorter than the sizes ask for")
    if old != root1 or new != root2:
        raise MalformedInput("consistency proof", "root-mismatch", f"{old.hex()} and {new.hex()}")


class Tree:
    """A growing tree that keeps the hash of every complete node: 64 bytes a leaf, and any earlier root in O(log n)."""

    def __init__(self, leaves: bytes = b"") -> None:
        self._levels = [bytearray()]
        self._roots: dict[int, bytes] = {}
        self.extend(leaves)

    @property
    def size(self) -> int:
        """Count of leaves."""
        return len(self._levels[0]) // HASH_BYTES

    @property
    def leaves(self) -> bytes:
        """All leaf hashes, joined."""
        return bytes(self._levels[0])

    def leaf(self, index: int) -> bytes:
        """Return the leaf hash at `index`, 0 ≤ index < size."""
        return bytes(self._levels[0][HASH_BYTES * index : HASH_BYTES * (index + 1)])

    def node(self, level: int, position: int) -> bytes:
        """Return the hash of a complete node: `position` counts those of its level."""
        return bytes(self._levels[level][HASH_BYTES * position : HASH_BYTES * (position + 1)])

    def extend(self, leaves: bytes) -> None:
        """Append leaf hashes, joined, of 32 bytes each."""
        self._levels[0] += leaves
        level = 0
        while len(self._levels[level]) >= 2 * HASH_BYTES:
            if level + 1 == len(self._levels):
                self._levels.append(bytearray())
            below, above = self._levels[level], self._levels[level + 1]
            start, end = 2 * len(above), len(below) // (2 * HASH_BYTES) * 2 * HASH_BYTES
            above += b"".join(
                sha256(b"\x01" + below[at : at + 2 * HASH_BYTES]).digest() for at in range(start, end, 2 * HASH_BYTES)
            )
            level += 1

    def root(self, size: int) -> bytes:
        """Return the root of the first `size` leaves, 0 ≤ size ≤ self.size."""
        if (known := self._roots.get(size)) is not None:
            return known
        root = EMPTY_ROOT if size == 0 else b""
        rest = size
        while rest:  # complete subtrees from the right, the smallest first
            low = rest & -rest
            subtree = self.node(low.bit_length() - 1, rest // low - 1)
            root = node_hash(subtree, root) if root else subtree
            rest -= low
        if len(self._roots) == _ROOTS_KEPT:
            self._roots.clear()
        self._roots[size] = root
        return root

    def tile(self, tile_level: int, number: int, width: int) -> bytes:
        """Return the bytes of a hash tile: `width` node hashes of level 8·tile_level from 256·number on."""
        start = TILE_WIDTH * number
        hashes = self._levels[TILE_HEIGHT * tile_level]
        return bytes(hashes[HASH_BYTES * start : HASH_BYTES * (start + width)])


def tile_widths(size: int, tile_level: int, from_number: int = 0) -> Iterator[tuple[int, int]]:
    """Yield (number, width) of every tile of a level in a tree of `size` leaves, from `from_number` on (§11.1)."""
    full, partial = divmod(size >> (TILE_HEIGHT * tile_level), TILE_WIDTH)
    for number in range(from_number, full):
        yield number, TILE_WIDTH
    if partial:
        yield full, partial


def tile_path(level: int | str, number: int, width: int) -> str:
    """Return the path of a tile (level is a number) or an entry bundle (level is `entries`) (docs/format.md §11.1)."""
    groups = [f"{number % 1000:03d}"]
    while number := number // 1000:
        groups.append(f"x{number % 1000:03d}")
    suffix = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(reversed(groups))}{suffix}"


def inclusion_path(tree: Tree, index: int, size: int) -> list[bytes]:
    """Return the inclusion path of a leaf in the tree of the first `size` (RFC 9162 §2.1.3.1), 0 ≤ index < size."""
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:  # from the root down
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_hash(tree, middle, end))
            end = middle
        else:
            path.append(_range_hash(tree, start, middle))
            start = middle
    return path[::-1]


def consistency_path(tree: Tree, old: int, new: int) -> list[bytes]:
    """Return the consistency path between two sizes (RFC 9162 §2.1.4.1), 1 ≤ old ≤ new ≤ the tree's size."""
    path: list[bytes] = []
    start, end, is_whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range_hash(tree, middle, end))
            end = middle
        else:
            path.append(_range_hash(tree, start, middle))
            start, is_whole = middle, False
    if not is_whole:  # else the verifier has this node: it is the old root
        path.append(_range_hash(tree, start, end))
    return path[::-1]


def _split(count: int) -> int:
    """Return the largest power of two below a count of at least 2."""
    return 1 << ((count - 1).bit_length() - 1)


def _range_hash(tree: Tree, start: int, end: int) -> bytes:
    """Return the hash over leaves [start, end), a range that the tree's own recursion reaches."""
    count = end - start
    if count & (count - 1) == 0:
        return tree.node(count.bit_length() - 1, start // count)
    middle = start + _split(count)
    return node_hash(_range_hash(tree, start, middle), _range_hash(tree, middle, end))
