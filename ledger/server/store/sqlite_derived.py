"""What a SQLite store keeps of what follows from entries: facts, subjects, findings."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from hashlib import sha256
from typing import Any

import aiosqlite

from ledger.registry.facts import View
from ledger.registry.finding import Finding, read_finding
from ledger.registry.things import FACTS_VERSION, read_fact
from ledger.server.store.contract import Derived, Findings
from ledger.server.store.sqlite_readers import Readers

_ID_PREFIX = "sha256:"
_ID = re.compile(f"{_ID_PREFIX}([0-9a-f]{{64}})")
_MAX_VARIABLES = 10_000
_ROWS_PER_INSERT = 250
_ENCODER = json.JSONEncoder(separators=(",", ":"), check_circular=False)


class DerivedReads:
    """The derived tables as one connection sees them, or several that take turns."""

    def __init__(self, queries: aiosqlite.Connection | Readers) -> None:
        self._queries = queries

    async def view(self, keys: Collection[str], statement_ids: Collection[str]) -> View:
        """Load facts and recorded ids, one query each for up to 10,000."""
        facts = await self.rows_in("SELECT kind, document FROM facts WHERE key IN", [_key_bytes(key) for key in keys])
        recorded = await self.rows_in(
            "SELECT statement_id, idx FROM entries WHERE statement_id IN", [id_bytes(name) for name in statement_ids]
        )
        return View(
            (read_fact(kind, json.loads(document)) for kind, document in facts),
            {id_text(digest): index for digest, index in recorded},
            keys,
        )

    async def findings(
        self, party: str | None, as_of_ms: int, after: tuple[int, int, int], limit: int
    ) -> list[Finding]:
        """Return findings that hold as of a moment, in order, through the index on it."""
        whose = "" if party is None else " AND party = ?"
        rows = await self._queries.execute_fetchall(
            "SELECT document FROM findings WHERE (from_ms, idx, number) > (?, ?, ?) AND from_ms <= ?"  # noqa: S608
            f"{whose} ORDER BY from_ms, idx, number LIMIT ?",  # one of two constants
            (*after, as_of_ms, *([] if party is None else [party]), limit),
        )
        return [read_finding(json.loads(document)) for (document,) in rows]

    async def version(self) -> int:
        """Return the version of what derived all this; 0 if nobody said so, of a log that has entries."""
        rows = list(await self._queries.execute_fetchall("SELECT version FROM derived"))
        if rows:
            return int(rows[0][0])
        ((is_empty,),) = await self._queries.execute_fetchall("SELECT NOT EXISTS (SELECT 1 FROM entries)")
        return FACTS_VERSION if is_empty else 0

    async def rows_in(self, query: str, values: Collection[Any]) -> list[Any]:
        """Return the rows of a query that ends in IN, for any number of values."""
        rows: list[Any] = []
        remaining = list(values)
        while remaining:
            some, remaining = remaining[:_MAX_VARIABLES], remaining[_MAX_VARIABLES:]
            rows += await self._queries.execute_fetchall(f"{query} ({','.join('?' * len(some))})", some)
        return rows


class DerivedTables(DerivedReads):
    """The derived tables, written within a transaction that the caller began on this connection."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        super().__init__(connection)
        self._connection = connection

    async def put(self, derived: Derived) -> None:
        """Write what follows from entries."""
        await self.insert(
            "INSERT INTO subjects (subject, idx) VALUES {}",
            # That an entry concerns its own statement is in `entries` already: a quarter of the work of a commit less.
            [(name, index) for index, own, names in derived.subjects for name in names if name != own],
        )
        await self.insert(
            "INSERT INTO facts (key, kind, idx, document) VALUES {}"
            " ON CONFLICT (key) DO UPDATE SET document = excluded.document",
            [(_key_bytes(fact.key), fact.kind, fact.index, _ENCODER.encode(fact.document())) for fact in derived.facts],
        )
        if derived.findings:
            await self._put_findings(derived.findings)

    async def _put_findings(self, findings: Findings) -> None:
        """Write findings, and drop those that no longer hold."""
        gone = [place for place, finding in findings.items() if finding is None]
        if gone:
            await self._connection.executemany("DELETE FROM findings WHERE idx = ? AND number = ?", gone)
        await self.insert(
            "INSERT OR REPLACE INTO findings (idx, number, from_ms, party, document) VALUES {}",
            [
                (*place, finding.from_ms, finding.party, _ENCODER.encode(vars(finding)))
                for place, finding in findings.items()
                if finding is not None
            ],
        )

    async def set_version(self, version: int) -> None:
        """Say what derives all this."""
        await self._connection.execute("INSERT OR REPLACE INTO derived (one, version) VALUES (1, ?)", (version,))

    async def clear(self) -> None:
        """Drop everything that is derived."""
        for table in ("facts", "subjects", "findings", "derived"):
            await self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 - constants

    async def insert(self, query: str, rows: Sequence[tuple[str | bytes | int, ...]]) -> None:
        """Insert many rows a call: each call of SQLite lets go of the interpreter lock, and waits to get it back."""
        for start in range(0, len(rows), _ROWS_PER_INSERT):
            some = rows[start : start + _ROWS_PER_INSERT]
            places = ",".join([f"({','.join('?' * len(some[0]))})"] * len(some))
            await self._connection.execute(query.format(places), [value for row in some for value in row])


def id_bytes(statement_id: str) -> bytes:
    """Return the digest of an id, and nothing that is stored for anything else: a party's name is not a statement."""
    found = _ID.fullmatch(statement_id)
    return bytes.fromhex(found[1]) if found else b""


def id_text(digest: bytes) -> str:
    """Return the id of a stored digest."""
    return _ID_PREFIX + digest.hex()


def _key_bytes(key: str) -> bytes:
    return sha256(key.encode()).digest()
