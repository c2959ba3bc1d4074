"""Rows crossed from rows that are near each other, with new cells where cells do not recur (docs/marks.md §8).

Of a base and the rows that are most like it, each group of columns that belong together is taken from one. What stands
once in the table gets a value that no row has, as often as such values are. Pure but for the source of randomness.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import eq
from random import Random
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ledger.party.dataset.reading.cells import Cell
from ledger.party.marks.columns import Column
from ledger.party.marks.scales import Place
from ledger.party.marks.spelling import Addresses
from ledger.party.marks.ties import Ties

_DONORS = 2048
_FEATURES = 32
_CHUNK = 256
_PATTERNS = 64
_MEASURED = 256
_USUAL = 8
_MOSTLY = 0.9


class Maker(Protocol):
    """What draws new cells of a column."""

    def draw(self, cell: str, random: Random) -> str | None:
        """Return a cell that is like this one; None where none was found."""
        ...


@dataclass(frozen=True)
class Plan:
    """How rows are crossed: `makers` draw new cells, of `keys` in every row and near the base's.

    Columns of `rooted` keep the base's cell, since a key is made of it; addresses in `named` have words of another
    column's cell in them.
    """

    columns: Sequence[Column]
    ties: Ties
    makers: Mapping[int, Maker]
    keys: frozenset[int]
    rooted: frozenset[int]
    named: Mapping[int, int]


class Crossing:
    """Draws rows by a plan."""

    def __init__(self, plan: Plan, random: Random) -> None:
        """Learn which rows can be near which; a part of a great table's rows is enough."""
        columns, keys = plan.columns, plan.keys
        self._plan = plan
        self._makers = sorted(plan.makers.items(), key=lambda item: item[0] in plan.named)
        self._count = len(columns[0].cells)
        self._donors = random.sample(range(self._count), min(self._count, _DONORS))
        features = [
            (feature, column.values is not None)
            for number, column in enumerate(columns)
            if number not in keys and (feature := column.feature) is not None
        ]
        # Keys tell what is near by their order: rows come with time.
        features += [(feature, True) for number in keys if columns[number].values is not None
                     and (feature := columns[number].feature) is not None]  # fmt: skip
        self._features = random.sample(features, min(len(features), _FEATURES))
        self._recurring = [number for number in range(len(columns)) if number not in keys]
        self._recur = [tuple(columns[column].cells[row] for column in self._recurring) for row in range(self._count)]
        some = random.sample(range(self._count), min(self._count, _MEASURED))
        commons = [
            max(
                (self._common(self._recur[one], other) for other in near if other != one),
                default=0,
            )
            for one, near in zip(some, self._near(some, _USUAL), strict=True)
        ]
        self._usual = sorted(commons)[int(_MOSTLY * (len(commons) - 1))]
        patterns = Counter(map(self._pattern, range(self._count)))
        self._patterns = set(patterns) if len(patterns) <= _PATTERNS else None

    def rows(self, count: int, near: int | None, random: Random, *, is_strict: bool) -> list[list[Cell]]:
        """Return up to `count` rows, crossed from `near` rows that are next to a base, or from any if that is None.

        If it `is_strict`, none has more cells in common with one row than rows of the table have with their nearest.
        """
        bases = [random.randrange(self._count) for _ in range(count)]
        crossed = []
        for start in range(0, count, _CHUNK):
            some = bases[start : start + _CHUNK]
            for base, donors in zip(some, self._near(some, near), strict=True):
                row = self._row(base, donors, random, is_strict=is_strict)
                if row is not None:
                    crossed.append(row)
        return crossed

    def _near(self, bases: Sequence[int], near: int | None) -> list[Sequence[int]]:
        donors = np.array(self._donors)
        if near is None or near >= len(donors) or not self._features:
            return [self._donors for _ in bases]
        far = np.zeros((len(bases), len(donors)), np.float32)
        for feature, is_ordered in self._features:
            apart = feature[bases][:, None] - feature[donors][None, :]
            far += np.abs(apart) if is_ordered else (apart != 0).astype(np.float32) * 0.5
        nearest: NDArray[np.int64] = donors[np.argpartition(far, near, axis=1)[:, :near]]
        return [[base, *map(int, some)] for base, some in zip(bases, nearest, strict=True)]

    def _row(self, base: int, donors: Sequence[int], random: Random, *, is_strict: bool) -> list[Cell] | None:
        plan = self._plan
        row: list[Cell] = [None] * len(plan.columns)
        origin = [base] * len(row)
        for group in plan.ties.groups:
            donor = base if not plan.rooted.isdisjoint(group) else random.choice(donors)
            for column in group:
                row[column], origin[column] = plan.columns[column].cells[donor], donor
        if is_strict and self._is_near_copy(row, donors):
            return None
        for column, maker in self._makers:
            is_key, name = column in plan.keys, plan.named.get(column)
            source = base if is_key else origin[column]
            cell = plan.columns[column].cells[source]
            if (
                Column.is_missing(cell)
                or cell is None
                or not (is_key or name is not None or random.random() < plan.columns[column].once)
            ):
                continue
            if name is not None and isinstance(maker, Addresses):
                old, new = plan.columns[name].cells[source], row[name]
                drawn = maker.carried(cell, old or "", new or "", random)
            else:
                drawn = maker.draw(cell, random)
            if drawn is not None:
                row[column] = drawn
            elif is_key:
                return None
        return row if self._summed(row) and self._is_ordered(row) and self._is_filled_as_rows_are(row) else None

    def _is_near_copy(self, row: Sequence[Cell], donors: Sequence[int]) -> bool:
        cells = [row[column] for column in self._recurring]
        return max(self._common(cells, donor) for donor in donors) > self._usual

    def _common(self, cells: Sequence[Cell], other: int) -> int:
        """Return how many cells a row of the sample has in common with these, of the columns that recur."""
        return sum(map(eq, cells, self._recur[other]))

    def _summed(self, row: list[Cell]) -> bool:
        """Compute sums, differences and products anew; tell whether they can be written as the column's cells are."""
        for three, one, two, how in self._plan.ties.sums:
            column = self._plan.columns[three]
            scale, cell = column.scale, row[three]
            first, second = (self._plan.columns[other].value(row[other]) for other in (one, two))
            made = {"+": first + second, "*": first * second, "-": first - second, "_": second - first}[how]
            place = None if scale is None or cell is None else scale.place(cell)
            if scale is None or place is None or math.isnan(made):
                continue
            step = scale.grid(place.style)[0]
            at = round(made / scale.unit / step) * step
            written = scale.write(Place(place.line, at, place.style))
            if written is None:
                return False
            row[three] = written
        return True

    def _is_ordered(self, row: Sequence[Cell]) -> bool:
        return not any(
            self._plan.columns[low].value(row[low]) > self._plan.columns[high].value(row[high])
            for low, high in self._plan.ties.orders
        )

    def _is_filled_as_rows_are(self, row: Sequence[Cell]) -> bool:
        return self._patterns is None or tuple(map(Column.is_missing, row)) in self._patterns

    def _pattern(self, number: int) -> tuple[bool, ...]:
        return tuple(Column.is_missing(column.cells[number]) for column in self._plan.columns)
