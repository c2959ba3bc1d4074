"""A store in memory: for tests, and the shortest reading of the contract."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager

from ledger.core.merkle import Node
from ledger.core.tiles import node_in_tile, tile_of
from ledger.registry.facts import Fact, View
from ledger.registry.finding import Finding
from ledger.registry.things import FACTS_VERSION
from ledger.server.store.contract import Batch, Derived, IntegrityError, Pending, StoredCheckpoint, StoreError
from ledger.server.store.retention import superseded
from ledger.server.store.stamps import StoredStamp


class MemoryStore:
    """Keeps everything in dicts; see the contract."""

    def __init__(self) -> None:
        self._signed_ms = 0
        self._entries: list[bytes] = []
        self._indexes: dict[str, int] = {}
        self._derived = _Derived(self._indexes)
        self._derived_version = FACTS_VERSION
        self._tiles: dict[tuple[int, int], bytes] = {}
        self._checkpoints: list[StoredCheckpoint] = []
        self._stamps: dict[int, StoredStamp] = {}
        self._pending: dict[str, Pending] = {}
        self._cosigned: list[StoredCheckpoint] = []

    @property
    def public(self) -> MemoryStore:
        """Read itself: nothing here waits."""
        return self

    async def append(self, batch: Batch) -> None:
        """Write a batch."""
        if [entry.index for entry in batch.entries] != list(
            range(len(self._entries), len(self._entries) + len(batch.entries))
        ):
            raise StoreError(f"the batch does not start at size {len(self._entries)}")
        for entry in batch.entries:
            self._entries.append(entry.raw)
            self._indexes[entry.statement_id] = entry.index
            self._pending.pop(entry.statement_id, None)
        subjects = [(entry.index, entry.statement_id, entry.subjects) for entry in batch.entries]
        await self._derived.put(Derived(subjects, batch.facts, batch.findings))
        self._tiles.update(batch.tiles)
        if batch.checkpoint is None:
            return
        if superseded([kept.time_ms for kept in self._checkpoints[-2:]]):
            self._checkpoints.pop()
        self._checkpoints.append(batch.checkpoint)

    async def checkpoint(self, size: int | None = None) -> StoredCheckpoint | None:
        """Return the newest checkpoint, or the retained one of exactly `size`."""
        plain = self._checkpoints[-1:] if size is None else self._checkpoints
        wanted = plain[0].size if size is None and plain else size
        kept = [checkpoint for checkpoint in (*self._cosigned, *plain) if checkpoint.size == wanted]
        return kept[0] if kept else None

    async def keep_cosigned(self, checkpoint: StoredCheckpoint) -> None:
        """Keep a checkpoint with cosignatures."""
        if any(kept.size == checkpoint.size for kept in self._cosigned):
            self._cosigned = [checkpoint if kept.size == checkpoint.size else kept for kept in self._cosigned]
            return
        if superseded([kept.time_ms for kept in self._cosigned[-2:]]):
            self._cosigned.pop()
        self._cosigned.append(checkpoint)

    async def cosigned(self) -> StoredCheckpoint | None:
        """Return the newest checkpoint with cosignatures."""
        return self._cosigned[-1] if self._cosigned else None

    async def keep_stamp(self, stamp: StoredStamp) -> None:
        """Keep a token."""
        self._stamps.setdefault(stamp.size, stamp)

    async def stamp(self, size: int) -> StoredStamp | None:
        """Return the token over the checkpoint of exactly `size`."""
        return self._stamps.get(size)

    async def stamp_sizes(self, after: int, limit: int) -> list[int]:
        """Return the sizes that have a token, ascending."""
        return sorted(size for size in self._stamps if size > after)[:limit]

    async def keep_signed_time(self, time_ms: int) -> None:
        self._signed_ms = max(self._signed_ms, time_ms)

    async def signed_time_ms(self) -> int:
        return self._signed_ms

    async def keep_pending(self, items: Sequence[Pending]) -> None:
        """Keep statements that are to be recorded later."""
        self._pending.update((item.statement_id, item) for item in items)

    async def pending(self) -> list[Pending]:
        """Return what is still to be recorded."""
        return list(self._pending.values())

    async def drop_pending(self, statement_ids: Collection[str]) -> None:
        """Drop statements that can never be recorded."""
        for name in statement_ids:
            self._pending.pop(name, None)

    async def entries(self, start: int, end: int) -> list[bytes]:
        """Return the entries of [start, end) that exist."""
        return self._entries[start:end]

    async def index_of(self, statement_id: str) -> int | None:
        """Return the index at which a statement is recorded."""
        return self._indexes.get(statement_id)

    async def view(self, keys: Collection[str], statement_ids: Collection[str]) -> View:
        """Load facts and recorded ids."""
        return await self._derived.view(keys, statement_ids)

    async def tile(self, level: int, position: int) -> bytes:
        """Return the hashes of a tile that exist so far."""
        return self._tiles.get((level, position), b"")

    async def nodes(self, nodes: Collection[Node]) -> dict[Node, bytes]:
        """Return perfect-subtree hashes."""
        try:
            return {node: node_in_tile(node, self._tiles.get(tile_of(node), b"")) for node in nodes}
        except IndexError as error:
            raise IntegrityError(f"the hash of {error} is not stored") from error

    async def tiles(self, level: int) -> AsyncIterator[bytes]:
        """Yield the tiles of a level in order."""
        for _, position in sorted(address for address in self._tiles if address[0] == level):
            yield self._tiles[level, position]

    async def history(self, subjects: Collection[str]) -> list[int]:
        """Return the indexes of all entries that concern any of the subjects."""
        return sorted({index for subject in subjects for index in self._derived.subjects.get(subject, [])})

    async def facts(self, kind: str, subject: str | None, after: int, limit: int) -> list[Fact]:
        """Return facts of a kind, ascending by index."""
        about = None if subject is None else set(self._derived.subjects.get(subject, []))
        facts = [
            fact
            for fact in self._derived.facts.values()
            if fact.kind == kind and fact.index > after and (about is None or fact.index in about)
        ]
        return sorted(facts, key=lambda fact: fact.index)[:limit]

    async def findings(
        self, party: str | None, as_of_ms: int, after: tuple[int, int, int], limit: int
    ) -> list[Finding]:
        """Return findings that hold as of a moment, in order."""
        found = [
            finding
            for finding in self._derived.findings.values()
            if finding.from_ms <= as_of_ms and party in {None, finding.party} and finding.order > after
        ]
        return sorted(found, key=lambda finding: finding.order)[:limit]

    async def check_medium(self) -> None:
        """Find nothing: memory has no structures of its own."""

    async def derived_version(self) -> int:
        """Return the version of what derived the facts."""
        return self._derived_version

    @asynccontextmanager
    async def rebuild(self, version: int) -> AsyncIterator[_Derived]:
        """Make all that is derived anew."""
        fresh = _Derived(self._indexes)
        yield fresh
        self._derived, self._derived_version = fresh, version

    async def free_bytes(self) -> int:
        """Memory is not accounted for."""
        return sys.maxsize

    async def close(self) -> None:
        """Nothing to release."""


class _Derived:
    """What follows from the entries."""

    def __init__(self, indexes: dict[str, int]) -> None:
        self._indexes = indexes
        self.facts: dict[str, Fact] = {}
        self.subjects: dict[str, list[int]] = {}
        self.findings: dict[tuple[int, int], Finding] = {}

    async def view(self, keys: Collection[str], statement_ids: Collection[str]) -> View:
        facts = [self.facts[key] for key in keys if key in self.facts]
        return View(facts, {name: self._indexes[name] for name in statement_ids if name in self._indexes}, keys)

    async def put(self, derived: Derived) -> None:
        for index, _, subjects in derived.subjects:
            for subject in subjects:
                self.subjects.setdefault(subject, []).append(index)
        self.facts.update((fact.key, fact) for fact in derived.facts)
        for place, finding in derived.findings.items():
            self.findings.pop(place, None)
            if finding is not None:
                self.findings[place] = finding
