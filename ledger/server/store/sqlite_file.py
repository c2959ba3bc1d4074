"""The file of a SQLite store: its lock, its settings, its tables, and older versions of them."""

from __future__ import annotations

import fcntl
import os
from importlib import resources
from pathlib import Path
from typing import IO

import aiosqlite

from ledger.server.store.contract import StoreError, StoreLockedError

SCHEMA_VERSION = 3
"""1 had no findings, and did not say what derived its facts; 2 knew of no promises, and would not keep them."""

_APPLICATION_ID = 0x50_4C_44_47  # "PLDG"
_CACHE_KIB = 65_536
_CHECKPOINT_PAGES = 4_000


def lock_file(path: Path) -> IO[str]:
    """Return the lock that keeps other processes out; raise StoreLockedError if one has it, or StoreError."""
    lock_path = path.with_name(path.name + ".lock")
    try:
        lock = os.fdopen(os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o600), "r+")
    except OSError as error:
        raise StoreError(f"{lock_path}: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise StoreLockedError(f"{path} is open in another process: one ledger has one writer") from error
    return lock


async def configure(connection: aiosqlite.Connection) -> None:
    """Check whose file it is, set what durability needs, and make the tables that are missing; raise StoreError."""
    ((version,),) = await connection.execute_fetchall("PRAGMA user_version")
    ((application,),) = await connection.execute_fetchall("PRAGMA application_id")
    ((tables,),) = await connection.execute_fetchall("SELECT count(*) FROM sqlite_schema")
    # Most programs leave both numbers at 0: only a file without a table is nobody's. Nothing is written before this.
    is_ours = application == _APPLICATION_ID and 1 <= version <= SCHEMA_VERSION
    if not is_ours and (version, application, tables) != (0, 0, 0):
        raise StoreError(f"this is not a ledger's database of version {SCHEMA_VERSION} or older")
    await _pragma(connection, "journal_mode", "WAL", "wal")
    await _pragma(connection, "synchronous", "FULL", 2)
    await _pragma(connection, "cache_size", f"-{_CACHE_KIB}", -_CACHE_KIB)
    await _pragma(connection, "wal_autocheckpoint", str(_CHECKPOINT_PAGES), _CHECKPOINT_PAGES)
    schema = resources.files(__package__).joinpath("schema.sql").read_text(encoding="utf-8")
    pragmas = f"PRAGMA user_version = {SCHEMA_VERSION}; PRAGMA application_id = {_APPLICATION_ID};"
    await connection.executescript(f"BEGIN; {schema} {pragmas} COMMIT;")


async def connect_read_only(path: Path) -> aiosqlite.Connection:
    """Return a connection that can write nothing; raise sqlite3.Error."""
    uri = path.absolute().as_uri()  # noqa: ASYNC240 - no I/O worth a thread
    return await aiosqlite.connect(f"{uri}?mode=ro", uri=True, isolation_level=None)


async def _pragma(connection: aiosqlite.Connection, name: str, value: str, expected: str | int) -> None:
    await connection.execute_fetchall(f"PRAGMA {name} = {value}")
    ((actual,),) = await connection.execute_fetchall(f"PRAGMA {name}")
    if actual != expected:
        raise StoreError(f"SQLite has {name} = {actual}, and {expected} is needed for durability")


async def close_all(*connections: aiosqlite.Connection | None) -> None:
    """Close those connections that are there."""
    for connection in connections:
        if connection is not None:
            await connection.close()
