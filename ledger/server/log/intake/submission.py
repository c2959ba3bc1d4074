"""What is posted to the log, as far as it is read, and how it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ledger.core.checkpoint import TreeHead
from ledger.core.entry import Entry, parse_entry
from ledger.core.errors import FormatError
from ledger.core.merkle import inclusion_ranges, nodes_of, prove
from ledger.registry.acceptance import Candidate
from ledger.server.log.intake.checking import Checked
from ledger.server.store.contract import Store
from ledger.statements.ledger import LedgerCreated, LedgerRulesChanged
from ledger.statements.parse import InForce


@dataclass(frozen=True)
class Published:
    """A durable state of the log. `witnessed`: its cosignatures reach the quorum that the operator asks for."""

    head: TreeHead
    time_ms: int
    checkpoint: bytes
    witnessed: bool = False


@dataclass(frozen=True)
class Recorded:
    """A statement that is in the log, durably: its entry, with its inclusion path to `checkpoint`."""

    statement_id: str
    entry: Entry
    path: list[bytes]
    checkpoint: bytes
    duplicate: bool
    witnessed: bool = False
    """Whether `checkpoint` has the quorum that the operator asks for."""


@dataclass(frozen=True)
class Posted:
    """What was posted, and whoever waits for the answer."""

    raw: bytes
    answer: asyncio.Future[Recorded]


@dataclass(frozen=True)
class Waiting:
    """A statement that reads well under the rules `in_force`."""

    posted: Posted
    in_force: InForce
    checked: Checked

    @property
    def candidate(self) -> Candidate:
        """The statement and its envelope."""
        return self.checked.candidate

    @property
    def answer(self) -> asyncio.Future[Recorded]:
        """The answer to come."""
        return self.posted.answer

    @property
    def may_change_rules(self) -> bool:
        """Tell whether what follows may have to be read by other rules."""
        return isinstance(self.candidate.statement, LedgerCreated | LedgerRulesChanged)


@dataclass(frozen=True)
class Faulty:
    """What does not read under the rules `in_force`; under others it may."""

    posted: Posted
    in_force: InForce
    fault: FormatError
    may_change_rules = False


Inspected = Waiting | Faulty


async def answer_again(store: Store, published: Published, duplicates: list[tuple[Waiting, int]]) -> None:
    """Answer duplicates with the entries as recorded, in a few reads for all: resubmitting must not be slow."""
    indexes = sorted({index for _, index in duplicates})
    ranges = {index: inclusion_ranges(index, published.head.size) for index in indexes}
    nodes = await store.nodes({node for spans in ranges.values() for node in nodes_of(spans)})
    entries: dict[int, bytes] = {}
    for start, end in _runs(indexes):
        entries.update(enumerate(await store.entries(start, end), start))
    for item, index in duplicates:
        path, entry = prove(ranges[index], nodes), parse_entry(entries[index])
        name = item.candidate.envelope.id
        witnessed = published.witnessed
        answer(item, Recorded(name, entry, path, published.checkpoint, duplicate=True, witnessed=witnessed))


def answer(item: Waiting, recorded: Recorded) -> None:
    """Answer, unless whoever asked has gone."""
    if not item.answer.done():
        item.answer.set_result(recorded)


def fail(group: Sequence[Posted], error: Exception) -> None:
    """Answer all of them with an error."""
    for item in group:
        if not item.answer.done():
            item.answer.set_exception(error)
            item.answer.exception()  # whoever asked may have gone; that is no error of ours


def _runs(indexes: Iterable[int]) -> list[tuple[int, int]]:
    """Return ascending indexes as half-open intervals of consecutive ones."""
    runs: list[tuple[int, int]] = []
    for index in indexes:
        if runs and runs[-1][1] == index:
            runs[-1] = (runs[-1][0], index + 1)
        else:
            runs.append((index, index + 1))
    return runs
