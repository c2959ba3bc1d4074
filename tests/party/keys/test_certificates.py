"""A certificate signs a party's keys, or nothing is said of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from ledger.core.encoding import b64decode
from ledger.party.errors import Unfit
from ledger.party.keys.certificates import Certified, NeedsPassphrase, read_certified

LEDGER = "sha256:" + "0" * 64
KEYIDS = ["b" * 64, "a" * 64]
MESSAGE = f"provenance-ledger/identity/v1\n{LEDGER}\nalpha\n{'a' * 64}\n{'b' * 64}\n".encode()
START = datetime(2023, 11, 1, tzinfo=UTC)
NOW_MS = int(START.timestamp() * 1000) + 1000

Key = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
ROOT = ed25519.Ed25519PrivateKey.generate()


def named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(
    subject: str, key: Key, *, issuer: str = "Root", by: Key = ROOT, days: int = 30, start: datetime = START
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(subject))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
    )
    return builder.sign(by, None if isinstance(by, ed25519.Ed25519PrivateKey) else SHA256())


def write(
    directory: Path, chain: list[x509.Certificate], key: Key, passphrase: bytes | None = None
) -> tuple[Path, Path]:
    chain_path, key_path = directory / "chain.pem", directory / "key.pem"
    chain_path.write_bytes(b"".join(item.public_bytes(Encoding.PEM) for item in chain))
    sealing = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
    key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealing))
    return chain_path, key_path


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_the_first_certificates_key_signs_name_and_keys(tmp_path: Path, kind: str) -> None:
    key: Key
    match kind:
        case "ed25519":
            key = ed25519.Ed25519PrivateKey.generate()
        case "ecdsa":
            key = ec.generate_private_key(ec.SECP256R1())
        case _:
            key = rsa.generate_private_key(65537, 2048)
    chain = [certificate("Alpha plc", key), certificate("Root", ROOT)]
    certified = read_certified(*write(tmp_path, chain, key))
    certified.check_valid(NOW_MS)
    evidence = certified.evidence(LEDGER, "alpha", KEYIDS)
    assert [b64decode(item) for item in evidence["chain"]] == [item.public_bytes(Encoding.DER) for item in chain]
    signature = b64decode(evidence["signature"])
    public = key.public_key()
    match public:
        case ed25519.Ed25519PublicKey():
            public.verify(signature, MESSAGE)
        case ec.EllipticCurvePublicKey():
            public.verify(signature, MESSAGE, ec.ECDSA(SHA256()))
        case _:
            public.verify(signature, MESSAGE, padding.PKCS1v15(), SHA256())


def test_a_chain_that_no_verifier_would_accept_signs_nothing(tmp_path: Path) -> None:
    key, other = (ed25519.Ed25519PrivateKey.generate() for _ in range(2))
    good, root = certificate("Alpha plc", key), certificate("Root", ROOT)
    with pytest.raises(Unfit, match="not that of the first"):
        Certified([good, root], other)
    with pytest.raises(Unfit, match="was not signed by the next one"):
        Certified([good, certificate("Root", other, by=other)], key)
    with pytest.raises(Unfit, match="was not signed by the next one"):
        Certified([good, good], key)
    with pytest.raises(Unfit, match="1 to 4"):
        Certified([good, root, root, root, root], key)
    with pytest.raises(Unfit, match="and not now"):
        Certified([good, certificate("Root", ROOT, days=1)], key).check_valid(NOW_MS + 2 * 86_400_000)
    with pytest.raises(Unfit, match="and not now"):
        Certified([good, root], key).check_valid(NOW_MS - 2000)
    chain_path, key_path = write(tmp_path, [good], key)
    with pytest.raises(Unfit, match="no PEM certificates"):
        read_certified(key_path, key_path)
    with pytest.raises(Unfit, match="not a PEM private key"):
        read_certified(chain_path, chain_path)


def test_an_encrypted_key_asks_for_its_passphrase(tmp_path: Path) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    paths = write(tmp_path, [certificate("Alpha plc", key)], key, b"open sesame")
    with pytest.raises(NeedsPassphrase):
        read_certified(*paths)
    with pytest.raises(Unfit, match="passphrase is another"):
        read_certified(*paths, b"wrong")
    assert "Alpha plc" in read_certified(*paths, b"open sesame").subject
