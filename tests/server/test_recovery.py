"""Start-up: the log runs on what it signed, or not at all."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.core.checkpoint import TreeHead, sign_checkpoint
from ledger.core.keys import Signer
from ledger.server import node
from ledger.server.log.intake.workers import Workers
from ledger.server.log.log import Log
from ledger.server.log.state.identity import Identity
from ledger.server.store.contract import IntegrityError, StoreError
from ledger.server.store.sqlite import SQLiteStore
from tests.harness.people import key, person
from tests.harness.reference import ReferenceTree, entry_leaf
from tests.harness.running import ORIGIN, Clock, House, running, submit_all

SIZE = 600
ALPHA = person("alpha")
Tampering = Callable[[sqlite3.Connection], object]


@pytest.fixture(scope="module")
def house() -> House:
    return House()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the stored log of 600 entries lies, once `stored` has made it."""
    return tmp_path_factory.mktemp("original") / "ledger.db"


@pytest.fixture
async def stored(original: Path, house: House, workers: Workers, tmp_path: Path) -> Path:
    """Copy the stored log, and drop its triggers."""
    if not original.exists():
        store = await SQLiteStore.open(original)
        async with running(store, house, workers) as log:
            await submit_all(log, [house.created, house.registration(ALPHA)])
            await submit_all(log, house.listings(ALPHA, SIZE - 2))
        await store.close()
    path = tmp_path / "ledger.db"
    shutil.copy(original, path)
    with sqlite3.connect(path) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
    connection.close()
    return path


async def start(path: Path, identity: Identity, workers: Workers) -> Log:
    """Start a log on the database, and stop it; return it."""
    store = await SQLiteStore.open(path)
    try:
        log = Log(store, identity, workers, Clock())
        await log.start()
        await log.stop()
    finally:
        await store.close()
    return log


def _flip(table: str, column: str, where: str, at: int) -> Tampering:
    """Flip one bit of a blob."""

    def tamper(connection: sqlite3.Connection) -> None:
        ((old,),) = connection.execute(f"SELECT {column} FROM {table} WHERE {where}").fetchall()
        place = at % len(old)
        new = old[:place] + bytes([old[place] ^ 1]) + old[place + 1 :]
        assert connection.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (new,)).rowcount == 1

    return tamper


def _run(statement: str) -> Tampering:
    def tamper(connection: sqlite3.Connection) -> None:
        assert connection.execute(statement).rowcount > 0

    return tamper


def _lengthen(where: str) -> Tampering:
    """Put one more hash at the end of a tile."""

    def tamper(connection: sqlite3.Connection) -> None:
        ((old,),) = connection.execute(f"SELECT hashes FROM tiles WHERE {where}").fetchall()
        connection.execute(f"UPDATE tiles SET hashes = ? WHERE {where}", (old + bytes(32),))

    return tamper


def _sign(size: int, key_label: str, root: bytes | None = None) -> Tampering:
    """Put another checkpoint in the place of the newest."""

    def tamper(connection: sqlite3.Connection) -> None:
        leaves = [entry_leaf(raw) for (raw,) in connection.execute("SELECT raw FROM entries ORDER BY idx")]
        head = TreeHead(size, root or ReferenceTree(leaves).root(size))
        note = sign_checkpoint(ORIGIN, head, key(key_label))
        assert connection.execute(
            f"UPDATE checkpoints SET size = {size}, note = ? WHERE size = {SIZE}", (note,)
        ).rowcount

    return tamper


def _surplus(connection: sqlite3.Connection) -> None:
    connection.execute(f"INSERT INTO entries SELECT {SIZE}, zeroblob(32), raw FROM entries WHERE idx = {SIZE - 1}")


def _swap(connection: sqlite3.Connection) -> None:
    """Exchange the bytes of two of the newest entries."""
    rows = connection.execute("SELECT raw FROM entries WHERE idx IN (590, 591) ORDER BY idx").fetchall()
    for index, (raw,) in zip((591, 590), rows, strict=True):
        connection.execute("UPDATE entries SET raw = ? WHERE idx = ?", (raw, index))


