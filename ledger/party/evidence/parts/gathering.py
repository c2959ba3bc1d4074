"""Which entries of a log a bundle holds (docs/bundle.md §2), and what proves them together under one checkpoint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from heapq import heappop, heappush

from ledger.core.checkpoint import TreeHead
from ledger.core.encoding import Json, parse_canonical
from ledger.core.entry import Entry
from ledger.party.chain.told import Told
from ledger.party.evidence.parts.errors import TooLarge
from ledger.party.evidence.parts.sources import (
    CASE_ONLY,
    MAX_ENTRIES,
    EntrySource,
    Progress,
    no_progress,
    statement_of,
)
from ledger.statements.transfer import TransferOffered

_THINGS = frozenset({"listing.registered", "license.agreed", "transfer.offered", "transfer.prepared", "claim.opened"})
"""Types of statements whose things are changed, ended or decided by later ones."""


class Scope(Enum):
    """How much of a log goes into a bundle."""

    CASE = "the case's own entries, and what these rest on"
    LISTING = "all that concerns the listing"
    LOG = "every entry from 0 on"


@dataclass(frozen=True)
class Gathered:
    """The entries of a bundle, ascending, all under the checkpoint `note`, and the signed histories that came along."""

    note: bytes
    head: TreeHead
    entries: tuple[Entry, ...]
    histories: tuple[Json, ...]
    inclusion: tuple[bytes, ...] = ()
    """The hashes that prove the entries together (docs/bundle.md §2.2)."""

    def told(self) -> list[Told]:
        """Return what the entries say."""
        return [
            Told(entry.index, entry.time_ms, entry.envelope.id, parse_canonical(entry.envelope.payload))
            for entry in self.entries
        ]


async def gather(
    source: EntrySource,
    subjects: Iterable[str],
    *,
    scope: Scope = Scope.LISTING,
    progress: Progress = no_progress,
) -> Gathered:
    """Return the entries of a scope, and all that these rest on; `subjects` are ids that have to be there too.

    Of the case's own entries, which nobody else can add to, are: those of `subjects`, what changed, ended or decided
    these, and of each party its registration and the keys that signed. Raises Missing, TooLarge, ReceiptInvalid.
    """
    head = source.tree.head
    if scope is Scope.LOG:
        waiting = set(range(min(head.size, MAX_ENTRIES + 1)))
    else:
        waiting = {0, *await source.rules_changes(), *(await source.concerning() if scope is Scope.LISTING else ())}
        waiting |= {await source.index_of(name) for name in subjects}
    found: dict[int, Entry] = {}
    parties: set[str] = set()
    keys: dict[str, list[int]] = {}
    indexes: dict[str, int] = {}
    order = sorted(waiting)
    while order:
        if len(waiting) > MAX_ENTRIES:
            raise TooLarge(f"the bundle would hold more than {MAX_ENTRIES:,} entries", CASE_ONLY)
        # A statement names earlier ones only: taken in order, most of what is named is at hand already.
        index = heappop(order)
        entry = found[index] = await source.tree.parsed(index)
        indexes[entry.envelope.id] = index
        statement = statement_of(entry)
        names = {statement.issuer, *statement.named_parties}
        ids = {*statement.named_ids, *statement.mentioned_ids}
        if isinstance(statement, TransferOffered) and statement.marks is not None:
            ids.add(statement.marks.prepared)
        more: set[int] = set()
        for name in names - parties:
            own = await source.keys_of(name)
            more.update(own.pop("", ()))
            keys |= own
            if scope is not Scope.CASE:
                more.update(*own.values())
        parties |= names
        more.update(*(keys.get(keyid, ()) for keyid in statement.signers))
        if scope is Scope.CASE and statement.type in _THINGS:
            more.update(await source.changes(statement.type, entry.envelope.id))
        for name in ids - indexes.keys():
            indexes[name] = await source.index_of(name)
            more.add(indexes[name])
        for other in more - waiting:
            heappush(order, other)
        waiting |= more
        progress(len(found), len(waiting))
    entries = [found[index] for index in sorted(found)]
    inclusion = await source.tree.prove(entries)
    return Gathered(source.tree.note, head, tuple(entries), tuple(source.histories), tuple(inclusion))


async def with_histories(source: EntrySource, gathered: Gathered, parties: Iterable[str]) -> Gathered:
    """Return the same with the signed histories of those parties of whom every entry is here.

    They say that no entry that was left out revokes one of their keys. Of others they would tell nothing but how much
    else they do on this ledger.
    """
    here = {entry.index for entry in gathered.entries}
    found = [history for name in sorted(set(parties)) if (history := await source.history_of(name)) is not None]
    more = tuple(history.signed for history in found if here.issuperset(history.indexes))
    return replace(gathered, histories=gathered.histories + more)
