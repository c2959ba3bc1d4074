"""Which entries of a log a bundle holds (docs/bundle.md §2), and what proves them together under one checkpoint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from heapq import heappop, heappush

from ledger.core.checkpoint import TreeHead
from ledger.core.encoding import Json, parse_canonical
from ledger.core.entry import Entry
from ledger.core.errors import FormatError
from ledger.party.answers.versions import read_statement
from ledger.party.chain.told import Told
from ledger.party.errors import ReceiptInvalid
from ledger.party.evidence.parts.errors import TooLarge
from ledger.party.evidence.parts.sources import EntrySource, Progress, no_progress

MAX_ENTRIES = 200_000
"""What a verifier reads in a minute or two."""
_CASE_ONLY = "leave out --whole-log; or give the court a mirror"


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
    source: EntrySource, subjects: Iterable[str], *, whole_log: bool = False, progress: Progress = no_progress
) -> Gathered:
    """Return every entry that concerns the source's listing, and all that these rest on.

    `subjects` are ids that have to be there too. With `whole_log`, every entry from 0 on. Raises Missing, TooLarge,
    ReceiptInvalid.
    """
    head = source.tree.head
    if whole_log:
        waiting = set(range(head.size))
    else:
        waiting = {0, *await source.rules_changes(), *await source.concerning()}
        waiting |= {await source.index_of(name) for name in subjects}
    found: dict[int, Entry] = {}
    parties: set[str] = set()
    indexes: dict[str, int] = {}
    order = sorted(waiting)
    while order:
        if len(waiting) > MAX_ENTRIES:
            raise TooLarge(f"the bundle would hold more than {MAX_ENTRIES} entries", _CASE_ONLY)
        # A statement names earlier ones only: taken in order, most of what is named is at hand already.
        index = heappop(order)
        entry = found[index] = await source.tree.parsed(index)
        indexes[entry.envelope.id] = index
        names, ids = _named(entry)
        more: set[int] = set()
        for name in names - parties:
            more.update(await source.keys_of(name))
        parties |= names
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


def _named(entry: Entry) -> tuple[set[str], set[str]]:
    """Return the parties and the statements that an entry names; raise ReceiptInvalid."""
    try:
        statement = read_statement(entry.envelope.payload)
    except FormatError as error:
        raise ReceiptInvalid(f"entry {entry.index} holds no statement that we know: {error}") from error
    return {statement.issuer, *statement.named_parties}, {*statement.named_ids, *statement.mentioned_ids}
