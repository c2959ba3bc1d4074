"""Keys of parties: Ed25519 and, since version 5 of the rules, ML-DSA-44 (docs/format.md §3).

A key names its algorithm: no code here decides by a length which one it is.
"""

from __future__ import annotations

from typing import NamedTuple

from verifier.core.ed25519 import PUBLIC_KEY_BYTES, SIGNATURE_BYTES, is_signed, key_id
from verifier.core.mldsa import MLDSA44_KEY_BYTES, MLDSA44_SIGNATURE_BYTES, is_mldsa44_signed

ED25519, MLDSA44 = "ed25519", "ml-dsa-44"
KEY_BYTES = {ED25519: PUBLIC_KEY_BYTES, MLDSA44: MLDSA44_KEY_BYTES}
"""Width of a public key of each algorithm."""
SIGNATURE_WIDTHS = frozenset({SIGNATURE_BYTES, MLDSA44_SIGNATURE_BYTES})
"""Widths that a signature in an envelope can have (docs/format.md §4.1)."""


class PublicKey(NamedTuple):
    """A public key of a party."""

    raw: bytes
    algorithm: str = ED25519

    @property
    def keyid(self) -> str:
        """Hex SHA-256 of algorithm and key (docs/format.md §3.2)."""
        return key_id(self.raw, self.algorithm)

    def is_signed(self, message: bytes, signature: bytes) -> bool:
        """Tell whether `signature` is this key's over `message` (docs/format.md §3.4, §3.5); never raises."""
        if self.algorithm == ED25519:
            return is_signed(self.raw, message, signature)
        return is_mldsa44_signed(self.raw, message, signature)
