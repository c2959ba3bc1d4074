"""A sample of a table, column by column: how cells are written, how many stand once, what is near what. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ledger.party.dataset.reading.cells import Cell
from ledger.party.dataset.reading.normal import normal_form
from ledger.party.marks.scales import NEARLY, Scale, scale_of
from ledger.party.marks.ties import Floats, Ints, expected_pairs

_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "\\n"})
_BY_CHANCE = 8.0
_FEWEST = 8
_SEEN = 0.02
"""Columns in which fewer cells stand once get no new values: one would show."""
_MOST_VARIED = 0.5


class Column:
    """One column of a sample of `rows` of a table's rows."""

    def __init__(self, cells: Sequence[Cell], rows: int) -> None:
        """Learn how its cells are written; `rows` is how many the whole table has."""
        self.cells = cells
        self.filled = [cell for cell in cells if cell is not None and not self.is_missing(cell)]
        self._rows = rows
        self._counts = Counter(map(normal_form, self.filled))

    @staticmethod
    def is_missing(cell: Cell) -> bool:
        """Tell whether a cell is missing, or a word that tables have for that."""
        return cell is None or cell.strip().lower() in _MISSING

    @cached_property
    def scale(self) -> Scale | None:
        """How its cells are ordered, or None."""
        return scale_of(self.filled)

    @cached_property
    def codes(self) -> Ints:
        """A number for each cell, equal for equal normal forms."""
        known: dict[str | None, int] = {}
        return np.array([known.setdefault(normal_form(cell), len(known)) for cell in self.cells], np.int64)

    @cached_property
    def values(self) -> Floats | None:
        """A number for each cell that ascends with its place, NaN for other cells; None if cells have no order."""
        if self.scale is None:
            return None
        return np.array([self.value(cell) for cell in self.cells])

    def value(self, cell: Cell) -> float:
        """Return the number that a cell is, or stands for; NaN for one that has no place."""
        place = None if self.scale is None or cell is None else self.scale.place(cell)
        return math.nan if place is None or self.scale is None else place.at * self.scale.unit

    @cached_property
    def is_key(self) -> bool:
        """Whether no value stands twice, though chance would have it: of numbers, in the range that they have."""
        if len(self.filled) < max(_FEWEST, NEARLY * len(self.cells)) or len(self._counts) < len(self.filled):
            return False
        if self.values is None:
            return True
        low, high = np.nanpercentile(self.values, [25, 75])
        step = self._step
        expected = len(self.filled) ** 2 / 2 / max(1.0, 2 * (high - low) / step)
        return bool(expected >= _BY_CHANCE)

    @cached_property
    def once(self) -> float:
        """The part of the cells whose value stands nowhere else in the whole table, which a sample overstates."""
        if not self.filled:
            return 0.0
        part = _once(self.filled)
        if self._rows > len(self.cells) and 0 < part < 1:
            half = _once(self.filled[::2])
            # Twice as many rows leave this part of those that stood once; the table doubles the sample so many times.
            part *= min(1.0, part / half if half else 1.0) ** math.log2(self._rows / len(self.cells))
        return part if part >= _SEEN else 0.0

    @cached_property
    def feature(self) -> NDArray[np.float32] | None:
        """What distances are measured by: ranks from 0 to 1 of what has an order, codes of what recurs; or None."""
        if self.values is not None:
            ranks = np.unique(np.nan_to_num(self.values), return_inverse=True)[1]
            places: NDArray[np.float32] = (ranks / max(1, ranks.max())).astype(np.float32)
            return places
        codes: NDArray[np.float32] = self.codes.astype(np.float32)
        return codes if codes.max() < _MOST_VARIED * len(codes) else None

    @cached_property
    def equal(self) -> float:
        """The chance that two cells are equal."""
        return expected_pairs(np.bincount(self.codes))

    @cached_property
    def _step(self) -> float:
        places = [self.scale.place(cell) for cell in self.filled] if self.scale is not None else []
        steps = [self.scale.grid(place.style)[0] for place in places if place is not None and self.scale is not None]
        return min(steps, default=1) * (1.0 if self.scale is None else self.scale.unit)


def _once(cells: Sequence[str]) -> float:
    counts = Counter(map(normal_form, cells))
    return sum(times == 1 for times in counts.values()) / len(cells)
