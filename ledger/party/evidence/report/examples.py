"""Marks beside the rows of the found file that show them: what a judge can see with her own eyes.

Every row here was sealed before the copy was made, and is in the copy by an opened record (docs/bundle.md §4). Of a
copy that lacks rows, the rows that it lacks are shown: beside them stands nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from ledger.core.encoding import Json, b64decode, b64encode
from ledger.party.dataset.reading.cells import Cell, canonical_record, parse_cell, parse_record
from ledger.party.dataset.reading.normal import MappedColumn, normal_form
from ledger.party.evidence.parts.documents import Documents, by_id
from ledger.party.marks.pool import RowPool, draw_seed, parse_pool

LEAST = 3
"""Fewer different marks are not enough; as many are shown."""
_MAX_CHARS = 60
_NONE = "–"


def example_words(documents: Documents) -> dict[str, Any] | None:
    """Return three marks, each column beside what the found file has for it; None where no marks are opened."""
    marks = by_id(documents.gathered.told())[documents.case.transfer].fields.get("marks")
    opened = sealed_marks(documents)
    if opened is None or not isinstance(marks, Mapping):
        return None
    mapping = [MappedColumn(**item) for item in documents.evidence["mapping"]]
    names = documents.evidence["found"].get("columns", [])
    shown = [(opened["columns"][item.column], names[item.found]) for item in mapping]
    if not shown:
        return None
    if opened["method"] == "omission":
        pairs = _lacking(documents, marks.get("retired", ()), opened, mapping)
    else:
        pairs = _found(documents, opened, mapping)
    return {
        "is_omission": opened["method"] == "omission",
        "is_file_here": "path" in documents.evidence["found"],
        "columns": [{"ours": ours, "theirs": theirs} for ours, theirs in shown],
        "pairs": list(islice(pairs, LEAST)),
    }


def sealed_marks(documents: Documents) -> dict[str, Any] | None:
    """Return what was sealed of the copy's marks, where it is opened."""
    marks = by_id(documents.gathered.told())[documents.case.transfer].fields.get("marks")
    if not isinstance(marks, Mapping):
        return None
    where = (marks["prepared"], "/seal") if "prepared" in marks else (documents.case.transfer, "/marks/seal")
    for item in documents.disclosures:
        if (item.statement_id, item.pointer) == where and isinstance(item.value, dict):
            return item.value
    return None


def seed_of(documents: Documents) -> str | None:
    """Return the seed of the draw that marked the copy; None where its marks were not drawn from a pool."""
    told = documents.gathered.told()
    marks = by_id(told)[documents.case.transfer].fields.get("marks")
    if not isinstance(marks, Mapping) or "prepared" not in marks:
        return None
    asked = (one for one in told if one.type == "transfer.requested" and one.name("prepared") == marks["prepared"])
    requested = next(asked, None)
    return None if requested is None else draw_seed(marks["prepared"], requested.id, marks["coin"]["value"])


def _records(sealed: Mapping[str, Any]) -> set[str]:
    """Return every row that was sealed to be planted: of a code both of each position, of which a copy has one."""
    if sealed["method"] == "tardos":
        return {row for position in sealed["positions"] for row in position["rows"]}
    return set(sealed["rows"])


def _found(
    documents: Documents, sealed: Mapping[str, Any], mapping: Sequence[MappedColumn]
) -> Iterator[dict[str, Any]]:
    """Yield marks that were in the copy and match a row of the file; no two that these columns do not tell apart."""
    evidence = documents.evidence
    rows = {item["row"]: item["value"] for item in evidence["found_rows"]}
    opened = {(item["file"], item["record"]): item for item in evidence["records"]}
    planted, told_apart = _records(sealed), set[tuple[Cell, ...]]()
    for match in evidence["matches"]:
        cells = _cells(opened[match["file"], match["record"]], len(sealed["columns"]))
        if cells is None or b64encode(canonical_record(cells)) not in planted:
            continue
        form = tuple(normal_form(cells[item.column]) for item in mapping)
        if form in told_apart:
            continue
        told_apart.add(form)
        found = parse_record(b64decode(rows[match["row"]]))
        yield {
            "record": match["record"],
            "row": match["row"],
            "ours": [_short(cells[item.column]) for item in mapping],
            "theirs": [_short(found[item.found]) for item in mapping],
        }


def _lacking(
    documents: Documents, retired: Sequence[int], sealed: Mapping[str, Any], mapping: Sequence[MappedColumn]
) -> Iterator[dict[str, Any]]:
    """Yield rows that the draw left out of the copy, and that no row of the evidence shows in the file."""
    pool, seed = parse_pool(dict(sealed)), seed_of(documents)
    if seed is None or not isinstance(pool, RowPool):
        return
    rows = [parse_record(b64decode(item["value"])) for item in documents.evidence["found_rows"]]
    there = {tuple(normal_form(row[item.found], item.reading) for item in mapping) for row in rows}
    for number, record in sorted(pool.marks(seed, retired).items()):
        cells = parse_record(record)
        if tuple(normal_form(cells[item.column]) for item in mapping) not in there:
            yield {
                "record": number,
                "row": None,
                "ours": [_short(cells[item.column]) for item in mapping],
                "theirs": [_NONE for _ in mapping],
            }


def _cells(record: Mapping[str, Json], width: int) -> list[Cell] | None:
    """Return the cells of an opened record, None where not all of them are opened."""
    if "value" in record:
        cells = parse_record(b64decode(record["value"]))
        return cells if len(cells) == width else None
    shown = {item["column"] - 1: parse_cell(b64decode(item["value"])) for item in record["cells"]}
    return [shown[column] for column in range(width)] if len(shown) == width else None


def _short(cell: Cell) -> str:
    if cell is None:
        return _NONE
    return cell if len(cell) <= _MAX_CHARS else f"{cell[:_MAX_CHARS]}…"
