"""No read of the store scans: the plan of every query, on a log with many entries about one party."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest

from ledger.server.store.sqlite import SQLiteStore
from tests.contract.test_store import Source, listing, name_of

ENTRIES = 600
BUSY = "busy.example"

# Ends of an index, one row a page of it, or a table of one row: no work that grows with the log.
_ALLOWED = (
    re.compile(r"SCAN derived"),  # has one row
    re.compile(r"SCAN CONSTANT ROW"),
    re.compile(r"SCAN pending"),  # bounded by MAX_PROMISED, and read whole
    re.compile(r"SCAN (checkpoints|cosigned)$"),  # its newest row: `max(size)`, or the first of a descending order
    re.compile(r"SCAN entries$"),  # whether there is one
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SQLiteStore]:
    made = await SQLiteStore.open(tmp_path / "ledger.db")
    source = Source()
    facts = [listing(index, BUSY) for index in range(ENTRIES)]
    await made.append(source.batch(ENTRIES, facts=facts, subjects={index: [BUSY] for index in range(ENTRIES)}))
    yield made
    await made.close()


async def _read_everything(store: SQLiteStore) -> None:
    """Call every read that there is, each in every form that it has."""
    await store.checkpoint()
    await store.checkpoint(ENTRIES)
    await store.cosigned()
    await store.stamp(ENTRIES)
    await store.stamp_sizes(0, 10)
    await store.pending()
    await store.entries(5, 10)
    await store.index_of(name_of(7))
    await store.view([f"party:{BUSY}"], [name_of(3)])
    await store.tile(0, 0)
    await store.nodes([])
    assert [tile async for tile in store.tiles(0)]
    assert len(await store.history([BUSY, name_of(3)])) == ENTRIES
    for subject in (None, BUSY, name_of(9), "nobody.example"):
        await store.facts("listing", subject, 100, 20)
    for party in (None, BUSY):
        await store.findings(party, 1 << 40, (0, 0, 0), 20)
    await store.derived_version()


def _record(store: SQLiteStore, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[Any, ...]]]:
    """Note every query that the store's reader is asked from now on, with its parameters."""
    asked: list[tuple[str, tuple[Any, ...]]] = []
    real = store._reader.execute_fetchall

    def recording(query: str, parameters: Iterable[Any] | None = None) -> Any:
        asked.append((query, tuple(parameters or ())))
        return real(query, parameters)

    monkeypatch.setattr(store._reader, "execute_fetchall", recording)
    return asked


def _plan(path: Path, query: str, parameters: Iterable[Any]) -> list[str]:
    with sqlite3.connect(path) as connection:
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", tuple(parameters))]


async def test_no_read_scans(store: SQLiteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no inner loop of a join walks a range of the log: it looks one entry up by its index."""
    asked = _record(store, monkeypatch)
    await _read_everything(store)
    assert len({query for query, _ in asked}) >= 15
    faults = []
    for query, parameters in asked:
        steps = _plan(tmp_path / "ledger.db", query, parameters)
        scans = [step for step in steps if step.startswith("SCAN") and not any(one.search(step) for one in _ALLOWED)]
        inner = [step for step in steps if " JOIN " in query and re.search(r"SEARCH (f|facts)\b.*idx>\?", step)]
        sorts = [step for step in steps if "TEMP B-TREE" in step]
        faults += [(query, step) for step in (*scans, *inner, *sorts)]
    assert faults == []


async def test_a_page_costs_what_it_shows(store: SQLiteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in steps of SQLite's own machine, not by a clock: a few hundred, however long the log is."""
    asked = _record(store, monkeypatch)
    found = await store.facts("listing", BUSY, -1, 10)
    assert [fact.index for fact in found] == list(range(10))
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 10
        return 0

    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.set_progress_handler(count, 10)
        connection.execute(*asked[0]).fetchall()
    assert 0 < steps < 2_000


@pytest.mark.parametrize(
    "name", ["sha256:zz", "sha256:", "sha256:" + "0" * 63, "sha256:" + "A" * 64, "", "\0", "é" * 300]
)
async def test_what_is_no_id_is_nobodys(store: SQLiteStore, name: str) -> None:
    """Whatever a stranger asks for: nothing is found, and nothing breaks."""
    assert await store.index_of(name) is None
    assert await store.history([name]) == []
    assert await store.facts("listing", name, -1, 10) == []
