"""Candidate rows: of what is sealed, a draw decides later which are planted (docs/marks.md §8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random

import numpy as np
from numpy.typing import NDArray

from ledger.party.dataset.reading.cells import Cell
from ledger.party.dataset.reading.normal import normal_form
from ledger.party.dataset.reading.rows import Rows
from ledger.party.dataset.reading.table import open_table
from ledger.party.digests import Progress, no_progress
from ledger.party.marks.columns import Column
from ledger.party.marks.crossing import Crossing, Maker, Plan
from ledger.party.marks.drawing import SourceTable
from ledger.party.marks.errors import CannotMark
from ledger.party.marks.forms import forms_of
from ledger.party.marks.gaps import Gaps
from ledger.party.marks.held import NOTHING_HELD, held
from ledger.party.marks.scales import Dates
from ledger.party.marks.spelling import Addresses, speller
from ledger.party.marks.ties import Ties, tied


@dataclass(frozen=True)
class _Way:
    """From how many rows next to a base a row is crossed, how strictly, and whether series may become longer."""

    near: int | None
    is_strict: bool = False
    is_beyond: bool = False


_WAYS = (_Way(8, is_strict=True), _Way(32, is_strict=True), _Way(8), _Way(32), _Way(None), _Way(None, is_beyond=True))
"""Each is taken where the one before it does not make enough different rows: last, dates before a series' first."""
_BATCH = 512
_TRIES = 12
_FIRST = 4
_CACHED = 262_144
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
Numbers = NDArray[np.uint64]
Mask = NDArray[np.bool_]
_NONE = np.zeros(0, np.uint64)
Key = tuple[int, ...]


def draw_candidates(
    table: SourceTable, count: int, random: Random, progress: Progress = no_progress
) -> list[list[Cell]]:
    """Return `count` different rows like the table's, none of them in it, in an order that says nothing.

    Raises CannotMark if there are fewer, or what reading the table raises; it is read once.
    """
    columns = [Column(cells, table.rows) for cells in zip(*table.sample, strict=True)]
    single = frozenset(number for number, column in enumerate(columns) if column.is_key)
    ties = tied([column.codes for column in columns], [column.values for column in columns], single)
    whole = _Whole(table, list(ties.keys), progress)
    keys = [key for key in ties.keys if whole.is_key(key)]
    return _Drawing(columns, ties, keys, whole, count).rows(random, [table.columns[n] for n in range(len(columns))])


class _Drawing:
    """Rows drawn until there are enough, each of them held against the whole table and those before it."""

    def __init__(self, columns: Sequence[Column], ties: Ties, keys: Sequence[Key], whole: _Whole, count: int) -> None:
        self._columns, self._ties, self._keys, self._whole, self._count = columns, ties, keys, whole, count
        self._single = frozenset(key[0] for key in keys if len(key) == 1)

    def rows(self, random: Random, names: Sequence[str]) -> list[list[Cell]]:
        """Return the rows, or raise CannotMark."""
        refused: Counter[str] = Counter()
        drawn: list[list[Cell]] = []
        for way in _WAYS:
            drawn = self._drawn(way, random, refused, names)
            if len(drawn) == self._count:
                # What a row owes to those drawn before it, its position no longer tells: all orders are equally likely.
                random.shuffle(drawn)
                return drawn
        what = refused.most_common(1)[0][0] if refused else "few rows can be made of its cells"
        raise CannotMark(
            f"only {len(drawn):,} of {self._count:,} rows were found that are like this table's and not in it: {what}",
            "accept a greater --bound, leave rows out instead (--mark omission), or hand this table over unmarked",
        )

    def _drawn(self, way: _Way, random: Random, refused: Counter[str], names: Sequence[str]) -> list[list[Cell]]:
        crossing = Crossing(self._plan(self._single | (self._beyond() if way.is_beyond else frozenset())), random)
        taken = {key: set[int]() for key in [(), *self._keys]}
        drawn: list[list[Cell]] = []
        tried = 0
        while tried < _TRIES * self._count + _FIRST * _BATCH:
            rows = crossing.rows(_BATCH, way.near, random, is_strict=way.is_strict)
            tried += _BATCH
            hashes, is_known = self._whole.hashes(rows, taken)
            for number, row in enumerate(rows):
                mine = {key: int(hashes[key][number]) for key in taken}
                again = [key for key, value in mine.items() if is_known[key][number] or value in taken[key]]
                if again:
                    said = " and ".join(ascii(names[column]) for column in again[-1]) or "all columns together"
                    refused[f"nearly all values of {said} are taken, and none may stand twice"] += 1
                    continue
                for key, value in mine.items():
                    taken[key].add(value)
                drawn.append(row)
                if len(drawn) == self._count:
                    return drawn
            if tried >= _FIRST * _BATCH and _TRIES * len(drawn) < tried:
                break
        return drawn

    def _beyond(self) -> frozenset[int]:
        """Return, of each key of several columns, those that have an order: they get values that no row has."""
        return frozenset(
            column for key in self._keys if len(key) > 1 for column in key if self._columns[column].scale is not None
        )

    def _plan(self, keys: frozenset[int]) -> Plan:
        columns = self._columns
        made = {three for three, *_ in self._ties.sums}
        makers: dict[int, Maker] = {}
        rooted: set[int] = set()
        for number, column in enumerate(columns):
            is_key = number in keys
            if not is_key and (not column.once or number in self._ties.decided or number in made):
                continue
            if column.scale is not None and not self._is_spelt(number):
                cells = self._whole.cells.get(number, column.filled)
                makers[number] = Gaps(column.scale, cells, self._count if is_key else 0)
                continue
            says = held(column.cells, {n: other.cells for n, other in enumerate(columns) if n not in keys})
            spelt = speller(column.filled, self._count, says if is_key else NOTHING_HELD)
            if spelt is not None:
                makers[number] = spelt
                rooted |= says.columns if is_key else set()
        named = {
            number: other
            for number, maker in makers.items()
            if isinstance(maker, Addresses)
            for other, column in enumerate(columns)
            if other != number and maker.carries(columns[number].cells, column.cells)
        }
        return Plan(columns, self._ties, makers, keys, frozenset(rooted), named)

    def _is_spelt(self, number: int) -> bool:
        """Tell whether a key of digits has check digits, and so is an identifier rather than a number."""
        column = self._columns[number]
        return number in self._single and not isinstance(column.scale, Dates) and bool(forms_of(column.filled))


