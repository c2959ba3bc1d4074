"""Time-stamp tokens (RFC 3161) over checkpoints, checked with the user's own roots (docs/format.md §21).

A token is *false* where it is none, is over something else, or is not signed as it says: somebody made it up, or it was
damaged. Where its authority is unknown, or does what this program does not know, it tells no time, and is not a fault.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

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
from verifier.core.errors import MalformedInput
from verifier.times.dating import AUTHORITY, Dated, Dating, Untold
from verifier.times.form import SHA1, Token, parse_token

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_CHAIN = 8
"""Certificates from the authority's own up to the one that a root issued."""
_DIGESTS = {
    "2.16.840.1.101.3.4.2.1": hashlib.sha256,
    "2.16.840.1.101.3.4.2.2": hashlib.sha384,
    "2.16.840.1.101.3.4.2.3": hashlib.sha512,
}
_RSA = {
    "1.2.840.113549.1.1.1": None,  # rsaEncryption: the hash is the signer's digest algorithm
    "1.2.840.113549.1.1.11": hashes.SHA256(),
    "1.2.840.113549.1.1.12": hashes.SHA384(),
    "1.2.840.113549.1.1.13": hashes.SHA512(),
}
_ECDSA = {
    "1.2.840.10045.4.3.2": hashes.SHA256(),
    "1.2.840.10045.4.3.3": hashes.SHA384(),
    "1.2.840.10045.4.3.4": hashes.SHA512(),
}
_HASHES = dict(zip(_DIGESTS, (hashes.SHA256(), hashes.SHA384(), hashes.SHA512()), strict=True))


