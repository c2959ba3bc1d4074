"""ShownRecord records, the rows of the found file, and the matches between them (docs/bundle.md §4; format.md §15)."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from verifier.bundle.checks import NOT_READ, BundleCheck, Outcome
from verifier.bundle.found import READABLE, Table, UnknownEncoding, read_table
from verifier.core.b64 import decode_base64
from verifier.core.code_points import are_assigned
from verifier.core.errors import MalformedInput
from verifier.core.tree import verify_inclusion
from verifier.sealed.normal import Mapped, Mapping, is_comparable
from verifier.sealed.rows import CHUNKS, Cell, Cells, format_record, parse_cell, parse_record, record_leaf

if TYPE_CHECKING:
    from collections.abc import Iterable

    from verifier.bundle.form import Bundle

_UNASSIGNED = "unassigned-code-point"
EXACT = "exact"
"""A match of equal bytes; any other is one of normal forms."""


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """A record that was shown to be of the content: its bytes, and its cells, of chunks none."""

    canonical: bytes | None
    """None for redactable rows of which some cells are not shown."""
    cells: dict[int, Cell] | None
    """By column from 0; None for a chunk."""
    column_count: int


def _decoded(text: str) -> bytes:
    return decode_base64(text) or b""


def verify_records(
    bundle: Bundle, content: dict[str, Any] | None, outcome: Outcome
) -> dict[tuple[int, int], ShownRecord]:
    """Check that every opened record is of the opened content; return those that are, by file and number."""
    opened: dict[tuple[int, int], ShownRecord] = {}
    listed = bundle.evidence["records"]
    if listed and content is None:
        outcome.fail(BundleCheck.RECORD, "content-not-opened", "evidence.json/records")
        return opened
    files = content["files"] if content else []
    for position, item in enumerate(listed):
        where = f"evidence.json/records/{position}"
        commitment = files[item["file"]].get("records") if item["file"] < len(files) else None
        if commitment is None:
            outcome.fail(BundleCheck.RECORD, "no-such-file", where)
            continue
        try:
            record, leaf = _open(item, commitment)
            path = [_decoded(step) for step in item["path"]]
            verify_inclusion(leaf, item["record"], commitment["count"], path, bytes.fromhex(commitment["root"]))
        except MalformedInput as error:
            outcome.fail(BundleCheck.RECORD, error.reason, where, "", error.detail)
        else:
            opened[item["file"], item["record"]] = record
    return opened


def _open(item: dict[str, Any], commitment: dict[str, Any]) -> tuple[ShownRecord, bytes]:
    """Return a shown record and the leaf that it makes; raises `MalformedInput` for one that is not a record."""
    salt = _decoded(item["salt"])
    is_chunk = commitment["canonicalisation"] == CHUNKS
    width = 0 if is_chunk else len(commitment["columns"])
    if ("cells" in item) != (not is_chunk and commitment["redactable"]):
        raise MalformedInput("record", "wrong-form", "cells are shown of redactable rows, and only of these")
    if "cells" in item:
        return _open_cells(item, salt, width)
    canonical = _decoded(item["value"])
    if is_chunk:
        return ShownRecord(canonical, None, 0), record_leaf(salt, canonical)
    cells = parse_record(canonical)
    if cells is None or len(cells) != width:
        raise MalformedInput("record", "not-canonical", "")
    return ShownRecord(canonical, dict(enumerate(cells)), width), record_leaf(salt, canonical)


def _open_cells(item: dict[str, Any], salt: bytes, width: int) -> tuple[ShownRecord, bytes]:
    """Return what cells show of a redactable record, which have to lead to one root (docs/format.md §15.2)."""
    cells: dict[int, Cell] = {}
    root = b""
    for shown in item["cells"]:
        canonical = _decoded(shown["value"])
        cell, column = parse_cell(canonical), shown["column"] - 1
        if cell is None or column >= width:
            raise MalformedInput("record", "not-canonical", f"column {shown['column']}")
        path = [_decoded(step) for step in shown["path"]]
        reached = _root_of(record_leaf(_decoded(shown["salt"]), canonical), column, width, path)
        if root and reached != root:
            raise MalformedInput("record", "root-mismatch", f"column {shown['column']}")
        root, cells[column] = reached, cell[0]
    if not root:
        raise MalformedInput("record", "wrong-form", "no cell is shown")
    whole = format_record(tuple(cells[k] for k in range(width))) if len(cells) == width else None
    return ShownRecord(whole, cells, width), record_leaf(salt, root)


def _root_of(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Return the root that a path leads to."""
    try:
        verify_inclusion(leaf, index, size, path, b"\x00" * 32)
    except MalformedInput as error:
        if error.reason != "root-mismatch":
            raise
        return bytes.fromhex(error.detail)
    raise MalformedInput("record", "root-mismatch")  # a root of zeros: nobody can make one


