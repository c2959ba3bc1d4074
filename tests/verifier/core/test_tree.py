"""The verifier's Merkle code against other implementations' vectors and the recursive definition."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.harness.reference import ReferenceTree
from tests.verifier.builder import root_of
from verifier.core.errors import MalformedInput
from verifier.core.tree import (
    Tree,
    leaf_hash,
    tile_path,
    tile_widths,
    verify_consistency,
    verify_inclusion,
    verify_inclusions,
)

VECTORS = Path(__file__).parents[2] / "vectors"
LEAVES = [leaf_hash(b"entry-%d" % number) for number in range(64)]


def _load(name: str) -> Any:
    return json.loads((VECTORS / name).read_bytes())


def _inclusion(index: int, hashes: list[bytes]) -> list[bytes]:
    """RFC 9162 §2.1.3.1, as written there."""
    if len(hashes) == 1:
        return []
    split = 1 << (len(hashes) - 1).bit_length() - 1
    if index < split:
        return [*_inclusion(index, hashes[:split]), root_of(hashes[split:])]
    return [*_inclusion(index - split, hashes[split:]), root_of(hashes[:split])]


def _consistency(size: int, hashes: list[bytes], is_whole: bool = True) -> list[bytes]:
    """RFC 9162 §2.1.4.1, as written there."""
    if size == len(hashes):
        return [] if is_whole else [root_of(hashes)]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    if size <= split:
        return [*_consistency(size, hashes[:split], is_whole), root_of(hashes[split:])]
    return [*_consistency(size - split, hashes[split:], is_whole=False), root_of(hashes[:split])]


def _flips(path: list[bytes]) -> list[list[bytes]]:
    """Every path with one bit of one hash flipped, one hash dropped, or one added."""
    flipped = [[*path[:at], bytes([path[at][0] ^ 1]) + path[at][1:], *path[at + 1 :]] for at in range(len(path))]
    return [*flipped, *(path[:at] + path[at + 1 :] for at in range(len(path))), [*path, bytes(32)]]


def test_roots_proofs_and_tiles_are_those_of_go_sumdb() -> None:
    """A tree that another implementation computed comes out the same, to the last tile."""
    vectors = _load("merkle-go-sumdb.json")
    tree = Tree(b"".join(leaf_hash(b"entry-%d" % number) for number in range(66_000)))
    assert {size: tree.root(int(size)).hex() for size in vectors["roots"]} == vectors["roots"]
    for case in vectors["inclusion"]:
        path = [bytes.fromhex(digest) for digest in case["Path"]]
        verify_inclusion(tree.leaf(case["Index"]), case["Index"], case["Size"], path, tree.root(case["Size"]))
    for case in vectors["consistency"]:
        path = [bytes.fromhex(digest) for digest in case["Path"]]
        verify_consistency(case["From"], tree.root(case["From"]), case["To"], tree.root(case["To"]), path)
    tiles = {
        tile_path(level, number, width): hashlib.sha256(tree.tile(level, number, width)).hexdigest()
        for level in range(3)
        for number, widest in tile_widths(66_000, level)
        for width in ([widest] if widest == 256 else range(1, widest + 1))
    }
    expected = {tile["Path"]: tile["SHA256"] for tile in vectors["tiles"]}
    assert {path: tiles.get(path) for path in expected} == expected
    assert set(expected) >= {tile_path(level, *tile) for level in range(3) for tile in tile_widths(66_000, level)}


def _digests(case: dict[str, Any], *names: str) -> list[bytes]:
    return [base64.b64decode(case[name]) for name in names]


@pytest.mark.parametrize("case", _load("merkle-probes.json")["inclusion"], ids=lambda case: str(case["case"]))
def test_inclusion_probe(case: dict[str, Any]) -> None:
    """Mutated inclusion proofs are refused, happy ones are not."""
    path = [base64.b64decode(digest) for digest in case["proof"] or []]
    leaf, root = _digests(case, "leafHash", "root")
    try:
        verify_inclusion(leaf, case["leafIdx"], case["treeSize"], path, root)
        is_refused = False
    except MalformedInput:
        is_refused = True
    assert is_refused == case["wantErr"]


@pytest.mark.parametrize("case", _load("merkle-probes.json")["consistency"], ids=lambda case: str(case["case"]))
def test_consistency_probe(case: dict[str, Any]) -> None:
    """Mutated consistency proofs are refused, happy ones are not."""
    path = [base64.b64decode(digest) for digest in case["proof"] or []]
    root1, root2 = _digests(case, "root1", "root2")
    try:
        verify_consistency(case["size1"], root1, case["size2"], root2, path)
        is_refused = False
    except MalformedInput:
        is_refused = True
    has_short_hash = len(root1) != 32 or len(root2) != 32  # one probe calls two such roots equal: ours have 32 bytes
    assert is_refused == (case["wantErr"] or has_short_hash)


def test_every_inclusion_proof_up_to_64_and_no_other() -> None:
    """Every proof at every size holds; with any hash changed, dropped or added, or for another index, it does not."""
    for size in range(1, 65):
        root = root_of(LEAVES[:size])
        for index in range(size):
            path = _inclusion(index, LEAVES[:size])
            verify_inclusion(LEAVES[index], index, size, path, root)
            for wrong in _flips(path):
                with pytest.raises(MalformedInput):
                    verify_inclusion(LEAVES[index], index, size, wrong, root)
            with pytest.raises(MalformedInput):
                verify_inclusion(LEAVES[index], index ^ 1, size, path, root)


def test_every_consistency_proof_up_to_64_and_no_other() -> None:
    """Every pair of sizes holds with its path, and with no changed one; equal sizes have equal roots."""
    roots = [root_of(LEAVES[:size]) for size in range(65)]
    for size2 in range(1, 65):
        for size1 in range(1, size2 + 1):
            path = _consistency(size1, LEAVES[:size2])
            verify_consistency(size1, roots[size1], size2, roots[size2], path)
            for wrong in _flips(path):
                with pytest.raises(MalformedInput):
                    verify_consistency(size1, roots[size1], size2, roots[size2], wrong)
            with pytest.raises(MalformedInput):
                verify_consistency(size1, roots[size1 - 1], size2, roots[size2], path)


def test_bounds_are_the_functions_own() -> None:
    """Sizes that no caller should pass are refused where they are used."""
    root = root_of(LEAVES[:8])
    for index, size in ((8, 8), (-1, 8), (0, 0), (0, 2**53)):
        with pytest.raises(MalformedInput):
            verify_inclusion(LEAVES[0], index, size, [], root)
    for size1, size2 in ((0, 8), (8, 4), (1, 2**53)):
        with pytest.raises(MalformedInput):
            verify_consistency(size1, root, size2, root, [])


def test_a_tree_that_grows_in_steps_remembers_every_root() -> None:
    """Roots of all earlier sizes are those of the definition, however the leaves came in."""
    tree = Tree()
    for start, end in ((0, 3), (3, 4), (4, 17), (17, 64)):
        tree.extend(b"".join(LEAVES[start:end]))
    assert [tree.root(size) for size in range(65)] == [root_of(LEAVES[:size]) for size in range(65)]
    assert tile_path("entries", 1_234_067, 256) == "tile/entries/x001/x234/067"


@pytest.mark.parametrize("size", range(1, 9))
def test_leaves_are_proved_together_by_exactly_the_hashes_that_are_needed(size: int) -> None:
    """Every choice of leaves: docs/bundle.md §2.2."""
    tree, root = ReferenceTree(LEAVES), root_of(LEAVES[:size])
    for choice in range(1, 1 << size):
        leaves = {at: LEAVES[at] for at in range(size) if choice >> at & 1}
        path = tree.shared(list(leaves), size)
        verify_inclusions(leaves, size, b"".join(path), root)
        for wrong in (*_flips(path), [*path, bytes(31)]):
            with pytest.raises(MalformedInput):
                verify_inclusions(leaves, size, b"".join(wrong), root)
        for others in (leaves | {min(leaves): bytes(32)}, leaves | {size: LEAVES[0]}, leaves | {-1: LEAVES[0]}, {}):
            with pytest.raises(MalformedInput):
                verify_inclusions(others, size, b"".join(path), root)
    with pytest.raises(MalformedInput):
        verify_inclusions({0: LEAVES[0]}, 1 << 53, bytes(32 * 53), root)
