"""The vault: owner-only, durable, and no place for a name from the outside to climb out of."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ledger.party.errors import OpenToOthers, VaultError
from ledger.party.vault.vault import Config, Vault

CONFIG = Config(key="/k", ledger_url="http://l", party="alpha", policy="quorum none\n", recovery_key="/r")
ID = "sha256:" + "ab" * 32


def test_only_the_owner_can_read_anything(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    vault = Vault(home)
    vault.keep_config(CONFIG)
    vault.keep_entries([(ID, b"entry", b"receipt")])
    vault.replace_checkpoint("l.example/log", None, b"checkpoint")
    for path in [home, *home.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert vault.config() == CONFIG
    assert vault.entry(ID) == (b"entry", b"receipt")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_directory_that_is_not_ours_keeps_its_mode(tmp_path: Path) -> None:
    home = tmp_path / "home"
    entries = home / "entries"
    entries.mkdir(parents=True)
    (home / "config.json").write_text('{"of": "another program"}')
    for path in (home, entries):
        path.chmod(0o755)
    Vault(home).keep_entries([(ID, b"entry", b"receipt")])
    Vault(home).replace_checkpoint("l", None, b"1")
    assert (mode(home), mode(entries), mode(home / "checkpoints")) == (0o755, 0o755, 0o700)
    (home / "config.json").unlink()
    for bits in (0o775, 0o757, 0o1777):
        home.chmod(bits)
        with pytest.raises(OpenToOthers):
            Vault(home).keep_config(CONFIG)
        with pytest.raises(OpenToOthers):
            Vault(home).keep_entries([(ID, b"", b"")])
        assert mode(home) == bits
    home.chmod(0o755)
    Vault(home).keep_config(CONFIG)
    home.chmod(0o777)
    Vault(home).keep_entries([(ID, b"entry", b"receipt")])
    assert (mode(home), mode(entries)) == (0o700, 0o700)


def test_a_checkpoint_replaces_only_the_one_it_was_compared_with(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    assert vault.replace_checkpoint("l", None, b"5")
    assert Vault(tmp_path).replace_checkpoint("l", b"5", b"9")
    assert not vault.replace_checkpoint("l", b"5", b"7")
    assert vault.checkpoint("l") == b"9"
    assert vault.checkpoint("other") is None


@pytest.mark.parametrize("name", ["../../etc/passwd", "sha256:", ID + "/../x", "sha256:" + "AB" * 32, ""])
def test_only_statement_ids_become_file_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(VaultError):
        Vault(tmp_path).keep_entries([(name, b"", b"")])


def test_a_home_of_nobody_says_so(tmp_path: Path) -> None:
    with pytest.raises(VaultError):
        Vault(tmp_path).config()
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(VaultError):
        Vault(tmp_path).config()
