"""Ed25519 under the one rule of docs/format.md §3: strict keys, cofactorless signatures.

libsodium refuses S ≥ L and compares R byte for byte; what it leaves open is closed here, and the tests hold both to
the rule with cases of their own and with Project Wycheproof's.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256

from nacl.bindings import crypto_core_ed25519_is_valid_point, crypto_sign_open
from nacl.exceptions import BadSignatureError

PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64

SMALL_ORDER_POINTS = frozenset(
    bytes.fromhex(encoding)
    for encoding in (
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    )
)
"""Canonical encodings of the eight points whose order divides 8: never an R (§3.4)."""


@lru_cache(maxsize=1 << 16)
def is_strong(public_key: bytes) -> bool:
    """Tell whether 32 bytes are the canonical encoding of a prime-order point other than the identity (§3.3).

    With the identity as key, one signature fits every message.
    """
    return len(public_key) == PUBLIC_KEY_BYTES and crypto_core_ed25519_is_valid_point(public_key)


def is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether `signature` is valid for `message` under `public_key` (docs/format.md §3.3, §3.4)."""
    if len(signature) != SIGNATURE_BYTES or signature[:32] in SMALL_ORDER_POINTS or not is_strong(public_key):
        return False
    try:
        crypto_sign_open(signature + message, public_key)
    except BadSignatureError:
        return False
    return True


def key_id(public_key: bytes, algorithm: str = "ed25519") -> str:
    """Return the keyid of a public key: hex SHA-256(algorithm ‖ 0x0A ‖ key) (docs/format.md §3.2)."""
    return sha256(algorithm.encode() + b"\n" + public_key).hexdigest()
