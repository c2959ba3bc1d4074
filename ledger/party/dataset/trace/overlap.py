"""How much of each found column's values a committed column holds: the first look at which column is which.

Of every found column a sample of its values is taken, the same whichever file they stand in (the least of their
numbers, which are hashes). One pass over a copy then counts them in all of its columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ledger.party.dataset.normal import Reading
from ledger.party.dataset.trace.cells import Numbers
from ledger.party.dataset.trace.found import FoundTable

_VALUES = 2048


@dataclass(frozen=True)
class Sample:
    """Some different values of a found column under a reading, ascending, and how many found rows have each."""

    column: int
    reading: Reading
    values: Numbers
    counts: npt.NDArray[np.int64]

    @property
    def cells(self) -> int:
        """How many found cells the sample speaks for."""
        return int(self.counts.sum())


@dataclass(frozen=True)
class Overlap:
    """One found column, as read, against one committed column.

    `held` is the share of the found cells whose value the committed column has; `alike` says how much the same values
    are frequent in both (0 … 1); `partners` how many committed rows have a found cell's value, on average;
    `in_copy` how many committed rows have each value of the sample.
    """

    sample: Sample
    column: int
    held: float
    alike: float
    partners: float
    in_copy: npt.NDArray[np.int64]


def samples(found: FoundTable) -> list[Sample]:
    """Sample every column in every reading that sees something of its own."""
    return [_sample(found, column, reading) for column, kinds in enumerate(found.readings) for reading in kinds]


def overlaps(taken: Sequence[Sample], copy: Iterable[Sequence[Numbers]], columns: int) -> list[Overlap]:
    """Compare samples with a copy, given in batches of all its `columns`, in one pass; what shares nothing, is out."""
    values = np.unique(np.concatenate([sample.values for sample in taken])) if taken else np.zeros(0, np.uint64)
    counts = np.zeros((columns, len(values)), np.int64)
    if len(values):
        for batch in copy:
            for number, column in enumerate(batch):
                counts[number] += _count(values, column)
    result = []
    for sample in taken:
        places = np.searchsorted(values, sample.values)
        for number in range(columns):
            overlap = _overlap(sample, number, counts[number, places])
            if overlap is not None:
                result.append(overlap)
    return result


def _sample(found: FoundTable, column: int, reading: Reading) -> Sample:
    numbers = found.numbers(column, reading)
    values, counts = np.zeros(0, np.uint64), np.zeros(0, np.int64)
    bound = np.iinfo(np.uint64).max
    for part in found.parts():
        cells = np.asarray(numbers[part])
        new, many = np.unique(cells[(cells != 0) & (cells <= bound)], return_counts=True)
        values, places = np.unique(np.concatenate([values, new]), return_inverse=True)
        counts = np.bincount(places, np.concatenate([counts, many]), len(values)).astype(np.int64)
        if len(values) > _VALUES:
            # From here on, only values below this bound are counted: those are complete, from the first row on.
            values, counts = values[:_VALUES], counts[:_VALUES]
            bound = values[-1]
    return Sample(column, reading, values, counts)


def _count(values: Numbers, column: Numbers) -> npt.NDArray[np.int64]:
    places = np.searchsorted(values, column)
    places[places == len(values)] = 0
    return np.bincount(places[values[places] == column], minlength=len(values))


def _overlap(sample: Sample, column: int, in_copy: npt.NDArray[np.int64]) -> Overlap | None:
    there = in_copy > 0
    shared = int(sample.counts[there].sum())
    if not shared:
        return None
    ours, theirs = sample.counts / sample.cells, in_copy / in_copy.sum()
    partners = float((sample.counts * in_copy).sum()) / shared
    return Overlap(sample, column, shared / sample.cells, float(np.minimum(ours, theirs).sum()), partners, in_copy)
