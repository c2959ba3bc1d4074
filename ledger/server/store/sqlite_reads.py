"""What a SQLite store gives to readers, over one connection that only reads, or several."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiosqlite

from ledger.core.merkle import Node
from ledger.core.tiles import TILE_WIDTH, node_in_tile, tile_of
from ledger.registry.facts import Fact, View
from ledger.registry.finding import Finding
from ledger.registry.things import read_fact
from ledger.server.store.contract import IntegrityError, Pending, StoredCheckpoint, StoreError
from ledger.server.store.sqlite_derived import DerivedReads, id_bytes, id_text
from ledger.server.store.sqlite_readers import Readers
from ledger.server.store.stamps import StoredStamp


class SQLiteReads:
    """See the contract."""

    def __init__(self, path: Path, reader: aiosqlite.Connection | Readers) -> None:
        self._path = path
        self._reader = reader
        self._shown = DerivedReads(reader)

    async def close(self) -> None:
        """Close what it reads by."""
        await self._reader.close()

    async def check_medium(self) -> None:
        """Have SQLite check every page, and every index against its table."""
        ((found,), *_) = await self._read("PRAGMA integrity_check(1)", ())
        if found != "ok":
            raise IntegrityError(f"{self._path}: {found}")

    async def derived_version(self) -> int:
        """Return the version of what derived the facts."""
        with self._faults():
            return await self._shown.version()

    async def findings(
        self, party: str | None, as_of_ms: int, after: tuple[int, int, int], limit: int
    ) -> list[Finding]:
        """Return findings that hold as of a moment, in order."""
        with self._faults():
            return await self._shown.findings(party, as_of_ms, after, limit)

    async def checkpoint(self, size: int | None = None) -> StoredCheckpoint | None:
        """Return the newest checkpoint, or the retained one of exactly `size`."""
        wanted = "(SELECT max(size) FROM checkpoints)" if size is None else "?"
        one = f"SELECT size, time_ms, note FROM {{}} WHERE size = {wanted}"  # noqa: S608 - constants
        parameters = () if size is None else (size, size)
        rows = await self._read(f"{one.format('cosigned')} UNION ALL {one.format('checkpoints')}", parameters)
        return StoredCheckpoint(*rows[0]) if rows else None

    async def cosigned(self) -> StoredCheckpoint | None:
        """Return the newest checkpoint with cosignatures."""
        rows = await self._read("SELECT size, time_ms, note FROM cosigned ORDER BY size DESC LIMIT 1", ())
        return StoredCheckpoint(*rows[0]) if rows else None

    async def stamp(self, size: int) -> StoredStamp | None:
        """Return the token over the checkpoint of exactly `size`."""
        rows = await self._read("SELECT size, note, token FROM timestamps WHERE size = ?", (size,))
        return StoredStamp(*rows[0]) if rows else None

    async def stamp_sizes(self, after: int, limit: int) -> list[int]:
        """Return the sizes that have a token, ascending."""
        query = "SELECT size FROM timestamps WHERE size > ? ORDER BY size LIMIT ?"
        return [size for (size,) in await self._read(query, (after, limit))]

    async def pending(self) -> list[Pending]:
        """Return what is still to be recorded."""
        rows = await self._read("SELECT statement_id, raw, promise FROM pending ORDER BY position", ())
        return [Pending(id_text(name), raw, promise) for name, raw, promise in rows]

    async def entries(self, start: int, end: int) -> list[bytes]:
        """Return the entries of [start, end) that exist."""
        rows = await self._read("SELECT raw FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx", (start, end))
        return [raw for (raw,) in rows]

    async def index_of(self, statement_id: str) -> int | None:
        """Return the index at which a statement is recorded."""
        rows = await self._read("SELECT idx FROM entries WHERE statement_id = ?", (id_bytes(statement_id),))
        return rows[0][0] if rows else None

    async def view(self, keys: Collection[str], statement_ids: Collection[str]) -> View:
        """Load facts and recorded ids, one query each for up to 10,000."""
        with self._faults():
            return await self._shown.view(keys, statement_ids)

    async def tile(self, level: int, position: int) -> bytes:
        """Return the hashes of a tile that exist so far."""
        rows = await self._read("SELECT hashes FROM tiles WHERE level = ? AND position = ?", (level, position))
        return rows[0][0] if rows else b""

    async def nodes(self, nodes: Collection[Node]) -> dict[Node, bytes]:
        """Return perfect-subtree hashes; one read a tile."""
        tiles = {address: await self.tile(*address) for address in {tile_of(node) for node in nodes}}
        try:
            return {node: node_in_tile(node, tiles[tile_of(node)]) for node in nodes}
        except IndexError as error:
            raise IntegrityError(f"the hash of {error} is not stored") from error

    async def tiles(self, level: int) -> AsyncIterator[bytes]:
        """Yield the tiles of a level in order, 256 a read."""
        position = 0
        while True:
            rows = await self._read(
                "SELECT position, hashes FROM tiles WHERE level = ? AND position >= ? ORDER BY position LIMIT ?",
                (level, position, TILE_WIDTH),
            )
            for at, hashes in rows:
                if at != position:
                    raise IntegrityError(f"tile {position} of level {level} is missing")
                yield hashes
                position += 1
            if not rows:
                return

    async def history(self, subjects: Collection[str]) -> list[int]:
        """Return the indexes of all entries that concern any of the subjects, through the index on subjects."""
        own = [id_bytes(name) for name in subjects]
        with self._faults():
            rows = await self._shown.rows_in("SELECT idx FROM subjects WHERE subject IN", subjects)
            rows += await self._shown.rows_in("SELECT idx FROM entries WHERE statement_id IN", own)
        return sorted({index for (index,) in rows})

    async def facts(self, kind: str, subject: str | None, after: int, limit: int) -> list[Fact]:
        """Return facts of a kind, ascending by index."""
        if subject is None:
            query = "SELECT document FROM facts WHERE kind = ? AND idx > ? ORDER BY idx LIMIT ?"
            rows = await self._read(query, (kind, after, limit))
        else:
            # CROSS JOIN keeps the order of the tables, and +idx keeps SQLite from making `idx > ?` a range of its own
            # in `facts`: it would walk all facts of the kind once for each entry that concerns the subject.
            fact = "CROSS JOIN facts AS f ON f.kind = ? AND f.idx = +s.idx"
            query = (
                f"SELECT document, s.idx AS idx FROM subjects AS s {fact} WHERE s.subject = ? AND s.idx > ?"  # noqa: S608
                f" UNION ALL SELECT document, s.idx FROM entries AS s {fact} WHERE s.statement_id = ? AND s.idx > ?"
                " ORDER BY idx LIMIT ?"  # of constants
            )
            rows = await self._read(query, (kind, subject, after, kind, id_bytes(subject), after, limit))
        return [read_fact(kind, json.loads(row[0])) for row in rows]

    async def _read(self, query: str, parameters: Iterable[Any]) -> list[Any]:
        with self._faults():
            return list(await self._reader.execute_fetchall(query, parameters))

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Turn what SQLite says into a StoreError."""
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"{self._path}: {error}") from error
