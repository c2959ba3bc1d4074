"""Marks, scored: known answers computed with mpmath, and the bounds themselves by simulation (docs/marks.md §3–5)."""

from __future__ import annotations

import random
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.encoding import b64decode, b64encode
from ledger.core.errors import FormatError
from ledger.party.marks.bits import millibits, needed_millibits
from ledger.party.marks.score import (
    CodeScores,
    Sighting,
    WordScorer,
    chance_bits,
    score_marks,
    surprise_millibits,
)
from ledger.party.marks.value import TardosMarks, parse_marks
from ledger.party.marks.words import word_bits
from tests.harness.vectors import load

VECTORS = load("marks/scores.json")
CASES = pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])


@CASES
def test_scores_are_those_of_an_independent_computation(case: dict[str, Any]) -> None:
    marks, expected = parse_marks(case["marks"]), case["expected"]
    drawn = set(marks.all_marks) | set(getattr(marks, "control_records", ()))
    found = {b64decode(row) for row in expected["found"]}
    if expected.get("control_millibits") and case["marks"]["method"] == "canary":
        found |= drawn & {b64decode(row) for row in case["found_rows"]}
    mapped = frozenset(item["column"] for item in case["mapping"])
    sighting = Sighting(len(case["found_rows"]), case["found_columns"], mapped)
    scores = score_marks(marks, found, sighting, expected.get("words", {}))
    assert (scores.found, scores.of) == (expected["found_count"], expected["of"])
    assert scores.chance == pytest.approx(expected["chance_millibits"], abs=1)
    assert scores.control == pytest.approx(expected.get("control_millibits"), abs=1)
    for name, word in expected.get("words", {"anybody": {}}).items():
        assert scores.words.get(name) == pytest.approx(word.get("word_millibits"), abs=1)
        assert scores.score(name) == pytest.approx(word.get("score_millibits", expected["chance_millibits"]), abs=1)


def test_words_needed_scores_and_surprises_are_those_of_an_independent_computation() -> None:
    for word in VECTORS["words"]:
        bits = word_bits(b64decode(word["key"]), word["name"], range(len(word["biases"])), word["biases"])
        assert bits == word["bits"]
    for item in VECTORS["needed"]:
        found = needed_millibits(item["threshold_millibits"], item["n"], item["bound"], item["seals"])
        assert found == item["needed_millibits"]
    for item in VECTORS["surprises"]:
        found = surprise_millibits(item["found"], item["planted"], item["records_found"], item["records"])
        assert found == pytest.approx(item["surprise_millibits"], abs=1)


@CASES
def test_a_value_is_what_was_sealed_and_nothing_near_it(case: dict[str, Any]) -> None:
    value = case["marks"]
    assert parse_marks(value).model_dump(exclude_none=True) == value
    spoilt: list[dict[str, Any]] = [
        value | {"threshold_millibits": value["threshold_millibits"] - 1},
        value | {"recipients": value["recipients"] + 1},
        value | {"bits": value["bits"][1:]},
        value | {"columns": [*value["columns"], "one more"]},
        value | {"key": b64encode(bytes(31))},
        value | {"method": "tardos" if value["method"] == "canary" else "canary"},
        value | {"surplus": 1},
        value | {"bound": "0"},
    ]
    if value["method"] == "canary":
        spoilt += [value | {"rows": []}, value | {"rows": value["rows"][:1] * 2, "controls": value["rows"][2:4]}]
        spoilt += [value | {"origin": "drawn" if value["origin"] == "brought" else "brought"}]
        spoilt += [value | {"rows": [b64encode(b'["a","b","c","d" ]'), *value["rows"][1:]]}]
        spoilt += [value | {"rows": [b64encode(b'["a"]'), *value["rows"][1:]]}]
    else:
        for bias in (0, 2**22 - 1, 2**32 - 2**22 + 1):
            edited = deepcopy(value)
            edited["positions"][0]["bias"] = bias
            spoilt.append(edited)
        edited = deepcopy(value)
        edited["positions"][0]["rows"][1] = edited["positions"][1]["rows"][0]
        spoilt += [edited, value | {"positions": []}]
    strange: list[Any] = [[], None, "canary", {"method": ["canary"]}]
    for document in [*spoilt, *strange]:
        with pytest.raises(FormatError):
            parse_marks(document)


