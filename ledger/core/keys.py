"""Keys: Ed25519 under the one acceptance rule of docs/format.md §3, and ML-DSA-44, which outlives it (§16.4).

Libraries disagree about weak points and odd encodings: the identity point as a public key makes one signature fit every
message. `is_strong` is therefore checked wherever a key enters; libsodium itself refuses S ≥ L and an R of small order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Protocol

import nacl.bindings
import nacl.exceptions
import nacl.signing
import nacl.utils

from ledger.core.encoding import b64decode, b64encode
from ledger.core.errors import FormatError
from ledger.core.mldsa import (
    MLDSA44_KEY_BYTES,
    MLDSA44_SEED_BYTES,
    MLDSA44_SIGNATURE_BYTES,
    public_of,
    sign_mldsa44,
    verify_mldsa44,
)

ED25519 = "ed25519"
MLDSA44 = "ml-dsa-44"
KEY_BYTES = 32
SIGNATURE_BYTES = 64
SIGNATURE_WIDTHS = frozenset({SIGNATURE_BYTES, MLDSA44_SIGNATURE_BYTES})
"""How many bytes a signature in an envelope can have (§4.1); which of them, its key's algorithm says."""
_KEY_BYTES = {ED25519: KEY_BYTES, MLDSA44: MLDSA44_KEY_BYTES}
_valid_point = nacl.bindings.crypto_core_ed25519_is_valid_point
_open = nacl.bindings.crypto_sign_open


@lru_cache(maxsize=4096)
def is_strong(raw: bytes) -> bool:
    """Tell whether 32 bytes encode canonically a point of the prime-order subgroup other than the identity (§3.3)."""
    return len(raw) == KEY_BYTES and bool(_valid_point(raw))


def verify_ed25519(raw: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether `signature` is valid (§3.4) under a key that `is_strong` holds for; False for a weak key."""
    if len(signature) != SIGNATURE_BYTES or not is_strong(raw):
        return False
    try:
        _open(signature + message, raw)
    except nacl.exceptions.BadSignatureError:
        return False
    return True


def verify_signature(alg: str, raw: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether `signature` is valid over `message` under a key of the algorithm `alg` (§3.4, §3.5)."""
    return (verify_mldsa44 if alg == MLDSA44 else verify_ed25519)(raw, message, signature)


@dataclass(frozen=True)
class PublicKey:
    """A public key that names its algorithm (§3.1); it has passed §3.3 if it came through `parse`."""

    raw: bytes
    alg: str = ED25519

    @classmethod
    def parse(cls, alg: str, public_key: str, field: str = "") -> PublicKey:
        """Parse the two members of a public key; raise FormatError `wrong-value`, `bad-base64` or `weak-key`."""
        if alg not in _KEY_BYTES:
            raise FormatError("wrong-value", f"{field}/alg", " or ".join(_KEY_BYTES))
        raw = b64decode(public_key, f"{field}/public_key")
        if len(raw) != _KEY_BYTES[alg]:
            raise FormatError("wrong-value", f"{field}/public_key", f"{_KEY_BYTES[alg]} bytes are needed")
        if alg == ED25519 and not is_strong(raw):
            raise FormatError("weak-key", f"{field}/public_key", "not a point of the prime-order subgroup")
        return cls(raw, alg)

    @cached_property
    def keyid(self) -> str:
        """Hex SHA-256(alg ‖ 0x0A ‖ raw), 64 digits (§3.2)."""
        return sha256(self.alg.encode("ascii") + b"\n" + self.raw).hexdigest()

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Tell whether `signature` is this key's over `message` (§3.4, §3.5); False for one of another width."""
        return verify_signature(self.alg, self.raw, message, signature)

    def document(self) -> dict[str, str]:
        """Return the JSON form (§3.1)."""
        return {"alg": self.alg, "public_key": b64encode(self.raw)}


class Signer(Protocol):
    """Whatever signs with one key, wherever its private half is: in memory, or where it never leaves."""

    @property
    def public(self) -> PublicKey:
        """The public half."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature of `message`; raise SignerError where the key cannot be used now."""


@dataclass(frozen=True, repr=False)
class SigningKey:
    """A private Ed25519 key. `repr` shows its keyid only, so that no log line can hold the seed."""

    seed: bytes

    @classmethod
    def generate(cls) -> SigningKey:
        """Return a new key from the operating system's randomness."""
        return cls(nacl.utils.random(KEY_BYTES))

    @cached_property
    def _key(self) -> nacl.signing.SigningKey:
        return nacl.signing.SigningKey(self.seed)

    @cached_property
    def public(self) -> PublicKey:
        """The public half."""
        return PublicKey(bytes(self._key.verify_key))

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of `message` (RFC 8032 §5.1.6)."""
        return self._key.sign(message).signature

    def __repr__(self) -> str:
        """Return a form without the secret."""
        return f"SigningKey(keyid={self.public.keyid})"


@dataclass(frozen=True, repr=False)
class LastingKey:
    """A private ML-DSA-44 key: what it signs outlives Ed25519. `repr` shows its keyid only."""

    seed: bytes

    @classmethod
    def generate(cls) -> LastingKey:
        """Return a new key from the operating system's randomness."""
        return cls(nacl.utils.random(MLDSA44_SEED_BYTES))

    @cached_property
    def public(self) -> PublicKey:
        """The public half."""
        return PublicKey(public_of(self.seed), MLDSA44)

    def sign(self, message: bytes) -> bytes:
        """Return a 2,420-byte signature of `message` (FIPS 204, empty context)."""
        return sign_mldsa44(self.seed, message)

    def __repr__(self) -> str:
        """Return a form without the secret."""
        return f"LastingKey(keyid={self.public.keyid})"
