"""trace.json: everything that a trace found, as a value (docs/trace.md §4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ledger.core.encoding import Json, b64encode
from ledger.party.dataset.committing.copies import record_key
from ledger.party.dataset.reading.cells import Cell, canonical_record
from ledger.party.dataset.reading.normal import equals, is_comparable
from ledger.party.marks.score import Sighting
from ledger.party.text import plain
from ledger.party.trace import scoring
from ledger.party.trace.comparing import ChunksCompared, Compared
from ledger.party.trace.drawn import DrawnPool
from ledger.party.trace.found import FoundTable
from ledger.party.trace.listing import HeldRecords, MarkRows, held, marked
from ledger.party.trace.near import Lead
from ledger.party.trace.scoring import Marked

TYPE = "provenance-ledger.trace/v1"
MAX_MATCHES = 1000
"""So many matches stand in the document a hand-off, beside those of marks; the counts are of all of them."""


class _Pair(NamedTuple):
    record: int
    key: int
    row: int


@dataclass
class _Rows:
    """What is read while the document is built: `named` found rows, and records by their numbers."""

    table: FoundTable
    named: set[int] = field(default_factory=set)
    records: dict[int, list[Cell]] = field(default_factory=dict)


@dataclass
class Inputs:
    """What the document is made of.

    `chunk_count` is how many chunks the found file was cut into, if it was; `examined_ms` when it was first in hand;
    `examined` how many files were examined against each listing.
    """

    found: dict[str, Json]
    table: FoundTable | None
    chunk_count: int | None
    compared: list[Compared]
    leads: dict[str, Lead]
    examined_ms: int
    examined: dict[str, int]
    notes: list[str] = field(default_factory=list)


def build(inputs: Inputs) -> dict[str, Json]:
    """Return the document, without who made it and when."""
    rows = None if inputs.table is None else _Rows(inputs.table)
    mark_rows: dict[str, Json] = {}
    transfers: list[Json] = []
    listings: dict[str, list[Compared]] = {}
    for item in inputs.compared:
        listings.setdefault(item.hand_off.offer.listing, []).append(item)
    for listing, group in listings.items():
        entries, marks = _listing(group, inputs, rows)
        transfers += entries
        mark_rows |= {listing: sorted(marks)} if marks else {}
    transfers.sort(key=lambda entry: entry["index"])
    enough = [entry["transfer"] for entry in transfers if entry["conclusion"]["is_enough"]]
    return {
        "conclusion": {"is_enough": bool(enough), "transfers": enough},
        "found": inputs.found,
        "found_rows": _found_rows(rows),
        "mark_rows": mark_rows,
        "notes": [plain(note) for note in inputs.notes],
        "transfers": transfers,
        "type": TYPE,
        **({} if inputs.chunk_count is None else {"chunks": inputs.chunk_count}),
    }


def _listing(group: Sequence[Compared], inputs: Inputs, rows: _Rows | None) -> tuple[list[Json], set[int]]:
    """Return the entries of one listing's hand-offs, and the found rows that are marks or controls of any of them."""
    table = None if rows is None else rows.table
    known = held(group)
    carrying, sights = marked(group, table, known)
    by_transfer = {item.transfer: item for item in carrying}
    mark_rows = {row for sight in sights.values() for row in sight.rows.values()}
    result = []
    for item in group:
        transfer = item.hand_off.transfer
        mine, marks = known.get(transfer), by_transfer.get(transfer)
        entry: dict[str, Json] = {}
        if mine is not None and rows is not None:
            entry |= _rows_found(item, mine, sights.get(transfer), rows)
            entry["counts"]["marks"] = 0 if marks is None else scoring.marks_found(marks)
        elif item.chunks:
            entry |= _chunks_found(item, group)
        is_before = inputs.examined_ms < item.hand_off.recorded.entry.time_ms
        entry |= _said(marks, carrying, mine, table, is_examined_before=is_before)
        if (lead := inputs.leads.get(transfer)) is not None:
            entry["near"] = {"alike": lead.alike, "rows": lead.rows}
        result.append(_about(item) | {"examined": inputs.examined.get(item.hand_off.offer.listing, 0)} | entry)
    if rows is not None:
        rows.named |= mark_rows
    return result, mark_rows


