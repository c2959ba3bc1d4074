"""Time-stamp tokens of a real authority (`openssl ts`), and of everything that is none (docs/format.md §21)."""

from __future__ import annotations

import random
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from tests.harness.tsa import Authority
from verifier.core.certificates import Roots
from verifier.core.errors import MalformedInput
from verifier.times.der import Reader, read_whole
from verifier.times.form import parse_token
from verifier.times.tokens import Stamp, Status, parse_tsa_roots, verify_token

TEXT = b"ledger.example/log\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa") / "rsa")


@pytest.fixture(scope="module")
def roots(authority: Authority) -> Roots:
    return parse_tsa_roots(authority.root)


@pytest.fixture(scope="module")
def raw(authority: Authority) -> bytes:
    return authority.stamp(TEXT)


def outcome(stamp: Stamp) -> tuple[Status, str]:
    return stamp.status, stamp.reason


def test_a_token_is_dated(authority: Authority, roots: Roots, raw: bytes) -> None:
    """With or without the answer around it; the bound is the time and the accuracy of 1.5 s, not before now."""
    now_ms = datetime.now(UTC).timestamp() * 1000
    for token in (raw, authority.token(TEXT)):
        stamp = verify_token(token, [b"another", TEXT], roots)
        assert outcome(stamp) == (Status.DATED, "")
        assert stamp.authority == "CN=Clock,O=Test"
        assert abs(stamp.not_after_ms - now_ms) < 60_000
    token_1 = parse_token(raw)
    assert token_1.not_after_ms - token_1.time_ms == 1500


@pytest.mark.parametrize("digest", ["sha384", "sha512"])
def test_hashes_curves_and_both_ways_to_name_a_certificate(tmp_path: Path, digest: str, authority: Authority) -> None:
    """ECDSA over P-384; the old attribute with SHA-1; imprints of three hashes."""
    other = Authority(tmp_path / "ec", kind="ec", digest=digest, ess="sha1" if digest == "sha384" else digest)
    stamp = verify_token(other.stamp(TEXT, digest), [TEXT], parse_tsa_roots(other.root))
    assert outcome(stamp) == (Status.DATED, "")
    assert (
        outcome(verify_token(authority.stamp(TEXT, digest), [TEXT], parse_tsa_roots(authority.root)))[0] is Status.DATED
    )


def test_rsa_pss_with_one_hash_throughout(authority: Authority, roots: Roots) -> None:
    """As OpenSSL signs it with a salt of the hash's length; other masks and salts tell no time, and are no fault."""
    salt = "rsa_pss_saltlen:digest"
    for digest in ("sha256", "sha384", "sha512"):
        token = authority.token_pss(TEXT, digest, salt)
        assert outcome(verify_token(token, [TEXT], roots)) == (Status.DATED, "")
        assert outcome(verify_token(token[:-1] + bytes([token[-1] ^ 1]), [TEXT], roots)) == (
            Status.FALSE,
            "wrong-signature",
        )
    for other in (
        ["rsa_pss_saltlen:0"],
        ["rsa_pss_saltlen:20"],
        [salt, "rsa_mgf1_md:sha512"],
        [salt, "rsa_mgf1_md:sha1"],
    ):
        token = authority.token_pss(TEXT, "sha256", *other)
        assert outcome(verify_token(token, [TEXT], roots)) == (Status.UNKNOWN, "unsupported-padding"), other
    mgf1 = bytes.fromhex("06092a864886f70d010108")
    bent = authority.token_pss(TEXT, "sha256", salt).replace(mgf1, mgf1[:-1] + b"\x09")
    assert outcome(verify_token(bent, [TEXT], roots)) == (Status.FALSE, "malformed")
    sha1 = authority.token_pss(TEXT, "sha1", "rsa_pss_saltlen:20")
    assert outcome(verify_token(sha1, [TEXT], roots)) == (Status.UNKNOWN, "unsupported-hash")


def test_the_authoritys_own_certificate_may_be_the_root(authority: Authority) -> None:
    """And need not have come along then."""
    own = parse_tsa_roots((authority.directory / "tsa.pem").read_bytes())
    token = authority.stamp(TEXT, with_certificate=False)
    assert outcome(verify_token(token, [TEXT], own)) == (Status.DATED, "")
    assert outcome(verify_token(token, [TEXT], parse_tsa_roots(authority.root))) == (Status.UNKNOWN, "no-certificate")


def test_what_is_over_something_else_is_false(roots: Roots, raw: bytes) -> None:
    assert outcome(verify_token(raw, [TEXT[:-1]], roots)) == (Status.FALSE, "other-bytes")
    assert outcome(verify_token(raw, [], roots)) == (Status.FALSE, "other-bytes")


def test_another_authority_is_unknown_and_no_fault(tmp_path: Path, raw: bytes) -> None:
    """Also one of the same names: a key, not a name, is trusted."""
    other = Authority(tmp_path / "other")
    stamp = verify_token(raw, [TEXT], parse_tsa_roots(other.root))
    assert outcome(stamp) == (Status.UNKNOWN, "unknown-authority")
    assert stamp.authority == "CN=Clock,O=Test"
    assert stamp.not_after_ms == 0


