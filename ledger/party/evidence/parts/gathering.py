"""Which entries of a log a bundle holds (docs/bundle.md §2), each with its receipt under one checkpoint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ledger.core.checkpoint import TreeHead
from ledger.core.encoding import Json, parse_canonical
from ledger.core.errors import FormatError
from ledger.party.answers.versions import read_statement
from ledger.party.chain.told import Told
from ledger.party.errors import ReceiptInvalid
from ledger.party.evidence.parts.errors import TooLarge
from ledger.party.evidence.parts.sources import EntrySource, Progress, no_progress
from ledger.party.evidence.parts.tiles import Proved

MAX_ENTRIES = 4_900
"""With its receipt each takes two of the 10,000 members that a bundle may have."""


@dataclass(frozen=True)
class Gathered:
    """The entries of a bundle, ascending, all under the checkpoint `note`, and the signed histories that came along."""

    note: bytes
    head: TreeHead
    entries: tuple[Proved, ...]
    histories: tuple[Json, ...]

    def told(self) -> list[Told]:
        """Return what the entries say."""
        return [
            Told(
                proved.entry.index,
                proved.entry.time_ms,
                proved.entry.envelope.id,
                parse_canonical(proved.entry.envelope.payload),
            )
            for proved in self.entries
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
    found: dict[int, Proved] = {}
    parties: set[str] = set()
    indexes: dict[str, int] = {}
    while waiting:
        if len(found) + len(waiting) > MAX_ENTRIES:
            raise TooLarge(
                f"the bundle would hold more than {MAX_ENTRIES} entries",
                "leave out --whole-log; a listing with so many hand-offs has no bundle yet: give the court a mirror",
            )
        # A statement names earlier ones only: taken in order, most of what is named is at hand already.
        index = min(waiting)
        waiting.remove(index)
        found[index] = await source.tree.proved(index)
        indexes[found[index].entry.envelope.id] = index
        names, ids = _named(found[index])
        for name in names - parties:
            waiting |= set(await source.keys_of(name)) - found.keys()
        parties |= names
        for name in ids - indexes.keys():
            indexes[name] = await source.index_of(name)
            waiting |= {indexes[name]} - found.keys()
        progress(len(found), len(found) + len(waiting))
    entries = tuple(found[index] for index in sorted(found))
    return Gathered(source.tree.note, head, entries, tuple(source.histories))


async def with_histories(source: EntrySource, gathered: Gathered, parties: Iterable[str]) -> Gathered:
    """Return the same with the signed histories of those parties of whom every entry is here.

    They say that no entry that was left out revokes one of their keys. Of others they would tell nothing but how much
    else they do on this ledger.
    """
    here = {proved.entry.index for proved in gathered.entries}
    found = [history for name in sorted(set(parties)) if (history := await source.history_of(name)) is not None]
    more = tuple(history.signed for history in found if here.issuperset(history.indexes))
    return replace(gathered, histories=gathered.histories + more)


def _named(proved: Proved) -> tuple[set[str], set[str]]:
    """Return the parties and the statements that an entry names; raise ReceiptInvalid."""
    try:
        statement = read_statement(proved.entry.envelope.payload)
    except FormatError as error:
        raise ReceiptInvalid(f"entry {proved.entry.index} holds no statement that we know: {error}") from error
    return {statement.issuer, *statement.named_parties}, {*statement.named_ids, *statement.mentioned_ids}
