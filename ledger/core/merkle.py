"""Roots and proofs over stored perfect subtrees, recursive as in RFC 9162 §2.1 (docs/format.md §2).

A `Node` names the root of a perfect subtree: level 0 are leaf hashes, node (l, p) covers leaves [p·2^l, (p + 1)·2^l). A
proof is made in two steps, so that the middle one may be I/O: ask which nodes it needs, fetch them, put it together.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ledger.core.encoding import MAX_INTEGER
from ledger.core.errors import ProofError
from ledger.core.hashing import EMPTY_ROOT, HASH_BYTES, node_hash


class Node(NamedTuple):
    """The root of the perfect subtree over leaves [position·2^level, (position + 1)·2^level)."""

    level: int
    position: int


class Range(NamedTuple):
    """Leaves [start, end), a subtree of RFC 9162's recursion."""

    start: int
    end: int


def split(count: int) -> int:
    """Return the largest power of two below `count` (≥ 2). Spec: RFC 9162 §2.1.1."""
    return 1 << ((count - 1).bit_length() - 1)


def perfect_nodes(start: int, end: int) -> list[Node]:
    """Return the perfect subtrees that make up [start, end), left to right; at most log2(end − start) + 1."""
    nodes = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append(Node(level, start >> level))
        start += 1 << level
    return nodes


def range_hash(start: int, end: int, hashes: Mapping[Node, bytes]) -> bytes:
    """Return the hash of the subtree over [start, end), EMPTY_ROOT if empty; KeyError if a node is missing."""
    if start == end:
        return EMPTY_ROOT
    *left, last = (hashes[node] for node in perfect_nodes(start, end))
    for sibling in reversed(left):
        last = node_hash(sibling, last)
    return last


def grow(hashes: dict[Node, bytes], size: int, leaves: Iterable[bytes]) -> int:
    """Append `leaves` to a tree of `size`, adding every node that becomes perfect to `hashes`; return the new size.

    `hashes` must hold the perfect nodes of [0, size): they are the only older nodes that new ones are made of.
    """
    for leaf in leaves:
        level, index, value = 0, size, leaf
        hashes[Node(0, index)] = value
        while index & 1:
            value = node_hash(hashes[Node(level, index - 1)], value)
            level, index = level + 1, index >> 1
            hashes[Node(level, index)] = value
        size += 1
    return size


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """Return the subtrees whose hashes are the inclusion path of leaf `index`, lowest first. Requires 0 ≤ index < size.

    Spec: RFC 9162 §2.1.3.1.
    """
    if not 0 <= index < size:
        raise ProofError(f"index {index} is outside a tree of size {size}")

    def path(start: int, end: int) -> list[Range]:
        if end - start == 1:
            return []
        middle = start + split(end - start)
        if index < middle:
            return [*path(start, middle), Range(middle, end)]
        return [*path(middle, end), Range(start, middle)]

    return path(0, size)


def inclusion_paths(first: int, size: int, hashes: Mapping[Node, bytes]) -> list[list[bytes]]:
    """Return the inclusion paths of leaves [first, size) in one walk down the tree, about two steps a leaf.

    `hashes` must hold the perfect nodes of [0, first) and all nodes made since: what a batch has at hand.
    """
    paths: list[list[bytes]] = []

    def descend(start: int, end: int, above: list[bytes]) -> None:
        if end - start == 1:
            paths.append(above)
            return
        middle = start + split(end - start)
        if first < middle:
            descend(start, middle, [range_hash(middle, end, hashes), *above])
        descend(middle, end, [range_hash(start, middle, hashes), *above])

    descend(0, size, [])
    return paths


def shared_ranges(indexes: Sequence[int], size: int) -> list[Range]:
    """Return the subtrees whose hashes prove several leaves together: those that hold none of them, whose sibling does.

    `indexes` ascend, at least one. The order is docs/bundle.md §2.2's: level by level from the leaves, each ascending.
    """
    if not indexes or not 0 <= indexes[0] <= indexes[-1] < size:
        raise ProofError(f"the indexes are not all inside a tree of size {size}")
    found: list[tuple[int, Range]] = []

    def descend(start: int, end: int, low: int, high: int) -> None:
        if end - start == 1:
            return
        below = split(end - start)
        middle = start + below
        cut = bisect_left(indexes, middle, low, high)
        for half, first, last in ((Range(start, middle), low, cut), (Range(middle, end), cut, high)):
            if first == last:
                found.append((below, half))
            else:
                descend(*half, first, last)

    descend(0, size, 0, len(indexes))
    return [half for _, half in sorted(found)]


