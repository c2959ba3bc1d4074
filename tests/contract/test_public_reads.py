"""What strangers read keeps nobody waiting who writes: reads of their own connections, which end after a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiosqlite
import pytest

from ledger.server.store.contract import ReadTooLongError
from ledger.server.store.sqlite import SQLiteStore
from ledger.server.store.sqlite_file import connect_read_only
from ledger.server.store.sqlite_readers import PUBLIC_READERS, Readers
from tests.contract.test_store import Source, listing, name_of

ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SQLiteStore]:
    made = await SQLiteStore.open(tmp_path / "ledger.db")
    yield made
    await made.close()


async def test_reads_that_never_end_hold_up_neither_writer_nor_its_reads(store: SQLiteStore) -> None:
    """All connections of strangers are busy; the log is read and grows meanwhile, and nobody of them is done."""
    source = Source()
    endless = [asyncio.ensure_future(store.public._reader.execute_fetchall(ENDLESS)) for _ in range(PUBLIC_READERS)]
    waiting = asyncio.ensure_future(store.public.entries(0, 1))
    await asyncio.sleep(0)
    await store.append(source.batch(3, facts=[listing(0, "alice")]))
    assert await store.index_of(name_of(2)) == 2
    assert (await store.view([], [name_of(1)])).recorded
    assert not any(read.done() for read in (*endless, waiting))
    for ended in await asyncio.gather(*endless, return_exceptions=True):
        assert isinstance(ended, ReadTooLongError)
    assert len(await waiting) == 1, "whoever waited has its turn then"


async def test_a_reader_that_was_interrupted_or_left_serves_again(tmp_path: Path, store: SQLiteStore) -> None:
    """One connection: after a deadline, and after somebody who went away, the next one is answered."""
    await store.append(Source().batch(1))
    readers = await Readers.over([await connect_read_only(tmp_path / "ledger.db")], deadline_s=0.05)
    with pytest.raises(ReadTooLongError):
        await readers.execute_fetchall(ENDLESS)
    assert list(await readers.execute_fetchall("SELECT count(*) FROM entries")) == [(1,)]
    gone = asyncio.ensure_future(readers.execute_fetchall(ENDLESS))
    await asyncio.sleep(0)
    gone.cancel()
    assert list(await readers.execute_fetchall("SELECT 1")) == [(1,)]
    await readers.close()


async def test_what_fails_is_told_and_the_connection_serves_on(tmp_path: Path, store: SQLiteStore) -> None:
    await store.append(Source().batch(1))
    readers = await Readers.over([await connect_read_only(tmp_path / "ledger.db")])
    for _ in range(3):
        with pytest.raises(aiosqlite.OperationalError):
            await readers.execute_fetchall("SELECT nothing FROM nowhere")
    assert list(await readers.execute_fetchall("SELECT 1")) == [(1,)]
    await readers.close()
