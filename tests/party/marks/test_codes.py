"""The code of a listing's table, kept encrypted in the locker (docs/marks.md §7)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ledger.core.keys import SigningKey
from ledger.party.errors import VaultDamaged
from ledger.party.vault.locker import Locker

LISTING = "sha256:" + "1" * 64
OTHER = "sha256:" + "2" * 64


def run(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_the_first_code_stays_and_is_encrypted(tmp_path: Path) -> None:
    path = tmp_path / "disclosures.db"
    locker = Locker(path, SigningKey.generate())
    assert locker.code(LISTING, "a") is None
    assert locker.keep_code(LISTING, "a", {"rows": ["N102UW"]}) == {"rows": ["N102UW"]}
    assert locker.keep_code(LISTING, "a", {"rows": ["another"]}) == {"rows": ["N102UW"]}
    assert locker.code(LISTING, "b") is locker.code(OTHER, "a") is None
    assert b"N102UW" not in path.read_bytes()
    run(path, f"UPDATE codes SET listing = '{OTHER}'")
    with pytest.raises(VaultDamaged):
        locker.code(OTHER, "a")


def test_a_locker_from_before_codes_gets_a_place_for_them(tmp_path: Path) -> None:
    path, key = tmp_path / "disclosures.db", SigningKey.generate()
    Locker(path, key)
    run(path, "DROP TABLE codes", "PRAGMA user_version = 1")
    assert Locker(path, key).keep_code(LISTING, "a", 1) == 1
    assert Locker(path, key).code(LISTING, "a") == 1
