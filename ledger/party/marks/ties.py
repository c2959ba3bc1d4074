"""What ties the columns of a table together, so that no rule of one line parts marks from rows (docs/marks.md §8).

Keys: columns, alone or two or three together, no value of which stands twice though chance would have it. Groups:
columns that decide one another, or go up and down together, whose cells are taken from one row. Orders and sums: what
is never greater than another, and what is the sum, difference or product of two others. Learnt from a sample. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ledger.party.marks.scales import NEARLY

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_BY_CHANCE = 8.0
"""Pairs of equal rows that chance would have made: a key with fewer may be one by chance."""
_COMPARED = 64
_PAIRED = 24
_THREE = 10
_ALIKE = 0.97
_ALWAYS = 0.998
_FEW = 1000
_SUMS = 12
_SOME_ROWS = 2000
_SEVERAL = 12


@dataclass(frozen=True)
class Ties:
    """`keys` are sets of columns, `groups` part all of them; (a, b) of `orders` is a ≤ b, `sums` are (c, a, b, how)."""

    keys: tuple[tuple[int, ...], ...]
    groups: tuple[tuple[int, ...], ...]
    decided: frozenset[int]
    orders: tuple[tuple[int, int], ...]
    sums: tuple[tuple[int, int, int, str], ...]


def tied(codes: Sequence[Ints], values: Sequence[Floats | None], single: frozenset[int]) -> Ties:
    """Learn from `codes`, equal for equal cells, and `values` of columns that have an order, NaN for cells without.

    `single` are columns that are keys alone, or whose cells are drawn anew each for another reason.
    """
    width = len(codes)
    free = [column for column in range(width) if column not in single]
    decisions = _decisions(codes, free[:_COMPARED])
    pairs = [*decisions, *_together(values, free[:_COMPARED])]
    numbers = [column for column in range(width) if values[column] is not None][:_SUMS]
    return Ties(
        keys=tuple((column,) for column in sorted(single)) + tuple(_composite(codes, free)),
        groups=_components(width, pairs),
        decided=frozenset(column for pair in decisions for column in pair),
        orders=tuple(_orders(values)),
        sums=tuple(_sums(values, numbers)),
    )


def expected_pairs(counts: Ints) -> float:
    """Return the chance that two cells of a column are equal."""
    return float(np.square(counts / counts.sum()).sum())


def _composite(codes: Sequence[Ints], free: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the least sets of two or three columns that are keys."""
    rows = len(codes[0])
    equal = {column: expected_pairs(np.bincount(codes[column])) for column in free}
    varied = sorted((column for column in free if equal[column] < 0.9), key=lambda column: equal[column])
    found: list[tuple[int, ...]] = []
    for size, most in ((2, _PAIRED), (3, _THREE)):
        for columns in combinations(sorted(varied[:most]), size):
            if any(set(known) <= set(columns) for known in found):
                continue
            chance = float(np.prod([equal[column] for column in columns]))
            if chance * rows * (rows - 1) / 2 >= _BY_CHANCE and _is_key(codes, columns):
                found.append(columns)
    return found


def _is_key(codes: Sequence[Ints], columns: Sequence[int]) -> bool:
    joined = codes[columns[0]]
    for column in columns[1:]:
        joined = joined * (int(codes[column].max()) + 1) + codes[column]
    return len(np.unique(joined)) == len(joined)


def _decisions(codes: Sequence[Ints], columns: Sequence[int]) -> list[tuple[int, int]]:
    """Return pairs of columns of which one decides the other, or which decide a third together."""
    pairs = [(one, two) for one in columns for two in columns if one != two and _decides(codes[one], codes[two])]
    bound = {column for pair in pairs for column in pair}
    few = [column for column in columns if 1 < codes[column].max() < _FEW and column not in bound][:_SUMS]
    for one, two in combinations(few, 2):
        joined = codes[one] * _FEW + codes[two]
        for three in few:
            if three not in {one, two} and _decides(joined, codes[three]):
                pairs += [(one, three), (two, three)]
    return pairs


