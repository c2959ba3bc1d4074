"""Columns of cells, and rows of them, as 64-bit numbers: equal cells, equal numbers (docs/format.md §15.7).

The numbers of cells are those that the kept copies have, so that a copy is compared without its text being read again.
They find candidates: whatever goes into the evidence is compared once more, cell by cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ledger.party.dataset.committing.copies import cell_key
from ledger.party.dataset.reading.normal import READINGS, Reading, is_comparable, normal_form

Numbers = npt.NDArray[np.uint64]
"""One number a cell or a row; 0 is none."""

_IntT = TypeVar("_IntT", np.uint64, np.int64)

_MAX_REMEMBERED = 1_000_000
_EQUAL_TO_NOTHING = "not comparable\0"
"""In place of a found cell: no committed one has such a number (docs/format.md §15.8)."""
# A reading other than `text` sees something else only in what holds one of these, before NFKC or after it.
_MAY_DIFFER = re.compile(r"[-.,/]|[^\x00-\x7f]")


class CellReader:
    """Numbers of whole columns. What was read before is remembered, up to a bound: real columns repeat themselves."""

    def __init__(self) -> None:
        self._known: dict[Reading, dict[str, int]] = {reading: {} for reading in READINGS}

    def numbers(self, column: pa.Array, reading: Reading) -> Numbers:
        """Return the numbers of the cells' normal forms under a reading, one a row."""
        encoded = column.dictionary_encode()
        values = encoded.dictionary.to_pylist()
        known = self._known[reading]
        if len(known) + len(values) > _MAX_REMEMBERED:
            known.clear()
        table = np.zeros(len(values) + 1, np.uint64)
        for position, value in enumerate(values):
            number = known.get(value)
            if number is None:
                number = known[value] = self._number(value, reading)
            table[position] = number
        codes = encoded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)
        numbers: Numbers = table[codes]
        return numbers

    def _number(self, cell: str, reading: Reading) -> int:
        if reading != "text" and not _MAY_DIFFER.search(cell):
            text = self._known["text"].get(cell)
            if text is not None:
                return text
        if not is_comparable(cell):
            return cell_key(_EQUAL_TO_NOTHING)
        return cell_key(normal_form(cell, reading))


def among(numbers: npt.NDArray[_IntT], known: npt.NDArray[_IntT]) -> npt.NDArray[np.bool_]:
    """Tell of each number whether it is one of `known`, which ascend."""
    if not len(known):
        return np.zeros(len(numbers), bool)
    places = np.searchsorted(known, numbers)
    places[places == len(known)] = 0
    found: npt.NDArray[np.bool_] = known[places] == numbers
    return found


def multipliers(seed: bytes, count: int) -> Numbers:
    """Return `count` odd numbers that follow from `seed` alone."""
    digests = (sha256(seed + b"/%d" % number).digest() for number in range(count))
    return np.array([int.from_bytes(digest[:8], "big") | 1 for digest in digests], np.uint64)


def row_numbers(cells: Iterable[Numbers], factors: Numbers, count: int) -> Numbers:
    """Return one number a row of `count`, the sum of its cells' times `factors`; 0 where all of them are none.

    The factors are drawn for every trace, so that nobody can make a file whose rows only seem to be others'.
    """
    total = np.zeros(count, np.uint64)
    some = np.zeros(count, bool)
    for column, factor in zip(cells, factors, strict=True):
        total += column * factor
        some |= column != 0
    total[total == 0] = 1
    total[~some] = 0
    return total
