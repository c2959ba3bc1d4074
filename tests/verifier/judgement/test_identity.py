"""Certificates that stand for a party's name (docs/statements.md §2): what they prove, and what they do not."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from ledger.statements.parse import NEWEST_RULES
from tests.harness.builder import LedgerBuilder
from tests.harness.people import person
from tests.harness.speech import signed
from tests.harness.verify import Verdict, replay_files
from verifier.core.errors import MalformedInput
from verifier.judgement.identity import Presented, parse_roots, verify_identity

Key = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
LEDGER, PARTY = "sha256:" + "1" * 64, "alpha"
KEYIDS = ("a" * 64, "b" * 64)
START = datetime(2023, 11, 1, tzinfo=UTC)
AT_MS = int((START + timedelta(days=20)).timestamp()) * 1000
TEXT = "".join(f"{line}\n" for line in ("provenance-ledger/identity/v1", LEDGER, PARTY, *KEYIDS)).encode()


def named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, text)])


def certified(subject: str, key: Key, issuer: str, by: Key, *, is_authority: bool = False) -> x509.Certificate:
    """Return a certificate that is valid for a year from START."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(subject))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(START)
        .not_valid_after(START + timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    return builder.sign(by, None if isinstance(by, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def sign(key: Key, text: bytes) -> str:
    if isinstance(key, rsa.RSAPrivateKey):
        raw = key.sign(text, padding.PKCS1v15(), hashes.SHA256())
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        raw = key.sign(text, ec.ECDSA(hashes.SHA256()))
    else:
        raw = key.sign(text)
    return base64.b64encode(raw).decode()


def der(*chain: x509.Certificate) -> tuple[str, ...]:
    return tuple(base64.b64encode(item.public_bytes(Encoding.DER)).decode() for item in chain)


ROOT, MIDDLE, OTHER = (ed25519.Ed25519PrivateKey.generate() for _ in range(3))
ROOT_CERTIFICATE = certified("Root", ROOT, "Root", ROOT, is_authority=True)
MIDDLE_CERTIFICATE = certified("Middle", MIDDLE, "Root", ROOT, is_authority=True)


def presented(key: Key, *, text: bytes = TEXT, time_ms: int = AT_MS) -> Presented:
    own = certified("Alpha Ltd", key, "Middle", MIDDLE)
    return Presented(1, time_ms, KEYIDS, der(own, MIDDLE_CERTIFICATE), sign(key, text), is_disclosed=False)


@pytest.mark.parametrize(
    "key",
    [
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP256R1()),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=["ed25519", "ecdsa", "rsa"],
)
def test_a_chain_that_signs_the_keys(key: Key) -> None:
    shown = presented(key)
    unknown, known = verify_identity(LEDGER, PARTY, shown), verify_identity(LEDGER, PARTY, shown, (ROOT_CERTIFICATE,))
    assert (unknown.is_proven, unknown.is_root_known) == (True, False)
    assert (known.is_proven, known.is_root_known) == (True, True)
    assert (known.subject, known.issuer) == ("O=Alpha Ltd", "O=Root")


def test_what_proves_nothing() -> None:
    """Another key, name, ledger or time than the certificate has, and chains that do not hold."""
    key = ed25519.Ed25519PrivateKey.generate()
    good = presented(key)
    own = certified("Alpha Ltd", key, "Middle", MIDDLE)
    no_authority = certified("Middle", MIDDLE, "Root", ROOT)
    year_ms = 365 * 24 * 3600 * 1000
    cases = {
        "wrong-signature": good._replace(signature=sign(OTHER, TEXT)),
        "outside-validity": good._replace(time_ms=AT_MS + year_ms),
        "not-signed-by-next": good._replace(
            chain=der(own, certified("Middle", OTHER, "Root", ROOT, is_authority=True))
        ),
        "not-an-authority": good._replace(chain=der(own, no_authority)),
        "malformed-certificate": good._replace(chain=("AAAA",)),
    }
    assert {name: verify_identity(LEDGER, PARTY, case).reason for name, case in cases.items()} == {
        name: name for name in cases
    }
    for moved in (good._replace(keyids=("a" * 64,)), presented(key, text=TEXT.replace(b"alpha", b"alphb"))):
        assert verify_identity(LEDGER, PARTY, moved).reason == "wrong-signature"
    assert verify_identity("sha256:" + "2" * 64, PARTY, good).reason == "wrong-signature", "of another ledger"
    stranger = certified("Root", OTHER, "Root", OTHER, is_authority=True)
    assert not verify_identity(LEDGER, PARTY, good, (stranger,)).is_root_known, "the same name, another key"


def test_roots_that_are_none() -> None:
    with pytest.raises(MalformedInput):
        parse_roots(b"no PEM")


def test_the_report_says_who_a_certificate_names(tmp_path: Path) -> None:
    ledger, key = LedgerBuilder("certified", rules=NEWEST_RULES), ed25519.Ed25519PrivateKey.generate()
    who = person("alpha")
    statement = ledger.speech.party_registered(who)
    keyids = sorted(item.public.keyid for item in who.keys)
    lines = ("provenance-ledger/identity/v1", statement["ledger"], "alpha", *keyids)
    text = "".join(f"{line}\n" for line in lines).encode()
    chain = list(der(certified("Alpha Ltd", key, "Middle", MIDDLE), MIDDLE_CERTIFICATE))
    statement["identity"] = {"legal_name": "Alpha Ltd", "certificates": {"chain": chain, "signature": sign(key, text)}}
    ledger.record(signed(statement, *who.all_keys))
    roots = tmp_path / "roots.pem"
    roots.write_bytes(ROOT_CERTIFICATE.public_bytes(Encoding.PEM))

    def party(verdict: Verdict) -> tuple[str, str, bool]:
        assert verdict.exit_code == 0
        (told,) = (item for item in verdict.report["parties"] if item["name"] == "alpha")
        return told["status"], told["certificate"]["subject"], told["certificate"]["is_root_known"]

    assert party(replay_files(tmp_path, ledger.files(), ledger.policy())) == (
        "evidenced by certificate",
        "O=Alpha Ltd",
        False,
    )
    verdict = replay_files(tmp_path, ledger.files(), ledger.policy(), "--identity-roots", str(roots))
    assert party(verdict) == ("evidenced by certificate", "O=Alpha Ltd", True)
