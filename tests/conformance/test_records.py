"""Two readings of one file: ledger and verifier see the same rows, or both refuse (docs/format.md §15.3)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.party.dataset.reading.cells import canonical_text
from ledger.party.dataset.reading.errors import TableUnreadable
from ledger.party.dataset.reading.formats import TableFormat
from ledger.party.dataset.reading.normal import Reading, normal_form
from ledger.party.dataset.reading.table import open_table
from verifier.bundle.found import read_table
from verifier.core.errors import MalformedInput
from verifier.sealed import normal as bundle_normal
from verifier.sealed.rows import format_record

Rows = tuple[list[str], list[bytes]] | None

LINES = st.lists(
    st.sampled_from(
        ["a", "b", ",", ";", "\t", '"', '""', '","', "\n", "\r\n", "\r", "é", "e\u0301", "\ufeff", "\0", "\\", " "]
    )
)
DELIMITED = LINES.map("".join).map(lambda text: "a,b\n" + text) | LINES.map("".join)
VALUES = st.recursive(
    st.sampled_from(
        ['"x"', '"e\\u0301"', '"\\ud800"', '"\\r\\n"', "1.50", "-0", "1e3", "1E-2", "true", "null", "NaN", "01", '""']
    )
    | st.integers().map(str)
    | st.floats(allow_nan=False, allow_infinity=False).map(repr),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]")
        | st.lists(st.tuples(st.sampled_from(["a", "é", "e\\u0301", "b"]), inner), max_size=3).map(
            lambda items: "{" + ",".join(f'"{name}" : {value}' for name, value in items) + "}"
        )
    ),
    max_leaves=6,
)
OBJECTS = st.lists(st.tuples(st.sampled_from(["a", "b", "é", "e\\u0301", "a\\n"]), VALUES), max_size=3).map(
    lambda items: "{" + ",".join(f'"{name}":{value}' for name, value in items) + "}"
)
JSON_LINES = st.lists(OBJECTS | VALUES | st.sampled_from(["", " ", "{", "\r"]), max_size=4).map("\n".join)
DATES = st.from_regex(
    r"\A *([0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}|[0-9]{1,2}[- ](jan|Feb|march|sept)[- ][0-9]{4})"
    r"([ Tt][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,10})?)?([Zz]|[+-][01][0-9]:[0-9]{2})?)?\Z"
)
NUMBERS = st.from_regex(r"\A *[+-]?[0-9]{0,4}([,.][0-9]{3}){0,2}[.,]?[0-9]{0,3}([eE][+-]?[0-9]{1,3})?\Z")


def ours(raw: bytes, how: TableFormat) -> Rows:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "file"
        path.write_bytes(raw)
        try:
            with open_table(path, how) as table:
                return list(table.columns), [record for rows in table.rows() for record in rows.records()]
        except TableUnreadable:
            return None


def theirs(raw: bytes, how: TableFormat) -> Rows:
    try:
        table = read_table(raw, how.format, how.delimiter or "", how.encoding or "")
    except MalformedInput:
        return None
    return list(table.columns), [format_record(row) for row in table.rows]


@settings(max_examples=300)
@given(
    DELIMITED,
    st.sampled_from(
        [TableFormat("csv", ",", "utf-8"), TableFormat("csv", ";", "utf-8"), TableFormat("tsv", None, "utf-8")]
    ),
)
def test_lines(text: str, how: TableFormat) -> None:
    raw = text.encode()
    assert ours(raw, how) == theirs(raw, how)


@settings(max_examples=300)
@given(JSON_LINES)
def test_objects(text: str) -> None:
    raw = text.encode()
    assert ours(raw, TableFormat("jsonl")) == theirs(raw, TableFormat("jsonl"))


@pytest.mark.parametrize("reading", ["text", "comma", "dmy", "mdy"])
@settings(max_examples=300)
@given(text=st.text() | DATES | NUMBERS)
def test_normal_forms(text: str, reading: Reading) -> None:
    cell = canonical_text(text)
    theirs: Any = bundle_normal.normal_form(cell, reading)
    assert normal_form(cell, reading) == theirs