class Status(Enum):
    """What became of a token."""

    DATED = "dated"
    UNKNOWN = "unknown"
    FALSE = "false"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a token comes to."""

    status: Status
    reason: str = ""
    """Why it tells no time, a slug."""
    authority: str = ""
    """The subject of its certificate (RFC 4514), as its issuer wrote it; empty unless it is dated or merely unknown."""
    not_after_ms: int = 0
    """Unix milliseconds: what it is over was there by then, if it is dated."""


class _Rejected(Exception):
    """Why a token tells no time; never leaves this module."""

    def __init__(self, status: Status, reason: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(reason)


def parse_tsa_roots(raw: bytes) -> Roots:
    """Return the certificates of a PEM file, whose holders the user trusts to say what time it is.

    Raises `MalformedInput`, also if there is none.
    """
    roots = parse_certificates(raw, "time-stamping roots")
    if not roots:
        raise MalformedInput("time-stamping roots", "malformed", "no certificate")
    return roots


def verify_token(raw: bytes, stamped: Iterable[bytes], roots: Roots) -> Stamp:
    """Return what a token over one of the byte strings `stamped` comes to; raises nothing, whatever `raw` is."""
    try:
        token = parse_token(raw)
        _verify_imprint(token, stamped)
        certificates = _load(token)
        signer = _find_signer(token, [*certificates, *roots])
        _verify_signature(token, signer)
    except MalformedInput:
        return Stamp(Status.FALSE, "malformed")
    except _Rejected as error:
        return Stamp(error.status, error.reason)
    authority = signer.subject.rfc4514_string()
    try:
        _verify_authority(token, signer, certificates, roots)
    except _Rejected as error:
        return Stamp(error.status, error.reason, authority)
    except Exception:  # noqa: BLE001 (certificates are parsed when they are read: whatever they provoke, they vouch for nothing)
        return Stamp(Status.UNKNOWN, "malformed-certificate", authority)
    return Stamp(Status.DATED, "", authority, token.not_after_ms)


def date_token(dating: Dating, raw: bytes, stamped: Iterable[bytes], roots: Roots, *, where: str, size: int) -> str:
    """Note in `dating` what a token tells of the tree of `size`; return why it is false, nothing if it is not."""
    stamp = verify_token(raw, stamped, roots)
    if stamp.status is Status.UNKNOWN:
        dating.untold.append(Untold(where, stamp.reason, stamp.authority))
    elif stamp.status is Status.DATED:
        dating.dated.append(Dated(stamp.not_after_ms, stamp.authority, AUTHORITY, size))
    return stamp.reason if stamp.status is Status.FALSE else ""


def _verify_imprint(token: Token, stamped: Iterable[bytes]) -> None:
    digest = _DIGESTS.get(token.imprint_algorithm)
    if digest is None:
        raise _Rejected(Status.UNKNOWN, "unsupported-hash")
    if all(digest(raw).digest() != token.imprint for raw in stamped):
        raise _Rejected(Status.FALSE, "other-bytes")


def _load(token: Token) -> list[x509.Certificate]:
    """Return the certificates that came along, without those that cannot be read."""
    found = []
    for raw in token.certificates:
        try:
            certificate = x509.load_der_x509_certificate(raw)
            certificate.subject.rfc4514_string()
        except Exception:  # noqa: BLE001, S112 (as above: hostile bytes)
            continue
        found.append(certificate)
    return found


def _find_signer(token: Token, candidates: list[x509.Certificate]) -> x509.Certificate:
    """Return the certificate that the signed attributes name: without them, the signer could be swapped for another."""
    # SHA-1 is all that RFC 2634 has, and only a second preimage of a certificate would be of use to anybody.
    digest = hashlib.sha1 if token.certificate_algorithm == SHA1 else _DIGESTS.get(token.certificate_algorithm)
    if digest is None:
        raise _Rejected(Status.UNKNOWN, "unsupported-hash")
    for certificate in candidates:
        if digest(certificate.public_bytes(Encoding.DER)).digest() == token.certificate_digest:
            if certificate.serial_number != token.serial or certificate.issuer.public_bytes() != token.issuer:
                raise _Rejected(Status.FALSE, "wrong-signer")
            return certificate
    raise _Rejected(Status.UNKNOWN, "no-certificate")


def _verify_signature(token: Token, signer: x509.Certificate) -> None:
    digest = _DIGESTS.get(token.digest_algorithm)
    if digest is None:
        raise _Rejected(Status.UNKNOWN, "unsupported-hash")
    if digest(token.info).digest() != token.message_digest:
        raise _Rejected(Status.FALSE, "wrong-signature")
    try:
        key = signer.public_key()
    except Exception:  # noqa: BLE001 (as above)
        raise _Rejected(Status.UNKNOWN, "unsupported-key") from None
    try:
        if isinstance(key, rsa.RSAPublicKey) and token.signature_algorithm in _RSA:
            hashed = _RSA[token.signature_algorithm] or _HASHES[token.digest_algorithm]
            key.verify(token.signature, token.signed, padding.PKCS1v15(), hashed)
        elif isinstance(key, rsa.RSAPublicKey) and token.padding is not None:
            hashed = _HASHES[token.digest_algorithm]
            # One hash throughout, and a salt as long: whatever else RFC 4055 has room for, no authority needs.
            if token.padding != ((token.digest_algorithm, token.digest_algorithm), hashed.digest_size):
                raise _Rejected(Status.UNKNOWN, "unsupported-padding")
            pss = padding.PSS(padding.MGF1(hashed), hashed.digest_size)
            key.verify(token.signature, token.signed, pss, hashed)
        elif isinstance(key, ec.EllipticCurvePublicKey) and token.signature_algorithm in _ECDSA:
            key.verify(token.signature, token.signed, ec.ECDSA(_ECDSA[token.signature_algorithm]))
        else:
            raise _Rejected(Status.UNKNOWN, "unsupported-key")
    except InvalidSignature:
        raise _Rejected(Status.FALSE, "wrong-signature") from None
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < MIN_RSA_BITS:
        raise _Rejected(Status.UNKNOWN, "weak-key")


def _verify_authority(
    token: Token, signer: x509.Certificate, certificates: list[x509.Certificate], roots: Roots
) -> None:
    """Check that the signer may stamp time, and that one of the roots says so, at the time that the token says."""
    if token.has_unknown_extension:
        raise _Rejected(Status.UNKNOWN, "unknown-critical-extension")
    _verify_purpose(signer)
    chain = [signer]
    while not any(is_root_of(root, chain[-1], token.time_ms) for root in roots):
        above = _issuer_of(chain[-1], certificates, chain)
        if above is None or len(chain) == MAX_CHAIN:
            raise _Rejected(Status.UNKNOWN, "unknown-authority")
        chain.append(above)
    for position, certificate in enumerate(chain):
        if not is_valid_at(certificate, token.time_ms):
            raise _Rejected(Status.UNKNOWN, "outside-validity")
        if not is_understood(certificate):
            raise _Rejected(Status.UNKNOWN, "unknown-critical-extension")
        if position and not may_issue(certificate, below=position - 1, is_root=False):
            raise _Rejected(Status.UNKNOWN, "not-an-authority")


def _issuer_of(
    certificate: x509.Certificate, candidates: list[x509.Certificate], chain: list[x509.Certificate]
) -> x509.Certificate | None:
    """Return the first certificate that came along, and is not in the chain yet, that signed this one."""
    return next((above for above in candidates if above not in chain and is_issued_by(certificate, above)), None)


def _verify_purpose(signer: x509.Certificate) -> None:
    """RFC 3161 §2.3: for time-stamping, for nothing else, and marked critical: a web server's key stamps no time."""
    try:
        purposes = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        raise _Rejected(Status.UNKNOWN, "not-for-time-stamping") from None
    if not purposes.critical or list(purposes.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise _Rejected(Status.UNKNOWN, "not-for-time-stamping")
    try:
        usage = signer.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not usage.digital_signature and not usage.content_commitment:
        raise _Rejected(Status.UNKNOWN, "not-for-time-stamping")
