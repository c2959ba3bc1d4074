"""Rows that are only alike: where to look next, and never evidence (MinHash, the library datasketch).

Alike rows may have one origin, or describe one thing of the real world twice. So nothing here enters a score.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ledger.party.dataset.committing.copies import CopyFile
from ledger.party.dataset.reading.cells import Cell
from ledger.party.dataset.reading.normal import normal_form
from ledger.party.extras import MissingExtra
from ledger.party.trace.cells import among
from ledger.party.trace.found import FoundTable
from ledger.party.trace.joining import Ints

if TYPE_CHECKING:
    from datasketch import MinHash, MinHashLSH

ALIKE = 0.5
"""How much of the text of two rows, as a set of pieces (Jaccard index, estimated), has to be the same."""
MAX_ROWS = 500
_PERMUTATIONS = 128
_MAX_CANDIDATES = 10_000
_RARE = 0.02
_PIECE = 3


@dataclass(frozen=True)
class Lead:
    """Of `rows` found rows that were looked at, `alike` have a record that is alike in a copy."""

    rows: int
    alike: int


class NearRows:
    """A sample of found rows that no copy holds, ready to be looked for among rows that are alike."""

    def __init__(self, found: FoundTable, unmatched: Ints) -> None:
        """Take up to 500 of the `unmatched` rows, evenly; raise MissingExtra without datasketch."""
        step = max(1, len(unmatched) // MAX_ROWS)
        self._rows = [int(row) for row in unmatched[::step][:MAX_ROWS]]
        self._cells = _rare_cells(found, self._rows)
        self._index: MinHashLSH = _lsh()
        for row, sketch in zip(self._rows, _sketches(found.take(self._rows)), strict=True):
            self._index.insert(row, sketch)

    def look(self, copy: CopyFile) -> Lead:
        """Look for rows that are alike among those of a copy that share a rare cell with one of ours."""
        alike: set[int] = set()
        candidates = self._candidates(copy)
        for sketch in _sketches(copy.take(candidates)) if candidates else ():
            alike.update(self._index.query(sketch))
        return Lead(len(self._rows), len(alike))

    def _candidates(self, copy: CopyFile) -> list[int]:
        """Return the records that share the most rare cells, up to a bound."""
        records, scores = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for batch in copy.keys(record=False):
            shared = np.sum([among(column, self._cells) for column in batch.cells], axis=0)
            here = np.flatnonzero(shared)
            records.append(batch.first + here)
            scores.append(shared[here])
        numbers, score = np.concatenate(records), np.concatenate(scores)
        best = np.argsort(-score, kind="stable")[:_MAX_CANDIDATES]
        return [int(number) for number in np.sort(numbers[best])]


def _rare_cells(found: FoundTable, rows: Sequence[int]) -> np.ndarray:
    """Return the numbers of those cells of `rows` that few found rows have: what everybody has leads nowhere."""
    rare = [np.zeros(0, np.uint64)]
    for column, readings in enumerate(found.readings):
        for reading in readings:
            numbers = found.numbers(column, reading)
            values = np.unique(np.asarray(numbers[rows]))
            counts = sum(
                np.bincount(np.searchsorted(values, part[among(part, values)]), minlength=len(values))
                for part in (np.asarray(numbers[cut]) for cut in found.parts())
            )
            rare.append(values[(values != 0) & (counts <= max(5, _RARE * found.count))])
    return np.unique(np.concatenate(rare))


def _sketches(rows: Iterable[Sequence[Cell]]) -> list[MinHash]:
    """Return a sketch of every row's text."""
    from datasketch import MinHash  # noqa: PLC0415 - an extra

    pieces = [[piece.encode(errors="surrogatepass") for piece in _pieces(row)] or [b""] for row in rows]
    return list(MinHash.bulk(pieces, num_perm=_PERMUTATIONS))


def _pieces(row: Sequence[Cell]) -> set[str]:
    """Cut every cell into overlapping pieces of three characters: a cut or mended cell keeps most of them."""
    forms = (normal_form(cell) or "" for cell in row)
    return {form[at : at + _PIECE] for form in forms for at in range(max(1, len(form) - _PIECE + 1)) if form}


def _lsh() -> MinHashLSH:
    try:
        from datasketch import MinHashLSH  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtra("datasketch") from error
    return MinHashLSH(threshold=ALIKE, num_perm=_PERMUTATIONS)