def _about(item: Compared) -> dict[str, Json]:
    offer, recorded = item.hand_off.offer, item.hand_off.recorded
    return {
        "content_opened": item.hand_off.is_sealed_content,
        "index": recorded.index,
        "ledger": offer.ledger,
        "listing": offer.listing,
        "problems": [plain(problem) for problem in item.hand_off.problems],
        "recipient": offer.recipient,
        "same_file": [file.position for file in item.same],
        "sender": offer.issuer,
        "status": "compared" if item.is_compared else "skipped",
        "time_ms": recorded.entry.time_ms,
        "transfer": recorded.statement_id,
        **({} if offer.license is None else {"license": offer.license}),
    }


def _rows_found(item: Compared, mine: HeldRecords, sights: MarkRows | None, rows: _Rows) -> dict[str, Json]:
    pairs = [_Pair(int(mine.records[at]), int(mine.keys[at]), int(mine.rows[at])) for at in _choose(mine)]
    if sights is not None:
        pairs += [_Pair(number, record_key(record), sights.rows[record]) for record, number in sights.in_copy.items()]
    matches = _confirmed(mine, pairs, rows)
    if len(matches) < len(pairs):
        item.hand_off.problems.append(
            "some records of the kept copy are not what its numbers say: do not rely on its counts"
        )
    rows.named.update(match["row"] for match in matches)
    exact = int(mine.exact.sum())
    return {
        "by": "rows",
        "columns": len(mine.table.file.columns),
        "counts": {
            "exact": exact,
            "exclusive": int(mine.exclusive.sum()),
            "normalised": len(mine.records) - exact,
            "records": mine.total,
            "records_found": len(mine.records),
            "rows_different": mine.rows_found[1],
            "rows_found": mine.rows_found[0],
            "shared": int((~mine.exclusive).sum()),
        },
        "file": mine.table.file.position,
        "file_name": mine.table.file.name,
        "mapping": [column.model_dump() for column in mine.table.lookup.mapping],
        "matches": matches,
        "random": {"records_found": mine.table.hits.random, "rows": mine.table.lookup.random_rows},
        "shared_with": [_shared(other, count) for other, count in mine.shared_with],
    }


