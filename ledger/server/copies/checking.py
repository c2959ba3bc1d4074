"""Every byte of a database held against what was signed, and what is derived against what follows from the entries.

A start re-reads the newest entries only. Bits rot in old ones too, and in what is derived from them: an index that
forgets a statement would have it recorded twice, and a subject that is gone would leave it out of a signed history.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from ledger.core.checkpoint import TreeHead, parse_checkpoint
from ledger.core.errors import NoteError
from ledger.core.note import parse_note
from ledger.registry.things import FACTS_VERSION
from ledger.server.log.recovery.rebuilding import rebuild
from ledger.server.log.recovery.recovery import derive
from ledger.server.log.recovery.rereading import reread
from ledger.server.store.contract import IntegrityError, Store
from ledger.server.store.sqlite import SQLiteStore

Progress = Callable[[int, int], None]
"""Called with what is done, and how much there is in all."""

_DERIVED = {
    "facts": "'the fact ' || kind || ' of entry ' || idx",
    "subjects": "'that entry ' || idx || ' concerns ' || subject",
    "findings": "'finding ' || number || ' at entry ' || idx",
}
"""The derived tables, and how a row of each is named."""


async def check_database(database: Path, progress: Progress) -> TreeHead:
    """Check a database that nobody serves, every entry of it, and return its tree head; raise IntegrityError.

    Raises StoreError where it cannot be read. What is derived is left to `check_derived`: it can be made again.
    """
    store = await SQLiteStore.open(database)
    try:
        head = await _signed_head(store)
        await store.check_medium()
        await derive(store, head)
        await _check_entries(store, head.size, progress)
    finally:
        await store.close()
    return head


async def check_derived(database: Path, spare: Path) -> bool:
    """Derive everything again beside it, in the copy `spare` of the same database, and compare; raise IntegrityError.

    Tells whether there was anything to compare: what other software derived is derived again at the next start anyway.
    """
    store = await SQLiteStore.open(spare)
    try:
        if await store.derived_version() != FACTS_VERSION:
            return False
        await rebuild(store, (await _signed_head(store)).size)
    finally:
        await store.close()
    _compare(database, spare)
    return True


def _compare(database: Path, fresh: Path) -> None:
    """Raise IntegrityError, naming the first row, unless both have the same rows in all derived tables."""
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.execute("ATTACH ? AS fresh", (f"{fresh.absolute().as_uri()}?mode=ro",))
        for table, name in _DERIVED.items():
            for one, other, fault in (("main", "fresh", "does not follow"), ("fresh", "main", "is gone, and follows")):
                rows = f"SELECT * FROM {one}.{table} EXCEPT SELECT * FROM {other}.{table}"  # noqa: S608 - constants
                for (row,) in connection.execute(f"SELECT {name} FROM ({rows}) LIMIT 1"):  # noqa: S608 - constants
                    raise IntegrityError(f"what is derived is damaged: {row} {fault} from the entries")


async def _signed_head(store: Store) -> TreeHead:
    checkpoint = await store.checkpoint()
    if checkpoint is None:
        raise IntegrityError("the database has no entry yet: there is nothing to check")
    try:
        return parse_checkpoint(parse_note(checkpoint.note).text).head
    except NoteError as error:
        raise IntegrityError(f"the stored checkpoint of size {checkpoint.size} cannot be read: {error}") from error


async def _check_entries(store: Store, size: int, progress: Progress) -> None:
    """Hold every entry against its leaf, its predecessor and its time, and every statement id against its entry."""
    async for entries in reread(store, 0, size):
        ids = {entry.envelope.id: entry.index for entry in entries}
        known = (await store.view([], ids)).recorded
        if wrong := [index for name, index in ids.items() if known.get(name) != index]:
            raise IntegrityError(f"the statement of entry {wrong[0]} is not found by its id")
        progress(entries[-1].index + 1, size)
