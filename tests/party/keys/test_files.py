"""Key files: what is written opens again, only with its passphrase, and a hostile one costs nothing."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from nacl.pwhash import argon2id

from ledger.core.keys import SigningKey
from ledger.party.errors import AlreadyThere, NotAKeyFile, WrongPassphrase
from ledger.party.keys.files import MEMORY_BYTES, OPS, read_key, write_key
from ledger.party.keys.signers import read_public

PASSPHRASE = b"correct horse battery staple"


@pytest.fixture
def key() -> SigningKey:
    return SigningKey.generate()


@pytest.fixture
def path(tmp_path: Path, key: SigningKey) -> Path:
    path = tmp_path / "alpha.key"
    write_key(path, key, PASSPHRASE)
    return path


def test_a_written_key_opens_again_and_only_its_owner_can_read_the_file(path: Path, key: SigningKey) -> None:
    assert read_key(path, PASSPHRASE) == key
    assert read_public(path) == key.public
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    document = json.loads(path.read_bytes())
    assert (document["seed"]["ops"], document["seed"]["memory_bytes"]) == (OPS, MEMORY_BYTES)
    assert document["keyid"] == key.public.keyid
    assert key.seed.hex() not in path.read_text()


def test_another_passphrase_does_not_open_it_and_is_not_repeated(path: Path) -> None:
    with pytest.raises(WrongPassphrase) as caught:
        read_key(path, b"incorrect donkey")
    assert "donkey" not in str(caught.value)
    assert caught.value.path == path


def test_a_key_is_never_overwritten(path: Path, tmp_path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(AlreadyThere):
        write_key(path, SigningKey.generate(), PASSPHRASE)
    assert path.read_bytes() == before
    target = tmp_path / "elsewhere"
    link = tmp_path / "link.key"
    link.symlink_to(target)
    with pytest.raises(AlreadyThere):
        write_key(link, SigningKey.generate(), PASSPHRASE)
    assert not target.exists()


@pytest.mark.parametrize(
    ("member", "value"),
    [("memory_bytes", 2**40), ("ops", 2**31), ("memory_bytes", -1), ("ops", 0), ("salt", "AAAA"), ("kdf", "none")],
)
def test_hostile_parameters_are_refused_before_they_cost_anything(
    path: Path, monkeypatch: pytest.MonkeyPatch, member: str, value: Any
) -> None:
    document = json.loads(path.read_bytes())
    document["seed"][member] = value
    path.write_text(json.dumps(document))
    monkeypatch.setattr(argon2id, "kdf", None)  # which nobody may call
    with pytest.raises(NotAKeyFile):
        read_key(path, PASSPHRASE)


def test_a_swapped_public_key_is_noticed(path: Path) -> None:
    other = SigningKey.generate().public
    document = json.loads(path.read_bytes()) | other.document() | {"keyid": other.keyid}
    path.write_text(json.dumps(document))
    with pytest.raises(NotAKeyFile):
        read_key(path, PASSPHRASE)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b"[" * 100, b"x" * 20_000, b'{"type":"other"}'])
def test_other_files_are_named_as_no_key_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(NotAKeyFile):
        read_public(path)
