"""One rule for keys and signatures (docs/format.md §3)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import nacl.bindings as sodium

from verifier.core.ed25519 import SMALL_ORDER_POINTS, is_signed, is_strong

VECTORS = Path(__file__).parents[2] / "vectors"
ORDER = 2**252 + 27742317777372353535851937790883648493
TORSION = bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")
"""A point of order 8."""


def _scalar(number: int) -> bytes:
    return number.to_bytes(32, "little")


def _signature(a: int, r_point: bytes, r: int, message: bytes) -> tuple[bytes, bytes]:
    key = sodium.crypto_scalarmult_ed25519_base_noclamp(_scalar(a))
    k = int.from_bytes(hashlib.sha512(r_point + key + message).digest(), "little") % ORDER
    return key, r_point + _scalar((r + k * a) % ORDER)


def test_wycheproof() -> None:
    """All 151 cases come out as Project Wycheproof says."""
    groups = json.loads((VECTORS / "ed25519-wycheproof.json").read_bytes())["testGroups"]
    outcomes = [
        (
            test["tcId"],
            is_signed(bytes.fromhex(group["publicKey"]["pk"]), *map(bytes.fromhex, (test["msg"], test["sig"]))),
        )
        for group in groups
        for test in group["tests"]
    ]
    expected = [(test["tcId"], test["result"] == "valid") for group in groups for test in group["tests"]]
    assert len(outcomes) == 151
    assert outcomes == expected


def test_small_order_points_are_neither_keys_nor_r() -> None:
    """With the identity as key one signature fits every message; with it as R, anyone can be said to have signed."""
    point, points = TORSION, set()
    for _ in range(8):
        points.add(point)
        point = sodium.crypto_core_ed25519_add(point, TORSION)
    assert points == SMALL_ORDER_POINTS
    assert not any(is_strong(point) for point in points)
    for point in points:
        key, signature = _signature(12345, point, 0, b"message")
        assert not is_signed(key, b"message", signature)


def test_a_torsion_component_is_refused_in_keys_and_in_r() -> None:
    """Cofactored verifiers accept R + T; two verifiers that disagree on it would split the ledger."""
    r_point = sodium.crypto_scalarmult_ed25519_base_noclamp(_scalar(777))
    key, signature = _signature(12345, r_point, 777, b"message")
    assert is_signed(key, b"message", signature)
    mixed = sodium.crypto_core_ed25519_add(r_point, TORSION)
    assert not is_signed(key, b"message", _signature(12345, mixed, 777, b"message")[1])
    assert not is_strong(sodium.crypto_core_ed25519_add(key, TORSION))


def test_s_is_below_the_order() -> None:
    """S + L signs the same to a careless verifier: a second signature that nobody made."""
    r_point = sodium.crypto_scalarmult_ed25519_base_noclamp(_scalar(777))
    key, signature = _signature(12345, r_point, 777, b"message")
    bigger = _scalar(int.from_bytes(signature[32:], "little") + ORDER)
    assert not is_signed(key, b"message", signature[:32] + bigger)
