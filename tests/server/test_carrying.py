"""What no entry holds survives a restoring: open promises and time-stamps, from the old database and from a mirror."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509 import Certificate, load_pem_x509_certificates

from ledger.core.dsse import Envelope
from ledger.core.encoding import canonical
from ledger.core.note import parse_note
from ledger.server.copies import carrying
from ledger.server.copies.errors import CopyTooShort
from ledger.server.copies.restoring import Restored, restore
from ledger.server.copies.source import open_files
from ledger.server.log.intake.workers import Workers
from ledger.server.log.recovery.published import PublishedFile, root_at
from ledger.server.log.state.errors import ContradictedError
from ledger.server.store.contract import Pending
from ledger.server.store.sqlite import SQLiteStore
from ledger.server.store.stamps import StoredStamp
from tests.harness.people import person
from tests.harness.running import House, running, serving, submit_all
from tests.harness.tsa import Authority
from tests.harness.waiting import until
from verifier.core.policy import parse_policy
from verifier.mirror.mirror import mirror

ALPHA = person("alpha")
HOUSE = House()
FIRST, SECOND, THIRD = HOUSE.listings(ALPHA, 3)
DAY_MS = 86_400_000


class Place:
    """A ledger of three entries (the newest is the listing FIRST), and a mirror of it."""

    def __init__(self, directory: Path, workers: Workers) -> None:
        self.database, self.mirror, self.workers = directory / "ledger.db", directory / "mirror", workers
        self.notes: dict[int, bytes] = {}
        self.roots: dict[int, bytes] = {}
        self.ledger = ""

    async def make(self) -> None:
        store = await SQLiteStore.open(self.database)
        async with running(store, HOUSE, self.workers) as log:
            for envelope in (HOUSE.created, HOUSE.registration(ALPHA), FIRST):
                await submit_all(log, [envelope])
                assert log.published is not None
                self.notes[log.published.head.size] = log.published.checkpoint
                self.roots[log.published.head.size] = await root_at(store, log.published.head.size)
            self.ledger = log.standing.ledger_id
            policy = parse_policy(f"log {HOUSE.identity.note_key.vkey()}\nquorum none\n".encode())
            self.mirror.mkdir()
            async with serving(log) as served:
                done = await asyncio.to_thread(mirror, served.url, self.mirror, policy, policy.logs[0], lambda *_: None)
            assert (done.failures, done.doubts) == ([], [])
        await store.close()

    def promise(self, envelope: Envelope, **other: object) -> Pending:
        """Return a promise of size 2, or one that is wrong in some way."""
        payload: dict[str, Any] = {
            "deadline_ms": HOUSE.speech.now_ms + DAY_MS,
            "ledger": self.ledger,
            "root": self.roots[2].hex(),
            "size": 2,
            "statement_id": envelope.id,
            "time": HOUSE.speech.now_ms,
            "type": "provenance-ledger.promise/v1",
        }
        return Pending(envelope.id, envelope.recorded, canonical(payload | other))

    async def keep(self, pending: Sequence[Pending] = (), stamps: Sequence[StoredStamp] = ()) -> None:
        """Put into the database what a log would have put there."""
        store = await SQLiteStore.open(self.database)
        await store.keep_pending(pending)
        for stamp in stamps:
            await store.keep_stamp(stamp)
        await store.close()

    def serve_stamps(self, tokens: dict[int, bytes]) -> None:
        folder = self.mirror / "timestamps"
        folder.mkdir()
        (folder / "sizes").write_text("".join(f"{size}\n" for size in tokens))
        for size, token in tokens.items():
            (folder / f"{size}.tsr").write_bytes(token)
            (folder / f"{size}.checkpoint").write_bytes(self.notes[size])

    async def restore(self, roots: Sequence[Certificate] = ()) -> Restored:
        keys = [HOUSE.identity.log_key.public]
        published = PublishedFile(self.database.parent / "published")
        async with open_files(str(self.mirror)) as files:
            return await restore(self.database, files, keys, published, lambda *_: None, tsa_roots=roots)

    async def kept(self) -> tuple[list[str], list[int]]:
        """Return what is promised, and which sizes have a time-stamp."""
        store = await SQLiteStore.open(self.database)
        found = [item.statement_id for item in await store.pending()], await store.stamp_sizes(0, 10)
        await store.close()
        return found


@pytest.fixture
async def place(tmp_path: Path, workers: Workers) -> Place:
    made = Place(tmp_path, workers)
    await made.make()
    return made


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa") / "ec", kind="ec")


async def nothing_pends(store: SQLiteStore) -> bool:
    return await store.pending() == []


async def test_open_promises_are_kept_after_all(place: Place) -> None:
    """In their order; what is among the entries by now is none any more. The next start records them first."""
    await place.keep([place.promise(envelope) for envelope in (FIRST, THIRD, SECOND)])
    restored = await place.restore()
    assert (restored.carried.promises, restored.carried.left_out) == (2, [])
    assert (await place.kept())[0] == [THIRD.id, SECOND.id]
    store = await SQLiteStore.open(place.database)
    async with running(store, HOUSE, place.workers):
        await until(lambda: nothing_pends(store))
        assert [await store.index_of(envelope.id) for envelope in (THIRD, SECOND)] == [3, 4]
    await store.close()


async def test_a_promise_that_a_crash_left_in_the_write_ahead_log(place: Place) -> None:
    """Power was lost right after it was given: the database itself does not have it yet."""
    store = await SQLiteStore.open(place.database)
    await store.keep_pending([place.promise(SECOND)])
    crashed = place.database.parent / "crashed"
    crashed.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(place.database.with_name(place.database.name + suffix), crashed)
    await store.close()
    assert SECOND.recorded not in (crashed / "ledger.db").read_bytes()
    place.database = crashed / "ledger.db"
    assert (await place.restore()).carried.promises == 1
    assert (await place.kept())[0] == [SECOND.id]


async def test_damaged_promises_are_left_out_and_said(place: Place) -> None:
    """The old database may be broken: each promise in it is checked, and one bad one takes no other along."""
    good = place.promise(THIRD)
    other = HOUSE.listings(ALPHA, 4)
    await place.keep(
        [
            Pending(SECOND.id, b"{}", place.promise(SECOND).promise),
            Pending(other[0].id, other[1].recorded, place.promise(other[0]).promise),
            place.promise(other[1], ledger="sha256:" + "0" * 64),
            place.promise(other[2], size="2"),
            Pending(other[3].id, other[3].recorded, b"\xff"),
            good,
        ]
    )
    restored = await place.restore()
    assert (restored.carried.promises, len(restored.carried.left_out)) == (1, 5)
    assert (await place.kept())[0] == [THIRD.id]


@pytest.mark.parametrize(("other", "error"), [({"root": "00" * 32}, ContradictedError), ({"size": 4}, CopyTooShort)])
async def test_a_promise_on_another_tree_stops_it(place: Place, other: dict[str, Any], error: type[Exception]) -> None:
    """The log signed what this mirror lacks: going on from here would fork it, and nothing is changed."""
    await place.keep([place.promise(SECOND, **other)])
    before = place.database.read_bytes()
    with pytest.raises(error):
        await place.restore()
    assert place.database.read_bytes() == before
    assert (await place.kept())[0] == [SECOND.id]


async def test_a_database_that_cannot_be_read_is_no_obstacle(place: Place) -> None:
    """It may be why a mirror is needed; what it held is said to be missing."""
    for suffix in ("-wal", "-shm"):
        place.database.with_name(place.database.name + suffix).unlink(missing_ok=True)
    place.database.write_bytes(bytes(8192))
    restored = await place.restore()
    [said] = restored.carried.left_out
    assert "not a database" in said
    assert restored.before is not None
    place.database.unlink()
    assert (await place.restore()).carried.left_out == []


async def test_time_stamps_come_from_both(place: Place, authority: Authority) -> None:
    """The old database's as they are; the mirror's if the operator's roots vouch for them, else they are counted."""
    tokens = {size: authority.stamp(parse_note(place.notes[size]).text) for size in (2, 3)}
    await place.keep(stamps=[StoredStamp(3, place.notes[3], tokens[3])])
    place.serve_stamps(tokens)
    carried = (await place.restore()).carried
    assert (carried.stamps, len(carried.left_out)) == (1, 1)
    assert "--tsa-roots" in carried.left_out[0]
    assert (await place.kept())[1] == [3]
    carried = (await place.restore(load_pem_x509_certificates(authority.root))).carried
    assert (carried.stamps, carried.left_out) == (2, [])
    store = await SQLiteStore.open(place.database)
    assert await store.stamp(2) == StoredStamp(2, place.notes[2], tokens[2])
    await store.close()


