"""A consistent copy of a ledger's database, made while the ledger runs (docs/format.md §20.1)."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from ledger.core.checkpoint import TreeHead, parse_checkpoint
from ledger.core.errors import NoteError
from ledger.core.note import parse_note
from ledger.server.log.recovery.recovery import rederive
from ledger.server.store.contract import IntegrityError, StoreError
from ledger.server.store.sqlite import SQLiteStore

_PAGES_PER_STEP = 4096
Progress = Callable[[int, int], None]
"""Told what is done, and how much there is in all."""


async def backup(database: Path, target: Path, progress: Progress) -> TreeHead:
    """Copy a database, served or not, into the new file `target` (0600), and return the tree head that it re-derives.

    Nothing stands at `target` before the copy was read back and checked. Raises StoreError, IntegrityError, OSError.
    """
    if target.exists():  # noqa: ASYNC240 - nothing else runs in a command
        raise FileExistsError(None, "exists already: a backup never replaces a file", str(target))
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}")
    try:
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            _copy(database, temporary, progress)
        except sqlite3.Error as error:
            raise StoreError(f"{database}: {error}") from error
        head = await _verify(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        for name in ("", ".lock", "-wal", "-shm", "-journal"):
            temporary.with_name(temporary.name + name).unlink(missing_ok=True)
    directory = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return head


def _copy(database: Path, target: Path, progress: Progress) -> None:
    """Copy in steps, all within one read transaction: the ledger writes on meanwhile, and the copy is of one moment.

    The connection cannot write, and so cannot checkpoint the write-ahead log, which only one connection may.
    """
    with (
        closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        source.backup(copy, pages=_PAGES_PER_STEP, progress=lambda _status, left, pages: progress(pages - left, pages))


async def _verify(database: Path) -> TreeHead:
    store = await SQLiteStore.open(database)
    try:
        checkpoint = await store.checkpoint()
        if checkpoint is None:
            raise IntegrityError("the database has no entry yet: there is nothing to back up")
        try:
            head = parse_checkpoint(parse_note(checkpoint.note).text).head
        except NoteError as error:
            raise IntegrityError(f"the stored checkpoint of size {checkpoint.size} cannot be read: {error}") from error
        return (await rederive(store, head)).head
    finally:
        await store.close()