@pytest.mark.parametrize(
    ("reason", "arguments"),
    [
        ("outside-validity", {"age": timedelta(days=40)}),
        ("outside-validity", {"age": -timedelta(days=1)}),
        ("not-an-authority", {"is_ca": False}),
    ],
)
def test_a_chain_that_does_not_hold(tmp_path: Path, reason: str, arguments: dict[str, Any]) -> None:
    """Periods are judged at the time that the token says; who may not issue issues nothing."""
    wrong = Authority(tmp_path / "wrong", kind="ec", **arguments)
    assert outcome(verify_token(wrong.stamp(TEXT), [TEXT], parse_tsa_roots(wrong.root))) == (Status.UNKNOWN, reason)


@pytest.mark.parametrize(
    ("is_critical", "purposes"),
    [
        (False, [ExtendedKeyUsageOID.TIME_STAMPING]),
        (True, [ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.SERVER_AUTH]),
        (True, [ExtendedKeyUsageOID.SERVER_AUTH]),
    ],
)
def test_a_key_for_something_else_stamps_no_time(
    authority: Authority, is_critical: bool, purposes: list[ObjectIdentifier]
) -> None:
    """A web server's key, under the same root: even where the user trusts its very certificate."""
    token, pem = authority.stamp_as(TEXT, purposes, is_critical=is_critical)
    stamp = verify_token(token, [TEXT], parse_tsa_roots(pem + authority.root))
    assert outcome(stamp) == (Status.UNKNOWN, "not-for-time-stamping")


def test_every_changed_byte_is_noticed(roots: Roots, raw: bytes) -> None:
    """Whichever byte is changed: no traceback, and never another time."""
    good = verify_token(raw, [TEXT], roots)
    numbers = random.Random(3)
    for at in range(len(raw)):
        changed = bytearray(raw)
        changed[at] ^= 1 << numbers.randrange(8)
        stamp = verify_token(bytes(changed), [TEXT], roots)
        if stamp.status is Status.DATED:  # in what nobody signs, such as a certificate that is not needed
            assert (stamp.not_after_ms, stamp.authority) == (good.not_after_ms, good.authority)


def test_every_cut_is_malformed(roots: Roots, raw: bytes) -> None:
    for length in range(0, len(raw), 7):
        assert outcome(verify_token(raw[:length], [TEXT], roots)) == (Status.FALSE, "malformed")
    assert outcome(verify_token(raw + b"\0", [TEXT], roots)) == (Status.FALSE, "malformed")


def test_random_bytes_and_nesting_without_end(roots: Roots) -> None:
    """Bounded in memory, and never deeper than the form asks for."""
    numbers = random.Random(5)
    for _ in range(2000):
        assert verify_token(numbers.randbytes(numbers.randrange(200)), [TEXT], roots).status is Status.FALSE
    deep = b""
    for _ in range(60_000):
        deep = b"\x30\x80" + deep if numbers.random() < 0.01 else b"\x30\x83" + len(deep).to_bytes(3, "big") + deep
        if len(deep) > 1 << 18:
            break
    large = bytes(1 << 22)
    tracemalloc.start()
    assert outcome(verify_token(deep, [TEXT], roots)) == (Status.FALSE, "malformed")
    assert outcome(verify_token(large, [TEXT], roots)) == (Status.FALSE, "malformed")
    assert tracemalloc.get_traced_memory()[1] < 1 << 21
    tracemalloc.stop()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x30",
        b"\x30\x80\x00\x00",  # indefinite
        b"\x30\x81\x01\x00",  # a longer length than need be
        b"\x30\x82\x00\x80" + bytes(128),
        b"\x30\x85\x00\x00\x00\x00\x00",
        b"\x3f\x81\x00\x00",  # a long tag
        b"\x30\x02\x00",
        b"\x30\x00\x00",
        b"\x31\x00",
    ],
)
def test_der_has_one_encoding(raw: bytes) -> None:
    with pytest.raises(MalformedInput):
        read_whole(raw)


@pytest.mark.parametrize("raw", [b"\x02\x00", b"\x02\x02\x00\x01", b"\x02\x02\xff\x80", b"\x04\x01\x00"])
def test_integers_have_one_encoding(raw: bytes) -> None:
    with pytest.raises(MalformedInput):
        Reader(raw).integer()


def test_object_identifiers() -> None:
    assert Reader(bytes.fromhex("060960864801650304 0201")).oid() == "2.16.840.1.101.3.4.2.1"
    assert Reader(bytes.fromhex("06032a0304")).oid() == "1.2.3.4"
    for raw in ("0600", "06022a80", "06032a8001", "0641" + "2a" * 65):
        with pytest.raises(MalformedInput):
            Reader(bytes.fromhex(raw)).oid()


def test_roots_are_certificates() -> None:
    for raw in (b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"text"):
        with pytest.raises(MalformedInput):
            parse_tsa_roots(raw)
