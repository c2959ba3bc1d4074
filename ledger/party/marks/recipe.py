"""Which columns are drawn anew, so that rows look like the table's and exist nowhere in it (docs/marks.md §8)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from random import Random

import numpy as np
from numpy.typing import NDArray

from ledger.party.dataset.reading.cells import Cell
from ledger.party.dataset.reading.normal import normal_form
from ledger.party.marks.errors import CannotMark
from ledger.party.marks.parameters import Room
from ledger.party.marks.redraws import (
    SPARE,
    Between,
    FirstWord,
    Nearby,
    PastTheLast,
    Rank,
    Redraw,
    Template,
    date,
    number,
)

SAMPLE_ROWS = 20_000
"""How many rows a table is learnt from, at most."""
_SPARE_BITS = 26
"""Bits beyond those of the table's length: with more, further columns would be drawn anew for nothing."""
_PARTS = (64, 32, 16, 8)
_FILLED = 0.8
_RARE = 0.3
_UNIQUE = 0.95
_MIN_VALUES = 24
_MIN_NAME_BITS = 4
_KEPT = 0.5
_COMPARED = 256
_LOOSE = 0.02
_FEW = 1000
_PAIRED = 12
Row = Sequence[Cell]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Recipe:
    """How rows are drawn: one of `bases`, with a new cell in each column of `redraws`."""

    columns: tuple[str, ...]
    bases: tuple[Row, ...]
    redraws: dict[int, Redraw]
    room: Room

    @property
    def names(self) -> list[int]:
        """The columns in which a mark must not have what another row has."""
        return [column for column, redraw in self.redraws.items() if redraw.is_name]

    def rows(self, random: Random) -> Iterator[tuple[Row, list[Cell]]]:
        """Yield base and drawn row, for good; some of them may exist already."""
        while True:
            base = random.choice(self.bases)
            row = list(base)
            for column, redraw in self.redraws.items():
                row[column] = redraw.draw(row[column] or "", random)
            yield base, row


def learn(columns: Sequence[str], sample: Sequence[Row], rows: int, marks: int) -> Recipe:
    """Learn a table of `rows` rows from a sample of them, so that up to `marks` rows can be drawn.

    Raises CannotMark where a column that names the rows has no free values, or nothing can be drawn anew.
    """
    table = _Table(columns, sample, rows, marks)
    redraws: dict[int, Redraw] = {}
    for part in _PARTS:
        redraws = table.redraws(part)
        if sum(redraw.bits for redraw in redraws.values()) >= table.target:
            break
    bases = table.bases(redraws)
    if not redraws or not bases:
        raise CannotMark(
            "no column of this table has enough values to draw rows from that exist nowhere else",
            "leave rows out instead (--mark omission), or hand the table over unmarked",
        )
    bits = [redraws[column].bits if column in redraws else 0 for column in range(len(columns))]
    kept = {column: _spread(bases, column) for column in range(len(columns)) if column not in redraws}
    if kept:
        # Which base it is, is drawn, too: one column that is kept has the bits of that.
        most = max(kept, key=lambda column: kept[column])
        bits[most] = kept[most]
    return Recipe(tuple(columns), tuple(bases), redraws, Room(rows, tuple(bits)))


def _spread(bases: Sequence[Row], column: int) -> int:
    """Return b such that no cell of the column is in more than 2^-b of the bases, SPARE counted in."""
    commonest = Counter(normal_form(row[column]) for row in bases).most_common(1)[0][1]
    return max(0, int(math.log2(SPARE * len(bases) / commonest)))


