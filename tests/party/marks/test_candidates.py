"""Candidate rows: like the table's, none of them in it, told by no rule of one line, in an order that says nothing."""

from __future__ import annotations

import csv
import random
from collections import Counter
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stdnum import ean, iban
from stdnum.iso7064 import mod_11_2

from benchmarks import tables
from ledger.party.dataset.reading.cells import Cell
from ledger.party.dataset.reading.formats import detect
from ledger.party.dataset.reading.normal import normal_form
from ledger.party.marks.candidates import draw_candidates
from ledger.party.marks.drawing import SourceTable, survey
from ledger.party.marks.errors import CannotMark
from ledger.party.marks.forms import forms_of, mended
from ledger.party.marks.gaps import Gaps
from ledger.party.marks.held import held
from ledger.party.marks.scales import scale_of
from ledger.party.marks.spelling import speller

Rows = list[list[Cell]]


def surveyed(path: Path, names: Sequence[str], rows: Sequence[Sequence[str]]) -> SourceTable:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([names, *rows])
    how = detect(path)
    assert how is not None
    return survey(path, how, random.Random(1))


def normal(rows: Sequence[Sequence[Cell]]) -> set[tuple[Cell, ...]]:
    return {tuple(map(normal_form, row)) for row in rows}


def column(rows: Sequence[Sequence[Cell]], number: int) -> list[str]:
    return [cell for row in rows if (cell := row[number]) is not None]


@pytest.mark.parametrize(
    "kind", ["people", "ledger", "reviews", "residents", "invoices", "prices", "weekly", "cars", "districts"]
)
def test_tables_of_every_kind_have_candidates(kind: str, tmp_path: Path) -> None:
    names, rows = getattr(tables, kind)(random.Random(kind))
    drawn = draw_candidates(surveyed(tmp_path / "t.csv", names, rows), 200, random.Random(2))
    assert len(normal(drawn)) == 200, "each is another row, in normal form too"
    assert not normal(drawn) & normal(rows), "and none is a row of the table"
    for number in range(len(names)):
        values = [normal_form(cell) for cell in column(rows, number)]
        if kind != "districts" and len(set(values)) == len(rows):
            new = [normal_form(cell) for cell in column(drawn, number)]
            assert len(set(new)) == len(drawn), f"the key {names[number]} stays one"
            assert not set(new) & set(values)


def test_check_digits_and_what_belongs_together_are_kept(tmp_path: Path) -> None:
    names, rows = tables.people(random.Random(3))
    drawn = draw_candidates(surveyed(tmp_path / "p.csv", names, rows), 300, random.Random(3))
    assert all(map(iban.is_valid, column(drawn, 3)))
    assert {(row[5], row[6], row[7]) for row in drawn} <= {tuple(row[5:8]) for row in rows}, "postcode, city, country"
    assert {mail.split("@")[1] for mail in column(drawn, 2)} <= {row[2].split("@")[1] for row in rows}
    assert all(name.lower().replace(" ", ".") in mail for _, name, mail, *_ in drawn if name and mail)
    names, rows = tables.residents(random.Random(3))
    drawn = draw_candidates(surveyed(tmp_path / "r.csv", names, rows), 300, random.Random(3))
    for _, _, identity, sex, _, region in drawn:
        assert identity is not None
        assert mod_11_2.is_valid(identity)
        assert identity[:6] == region
        assert (int(identity[16]) % 2 == 1) == (sex == "男")
        assert date(int(identity[6:10]), int(identity[10:12]), int(identity[12:14])) < date(2010, 1, 1)


def test_sums_products_orders_and_grids_are_kept(tmp_path: Path) -> None:
    names, rows = tables.ledger(random.Random(4))
    drawn = draw_candidates(surveyed(tmp_path / "l.csv", names, rows), 300, random.Random(4))
    for row in drawn:
        number, ordered, paid, quantity, price, total, *_ = [cell or "" for cell in row]
        assert abs(int(quantity) * float(price) - float(total)) < 0.0051
        assert ordered <= paid
        assert int(rows[0][0]) < int(number) < int(rows[-1][0]), "in a gap, for there are some"
    names, rows = tables.invoices(random.Random(4))
    drawn = draw_candidates(surveyed(tmp_path / "i.csv", names, rows), 300, random.Random(4))
    assert all(map(ean.is_valid, column(drawn, 1)))
    assert all(abs(float(row[2] or 0) + float(row[3] or 0) - float(row[4] or 0)) < 0.0051 for row in drawn)
    names, rows = tables.cars(random.Random(4))
    drawn = draw_candidates(surveyed(tmp_path / "c.csv", names, rows), 300, random.Random(4))
    assert all(year.endswith(".0") for year in column(drawn, 6)), "1974.0 is whole"


