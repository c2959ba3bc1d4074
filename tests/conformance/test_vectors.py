"""Ledger, verifier and reference agree with what other implementations computed."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from typing import Any

import pytest

from ledger.core import merkle
from ledger.core.checkpoint import parse_checkpoint
from ledger.core.errors import ProofError
from ledger.core.keys import is_strong, verify_ed25519
from ledger.core.merkle import Node, consistency_ranges, grow, inclusion_ranges, prove, range_hash
from ledger.core.policy import parse_policy
from ledger.core.tiles import format_tile_path, parse_tile_path
from tests.harness import edwards
from tests.harness.reference import ReferenceTree, entry_leaf
from tests.harness.vectors import Wycheproof, load, wycheproof
from verifier.core import ed25519, notes, policy, tree
from verifier.core.errors import MalformedInput

GO = load("merkle-go-sumdb.json")
PROBES = load("merkle-probes.json")
SIZE = 66_000


@cache
def leaves() -> list[bytes]:
    return [entry_leaf(f"entry-{index}".encode()) for index in range(SIZE)]


@cache
def nodes() -> dict[Node, bytes]:
    hashes: dict[Node, bytes] = {}
    grow(hashes, 0, leaves())
    return hashes


@cache
def reference() -> ReferenceTree:
    return ReferenceTree(leaves())


@cache
def verifier_tree() -> tree.Tree:
    return tree.Tree(b"".join(leaves()))


def holds(check: Callable[[], None]) -> bool:
    """Tell whether a verification passes."""
    try:
        check()
    except (ProofError, MalformedInput):
        return False
    return True


def test_roots() -> None:
    for text, root in GO["roots"].items():
        size = int(text)
        assert range_hash(0, size, nodes()).hex() == root
        assert verifier_tree().root(size).hex() == root
        assert reference().root(size).hex() == root


def test_inclusion_proofs() -> None:
    for case in GO["inclusion"]:
        index, size, path = case["Index"], case["Size"], [bytes.fromhex(item) for item in case["Path"]]
        assert prove(inclusion_ranges(index, size), nodes()) == path
        assert reference().inclusion(index, size) == path
        root = verifier_tree().root(size)
        merkle.verify_inclusion(leaves()[index], index, size, path, root)
        tree.verify_inclusion(leaves()[index], index, size, path, root)


def test_consistency_proofs() -> None:
    for case in GO["consistency"]:
        old, new, path = case["From"], case["To"], [bytes.fromhex(item) for item in case["Path"]]
        assert prove(consistency_ranges(old, new), nodes()) == path
        assert reference().consistency(old, new) == path
        roots = verifier_tree().root(old), verifier_tree().root(new)
        merkle.verify_consistency(old, roots[0], new, roots[1], path)
        tree.verify_consistency(old, roots[0], new, roots[1], path)


def test_tiles() -> None:
    """Every tile of a tree of 66,000 leaves, by the path that Go gives it."""
    for case in GO["tiles"]:
        tile = parse_tile_path(case["Path"].removeprefix("tile/"))
        assert tile.level is not None
        assert "tile/" + format_tile_path(tile) == case["Path"] == tree.tile_path(tile.level, tile.position, tile.width)
        first = tile.position * tree.TILE_WIDTH
        ours = [nodes()[Node(8 * tile.level, position)] for position in range(first, first + tile.width)]
        assert sha256(b"".join(ours)).hexdigest() == case["SHA256"]
        assert verifier_tree().tile(tile.level, tile.position, tile.width) == b"".join(ours)
    widths = {(case["Path"]) for case in GO["tiles"] if ".p/" not in case["Path"]}
    expected = {tree.tile_path(level, *item) for level in range(3) for item in tree.tile_widths(SIZE, level)}
    assert widths == {path for path in expected if ".p/" not in path}


@pytest.mark.parametrize("case", PROBES["inclusion"], ids=lambda case: case["case"])
def test_inclusion_probe(case: dict[str, Any]) -> None:
    leaf, root = b64decode(case["leafHash"]), b64decode(case["root"])
    path = [b64decode(item) for item in case["proof"] or []]
    for verify in (merkle.verify_inclusion, tree.verify_inclusion):
        assert holds(lambda: verify(leaf, case["leafIdx"], case["treeSize"], path, root)) is not case["wantErr"]  # noqa: B023


@pytest.mark.parametrize("case", PROBES["consistency"], ids=lambda case: case["case"])
def test_consistency_probe(case: dict[str, Any]) -> None:
    old, new, path = (
        b64decode(case["root1"]),
        b64decode(case["root2"]),
        [b64decode(item) for item in case["proof"] or []],
    )
    sizes = case["size1"], case["size2"]
    ours = holds(lambda: merkle.verify_consistency(sizes[0], old, sizes[1], new, path))
    theirs = holds(lambda: tree.verify_consistency(sizes[0], old, sizes[1], new, path))
    must_fail = case["wantErr"] or len(old) != 32  # one happy probe has a root that is no hash
    assert ours is theirs is not must_fail


def test_wycheproof_is_complete() -> None:
    cases = wycheproof()
    assert (len(cases), sum(not case.is_valid for case in cases)) == (151, 63)


@pytest.mark.parametrize("case", wycheproof(), ids=lambda case: str(case.number))
def test_wycheproof(case: Wycheproof) -> None:
    """§3.4 in integers, in the ledger and in the verifier; no case of Wycheproof is about what they leave open."""
    opinions = {
        verify(case.public, case.message, case.signature)
        for verify in (verify_ed25519, ed25519.is_signed, edwards.is_valid)
    }
    assert opinions == {case.is_valid}


TORSION = edwards.torsion()
SECRET = edwards.secret_scalar(bytes(32))
PUBLIC = edwards.encode(edwards.multiply(SECRET, edwards.BASE))


@pytest.mark.parametrize("order", range(8))
def test_keys_with_a_component_of_small_order(order: int) -> None:
    """A key is in the prime-order subgroup and not the identity (§3.3); libraries differ on all of these."""
    mixed = edwards.encode(edwards.add(edwards.multiply(SECRET, edwards.BASE), TORSION[order]))
    small = edwards.encode(TORSION[order])
    for opinion in (is_strong, ed25519.is_strong, edwards.is_strong):
        assert opinion(mixed) is (order == 0)
        assert not opinion(small)


@pytest.mark.parametrize("raw", [b"\xff" * 32, (edwards.P + 3).to_bytes(32, "little"), (2).to_bytes(32, "little"), b""])
def test_keys_that_are_no_point(raw: bytes) -> None:
    """Not canonical (y ≥ p), not on the curve, not 32 bytes."""
    assert [opinion(raw) for opinion in (is_strong, ed25519.is_strong, edwards.is_strong)] == [False] * 3


@pytest.mark.parametrize("order", range(8))
def test_signatures_with_a_component_of_small_order(order: int) -> None:
    """Verification is cofactorless (§3.4): R + T is valid for cofactored verifiers only."""
    signature = edwards.sign_with(SECRET, 12345, TORSION[order], b"message")
    for verify in (verify_ed25519, ed25519.is_signed, edwards.is_valid):
        assert verify(PUBLIC, b"message", signature) is (order == 0)


@pytest.mark.parametrize("order", range(1, 8))
def test_signatures_by_keys_with_a_component_of_small_order(order: int) -> None:
    """Where 8 divides k the equation holds for the key A + T too: only the check of the key (§3.3) refuses it."""
    public = edwards.encode(edwards.add(edwards.multiply(SECRET, edwards.BASE), TORSION[order]))
    nonce, commitment, k = 1, b"", 1
    while k % 8:
        nonce += 1
        commitment = edwards.encode(edwards.multiply(nonce, edwards.BASE))
        k = edwards.challenge(commitment, public, b"message")
    signature = commitment + ((nonce + k * SECRET) % edwards.L).to_bytes(32, "little")
    for verify in (verify_ed25519, ed25519.is_signed, edwards.is_valid):
        assert not verify(public, b"message", signature)


@pytest.mark.parametrize("order", range(8))
def test_commitments_of_small_order(order: int) -> None:
    """R is not of small order (§3.4), even where the equation holds: R = identity, S = k·a."""
    commitment = edwards.encode(TORSION[order])
    scalar = edwards.challenge(commitment, PUBLIC, b"message") * SECRET % edwards.L
    signature = commitment + scalar.to_bytes(32, "little")
    for verify in (verify_ed25519, ed25519.is_signed, edwards.is_valid):
        assert not verify(PUBLIC, b"message", signature)


def test_scalars_past_the_order() -> None:
    """S < L (§3.4): S + L gives the same point and another signature."""
    signature = edwards.sign_with(SECRET, 12345, edwards.IDENTITY, b"message")
    scalar = int.from_bytes(signature[32:], "little")
    for times in range(1, 15):
        longer = signature[:32] + (scalar + times * edwards.L).to_bytes(32, "little")
        for verify in (verify_ed25519, ed25519.is_signed, edwards.is_valid):
            assert not verify(PUBLIC, b"message", longer)


def test_the_universal_signature() -> None:
    """Under the identity as key, S = 1 and R = B fit every message: refused because of the key."""
    identity = edwards.encode(edwards.IDENTITY)
    signature = edwards.encode(edwards.BASE) + (1).to_bytes(32, "little")
    for verify in (verify_ed25519, ed25519.is_signed, edwards.is_valid):
        assert not verify(identity, b"any message", signature)


def test_a_checkpoint_signed_in_go() -> None:
    vectors = load("note-go-sumdb.json")
    note = vectors["note"].encode()
    text = f"log {vectors['vkey']}\nquorum none\n"
    ours = parse_policy(text).open_checkpoint(note)
    their_policy = policy.parse_policy(text.encode())
    theirs = policy.open_checkpoint(note, their_policy, their_policy.logs[0]).checkpoint
    assert ours.head.root.hex() == theirs.root.hex() == GO["roots"]["1000"]
    assert (ours.origin, ours.head.size) == (theirs.origin, theirs.size) == ("example.com/log", 1000)
    unsigned = note.partition(b"\n\n")[0] + b"\n"
    assert parse_checkpoint(unsigned) == ours
    assert notes.parse_checkpoint(unsigned) == theirs