async def test_false_time_stamps_are_left_out(place: Place, authority: Authority, tmp_path: Path) -> None:
    """Garbage, another checkpoint's token, a stranger's: none is kept, and so none served as this log's."""
    stranger = Authority(tmp_path / "stranger", kind="ec")
    text = parse_note(place.notes[2]).text
    roots = load_pem_x509_certificates(authority.root)
    await place.keep(
        stamps=[
            StoredStamp(1, place.notes[1], b"garbage"),
            StoredStamp(3, place.notes[3], authority.stamp(text)),
            StoredStamp(7, place.notes[2], authority.stamp(text)),
        ]
    )
    place.serve_stamps({2: stranger.stamp(text)})
    carried = (await place.restore(roots)).carried
    assert (carried.stamps, len(carried.left_out)) == (0, 4)
    assert (await place.kept())[1] == []


async def test_a_mirror_that_promises_without_end_is_not_asked_for_ever(
    place: Place, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lists time-stamps that it does not have."""
    monkeypatch.setattr(carrying, "MAX_LEFT_OUT", 2)
    place.serve_stamps({1: b"", 2: b"", 3: b""})
    for path in (place.mirror / "timestamps").glob("*.tsr"):
        path.unlink()
    said = (await place.restore(load_pem_x509_certificates(authority.root))).carried.left_out
    assert (len(said), "from 3 entries on" in said[-1]) == (3, True)


async def test_a_mirror_whose_list_is_none(place: Place) -> None:
    (place.mirror / "timestamps").mkdir()
    (place.mirror / "timestamps" / "sizes").write_bytes(b"2\nthree\n")
    [said] = (await place.restore()).carried.left_out
    assert "not a list of sizes" in said
