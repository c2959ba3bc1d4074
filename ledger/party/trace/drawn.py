"""Marks that were drawn from a pool, tried on a found file (docs/marks.md §9.3). Pure."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np

from ledger.party.dataset.committing.copies import cell_key
from ledger.party.dataset.reading.cells import Cell, parse_record
from ledger.party.dataset.reading.normal import is_comparable, normal_form
from ledger.party.marks.draw_score import DrawScores, paid_bits, tail_bits
from ledger.party.marks.pool import CodePool, Pool, RowPool
from ledger.party.marks.score import WordScorer
from ledger.party.marks.words import CONTROL_NAMES
from ledger.party.trace.cells import among
from ledger.party.trace.found import FoundTable


@dataclass(frozen=True)
class DrawnPool:
    """The pool of one hand-off and its draw.

    `file` is the position of the marked file; `bound` and `recipients` are as prepared and requested.
    """

    prepared: str
    pool: Pool
    seed: str
    file: int
    retired: tuple[int, ...]
    bound: str
    recipients: int

    @property
    def method(self) -> str:
        """`canary`, `omission` or `tardos`."""
        return self.pool.method

    @property
    def columns(self) -> list[str]:
        """The names of the table's columns."""
        return self.pool.columns

    @cached_property
    def numbered(self) -> dict[int, bytes]:
        """What was drawn and is not retired: canonical records by number of row, or of position."""
        return self.pool.marks(self.seed, self.retired)

    @cached_property
    def all_marks(self) -> tuple[bytes, ...]:
        """The rows that are in the copy because of the draw; of an omission none."""
        return () if self.method == "omission" else tuple(self.numbered.values())

    def score(self, seen: Collection[bytes], paid: float) -> DrawScores:
        """Return the scores; `seen` are the canonical records of the pool that the found file holds."""
        if isinstance(self.pool, CodePool):
            return self._score_code(self.pool, seen, paid)
        return self._score_rows(self.pool, seen, paid)

    def different(self, found: Mapping[bytes, Hashable], mapped: Collection[int]) -> int:
        """Return how many different marks speak: by normal form in the `mapped` columns (docs/marks.md §5, §9.4).

        `found` says of each record of the pool that is found by which row, or what rows are compared by.
        """
        if isinstance(self.pool, CodePool):
            retired, positions = set(self.retired), enumerate(self.pool.positions)
            seen = [
                [record for record in position.records if record in found]
                for number, position in positions
                if number not in retired
            ]
            return len({found[records[0]] for records in seen if len(records) == 1})
        if self.method == "canary":
            return len({found[record] for record in self.numbered.values() if record in found})
        lacking = [parse_record(record) for record in self.numbered.values() if record not in found]
        return len({tuple(normal_form(cells[column]) for column in mapped) for cells in lacking})

    def _score_rows(self, pool: RowPool, seen: Collection[bytes], paid: float) -> DrawScores:
        is_hit_if_seen = pool.method == "canary"
        drawn = pool.drawn(self.seed)
        hit = {number for number, record in enumerate(pool.records) if (record in seen) == is_hit_if_seen}
        own, others = len(hit & self.numbered.keys()), len(hit - drawn)
        total = len(pool.rows) - pool.draws
        return DrawScores(tail_bits(pool.draws, total, own, others), paid, pool.draws, own, total, others)

    def _score_code(self, pool: CodePool, seen: Collection[bytes], paid: float) -> DrawScores:
        # Retired ones too: a sender that knows the word would retire where it differs from an innocent file.
        sights = []
        for number, position in enumerate(pool.positions):
            zero, one = (record in seen for record in position.records)
            if zero != one:
                sights.append((number, int(one)))
        scorer = WordScorer(pool.key_bytes, pool.biases, sights)
        control = max(max(0.0, scorer.bits(name) - paid) for name in CONTROL_NAMES)
        hit = sum(record in seen for record in self.numbered.values())
        return DrawScores(scorer.bits(self.seed), paid, len(self.numbered), hit, seen=len(sights), control=control)


def cells_of(pool: Pool) -> list[list[Cell]]:
    """Return the rows of a pool as cells."""
    return [parse_record(record) for record in pool.records]


def mapping_cost(rows: Sequence[Sequence[Cell]], width: int, found: FoundTable | None) -> float:
    """Return what it costs to have chosen a mapping of `width` columns after looking, in bits (docs/marks.md §9.3)."""
    if found is None or not found.count:
        return 0.0
    columns: dict[bytes, np.ndarray] = {}
    for column in range(len(found.columns)):
        for reading in found.readings[column]:
            numbers = np.asarray(found.numbers(column, reading))
            # Readings under which every row is the same are one alternative.
            columns.setdefault(sha256(numbers.tobytes()).digest(), np.unique(numbers))
    counts = []
    for column in range(width):
        forms = {cell_key(normal_form(row[column])) for row in rows if is_comparable(row[column])}
        keys = np.fromiter(forms, np.uint64, len(forms))
        counts.append(sum(bool(among(keys, known).any()) for known in columns.values()))
    return paid_bits(counts)
