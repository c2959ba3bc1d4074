"""Keys, their ids and their signatures (docs/format.md §3); weak points are in tests/conformance/test_vectors.py."""

from __future__ import annotations

from hashlib import sha256

import pytest

from ledger.core.encoding import b64encode
from ledger.core.errors import FormatError
from ledger.core.keys import PublicKey, SigningKey, verify_ed25519
from tests.harness import edwards
from tests.harness.people import key


def test_a_known_key() -> None:
    """RFC 8032 §7.1, test 1."""
    signer = SigningKey(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    assert signer.public.raw == public
    assert signer.public.keyid == sha256(b"ed25519\n" + public).hexdigest()
    assert signer.sign(b"").hex().startswith("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155")
    assert verify_ed25519(public, b"", signer.sign(b""))


def test_a_signature_is_of_one_message_by_one_key() -> None:
    signature = key("a").sign(b"message")
    assert verify_ed25519(key("a").public.raw, b"message", signature)
    assert not verify_ed25519(key("a").public.raw, b"massage", signature)
    assert not verify_ed25519(key("b").public.raw, b"message", signature)
    for bit in range(512):
        flipped = (int.from_bytes(signature, "big") ^ 1 << bit).to_bytes(64, "big")
        assert not verify_ed25519(key("a").public.raw, b"message", flipped)
    assert not verify_ed25519(key("a").public.raw, b"message", signature[:-1])
    assert not verify_ed25519(key("a").public.raw, b"message", signature + b"\0")
    assert not verify_ed25519(b"", b"message", signature)


def test_the_document_reads_back() -> None:
    public = key("a").public
    assert PublicKey.parse(**public.document()) == public


@pytest.mark.parametrize(
    ("alg", "text", "reason", "field"),
    [
        ("sm2", b64encode(bytes(32)), "wrong-value", "/key/alg"),
        ("ml-dsa-44", b64encode(bytes(32)), "wrong-value", "/key/public_key"),
        ("Ed25519", key("a").public.document()["public_key"], "wrong-value", "/key/alg"),
        ("ed25519", "*", "bad-base64", "/key/public_key"),
        ("ed25519", b64encode(bytes(31)), "wrong-value", "/key/public_key"),
        ("ed25519", b64encode(edwards.encode(edwards.IDENTITY)), "weak-key", "/key/public_key"),
        ("ed25519", b64encode(b"\xff" * 32), "weak-key", "/key/public_key"),
    ],
)
def test_no_key(alg: str, text: str, reason: str, field: str) -> None:
    with pytest.raises(FormatError) as caught:
        PublicKey.parse(alg, text, "/key")
    assert (caught.value.reason, caught.value.field) == (reason, field)


def test_a_private_key_shows_its_id_only() -> None:
    signer = key("secret")
    assert repr(signer) == f"SigningKey(keyid={signer.public.keyid})"
    assert signer.seed.hex() not in f"{signer} {signer!r}"


def test_new_keys_differ() -> None:
    assert SigningKey.generate() != SigningKey.generate()
