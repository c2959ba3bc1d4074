"""Marks from a sealed pool: the draw, what is seen, what it weighs, what the mapping costs (docs/marks.md §9).

Expected values are worked out here from the formulas of that page, or by trying all cases.
"""

from __future__ import annotations

import hashlib
import hmac
from fractions import Fraction
from itertools import combinations
from math import comb, log2
from random import Random
from time import process_time
from typing import Any

import pytest

from tests.verifier.builder import b64, canonical
from verifier.bundle.marks import Trial
from verifier.bundle.pool import Alternatives, Pool, PoolMarks, draw, draw_seed
from verifier.bundle.records import distinct
from verifier.bundle.score import Code, millibits, tail_bits
from verifier.rules.registry import Preparation
from verifier.sealed.normal import Mapped, Mapping
from verifier.sealed.values import is_pool

P, R, C = "sha256:" + "1" * 64, "sha256:" + "2" * 64, b64(b"c" * 32)
KEY = bytes(range(32))
SEED = hashlib.sha256(f'["provenance-ledger/draw/v1","{P}","{R}","{C}"]'.encode()).hexdigest()
Row = tuple[str | None, ...]


def preparation(method: str = "canary", recipients: int = 2) -> Preparation:
    return Preparation(5, bytes(32), "acme", b64(bytes(16)), "birch", "0.001", method, recipients, "00" * 32)


def record(row: Row) -> str:
    return b64(canonical(list(row)))


def sealed(rows: list[Row], draws: int, method: str = "canary") -> dict[str, Any]:
    """Return the value of a pool."""
    columns = [f"column {at}" for at in range(len(rows[0]))]
    value = {"type": "provenance-ledger.pool/v1", "method": method, "columns": columns, "key": b64(KEY)}
    return value | {"draws": draws, "rows": list(map(record, rows))}


def tried(value: dict[str, Any], found: list[Row], mapped: list[tuple[int, int, str]], *retired: int) -> PoolMarks:
    """Return a copy's marks, tried on a found file under a mapping of column, found column and reading."""
    assert is_pool(value)
    mapping = Mapping([Mapped(*item) for item in mapped])
    columns = len(found[0]) if found else 3
    trial = Trial(mapping, frozenset(distinct(found, mapping)), len(found), columns)
    pool = Pool(value, SEED, trial, Alternatives(found, columns))
    marks: dict[str, Any] = {"file": 0} | ({"retired": sorted(retired)} if retired else {})
    return PoolMarks(pool, preparation(value["method"]), marks)


def names(count: int) -> list[Row]:
    return [(f"N{number}", f"row {number}") for number in range(count)]


PLAIN = [(0, 0, "text"), (1, 1, "text")]


def test_the_draw_is_the_formula() -> None:
    """The seed, and the rows of the least rank, worked out by hand."""
    assert draw_seed(P, R, C) == SEED
    ranks = {
        number: hmac.new(KEY, b"draw\n" + SEED.encode() + b"\n" + str(number).encode(), hashlib.sha256).hexdigest()
        for number in range(1200)
    }
    for count, draws in ((1200, 40), (12, 11), (2, 1)):
        least = sorted(range(count), key=lambda number: (ranks[number], number))[:draws]
        assert draw(KEY, SEED, count, draws) == sorted(least)
    assert draw(KEY, SEED, 12, 3) != draw(KEY, draw_seed(P, R, b64(b"d" * 32)), 12, 3)


def test_a_draw_is_known() -> None:
    """A vector for other programs: these numbers are not computed by any function of this project."""
    assert SEED == "99502b4a21711d7f92aab0dfb1e1e601dc1b0a1e07d4cbe803278011d13f4fc8"
    assert draw(KEY, SEED, 20, 5) == [1, 6, 13, 15, 18]


def fraction_of(bits: float) -> float:
    return float(2.0**-bits)


