"""Evidence for a name: an X.509 certificate chain whose key signs the party's keys (docs/statements.md §2).

The ledger looks at the form only. What a verifier would not accept is found here, before anything is signed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from ledger.core.encoding import Json, b64encode
from ledger.party.errors import Unfit

CONTEXT = "provenance-ledger/identity/v1"
_MAX_CHAIN = 4
_MAX_CERTIFICATE_BYTES = 4096
_MAX_FILE_BYTES = 65_536
_PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def signed_bytes(ledger: str, issuer: str, keyids: Iterable[str]) -> bytes:
    """Return what the certificate's key signs: `keyids` are those of the party's signing keys."""
    return "".join(f"{line}\n" for line in (CONTEXT, ledger, issuer, *sorted(keyids))).encode()


class Certified:
    """A certificate chain, the party's own first, with the private key of that one."""

    def __init__(self, chain: list[x509.Certificate], key: _PrivateKey) -> None:
        """Check the chain and that the key is its first one's; raise Unfit."""
        if not 1 <= len(chain) <= _MAX_CHAIN:
            raise Unfit(f"a chain has 1 to {_MAX_CHAIN} certificates, not {len(chain)}")
        self.chain = chain
        self._key = key
        if _raw(key.public_key()) != _raw(chain[0].public_key()):
            raise Unfit("the private key is not that of the first certificate")
        for certificate, above in pairwise(chain):
            try:
                certificate.verify_directly_issued_by(above)
            except (ValueError, TypeError, InvalidSignature) as error:
                subject = certificate.subject.rfc4514_string()
                raise Unfit(f"the certificate of {subject} was not signed by the next one in the chain") from error

    @property
    def subject(self) -> str:
        """Whom the first certificate names."""
        return self.chain[0].subject.rfc4514_string()

    def check_valid(self, now_ms: int) -> None:
        """Raise Unfit unless every certificate is valid at this moment, Unix milliseconds."""
        now = datetime.fromtimestamp(now_ms / 1000, UTC)
        for item in self.chain:
            if not item.not_valid_before_utc <= now <= item.not_valid_after_utc:
                raise Unfit(
                    f"the certificate of {item.subject.rfc4514_string()} is valid from {item.not_valid_before_utc} "
                    f"to {item.not_valid_after_utc}, and not now"
                )

    def evidence(self, ledger: str, issuer: str, keyids: Iterable[str]) -> dict[str, Json]:
        """Return the value of `certificates`: the chain, and a signature over the party's name and keys."""
        encoded = [item.public_bytes(Encoding.DER) for item in self.chain]
        if any(len(raw) > _MAX_CERTIFICATE_BYTES for raw in encoded):
            raise Unfit(f"a certificate has at most {_MAX_CERTIFICATE_BYTES} bytes")
        message = signed_bytes(ledger, issuer, keyids)
        match self._key:
            case ed25519.Ed25519PrivateKey():
                signature = self._key.sign(message)
            case ec.EllipticCurvePrivateKey():
                signature = self._key.sign(message, ec.ECDSA(SHA256()))
            case _:
                signature = self._key.sign(message, padding.PKCS1v15(), SHA256())
        return {"chain": [b64encode(raw) for raw in encoded], "signature": b64encode(signature)}


def read_certified(chain: Path, key: Path, passphrase: bytes | None = None) -> Certified:
    """Read PEM files: a chain, and the private key of its first certificate; raise Unfit or OSError.

    `passphrase` opens a key that is encrypted; NeedsPassphrase says that there is none and that one is needed.
    """
    try:
        certificates = x509.load_pem_x509_certificates(_read(chain))
    except ValueError as error:
        raise Unfit(f"{chain} holds no PEM certificates") from error
    try:
        private = load_pem_private_key(_read(key), passphrase)
    except TypeError as error:
        raise NeedsPassphrase(f"{key} is encrypted" if passphrase is None else f"{key} is not encrypted") from error
    except ValueError as error:
        raise Unfit(f"{key} is not a PEM private key, or its passphrase is another one") from error
    if not isinstance(private, _PrivateKey):
        raise Unfit(f"{key} is of a kind that signs no identity: Ed25519, ECDSA or RSA is needed")
    return Certified(certificates, private)


class NeedsPassphrase(Unfit):
    """A private key is encrypted, and no passphrase was given; or the other way round."""


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        raw = file.read(_MAX_FILE_BYTES + 1)
    if len(raw) > _MAX_FILE_BYTES:
        raise Unfit(f"{path} has more than {_MAX_FILE_BYTES} bytes")
    return raw


def _raw(public: object) -> bytes:
    if not isinstance(public, ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise Unfit("the first certificate's key is neither Ed25519, ECDSA nor RSA")
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
