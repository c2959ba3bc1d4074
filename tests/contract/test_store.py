"""One suite over every store (ledger/server/store/contract.py), and what SQLite promises beside it."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from ledger.core.merkle import Node, perfect_nodes
from ledger.registry.facts import Fact, LicenseFact, ListingFact, PartyFact, party_key
from ledger.server.log.state.frontier import Frontier
from ledger.server.store.contract import (
    Batch,
    IntegrityError,
    NewEntry,
    Pending,
    Store,
    StoredCheckpoint,
    StoreError,
    StoreLockedError,
)
from ledger.server.store.sqlite import SQLiteStore
from tests.harness.memory_store import MemoryStore
from tests.harness.reference import ReferenceTree, entry_leaf

MINUTE_MS = 60_000


@dataclass
class Source:
    """Makes batches that follow on one another, of entries that need not be statements."""

    frontier: Frontier = field(default_factory=Frontier)
    leaves: list[bytes] = field(default_factory=list)

    def batch(
        self, count: int, time_ms: int = 0, facts: Sequence[Fact] = (), subjects: dict[int, list[str]] | None = None
    ) -> Batch:
        """Return the next `count` entries; `subjects` are those of some indexes, beside each entry's own id."""
        start, self.frontier = self.frontier.size, self.frontier.copy()
        entries = []
        for index in range(start, start + count):
            concerned = [name_of(index), *(subjects or {}).get(index, [])]
            entries.append(NewEntry(index, name_of(index), raw_of(index), sorted(concerned)))
            self.leaves.append(entry_leaf(raw_of(index)))
            self.frontier.grow(self.leaves[-1])
        size = start + count
        checkpoint = StoredCheckpoint(size, time_ms, note_of(size))
        return Batch(entries, list(facts), self.frontier.tiles_since(start), checkpoint)


def name_of(index: int) -> str:
    return f"sha256:{index:064x}"


def raw_of(index: int) -> bytes:
    return b"entry %d \x00\xff" % index


def note_of(size: int) -> bytes:
    return b"note of %d\n" % size


def listing(index: int, *subjects: str) -> ListingFact:
    return ListingFact(index, name_of(index), [name_of(index), *subjects], subjects[0], f"Listing {index}")


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    made: Store = MemoryStore() if request.param == "memory" else await SQLiteStore.open(tmp_path / "ledger.db")
    yield made
    await made.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


async def contents(store: Store) -> list[object]:
    """Return all that a store of entries without facts would tell."""
    return [
        await store.entries(0, 10_000),
        await store.checkpoint(),
        [tile for level in range(3) async for tile in store.tiles(level)],
        await store.history([name_of(index) for index in range(20)] + ["alpha"]),
        await store.facts("listing", None, -1, 100),
    ]


async def test_an_empty_store_has_nothing(store: Store) -> None:
    assert await contents(store) == [[], None, [], [], []]
    assert await store.checkpoint(0) is None
    assert await store.index_of(name_of(0)) is None
    assert await store.tile(0, 0) == b""
    assert (await store.view(["ledger"], [name_of(0)])).recorded == {}
    assert await store.free_bytes() > 0


async def test_batches_are_read_back(store: Store) -> None:
    source = Source()
    for count in (1, 3, 600):
        await store.append(source.batch(count))
    assert await store.entries(0, 604) == [raw_of(index) for index in range(604)]
    assert await store.entries(2, 5) == [raw_of(2), raw_of(3), raw_of(4)]
    assert await store.entries(602, 700) == [raw_of(602), raw_of(603)], "only those that exist"
    assert await store.entries(5, 5) == []
    assert [await store.index_of(name_of(index)) for index in (0, 3, 603, 604)] == [0, 3, 603, None]
    assert await store.checkpoint() == StoredCheckpoint(604, 0, note_of(604))


@pytest.mark.parametrize("skip", [-2, -1, 1])
async def test_a_batch_that_starts_elsewhere_changes_nothing(store: Store, skip: int) -> None:
    source = Source()
    await store.append(source.batch(3, facts=[listing(1, "alpha")], subjects={1: ["alpha"]}))
    before = await contents(store)
    other = Source()
    other.batch(3 + skip)
    wrong = other.batch(4, MINUTE_MS, [listing(2, "alpha")], {4: ["alpha"]})
    with pytest.raises(StoreError):
        await store.append(wrong)
    assert await contents(store) == before
    await store.append(source.batch(1))
    assert await store.entries(3, 9) == [raw_of(3)], "and the right one still enters"