def _choose(mine: HeldRecords) -> np.ndarray:
    """Return positions of the matches that are shown, spread evenly: if there are many, half of them exclusive."""
    by_row = np.argsort(mine.rows, kind="stable")  # so that of equal copies the same rows are shown
    alone, others = by_row[mine.exclusive[by_row]], by_row[~mine.exclusive[by_row]]
    most = min(len(alone), max(MAX_MATCHES // 2, MAX_MATCHES - len(others)))
    return np.sort(np.concatenate([_spread(alone, most), _spread(others, MAX_MATCHES - most)]))


def _spread(places: np.ndarray, count: int) -> np.ndarray:
    return places if len(places) <= count else places[np.arange(count) * len(places) // count]


def _confirmed(mine: HeldRecords, pairs: Sequence[_Pair], rows: _Rows) -> list[Json]:
    """Return the matches of these pairs, each compared cell by cell: numbers only found them.

    A record that many copies have is read from one of them.
    """
    file, mapping, read = mine.table.file, mine.table.lookup.mapping, rows.records
    missing = [pair for pair in pairs if pair.key not in read]
    if missing:
        records = file.take([pair.record for pair in missing])
        read.update((pair.key, record) for pair, record in zip(missing, records, strict=True))
    matches = []
    for pair, theirs in zip(pairs, rows.table.take([pair.row for pair in pairs]), strict=True):
        ours = read[pair.key]
        same = all(map(is_comparable, ours)) and canonical_record(ours) == canonical_record(theirs)
        if same or equals(ours, theirs, mapping):
            kind = "exact" if same else "normalised"
            matches.append({"file": file.position, "kind": kind, "record": pair.record, "row": pair.row})
    return sorted(matches, key=lambda match: (match["record"], match["row"]))


def _chunks_found(item: Compared, group: Sequence[Compared]) -> dict[str, Json]:
    best = _main_chunks(item)
    others = [
        (other, {row for _, row in _main_chunks(other).matches})
        for other in group
        if other.chunks and other is not item
    ]
    held_elsewhere = set().union(*(rows for _, rows in others))
    matches = [
        {"file": best.file.position, "kind": "exact", "record": record, "row": row} for record, row in best.matches
    ]
    shared = sum(row in held_elsewhere for _, row in best.matches)
    with_each = [(other, sum(row in rows for _, row in best.matches)) for other, rows in others]
    return {
        "by": "chunks",
        "counts": {
            "exact": len(matches),
            "exclusive": len(matches) - shared,
            "marks": 0,
            "normalised": 0,
            "records": best.count,
            "records_found": len(matches),
            "rows_found": len({row for _, row in best.matches}),
            "shared": shared,
        },
        "file": best.file.position,
        "file_name": best.file.name,
        "mapping": [],
        "matches": [matches[at] for at in _spread(np.arange(len(matches)), MAX_MATCHES)],
        "shared_with": [_shared(other, count) for other, count in with_each if count],
    }


def _main_chunks(item: Compared) -> ChunksCompared:
    return max(item.chunks, key=lambda chunks: len(chunks.matches))


def _shared(other: Compared, count: int) -> Json:
    offer = other.hand_off.offer
    return {"party": offer.recipient, "records": count, "transfer": other.hand_off.transfer}


def _said(
    marks: Marked | None,
    carrying: Sequence[Marked],
    mine: HeldRecords | None,
    table: FoundTable | None,
    *,
    is_examined_before: bool,
) -> dict[str, Json]:
    if marks is None:
        return {
            "conclusion": {"is_enough": False},
            "controls": {"others": []},
            "hypotheses": [],
            "marks": {"status": "none"},
            "why_not": ["no-marks"],
        }
    ended = scoring.conclusion(marks, carrying, is_examined_before=is_examined_before)
    document: dict[str, Json] = {
        "conclusion": ended,
        "controls": scoring.controls_document(marks, carrying),
        "hypotheses": scoring.hypotheses(marks, carrying),
        "marks": scoring.marks_document(marks),
        "why_not": scoring.why_not(marks, ended, is_examined_before=is_examined_before),
    }
    if marks.marks is not None and marks.scores is not None:
        document["marks"] |= {
            "bound": marks.marks.bound,
            "method": marks.marks.method,
            "planted": marks.planted,
            "planted_found": marks.planted_found,
        }
        if isinstance(marks.marks, DrawnPool):
            return document
        document["marks"]["origin"] = marks.marks.origin
        is_hopeless = is_examined_before or "bound-too-high" in document["why_not"]
        if not (ended["is_enough"] or is_hopeless) and mine is not None and table is not None and table.count:
            mapped = frozenset(column.column for column in mine.table.lookup.mapping)
            sighting = Sighting(rows=table.count, columns=len(table.columns), mapped=mapped)
            needed = ended["needed_millibits"]
            document["would_be_enough"] = scoring.would_be_enough(marks.marks, sighting, needed, marks.planted)
    return document


def _found_rows(rows: _Rows | None) -> list[Json]:
    if rows is None or not rows.named:
        return []
    numbers = sorted(rows.named)
    return [
        {"row": number, "value": b64encode(canonical_record(cells))}
        for number, cells in zip(numbers, rows.table.take(numbers), strict=True)
    ]