def test_a_pair_of_columns_that_names_rows_is_not_repeated(tmp_path: Path) -> None:
    names, rows = tables.prices(random.Random(5))
    drawn = draw_candidates(surveyed(tmp_path / "t.csv", names, rows), 300, random.Random(5))
    pairs = [(row[0], row[1]) for some in (rows, drawn) for row in some]
    assert len(set(pairs)) == len(pairs)
    assert all(month.endswith("-01") for month in column(drawn, 1)), "a series by month stays one"


def test_numbers_without_gaps_continue_where_later_rows_do_not_come(tmp_path: Path) -> None:
    draw = random.Random(6)
    rows = [[str(number), str(draw.randrange(50)), f"{draw.random():.3f}"] for number in range(1, 1001)]
    drawn = draw_candidates(surveyed(tmp_path / "low.csv", ["id", "a", "b"], rows), 100, random.Random(6))
    assert min(int(cell) for cell in column(drawn, 0)) >= 2000, "as many later rows as there are now come first"
    high = [[str(90_000 + int(row[0])), *row[1:]] for row in rows]
    drawn = draw_candidates(surveyed(tmp_path / "high.csv", ["id", "a", "b"], high), 100, random.Random(6))
    assert max(int(cell) for cell in column(drawn, 0)) <= 90_000, "before the first, where there is room"


def test_gaps_are_used_as_far_as_they_go(tmp_path: Path) -> None:
    """Of 1,000 numbers every tenth is free: a pool of 300 has some of these, and no number twice."""
    rows = [[str(number), f"{number * 7 % 50}"] for number in range(1, 1001) if number % 10]
    drawn = draw_candidates(surveyed(tmp_path / "t.csv", ["id", "a"], rows), 300, random.Random(6))
    ids = [int(cell) for cell in column(drawn, 0)]
    assert len(set(ids)) == 300
    assert 30 <= sum(number < 1000 for number in ids) <= 99


def test_all_wide_tables_of_numbers_have_candidates(tmp_path: Path) -> None:
    draw = random.Random(7)
    floats = [[f"{draw.gauss(10, 3):.4g}" for _ in range(31)] for _ in range(300)]
    drawn = draw_candidates(surveyed(tmp_path / "f.csv", [f"x{n}" for n in range(31)], floats), 300, random.Random(7))
    assert not normal(drawn) & normal(floats)
    integers = [[str(min(16, max(0, round(draw.gauss(6, 5))))) for _ in range(65)] for _ in range(400)]
    drawn = draw_candidates(surveyed(tmp_path / "i.csv", [f"x{n}" for n in range(65)], integers), 300, random.Random(7))
    for number in range(65):
        assert set(column(drawn, number)) <= set(column(integers, number)), "a value that nobody has would show"


def test_the_order_of_candidates_says_nothing(tmp_path: Path) -> None:
    """The first of forty is as often any rank of a key, drawn without replacement, as the last is."""
    rows = [[f"K{3 * number:04}", str(number % 7)] for number in range(60)]
    source = surveyed(tmp_path / "t.csv", ["key", "kind"], rows)
    halves = [0, 0]
    for seed in range(120):
        keys = [cell for row in draw_candidates(source, 40, random.Random(seed)) if (cell := row[0]) is not None]
        middle = sorted(keys)[20]
        halves[0] += sum(key < middle for key in keys[:20])
        halves[1] += sum(key < middle for key in keys[20:])
    assert sum(halves) == 120 * 20
    # Hypergeometric: 1,200 expected of 2,400, standard deviation 17.5.
    assert abs(halves[0] - 1200) < 5 * 17.5


def test_too_few_rows_are_refused_by_their_reason(tmp_path: Path) -> None:
    rows = [[one, two] for one in "abcd" for two in "xyz"]
    with pytest.raises(CannotMark, match="not in it"):
        draw_candidates(surveyed(tmp_path / "t.csv", ["one", "two"], rows), 10, random.Random(1))


cells = st.one_of(
    st.sampled_from(
        ["", "0", "1", "-1", "1.0", "1.50", "007", "NA", "1e5", "Ünï", "李雷", "a b", "x@y.zz", "2024-02-29"]
    ),
    st.integers(-50, 50).map(str),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=6),
)