async def test_the_newest_checkpoint_and_the_first_of_each_minute_are_kept(store: Store) -> None:
    source = Source()
    minutes = [0, 0.2, 0.9, 1, 1.5, 1.9, 2.5, 4, 4.1]  # size 1, 2, 3, … in order
    kept_at_the_end = {1, 4, 7, 8, 9}
    for size, minute in enumerate(minutes, 1):
        await store.append(source.batch(1, int(minute * MINUTE_MS)))
        newest = StoredCheckpoint(size, int(minute * MINUTE_MS), note_of(size))
        assert await store.checkpoint() == await store.checkpoint(size) == newest
    kept = {size for size in range(12) if await store.checkpoint(size) is not None}
    assert kept == kept_at_the_end
    assert await store.checkpoint(4) == StoredCheckpoint(4, MINUTE_MS, note_of(4))


async def test_cosigned_checkpoints_are_kept_in_place_of_plain_ones(store: Store) -> None:
    source = Source()
    assert await store.cosigned() is None
    for size in range(1, 6):
        await store.append(source.batch(1, size))
    plain = await store.checkpoint()
    assert plain is not None
    lines = StoredCheckpoint(5, 5, plain.note + b"a line")
    for kept in (lines, StoredCheckpoint(5, 5, lines.note + b"another")):
        await store.keep_cosigned(kept)
        assert await store.cosigned() == await store.checkpoint() == await store.checkpoint(5) == kept
    await store.append(source.batch(1, 6))
    assert await store.checkpoint() == StoredCheckpoint(6, 6, note_of(6)), "the newest has no cosignature yet"
    assert await store.checkpoint(5) == await store.cosigned() == kept


async def test_the_first_cosigned_of_each_minute_and_the_newest_are_kept(store: Store) -> None:
    source = Source()
    minutes = [0, 0.2, 0.9, 1, 1.5, 1.9, 2.5, 4, 4.1]
    for size, minute in enumerate(minutes, 1):
        await store.append(source.batch(1, 0))
        await store.keep_cosigned(StoredCheckpoint(size, int(minute * MINUTE_MS), b"%d" % size))
        await store.keep_cosigned(StoredCheckpoint(size, int(minute * MINUTE_MS), b"%d more" % size))
    kept = {size for size in range(12) if (one := await store.checkpoint(size)) and one.note.endswith(b"more")}
    assert kept == {1, 4, 7, 8, 9}