@pytest.mark.parametrize("drawn", range(1, 5))
@pytest.mark.parametrize("others", range(1, 5))
def test_the_tail_is_what_counting_gives(drawn: int, others: int) -> None:
    """Of all ways to choose as many rows, the part that has as many drawn ones or more."""
    rows = [True] * drawn + [False] * others
    for hit in range(len(rows) + 1):
        ways = [sum(chosen) for chosen in combinations(rows, hit)]
        for found in range(max(0, hit - others), min(drawn, hit) + 1):
            expected = Fraction(sum(way >= found for way in ways), len(ways))
            assert fraction_of(tail_bits(drawn, others, found, hit - found)) == pytest.approx(
                float(expected), abs=1e-12
            )


@pytest.mark.parametrize(("rows", "draws"), [(6, 2), (8, 3), (10, 5)])
def test_no_file_is_accused_more_often_than_its_score_says(rows: int, draws: int) -> None:
    """Over all draws, of any fixed set of rows: the part whose tail is at most p is at most p."""
    every = [set(drawn) for drawn in combinations(range(rows), draws)]
    for hit in (set(range(size)) for size in range(rows + 1)):
        tails = [fraction_of(tail_bits(draws, rows - draws, len(hit & drawn), len(hit - drawn))) for drawn in every]
        for tail in set(tails):
            assert sum(other <= tail for other in tails) / len(every) <= tail * (1 + 1e-9)


def test_large_tails_are_exact() -> None:
    """Far from the mean, where a float would be nothing: one term, in integers."""
    assert tail_bits(500, 9_500, 500, 0) == pytest.approx(log2(comb(10_000, 500)))
    assert tail_bits(500, 9_500, 0, 0) == 0
    assert tail_bits(500, 9_500, 500, 9_500) == 0
    assert tail_bits(40, 1_960, 5, 0) == pytest.approx(-log2(comb(40, 5) / comb(2_000, 5)))
    started = process_time()
    tail_bits(5_000, 5_000, 2_600, 2_400)
    assert process_time() - started < 2


def test_a_hundred_thousand_innocents_stay_within_the_bound() -> None:
    """Files of every kind that owes nothing to a draw: few rows, many, half of them, blocks, all but a few."""
    random = Random(6)
    rows, draws = 60, 12
    files = [
        set(range(size))
        if kind == 0
        else set(range(0, rows, 2)[:size])
        if kind == 1
        else set(random.sample(range(rows), size))
        for size in (1, 3, 7, 20, 45, 59)
        for kind in range(3)
    ]
    tails = {
        (found, size): tail_bits(draws, rows - draws, found, size - found)
        for size in {len(file) for file in files}
        for found in range(max(0, size - rows + draws), min(draws, size) + 1)
    }
    scores = []
    for number in range(102_600):
        drawn, file = set(random.sample(range(rows), draws)), files[number % len(files)]
        scores.append(tails[len(file & drawn), len(file)])
    for bits in range(1, 14):
        count, expected = sum(score >= bits for score in scores), len(scores) * 2.0**-bits
        assert count <= expected + 4 * expected**0.5, bits


def test_a_copy_scores_by_what_was_drawn() -> None:
    """Its drawn rows and none of the others; each costs nothing but the choice of the mapping."""
    rows = names(400)
    drawn = draw(KEY, SEED, 400, 40)
    own = [rows[number] for number in drawn[:6]] + [("N-1", "other"), ("N-2", "other")]
    marks = tried(sealed(rows, 40), own, PLAIN)
    assert marks.pool.drawn == drawn
    assert (marks.hit_count, marks.pool.others_hit, marks.different) == (6, 0, 6)
    assert [row for row in marks.planted if row in marks.planted_found] == [record(row) for row in own[:6]]
    bits = -log2(comb(40, 6) / comb(400, 6))
    assert marks.pool.paid == 2  # each column has one alternative: its own, under readings that are all alike
    assert marks.own_score == pytest.approx(bits - 2)
    assert marks.numbers == {
        "drawn": 40, "found": 6, "others": 360, "others_found": 0, "paid_millibits": 2000,
        "score_millibits": millibits(bits - 2),
    }  # fmt: skip
    assert marks.control is None