TAMPERINGS: dict[str, Tampering] = {
    "leaf hash, in the first tile": _flip("tiles", "hashes", "level = 0 AND position = 0", 0),
    "leaf hash, in the last, partial tile": _flip("tiles", "hashes", "level = 0 AND position = 2", -1),
    "hash of level 1": _flip("tiles", "hashes", "level = 1", 33),
    "a tile is shorter by one hash": _run("UPDATE tiles SET hashes = substr(hashes, 1, 87*32) WHERE position = 2"),
    "a tile is shorter by one byte": _run("UPDATE tiles SET hashes = substr(hashes, 1, 88*32-1) WHERE position = 2"),
    "a tile is longer by one hash": _lengthen("position = 2"),
    "the level-1 tile is longer": _lengthen("level = 1"),
    "a level too many": _run("INSERT INTO tiles VALUES (2, 0, zeroblob(32))"),
    "the first tile is gone": _run("DELETE FROM tiles WHERE level = 0 AND position = 0"),
    "the middle tile is gone": _run("DELETE FROM tiles WHERE level = 0 AND position = 1"),
    "the last tile is gone": _run("DELETE FROM tiles WHERE level = 0 AND position = 2"),
    "the level-1 tile is gone": _run("DELETE FROM tiles WHERE level = 1"),
    "all tiles are gone": _run("DELETE FROM tiles"),
    "the first entry": _flip("entries", "raw", "idx = 0", 100),
    "an entry in the middle": _flip("entries", "raw", "idx = 300", 200),
    "the last entry": _flip("entries", "raw", f"idx = {SIZE - 1}", -3),
    "two entries are swapped": _swap,
    "the first entry is gone": _run("DELETE FROM entries WHERE idx = 0"),
    "a middle entry is gone": _run("DELETE FROM entries WHERE idx = 300"),
    "the last entry is gone": _run(f"DELETE FROM entries WHERE idx = {SIZE - 1}"),
    "an entry that nobody signed": _surplus,
    "a checkpoint of another key": _sign(SIZE, "mallory"),
    "a checkpoint with another root": _sign(SIZE, "served log", bytes(32)),
    "a true checkpoint of a smaller tree": _sign(SIZE - 1, "served log"),
    "a checkpoint of a larger tree": _sign(SIZE + 1, "served log", bytes(32)),
    "a bit of the checkpoint": _flip("checkpoints", "note", f"size = {SIZE}", -10),
    "a bit of the origin": _flip("checkpoints", "note", f"size = {SIZE}", 0),
    "all checkpoints are gone": _run("DELETE FROM checkpoints"),
    "checkpoints and tiles are gone": lambda connection: connection.executescript(
        "DELETE FROM checkpoints; DELETE FROM tiles"
    ),
}


async def test_an_untouched_log_starts(stored: Path, house: House, workers: Workers) -> None:
    log = await start(stored, house.identity, workers)
    assert log.published is not None
    assert log.published.head.size == SIZE
    assert log.standing.ledger_id == house.created.id


@pytest.mark.parametrize("tamper", TAMPERINGS.values(), ids=TAMPERINGS)
async def test_start_up_refuses_what_was_tampered_with(
    stored: Path, house: House, workers: Workers, tamper: Tampering
) -> None:
    connection = sqlite3.connect(stored)
    tamper(connection)
    connection.commit()
    connection.close()
    with pytest.raises(IntegrityError):
        await start(stored, house.identity, workers)


async def test_old_entries_beyond_the_reread_are_covered_by_their_hashes(
    stored: Path, house: House, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bound on re-reading must not move the link or the time that the next entry continues."""
    monkeypatch.setattr("ledger.server.log.recovery.recovery.REREAD_ENTRIES", 10)
    store = await SQLiteStore.open(stored)
    async with running(store, house, workers) as log:
        (recorded,) = await submit_all(log, house.listings(ALPHA, 1))
        (last,) = await store.entries(SIZE - 1, SIZE)
        assert recorded.entry.previous == entry_leaf(last).hex()
    await store.close()
    connection = sqlite3.connect(stored)
    connection.execute("DROP TRIGGER entries_are_never_changed")  # opening the store made it anew
    _flip("entries", "raw", f"idx = {SIZE - 5}", 100)(connection)
    connection.commit()
    connection.close()
    with pytest.raises(IntegrityError):
        await start(stored, house.identity, workers)


async def _run_node(directory: Path, log_key: Signer, service_key: Signer) -> None:
    await node.run(directory, log_key, service_key, host="127.0.0.1", port=0, ready=lambda *_: pytest.fail("it serves"))


async def test_a_ledger_is_made_once_and_runs_with_its_own_keys_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "system_clock", Clock())
    house = House()
    identity = house.identity
    with pytest.raises(StoreError, match="no ledger"):
        await _run_node(tmp_path, identity.log_key, identity.service_key)
    recorded = await node.create(tmp_path, identity, house.created)
    assert recorded.statement_id == house.created.id
    with pytest.raises(StoreError, match="once"):
        await node.create(tmp_path, identity, house.created)
    with pytest.raises(IntegrityError, match="service key"):
        await _run_node(tmp_path, identity.log_key, key("another service"))
    with pytest.raises(IntegrityError, match="log key"):
        await _run_node(tmp_path, key("another log"), identity.service_key)
    (tmp_path / node.DATABASE).unlink()
    await (await SQLiteStore.open(tmp_path / node.DATABASE)).close()
    with pytest.raises(IntegrityError, match="no entry 0"):
        await _run_node(tmp_path, identity.log_key, identity.service_key)
