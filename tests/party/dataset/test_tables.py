"""Tables of every format, against known answers; blocks of any size, and files that are not what they seem."""

from __future__ import annotations

import csv
import io
import json
from base64 import b64decode
from contextlib import suppress
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.party.dataset.committing.chunks import chunks
from ledger.party.dataset.reading.cells import canonical_record, canonical_text
from ledger.party.dataset.reading.delimited import DelimitedTable, plain_records
from ledger.party.dataset.reading.errors import TableUnreadable
from ledger.party.dataset.reading.formats import TableFormat, detect
from ledger.party.dataset.reading.jsonlines import JsonTable
from ledger.party.dataset.reading.source import HashedFile
from ledger.party.dataset.reading.table import open_table
from ledger.party.errors import Unfit
from tests.party.dataset.tables import write_row
from tests.party.dataset.vectors import load, made_of

Answer = tuple[list[str], list[str]]
CELLS = (
    st.none() | st.text(st.sampled_from('a,"\n\r;\t\0é\u0301 \\')) | st.text(st.characters(exclude_categories=["Cs"]))
)


def read(path: Path, how: TableFormat) -> Answer:
    with open_table(path, how) as table:
        records = [record.decode() for rows in table.rows() for record in rows.records()]
        size, _ = table.digest()
        assert size == path.stat().st_size
        return list(table.columns), records


@pytest.mark.parametrize("case", load("tables") + load("columnar"), ids=lambda case: case["name"])
def test_known_answers(case: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b64decode(case["file"]))
    how = TableFormat(case["how"]["format"], case["how"].get("delimiter"), case["how"].get("encoding"))
    if "error" not in case:
        assert read(path, how) == (case["columns"], case["records"])
        return
    with pytest.raises(TableUnreadable) as refused:
        read(path, how)
    assert refused.value.place == case["error"]


@pytest.mark.parametrize("case", load("tables"), ids=lambda case: case["name"])
@pytest.mark.parametrize("block_bytes", [4, 7])
def test_blocks_of_any_size_give_the_same_rows(case: dict[str, Any], block_bytes: int, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b64decode(case["file"]))
    how = TableFormat(case["how"]["format"], case["how"].get("delimiter"), case["how"].get("encoding"))

    def blocks() -> Answer:
        with HashedFile(path) as file:
            table = JsonTable(file, block_bytes) if how.format == "jsonl" else DelimitedTable(file, how, block_bytes)
            return list(table.columns), [row.decode() for rows in table.rows() for row in rows.records()]

    if "error" in case:
        with pytest.raises(TableUnreadable):
            blocks()
    else:
        assert blocks() == (case["columns"], case["records"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=200)
@given(
    st.integers(2, 4).flatmap(lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1)),
    st.sampled_from(
        [TableFormat("csv", ",", "utf-8"), TableFormat("csv", ";", "utf-8"), TableFormat("tsv", None, "utf-8")]
    ),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_what_is_written_as_a_row_is_read_as_one(
    tmp_path: Path, rows: list[list[str | None]], how: TableFormat, end: str
) -> None:
    header = how.mark.join(f"c{number}" for number in range(len(rows[0])))
    text = end.join([header, *(write_row(row, how) for row in rows)])
    path = tmp_path / "file"
    path.write_bytes(text.encode())
    expected = [[None if cell is None else canonical_text(cell) for cell in row] for row in rows]
    assert read(path, how)[1] == [canonical_record(row).decode() for row in expected]
    # Python's own reader agrees, but for what it cannot tell apart.
    foreign = list(csv.reader(io.StringIO(text, newline=""), delimiter=how.mark, strict=True))[1:]
    assert [[canonical_text(cell) for cell in row] for row in foreign] == [
        [cell or "" for cell in row] for row in expected
    ]


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1), st.sampled_from(["\n", "\r\n", "\r"]))
def test_records_made_of_whole_lines_are_those_made_of_cells(rows: list[list[str | None]], end: str) -> None:
    text = "".join(write_row(row, TableFormat("csv", ",", "utf-8")) + end for row in rows).encode()
    records = plain_records(text, ",", 2)
    cells = [[None if cell is None else canonical_text(cell) for cell in row] for row in rows]
    assert records is None or records == [canonical_record(row) for row in cells]
    assert plain_records(b"1,\n,\nx y,2", ",", 2) == [b'["1",null]', b"[null,null]", b'["x y","2"]']
    assert plain_records(b"1,2\n3\n", ",", 2) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.binary(max_size=200), st.sampled_from(["csv", "tsv", "jsonl", "parquet", "arrow"]))
