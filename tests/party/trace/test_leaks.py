"""Leaks of real tables by one of three recipients, however they are rewritten; and what is not enough."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from ledger.core.encoding import b64decode, canonical
from ledger.party.dataset.reading.cells import parse_record
from ledger.party.dataset.reading.normal import MappedColumn, check_mapping, equals
from ledger.party.trace.evidence import evidence_members
from ledger.party.trace.words import summary
from tests.party.trace.vaults import AIRPORTS, PLANES, Row, Sender, canaries, marked_copies, planted, rows_of, write

Rewritten = Callable[[Path, Row, list[Row]], Path]


@pytest.fixture(scope="module")
def planes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sender, dict[str, tuple[str, list[Row]]]]:
    sender = Sender(tmp_path_factory.mktemp("planes"), "beta", "gamma", "delta")
    return sender, marked_copies(sender, PLANES, 60)


@pytest.fixture(scope="module")
def airports(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sender, dict[str, tuple[str, list[Row]]]]:
    sender = Sender(tmp_path_factory.mktemp("airports"), "beta", "gamma", "delta")
    return sender, marked_copies(sender, AIRPORTS, 60)


def leak(copy: list[Row], share: float, seed: int = 5) -> list[Row]:
    """Take some of a copy's rows, in another order."""
    draw = random.Random(seed)
    return draw.sample(copy, int(share * len(copy)))


def semicolons(path: Path, names: Row, rows: list[Row]) -> Path:
    """Other names and order, two columns dropped, upper case, spaces, decimal commas, another delimiter."""
    order = [column for column in range(len(names))[::-1] if column not in {5, 7}]
    changed = [[f" {row[column].upper().replace('.', ',') if _is_number(row[column]) else row[column]} "
                for column in order] for row in rows]  # fmt: skip
    return write(path / "kunden.csv", [f"Spalte {column}" for column in order], changed, ";")


def json_lines(path: Path, names: Row, rows: list[Row]) -> Path:
    """Numbers as numbers, under other names."""
    lines = [
        {f"f{number}": _number(cell) for number, cell in enumerate(row) if number != len(names) - 2} for row in rows
    ]
    path = path / "dump.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def parquet(path: Path, names: Row, rows: list[Row]) -> Path:
    table = pa.table({name: [row[number] for row in rows] for number, name in enumerate(names)})
    pq.write_table(table.select(names[::-1]), path / "dump.parquet")
    return path / "dump.parquet"


def arrow(path: Path, names: Row, rows: list[Row]) -> Path:
    table = pa.table({name.upper(): [row[number] for row in rows] for number, name in enumerate(names)})
    pyarrow.feather.write_feather(table, path / "dump.feather")
    return path / "dump.feather"


def utf_16(path: Path, names: Row, rows: list[Row]) -> Path:
    """Save as a spreadsheet does ("Unicode text"), packed, under a name that says nothing."""
    plain = write(path / "plain", names, rows, "\t").read_text(encoding="utf-8")
    (path / "export.gz").write_bytes(gzip.compress(plain.replace("\n", "\r\n").encode("utf-16")))
    return path / "export.gz"