@dataclass(slots=True)
class Found:
    """The rows of a found file, as far as they are known here."""

    rows: dict[int, Cells] = field(default_factory=dict)
    """By number; of chunks none."""
    chunks: dict[int, bytes] = field(default_factory=dict)
    count: int = 0
    column_count: int = 0
    is_read: bool = False
    """They are the rows of a file that was read here; else they are those that the evidence names."""


def verify_found(bundle: Bundle, given: bytes | None, outcome: Outcome) -> Found:
    """Check the found file, where it is in the bundle or was given, and return its rows; else those of the evidence."""
    said = bundle.evidence["found"]
    found = Found(count=said["count"], column_count=len(said.get("columns", ())))
    _take_named(bundle, found, outcome)
    raws = [(where, raw) for where, raw in ((said.get("path"), bundle.found), ("--found", given)) if raw is not None]
    for where, raw in raws:
        if (len(raw), sha256(raw).hexdigest()) != (said["bytes"], said["sha256"]):
            outcome.fail(BundleCheck.FOUND, "wrong-digest", where, said["sha256"], sha256(raw).hexdigest())
    if not raws:  # else its marks, listed as its rows, would make any file at all derive from the copy
        outcome.doubt(BundleCheck.FOUND, NOT_READ, "evidence.json/found")
    if not raws or outcome.failures:
        return found
    if said["format"] not in READABLE:
        outcome.doubt(BundleCheck.FOUND, "unknown-format", raws[0][0], said["format"])
        return found
    try:
        table = read_table(raws[0][1], said["format"], said.get("delimiter", ","), said.get("encoding", ""))
    except UnknownEncoding as error:
        outcome.doubt(BundleCheck.FOUND, "unknown-encoding", raws[0][0], error)
        return found
    except MalformedInput as error:
        outcome.fail(BundleCheck.FOUND, error.reason, raws[0][0], said["format"], error.detail)
        return found
    _compare(bundle, found, table, outcome)
    return found


def _take_named(bundle: Bundle, found: Found, outcome: Outcome) -> None:
    """Take the rows that the evidence names."""
    is_chunked, mapping = bundle.evidence["found"]["format"] == "chunks", read_mapping(bundle)
    for position, item in enumerate(bundle.evidence["found_rows"]):
        raw, where = _decoded(item["value"]), f"evidence.json/found_rows/{position}"
        if item["row"] >= found.count:
            outcome.fail(BundleCheck.FOUND, "out-of-range", where, f"< {found.count}", item["row"])
        elif is_chunked:
            found.chunks[item["row"]] = raw
        else:
            cells = parse_record(raw)
            if cells is None or len(cells) != found.column_count:
                outcome.fail(BundleCheck.FOUND, "not-canonical", where)
            else:
                found.rows[item["row"]] = cells
                if not all(is_comparable(cells[column.found]) for column in mapping.columns):
                    outcome.doubt(BundleCheck.FOUND, _UNASSIGNED, where)