async def test_nodes_and_tiles_at_sizes_around_every_boundary(store: Store) -> None:
    source = Source()
    sizes = [1, 255, 256, 257, 511, 513, 5000, 65_279, 65_535, 65_536, 65_537, 65_793, 66_048]
    random = Random(7)
    for size in sizes:
        await store.append(source.batch(size - source.frontier.size))
        tree = ReferenceTree(source.leaves)
        wanted = set(perfect_nodes(0, size))
        for _ in range(20):
            level = random.randrange(size.bit_length())
            wanted.add(Node(level, random.randrange(size >> level)))
        found = await store.nodes(wanted)
        assert found == {
            node: tree._mth(node.position << node.level, (node.position + 1) << node.level) for node in wanted
        }
        for level in range(4):
            width = 256**level
            hashes = [tree._mth(at * width, (at + 1) * width) for at in range(size // width)]
            tiles = [b"".join(hashes[at : at + 256]) for at in range(0, len(hashes), 256)]
            assert [tile async for tile in store.tiles(level)] == tiles, (size, level)
            assert await store.tile(level, len(tiles)) == b""
            if tiles:
                assert await store.tile(level, len(tiles) - 1) == tiles[-1]


@pytest.mark.parametrize("node", [Node(0, 300), Node(8, 1), Node(9, 0), Node(3, 37)])
async def test_a_node_that_is_not_stored_is_an_integrity_error(store: Store, node: Node) -> None:
    await store.append(Source().batch(300))
    with pytest.raises(IntegrityError):
        await store.nodes([Node(0, 0), node])


async def test_a_view_holds_what_was_asked_for(store: Store) -> None:
    source = Source()
    party = PartyFact(0, "alpha", ["ab" * 32])
    terms = {"purposes": ["ré\nsearch"], "valid_from_ms": 0, "valid_until_ms": 2**53 - 1}
    agreed = LicenseFact(2, name_of(2), ["alpha", "beta"], name_of(1), "alpha", "beta", terms)
    await store.append(source.batch(3, facts=[party, listing(1, "alpha"), agreed]))
    changed = ListingFact(1, name_of(1), [name_of(1), "alpha"], "alpha", "Listing 1", withdrawn_index=3)
    await store.append(source.batch(1, facts=[changed]))

    view = await store.view([party_key("alpha"), name_of(1), name_of(2), "nothing"], [name_of(3), name_of(4)])
    assert view.get(PartyFact, party_key("alpha")) == party
    assert view.get(ListingFact, name_of(1)) == changed, "the newest, at the index of the entry that made it"
    assert view.get(LicenseFact, name_of(2)) == agreed
    assert view.get(PartyFact, "nothing") is None
    assert view.recorded == {name_of(3): 3}
    assert (await store.view([name_of(1)], [])).get(PartyFact, party_key("alpha")) is None, "not asked for"


async def test_a_view_of_more_ids_than_a_query_can_name(store: Store) -> None:
    await store.append(Source().batch(12_000))
    view = await store.view([], [name_of(index) for index in range(25_000)])
    assert view.recorded == {name_of(index): index for index in range(12_000)}


async def test_a_history_is_of_any_of_the_subjects_in_order(store: Store) -> None:
    subjects = {0: ["alpha"], 2: ["alpha", "beta"], 4: ["beta"], 300: ["alpha"]}
    source = Source()
    await store.append(source.batch(3, subjects=subjects))
    await store.append(source.batch(400, subjects=subjects))
    assert await store.history(["alpha"]) == [0, 2, 300]
    assert await store.history(["beta", "alpha"]) == [0, 2, 4, 300]
    assert await store.history([name_of(7), name_of(3), "beta"]) == [2, 3, 4, 7], "an entry concerns its own statement"
    assert await store.history(["gamma"]) == []


async def test_facts_come_by_kind_subject_and_page(store: Store) -> None:
    source = Source()
    owners = {1: "alpha", 3: "beta", 4: "alpha", 6: "alpha", 8: "beta"}
    facts: list[Fact] = [listing(index, owner) for index, owner in owners.items()]
    subjects = {index: [owner] for index, owner in owners.items()}
    await store.append(source.batch(9, facts=[*facts, PartyFact(0, "alpha", [])], subjects=subjects))

    async def indexes(subject: str | None, after: int = -1, limit: int = 100) -> list[int]:
        return [fact.index for fact in await store.facts("listing", subject, after, limit)]

    assert await store.facts("listing", None, -1, 100) == facts
    assert await store.facts("party", None, -1, 100) == [PartyFact(0, "alpha", [])]
    assert await indexes("alpha") == [1, 4, 6]
    assert await indexes("gamma") == []
    assert await indexes(name_of(4)) == [4], "an entry concerns its own statement"
    assert await indexes(None, limit=2) == [1, 3]
    assert await indexes(None, after=3, limit=2) == [4, 6]
    assert await indexes("alpha", after=1, limit=1) == [4]
    assert await indexes(None, after=8) == []


def pending(index: int) -> Pending:
    return Pending(name_of(index), b"envelope %d" % index, b"promise %d" % index)


async def test_what_is_promised_is_kept_until_it_is_recorded(store: Store) -> None:
    """In the order of the promises; what is recorded is no longer pending, by the same write."""
    source = Source()
    await store.append(source.batch(1))
    assert await store.pending() == []
    await store.keep_pending([pending(3), pending(1)])
    await store.keep_pending([pending(2)])
    await store.keep_pending([])
    assert await store.pending() == [pending(3), pending(1), pending(2)]
    assert await store.entries(0, 9) == [raw_of(0)]
    await store.append(source.batch(2))
    assert await store.pending() == [pending(3)]
    await store.drop_pending([name_of(3), name_of(9)])
    assert await store.pending() == []


async def test_a_batch_that_fails_leaves_what_is_pending(store: Store) -> None:
    source = Source()
    await store.append(source.batch(1))
    await store.keep_pending([pending(1)])
    other = Source()
    with pytest.raises(StoreError):
        await store.append(other.batch(3))
    assert await store.pending() == [pending(1)]


async def test_sqlite_keeps_promises_when_it_is_opened_again(path: Path) -> None:
    store = await SQLiteStore.open(path)
    await store.keep_pending([pending(1)])
    with pytest.raises(StoreError):
        await store.keep_pending([pending(2), pending(1)])
    await store.close()
    store = await SQLiteStore.open(path)
    assert await store.pending() == [pending(1)], "all of them or none"
    await store.close()


async def test_sqlite_keeps_everything_when_it_is_opened_again(path: Path) -> None:
    store = await SQLiteStore.open(path)
    await store.append(Source().batch(300, facts=[listing(1, "alpha")], subjects={1: ["alpha"]}))
    before = await contents(store)
    await store.close()
    store = await SQLiteStore.open(path)
    assert await contents(store) == before
    await store.close()


async def test_sqlite_writes_all_of_a_batch_or_nothing(path: Path) -> None:
    store = await SQLiteStore.open(path)
    source = Source()
    await store.append(source.batch(2))
    before = await contents(store)
    good = source.batch(3, MINUTE_MS, [listing(2, "alpha")], {2: ["alpha"]})
    late = Batch(good.entries, good.facts, {(0, 0): b"too short for a hash"}, good.checkpoint)
    with pytest.raises(StoreError):
        await store.append(late)  # entries, subjects and facts are written before the tile that fails
    assert await contents(store) == before
    await store.append(good)
    assert await store.entries(0, 9) == [raw_of(index) for index in range(5)]
    await store.close()


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE entries SET raw = x'00' WHERE idx = 1", "never changed"),
        ("UPDATE entries SET idx = 9 WHERE idx = 1", "never changed"),
        ("DELETE FROM entries WHERE idx = 2", "never deleted"),
        ("DELETE FROM entries", "never deleted"),
        ("INSERT OR REPLACE INTO entries (idx, statement_id, raw) VALUES (1, x'01', x'00')", "only appended"),
        (
            "INSERT OR REPLACE INTO entries (idx, statement_id, raw) SELECT 3, statement_id, raw FROM entries",
            "only appended",
        ),
        ("INSERT INTO entries (idx, statement_id, raw) VALUES (4, x'01', x'00')", "only appended"),
        ("INSERT INTO entries (idx, statement_id, raw) VALUES (3, x'01', 'text')", "cannot store TEXT"),
        ("INSERT INTO entries (idx, statement_id, raw) VALUES (3, x'01', zeroblob(65536))", "CHECK"),
    ],
)
async def test_sqlite_itself_protects_entries(path: Path, statement: str, message: str) -> None:
    store = await SQLiteStore.open(path)
    await store.append(Source().batch(3))
    await store.close()
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.Error, match=message):
        connection.execute(statement)
    connection.close()
    store = await SQLiteStore.open(path)
    assert await store.entries(0, 99) == [raw_of(index) for index in range(3)]
    await store.close()


