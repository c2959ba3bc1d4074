"""Marks drawn from a pool, over all kinds of tables: what they take, which leaks they detect, whom they accuse.

`python -m benchmarks.pools [FILE…]`; without files, the tables of benchmarks/tables.py. Innocent files are the worst
that the pool can make: each holds a random part of all its rows, as a register that knows them all would.
"""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random

from benchmarks.tables import made
from ledger.party.dataset.reading.formats import detect
from ledger.party.marks.draw_score import needed_for, tail_bits
from ledger.party.marks.drawing import SourceTable, survey
from ledger.party.marks.errors import CannotMark
from ledger.party.marks.pooling import Method, PoolPlan, PoolWish, make_pool, plan_pool

RECIPIENTS, BOUND = 20, "0.000001"
LEAKS, INNOCENTS = 1_000, 10_000
METHODS: tuple[Method, ...] = ("canary", "omission")


def main() -> None:
    """Measure the tables given, or all kinds."""
    with tempfile.TemporaryDirectory() as directory:
        run([Path(name) for name in sys.argv[1:]] or made(Path(directory)))


def run(files: Sequence[Path]) -> None:
    """Print for each table and method what a pool takes and does."""
    print(
        f"\nPools for {RECIPIENTS} recipients, bound {BOUND}; {LEAKS:,} leaks, {INNOCENTS:,} innocents a case; seeded"
    )
    for path in files:
        how = detect(path)
        if how is None:
            raise SystemExit(f"{path} is no table")
        source = survey(path, how, Random(5))
        print(f"  {path.stem}, {source.rows:,} rows of {len(source.columns)}")
        for method in METHODS:
            print(f"    {method:<9} {_measured(source, method)}", flush=True)


def _measured(source: SourceTable, method: Method) -> str:
    random = Random(2026)
    try:
        plan = plan_pool(source, PoolWish(method, RECIPIENTS, BOUND))
        make_pool(plan, random)
    except CannotMark as error:
        return f"refused: {error}"
    needed, others = needed_for(RECIPIENTS, BOUND, 1) / 1000 + plan.paid_bits, plan.rows - plan.draws
    told = sum(_leak_bits(plan, random) >= needed for _ in range(LEAKS))
    bits = [tail_bits(plan.draws, others, *_innocent(plan, random)) for _ in range(INNOCENTS)]
    falsely, often = sum(value >= needed for value in bits), sum(value >= math.log2(100) for value in bits)
    share, part = plan.draws / source.rows, "the whole" if plan.part == 1 else f"{plan.part:.0%}"
    return (
        f"{plan.draws:>4} of {plan.rows:>6,} rows drawn ({share:>6.1%} of the table), {plan.paid_bits:4.1f} bits paid; "
        f"{part} detected {told / LEAKS:.1%}; accused {falsely} of {INNOCENTS:,}, "
        f"one in 100 reached by {often / INNOCENTS:.2%}"
    )


def _leak_bits(plan: PoolPlan, random: Random) -> float:
    """Return the bits of a leak of the planned part of one copy."""
    others = plan.rows - plan.draws
    shown = sum(random.random() < plan.part for _ in range(plan.draws if plan.wish.method == "canary" else others))
    if plan.wish.method == "canary":
        return tail_bits(plan.draws, others, shown, 0)
    return tail_bits(plan.draws, others, plan.draws, others - shown)


def _innocent(plan: PoolPlan, random: Random) -> tuple[int, int]:
    """Return how many drawn rows, and how many others, are hit in a file that owes nothing to the copy."""
    hit = random.sample(range(plan.rows), random.randint(0, plan.rows))
    drawn = sum(number < plan.draws for number in hit)
    return drawn, len(hit) - drawn


if __name__ == "__main__":
    main()
