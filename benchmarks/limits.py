"""The limits of this machine, by the same libraries that the product uses."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import nacl.bindings

MESSAGE_BYTES = 600
"""About the pre-authentication encoding of a `transfer.offered`."""


def per_second(work: Callable[[], object], seconds: float = 1.0) -> float:
    """Return how often `work` runs in a second, over about `seconds`, after a short warm-up."""
    for _ in range(100):
        work()
    count, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        for _ in range(50):
            work()
        count += 50
    return count / elapsed


def verifications_per_second() -> float:
    """Return L: Ed25519 verifications per second of one core through PyNaCl."""
    public, secret = nacl.bindings.crypto_sign_keypair()
    signed = nacl.bindings.crypto_sign(b"x" * MESSAGE_BYTES, secret)
    return per_second(lambda: nacl.bindings.crypto_sign_open(signed, public))


def hashes_per_second() -> float:
    """Return SHA-256 of one node (65 bytes) per second of one core, from Python."""
    data = b"\x01" + bytes(64)
    return per_second(lambda: sha256(data).digest())


def syncs_per_second(directory: Path | None = None) -> float:
    """Return appends of 4 KiB with fsync per second."""
    with tempfile.NamedTemporaryFile(dir=directory) as file:

        def sync() -> None:
            os.write(file.fileno(), bytes(4096))
            os.fsync(file.fileno())

        return per_second(sync)