def test_noise_is_refused_or_read_and_never_breaks(tmp_path: Path, noise: bytes, name: Any) -> None:
    path = tmp_path / "file"
    path.write_bytes(noise)
    text = name in {"csv", "tsv"}
    with suppress(TableUnreadable):
        read(path, TableFormat(name, "," if name == "csv" else None, "utf-8" if text else None))


@pytest.mark.parametrize(
    ("name", "raw", "how"),
    [
        ("x.csv", b"a,b\n1,2\n", TableFormat("csv", ",", "utf-8")),
        ("x.CSV", b'a;b;c\n1,5;2;"x;\n,y"\n1,6;2;z\n', TableFormat("csv", ";", "utf-8")),
        ("x.csv", b"a\tb\n1,5\t2\n", TableFormat("tsv", None, "utf-8")),
        ("x.csv", b"a|b\n1|2\n", TableFormat("csv", "|", "utf-8")),
        ("x.csv", b"only\none\n", TableFormat("csv", ",", "utf-8")),
        ("x.csv", "\ufeffa;b\n1;2\n".encode("utf-16-le"), TableFormat("csv", ";", "utf-16")),
        ("x.tsv", b"a,b\n", TableFormat("tsv", None, "utf-8")),
        ("x.ndjson", b"{}", TableFormat("jsonl")),
        ("x.feather", b"ARROW1", TableFormat("arrow")),
        ("x.txt", b"a,b\n1,2\n", None),
        ("x", b"", None),
        ("x.csv", b"", None),
    ],
)
def test_how_a_file_is_read_is_told_by_its_name_and_first_bytes(
    name: str, raw: bytes, how: TableFormat | None, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(raw)
    assert detect(tmp_path / name) == how


def test_an_encoding_is_named_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("a;b\n1;ä€\n".encode("cp1252"))
    how = detect(path)
    assert how is not None
    with pytest.raises(TableUnreadable) as refused:
        read(path, how)
    assert (refused.value.place, "--encoding" in refused.value.advice) == ("line 2", True)
    how = detect(path, "windows-1252")
    assert how is not None
    assert json.loads(read(path, how)[1][0]) == ["1", "ä€"]
    with pytest.raises(Unfit, match="windows-1252"):
        detect(path, "unicode_escape")


def test_a_record_without_end_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.party.dataset.reading.textual.MAX_RECORD_BYTES", 1000)
    path = tmp_path / "file"
    path.write_bytes(b'a,b\n1,"' + b"x\n" * 5000)
    with pytest.raises(TableUnreadable, match="line 2: a record has more") as refused, HashedFile(path) as file:
        list(DelimitedTable(file, TableFormat("csv", ",", "utf-8"), 100).rows())
    assert "quote" in refused.value.advice


@pytest.mark.parametrize("case", load("chunks")["files"], ids=lambda case: case["name"])
def test_chunks(case: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(made_of(case["parts"]))
    for block_bytes in (4 * 1024 * 1024, 1000, 70_001):
        with HashedFile(path) as file:
            lengths = [len(chunk) for part in chunks(file, block_bytes) for chunk in part]
            assert (list(accumulate(lengths)), file.sha256) == (case["ends"], case["sha256"])
