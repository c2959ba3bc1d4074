"""How much of each found column's values a committed column holds: the first look at which column is which.

Of every found column a sample of its values is taken, the same whichever file they stand in (the least of their
numbers, which are hashes). One pass over a copy then counts them in all of its columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ledger.party.dataset.reading.normal import READINGS, Reading
from ledger.party.trace.cells import Numbers
from ledger.party.trace.found import FoundTable

_VALUES = 2048
_MAX_VALUES = 1 << 20
_MIN_HELD = 0.1
_CANDIDATES = 32
_Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sample:
    """Some different values of a found column under a reading, ascending, and how many found rows have each."""

    column: int
    reading: Reading
    values: Numbers
    counts: _Ints


@dataclass(frozen=True)
class Overlap:
    """One found column, as read, against one committed column.

    `prior` says how likely they are the same; `held` is the share of the found cells whose value the committed column
    has; `partners` how many committed rows have a found cell's value, on average; `in_copy` how many committed rows
    have each value of the sample.
    """

    sample: Sample
    column: int
    prior: float
    held: float
    partners: float
    in_copy: _Ints


@dataclass(frozen=True)
class _Counted:
    """How often each of `values` stands in each column of a copy, as triples that ascend by value (a position)."""

    values: Numbers
    places: _Ints
    columns: _Ints
    counts: _Ints


def find_overlaps(found: FoundTable, copy: Iterable[Sequence[Numbers]], columns: Sequence[str]) -> list[Overlap]:
    """Compare a found table with a copy, given in batches of all its `columns`, in one pass.

    For every found column, in every reading that sees something of its own, the likeliest columns come back; what has
    less than a tenth of its values is none of them.
    """
    kinds = [(column, reading) for column, readings in enumerate(found.readings) for reading in readings]
    limit = max(16, min(_VALUES, _MAX_VALUES // len(kinds)))
    samples = [_sample(found, column, reading, limit) for column, reading in kinds]
    counted = _count(np.unique(np.concatenate([sample.values for sample in samples])), copy, len(columns))
    result = []
    for sample in samples:
        bonus = _bonus(sample, found.columns[sample.column], columns)
        result += _overlaps(sample, counted, bonus)
    return result


def _sample(found: FoundTable, column: int, reading: Reading, limit: int) -> Sample:
    numbers = found.numbers(column, reading)
    values, counts = np.zeros(0, np.uint64), np.zeros(0, np.int64)
    bound = np.iinfo(np.uint64).max
    for part in found.parts():
        cells = np.asarray(numbers[part])
        new, many = np.unique(cells[(cells != 0) & (cells <= bound)], return_counts=True)
        values, places = np.unique(np.concatenate([values, new]), return_inverse=True)
        counts = np.bincount(places, np.concatenate([counts, many]), len(values)).astype(np.int64)
        if len(values) > limit:
            # From here on, only values below this bound are counted: those are complete, from the first row on.
            values, counts = values[:limit], counts[:limit]
            bound = values[-1]
    return Sample(column, reading, values, counts)


def _count(values: Numbers, copy: Iterable[Sequence[Numbers]], columns: int) -> _Counted:
    known = [(np.zeros(0, np.int64), np.zeros(0, np.int64)) for _ in range(columns)]
    if len(values):
        for batch in copy:
            for number, column in enumerate(batch):
                places = np.searchsorted(values, column)
                places[places == len(values)] = 0
                new, many = np.unique(places[values[places] == column], return_counts=True)
                before, counts = known[number]
                merged, where = np.unique(np.concatenate([before, new]), return_inverse=True)
                totals = np.bincount(where, np.concatenate([counts, many]), len(merged)).astype(np.int64)
                known[number] = merged, totals
    places = np.concatenate([places for places, _ in known])
    order = np.argsort(places, kind="stable")
    numbers = np.repeat(np.arange(columns), [len(places) for places, _ in known])
    return _Counted(values, places[order], numbers[order], np.concatenate([counts for _, counts in known])[order])


def _bonus(sample: Sample, name: str, columns: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return what settles it where values do not: the same name, the plain reading, the same place."""
    same_name = np.array([column.strip().casefold() == name.strip().casefold() for column in columns])
    same_place = np.arange(len(columns)) == sample.column
    plain = sample.reading == READINGS[0]
    bonus: npt.NDArray[np.float64] = same_name / 20 + plain / 100 + same_place / 200
    return bonus


def _overlaps(sample: Sample, counted: _Counted, bonus: npt.NDArray[np.float64]) -> list[Overlap]:
    """Return the likeliest columns for one sample."""
    places = np.searchsorted(counted.values, sample.values)
    first = np.searchsorted(counted.places, places, side="left")
    many = np.searchsorted(counted.places, places, side="right") - first
    if not many.sum():
        return []
    value = np.repeat(np.arange(len(places)), many)
    at = np.repeat(first - (np.cumsum(many) - many), many) + np.arange(len(value))
    column, theirs = counted.columns[at], counted.counts[at]
    ours, cells = sample.counts[value], sample.counts.sum()

    def by_column(weights: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
        return np.bincount(column, weights, len(bonus)).astype(np.float64)

    shared, total = by_column(ours), by_column(theirs)
    held = shared / cells
    # How much the same values are frequent in both, 0 to 1.
    alike = by_column(np.minimum(ours / cells, theirs / total[column]))
    prior = held + alike / 2 + bonus
    likeliest = [k for k in np.argsort(-prior, kind="stable")[:_CANDIDATES] if held[k] >= _MIN_HELD]
    pairs = by_column(ours * theirs)
    result = []
    for k in likeliest:
        in_copy = np.zeros(len(places), np.int64)
        in_copy[value[column == k]] = theirs[column == k]
        partners = float(pairs[k] / shared[k])
        result.append(Overlap(sample, int(k), float(prior[k]), float(held[k]), partners, in_copy))
    return result
