"""From a table and wishes to a pool: how many rows it takes, the rows, the value to seal (docs/marks.md §9)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

import nacl.utils

from ledger.core.encoding import Json, b64encode
from ledger.party.dataset.reading.cells import canonical_record
from ledger.party.dataset.reading.normal import READINGS, normal_form
from ledger.party.digests import Progress, no_progress
from ledger.party.marks.candidates import draw_candidates
from ledger.party.marks.draw_score import paid_bits, tail_bits
from ledger.party.marks.drawing import SourceTable
from ledger.party.marks.errors import CannotMark
from ledger.party.marks.parameters import Code, code_length
from ledger.party.marks.pool import KEY_BYTES, CodePool, Pool, parse_pool
from ledger.party.marks.value import MAX_ROWS
from ledger.party.marks.weight import MIN_MARKS

Method = Literal["canary", "omission", "tardos"]
PARTS = (0.1, 0.5, 1.0)
"""The parts of a copy's rows that may be enough: the smallest for which there are marks enough."""
MISS = 0.01
"""How often, at most, such a leak is missed."""
SPARE_BITS = 2
"""Beside what the bound asks for: up to four hand-offs may be chosen from."""
OTHERS_FOR_EACH = 50
"""So many rows are sealed and not drawn for each that is: with more, fewer have to be planted."""
MOST_ADDED = 3
"""A copy holds at most so many times its own rows in marks."""
MOST_OMITTED = 0.2
"""The part of a table that a copy may lack, at most."""
_ESTIMATE_ROWS = 300


@dataclass(frozen=True)
class PoolWish:
    """What is asked for: `bound` is a decimal between 0 and 1."""

    method: Method
    recipients: int
    bound: str
    colluders: int = 1


@dataclass(frozen=True)
class PoolPlan:
    """What a pool will be, before anything is drawn: `draws` of `rows` (of a code: positions, two rows each).

    A leak of `part` of a copy's rows is recognised 99 times of a hundred. `paid_bits` is what a mapping will cost, by
    the table itself. `kept` is the code that copies for other recipients of the listing carry already.
    """

    source: SourceTable
    wish: PoolWish
    draws: int
    rows: int
    part: float
    needed_bits: float
    paid_bits: float
    kept: CodePool | None = None


def plan_pool(source: SourceTable, wish: PoolWish, kept: CodePool | None = None) -> PoolPlan:
    """Return the smallest pool that does what is asked for; raise CannotMark where no such pool does."""
    paid = paid_bits(_alternatives(source))
    needed = math.log2(wish.recipients) - math.log2(float(wish.bound)) + SPARE_BITS
    if wish.method == "tardos":
        if kept is not None:
            if kept.colluders != wish.colluders:
                raise CannotMark(
                    f"copies of this listing carry a code against {kept.colluders} colluders",
                    "give the same --colluders: two codes could not be told apart where copies are pooled",
                )
            return PoolPlan(source, wish, len(kept.positions), len(kept.positions), PARTS[0], needed, paid, kept)
        length = code_length(wish.colluders, wish.recipients, needed + paid)
        return PoolPlan(source, wish, length, length, PARTS[0], needed, paid)
    sizes = _canary_sizes(source) if wish.method == "canary" else _omission_sizes(source)
    for part in PARTS:
        for draws, rows in sizes:
            if _misses(wish.method, draws, rows, part, needed + paid) <= MISS:
                return PoolPlan(source, wish, draws, rows, part, needed, paid)
    raise CannotMark(
        f"no number of rows that this table of {source.rows:,} has room for tells even a whole copy from chance",
        "accept a greater --bound, try --mark canary or omission instead, or hand it over unmarked",
    )


def make_pool(plan: PoolPlan, random: Random, progress: Progress = no_progress) -> Pool:
    """Draw what was planned, and return the value to seal."""
    if plan.kept is not None:
        return plan.kept
    value: dict[str, Json] = {
        "columns": list(plan.source.columns),
        "key": b64encode(nacl.utils.random(KEY_BYTES)),
        "method": plan.wish.method,
    }
    if plan.wish.method == "tardos":
        code = Code.against(plan.wish.colluders)
        biases = random.choices(code.biases, code.weights, k=plan.draws)
        records = _records(draw_candidates(plan.source, 2 * plan.draws, random, progress))
        pairs = zip(biases, records[::2], records[1::2], strict=True)
        positions = [{"bias": bias, "rows": [zero, one]} for bias, zero, one in pairs]
        return parse_pool(value | {"colluders": plan.wish.colluders, "positions": positions})
    if plan.wish.method == "canary":
        records = _records(draw_candidates(plan.source, plan.rows, random, progress))
    else:
        records = random.sample(_different(plan.source), plan.rows)
    return parse_pool(value | {"draws": plan.draws, "rows": records})


def _records(rows: Sequence[Sequence[str | None]]) -> list[str]:
    return [b64encode(canonical_record(row)) for row in rows]


def _different(source: SourceTable) -> list[str]:
    return list(dict.fromkeys(_records(source.sample)))


def _canary_sizes(source: SourceTable) -> list[tuple[int, int]]:
    """Return the pools to try, fewest drawn rows first."""
    most = min(MAX_ROWS // 2, max(50, math.floor(MOST_ADDED * source.rows)))
    return [(draws, min(MAX_ROWS, draws * (1 + OTHERS_FOR_EACH))) for draws in _steps(most)]


def _omission_sizes(source: SourceTable) -> list[tuple[int, int]]:
    there = min(MAX_ROWS, len(_different(source)))
    most = min(there // 2, math.floor(MOST_OMITTED * source.rows))
    return [(draws, min(there, draws * (1 + OTHERS_FOR_EACH))) for draws in _steps(most)]


def _steps(most: int) -> list[int]:
    """Return counts from the least that may be enough to `most`, each a twentieth more than the last."""
    counts = [MIN_MARKS]
    while (following := counts[-1] + max(1, counts[-1] // 20)) <= most:
        counts.append(following)
    return counts if most >= MIN_MARKS else []


def _misses(method: Method, draws: int, rows: int, part: float, needed: float) -> float:
    """Return how often the score of a leak of `part` of a copy's rows stays below `needed` bits."""
    others = rows - draws
    if method == "omission":
        # Of the rows that are not drawn, the leak lacks all but a part; 2.33 standard deviations are one case in 100.
        lacking = others * (1 - part) + 2.33 * math.sqrt(others * part * (1 - part))
        return 0.0 if tail_bits(draws, others, draws, min(others, math.ceil(lacking))) >= needed else 1.0
    least = next(
        (count for count in range(MIN_MARKS, draws + 1) if tail_bits(draws, others, count, 0) >= needed), draws + 1
    )
    if part == 1:
        return 0.0 if least <= draws else 1.0
    return math.fsum(
        math.exp(
            math.lgamma(draws + 1)
            - math.lgamma(count + 1)
            - math.lgamma(draws - count + 1)
            + count * math.log(part)
            + (draws - count) * math.log1p(-part)
        )
        for count in range(min(least, draws + 1))
    )


def _alternatives(source: SourceTable) -> list[int]:
    """Return A(j) of each column as far as the table's own rows tell: what a leak that looks like it will cost."""
    rows = source.sample[:_ESTIMATE_ROWS]
    columns = list(zip(*rows, strict=True))
    committed = [{normal_form(cell) for cell in column} for column in columns]
    read = {tuple(normal_form(cell, reading) for cell in column) for column in columns for reading in READINGS}
    seen = [set(forms) for forms in read]
    return [sum(not forms.isdisjoint(theirs) for theirs in seen) for forms in committed]