@pytest.mark.parametrize("rewrite", [semicolons, json_lines, parquet, arrow, utf_16])
@pytest.mark.parametrize("table", ["planes", "airports"])
def test_the_recipient_of_the_leaked_copy_is_found_and_nobody_else(
    table: str, rewrite: Rewritten, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    sender, copies = request.getfixturevalue(table)
    names, _ = rows_of(PLANES if table == "planes" else AIRPORTS)
    transfer, copy = copies["gamma"]
    rows = leak(copy, 0.2)
    trace = sender.trace(rewrite(tmp_path, names, rows)).document
    assert trace["conclusion"] == {"is_enough": True, "transfers": [transfer]}
    by_recipient = {item["recipient"]: item for item in trace["transfers"]}
    guilty = by_recipient["gamma"]
    check_mapping([MappedColumn(**item) for item in guilty["mapping"]], len(names), len(trace["found"]["columns"]))
    counts = guilty["counts"]
    assert counts["records_found"] + counts["marks"] == counts["rows_found"] + counts["marks"] == len(rows)
    assert counts["marks"] == guilty["marks"]["found"] > 3
    assert (counts["exclusive"], counts["records"]) == (0, len(copy) - 60)
    for name in ("beta", "delta"):
        assert by_recipient[name]["why_not"] == ["no-marks-found"]
        assert by_recipient[name]["counts"]["records_found"] == counts["records_found"]
        assert by_recipient[name]["marks"]["score_millibits"] == 0
    assert [other["score_millibits"] for other in guilty["controls"]["others"]] == [0, 0]
    assert guilty["controls"]["greatest_millibits"] == 0
    surprise = {item["hypothesis"]: item["surprise_millibits"] for item in guilty["hypotheses"]}
    assert surprise["recipient"] == surprise["sender"] < surprise["other"] < surprise["none"]
    text = "\n".join(summary(trace))
    assert "ENOUGH: the file derives from the copy made for gamma." in text
    assert "who let the file out" in text


def test_every_match_that_is_shown_is_one_and_carries_what_evidence_needs(
    planes: tuple[Sender, dict[str, tuple[str, list[Row]]]], tmp_path: Path
) -> None:
    sender, copies = planes
    names, _ = rows_of(PLANES)
    transfer, copy = copies["beta"]
    done = sender.trace(semicolons(tmp_path, names, leak(copy, 0.3)))
    evidence = evidence_members(done.document, transfer)
    rows = {row["row"]: parse_record(b64decode(row["value"])) for row in evidence["found_rows"]}
    mapping = [MappedColumn(**item) for item in evidence["mapping"]]
    for match in evidence["matches"]:
        assert equals(copy[match["record"]], rows[match["row"]], mapping)
        assert match["kind"] == "normalised"
    assert {row["row"] for row in evidence["found_rows"]} == {match["row"] for match in evidence["matches"]}
    marks = [match for match in evidence["matches"] if len(copy[match["record"]][0]) == 8]
    assert len(marks) == evidence["counts"]["marks"] == evidence["marks"][0]["found"]
    assert set(evidence["marks"][0]) == {"chance_millibits", "found", "of", "score_millibits", "status", "transfer"}
    assert done.raw == canonical(done.document) + b"\n" == done.kept.read_bytes()
    line = done.document["custody"][-1]
    assert (line["who"], "found on a forum" in line["what"]) == ("J. Doe", True)
    assert evidence["found"]["sha256"] in line["what"]


def test_a_leaker_that_adds_strange_characters_hides_nothing_else(
    planes: tuple[Sender, dict[str, tuple[str, list[Row]]]], tmp_path: Path
) -> None:
    """Which Unicode 14.0 does not assign (format.md §15.8): they spoil their cells, as any other change would."""
    sender, copies = planes
    names, _ = rows_of(PLANES)
    transfer, copy = copies["gamma"]
    strange, rows = "\U0001fae8", leak(copy, 0.3)
    spoilt = [[cell + strange * (number % 5 == 0) for cell in row] for number, row in enumerate(rows)]
    path = write(tmp_path / "leak.csv", [*names, strange], [[*row, strange] for row in spoilt])
    trace = sender.trace(path).document
    assert trace["conclusion"] == {"is_enough": True, "transfers": [transfer]}
    guilty = next(item for item in trace["transfers"] if item["recipient"] == "gamma")
    assert guilty["counts"]["records_found"] + guilty["counts"]["marks"] == sum(
        row == old for row, old in zip(spoilt, rows, strict=True)
    )
    assert {match["kind"] for match in guilty["matches"]} == {"normalised"}
    assert all(match["row"] % 5 for match in guilty["matches"])


def test_the_public_original_is_not_enough_though_every_record_is_in_it(
    planes: tuple[Sender, dict[str, tuple[str, list[Row]]]],
) -> None:
    sender, _ = planes
    trace = sender.trace(PLANES).document
    assert trace["conclusion"] == {"is_enough": False, "transfers": []}
    for item in trace["transfers"]:
        assert (item["counts"]["exact"], item["counts"]["records"]) == (3322, 3322)
        assert item["why_not"] == ["no-marks-found"]
        assert item["would_be_enough"]["marks"] > 1
        assert len(item["matches"]) == 1000
    assert "NOT ENOUGH" in "\n".join(summary(trace))


def test_pooled_copies_name_all_whose_marks_are_in_it(
    planes: tuple[Sender, dict[str, tuple[str, list[Row]]]], tmp_path: Path
) -> None:
    sender, copies = planes
    names, _ = rows_of(PLANES)
    rows = leak(copies["beta"][1], 0.2, 1) + leak(copies["delta"][1], 0.2, 2)
    trace = sender.trace(write(tmp_path / "pooled.csv", names, rows)).document
    assert set(trace["conclusion"]["transfers"]) == {copies["beta"][0], copies["delta"][0]}
    assert "put together" in "\n".join(summary(trace))


def test_without_the_key_records_are_compared_and_marks_are_said_to_be_shut(
    planes: tuple[Sender, dict[str, tuple[str, list[Row]]]], tmp_path: Path
) -> None:
    sender, copies = planes
    names, _ = rows_of(PLANES)
    trace = sender.trace(write(tmp_path / "part.csv", names, leak(copies["beta"][1], 0.1)), is_open=False).document
    assert not trace["conclusion"]["is_enough"]
    for item in trace["transfers"]:
        assert (item["why_not"], item["marks"]["status"]) == (["marks-not-opened"], "withheld")
        assert item["counts"]["records_found"] > 300


def test_columns_that_tell_too_little_find_no_marks(
    planes: tuple[Sender, dict[str, tuple[str, list[Row]]]], tmp_path: Path
) -> None:
    sender, copies = planes
    names, _ = rows_of(PLANES)
    rows = [[row[1], row[8]] for row in copies["beta"][1]]
    trace = sender.trace(write(tmp_path / "thin.csv", [names[1], names[8]], rows)).document
    assert not trace["conclusion"]["is_enough"]
    item = trace["transfers"][0]
    assert (item["marks"]["found"], item["would_be_enough"]) == (0, {"reason": "columns"})
    assert 10 * item["random"]["records_found"] > item["counts"]["records_found"]
    text = "\n".join(summary(trace))
    assert "mean little by themselves" in text
    assert "may come from elsewhere" in text


def test_marks_in_another_file_and_hand_offs_without_marks(tmp_path: Path) -> None:
    """The same recipient got the table twice: unmarked, and marked as the second of two files."""
    sender = Sender(tmp_path, "beta", "gamma")
    names, rows = rows_of(AIRPORTS)
    draw = random.Random(2)
    marks = planted(rows, 40, draw)
    first = write(tmp_path / "first.csv", ["a", "b"], [["1", "2"]])
    marked = write(tmp_path / "airports.csv", names, [*rows, *marks])
    plain = sender.offer("beta", [AIRPORTS])
    value = canaries(names, marks, planted(rows, 40, draw), file=1)
    transfer = sender.offer("beta", [first, marked], value)
    sender.offer("gamma", [PLANES])
    trace = sender.trace(marked).document
    assert trace["conclusion"]["transfers"] == [transfer]
    one, two, other = trace["transfers"]
    assert (one["transfer"], one["why_not"], one["marks"]) == (plain, ["no-marks"], {"status": "none"})
    assert (two["same_file"], two["file"], two["counts"]["marks"]) == ([1], 1, 40)
    assert two["counts"]["shared"] == len(rows) == one["shared_with"][0]["records"]
    assert other.get("counts", {}).get("records_found", 0) == 0


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _number(cell: str) -> object:
    return json.loads(cell) if _is_number(cell) and cell.lstrip("-")[:1] != "0" and "." not in cell else cell
