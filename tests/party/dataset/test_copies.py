"""The way of a hand-off's files: committed to, kept, computed again, opened record by record."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger.core.encoding import b64decode, canonical, parse_json
from ledger.party.dataset.committing import parcels
from ledger.party.dataset.committing.copies import Copies, Copy, cell_key, record_key
from ledger.party.dataset.committing.keeping import CopyWriter
from ledger.party.dataset.committing.manifests import read_manifest
from ledger.party.dataset.committing.opened import OpenedCells, OpenedRow, check_opened
from ledger.party.dataset.committing.opener import open_records
from ledger.party.dataset.committing.parcels import Parcel
from ledger.party.dataset.reading.cells import canonical_record, parse_record
from ledger.party.dataset.reading.errors import CopyDamaged, TableUnreadable
from ledger.party.dataset.reading.normal import normal_form
from ledger.party.digests import describe, no_progress
from ledger.party.errors import ContentMismatch, Unfit
from ledger.statements.content import Content, Manifest
from tests.party.dataset.tables import opened_cells

TRANSFER = "sha256:" + "ab" * 32
NONCE = "A" * 22 + "=="
ROWS: list[list[str | None]] = [[str(number % 7), None if number % 3 else f"Ä{number}", ""] for number in range(70_000)]
CSV = "a,b,c\n" + "".join(f'{a},{b or ""},""\n' for a, b, _ in ROWS)


class Sent:
    """Files that were packed, and are kept in a vault, with their manifest."""

    def __init__(self, directory: Path, files: Sequence[Path], *, redactable: bool = False) -> None:
        self.vault = directory / "vault"
        (self.vault / "copies").mkdir(parents=True)
        self.files = list(files)
        ways = parcels.plan(files, None, redactable=redactable)
        with CopyWriter(self.vault / "copies") as copy:
            packed: Parcel = parcels.pack(files, describe(files), ways, copy, no_progress, redactable=redactable)
            self.content = packed.content
            self.head = Manifest(
                files=packed.described, issuer="a", ledger=TRANSFER, nonce=NONCE, salt=NONCE, transfer=TRANSFER
            )
            self.manifest = directory / "manifest.json"
            with self.manifest.open("wb") as file:
                packed.write_manifest(file, self.head)
            packed.keep(TRANSFER)

    @property
    def copy(self) -> Copy:
        copy = Copies(self.vault).open(TRANSFER)
        assert copy is not None
        return copy

    def unpack(self, files: Sequence[Path] | None = None) -> Content:
        head = read_manifest(self.manifest)
        assert isinstance(head, Manifest)
        return parcels.unpack(self.manifest, head, files or self.files, no_progress)


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    directory = tmp_path_factory.mktemp("sent")
    table, binary, columnar, empty = (directory / name for name in ("a.csv", "b.bin", "c.parquet", "d.csv"))
    table.write_text(CSV)
    binary.write_bytes(b"".join(number.to_bytes(4, "big") for number in range(50_000)))
    pq.write_table(pa.table({"x": [1.0, None, 2.5], "y": ["p", "q", "p"]}), columnar)
    empty.write_bytes(b"")
    return Sent(directory, [table, binary, columnar, empty])


def test_who_received_it_computes_the_same(sent: Sent) -> None:
    assert sent.unpack() == sent.content
    kinds = [file.records.canonicalisation for file in sent.content.files if file.records]
    assert kinds == ["rows/v1", "chunks/v1", "rows/v1", "chunks/v1"]
    first, *lines = sent.manifest.read_bytes().splitlines()
    assert b"sha256" not in first.replace(b"sha256:", b"")
    places = [(line["file"], line["first"], len(b64decode(line["salts"])) // 16) for line in map(parse_json, lines)]
    chunk_count = sent.head.files[1].records.count if sent.head.files[1].records else 0
    assert places == [(0, 0, 65_536), (0, 65_536, 70_000 - 65_536), (1, 0, chunk_count), (2, 0, 3)]
    salts = b"".join(b64decode(parse_json(line)["salts"]) for line in lines)
    assert len({salts[start : start + 16] for start in range(0, len(salts), 16)}) == len(salts) // 16


def test_the_vault_keeps_every_row_for_its_owner_alone(sent: Sent) -> None:
    assert Copies(sent.vault).transfers() == [TRANSFER]
    table, binary, columnar, empty = sent.copy.files
    assert [file.digest for file in sent.copy.files] == sent.content.files
    assert [list(row) for rows in table.rows() for row in rows.rows()] == ROWS
    assert [row for rows in table.rows([1]) for row in rows.rows()] == [(row[1],) for row in ROWS]
    assert table.take([69_999, 0, 65_536, 0]) == [ROWS[69_999], ROWS[0], ROWS[65_536], ROWS[0]]
    with pytest.raises(IndexError):
        table.take([70_000])
    assert columnar.take([0, 1, 2]) == [["1", "p"], [None, "q"], ["2.5", "p"]]
    assert (columnar.columns, binary.columns, empty.count) == (("x", "y"), (), 0)
    assert len([digest for _, part in binary.chunk_digests() for digest in part]) == binary.count > 1
    directory = sent.vault / "copies" / ("ab" * 32)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}
    assert not list(directory.glob("*.salts"))


def test_rows_are_found_by_numbers(sent: Sent) -> None:
    table = sent.copy.files[0]
    first = 0
    for keys in table.keys():  # noqa: SIM118 - no dictionary
        assert keys.record is not None
        assert keys.first == first
        for number in range(0, len(keys.record), 997):
            row = ROWS[first + number]
            assert keys.record[number] == record_key(canonical_record(row))
            assert [cells[number] for cells in keys.cells] == [cell_key(normal_form(cell)) for cell in row]
        first += len(keys.record)
    assert first == len(ROWS)
    assert all(keys.record is None and len(keys.cells) == 1 for keys in table.keys([2], record=False))
    assert cell_key(normal_form("")) == cell_key(None) == 0


def test_records_are_opened_by_their_numbers(sent: Sent) -> None:
    table, binary, columnar, _ = sent.copy.files
    numbers = [69_999, 3, 65_535, 65_536]
    opened = open_records(table, sent.manifest, numbers)
    for number, item in zip(numbers, opened, strict=True):
        assert isinstance(item, OpenedRow)
        assert (item.record, parse_record(b64decode(item.value))) == (number, ROWS[number])
        assert table.digest.records is not None
        check_opened(item, table.digest.records)
    data = sent.files[1].read_bytes()
    assert binary.digest.records is not None
    last = binary.digest.records.count - 1
    with pytest.raises(Unfit, match="its bytes are needed"):
        open_records(binary, sent.manifest, [last])
    with pytest.raises(CopyDamaged):
        open_records(binary, sent.manifest, [last], chunks={last: data[-100:] + b"x"})
    assert open_records(columnar, sent.manifest, [1])[0].file == 2
    with pytest.raises(IndexError):
        open_records(columnar, sent.manifest, [3])
    with pytest.raises(Unfit, match="redactable"):
        open_records(columnar, sent.manifest, [1], cells={1: [0]})


def test_cells_are_opened_without_the_salt_of_their_record(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a":1,"b":"secret"}\n{"a":2,"b":"secret"}\n{"b":"secret"}\n')
    sent = Sent(tmp_path, [path], redactable=True)
    assert sent.unpack() == sent.content
    (file,) = sent.copy.files
    (whole, part) = open_records(file, sent.manifest, [0, 2], cells={2: [0]})
    assert opened_cells(whole) == {0: "1", 1: "secret"}
    assert isinstance(part, OpenedCells)
    assert opened_cells(part) == {0: None}
    salts = b64decode(parse_json(sent.manifest.read_bytes().splitlines()[1])["salts"])
    shown = {b64decode(part.salt), *(b64decode(cell.salt) for cell in part.cells)}
    assert salts[32:48] not in shown


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text[: text.rindex("\n", 0, -1) + 1], "a.csv: it has 69999 records, and its sender .* 70000"),
        (lambda text: text + "1,2,3\n", "a.csv: it has more than 70000 records"),
        (lambda text: text.replace("\n1,", "\n1,,", 1), "a.csv cannot be read as its sender read it: line 3: 4 cells"),
    ],
)
def test_what_differs_is_said(sent: Sent, tmp_path: Path, change: Any, says: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(change(CSV))
    with pytest.raises(ContentMismatch, match=says) as mismatch:
        sent.unpack([path, *sent.files[1:]])
    assert len(mismatch.value.differences) == 1


def test_one_changed_cell_changes_the_root(sent: Sent, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(CSV.replace("Ä69999", "Ä69998"))
    theirs, ours = sent.unpack([path, *sent.files[1:]]).files[0], sent.content.files[0]
    assert theirs.records is not None
    assert ours.records is not None
    assert theirs.records.root != ours.records.root


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[:-1],
        lambda lines: [*lines, lines[-1]],
        lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
        lambda lines: [*lines[:-1], lines[-1][:-40] + b"\n"],
        lambda lines: [*lines[:-1], lines[-1].replace(b'"first":0', b'"first":0.0')],
        lambda lines: [*lines[:-1], b" " + lines[-1]],
        lambda lines: [*lines[:-1], canonical(parse_json(lines[-1]) | {"file": True}) + b"\n"],
        lambda lines: [*lines[:-1], b"[]\n"],
        lambda lines: [*lines[:-1], lines[-1][:-1]],
    ],
)
def test_a_damaged_manifest_is_refused(sent: Sent, tmp_path: Path, change: Any) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(b"".join(change(sent.manifest.read_bytes().splitlines(keepends=True))))
    with pytest.raises(Unfit, match="manifest"):
        parcels.unpack(path, sent.head, sent.files, no_progress)


def test_a_damaged_copy_opens_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a\n" + "".join(f"{number}\n" for number in range(100)))
    sent = Sent(tmp_path, [path])
    kept = sent.vault / "copies" / ("ab" * 32) / "0.cells.parquet"
    (file,) = sent.copy.files
    pq.write_table(pa.table({"0": pa.array([str(number) for number in range(1, 101)], pa.large_string())}), kept)
    with pytest.raises(CopyDamaged):
        open_records(file, sent.manifest, [5])
    kept.write_bytes(b"PAR1")
    with pytest.raises(CopyDamaged):
        list(file.rows())
    kept.with_name("copy.json").write_text("{}")
    with pytest.raises(CopyDamaged):
        _ = sent.copy
    Copies(sent.vault).drop(TRANSFER)
    assert (Copies(sent.vault).open(TRANSFER), Copies(sent.vault).transfers()) == (None, [])


def test_a_table_that_is_none_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1\n")
    with pytest.raises(TableUnreadable, match="line 2"):
        Sent(tmp_path, [path])
    assert not list((tmp_path / "vault" / "copies").iterdir())
    path = tmp_path / "x.bin"
    path.write_bytes(b"\0")
    for encoding, redactable in ((None, True), ("gbk", False)):
        with pytest.raises(Unfit, match="none of the files"):
            parcels.plan([path], encoding, redactable=redactable)