def test_who_knows_the_whole_pool_is_not_accused() -> None:
    """A register with every row, planted or not, scores nothing, however many of the drawn ones it has."""
    rows = names(400)
    marks = tried(sealed(rows, 40), rows, PLAIN)
    assert (marks.hit_count, marks.pool.others_hit, marks.own_score) == (40, 360, 0)


def test_retired_rows_lower_a_score_and_nothing_else() -> None:
    """They count for nobody; that others are named changes nothing."""
    rows = names(400)
    drawn = draw(KEY, SEED, 400, 40)
    own = [rows[number] for number in drawn[:6]]
    whole = tried(sealed(rows, 40), own, PLAIN)
    less = tried(sealed(rows, 40), own, PLAIN, drawn[0], drawn[39])
    others = sorted(set(range(400)) - set(drawn))
    same = tried(sealed(rows, 40), own, PLAIN, *others[:10])
    assert (less.hit_count, len(less.planted), less.pool.others_hit) == (5, 38, 0)
    assert less.chance == pytest.approx(-log2(comb(40, 5) / comb(400, 5)))
    assert same.numbers == whole.numbers


def test_what_is_left_out_speaks_by_its_absence() -> None:
    """All rows of the pool but those that were drawn are in the copy; planted is nothing."""
    rows = names(400)
    drawn = set(draw(KEY, SEED, 400, 40))
    copy = [row for number, row in enumerate(rows) if number not in drawn]
    marks = tried(sealed(rows, 40, "omission"), copy, PLAIN)
    assert (marks.hit_count, marks.pool.others_hit) == (40, 0)
    assert (marks.planted, marks.planted_found, marks.is_fit_known) == ([], [], False)
    assert marks.chance == pytest.approx(log2(comb(400, 40)))
    assert tried(sealed(rows, 40, "omission"), rows, PLAIN).own_score == 0
    assert tried(sealed(rows, 40, "omission"), [("x", "y")], PLAIN).own_score == 0
    part = tried(sealed(rows, 40, "omission"), copy[:36], PLAIN)
    assert (part.hit_count, part.pool.others_hit) == (40, 324)
    assert part.chance == pytest.approx(-log2(comb(360, 324) / comb(400, 364)))


@pytest.mark.parametrize(
    ("found", "alternatives"),
    [
        ([], 0),
        ([("x",)], 0),
        ([("1.5",)], 1),
        ([("1,5",)], 1),  # as `comma` only: as `text` it is a word
        ([("1,500",)], 2),  # 1500, or one and a half
        ([("1.50", "1.5")], 1),  # the same number in every row, wherever it stands
        ([("1.50", "1.5"), ("2", "1.5")], 2),
        ([(None,)], 1),
        ([("", "-")], 1),
        ([("03/04/2024",)], 1),
        ([("03/04/2024", "04.03.2024")], 1),  # the same day, by different readings
        ([("03/04/2024", "04.03.2024"), ("x", "y")], 2),
        ([("2024-04-03",)], 1),
    ],
)
def test_what_the_mapping_costs(found: list[Row], alternatives: int) -> None:
    """Columns with a reading, counted once if they read every row alike, in which some cell of the pool stands."""
    pool: list[Row] = [("1.5",), ("2024-04-03",), (None,), ("1500",)]
    marks = tried(sealed(pool, 1), found, [])
    assert marks.pool.paid == pytest.approx(log2(1 + alternatives))


def test_every_column_of_the_pool_pays_for_itself() -> None:
    """A found column may be that of several; a column without any cell in the file costs nothing."""
    rows: list[Row] = [("1", "1", "a"), ("2", "2", "b"), ("3", "x", "c")]
    marks = tried(sealed(rows, 1), [("1", "2", "z"), ("5", "2", "z")], [])
    assert marks.pool.paid == pytest.approx(2 * log2(3))


def test_a_mapping_of_nothing_or_of_columns_that_are_none_finds_nothing() -> None:
    rows = names(20)
    for mapping in ([], [(7, 0, "text")]):
        assert tried(sealed(rows, 3), rows, mapping).hit_count == 0
        assert tried(sealed(rows, 3, "omission"), rows, mapping).own_score == 0


