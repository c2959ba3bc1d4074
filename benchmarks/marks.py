"""Marks, measured on real tables: false accusations, leaks and pooled copies, and whether canaries can be told.

`python -m benchmarks.marks [TABLE…] [--quick]`; without tables, those of the demo. Nothing here uses the ledger: it is
the rule of docs/marks.md §4 and §5, over tens of thousands of recipients who had no part in it.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks.marks_classifier import distinguish
from ledger.cli.demo.story import EXAMPLES
from ledger.party.dataset.reading.cells import canonical_record
from ledger.party.dataset.reading.formats import detect
from ledger.party.marks.bits import millibits, needed_millibits
from ledger.party.marks.drawing import SourceTable, survey
from ledger.party.marks.errors import CannotMark
from ledger.party.marks.making import Design, Wish, design, make
from ledger.party.marks.parameters import Code, Parameters
from ledger.party.marks.score import Sighting, WordScorer, chance_bits
from ledger.party.marks.words import word_bits

TABLES = [EXAMPLES / name for name in ("planes.csv", "airports.csv")]
RECIPIENTS = 20
BOUND = "0.000001"
INNOCENTS = 10_000
Marks = dict[int, set[int]]
"""What a file shows of each position: the bits of the rows that are in it."""


def main() -> None:
    """Run, and print as each figure comes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", type=Path, help="CSV files; otherwise the demo's planes.csv, airports.csv")
    parser.add_argument("--quick", action="store_true", help="a tenth of the leaks")
    given = parser.parse_args()
    run(given.tables or TABLES, 10 if given.quick else 1)


