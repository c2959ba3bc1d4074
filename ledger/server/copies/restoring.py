"""Rebuilding a ledger's database from a mirror of its log (docs/format.md §20.2)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from ledger.core.checkpoint import TreeHead
from ledger.core.keys import PublicKey
from ledger.core.note import note_key_of
from ledger.core.policy import Policy
from ledger.server.copies.errors import CopyTooShort
from ledger.server.copies.reading import open_checkpoint, read_checkpoint, read_parts
from ledger.server.copies.source import Files
from ledger.server.log.errors import ContradictedError
from ledger.server.log.outside import PublishedFile, compare
from ledger.server.log.rebuilding import rebuild
from ledger.server.log.recovery import rederive
from ledger.server.store.contract import Batch, NewEntry, Store, StoredCheckpoint
from ledger.server.store.sqlite import SQLiteStore
from ledger.server.store.sqlite_file import lock_file

Progress = Callable[[int, int], None]
"""Told the entries done, and the entries in all."""


class Restored(NamedTuple):
    """The tree head that the database now has, and where the one before was put, if there was one."""

    head: TreeHead
    before: Path | None


async def restore(
    database: Path, files: Files, log_keys: Sequence[PublicKey], published: PublishedFile, progress: Progress
) -> Restored:
    """Put a database that is rebuilt from a mirror in the place of `database`, which nobody serves meanwhile.

    The mirror's checkpoint must be signed by one of this log's keys, and its tree contain the one last published. The
    old file is kept beside the new one.
    Raises CopyError, ContradictedError, StoreLockedError, StoreError, IntegrityError.
    """
    with lock_file(database):
        note, origin = await read_checkpoint(files)
        keys = [note_key_of(origin, key) for key in log_keys]
        head = open_checkpoint(files, note, Policy(logs=keys, quorum="none")).head
        fresh = database.with_name(f"{database.name}.restoring")
        _remove(fresh)
        try:
            store = await SQLiteStore.open(fresh)
            try:
                await _fill(store, files, head, note, progress)
                await rederive(store, head)
                try:
                    await compare(store, keys, head.size, await published.shown())
                except ContradictedError as error:
                    if error.shown <= head.size:
                        raise
                    lacks = f"it has {head.size} entries, and {error.where} shows that {error.shown} were published"
                    raise CopyTooShort(files.location, lacks) from error
            finally:
                await store.close()
            return Restored(head, _exchange(database, fresh))
        finally:
            _remove(fresh)


async def _fill(store: Store, files: Files, head: TreeHead, note: bytes, progress: Progress) -> None:
    done = 0
    async for part in read_parts(files, head):
        done += len(part.entries)
        stored = StoredCheckpoint(head.size, part.entries[-1].time_ms, note) if done == head.size else None
        entries = [NewEntry(entry.index, entry.envelope.id, entry.raw, []) for entry in part.entries]
        await store.append(Batch(entries, [], part.tiles, stored))
        progress(done, head.size)
    await rebuild(store, head.size)


def _exchange(database: Path, fresh: Path) -> Path | None:
    """Move the old database aside, with what SQLite left of it, and the new one into its place."""
    kept = None
    if database.exists():
        kept = database.with_name(f"{database.name}.before-restore-{secrets.token_hex(4)}")
        # A write-ahead log that stayed behind would be played into the new database, and destroy it.
        for name in ("-wal", "-shm", ""):
            old = database.with_name(database.name + name)
            if old.exists():
                old.rename(kept.with_name(kept.name + name))
    fresh.rename(database)
    return kept


def _remove(database: Path) -> None:
    for name in ("", ".lock", "-wal", "-shm"):
        database.with_name(database.name + name).unlink(missing_ok=True)