def _compare(bundle: Bundle, found: Found, table: Table, outcome: Outcome) -> None:
    """Compare the file that was read with what the evidence says of it, and take all its rows."""
    said = bundle.evidence["found"]
    if list(table.columns) != said["columns"]:
        _differ([*table.columns, *said["columns"]], "wrong-columns", "evidence.json/found/columns", outcome)
    if len(table.rows) != said["count"]:
        outcome.fail(BundleCheck.FOUND, "wrong-count", "evidence.json/found/count", len(table.rows), said["count"])
    for row, cells in found.rows.items():
        there = table.rows[row] if row < len(table.rows) else ()
        if there != cells:
            _differ([*there, *cells], "wrong-row", f"evidence.json/found_rows: row {row}", outcome)
    found.rows, found.is_read = dict(enumerate(table.rows)), True


def _differ(cells: list[Cell], reason: str, where: str, outcome: Outcome) -> None:
    """Note that two texts differ: as spellings of one may, if a later version of Unicode made either (§15.8)."""
    if are_assigned("".join(cell or "" for cell in cells)):
        outcome.fail(BundleCheck.FOUND, reason, where)
    else:
        outcome.doubt(BundleCheck.FOUND, _UNASSIGNED, where)


def read_mapping(bundle: Bundle) -> Mapping:
    """Return the mapping of the evidence."""
    return Mapping([Mapped(item["column"], item["found"], item["reading"]) for item in bundle.evidence["mapping"]])


def verify_matches(
    bundle: Bundle, records: dict[tuple[int, int], ShownRecord], found: Found, outcome: Outcome
) -> set[tuple[int, int]]:
    """Check every match; return the records, by file and number, that are matched."""
    mapping, matched = read_mapping(bundle), set[tuple[int, int]]()
    named = {item["row"] for item in bundle.evidence["found_rows"]}
    for position, item in enumerate(bundle.evidence["matches"]):
        where, place = f"evidence.json/matches/{position}", (item["file"], item["record"])
        record = records.get(place)
        if record is None or item["row"] not in named:
            outcome.fail(BundleCheck.MATCH, "not-shown", where, "a record and a row that are shown", place)
        elif _rests_on_unassigned(item["kind"], item["row"], record, found, mapping):
            outcome.doubt(BundleCheck.MATCH, _UNASSIGNED, where)
            matched.add(place)
        elif not _is_match(item["kind"], item["row"], record, found, mapping):
            outcome.fail(BundleCheck.MATCH, "no-match", where)
        else:
            matched.add(place)
    return matched


def _rests_on_unassigned(kind: str, row: int, record: ShownRecord, found: Found, mapping: Mapping) -> bool:
    """Tell whether a cell that a match compares is not comparable (docs/format.md §15.8)."""
    theirs, ours = found.rows.get(row), record.cells
    if theirs is None or ours is None:
        return False
    if kind == EXACT:
        return not all(map(is_comparable, [*theirs, *ours.values()]))
    pairs = [
        (ours.get(item.column), theirs[item.found] if item.found < len(theirs) else None) for item in mapping.columns
    ]
    return not all(is_comparable(cell) for pair in pairs for cell in pair)


def _is_match(kind: str, row: int, record: ShownRecord, found: Found, mapping: Mapping) -> bool:
    if record.cells is None:
        return kind == EXACT and record.canonical == found.chunks.get(row)
    cells = found.rows.get(row)
    if cells is None:
        return False
    if kind == EXACT:
        return record.canonical == format_record(cells)
    if any(item.column not in record.cells for item in mapping.columns):
        return False
    wide = [record.cells.get(column) for column in range(record.column_count)]
    wanted = mapping.of_record(wide)
    return wanted is not None and wanted == mapping.of_found(cells)


def distinct(rows: Iterable[Cells], mapping: Mapping) -> set[Cells]:
    """Return what found rows are compared by, each once: a committed row is found if it is among them."""
    return {form for row in rows if (form := mapping.of_found(row)) is not None}
