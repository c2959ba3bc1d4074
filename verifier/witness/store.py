"""What a witness remembers, in one SQLite file: the newest tree of each log, and the signed checkpoints it cosigned.

WAL with synchronous=FULL: what was committed survives the loss of power. An operating-system lock keeps a second
witness out; should one get in all the same, the old size in the WHERE keeps both from cosigning two branches.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from verifier.core.errors import UsageError
from verifier.core.tree import EMPTY_ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

KEPT = 10_000
"""How many of the newest checkpoints of a log are kept; of older ones, the first of every minute."""
KEPT_REFUSED = 1_000
"""How many of the newest checkpoints are kept that a log signed and whose proof failed."""
_MINUTE_S = 60
_SCHEMA = """
CREATE TABLE IF NOT EXISTS logs (
    origin TEXT PRIMARY KEY,
    hash   TEXT NOT NULL UNIQUE, -- lower-case hex SHA-256 of the origin
    size   INTEGER NOT NULL,     -- of the newest tree that was cosigned; 0 before the first
    root   BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS checkpoints (
    number     INTEGER PRIMARY KEY,
    origin     TEXT NOT NULL,
    size       INTEGER NOT NULL,
    root       BLOB NOT NULL,
    note       BLOB NOT NULL,    -- with the log's signatures and the last cosignatures given
    cosigned_s INTEGER NOT NULL, -- Unix seconds
    is_first   INTEGER NOT NULL, -- of its minute
    UNIQUE (origin, size)
) STRICT;
CREATE INDEX IF NOT EXISTS newest ON checkpoints (origin, number);
CREATE TABLE IF NOT EXISTS refused (
    number    INTEGER PRIMARY KEY,
    origin    TEXT NOT NULL,
    size      INTEGER NOT NULL,
    root      BLOB NOT NULL,
    note      BLOB NOT NULL,
    refused_s INTEGER NOT NULL,
    UNIQUE (origin, size, root)
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Head:
    """A tree of a log: count of entries and root."""

    size: int
    root: bytes


class WitnessStore:
    """See above. One thread uses it."""

    def __init__(self, path: Path, origins: Iterable[str]) -> None:
        """Open or make the file (mode 0600), for logs of these origins.

        Raises `UsageError` where that fails, or another process has it open.
        """
        self._path = path
        self._lock = -1
        try:
            self._lock = os.open(f"{path}.lock", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.touch(mode=0o600)
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._configure()
            self._database.executescript(_SCHEMA)
            self._database.executemany(
                "INSERT OR IGNORE INTO logs (origin, hash, size, root) VALUES (?, ?, 0, ?)",
                [(origin, origin_hash(origin), EMPTY_ROOT) for origin in origins],
            )
        except BlockingIOError as error:
            os.close(self._lock)
            raise UsageError(f"another witness runs on {path}") from error
        except (OSError, sqlite3.Error) as error:
            if self._lock >= 0:
                os.close(self._lock)
            raise UsageError(f"cannot open {path}: {error}") from error

    def _configure(self) -> None:
        """Set what durability rests on, and read it back: an error in switching the journal is lost otherwise."""
        for pragma, value in (("journal_mode", "wal"), ("synchronous", 2)):
            self._database.execute(f"PRAGMA {pragma} = {value}").fetchall()
            ((found,),) = self._database.execute(f"PRAGMA {pragma}").fetchall()
            if found != value:
                raise sqlite3.OperationalError(f"{pragma} is {found}, not {value}")

    def head(self, origin: str) -> Head:
        """Return the newest tree cosigned of a log; the empty one before the first."""
        ((size, root),) = self._database.execute("SELECT size, root FROM logs WHERE origin = ?", (origin,))
        return Head(size, root)

    def note(self, origin: str, size: int) -> bytes | None:
        """Return the kept checkpoint of exactly that size."""
        rows = self._database.execute("SELECT note FROM checkpoints WHERE origin = ? AND size = ?", (origin, size))
        return next((note for (note,) in rows), None)

    def newest(self, hex_hash: str) -> bytes | None:
        """Return the newest checkpoint of the log whose origin has this SHA-256; None before the first."""
        rows = self._database.execute(
            "SELECT note FROM checkpoints JOIN logs USING (origin, size) WHERE hash = ?", (hex_hash,)
        )
        return next((note for (note,) in rows), None)

    def advance(self, origin: str, old: Head, new: Head, note: bytes, time_unix_s: int) -> bool:
        """Go from one tree to another, durably; False where another was there: then nothing is changed."""
        with self._transaction() as database:
            changed = database.execute(
                "UPDATE logs SET size = ?, root = ? WHERE origin = ? AND size = ? AND root = ?",
                (new.size, new.root, origin, old.size, old.root),
            )
            if changed.rowcount != 1:
                return False
            rows = database.execute(
                "SELECT cosigned_s FROM checkpoints WHERE origin = ? ORDER BY number DESC LIMIT 1", (origin,)
            ).fetchall()
            is_first = not rows or rows[0][0] // _MINUTE_S != time_unix_s // _MINUTE_S
            database.execute(
                "INSERT INTO checkpoints (origin, size, root, note, cosigned_s, is_first) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (origin, size) DO UPDATE SET note = excluded.note, cosigned_s = excluded.cosigned_s",
                (origin, new.size, new.root, note, time_unix_s, is_first),
            )
            database.execute(
                "DELETE FROM checkpoints WHERE NOT is_first AND number = (SELECT number FROM checkpoints"
                " WHERE origin = ? ORDER BY number DESC LIMIT 1 OFFSET ?)",
                (origin, KEPT),
            )
        return True

    def keep_refused(self, origin: str, head: Head, note: bytes, time_unix_s: int) -> None:
        """Keep a checkpoint that a log signed and that was not cosigned: it may be half of a proof."""
        with self._transaction() as database:
            database.execute(
                "INSERT OR IGNORE INTO refused (origin, size, root, note, refused_s) VALUES (?, ?, ?, ?, ?)",
                (origin, head.size, head.root, note, time_unix_s),
            )
            database.execute(
                "DELETE FROM refused WHERE number = (SELECT number FROM refused WHERE origin = ?"
                " ORDER BY number DESC LIMIT 1 OFFSET ?)",
                (origin, KEPT_REFUSED),
            )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield self._database
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close the file and let go of the lock."""
        self._database.close()
        os.close(self._lock)


def origin_hash(origin: str) -> str:
    """Return the lower-case hex SHA-256 of an origin: how monitors ask for a log (C2SP tlog-witness)."""
    return sha256(origin.encode()).hexdigest()
