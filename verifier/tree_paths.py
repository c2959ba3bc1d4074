"""Paths out of a tree that is at hand: what a program that replays or mirrors a log needs to convict it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.tree import node_hash

if TYPE_CHECKING:
    from verifier.tree import Tree


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
