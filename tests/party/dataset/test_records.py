"""Leaves, roots, opened records and normal forms, against known answers and the definitions."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from ledger.core.encoding import b64encode
from ledger.core.errors import FormatError, ProofError
from ledger.core.hashing import EMPTY_ROOT
from ledger.core.merkle import verify_inclusion
from ledger.party.dataset.committing.leaves import record_leaf, redactable_leaf, tree_root
from ledger.party.dataset.committing.opened import OpenedCells, OpenedRecord, OpenedRow, check_opened
from ledger.party.dataset.committing.roots import RootBuilder, path_nodes
from ledger.party.dataset.reading.cells import canonical_cell, canonical_record, canonical_text, parse_record
from ledger.party.dataset.reading.decimals import exact_decimal
from ledger.party.dataset.reading.normal import MappedColumn, check_mapping, equals, normal_form
from ledger.statements.content import Records
from tests.party.dataset.tables import opened_cells
from tests.party.dataset.vectors import load

OPENED: TypeAdapter[OpenedRow | OpenedCells] = TypeAdapter(OpenedRecord)
RECORDS: TypeAdapter[Any] = TypeAdapter(Records)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize("case", load("normal"), ids=lambda case: f"{case['cell']!a}-{case['reading']}")
def test_normal_forms(case: dict[str, Any]) -> None:
    assert normal_form(case["cell"], case["reading"]) == case["normal"]


@pytest.mark.parametrize("case", load("equal"), ids=lambda case: case["name"])
def test_rows_equal_records_under_a_mapping(case: dict[str, Any]) -> None:
    mapping = [MappedColumn.model_validate(item) for item in case["mapping"]]
    check_mapping(mapping, len(case["record"]), len(case["found"]))
    assert equals(case["record"], case["found"], mapping) is case["equal"]


def test_a_mapping_names_every_column_once() -> None:
    one, two = MappedColumn(column=0, found=1, reading="text"), MappedColumn(column=1, found=1, reading="text")
    for mapping, columns, found in (([one, two], 2, 2), ([two, one], 2, 2), ([one], 1, 1), ([two], 1, 2)):
        with pytest.raises(FormatError):
            check_mapping(mapping, columns, found)


@given(st.one_of(TEXTS, st.floats().map(str), st.dates().map(str), st.datetimes().map(str)))
def test_a_normal_form_is_its_own(text: str) -> None:
    normal = normal_form(canonical_text(text))
    # NFKC and lower case are each idempotent, together they need not be, as for U+037A or a capital with a stop.
    if normal is not None and text.isascii():
        assert normal_form(normal) == normal


@given(st.decimals(-(10**15), 10**15, places=7), st.integers(-30, 30))
def test_exact_decimals(number: Any, exponent: int) -> None:
    text = exact_decimal(f"{number:f}e{exponent}")
    assert text is not None
    scaled = number.scaleb(exponent)
    plain = format(scaled, "f")
    assert text == ((plain.rstrip("0").rstrip(".") if "." in plain else plain) if scaled else "0")
    assert exact_decimal("1e1001") is None
    assert exact_decimal("-1e-999999999999") is None


@pytest.mark.parametrize("case", load("roots"), ids=lambda case: case["name"])
def test_leaves_roots_and_openings(case: dict[str, Any]) -> None:
    records = RECORDS.validate_python(case["records"])
    salts, canonical = [b64decode(salt) for salt in case["salts"]], [b64decode(item) for item in case["canonical"]]
    leaves = []
    for salt, record in zip(salts, canonical, strict=True):
        if getattr(records, "redactable", False):
            leaves.append(redactable_leaf(salt, [canonical_cell(cell) for cell in parse_record(record)]))
        else:
            leaves.append(record_leaf(salt, record))
    assert [leaf.hex() for leaf in leaves] == case["leaves"]
    builder = RootBuilder()
    builder.add(leaves)
    assert (builder.root().hex(), builder.count) == (records.root, records.count)
    for document in case["opened"]:
        opened = OPENED.validate_python(document)
        assert opened.model_dump() == document
        check_opened(opened, records)
        if case["records"]["canonicalisation"] == "rows/v1":
            cells = parse_record(canonical[opened.record])
            assert all(cells[column] == cell for column, cell in opened_cells(opened).items())


def test_what_was_changed_is_no_opened_record() -> None:
    whole = next(case for case in load("roots") if case["name"] == "8 records")
    cells = next(case for case in load("roots") if case["name"] == "redactable")
    (row, parts), hashed = (whole["opened"][0], cells["opened"][0]), b64encode(bytes(32))
    other = b64encode(canonical_record(["1", None, ""]))
    lies: list[tuple[dict[str, Any], dict[str, Any]]] = [(whole, row | change) for change in (
        {"record": 1}, {"record": 8}, {"salt": b64encode(bytes(16))}, {"value": other}, {"path": row["path"][:-1]},
        {"path": [*row["path"], hashed]}, {"path": [hashed, *row["path"][1:]]}, {"value": b64encode(b'["0", null,""]')},
        {"value": b64encode(canonical_record(["0", None]))},
    )]  # fmt: skip
    first, second = parts["cells"]
    lies += [(cells, parts | {"cells": shown}) for shown in (
        [first | {"value": other}], [first | {"value": second["value"]}], [first | {"column": 2}],
        [first | {"column": 4}], [first, second | {"salt": first["salt"]}], [first | {"path": []}],
    )]  # fmt: skip
    lies += [(whole, parts), (cells, row)]
    for case, lie in lies:
        with pytest.raises((FormatError, ProofError)):
            check_opened(OPENED.validate_python(lie), RECORDS.validate_python(case["records"]))


@given(st.integers(0, 200), st.data())
def test_a_root_in_parts_is_the_root_of_the_whole(count: int, data: st.DataObject) -> None:
    leaves = [record_leaf(bytes(16), str(number).encode()) for number in range(count)]
    numbers = data.draw(st.sets(st.integers(0, count - 1), max_size=5)) if count else set()
    builder = RootBuilder(path_nodes(numbers, count))
    rest = leaves
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        builder.add(rest[:size])
        rest = rest[size:]
    root = builder.root()
    assert root == (tree_root(leaves) if leaves else EMPTY_ROOT)
    for number in numbers:
        verify_inclusion(leaves[number], number, count, builder.path(number), root)


def test_paths_in_a_tree_of_many_groups() -> None:
    leaves = [number.to_bytes(32, "big") for number in range(100_001)]
    numbers = [0, 16_383, 16_384, 65_535, 65_536, 98_304, 100_000]
    builder = RootBuilder(path_nodes(numbers, len(leaves)))
    for start in range(0, len(leaves), 30_000):
        builder.add(leaves[start : start + 30_000])
    root = builder.root()
    assert root == tree_root(leaves)
    for number in numbers:
        verify_inclusion(leaves[number], number, len(leaves), builder.path(number), root)


@given(st.lists(st.none() | TEXTS.map(canonical_text), min_size=1))
def test_a_record_has_one_spelling(cells: list[str | None]) -> None:
    raw = canonical_record(cells)
    assert parse_record(raw) == cells
    assert json.loads(raw) == cells
    with pytest.raises(FormatError):
        parse_record(raw + b" ")
    with pytest.raises(FormatError):
        canonical_record(["\ud800"])
