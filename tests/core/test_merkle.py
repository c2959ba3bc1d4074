"""Every proof at every size to 300, against the definition, and with every one of its hashes spoiled in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from random import Random

import pytest

from ledger.core.encoding import MAX_INTEGER
from ledger.core.errors import ProofError
from ledger.core.hashing import EMPTY_ROOT, leaf_hash
from ledger.core.merkle import (
    Node,
    consistency_ranges,
    grow,
    inclusion_ranges,
    nodes_of,
    perfect_nodes,
    prove,
    range_hash,
    shared_ranges,
    verify_consistency,
    verify_inclusion,
    verify_inclusions,
)
from tests.harness.reference import ReferenceTree, entry_leaf

MOST = 300
LEAVES = [entry_leaf(b"%d" % index) for index in range(MOST)]
REFERENCE = ReferenceTree(LEAVES)
ROOTS = [REFERENCE.root(size) for size in range(MOST + 1)]
NODES: dict[Node, bytes] = {}
grow(NODES, 0, LEAVES)
SLICES = [range(start, MOST + 1, 10) for start in range(1, 11)]
"""All sizes, in ten tests."""


def refused(verify: Callable[[], None]) -> bool:
    try:
        verify()
    except ProofError:
        return True
    return False


def spoiled(path: Sequence[bytes], salt: int) -> list[list[bytes]]:
    """Return the path with one bit of one hash flipped, of each hash in turn."""
    paths = []
    for at, value in enumerate(path):
        bit = (salt * 37 + at * 101) % 256
        flipped = (int.from_bytes(value, "big") ^ 1 << bit).to_bytes(32, "big")
        paths.append([*path[:at], flipped, *path[at + 1 :]])
    return paths


def misshapen(path: list[bytes]) -> list[list[bytes]]:
    """Return the path with a hash too many, too few, cut short, or in another order."""
    others = [[*path, bytes(32)], [bytes(32), *path]]
    if path:
        others += [path[:-1], path[1:], [*path[:-1], path[-1][:-1]], [path[0] + b"\0", *path[1:]], [*path, path[-1]]]
    others += [[*path[:at], path[at + 1], path[at], *path[at + 2 :]] for at in range(len(path) - 1)]
    return others


def test_hashes() -> None:
    assert leaf_hash(b"0") == LEAVES[0]
    assert range_hash(0, 0, {}) == EMPTY_ROOT == ROOTS[0]


@pytest.mark.parametrize("sizes", SLICES, ids=str)
def test_roots_and_stored_nodes(sizes: range) -> None:
    """The root comes from the perfect subtrees alone, however the tree grew."""
    for size in sizes:
        assert range_hash(0, size, {node: NODES[node] for node in perfect_nodes(0, size)}) == ROOTS[size]
        grown = {node: NODES[node] for node in perfect_nodes(0, size)}
        assert grow(grown, size, LEAVES[size:]) == MOST
        assert all(NODES[node] == value for node, value in grown.items())
        assert range_hash(0, MOST, grown) == ROOTS[MOST]


@pytest.mark.parametrize("sizes", SLICES, ids=str)
def test_inclusion(sizes: range) -> None:
    for size in sizes:
        for index in range(size):
            ranges = inclusion_ranges(index, size)
            path = prove(ranges, {node: NODES[node] for node in nodes_of(ranges)})
            assert path == REFERENCE.inclusion(index, size)
            verify_inclusion(LEAVES[index], index, size, path, ROOTS[size])
            for wrong in spoiled(path, index):
                assert refused(partial(verify_inclusion, LEAVES[index], index, size, wrong, ROOTS[size]))


@pytest.mark.parametrize("sizes", SLICES, ids=str)
def test_consistency(sizes: range) -> None:
    for new in sizes:
        for old in range(1, new + 1):
            ranges = consistency_ranges(old, new)
            path = prove(ranges, {node: NODES[node] for node in nodes_of(ranges)})
            assert path == REFERENCE.consistency(old, new)
            verify_consistency(old, ROOTS[old], new, ROOTS[new], path)
            for wrong in spoiled(path, old):
                assert refused(partial(verify_consistency, old, ROOTS[old], new, ROOTS[new], wrong))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 100, 255, 256, 257, 300])
def test_inclusion_of_anything_else(size: int) -> None:
    """Another leaf, root, index, size or shape of the path is refused."""
    for index in range(size):
        path, root = REFERENCE.inclusion(index, size), ROOTS[size]
        for wrong in misshapen(path):
            assert refused(partial(verify_inclusion, LEAVES[index], index, size, wrong, root))
        assert refused(partial(verify_inclusion, LEAVES[index - 1], index, size, path, root))
        assert refused(partial(verify_inclusion, LEAVES[index], index, size, path, ROOTS[size - 1]))
        for other in {index + 1, index - 1, size, size + 1, -1, index ^ 1} - {index}:
            assert refused(partial(verify_inclusion, LEAVES[index], other, size, path, root))
        assert refused(partial(verify_inclusion, LEAVES[index], index, 0, path, root))
        assert refused(partial(verify_inclusion, LEAVES[index][:-1], index, size, path, root))


@pytest.mark.parametrize("new", [1, 2, 3, 4, 5, 7, 8, 9, 32, 33, 100, 256, 257, 300])
def test_consistency_of_anything_else(new: int) -> None:
    """Another root or shape of the path, and sizes that are swapped or zero, are refused."""
    for old in range(1, new + 1):
        path, roots = REFERENCE.consistency(old, new), (ROOTS[old], ROOTS[new])
        for wrong in misshapen(path):
            assert refused(partial(verify_consistency, old, roots[0], new, roots[1], wrong))
        assert refused(partial(verify_consistency, old, ROOTS[old - 1], new, roots[1], path))
        assert refused(partial(verify_consistency, old, roots[0], new, ROOTS[new - 1], path))
        assert refused(partial(verify_consistency, new, roots[1], old, roots[0], path)) is (old != new)
        assert refused(partial(verify_consistency, 0, roots[0], new, roots[1], path))
        assert refused(partial(verify_consistency, -1, roots[0], new, roots[1], path))


def test_the_largest_tree() -> None:
    """Sizes up to 2^53 − 1 are proved without recursion troubles; one more is refused."""
    leaf, size = LEAVES[0], MAX_INTEGER
    path = [leaf] * len(inclusion_ranges(0, size))
    assert len(path) == 53
    assert refused(partial(verify_inclusion, leaf, 0, size, path, leaf))
    assert refused(partial(verify_inclusion, leaf, 0, size + 1, [leaf] * 53, leaf))
    assert refused(partial(verify_consistency, 1, leaf, size + 1, leaf, []))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 5), (5, 5)])
def test_no_inclusion_path_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(ProofError):
        inclusion_ranges(index, size)


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 5), (6, 5), (-1, 5)])
def test_no_consistency_path_to_a_smaller_tree(old: int, new: int) -> None:
    with pytest.raises(ProofError):
        consistency_ranges(old, new)


def chosen() -> list[tuple[list[int], int]]:
    """Return every choice of leaves of every tree to size 8, and some of larger ones, with the size."""
    small = [
        ([at for at in range(size) if choice >> at & 1], size) for size in range(1, 9) for choice in range(1, 1 << size)
    ]
    pick = Random(0)
    sizes = [pick.randint(9, MOST) for _ in range(60)]
    return small + [(sorted(pick.sample(range(size), pick.randint(1, size))), size) for size in sizes]


def test_leaves_are_proved_together() -> None:
    for indexes, size in chosen():
        path = prove(spans := shared_ranges(indexes, size), {node: NODES[node] for node in nodes_of(spans)})
        assert path == REFERENCE.shared(indexes, size)
        leaves = {index: LEAVES[index] for index in indexes}
        verify_inclusions(leaves, size, path, ROOTS[size])
        for wrong in [*spoiled(path, size), [*path, bytes(32)], path[1:] if path else [bytes(32)]]:
            assert refused(partial(verify_inclusions, leaves, size, wrong, ROOTS[size]))
        assert refused(partial(verify_inclusions, leaves | {indexes[0]: bytes(32)}, size, path, ROOTS[size]))
        assert refused(partial(verify_inclusions, leaves | {size: bytes(32)}, size, path, ROOTS[size]))
    assert refused(partial(verify_inclusions, {}, 5, [ROOTS[5]], ROOTS[5]))
    assert refused(partial(verify_inclusions, {0: LEAVES[0]}, MAX_INTEGER + 1, [bytes(32)] * 53, ROOTS[5]))
