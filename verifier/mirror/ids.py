"""Which entry records which statement: a small database in a mirror (`DIR/.statements`), made from its entries."""

from __future__ import annotations

import sqlite3
from hashlib import sha256
from typing import TYPE_CHECKING

from verifier.core.errors import CheckFailed
from verifier.schema.entries import parse_entry, pre_authentication

if TYPE_CHECKING:
    from pathlib import Path

    from verifier.mirror.proving import MirrorFiles

FILE = ".statements"
_STEP = 4096


class StatementIndex:
    """Statement ids (32 bytes) to indexes. It is derived: take it away, and it is made again."""

    def __init__(self, directory: Path) -> None:
        self._connection = sqlite3.connect(directory / FILE, check_same_thread=False)
        # The entries are durable; this can be made anew, and need not be.
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS done (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER)"
        )
        self._connection.execute("CREATE TABLE IF NOT EXISTS ids (id BLOB PRIMARY KEY, idx INTEGER) WITHOUT ROWID")
        self._connection.commit()

    def bring_up(self, files: MirrorFiles) -> None:
        """Add the entries that were copied since.

        Raises `SourceUnavailable` and `sqlite3.Error`.
        """
        row = self._connection.execute("SELECT size FROM done").fetchone()
        size = row[0] if row else 0
        if size > files.size:  # of another mirror that stood here
            self._connection.execute("DELETE FROM ids")
            size = 0
        while size < files.size:
            end = min(files.size, size + _STEP)
            rows = [
                (name, index) for index in range(size, end) if (name := _statement_id(files.entry(index))) is not None
            ]
            self._connection.executemany("INSERT OR IGNORE INTO ids VALUES (?, ?)", rows)
            self._connection.execute("INSERT OR REPLACE INTO done VALUES (1, ?)", (end,))
            self._connection.commit()
            size = end

    def find(self, statement_id: bytes) -> int | None:
        """Return the index at which a statement is recorded."""
        row = self._connection.execute("SELECT idx FROM ids WHERE id = ?", (statement_id,)).fetchone()
        return int(row[0]) if row else None

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def _statement_id(raw: bytes) -> bytes | None:
    """Return the id of the statement in an entry (docs/format.md §4.3), None if it is none."""
    try:
        entry = parse_entry(raw)
    except CheckFailed:
        return None
    return sha256(pre_authentication(entry.payload)).digest() if entry.envelope_failure is None else None
