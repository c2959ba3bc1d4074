"""The parts of a trace against slow readings of the same definitions."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.party.dataset.committing.copies import cell_key, record_key
from ledger.party.dataset.reading.cells import Cell, canonical_record
from ledger.party.dataset.reading.formats import TableFormat
from ledger.party.dataset.reading.normal import MappedColumn, equals, normal_form
from ledger.party.marks.bits import millibits
from ledger.party.marks.score import Scores, Sighting, chance_bits
from ledger.party.marks.value import parse_marks
from ledger.party.trace import index
from ledger.party.trace.cells import Numbers
from ledger.party.trace.found import FoundTable, read_found
from ledger.party.trace.joining import Batch, Lookup
from ledger.party.trace.mapping import find_mapping
from ledger.party.trace.scoring import Marked, conclusion, why_not, would_be_enough
from tests.party.trace.vaults import AIRPORTS, PLANES, canaries, rows_of, write

READINGS = ("text", "comma", "dmy", "mdy")
CELLS = st.sampled_from(["", "a", "A ", "1", "1.0", "1,0", "01/02/2020", "02/01/2020", "2020-02-01", "x y", "1.000"])
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=12)


def found_table(directory: Path, names: Sequence[str], rows: Sequence[Sequence[str]]) -> FoundTable:
    path = write(directory / "found.csv", names, rows)
    digest = sha256(path.read_bytes()).hexdigest()
    return read_found(path, TableFormat("csv", ",", "utf-8"), digest, directory / "table")


def numbers(rows: Sequence[Sequence[Cell]], columns: Sequence[int]) -> list[Numbers]:
    return [np.array([cell_key(normal_form(row[column])) for row in rows], np.uint64) for column in columns]


@settings(max_examples=60, deadline=None)
@given(ROWS, ROWS, st.lists(st.sampled_from(READINGS), min_size=3, max_size=3), st.permutations(range(3)))
def test_what_is_looked_up_is_what_is_equal(
    ours: list[tuple[str, ...]], theirs: list[tuple[str, ...]], readings: list[str], order: list[int]
) -> None:
    mapping = [MappedColumn(column=k, found=order[k], reading=readings[k]) for k in range(3)]  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as name:
        found = found_table(Path(name), "xyz", theirs)
        rows = found.take(range(found.count))
        lookup = Lookup(found, mapping, b"seed" * 8, Path(name) / "family")
        keys = np.array([record_key(canonical_record(row)) for row in ours], np.uint64)
        hits = lookup.look([Batch(0, keys, numbers(ours, range(3)))], keys[:1])
        wanted = [number for number, row in enumerate(ours) if any(equals(row, other, mapping) for other in rows)]
        assert hits.records.tolist() == wanted
        assert {number for number, row in zip(wanted, hits.exact, strict=True) if row >= 0} == {
            number for number in wanted if list(ours[number]) in rows
        }
        for number, row in zip(wanted, lookup.index.first_rows(hits.places), strict=True):
            assert equals(ours[number], rows[row], mapping)
        first = [next((at for at, row in enumerate(rows) if equals(record, row, mapping)), -1) for record in ours]
        assert lookup.find_records(ours).tolist() == first
        matched = np.zeros(found.count, bool)
        lookup.mark_rows(hits.places, matched)
        assert matched.tolist() == [any(equals(row, other, mapping) for row in ours) for other in rows]
        assert [ours[number] for number in hits.marks] == [row for row in ours if row == ours[0]]


def test_an_index_of_many_buckets_is_that_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(1)
    values = draw.integers(0, 2**64, 3000, np.uint64, endpoint=False)
    values = np.concatenate([values, values[:500], np.zeros(10, np.uint64)])
    one = index.build_index([values[:1000], values[1000:]], len(values), tmp_path / "one")
    monkeypatch.setattr(index, "_BUCKET_ROWS", 100)
    many = index.build_index([values], len(values), tmp_path / "many")
    assert np.array_equal(one.numbers, np.unique(values[values != 0]))
    for name in ("numbers", "rows", "counts"):
        assert np.array_equal(getattr(one, name), getattr(many, name))
    assert one.find(values[:700]).min() >= 0 > one.find(np.array([0, 1], np.uint64)).max()


@pytest.mark.parametrize("source", [PLANES, AIRPORTS])
@pytest.mark.parametrize("seed", range(4))
def test_columns_are_known_by_their_values_whatever_they_are_called(source: Path, seed: int, tmp_path: Path) -> None:
    """Names are exchanged, so that whoever went by names would be wrong; some rows are of nobody."""
    draw = random.Random(seed)
    names, rows = rows_of(source)
    keep = draw.sample(range(len(names)), len(names) - 2)
    part = [[row[column] for column in keep] for row in draw.sample(rows, len(rows) // 8)]
    part += [[f"{column}!" for column in draw.sample(range(100), len(keep))] for _ in range(len(part) // 2)]
    called = [names[column] for column in keep[1:] + keep[:1]]
    found = found_table(tmp_path, called, draw.sample(part, len(part)))
    copy = numbers(rows, range(len(names)))

    def batches() -> Iterator[list[Numbers]]:
        yield [column[:1000] for column in copy]
        yield [column[1000:] for column in copy]

    mapping = find_mapping(found, names, batches)
    assert [(item.column, item.found) for item in mapping] == sorted(
        (column, number) for number, column in enumerate(keep)
    )


def test_nothing_is_mapped_where_nothing_is_alike(tmp_path: Path) -> None:
    names, rows = rows_of(PLANES)
    found = found_table(tmp_path, names, [[f"{column}?" for column in row] for row in rows[:100]])
    assert find_mapping(found, names, lambda: [numbers(rows, range(len(names)))]) == []


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 100_000), st.integers(8, 40), st.integers(1, 60_000))
def test_how_many_marks_would_be_enough(planted: int, rows: int, bits: int, needed: int) -> None:
    names = ["a", "b"]
    marks = [[f"m{number}", "1"] for number in range(planted)]
    controls = [[f"c{number}", "1"] for number in range(planted)]
    value = parse_marks(canaries(names, marks, controls, bits=[bits, 0]))
    sighting = Sighting(rows=rows, columns=2, mapped=frozenset({0}))
    enough = [
        count
        for count in range(3, planted + 1)
        if millibits(chance_bits(count, planted, value.bits, sighting)) >= needed
    ]
    wanted = {"marks": enough[0]} if enough else {"reason": "rows" if planted >= 3 else "marks"}
    assert would_be_enough(value, sighting, needed, planted) == wanted


@pytest.mark.parametrize(("above", "is_enough"), [(9_965, True), (9_966, False)])
def test_a_thousand_control_names_are_held_against_ten_bits_more(above: int, is_enough: bool) -> None:
    """With a weak bound, one of so many reaches what is needed by chance; that must not veto a true leak."""
    case = next(case for case in scored_cases() if case["marks"]["method"] == "tardos")
    marks = parse_marks(case["marks"])
    innocent = Marked("t", "beta", "alpha", marks, Scores(1, 2, 0, {"beta": 0}, 0))
    needed = conclusion(innocent, [innocent])["needed_millibits"]
    scores = Scores(1, 2, 10**6, {"beta": 10**6}, needed + above)
    item = Marked("t", "beta", "alpha", marks, scores, different=3)
    ended = conclusion(item, [item])
    assert ended["is_enough"] is is_enough
    assert why_not(item, ended) == ([] if is_enough else ["controls-score-too"])


def scored_cases() -> list[dict[str, Any]]:
    path = Path(__file__).parents[2] / "vectors" / "marks" / "scores.json"
    cases: list[dict[str, Any]] = json.loads(path.read_text())["cases"]
    return cases
