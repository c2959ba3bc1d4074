"""A flipped bit of a database, wherever it lies, is found by `ledger check`, or has changed nothing that is stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from ledger.core.errors import LedgerError
from ledger.server.copies.backup import backup, check_copy
from ledger.server.log.intake.workers import Workers
from ledger.server.log.recovery import recovery
from ledger.server.store.sqlite import SQLiteStore
from tests.harness.people import person
from tests.harness.running import House, running, submit_all

ALPHA, BETA = person("alpha"), person("beta")
SIZE = 306


@pytest.fixture(autouse=True)
def _starts_reread_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave to the check what a start of a long log leaves to it."""
    monkeypatch.setattr(recovery, "REREAD_ENTRIES", 16)


@pytest.fixture(scope="module")
def house() -> House:
    return House()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("checked")


@pytest.fixture
async def database(place: Path, house: House, workers: Workers) -> Path:
    """Make a log with hand-offs and listings, once, and stop it; all of it is in its one file."""
    path = place / "ledger.db"
    if not path.exists():
        store = await SQLiteStore.open(path)
        async with running(store, house, workers) as log:
            await submit_all(log, [house.created, *house.story(ALPHA, BETA), *house.listings(ALPHA, SIZE - 7)])
        await store.close()
    return path


def shown(done: int, total: int) -> None:
    """Show nothing."""


def contents(path: Path) -> list[str]:
    """Return everything that is stored, as statements that would make it again."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return list(connection.iterdump())


def flipped(database: Path, path: Path, offset: int, bit: int) -> Path:
    """Copy the database with one bit turned."""
    raw = bytearray(database.read_bytes())
    raw[offset] ^= 1 << bit
    path.write_bytes(raw)
    return path


def places(database: Path, count: int) -> Iterator[tuple[int, int]]:
    """Yield a bit of every page, then bits anywhere."""
    random, size = Random(f"flips {count}"), database.stat().st_size
    page_bytes = 4096
    yield from ((random.randrange(at, at + page_bytes), random.randrange(8)) for at in range(0, size, page_bytes))
    yield from ((random.randrange(size), random.randrange(8)) for _ in range(count))


async def test_a_sound_database_is_said_to_be(database: Path, tmp_path: Path) -> None:
    head, is_compared = await check_copy(database, tmp_path, shown)
    assert (head.size, is_compared) == (SIZE, True)


@pytest.mark.parametrize("part", range(4))
async def test_a_flipped_bit_is_found_or_changed_nothing(database: Path, tmp_path: Path, part: int) -> None:
    """Over every page: where the check says that all is sound, what is stored is what was stored before."""
    before = contents(database)
    found = 0
    for at, (offset, bit) in list(enumerate(places(database, 24)))[part::4]:
        work = tmp_path / str(at)
        work.mkdir()
        damaged = flipped(database, work / "damaged.db", offset, bit)
        try:
            await check_copy(damaged, work, shown)
        except LedgerError:
            found += 1
            continue
        assert contents(damaged) == before, (offset, bit)
    assert found > 10


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("UPDATE entries SET raw = CAST(replace(raw, x'7b22', x'7b23') AS BLOB) WHERE idx = 9", "entry 9"),
        ("UPDATE entries SET statement_id = zeroblob(32) WHERE idx = 20", "entry 20"),
        ("DELETE FROM entries WHERE idx = 30", "30"),
        ("DELETE FROM subjects WHERE idx = 12", "entry 12"),
        ("UPDATE facts SET document = replace(document, 'Dataset', 'Datasat') WHERE idx = 12", "entry 12"),
        ("DELETE FROM facts WHERE idx = 14", "entry 14"),
        ("INSERT INTO subjects (subject, idx) VALUES ('nobody.example', 40)", "nobody.example"),
    ],
)
async def test_what_is_damaged_is_named(database: Path, tmp_path: Path, damage: str, words: str) -> None:
    """Far from the newest entries, which a start reads again; a backup takes what can be derived again as it is."""
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(database.read_bytes())
    with closing(sqlite3.connect(damaged)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        assert connection.execute(damage).rowcount > 0
        connection.commit()
    (tmp_path / "work").mkdir()
    with pytest.raises(LedgerError, match=words):
        await check_copy(damaged, tmp_path / "work", shown)
    if " entries " in damage:
        with pytest.raises(LedgerError, match=words):
            await backup(damaged, tmp_path / "backup.db", shown)
        assert not (tmp_path / "backup.db").exists()
