"""Every kept copy compared with the found file: by rows under one mapping a family of tables, by chunks, by digest.

All copies with the same columns are compared under the same mapping: the same test for every recipient.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeVar

import numpy as np

from ledger.core.errors import LedgerError
from ledger.party.dataset.committing.copies import CopyFile, record_key
from ledger.party.dataset.reading.normal import MappedColumn
from ledger.party.trace.cells import Numbers
from ledger.party.trace.found import FoundTable
from ledger.party.trace.handoffs import HandOff
from ledger.party.trace.joining import Batch, Hits, Lookup
from ledger.party.trace.mapping import find_mapping
from ledger.party.trace.work import Work, family_name
from ledger.statements.content import ChunkRecords, RowRecords

_ResultT = TypeVar("_ResultT")


class Progress(Protocol):
    """Shows how far a trace is."""

    def start(self, what: str, total: int) -> None:
        """Begin a step, in words, of `total` units of whatever kind."""

    def advance(self, count: int) -> None:
        """Say that `count` further units are done."""


@dataclass(frozen=True)
class RowsCompared:
    """One table of one hand-off under its family's mapping."""

    file: CopyFile
    count: int
    lookup: Lookup
    hits: Hits


@dataclass(frozen=True)
class ChunksCompared:
    """One file of a hand-off that is not a table: `matches` are its chunks, each equal to one of the found file."""

    file: CopyFile
    count: int
    matches: list[tuple[int, int]]


@dataclass
class Compared:
    """What one hand-off has in common with the found file; `same` are files of it with the very same bytes."""

    hand_off: HandOff
    rows: list[RowsCompared] = field(default_factory=list)
    chunks: list[ChunksCompared] = field(default_factory=list)
    same: list[CopyFile] = field(default_factory=list)

    @property
    def is_compared(self) -> bool:
        """Whether anything of it could be compared."""
        return bool(self.hand_off.files)


@dataclass
class _Family:
    columns: tuple[str, ...]
    members: list[tuple[Compared, CopyFile, int]] = field(default_factory=list)


def compare_rows(found: FoundTable, compared: Sequence[Compared], work: Work, progress: Progress) -> None:
    """Compare every table of every hand-off; what an earlier run did, is not done again.

    A copy that turns out to be damaged is left out, and its hand-off says so.
    """
    for name, family in _families(compared).items():
        progress.start("Finding which column is which", sum(count for *_, count in family.members))
        mapping = work.mapping(name)
        if mapping is None:
            mapping = _find_mapping(found, family, progress)
            work.keep_mapping(name, mapping)
        if not mapping:
            continue
        lookup = Lookup(found, mapping, work.seed, work.family(name))
        progress.start("Comparing with what was handed off", sum(count for *_, count in family.members))
        for item, file, count in family.members:
            hits = _guarded(item, file, partial(_hits, item, file, lookup, work, progress))
            if hits is not None:
                item.rows.append(RowsCompared(file, count, lookup, hits))


def compare_chunks(chunks: Sequence[bytes], compared: Iterable[Compared]) -> None:
    """Compare the found file's chunks, given as digests, with those of every file that is not a table."""
    numbers: dict[bytes, int] = {}
    for number, digest in enumerate(chunks):
        numbers.setdefault(digest, number)
    for item in compared:
        for file in item.hand_off.files:
            if not isinstance(file.digest.records, ChunkRecords):
                continue
            matches = _guarded(item, file, partial(_chunk_matches, file, numbers))
            if matches is not None:
                item.chunks.append(ChunksCompared(file, file.digest.records.count, matches))


def compare_digests(found: Collection[str], compared: Iterable[Compared]) -> None:
    """Find the files with the very bytes of the found one, given by its SHA-256, packed and unpacked."""
    for item in compared:
        item.same = [file for file in item.hand_off.files if file.digest.sha256 in found]


def has_tables(compared: Iterable[Compared]) -> bool:
    """Tell whether anything handed off is a table whose records were committed to."""
    return any(isinstance(file.digest.records, RowRecords) for item in compared for file in item.hand_off.files)


def has_chunks(compared: Iterable[Compared]) -> bool:
    """Tell whether anything handed off was committed to by chunks."""
    return any(isinstance(file.digest.records, ChunkRecords) for item in compared for file in item.hand_off.files)


def _families(compared: Iterable[Compared]) -> dict[str, _Family]:
    families: dict[str, _Family] = {}
    for item in compared:
        for file in item.hand_off.files:
            records = file.digest.records
            if isinstance(records, RowRecords):
                columns = tuple(records.columns)
                family = families.setdefault(family_name(columns), _Family(columns))
                family.members.append((item, file, records.count))
    return families


def _find_mapping(found: FoundTable, family: _Family, progress: Progress) -> list[MappedColumn]:
    """Return the mapping by the first copy that the found file is like, or by the most alike of all."""
    best: list[MappedColumn] = []
    for item, file, count in family.members:
        batches = partial(_all_cells, file)
        mapping = _guarded(item, file, partial(find_mapping, found, family.columns, batches))
        progress.advance(count)
        if mapping is not None and len(mapping) > len(best):
            best = mapping
        if 2 * len(best) > min(len(family.columns), len(found.columns)):
            break
    return best


def _all_cells(file: CopyFile) -> Iterator[Sequence[Numbers]]:
    return (keys.cells for keys in file.keys(record=False))


def _hits(item: Compared, file: CopyFile, lookup: Lookup, work: Work, progress: Progress) -> Hits:
    name = (
        f"{item.hand_off.transfer.removeprefix('sha256:')}-{file.position}-{'open' if item.hand_off.opened else 'shut'}"
    )
    path = work.hits(name)
    kept = Hits.load(path)
    if kept is not None:
        progress.advance(file.count)
        return kept
    marks = item.hand_off.opened
    records = marks.all_marks if marks is not None and marks.file == file.position else ()
    columns = [mapped.column for mapped in lookup.mapping]

    def batches() -> Iterator[Batch]:
        for keys in file.keys(columns):
            if keys.record is not None:
                progress.advance(len(keys.record))
                yield Batch(keys.first, keys.record, keys.cells)

    hits = lookup.look(batches(), np.array(sorted(map(record_key, records)), np.uint64))
    hits.save(path)
    return hits


def _chunk_matches(file: CopyFile, numbers: dict[bytes, int]) -> list[tuple[int, int]]:
    matches = []
    for first, digests in file.chunk_digests():
        matches += [(first + at, numbers[digest]) for at, digest in enumerate(digests) if digest in numbers]
    return matches


def _guarded(item: Compared, file: CopyFile, do: Callable[[], _ResultT]) -> _ResultT | None:
    """Do it; where the kept copy turns out to be damaged, note that with the hand-off, and return None."""
    if file.position in item.hand_off.damaged:
        return None
    try:
        return do()
    except (LedgerError, OSError) as error:
        item.hand_off.problems.append(f"the kept copy of {file.name} cannot be used: {error}")
        item.hand_off.damaged.add(file.position)
        return None
