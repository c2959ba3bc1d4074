"""A log that lost what it has shown does not sign on; a backup and a mirror bring it back."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest

from ledger.core.checkpoint import TreeHead, sign_checkpoint
from ledger.core.hashing import EMPTY_ROOT
from ledger.server.copies.backup import backup
from ledger.server.copies.errors import CopyError, CopyFalse, CopyTooShort, CopyUnreadable
from ledger.server.copies.restoring import Restored, restore
from ledger.server.copies.source import open_files
from ledger.server.log.intake.workers import Workers
from ledger.server.log.log import Log
from ledger.server.log.recovery import published as published_checkpoints
from ledger.server.log.recovery.published import PublishedFile
from ledger.server.log.state.errors import ContradictedError
from ledger.server.store.contract import IntegrityError, StoreError, StoreLockedError
from ledger.server.store.sqlite import SQLiteStore
from tests.harness.people import key, person
from tests.harness.running import ORIGIN, Clock, House, serving, submit_all
from verifier.core.policy import parse_policy
from verifier.mirror.mirror import mirror

ALPHA = person("alpha")
SIZE = 300


class Place:
    """A ledger's directory, on which a log can be run now and then."""

    def __init__(self, directory: Path, house: House, workers: Workers) -> None:
        self.directory, self.house, self.workers = directory, house, workers
        self.database = directory / "ledger.db"
        self.published = PublishedFile(directory / "published")

    async def run(self, count: int = 0) -> int:
        """Start the log, record so many listings, stop it; return its size."""
        store = await SQLiteStore.open(self.database)
        try:
            log = Log(store, self.house.identity, self.workers, Clock(), self.published)
            await log.start()
            try:
                await submit_all(log, self.house.listings(ALPHA, count))
                assert log.published is not None
                return log.published.head.size
            finally:
                await log.stop()
        finally:
            await store.close()

    async def restore(self, location: Path | str) -> Restored:
        async with open_files(str(location)) as files:
            return await restore(
                self.database, files, [self.house.identity.log_key.public], self.published, lambda *_: None
            )


@pytest.fixture
async def place(tmp_path: Path, workers: Workers) -> Place:
    """Make a ledger of 300 entries."""
    house = House()
    made = Place(tmp_path / "ledger", house, workers)
    made.directory.mkdir()
    store = await SQLiteStore.open(made.database)
    log = Log(store, house.identity, workers, Clock(), made.published)
    await log.start()
    await submit_all(log, [house.created, house.registration(ALPHA), *house.listings(ALPHA, SIZE - 2)])
    await log.stop()
    await store.close()
    return made


async def copy(place: Place, target: Path) -> Path:
    """Write a mirror of the log with the verifier, over HTTP."""
    store = await SQLiteStore.open(place.database)
    log = Log(store, place.house.identity, place.workers, Clock(), place.published)
    await log.start()
    async with serving(log) as served:
        policy = parse_policy(f"log {place.house.identity.note_key.vkey()}\nquorum none\n".encode())
        target.mkdir(exist_ok=True)
        results: list[object] = []

        def work() -> None:
            result = mirror(served.url, target, policy, policy.logs[0], lambda *_: None)
            results.extend([result.failures, result.doubts])

        await asyncio.to_thread(work)
        assert results == [[], []]
    await store.close()
    return target


async def test_what_was_shown_is_outside_the_database_before_it_is_answered(place: Place) -> None:
    """The file names the newest size, and only its owner can change it."""
    assert await place.run(1) == SIZE + 1
    note = place.published.read()
    assert note is not None
    assert note.startswith(f"{ORIGIN}\n{SIZE + 1}\n".encode())
    assert [path.name for path in (place.directory / "published").iterdir()] == ["checkpoint"]


