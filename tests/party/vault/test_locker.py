"""What opens our commitments: encrypted, bound to its place, safe against two processes, and gone once erased."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.core.encoding import b64encode, canonical
from ledger.core.keys import SigningKey
from ledger.party.errors import VaultDamaged, VaultError, VaultSealed
from ledger.party.keys.files import write_key
from ledger.party.vault.disclosures import Disclosure
from ledger.party.vault.locker import Locker
from ledger.party.vault.vault import Config, Vault
from tests.harness.people import key

SECRET = "quarterly-figures-of-nobody"
SALT = b64encode(bytes(range(16)))


def name(number: int) -> str:
    return f"sha256:{number:064x}"


def disclosure(number: int = 1, pointer: str = "/title", value: object = SECRET) -> Disclosure:
    return Disclosure(
        issuer="alpha",
        kind="content" if pointer == "/content" else "field",
        ledger=name(0),
        nonce="A" * 22 + "==",
        pointer=pointer,
        salt=SALT,
        statement_id=name(number),
        value=value,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "disclosures.db"


def test_what_is_kept_comes_back_and_nothing_of_it_is_on_the_disk(path: Path) -> None:
    locker = Locker(path, key("a"))
    kept = [disclosure(), disclosure(1, "/content", {"files": []}), disclosure(2, "/keywords/0", ["x", 1, True])]
    locker.keep(kept)
    locker.keep([disclosure(value="another")])
    locker.remember_handed(kept[:1], "the court of Arbitraria", 7)
    again = Locker(path, key("a"))
    assert again.disclosures(name(1)) + again.disclosures(name(2)) == kept
    assert [(place.pointer, place.kind) for place in again.places()] == [
        ("/title", "field"),
        ("/content", "content"),
        ("/keywords/0", "field"),
    ]
    (handed,) = again.handed(name(1))
    assert (handed.pointer, handed.whom, handed.time_ms) == ("/title", "the court of Arbitraria", 7)
    raw = path.read_bytes()
    for secret in (SECRET, SALT, "Arbitraria", "quarterly"):
        assert secret.encode() not in raw
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_lengths_of_boxes_do_not_tell_values_apart(path: Path) -> None:
    Locker(path, key("a")).keep([disclosure(1, value="yes"), disclosure(2, value="certainly not")])
    with sqlite3.connect(path) as connection:
        lengths = {length for (length,) in connection.execute("SELECT length(box) FROM disclosures")}
    connection.close()
    assert len(lengths) == 1


def test_another_key_opens_nothing_and_an_admitted_one_everything(path: Path) -> None:
    locker = Locker(path, key("a"), [key("recovery").public])
    locker.keep([disclosure()])
    with pytest.raises(VaultSealed) as error:
        Locker(path, key("b"))
    assert error.value.keyids == sorted([key("a").public.keyid, key("recovery").public.keyid])
    assert Locker(path, key("recovery")).disclosures(name(1)) == [disclosure()]
    Locker(path, key("recovery")).admit(key("b").public)
    assert Locker(path, key("b")).disclosures(name(1)) == [disclosure()]


def run(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE disclosures SET box = (SELECT box FROM disclosures WHERE pointer = '/b') WHERE pointer = '/title'",
        "UPDATE disclosures SET box = zeroblob(length(box))",
        "UPDATE disclosures SET box = x'00'",
        "UPDATE disclosures SET box = 'text'",
        "UPDATE disclosures SET kind = 'content'",
        "UPDATE disclosures SET pointer = '/other' WHERE pointer = '/title'",
        f"UPDATE disclosures SET statement_id = '{name(2)}'",
        "UPDATE keys SET sealed = zeroblob(80)",
        "PRAGMA application_id = 1",
    ],
)
def test_every_change_is_noticed(path: Path, change: str) -> None:
    Locker(path, key("a")).keep([disclosure(), disclosure(pointer="/b", value="other")])
    run(path, change)
    with pytest.raises(VaultDamaged):
        read_all(path)


def read_all(path: Path) -> list[Disclosure]:
    locker = Locker(path, key("a"))
    return [*locker.disclosures(name(1)), *locker.disclosures(name(2))]


def test_a_file_of_something_else_is_no_vault(path: Path) -> None:
    path.write_bytes(b"not a database at all, but long enough to be one" * 100)
    with pytest.raises(VaultDamaged):
        Locker(path, key("a"))
    path.unlink()
    run(path, "CREATE TABLE t (x)")
    with pytest.raises(VaultDamaged):
        Locker(path, key("a"))
    path.unlink()
    Locker(path, key("a"))
    run(path, "PRAGMA user_version = 9")
    with pytest.raises(VaultError, match="another version"):
        Locker(path, key("a"))


def test_an_erased_salt_is_nowhere_in_the_file_and_is_remembered_as_erased(path: Path) -> None:
    locker = Locker(path, key("a"))
    locker.keep([disclosure(), disclosure(pointer="/other")])
    with sqlite3.connect(path) as connection:
        ((box,),) = connection.execute("SELECT box FROM disclosures WHERE pointer = '/title'").fetchall()
    connection.close()
    assert box in path.read_bytes()
    with pytest.raises(VaultError, match="nothing that opens /nothing"):
        locker.erase(name(1), ["/title", "/nothing"], 5)
    assert len(locker.disclosures(name(1))) == 2
    locker.erase(name(1), ["/title"], 5)
    locker.erase(name(1), ["/title"], 9)
    assert box not in path.read_bytes()
    assert box[:40] not in path.read_bytes()
    assert [(place.pointer, place.erased_ms) for place in locker.places(name(1))] == [("/title", 5), ("/other", None)]
    assert [item.pointer for item in locker.disclosures(name(1))] == ["/other"]
    locker.keep([disclosure()])
    assert [item.pointer for item in locker.disclosures(name(1))] == ["/other"]


def test_a_refused_statement_is_forgotten(path: Path) -> None:
    locker = Locker(path, key("a"))
    locker.keep([disclosure(1), disclosure(2)])
    locker.drop(name(1))
    assert [place.statement_id for place in locker.places()] == [name(2)]


def test_every_connection_waits_for_the_disk_and_overwrites_what_it_deletes(path: Path) -> None:
    with Locker(path, key("a"))._connection() as connection:
        found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "secure_delete")]
    assert found == [3, 1]


WRITER = """
import sys
from pathlib import Path
from tests.party.vault.test_locker import Locker, disclosure, key
locker = Locker(Path(sys.argv[1]), key("a"))
for number in range(25):
    locker.keep([disclosure(int(sys.argv[2]) * 100 + number)])