ROWS = st.integers(1, 5).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=2, max_size=40)
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, count=st.integers(1, 40))
def test_whatever_the_table_is_candidates_are_new_and_different(
    tmp_path: Path, rows: list[list[str]], count: int
) -> None:
    source = surveyed(tmp_path / "t.csv", [f"c{number}" for number in range(len(rows[0]))], rows)
    try:
        drawn = draw_candidates(source, count, random.Random(1))
    except CannotMark:
        return
    assert len(drawn) == count == len(normal(drawn))
    assert not normal(drawn) & normal(source.sample)
    assert all(len(row) == len(rows[0]) for row in drawn)


@given(
    st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=60, unique=True), st.integers(0, 3), st.integers(0, 20)
)
def test_gaps_hold_nothing_that_is_taken(places: list[int], decimals: int, count: int) -> None:
    taken = [f"{place / 10**decimals:.{decimals}f}" for place in places]
    scale = scale_of(taken)
    assert scale is not None
    gaps = Gaps(scale, taken, count)
    for seed, cell in enumerate(taken):
        drawn = gaps.draw(cell, random.Random(seed))
        assert drawn is None or (drawn not in taken and len(drawn.partition(".")[2]) == decimals)
        assert gaps.is_full or drawn is None or min(map(float, taken)) < float(drawn) < max(map(float, taken))


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        (["2024-01-01", "2024-01-08", "2024-01-22"], "Dates"),
        (["Jan 1 2000", "Feb 1 2000", "May 1 2001"], "Dates"),
        (["1.5", "2.25", "7"], "Numbers"),
        (["1727.0", "1728.0", "1799.0"], "Numbers"),
        (["INV-000123", "INV-000999"], "Serials"),
    ],
)
def test_what_has_an_order_is_written_as_it_was(written: list[str], kind: str) -> None:
    scale = scale_of(written)
    assert type(scale).__name__ == kind
    assert scale is not None
    for cell in written:
        place = scale.place(cell)
        assert place is not None
        assert scale.write(place) == cell
    places = [place.at for cell in written if (place := scale.place(cell)) is not None]
    assert all(one < two for one, two in pairwise(places))


def test_known_forms_are_found_and_mended() -> None:
    numbers = [f"4012888888{number:05}" for number in range(40)]
    cards = [f"{number}{digit}" for number in numbers for digit in range(10) if _is_luhn(f"{number}{digit}")]
    forms = forms_of(cards)
    assert forms
    assert mended("4012888888123450", forms) in {f"401288888812345{digit}" for digit in range(10)}
    assert forms_of([str(number) for number in range(10_000, 10_400)]) == [], "what is only a number has no form"
    vins = ["1M8GDM9AXKP042788", "5GZCZ43D13S812715"]
    assert mended("1M8GDM9A0KP042788", forms_of(vins)) == vins[0]


def test_places_of_an_identifier_that_other_columns_hold_are_left() -> None:
    draw = random.Random(8)
    rows = [(f"{draw.randrange(1950, 2000)}0{draw.randrange(1, 10)}15", draw.choice("MF")) for _ in range(60)]
    numbers = [f"A{born}{draw.randrange(10)}{draw.randrange(5) * 2 + (sex == 'M')}" for born, sex in rows]
    says = held(numbers, {1: [born for born, _ in rows], 2: [sex for _, sex in rows]})
    assert says.closed >= set(range(1, 9))
    assert says.columns == {1, 2}
    spelt = speller(numbers, 20, says)
    assert spelt is not None
    for cell in numbers:
        drawn = spelt.draw(cell, draw)
        assert drawn is None or (drawn[:9] == cell[:9] and int(drawn[-1]) % 2 == int(cell[-1]) % 2)


def test_reviews_are_of_words_that_there_are(tmp_path: Path) -> None:
    names, rows = tables.reviews(random.Random(9))
    drawn = draw_candidates(surveyed(tmp_path / "t.csv", names, rows), 100, random.Random(9))
    known = Counter(word for row in rows for word in row[3].split(" "))
    assert all(word in known for text in column(drawn, 3) for word in text.split(" "))


def _is_luhn(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    return sum(digits[::2] + [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]) % 10 == 0


def test_cells_that_say_na_are_missing_together(tmp_path: Path) -> None:
    draw = random.Random(10)
    pairs = [
        ("NA", "NA") if draw.random() < 0.1 else (str(draw.randrange(900)), str(draw.randrange(90))) for _ in range(400)
    ]
    rows = [[f"T{2 * number:05}", *pair, draw.choice("abc")] for number, pair in enumerate(pairs)]
    drawn = draw_candidates(surveyed(tmp_path / "t.csv", ["key", "one", "two", "kind"], rows), 150, random.Random(10))
    assert all((row[1] == "NA") == (row[2] == "NA") for row in drawn)