def _decides(one: Ints, two: Ints) -> bool:
    """Tell whether equal cells of one column nearly always go with equal cells of another, which has several."""
    _, groups = np.unique(one, return_inverse=True)
    if groups.max() > len(one) / 2 or np.bincount(two).max() > 0.95 * len(two):
        return False
    joined, counts = np.unique(groups * (int(two.max()) + 1) + two, return_counts=True)
    commonest = np.zeros(int(groups.max()) + 1, np.int64)
    np.maximum.at(commonest, joined // (int(two.max()) + 1), counts)
    # A group of one row agrees with itself, which says nothing.
    sizes = np.bincount(groups)
    several = sizes > 1
    return bool(several.any() and commonest[several].sum() >= NEARLY * sizes[several].sum() >= len(one) / 10)


def _together(values: Sequence[Floats | None], columns: Sequence[int]) -> list[tuple[int, int]]:
    """Return pairs of columns that go up and down together, by rank (Spearman)."""
    ranked = {}
    for column in columns:
        numbers = values[column]
        if numbers is not None and not np.isnan(numbers).any() and np.ptp(numbers) > 0:
            ranked[column] = np.unique(numbers, return_inverse=True)[1].astype(float)
    names = list(ranked)
    if len(names) < 2:
        return []
    alike = np.abs(np.corrcoef(np.array([ranked[name] for name in names])))
    return [(names[one], names[two]) for one, two in zip(*np.nonzero(np.triu(alike, 1) >= _ALIKE), strict=True)]


def _orders(values: Sequence[Floats | None]) -> list[tuple[int, int]]:
    numbers = [column for column, some in enumerate(values) if some is not None][:_PAIRED]
    found = []
    for one in numbers:
        for two in numbers:
            low, high = values[one], values[two]
            if one == two or low is None or high is None:
                continue
            with np.errstate(invalid="ignore"):
                both = ~np.isnan(low) & ~np.isnan(high)
                # Ranges apart from each other need no rule: cells that are like the column's keep it.
                if (
                    both.sum() > 1
                    and (low[both] <= high[both]).mean() >= _ALWAYS
                    and low[both].max() > high[both].min()
                ):
                    found.append((one, two))
    return found


def _sums(values: Sequence[Floats | None], numbers: Sequence[int]) -> list[tuple[int, int, int, str]]:
    found: dict[int, tuple[int, int, int, str]] = {}
    for three in numbers:
        wanted = values[three]
        if wanted is None or len(np.unique(wanted[:_SOME_ROWS])) < _SEVERAL:
            continue
        wanted = wanted[:_SOME_ROWS]
        unit = 0.51 * float(np.diff(np.unique(wanted[~np.isnan(wanted)])).min())
        for one, two in combinations([column for column in numbers if column != three and column not in found], 2):
            first, second = values[one], values[two]
            if first is None or second is None:
                continue
            first, second = first[:_SOME_ROWS], second[:_SOME_ROWS]
            made = {"+": first + second, "*": first * second, "-": first - second, "_": second - first}
            for how, result in made.items():
                with np.errstate(invalid="ignore"):
                    is_made = np.abs(result - wanted) <= unit + 1e-9 * np.abs(wanted)
                if is_made.mean() >= NEARLY and np.ptp(first) > 0 and np.ptp(second) > 0:
                    found[three] = (three, one, two, how)
    return list(found.values())


def _components(width: int, pairs: Sequence[tuple[int, int]]) -> tuple[tuple[int, ...], ...]:
    root = list(range(width))

    def find(column: int) -> int:
        while root[column] != column:
            column = root[column]
        return column

    for one, two in pairs:
        root[find(one)] = find(two)
    groups: dict[int, list[int]] = {}
    for column in range(width):
        groups.setdefault(find(column), []).append(column)
    return tuple(tuple(group) for group in groups.values())
