"""ML-DSA-44 signatures (FIPS 204, empty context): what outlives Ed25519 (docs/format.md §16, §17)."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

MLDSA44_SEED_BYTES = 32
MLDSA44_KEY_BYTES = 1312
MLDSA44_SIGNATURE_BYTES = 2420


def public_of(seed: bytes) -> bytes:
    """Return the public key (1,312 bytes) that follows from a seed of 32 bytes (FIPS 204 §5.1)."""
    return MLDSA44PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw()


def sign_mldsa44(seed: bytes, message: bytes) -> bytes:
    """Return a signature (2,420 bytes) of `message` by the key of this seed; no two are equal (hedged)."""
    return MLDSA44PrivateKey.from_seed_bytes(seed).sign(message)


def verify_mldsa44(raw: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether `signature` is valid over `message` under the public key `raw`; False for wrong lengths."""
    if len(raw) != MLDSA44_KEY_BYTES or len(signature) != MLDSA44_SIGNATURE_BYTES:
        return False
    try:
        MLDSA44PublicKey.from_public_bytes(raw).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