async def test_sqlite_settings_are_those_that_durability_needs(path: Path) -> None:
    store = await SQLiteStore.open(path)
    await store.append(Source().batch(1))
    for pragma, expected in {"journal_mode": "wal", "synchronous": 2}.items():
        assert list(await store._writer.execute_fetchall(f"PRAGMA {pragma}")) == [(expected,)]
    tables = list(
        await store._writer.execute_fetchall("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'")
    )
    ours = {name: strict for name, strict in tables if not name.startswith("sqlite_")}
    assert set(ours) >= {"entries", "tiles", "checkpoints", "facts", "subjects", "findings", "derived", "pending"}
    assert all(ours.values()), "every table is STRICT"
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await store._reader.execute_fetchall("DELETE FROM tiles")
    for name in ("ledger.db", "ledger.db-wal", "ledger.db.lock"):
        assert stat.S_IMODE(path.with_name(name).stat().st_mode) == 0o600, name
    await store.close()


async def test_sqlite_has_one_writer(path: Path) -> None:
    store = await SQLiteStore.open(path)
    with pytest.raises(StoreLockedError):
        await SQLiteStore.open(path)
    program = (
        "import asyncio, pathlib, sys\n"
        "from ledger.server.store.sqlite import SQLiteStore\n"
        "from ledger.server.store.contract import StoreLockedError\n"
        "try: asyncio.run(SQLiteStore.open(pathlib.Path(sys.argv[1])))\n"
        "except StoreLockedError: print('locked')"
    )
    second = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, timeout=30, check=True
    )
    assert second.stdout == "locked\n"
    await store.append(Source().batch(1))
    await store.close()
    await (await SQLiteStore.open(path)).close()


def _foreign(path: Path, application: int, version: int) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE photos (name TEXT)")
    connection.execute(f"PRAGMA application_id = {application}")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("application", "version"),
    [(0x1234, 1), (0, 1), (0x50_4C_44_47, 4), (0, 0)],
    ids=["other", "none", "newer", "plain"],
)
async def test_sqlite_refuses_a_database_that_is_not_its_own_and_leaves_it_alone(
    path: Path, application: int, version: int
) -> None:
    _foreign(path, application, version)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not a ledger's database"):
        await SQLiteStore.open(path)
    assert path.read_bytes() == before


async def test_sqlite_refuses_what_it_cannot_open(path: Path) -> None:
    path.write_bytes(b"A diary, and no database at all. " * 200)
    with pytest.raises(StoreError, match="not a database"):
        await SQLiteStore.open(path)
    with pytest.raises(StoreError):
        await SQLiteStore.open(path.parent / "missing" / "ledger.db")
    path.write_bytes(b"")
    await (await SQLiteStore.open(path)).close()  # and the lock was let go of