def consistency_ranges(old_size: int, new_size: int) -> list[Range]:
    """Return the subtrees whose hashes are the consistency path between two sizes. Requires 1 ≤ old_size ≤ new_size.

    Spec: RFC 9162 §2.1.4.1.
    """
    if not 1 <= old_size <= new_size:
        raise ProofError(f"no consistency path from size {old_size} to size {new_size}")

    def subproof(start: int, end: int, *, whole: bool) -> list[Range]:
        if old_size == end:
            return [] if whole else [Range(start, end)]
        middle = start + split(end - start)
        if old_size <= middle:
            return [*subproof(start, middle, whole=whole), Range(middle, end)]
        return [*subproof(middle, end, whole=False), Range(start, middle)]

    return subproof(0, new_size, whole=True)


def nodes_of(ranges: Iterable[Range]) -> set[Node]:
    """Return the stored nodes that `range_hash` needs for `ranges`."""
    return {node for span in ranges for node in perfect_nodes(span.start, span.end)}


def prove(ranges: Iterable[Range], hashes: Mapping[Node, bytes]) -> list[bytes]:
    """Return the path: the hash of each range, from nodes already fetched."""
    return [range_hash(span.start, span.end, hashes) for span in ranges]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Raise ProofError unless `leaf` is at `index` of the tree of `size` with `root`. Spec: RFC 9162 §2.1.3.2."""
    if not 0 <= index < size <= MAX_INTEGER:
        raise ProofError(f"index {index} is outside a tree of size {size}")
    _check_hashes([leaf, root, *path])
    remaining = list(path)

    def climb(start: int, end: int) -> bytes:
        if end - start == 1:
            return leaf
        middle = start + split(end - start)
        if index < middle:
            below = climb(start, middle)
            return node_hash(below, _take(remaining))
        below = climb(middle, end)
        return node_hash(_take(remaining), below)

    computed = climb(0, size)
    if remaining:
        raise ProofError("the path has too many hashes")
    if computed != root:
        raise ProofError(f"the path of index {index} does not lead to the root of size {size}")


def verify_inclusions(leaves: Mapping[int, bytes], size: int, path: Sequence[bytes], root: bytes) -> None:
    """Raise ProofError unless `leaves`, by ascending index, are in the tree of `size` with `root`.

    `path` has the hashes of `shared_ranges`. Spec: docs/bundle.md §2.2.
    """
    _check_hashes([*leaves.values(), root, *path])
    indexes = list(leaves)
    ranges = shared_ranges(indexes, size)
    if len(ranges) != len(path):
        raise ProofError(f"{len(path)} hashes where {len(ranges)} prove these leaves together")
    known = dict(zip(ranges, path, strict=True))

    def climb(start: int, end: int) -> bytes:
        if (given := known.get(Range(start, end))) is not None:
            return given
        if end - start == 1:
            return leaves[start]
        middle = start + split(end - start)
        return node_hash(climb(start, middle), climb(middle, end))

    if climb(0, size) != root:
        raise ProofError(f"the hashes do not lead from these leaves to the root of size {size}")


def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: Sequence[bytes]) -> None:
    """Raise ProofError unless the tree of `old_size` is a prefix of that of `new_size`. Spec: RFC 9162 §2.1.4.2."""
    _check_hashes([new_root])
    if consistency_roots(old_size, new_size, path, old_root) != (old_root, new_root):
        raise ProofError(f"the tree of size {new_size} does not extend that of size {old_size}")


def consistency_roots(old_size: int, new_size: int, path: Sequence[bytes], old_root: bytes) -> tuple[bytes, bytes]:
    """Return the roots at both sizes to which a consistency path leads; raise ProofError for a malformed one.

    `old_root` is part of the path where `old_size` is a power of two, and only there.
    """
    if not 1 <= old_size <= new_size <= MAX_INTEGER:
        raise ProofError(f"no consistency from size {old_size} to size {new_size}")
    _check_hashes([old_root, *path])
    remaining = list(path)

    def climb(start: int, end: int, *, whole: bool) -> tuple[bytes, bytes]:
        """Return the hashes of [start, min(end, old_size)) and of [start, end)."""
        if old_size == end:
            value = old_root if whole else _take(remaining)
            return value, value
        middle = start + split(end - start)
        if old_size <= middle:
            old, new = climb(start, middle, whole=whole)
            return old, node_hash(new, _take(remaining))
        old, new = climb(middle, end, whole=False)
        left = _take(remaining)
        return node_hash(left, old), node_hash(left, new)

    roots = climb(0, new_size, whole=True)
    if remaining:
        raise ProofError("the path has too many hashes")
    return roots


def _take(remaining: list[bytes]) -> bytes:
    if not remaining:
        raise ProofError("the path has too few hashes")
    return remaining.pop(0)


def _check_hashes(hashes: Iterable[bytes]) -> None:
    if any(len(value) != HASH_BYTES for value in hashes):
        raise ProofError(f"a hash has {HASH_BYTES} bytes")