class _Table:
    """The sample, column by column."""

    def __init__(self, columns: Sequence[str], sample: Sequence[Row], rows: int, marks: int) -> None:
        self.target = math.log2(max(2, rows)) + _SPARE_BITS
        self._names = columns
        self._sample = sample
        self._rows = rows
        self._marks = marks
        self._cells = [[cell for row in sample if (cell := row[column])] for column in range(len(columns))]
        self._codes: dict[int, Codes] = {}
        self._bound: dict[int, bool] = {}

    def redraws(self, part: int) -> dict[int, Redraw]:
        """Return what is drawn anew: whatever would show that a row was copied; then, for bits, what recurs."""
        chosen: dict[int, Redraw] = {}
        spread: list[tuple[int, int, Rank]] = []
        for column, cells in enumerate(self._cells):
            redraw = self._needed(column, part)
            if redraw is not None and redraw.bits:
                chosen[column] = redraw
            elif (rank := self._rank(cells)) is not None:
                spread.append((-len(set(cells)), column, rank))
        left = self.bases(chosen)
        for _, column, rank in sorted(spread, key=lambda item: item[:2]):
            if sum(redraw.bits for redraw in chosen.values()) >= self.target:
                break
            nearby = Nearby(self._cells[column], part, rank)
            kept = [row for row in left if nearby.fits(row[column])]
            if nearby.bits and len(kept) >= _KEPT * len(left) and not self._is_bound(column):
                chosen[column], left = nearby, kept
        return chosen

    def bases(self, redraws: dict[int, Redraw]) -> list[Row]:
        """Return the rows of which a mark can be made."""
        return [row for row in self._sample if all(redraw.fits(row[column]) for column, redraw in redraws.items())]

    def _needed(self, column: int, part: int) -> Redraw | None:
        """Return how a column is drawn anew whose cells hardly recur, None for another."""
        cells = self._cells[column]
        if len(cells) < _FILLED * len(self._sample):
            return None
        numbers = [cell for cell in cells if number(cell) is not None]
        different = len(set(numbers or cells)) / len(numbers or cells)
        if len(numbers) >= _FILLED * len(self._sample):
            return self._numbers(numbers, different, part) if different >= _RARE else None
        if len(numbers) > len(cells) / 10 or date(cells[0]) is not None or len(set(cells)) < _FILLED * len(cells):
            return None
        if sum(" " in cell for cell in cells) >= len(cells) / 2:
            return FirstWord(cells, self._rows)
        template = Template(cells, self._rows + self._marks)
        if template.bits < _MIN_NAME_BITS:
            raise CannotMark(
                f"the column {self._names[column]!a} names the rows, and nearly all its values are taken",
                "leave rows out instead (--mark omission), or hand the table over unmarked",
            )
        return template

    def _numbers(self, numbers: list[str], different: float, part: int) -> Redraw:
        is_name = different >= _UNIQUE and all(cell.isdecimal() for cell in numbers)
        taken = (self._rows + self._marks) / len(set(numbers))
        between = Between(numbers, part, taken, is_name=is_name)
        return PastTheLast(numbers, self._marks) if is_name and between.bits < _MIN_NAME_BITS else between

    def _rank(self, cells: list[str]) -> Rank | None:
        """Return how a column is ordered that has many values, none of them in half of its cells; None for another."""
        counts = Counter(cells)
        if len(counts) < _MIN_VALUES or counts.most_common(1)[0][1] > len(cells) / 2:
            return None
        for rank in (number, date):
            if sum(times for cell, times in counts.items() if rank(cell) is not None) >= _FILLED * len(self._sample):
                return rank
        return None

    def _is_bound(self, column: int) -> bool:
        """Tell whether the column decides another, or one or two decide it: drawn alone, it would contradict them."""
        if column not in self._bound:
            self._bound[column] = self._find_bound(column)
        return self._bound[column]

    def _find_bound(self, column: int) -> bool:
        others = [other for other in range(min(len(self._names), _COMPARED)) if other != column]
        codes = self._coded(column)
        if any(_decides(codes, self._coded(other)) or _decides(self._coded(other), codes) for other in others):
            return True
        few = [self._coded(other) for other in others if 1 < self._coded(other).max() < _FEW][:_PAIRED]
        return any(_decides(one * _FEW + two, codes) for one, two in combinations(few, 2))

    def _coded(self, column: int) -> Codes:
        """Return a number for each cell of a column, equal for equal ones."""
        if column not in self._codes:
            numbers: dict[Cell, int] = {}
            codes = [numbers.setdefault(row[column], len(numbers)) for row in self._sample]
            self._codes[column] = np.array(codes, np.int64)
        return self._codes[column]


def _decides(one: Codes, two: Codes) -> bool:
    """Tell whether equal cells of one column nearly always go with equal cells of another, which has several."""
    _, groups = np.unique(one, return_inverse=True)
    if groups.max() > len(one) / 2 or np.bincount(two).max() > _UNIQUE * len(two):
        return False
    pairs, counts = np.unique(groups * (int(two.max()) + 1) + two, return_counts=True)
    commonest = np.zeros(int(groups.max()) + 1, np.int64)
    np.maximum.at(commonest, pairs // (int(two.max()) + 1), counts)
    return bool(len(one) - commonest.sum() <= _LOOSE * len(one))
