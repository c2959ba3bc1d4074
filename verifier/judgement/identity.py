"""X.509 certificates that a party gave as evidence of who it is (docs/statements.md §2).

What they prove is never more than their last issuer is worth, so that one is always named, and is called known only if
the user gave its certificate. Nothing here raises for what a party wrote: certificates are hostile bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from verifier.core.b64 import decode_base64
from verifier.core.certificates import (
    MIN_RSA_BITS,
    Roots,
    is_issued_by,
    is_root_of,
    is_understood,
    is_valid_at,
    may_issue,
    parse_certificates,
)

__all__ = ["TAG", "Evidence", "Presented", "Roots", "parse_roots", "signed_text", "verify_identity"]
TAG = "provenance-ledger/identity/v1"


class Presented(NamedTuple):
    """What a registration held as certificates, in clear or opened by a disclosure."""

    entry_index: int
    time_ms: int
    """The entry's time, Unix milliseconds."""
    keyids: tuple[str, ...]
    """Of the signing keys that were registered, ascending."""
    chain: tuple[str, ...]
    """Base64 of certificates in DER, the party's own first."""
    signature: str
    """Base64."""
    is_disclosed: bool
    """It was sealed, and a disclosure opened it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a party's certificates come to."""

    reason: str = ""
    """Why they prove nothing, a slug; empty if they do prove something."""
    position: int | None = None
    """Which certificate of the chain that is about; None for the signature over the party's keys."""
    subject: str = ""
    """Of the first certificate (RFC 4514), as its issuer wrote it; empty if nothing is proven."""
    issuer: str = ""
    """Of the last certificate."""
    is_root_known: bool = False
    """The last issuer is among the roots that the user gave."""
    is_disclosed: bool = False

    @property
    def is_proven(self) -> bool:
        """The holder of the first certificate's key signed the party's keys, and each certificate the one before."""
        return not self.reason


class _NotProven(Exception):
    """Why certificates prove nothing; never leaves this module."""

    def __init__(self, reason: str, position: int | None = None) -> None:
        self.reason = reason
        self.position = position
        super().__init__(reason)


def parse_roots(raw: bytes) -> Roots:
    """Return the certificates of a PEM file.

    Raises `MalformedInput`.
    """
    return parse_certificates(raw, "identity roots")


def signed_text(ledger: str, issuer: str, keyids: tuple[str, ...]) -> bytes:
    """Return what a party's certificate signs: `ledger` is an id, `keyids` are those of `keys`, ascending."""
    return "".join(f"{line}\n" for line in (TAG, ledger, issuer, *keyids)).encode()


def verify_identity(ledger: str, issuer: str, presented: Presented, roots: Roots = ()) -> Evidence:
    """Return what the certificates of the party `issuer` of the ledger with this id come to."""
    try:
        chain = [_load(text, position) for position, text in enumerate(presented.chain)]
        for position, certificate in enumerate(chain):
            _check_certificate(certificate, position, presented.time_ms)
        _check_links(chain)
        _check_signature(chain[0], presented.signature, signed_text(ledger, issuer, presented.keyids))
        subject, last_issuer = chain[0].subject.rfc4514_string(), chain[-1].issuer.rfc4514_string()
        is_known = any(is_root_of(root, chain[-1], presented.time_ms) for root in roots)
    except _NotProven as error:
        return Evidence(error.reason, error.position, is_disclosed=presented.is_disclosed)
    except Exception:  # noqa: BLE001 (fields are parsed when they are read: whatever the bytes provoke, they prove nothing)
        return Evidence("malformed-certificate", is_disclosed=presented.is_disclosed)
    return Evidence("", None, subject, last_issuer, is_known, presented.is_disclosed)


def _load(text: str, position: int) -> x509.Certificate:
    raw = decode_base64(text)
    try:
        certificate = x509.load_der_x509_certificate(raw or b"")
    except (ValueError, UnsupportedAlgorithm):
        raise _NotProven("malformed-certificate", position) from None
    if certificate.public_bytes(Encoding.DER) != raw:
        raise _NotProven("malformed-certificate", position)
    return certificate


def _check_certificate(certificate: x509.Certificate, position: int, time_ms: int) -> None:
    """Check one certificate of a chain on its own; `position` counts from the party's own, 0."""
    if not is_valid_at(certificate, time_ms):
        raise _NotProven("outside-validity", position)
    if not is_understood(certificate):
        raise _NotProven("unknown-critical-extension", position)
    if position > 0 and not may_issue(certificate, below=position - 1, is_root=False):
        raise _NotProven("not-an-authority", position)


def _check_links(chain: list[x509.Certificate]) -> None:
    for position, (certificate, above) in enumerate(pairwise(chain)):
        if not is_issued_by(certificate, above):
            raise _NotProven("not-signed-by-next", position)


def _check_signature(certificate: x509.Certificate, signature: str, text: bytes) -> None:
    """Check that the key of the party's own certificate signed the party's keys."""
    raw, key = decode_base64(signature) or b"", certificate.public_key()
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(raw, text)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(raw, text, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key, rsa.RSAPublicKey):
            if key.key_size < MIN_RSA_BITS:
                raise _NotProven("weak-key", 0)
            key.verify(raw, text, padding.PKCS1v15(), hashes.SHA256())
        else:
            raise _NotProven("unsupported-key", 0)
    except InvalidSignature:
        raise _NotProven("wrong-signature") from None
