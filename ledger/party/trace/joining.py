"""Found rows looked up in copies: which committed records are in the found file (docs/trace.md §3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ledger.party.dataset.committing.copies import cell_key
from ledger.party.dataset.reading.cells import Cell
from ledger.party.dataset.reading.normal import MappedColumn, normal_form
from ledger.party.trace.cells import Numbers, among, multipliers, row_numbers
from ledger.party.trace.found import FoundTable
from ledger.party.trace.index import build_index

MAX_CONTROL_ROWS = 1_000_000
Ints = npt.NDArray[np.int64]


class Batch(NamedTuple):
    """Some records of a copy from number `first` on: their own numbers, and their cells' in the mapped columns."""

    first: int
    record: Numbers
    cells: Sequence[Numbers]


@dataclass(frozen=True)
class Hits:
    """The records of one copy that are in the found file, ascending, and their `keys` (`copies.record_key`).

    `places` are positions of their rows' numbers in the index; `exact` is the found row of the same canonical record,
    or −1 where only normal forms are equal; `random` counts the records that rows put together at random would match.
    `marks` are the numbers of the copy's records that are marks, found or not, and `mark_keys` which marks they are.
    """

    records: Ints
    keys: Numbers
    places: Ints
    exact: Ints
    random: int
    marks: Ints
    mark_keys: Numbers

    def save(self, path: Path) -> None:
        """Write all of it to a file, which is there whole or not at all."""
        temporary = path.with_suffix(".partial")
        with temporary.open("wb") as file:
            np.savez(file, *(np.asarray(value) for value in self.__dict__.values()))
        temporary.replace(path)

    @classmethod
    def load(cls, path: Path) -> Hits | None:
        """Read what `save` wrote, or return None if there is nothing."""
        if not path.exists():
            return None
        with np.load(path) as kept:
            records, keys, places, exact, random, marks, mark_keys = (kept[name] for name in kept.files)
            return cls(records, keys, places, exact, int(random), marks, mark_keys)


class Lookup:
    """Found rows under one mapping, indexed; and as many rows (up to a million) whose cells were mixed at random."""

    def __init__(self, found: FoundTable, mapping: Sequence[MappedColumn], seed: bytes, directory: Path) -> None:
        """Index the rows below `directory`. `seed` decides the factors and the mixing."""
        self.mapping = list(mapping)
        self._found = found
        self._factors = multipliers(seed, len(mapping))
        self._columns = [found.numbers(item.found, item.reading) for item in mapping]
        self.index = build_index(self._parts(), found.count, directory / "normal")
        self._exact = build_index(
            (np.asarray(found.records()[part]) for part in found.parts()), found.count, directory / "exact"
        )
        self.random_rows = min(found.count, MAX_CONTROL_ROWS)
        draw = np.random.default_rng(np.frombuffer(seed, np.uint8))
        # Each cell comes from a row of its own: a file of the same values that holds no row of anybody, but by chance.
        mixed = (np.asarray(column[draw.integers(0, found.count, self.random_rows)]) for column in self._columns)
        self._random = np.sort(row_numbers(mixed, self._factors, self.random_rows))

    def look(self, batches: Iterable[Batch], mark_keys: Numbers) -> Hits:
        """Look a copy up, in which the records with these numbers are marks."""
        records, places, exact, marks = [_NO], [_NO], [_NO], [_NO]
        keys, known = [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
        random = 0
        for batch in batches:
            numbers = row_numbers(batch.cells, self._factors, len(batch.record))
            random += int((among(numbers, self._random) & (numbers != 0)).sum())
            found = self.index.find(numbers)
            here = np.flatnonzero(self._equal(batch.cells, found))
            same = self._exact.find(batch.record[here])
            records.append(batch.first + here)
            keys.append(batch.record[here])
            places.append(found[here])
            exact.append(np.where(same >= 0, self._exact.first_rows(same), -1))
            marked = np.flatnonzero(among(batch.record, mark_keys))
            marks.append(batch.first + marked)
            known.append(batch.record[marked])
        return Hits(
            np.concatenate(records),
            np.concatenate(keys),
            np.concatenate(places),
            np.concatenate(exact),
            random,
            np.concatenate(marks),
            np.concatenate(known),
        )

    def find_records(self, records: Sequence[Sequence[Cell]]) -> Ints:
        """Return the first found row that equals each committed record (of cells), and −1 where none does."""
        if not records:
            return _NO
        forms = [[cell_key(normal_form(record[item.column])) for record in records] for item in self.mapping]
        cells = [np.array(column, np.uint64) for column in forms]
        places = self.index.find(row_numbers(cells, self._factors, len(records)))
        return np.where(self._equal(cells, places), self.index.first_rows(places), -1)

    def mark_rows(self, places: Ints, rows: npt.NDArray[np.bool_]) -> None:
        """Set, in `rows`, all found rows that have a number of these `places` in the index."""
        wanted = np.zeros(len(self.index.numbers), bool)
        wanted[places] = True
        first = 0
        for numbers in self._parts():
            found = self.index.find(numbers)
            rows[first : first + len(numbers)] |= (found >= 0) & (wanted[found] if len(wanted) else False)
            first += len(numbers)

    def _equal(self, cells: Sequence[Numbers], places: Ints) -> npt.NDArray[np.bool_]:
        """Compare cell by cell what the rows' numbers say is equal."""
        equal = places >= 0
        rows = self.index.first_rows(places[equal])
        same = np.ones(len(rows), bool)
        for ours, theirs in zip(self._columns, cells, strict=True):
            same &= ours[rows] == theirs[equal]
        equal[equal] = same
        return equal

    def _parts(self) -> Iterator[Numbers]:
        for part in self._found.parts():
            cells = (np.asarray(column[part]) for column in self._columns)
            yield row_numbers(cells, self._factors, part.stop - part.start)


_NO: Ints = np.zeros(0, np.int64)
