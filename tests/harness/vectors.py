"""Vectors that other implementations made (tests/vectors/README.md)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parents[1] / "vectors"


@cache
def load(name: str) -> Any:
    """Return a file of vectors; whoever reads it must not change it."""
    return json.loads((FOLDER / name).read_bytes())


class Wycheproof(NamedTuple):
    """One case of an Ed25519 or an ML-DSA-44 signature."""

    number: int
    public: bytes
    message: bytes
    signature: bytes
    is_valid: bool


def wycheproof() -> list[Wycheproof]:
    """Return all cases of Ed25519."""
    return [
        Wycheproof(
            case["tcId"],
            bytes.fromhex(group["publicKey"]["pk"]),
            bytes.fromhex(case["msg"]),
            bytes.fromhex(case["sig"]),
            case["result"] == "valid",
        )
        for group in load("ed25519-wycheproof.json")["testGroups"]
        for case in group["tests"]
    ]


def mldsa44() -> list[Wycheproof]:
    """Return all cases of ML-DSA-44; one that is valid under a context alone is not valid here."""
    return [
        Wycheproof(
            case["tcId"],
            bytes.fromhex(group["publicKey"]),
            bytes.fromhex(case["msg"]),
            bytes.fromhex(case["sig"]),
            case["result"] == "valid" and not case.get("ctx"),
        )
        for group in load("mldsa44-wycheproof.json")["testGroups"]
        for case in group["tests"]
    ]