async def test_a_store_that_cannot_keep_it_outside_answers_nobody(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk: the batch may be stored, but nobody is shown a checkpoint that is not kept."""

    def full(_path: Path, _note: bytes) -> None:
        raise OSError(28, "No space left on device")

    store = await SQLiteStore.open(place.database)
    log = Log(store, place.house.identity, place.workers, Clock(), place.published)
    await log.start()
    before = log.published
    with monkeypatch.context() as patched:
        patched.setattr(published_checkpoints, "replace_durably", full)
        with pytest.raises(Exception, match="resubmit"):
            await submit_all(log, place.house.listings(ALPHA, 1))
    assert log.published == before
    await log.stop()
    await store.close()
    assert await place.run() == SIZE + 1


async def test_an_old_backup_does_not_sign_and_a_mirror_brings_it_back(place: Place, tmp_path: Path) -> None:
    """The whole way: backup, growth, loss, refusal, restoring from a mirror, going on."""
    saved = tmp_path / "saved.db"
    head = await backup(place.database, saved, lambda *_: None)
    assert head.size == SIZE
    assert saved.stat().st_mode & 0o777 == 0o600
    assert await place.run(5) == SIZE + 5
    whole = await copy(place, tmp_path / "mirror")
    shutil.copy(saved, place.database)
    with pytest.raises(ContradictedError) as caught:
        await place.run()
    assert (caught.value.shown, caught.value.size) == (SIZE + 5, SIZE)
    restored = await place.restore(whole)
    assert restored.head.size == SIZE + 5
    assert restored.before is not None
    assert restored.before.stat().st_size == saved.stat().st_size
    assert await place.run(2) == SIZE + 7
    names = {path.name for path in place.directory.iterdir()}
    assert not {name for name in names if "restoring" in name}


async def test_a_lost_database_is_rebuilt(place: Place, tmp_path: Path) -> None:
    """Facts and findings, too: what refers to an older statement is accepted."""
    whole = await copy(place, tmp_path / "mirror")
    place.database.unlink()
    assert (await place.restore(whole)).before is None
    assert await place.run(1) == SIZE + 1


async def test_a_backup_of_a_running_log_is_of_one_moment(place: Place, tmp_path: Path) -> None:
    """Entries are recorded while pages are copied; the copy checks, and never replaces a file."""
    store = await SQLiteStore.open(place.database)
    log = Log(store, place.house.identity, place.workers, Clock(), place.published)
    await log.start()
    said: list[int] = []
    backed: list[int] = []

    def work() -> None:
        for number in range(4):
            head = asyncio.run(
                backup(place.database, tmp_path / f"{number}.db", lambda done, total: said.append(total - done))
            )
            backed.append(head.size)

    thread = threading.Thread(target=work)
    thread.start()
    while thread.is_alive():
        await submit_all(log, place.house.listings(ALPHA, 20))
        await asyncio.sleep(0)
    thread.join()
    await log.stop()
    await store.close()
    assert len(backed) == 4
    assert backed == sorted(backed)
    assert said[-1] == 0
    with pytest.raises(FileExistsError):
        await backup(place.database, tmp_path / "0.db", lambda *_: None)
    assert {path.name for path in tmp_path.iterdir()} == {"ledger", *(f"{number}.db" for number in range(4))}


async def test_a_damaged_database_is_not_backed_up(place: Place, tmp_path: Path) -> None:
    """A backup that nobody can run is noticed when it is made."""
    connection = sqlite3.connect(place.database)
    connection.execute("UPDATE tiles SET hashes = zeroblob(length(hashes)) WHERE level = 0 AND position = 0")
    connection.commit()
    connection.close()
    with pytest.raises(IntegrityError):
        await backup(place.database, tmp_path / "saved.db", lambda *_: None)
    assert not (tmp_path / "saved.db").exists()
    with pytest.raises(StoreError):
        await backup(tmp_path / "none.db", tmp_path / "saved.db", lambda *_: None)


async def test_restoring_refuses_what_is_no_full_copy_of_this_log(place: Place, tmp_path: Path) -> None:
    """Too short, changed, cut, of another log or key, not there: the database stays as it is."""
    short = await copy(place, tmp_path / "short")
    await place.run(5)
    whole = await copy(place, tmp_path / "whole")
    before = place.database.read_bytes()

    async def refused(kind: type[CopyError], location: Path | str) -> None:
        with pytest.raises(kind):
            await place.restore(location)
        assert place.database.read_bytes() == before
        assert not list(place.directory.glob("*.restoring*"))

    await refused(CopyTooShort, short)
    await refused(CopyUnreadable, tmp_path / "nowhere")
    await refused(CopyUnreadable, "http://127.0.0.1:1")
    await refused(CopyUnreadable, "ftp://127.0.0.1/")
    bundle = whole / "tile/entries/000"
    good = bundle.read_bytes()
    bundle.write_bytes(good[:40] + bytes([good[40] ^ 1]) + good[41:])
    await refused(CopyFalse, whole)
    bundle.write_bytes(good[:-1])
    await refused(CopyFalse, whole)
    bundle.unlink()
    await refused(CopyUnreadable, whole)
    bundle.write_bytes(bytes(1 << 25))
    await refused(CopyUnreadable, whole)
    bundle.write_bytes(good)
    note = (whole / "checkpoint").read_bytes()
    for wrong in (
        sign_checkpoint(ORIGIN, TreeHead(SIZE + 5, bytes(32)), place.house.identity.log_key),
        sign_checkpoint(ORIGIN, TreeHead(2**53 - 1, bytes(32)), key("another")),
        sign_checkpoint(ORIGIN, TreeHead(0, EMPTY_ROOT), place.house.identity.log_key),
        note.replace(f"{SIZE + 5}".encode(), b"9223372036854775808"),
        b"",
    ):
        (whole / "checkpoint").write_bytes(wrong)
        await refused(CopyFalse, whole)
    (whole / "checkpoint").write_bytes(note)
    store = await SQLiteStore.open(place.database)
    with pytest.raises(StoreLockedError):
        await place.restore(whole)
    await store.close()
    assert (await place.restore(whole)).head.size == SIZE + 5


async def test_a_rewritten_past_is_refused_at_start_and_by_restore(place: Place, tmp_path: Path) -> None:
    """The file outside names another root at a size that the database has."""
    whole = await copy(place, tmp_path / "mirror")
    other = sign_checkpoint(ORIGIN, TreeHead(SIZE - 7, bytes(32)), place.house.identity.log_key)
    (place.directory / "published/checkpoint").write_bytes(other)
    for work in (place.run(), place.restore(whole)):
        with pytest.raises(ContradictedError, match="another root"):
            await work
    (place.directory / "published/checkpoint").write_bytes(b"nonsense")
    with pytest.raises(IntegrityError, match="not a checkpoint"):
        await place.run()
    os.unlink(place.directory / "published/checkpoint")  # noqa: PTH108 - as a ledger of older software is
    assert await place.run() == SIZE