@given(
    st.integers(0, 40), st.integers(1, 10**6), st.integers(1, 100), st.lists(st.integers(0, 30), min_size=1, max_size=9)
)
def test_chance_never_grows_when_less_is_left(found: int, rows: int, columns: int, bits: list[int]) -> None:
    whole = Sighting(rows, columns, frozenset(range(len(bits))))
    score = chance_bits(found, 40, bits, whole)
    assert score >= 0
    assert score >= chance_bits(found, 40, bits, Sighting(rows * 2, columns, whole.mapped))
    assert score >= chance_bits(found, 40, bits, Sighting(rows, columns + 1, whole.mapped))
    assert millibits(score) <= 2**31


def test_no_more_innocents_score_s_bits_than_two_to_the_minus_s() -> None:
    """Chernoff's bound holds for each s at once, whatever the pirates show of a third of the positions."""
    draw = random.Random(4)
    biases = [draw.choice([907_633_384, 3_387_333_912]) for _ in range(120)]
    sights = [(position, draw.randrange(2)) for position in range(120) if draw.randrange(3) == 0]
    scorer = WordScorer(draw.randbytes(32), biases, sights)
    scores = [scorer.bits(f"innocent-{number}") for number in range(20_000)]
    for s in (1, 3, 6, 9):
        assert sum(score >= s for score in scores) <= 20_000 * 2**-s


def test_random_files_hold_marks_no_oftener_than_the_chance_says() -> None:
    """Rows with 10 bits against files of 40 rows: how often the score reaches s bits, over 4,000 files."""
    draw = random.Random(5)
    sighting = Sighting(40, 1, frozenset({0}))
    reached = [0] * 5
    for _ in range(4_000):
        marks = draw.sample(range(1024), 6)
        rows = {draw.randrange(1024) for _ in range(40)}
        score = chance_bits(sum(mark in rows for mark in marks), 6, [10], sighting)
        for s in range(5):
            reached[s] += score >= s > 0
    assert all(count <= 4_000 * 2**-s for s, count in enumerate(reached) if s)


def test_the_copy_of_a_name_holds_one_row_of_each_position() -> None:
    marks = next(parse_marks(case["marks"]) for case in VECTORS["cases"] if case["marks"]["method"] == "tardos")
    assert isinstance(marks, TardosMarks)
    planted = marks.planted("alpha.example")
    bits = word_bits(marks.key_bytes, "alpha.example", range(len(planted)), marks.biases)
    assert list(planted) == [position.records[bit] for position, bit in zip(marks.positions, bits, strict=True)]
    assert planted != marks.planted("beta.example")


def test_a_code_that_many_copies_carry_is_scored_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of forty hand-offs has its own seal of the one code; names and controls are scored once, not forty times."""
    value = next(case["marks"] for case in VECTORS["cases"] if case["marks"]["method"] == "tardos")
    names = [f"r{number}" for number in range(40)]
    copies = [parse_marks(value | {"file": number % 2}) for number in range(40)]
    found = set(copies[0].planted("r1"))
    sighting = Sighting(100, len(value["columns"]), frozenset(range(len(value["columns"]))))
    plain = score_marks(copies[0], found, sighting, names)
    asked: list[str] = []
    bits = WordScorer.bits

    def counted(scorer: WordScorer, name: str) -> float:
        asked.append(name)
        return bits(scorer, name)

    monkeypatch.setattr(WordScorer, "bits", counted)
    scores = CodeScores(names)
    assert all(scores.of(marks, found, sighting) == plain for marks in copies)
    assert len(asked) == 1000 + len(names)
    other = parse_marks(value | {"key": b64encode(bytes(32))})
    assert scores.of(other, found, sighting) != plain, "another key makes another code"
    assert scores.of(copies[0], set(), sighting) != plain, "and another file finds other marks"
