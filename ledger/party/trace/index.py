"""A sorted index of numbers on disk, so that files of any length are looked up in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ledger.party.trace.cells import Numbers

Rows = npt.NDArray[np.int64]
_BUCKET_ROWS = 1_000_000


@dataclass(frozen=True)
class Index:
    """`numbers`: the different ones, ascending; `rows`: the first row of each; `counts`: how many rows have it."""

    numbers: Numbers
    rows: Rows
    counts: Rows

    def find(self, wanted: Numbers) -> Rows:
        """Return the position in `numbers` of each wanted one, and −1 if it is not there; 0 never is."""
        if not len(self.numbers):
            return np.full(len(wanted), -1, np.int64)
        places = np.searchsorted(self.numbers, wanted)
        places[places == len(self.numbers)] = 0
        missing = (self.numbers[places] != wanted) | (wanted == 0)
        places[missing] = -1
        return places.astype(np.int64, copy=False)

    def first_rows(self, places: Rows) -> Rows:
        """Return the first row of each place; for −1, any."""
        if not len(self.rows):
            return np.full(len(places), -1, np.int64)
        return np.asarray(self.rows[places])

    def row_count(self, places: Rows) -> tuple[int, int]:
        """Return how many rows have a number of one of these places, and how many different places these are."""
        there = np.zeros(len(self.numbers), bool)
        there[places] = True
        return int(self.counts[there].sum()), int(there.sum())


def build_index(parts: Iterable[Numbers], count: int, directory: Path) -> Index:
    """Index `count` numbers, given in parts in the order of their rows, in files below `directory`; 0 is left out.

    The numbers are spread evenly: they go to one file for each stretch of their range, and each is sorted on its own.
    """
    directory.mkdir(parents=True, exist_ok=True)
    bits = max(0, (count // _BUCKET_ROWS).bit_length())
    names = [directory / f"bucket-{bucket}" for bucket in range(1 << bits)]
    first = 0
    files = [name.open("wb") for name in names]
    try:
        for part in parts:
            rows = np.arange(first, first + len(part), dtype=np.uint64)
            first += len(part)
            keep = part != 0
            pairs = np.stack([part[keep], rows[keep]], axis=1)
            places = (pairs[:, 0] >> np.uint64(64 - bits)) if bits else np.zeros(len(pairs), np.uint64)
            for bucket, file in enumerate(files):
                pairs[places == bucket].tofile(file)
    finally:
        for file in files:
            file.close()
    outputs = {name: directory / name for name in ("numbers", "rows", "counts")}
    with (
        outputs["numbers"].open("wb") as numbers,
        outputs["rows"].open("wb") as rows_,
        outputs["counts"].open("wb") as counts,
    ):
        for name in names:
            pairs = np.fromfile(name, np.uint64).reshape(-1, 2)
            name.unlink()
            order = np.argsort(pairs[:, 0], kind="stable")
            unique, starts, many = np.unique(pairs[order, 0], return_index=True, return_counts=True)
            unique.tofile(numbers)
            pairs[order, 1][starts].astype(np.int64).tofile(rows_)
            many.astype(np.int64).tofile(counts)
    return Index(
        _mapped(outputs["numbers"], np.uint64), _mapped(outputs["rows"], np.int64), _mapped(outputs["counts"], np.int64)
    )


def _mapped(path: Path, kind: type[np.generic]) -> npt.NDArray[Any]:
    if not path.stat().st_size:  # nothing cannot be mapped
        return np.zeros(0, kind)
    return np.memmap(path, kind, "r")
