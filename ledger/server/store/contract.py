"""What a store promises. The same suite, tests/contract/test_store.py, runs over every implementation.

Durability: when `append` returns, the batch survives the loss of power. Atomicity: after a crash, or where `append`
raised, either all of the batch is there or nothing of it. One writer: `append` refuses a batch that does not start at
the store's size, so that two sequencers can never both extend one log.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from ledger.core.errors import LedgerError
from ledger.core.merkle import Node
from ledger.registry.facts import Fact, View
from ledger.registry.finding import Finding
from ledger.server.store.stamps import StoredStamp

Findings = Mapping[tuple[int, int], Finding | None]
"""What is found from now on, by index and number; None: what was found there no longer holds."""


class StoreError(LedgerError):
    """The store failed; whether the last batch is in it must be read back, not guessed."""


class StoreLockedError(StoreError):
    """Another process has this store open for writing."""


class ReadTooLongError(StoreError):
    """A read took longer than reads of strangers may take, and was ended."""

    def __init__(self) -> None:
        super().__init__("the read took too long, and was ended: ask for less, or later")


class IntegrityError(LedgerError):
    """Our own stored data do not check: stop writing, keep the files, restore from a mirror."""


@dataclass(frozen=True)
class StoredCheckpoint:
    """A signed checkpoint: `size` entries, `time_ms` of its newest entry, `note` verbatim."""

    size: int
    time_ms: int
    note: bytes


@dataclass(frozen=True)
class NewEntry:
    """An entry to be stored, with the subjects that it concerns (docs/format.md §12.3)."""

    index: int
    statement_id: str
    raw: bytes
    subjects: list[str]


@dataclass(frozen=True)
class Batch:
    """What one commit writes; `tiles` are (level, position) to 1 … 256 hashes, and replace shorter ones.

    `checkpoint` is None only while a log is restored: its first entries stand under the checkpoint of the last batch.
    """

    entries: list[NewEntry]
    facts: list[Fact]
    tiles: dict[tuple[int, int], bytes]
    checkpoint: StoredCheckpoint | None
    findings: Findings = field(default_factory=dict)


@dataclass(frozen=True)
class Pending:
    """A statement that was promised and is not recorded yet: its envelope `raw`, and the payload of the promise."""

    statement_id: str
    raw: bytes
    promise: bytes


@dataclass(frozen=True)
class Derived:
    """What follows from entries, and can be derived from them again: facts, findings, and what entries concern.

    `subjects` are an index, the id of its statement, and all that it concerns, that id among them.
    """

    subjects: list[tuple[int, str, list[str]]]
    facts: list[Fact]
    findings: Findings


class Rebuild(Protocol):
    """What is derived, while it is made anew: nobody else sees it before it is complete."""

    async def view(self, keys: Collection[str], statement_ids: Collection[str]) -> View:
        """Load what was derived so far; all statement ids of the log count as recorded."""

    async def put(self, derived: Derived) -> None:
        """Write what follows from the next entries."""


class Reads(Protocol):
    """What can be read of a log. All methods raise StoreError where the medium fails."""

    async def checkpoint(self, size: int | None = None) -> StoredCheckpoint | None:
        """Return the newest checkpoint, or the retained one of exactly `size` (at least one a minute is retained).

        Of a size that is retained with cosignatures, it is the one with them.
        """

    async def cosigned(self) -> StoredCheckpoint | None:
        """Return the newest checkpoint that was kept with cosignatures."""

    async def stamp(self, size: int) -> StoredStamp | None:
        """Return the token over the checkpoint of exactly `size`."""

    async def stamp_sizes(self, after: int, limit: int) -> list[int]:
        """Return up to `limit` sizes above `after` that have a token, ascending."""

    async def pending(self) -> list[Pending]:
        """Return what is still to be recorded, in the order in which it was kept."""

    async def entries(self, start: int, end: int) -> list[bytes]:
        """Return the entries of [start, end) that exist, in order."""

    async def index_of(self, statement_id: str) -> int | None:
        """Return the index at which a statement is recorded."""

    async def view(self, keys: Collection[str], statement_ids: Collection[str]) -> View:
        """Load the facts with these keys, and the indexes of those ids that are recorded."""

    async def tile(self, level: int, position: int) -> bytes:
        """Return the hashes of a tile that exist so far, 0 … 256 times 32 bytes."""

    async def nodes(self, nodes: Collection[Node]) -> dict[Node, bytes]:
        """Return perfect-subtree hashes, each from one tile; IntegrityError if one is missing."""

    def tiles(self, level: int) -> AsyncIterator[bytes]:
        """Yield the tiles of a level in order of position; used at start-up only."""

    async def history(self, subjects: Collection[str]) -> list[int]:
        """Return the indexes of all entries that concern any of the subjects, ascending."""

    async def facts(self, kind: str, subject: str | None, after: int, limit: int) -> list[Fact]:
        """Return up to `limit` facts of a kind with an index above `after`, ascending, about `subject` if given."""

    async def findings(
        self, party: str | None, as_of_ms: int, after: tuple[int, int, int], limit: int
    ) -> list[Finding]:
        """Return up to `limit` findings that hold as of a moment, of a party if given, in order, past `after`."""

    async def check_medium(self) -> None:
        """Have the medium look for damage of its own structures; raise IntegrityError for what it finds."""

    async def derived_version(self) -> int:
        """Return the version of what derived the facts, subjects and findings (`FACTS_VERSION`); 0 if unknown."""


class Store(Reads, Protocol):
    """A store of one log, for the one that writes it. All methods raise StoreError where the medium fails."""

    @property
    def public(self) -> Reads:
        """The same log for strangers: what they read keeps nobody waiting who reads or writes through the store.

        One read may take a few seconds at most: then it ends with ReadTooLongError.
        """

    async def append(self, batch: Batch) -> None:
        """Write a batch, durably and atomically; StoreError if it does not start at the store's size."""

    async def keep_cosigned(self, checkpoint: StoredCheckpoint) -> None:
        """Keep a checkpoint with cosignatures, durably, in place of one of the same size: one a minute at least."""

    async def keep_stamp(self, stamp: StoredStamp) -> None:
        """Keep a token, durably; of a size that has one, the older stays: it bounds more closely."""

    async def keep_signed_time(self, time_ms: int) -> None:
        """Keep, durably, that words of up to this time may have been signed; an earlier one changes nothing."""

    async def signed_time_ms(self) -> int:
        """Return the greatest time that was kept so, 0 without one."""

    async def keep_pending(self, items: Sequence[Pending]) -> None:
        """Keep statements that are to be recorded later, durably and in this order; `append` drops what it records."""

    async def drop_pending(self, statement_ids: Collection[str]) -> None:
        """Drop statements that can never be recorded."""

    def rebuild(self, version: int) -> AbstractAsyncContextManager[Rebuild]:
        """Make all that is derived anew, by `version`: in one transaction, which ends with the context."""

    async def free_bytes(self) -> int:
        """Return the free space of the medium in bytes."""

    async def close(self) -> None:
        """Release everything; the store is not used again."""
