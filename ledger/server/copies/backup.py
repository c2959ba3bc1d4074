"""A consistent copy of a ledger's database, made while the ledger runs (docs/format.md §20.1)."""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

from ledger.core.checkpoint import TreeHead
from ledger.server.copies.checking import Progress, check_database, check_derived
from ledger.server.store.contract import StoreError

_PAGES_PER_STEP = 4096


async def backup(database: Path, target: Path, progress: Progress) -> TreeHead:
    """Copy a database, served or not, into the new file `target` (0600), and return the tree head that it re-derives.

    Nothing stands at `target` before every entry of the copy was read back and checked. `progress` is called for the
    pages that are copied, then for the entries. Raises StoreError, IntegrityError, OSError.
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
        head = await check_database(temporary, progress)
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


async def check_copy(database: Path, work: Path, progress: Progress) -> tuple[TreeHead, bool]:
    """Check a database, served or not, by copies that are made in the empty directory `work`; see `check_database`.

    Returns the tree head, and whether what is derived could be compared too. Raises StoreError, IntegrityError, or
    OSError.
    """
    copy, spare = work / "copy.db", work / "derived.db"
    try:
        for source, target in ((database, copy), (copy, spare)):
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            _copy(source, target, progress)
        head = await check_database(copy, progress)
        return head, await check_derived(copy, spare)
    except sqlite3.Error as error:
        raise StoreError(f"{database}: {error}") from error


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
