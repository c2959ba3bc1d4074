"""X.509 certificates (RFC 5280), as far as this program judges them: periods, who may issue, who signed.

Certificates are hostile bytes, and `cryptography` reads many of their fields only when they are asked for: whoever
calls these functions on what others wrote catches every exception, and takes it for a no.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

from verifier.core.errors import MalformedInput

MIN_RSA_BITS = 2048
HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
UNDERSTOOD = frozenset(
    {
        x509.BasicConstraints.oid,
        x509.KeyUsage.oid,
        x509.ExtendedKeyUsage.oid,
        x509.SubjectAlternativeName.oid,
        x509.CertificatePolicies.oid,
    }
)
"""Extensions that may be critical: what they limit is looked at where they matter, or is not claimed."""

Roots = tuple[x509.Certificate, ...]


def parse_certificates(raw: bytes, what: str) -> Roots:
    """Return the certificates of a PEM file, which the user gave as `what`.

    Raises `MalformedInput`.
    """
    try:
        return tuple(x509.load_pem_x509_certificates(raw))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedInput(what, "malformed", str(error)) from None


def is_understood(certificate: x509.Certificate) -> bool:
    """Tell whether nothing that is critical in it is unknown here."""
    return all(not extension.critical or extension.oid in UNDERSTOOD for extension in certificate.extensions)


def is_valid_at(certificate: x509.Certificate, time_ms: int) -> bool:
    """Tell whether a moment is in the validity period, whose last second belongs to it (RFC 5280 §4.1.2.5)."""
    first_s, last_s = certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()
    return first_s * 1000 <= time_ms < (last_s + 1) * 1000


def may_issue(certificate: x509.Certificate, *, below: int, is_root: bool) -> bool:
    """Tell whether it may sign certificates, with `below` others between it and the party's own.

    Without this, whoever holds any certificate could write one for any name. Old roots, which the user vouches for,
    do not say that they are authorities.
    """
    try:
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return is_root
    if not basic.ca or (basic.path_length is not None and basic.path_length < below):
        return False
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return True


def is_issued_by(certificate: x509.Certificate, above: x509.Certificate) -> bool:
    """Tell whether `above` is the named issuer and signed it, over a hash that is not broken."""
    algorithm = certificate.signature_hash_algorithm  # None: Ed25519
    if algorithm is not None and not isinstance(algorithm, HASHES):
        return False
    try:
        certificate.verify_directly_issued_by(above)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def is_root_of(root: x509.Certificate, last: x509.Certificate, time_ms: int) -> bool:
    """Tell whether `root`, which the user vouches for, is `last`, or issued it and was valid at that time."""
    if root == last:
        return True
    if not is_valid_at(root, time_ms) or not may_issue(root, below=0, is_root=True):
        return False
    return is_issued_by(last, root)