def test_rows_without_a_cell_in_the_mapped_columns_are_not_seen() -> None:
    """Nothing is equal to nothing, in a planted row and in a found one."""
    rows: list[Row] = [(None, "a"), (None, "b"), ("1", "c")]
    marks = tried(sealed(rows, 2), [(None, "z"), ("1", "z")], [(0, 0, "text")])
    assert marks.pool.seen == [False, False, True]


def word_of(positions: int, seed: str = SEED) -> list[int]:
    """Return the bits of a seed by docs/marks.md §3, at a bias of one half."""
    bits = []
    for at in range(positions):
        digest = hmac.new(KEY, b"word\n" + seed.encode() + b"\n" + str(at // 8).encode(), hashlib.sha256).digest()
        bits.append(int(int.from_bytes(digest[4 * (at % 8) : 4 * (at % 8) + 4], "big") < 1 << 31))
    return bits


def coded(count: int) -> tuple[dict[str, Any], list[list[Row]]]:
    pairs: list[list[Row]] = [[(f"N{at}", bit) for bit in "01"] for at in range(count)]
    positions = [{"bias": 1 << 31, "rows": list(map(record, pair))} for pair in pairs]
    value = {"type": "provenance-ledger.pool/v1", "method": "tardos", "columns": ["a", "b"], "key": b64(KEY)}
    return value | {"colluders": 2, "positions": positions}, pairs


def test_a_code_scores_by_the_word_of_the_draw() -> None:
    """One row of each position by the seed; the word is Chernoff's bound, less what the mapping costs."""
    value, pairs = coded(64)
    copy = [pair[bit] for pair, bit in zip(pairs, word_of(64), strict=True)]
    marks = tried(value, copy[:40] + pairs[50], PLAIN)
    assert marks.planted == list(map(record, copy))
    assert marks.different == 40
    assert marks.hit_count == 41  # the row of position 50 is there, too, and so is the other one: it tells nothing
    code = Code(KEY, [(at, 1 << 31, bit) for at, bit in enumerate(word_of(40))])
    assert marks.chance == code.word_bits(SEED) > 30
    assert marks.numbers == {
        "paid_millibits": 2000, "score_millibits": millibits(marks.chance - 2), "seen": 40,
        "word_millibits": millibits(marks.chance),
    }  # fmt: skip
    assert marks.control == max(0, max(code.word_bits(f"control/{number}") for number in range(1000)) - 2)
    fewer = tried(value, copy[:40] + pairs[50], PLAIN, 0, 1, 50)
    assert (fewer.different, fewer.hit_count, len(fewer.planted)) == (38, 38, 61)


def test_another_draw_of_the_same_code_is_not_accused() -> None:
    value, pairs = coded(256)
    other = word_of(256, draw_seed(P, R, b64(b"d" * 32)))
    marks = tried(value, [pair[bit] for pair, bit in zip(pairs, other, strict=True)], PLAIN)
    assert marks.different == 256
    assert marks.own_score < 10


def test_a_large_pool_is_tried_fast() -> None:
    """10,000 rows of eight columns, on a file of 1,000 rows: a second, and most of it is reading cells."""
    random = Random(1)

    def rows(count: int) -> list[Row]:
        kinds = (
            lambda: f"N{random.randrange(10**6)}UW",
            lambda: f"{random.random() * 90:.4f}",
            lambda: f"word {random.random()}",
        )
        return [tuple(kinds[at % 3]() for at in range(8)) for _ in range(count)]

    pooled = rows(10_000)
    value = sealed(pooled, 200)
    mapping = [(at, at, "text") for at in range(8)]
    started = process_time()
    marks = tried(value, [*rows(990), *pooled[:10]], mapping)
    assert marks.hit_count + marks.pool.others_hit == 10
    assert marks.numbers["paid_millibits"] > 0
    assert process_time() - started < 5  # of one core; 0.9 s on an idle machine