class _Whole:
    """What must not be drawn again, read once: hashes of every row and key, and the different cells of key columns."""

    def __init__(self, table: SourceTable, keys: Sequence[Key], progress: Progress) -> None:
        self._rows = 0
        self.cells: dict[int, set[str]] = {key[0]: set() for key in keys if len(key) == 1}
        some: dict[Key, list[Numbers]] = {key: [] for key in [*keys, ()]}
        with open_table(table.path, table.how, progress) as opened:
            for batch in opened.rows():
                self._rows += batch.count
                numbers = _cell_numbers(batch)
                for key, parts in some.items():
                    parts.append(_joined([numbers[column] for column in key] if key else numbers))
                for column, cells in self.cells.items():
                    cells.update(cell for cell in batch.cells.column(column).to_pylist() if cell is not None)
        self._known = {key: np.unique(np.concatenate(parts)) for key, parts in some.items()}

    def is_key(self, key: Key) -> bool:
        """Tell whether no value of these columns stands twice in the whole table."""
        return len(self._known[key]) == self._rows

    def hashes(self, rows: Sequence[Sequence[Cell]], keys: Iterable[Key]) -> tuple[dict[Key, Numbers], dict[Key, Mask]]:
        """Return each row's hash by every key, and whether the table has it; the key () is the whole row."""
        columns = [_numbers(column) for column in zip(*rows, strict=True)]
        found = {key: _joined([columns[column] for column in key] or columns) if columns else _NONE for key in keys}
        places = {key: np.minimum(np.searchsorted(self._known[key], some), len(self._known[key]) - 1)
                  for key, some in found.items()}  # fmt: skip
        return found, {key: self._known[key][places[key]] == some for key, some in found.items()}


def _cell_numbers(batch: Rows) -> list[Numbers]:
    found = []
    for column in batch.cells.columns:
        encoded = column.dictionary_encode()
        indices = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy()
        found.append(_numbers([*encoded.dictionary.to_pylist(), None])[indices])
    return found


def _numbers(cells: Sequence[Cell]) -> Numbers:
    return np.array([_number(cell) for cell in cells], np.int64).view(np.uint64)


@lru_cache(_CACHED)
def _number(cell: Cell) -> int:
    """Return a number that is equal for cells of one normal form; for others by chance alone."""
    return hash(normal_form(cell))


def _joined(columns: Sequence[Numbers]) -> Numbers:
    total = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        total = (total ^ column) * _MULTIPLIER
        total ^= total >> np.uint64(29)
    return total