def run(tables: Sequence[Path], scale: int) -> None:
    """Measure marks on these tables; `scale` divides the number of leaks, never that of innocents."""
    random = Random(2013)
    print(f"\nMarks for {RECIPIENTS} recipients, bound {BOUND}; {INNOCENTS:,} innocents a case; seeded")
    for path in tables:
        how = detect(path)
        if how is None:
            raise SystemExit(f"{path} is no table")
        source = survey(path, how, random)
        canaries(source, random, 5000 // scale)
        for colluders in (1, 2, 3):
            codes(source, random, colluders, 1000 // scale)
        distinguish(source, random)
    innocents(random)


def canaries(source: SourceTable, random: Random, leaks: int) -> None:
    """Cut a tenth of the rows out of a copy, again and again; compare innocents' canaries with drawn rows."""
    designed = _designed(source, Wish("canary", RECIPIENTS, BOUND))
    if designed is None or designed.recipe is None:
        return
    parameters = designed.parameters
    marks = make(designed, 0, random)
    planted = set(marks.all_marks)
    copy = [*range(source.rows), *planted]
    found = 0
    for _ in range(leaks):
        leak = random.sample(copy, math.ceil(len(copy) / 10))
        sighting = _sighting(source, len(leak))
        found += _is_enough(
            parameters, chance_bits(len(planted.intersection(leak)), len(planted), marks.bits, sighting)
        )
    print(
        f"{source.path.name}: canary, {parameters.room.row_bits} bits a row, {parameters.marks} rows added "
        f"({parameters.marks / source.rows:.1%})"
    )
    print(f"  a random 10 % of the rows       detected {found:>6,} of {leaks:,}  {found / leaks:>7.2%}   aim ≥ 99 %")
    # The worst file for innocents: rows drawn the way that marks are, as many as the table has.
    supply = designed.recipe.rows(random)
    file = {canonical_record(next(supply)[1]) for _ in range(source.rows)}
    scores = []
    for _ in range(INNOCENTS):
        hits = sum(canonical_record(next(supply)[1]) in file for _ in range(parameters.marks))
        scores.append(chance_bits(hits, parameters.marks, marks.bits, _sighting(source, len(file))))
    _accusations(parameters, scores)


@dataclass(frozen=True)
class Pool:
    """What is done with copies: `show` gives the rows of a position that are shown, from those the colluders hold."""

    words: str
    show: Callable[[list[int]], set[int]]
    part: float = 1.0


def codes(source: SourceTable, random: Random, colluders: int, leaks: int) -> None:
    """Have one recipient leak a tenth, and colluders pool whole copies; score them, and innocents beside them."""
    designed = _designed(source, Wish("tardos", RECIPIENTS, BOUND, colluders))
    if designed is None:
        return
    parameters, code = designed.parameters, Code.against(colluders)
    print(
        f"{source.path.name}: tardos against {colluders}, {parameters.marks:,} positions "
        f"({parameters.marks / source.rows:.1%} more rows)"
    )
    pools = [
        (1, Pool("a random 10 % of one copy", set, 0.1)),
        (1, Pool("one copy", set)),
    ]
    for count in range(2, colluders + 1):
        pools += [
            (count, Pool(f"{count} copies merged", set)),
            (count, Pool(f"{count} copies intersected", lambda held: set(held) if len(set(held)) == 1 else set())),
            (count, Pool(f"{count} copies, majority", _majority)),
            (count, Pool(f"{count} copies, minority", _minority)),
        ]
    for count, pool in pools:
        caught, innocent = 0, [0.0]
        for leak in range(leaks):
            biases = random.choices(code.biases, code.weights, k=parameters.marks)
            scorer, chance = _leaked(designed, random, biases, count, pool)
            caught += any(_is_enough(parameters, min(chance, scorer.bits(f"pirate-{n}"))) for n in range(count))
            if leak == 0:
                innocent = [min(chance, scorer.bits(f"innocent-{n}")) for n in range(INNOCENTS)]
        wrong = sum(_is_enough(parameters, score) for score in innocent)
        print(
            f"  {pool.words:<31} detected {caught:>6,} of {leaks:,}  {caught / leaks:>7.2%}   aim ≥ 99 %   "
            f"innocents accused {wrong} of {INNOCENTS:,}, greatest {max(innocent):.1f} bits",
            flush=True,
        )


def innocents(random: Random) -> None:
    """Compare how many innocents reach s bits with the bound 2^−s, where that is often enough to be seen."""
    names = [f"innocent-{number}" for number in range(5 * INNOCENTS)]
    code = Code.against(3)
    biases = random.choices(code.biases, code.weights, k=400)
    sights = [(position, random.randrange(2)) for position in range(400) if random.random() < 0.3]
    start = time.perf_counter()
    scorer = WordScorer(random.randbytes(32), biases, sights)
    scores = [scorer.bits(name) for name in names]
    rate = len(names) / (time.perf_counter() - start)
    print(
        f"{len(names):,} innocents against one leak ({rate:,.0f} words/s): part that reaches s bits, and its bound 2^−s"
    )
    for s in (1, 2, 4, 6, 8, 10, 12, 14):
        part = sum(score >= s for score in scores) / len(scores)
        print(f"  {s:>4} bits {part:>12.6f} {2**-s:>12.6f}   {part * 2**s:>5.2f} of the bound   ≤ 1")


def _leaked(designed: Design, random: Random, biases: list[int], count: int, pool: Pool) -> tuple[WordScorer, float]:
    """Return the scorer of what a fresh set of colluders leaks, and the file's chance score."""
    source, key = designed.source, random.randbytes(32)
    words = [word_bits(key, f"pirate-{number}", range(len(biases)), biases) for number in range(count)]
    shown: Marks = {position: pool.show(list(held)) for position, held in enumerate(zip(*words, strict=True))}
    rows = source.rows * (count if "merged" in pool.words else 1)
    if pool.part < 1:
        copy = [*range(-source.rows, 0), *range(len(biases))]
        leak = set(random.sample(copy, math.ceil(pool.part * len(copy))))
        shown, rows = {position: bits for position, bits in shown.items() if position in leak}, len(leak)
    sights = [(position, next(iter(bits))) for position, bits in shown.items() if len(bits) == 1]
    marks = sum(map(len, shown.values()))
    chance = chance_bits(marks, 2 * len(biases), designed.parameters.room.bits, _sighting(source, rows + marks))
    return WordScorer(key, biases, sights), chance


def _majority(held: list[int]) -> set[int]:
    ones = sum(held)
    return set() if 2 * ones == len(held) else {int(2 * ones > len(held))}


def _minority(held: list[int]) -> set[int]:
    ones = sum(held)
    return set(held) if ones in {0, len(held)} else {int(2 * ones <= len(held))}


def _designed(source: SourceTable, wish: Wish) -> Design | None:
    try:
        return design(source, wish)
    except CannotMark as error:
        print(f"{source.path.name}: {wish.method}: {error}")
        return None


def _sighting(source: SourceTable, rows: int) -> Sighting:
    return Sighting(rows, len(source.columns), frozenset(range(len(source.columns))))


def _is_enough(parameters: Parameters, bits: float) -> bool:
    needed = needed_millibits(parameters.threshold_millibits, parameters.recipients, parameters.bound, 1)
    return millibits(bits) >= needed


def _accusations(parameters: Parameters, scores: list[float]) -> None:
    wrong = sum(_is_enough(parameters, score) for score in scores)
    reach = sum(score >= 1 for score in scores) / len(scores)
    print(
        f"  innocents accused               {wrong} of {len(scores):,}, greatest {max(scores):.1f} bits; "
        f"1 bit or more: {reach:.4f}, bound 0.5",
        flush=True,
    )


if __name__ == "__main__":
    main()
