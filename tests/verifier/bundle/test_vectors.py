"""The verifier's own reading of records and marks, against the vectors of docs/format.md §15 and docs/marks.md."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest

from tests.harness.vectors import FOLDER
from verifier.bundle.checks import Outcome
from verifier.bundle.form import Bundle
from verifier.bundle.found import READABLE, read_table
from verifier.bundle.marks import Seal, Trial
from verifier.bundle.records import distinct, verify_records
from verifier.bundle.score import millibits, needed_millibits, surprise_bits, word_bit
from verifier.core.b64 import decode_base64
from verifier.core.errors import MalformedInput
from verifier.sealed.normal import Mapped, Mapping, normal_form
from verifier.sealed.rows import format_record, parse_record
from verifier.sealed.values import is_content, is_marks


def load(name: str) -> Any:
    return json.loads((FOLDER / name).read_bytes())


SCORES = load("marks/scores.json")


@pytest.mark.parametrize("item", load("records/tables.json"), ids=lambda item: item["name"])
def test_tables(item: dict[str, Any]) -> None:
    how, raw = item["how"], decode_base64(item["file"]) or b""
    assert how["format"] in READABLE
    arguments = (raw, how["format"], how.get("delimiter", ""), how.get("encoding", ""))
    if "error" in item:
        with pytest.raises(MalformedInput):
            read_table(*arguments)
        return
    table = read_table(*arguments)
    assert list(table.columns) == item["columns"]
    assert [format_record(row).decode() for row in table.rows] == item["records"]


@pytest.mark.parametrize("item", load("records/roots.json"), ids=lambda item: item["name"])
def test_opened_records(item: dict[str, Any]) -> None:
    """Every opened record is of the content; of none with another root, at another place, or with another salt."""
    file = {"bytes": 0, "media_type": "text/csv", "records": item["records"], "sha256": "ab" * 32}
    content = {"files": [file]}
    assert is_content(content)
    bundle, outcome = Bundle(evidence={"records": item["opened"]}), Outcome()
    opened = verify_records(bundle, content, outcome)
    assert (outcome.failures, len(opened)) == ([], len(item["opened"]))
    for place, record in opened.items():
        if record.canonical is not None:
            assert record.canonical == decode_base64(item["canonical"][place[1]])
    other = {"files": [file | {"records": item["records"] | {"root": "cd" * 32}}]}
    assert verify_records(bundle, other, outcome) == {}


@pytest.mark.parametrize("item", load("records/normal.json"), ids=lambda item: f"{item['cell']!r} {item['reading']}")
def test_normal_forms(item: dict[str, Any]) -> None:
    assert normal_form(item["cell"], item["reading"]) == item["normal"]


@pytest.mark.parametrize("item", load("records/equal.json"), ids=lambda item: item["name"])
def test_equality(item: dict[str, Any]) -> None:
    mapping = Mapping([Mapped(**column) for column in item["mapping"]])
    record, found = mapping.of_record(item["record"]), mapping.of_found(tuple(item["found"]))
    assert (record is not None and record == found) == item["equal"]


def seal_of(case: dict[str, Any], recipient: str = "nobody") -> Seal:
    """Return a case's seal, tried on its found rows."""
    mapping = Mapping([Mapped(**column) for column in case["mapping"]])
    rows = [parse_record(decode_base64(row) or b"") or () for row in case["found_rows"]]
    trial = Trial(mapping, frozenset(distinct(rows, mapping)), len(rows), case["found_columns"])
    assert is_marks(case["marks"])
    return Seal(case["marks"], recipient, trial)


@pytest.mark.parametrize("case", SCORES["cases"], ids=lambda case: case["name"])
def test_scores(case: dict[str, Any]) -> None:
    expected, seal = case["expected"], seal_of(case)
    assert seal.counts == (expected["of"], expected["found_count"])
    assert millibits(seal.chance) == pytest.approx(expected["chance_millibits"], abs=2)
    control = None if seal.control is None else millibits(seal.control)
    assert control == (pytest.approx(expected["control_millibits"], abs=2) if "control_millibits" in expected else None)
    if not seal.is_code:
        assert millibits(seal.score("anybody")) == pytest.approx(expected["score_millibits"], abs=2)
        assert set(seal.planted_found) == set(expected["found"])
    for name, word in expected.get("words", {}).items():
        assert millibits(seal.word(name)) == pytest.approx(word["word_millibits"], abs=2)
        assert millibits(seal.score(name)) == pytest.approx(word["score_millibits"], abs=2)


def test_what_is_needed_and_what_surprises() -> None:
    for item in SCORES["needed"]:
        needed = needed_millibits(item["threshold_millibits"], item["n"], item["bound"], item["seals"])
        assert needed == item["needed_millibits"]
    for item in SCORES["surprises"]:
        bits = surprise_bits(item["planted"], item["found"], Fraction(item["records_found"], item["records"]))
        assert millibits(bits) == pytest.approx(item["surprise_millibits"], abs=2)


def test_words() -> None:
    for item in SCORES["words"]:
        key = decode_base64(item["key"]) or b""
        bits = [word_bit(key, item["name"], position, bias) for position, bias in enumerate(item["biases"])]
        assert bits == item["bits"]
