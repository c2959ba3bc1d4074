"""What every store promises of time-stamps (ledger/server/store/stamps.py)."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ledger.server.store.contract import Store
from ledger.server.store.sqlite import SQLiteStore
from ledger.server.store.stamps import StoredStamp
from tests.contract.test_store import Source
from tests.harness.memory_store import MemoryStore


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    made: Store = MemoryStore() if request.param == "memory" else await SQLiteStore.open(tmp_path / "ledger.db")
    yield made
    await made.close()


def stamp_of(size: int, token: bytes = b"token") -> StoredStamp:
    return StoredStamp(size, b"note %d" % size, token)


async def test_the_first_token_of_a_size_stays(store: Store) -> None:
    await store.keep_stamp(stamp_of(3, b"first"))
    await store.keep_stamp(stamp_of(3, b"second"))
    assert await store.stamp(3) == stamp_of(3, b"first")
    assert await store.stamp(2) is None


async def test_sizes_come_in_order_and_in_pages(store: Store) -> None:
    for size in (7, 1, 5, 3):
        await store.keep_stamp(stamp_of(size))
    assert await store.stamp_sizes(0, 10) == [1, 3, 5, 7]
    assert await store.stamp_sizes(1, 2) == [3, 5]
    assert await store.stamp_sizes(7, 2) == []


async def test_stamps_and_batches_do_not_get_in_each_others_way(store: Store) -> None:
    """Both are written while the other is under way, on one connection: neither is lost, nor ends the other."""
    source = Source()
    batches = [source.batch(20) for _ in range(10)]

    async def append() -> None:
        for batch in batches:
            await store.append(batch)

    async def stamp() -> None:
        for size in range(1, 41):
            await store.keep_stamp(stamp_of(size))

    await asyncio.gather(append(), stamp())
    assert len(await store.entries(0, 1_000)) == 200
    assert await store.stamp_sizes(0, 100) == list(range(1, 41))


async def test_sqlite_keeps_them_also_in_a_database_of_older_software(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    store = await SQLiteStore.open(path)
    await store.keep_stamp(stamp_of(3))
    await store.close()
    store = await SQLiteStore.open(path)
    assert await store.stamp(3) == stamp_of(3)
    await store.close()
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE timestamps")  # a database of older software
    connection.commit()
    connection.close()
    store = await SQLiteStore.open(path)
    assert await store.stamp_sizes(0, 10) == []
    await store.keep_stamp(stamp_of(4))
    assert await store.stamp_sizes(0, 10) == [4]
    await store.close()
