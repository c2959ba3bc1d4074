"""ML-DSA-44 (FIPS 204, empty context), the signatures that outlive Ed25519 (docs/format.md §10.2)."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

MLDSA44_KEY_BYTES = 1312
MLDSA44_SIGNATURE_BYTES = 2420


def is_mldsa44_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether `signature` is valid for `message` under `public_key`; never raises."""
    if len(public_key) != MLDSA44_KEY_BYTES or len(signature) != MLDSA44_SIGNATURE_BYTES:
        return False
    try:
        MLDSA44PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