"""


def test_processes_that_write_at_once_lose_nothing(path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(path)]
    writers = [subprocess.Popen([*command, str(number)]) for number in range(3)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0]
    locker = Locker(path, key("a"))
    assert len(locker.places()) == 75
    assert all(locker.disclosures(place.statement_id) for place in locker.places())


@pytest.fixture
def vault(tmp_path: Path) -> Callable[[], Vault]:
    def make() -> Vault:
        vault = Vault(tmp_path / "home")
        recovery = tmp_path / "recovery.json"
        if not recovery.exists():
            write_key(recovery, key("recovery"), b"p")
        config = Config(key="/k", ledger_url="http://l", party="alpha", policy="", recovery_key=str(recovery))
        vault.keep_config(config)
        return vault

    return make


def test_plain_disclosures_of_an_older_version_are_taken_over_once(vault: Callable[[], Vault]) -> None:
    home = vault()
    plain = home.directory / "disclosures"
    plain.mkdir(mode=0o700)
    old = disclosure(1, "/content", {"files": [{"bytes": 1, "media_type": "text/csv", "sha256": "0" * 64}]})
    (plain / f"{1:064x}.json").write_bytes(canonical(old.model_dump()) + b"\n")
    (plain / "broken.json").write_bytes(b"{}")
    assert home.locker(key("a")).disclosures(name(1)) == [old]
    assert [path.name for path in plain.iterdir()] == ["broken.json"]
    assert home.locker(key("a")).disclosures(name(1)) == [old]


def test_a_lost_signing_key_loses_no_evidence(vault: Callable[[], Vault]) -> None:
    vault().locker(SigningKey.generate()).keep([disclosure()])
    assert vault().locker(key("recovery")).disclosures(name(1)) == [disclosure()]
