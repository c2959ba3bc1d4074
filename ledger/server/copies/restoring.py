"""Rebuilding a ledger's database from a mirror of its log (docs/format.md §20.2)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography.x509 import Certificate

from ledger.core.checkpoint import TreeHead
from ledger.core.keys import PublicKey
from ledger.core.note import NoteKey, note_key_of, parse_vkey
from ledger.core.policy import Policy
from ledger.registry.facts import LEDGER_KEY
from ledger.server.copies.carrying import Carried, Restoring, carry_over
from ledger.server.copies.errors import CopyFalse, CopyTooShort
from ledger.server.copies.reading import open_checkpoint, read_checkpoint, read_parts
from ledger.server.copies.source import Files
from ledger.server.log.recovery.published import PublishedFile, compare
from ledger.server.log.recovery.rebuilding import rebuild
from ledger.server.log.recovery.recovery import rederive
from ledger.server.log.state.errors import ContradictedError
from ledger.server.store.contract import Batch, NewEntry, Store, StoredCheckpoint
from ledger.server.store.sqlite import SQLiteStore
from ledger.server.store.sqlite_file import lock_file

Progress = Callable[[int, int], None]
"""Told the entries done, and the entries in all."""


class Restored(NamedTuple):
    """The tree head that the database now has, where the one before, if any, was put, and what was taken over."""

    head: TreeHead
    before: Path | None
    carried: Carried


async def restore(
    database: Path,
    files: Files,
    log_keys: Sequence[PublicKey],
    published: PublishedFile,
    progress: Progress,
    *,
    tsa_roots: Sequence[Certificate] = (),
) -> Restored:
    """Put a database that is rebuilt from a mirror in the place of `database`, which nobody serves meanwhile.

    The mirror's checkpoint must be signed by one of this log's keys, and its tree contain the one last published, and
    whatever else this log turns out to have signed. The old file is kept beside the new one; its open promises and
    time-stamps are taken over, and those time-stamps of the mirror for which `tsa_roots` vouch.
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
                new = await _known(store, head, keys, files.location)
                try:
                    await compare(store, new.keys, head.size, await published.shown())
                    carried = await carry_over(new, database, files, tsa_roots)
                except ContradictedError as error:
                    if error.shown <= head.size:
                        raise
                    lacks = f"it has {head.size} entries, and {error.where} shows that {error.shown} were published"
                    raise CopyTooShort(files.location, lacks) from error
            finally:
                await store.close()
            return Restored(head, _exchange(database, fresh), carried)
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


async def _known(store: Store, head: TreeHead, at_hand: Sequence[NoteKey], location: str) -> Restoring:
    """Return the restored log with every key that it ever had: retired ones, whose file may be gone, signed for it."""
    ledger = (await store.view([LEDGER_KEY], [])).ledger
    if ledger is None:
        raise CopyFalse(location, "entry 0 makes no ledger")
    vkeys = {*ledger.log_keys, *(key.vkey() for key in at_hand)}
    return Restoring(store, head, ledger.id, [parse_vkey(vkey) for vkey in sorted(vkeys)])


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
