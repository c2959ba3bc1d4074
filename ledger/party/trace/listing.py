"""The hand-offs of one listing beside each other: who else held what was found, and what the marks say of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ledger.party.dataset.committing.copies import record_key
from ledger.party.dataset.reading.cells import parse_record
from ledger.party.marks.draw_score import DrawScores
from ledger.party.marks.score import MIN_BITS, CodeScores, Scores, Sighting, row_bits
from ledger.party.marks.value import MarksValue
from ledger.party.trace.cells import Numbers, among
from ledger.party.trace.comparing import Compared, RowsCompared
from ledger.party.trace.drawn import DrawnPool, cells_of, mapping_cost
from ledger.party.trace.found import FoundTable
from ledger.party.trace.joining import Ints
from ledger.party.trace.scoring import Marked, controls_of, different_marks


@dataclass(frozen=True)
class HeldRecords:
    """Records of one copy, other than its marks, that are in the found file: `records` ascending, with their `rows`.

    `exact` says which rows are the very same record; `exclusive` which records no other hand-off of the listing holds;
    `total` counts all records of the copy that are not marks, `rows_found` the found rows equal to one of them,
    and how many different ones these are, under the mapping.
    """

    table: RowsCompared
    records: Ints
    keys: Numbers
    rows: Ints
    exact: np.ndarray
    exclusive: np.ndarray
    total: int
    rows_found: tuple[int, int]
    shared_with: list[tuple[Compared, int]]


@dataclass(frozen=True)
class _Unmarked:
    """The hits of a table that are not marks."""

    records: Ints
    keys: Numbers
    places: Ints
    rows: Ints
    exact: np.ndarray

    @classmethod
    def of(cls, table: RowsCompared) -> _Unmarked:
        hits = table.hits
        keep = ~among(hits.records, hits.marks)
        places, exact = hits.places[keep], hits.exact[keep]
        rows = np.where(exact >= 0, exact, table.lookup.index.first_rows(places))
        return cls(hits.records[keep], hits.keys[keep], places, rows, exact >= 0)


@dataclass(frozen=True)
class MarkRows:
    """Of one opened seal: the found row by which each mark or control is found, and which record of the copy it is."""

    rows: dict[bytes, int]
    in_copy: dict[bytes, int]


def main_table(item: Compared) -> RowsCompared | None:
    """Return the table of a hand-off that speaks for it: the marked one, or the one most like the found file."""
    if not item.rows:
        return None
    marks = item.hand_off.opened
    for table in item.rows:
        if marks is not None and table.file.position == marks.file and len(table.hits.records):
            return table
    return max(item.rows, key=lambda table: len(table.hits.records))


def held(listing: Sequence[Compared]) -> dict[str, HeldRecords]:
    """Return by transfer what each hand-off of a listing holds of the found file."""
    tables = {item.hand_off.transfer: table for item in listing if (table := main_table(item)) is not None}
    mine = {transfer: _Unmarked.of(table) for transfer, table in tables.items()}
    shared = {transfer: np.zeros(len(unmarked.places), bool) for transfer, unmarked in mine.items()}
    shared_with: dict[str, list[tuple[Compared, int]]] = {transfer: [] for transfer in tables}
    for other in listing:
        theirs = tables.get(other.hand_off.transfer)
        if theirs is None:
            continue
        has = np.zeros(len(theirs.lookup.index.numbers), bool)
        has[mine[other.hand_off.transfer].places] = True
        for transfer, table in tables.items():
            # Another family of tables has another index: its places mean other rows.
            if transfer == other.hand_off.transfer or theirs.lookup is not table.lookup:
                continue
            both = has[mine[transfer].places]
            shared[transfer] |= both
            if both.any():
                shared_with[transfer].append((other, int(both.sum())))
    return {
        transfer: HeldRecords(
            table=table,
            records=mine[transfer].records,
            keys=mine[transfer].keys,
            rows=mine[transfer].rows,
            exact=mine[transfer].exact,
            exclusive=~shared[transfer],
            total=table.count - len(table.hits.marks),
            rows_found=table.lookup.index.row_count(mine[transfer].places),
            shared_with=shared_with[transfer],
        )
        for transfer, table in tables.items()
    }


def marked(
    listing: Sequence[Compared], found: FoundTable | None, known: dict[str, HeldRecords]
) -> tuple[list[Marked], dict[str, MarkRows]]:
    """Return every hand-off of a listing that carries marks, scored where its seal is open; and where its marks are."""
    carrying = [item for item in listing if item.hand_off.marks is not None]
    scores = CodeScores(sorted({item.hand_off.offer.recipient for item in carrying}))
    result, rows = [], {}
    for item in carrying:
        hand_off = item.hand_off
        offer, marks = hand_off.offer, hand_off.opened
        if marks is None:
            result.append(Marked(hand_off.transfer, offer.recipient, offer.issuer))
            continue
        mine = known.get(hand_off.transfer)
        table = mine.table if mine is not None and mine.table.file.position == marks.file else None
        mapped = frozenset() if table is None else frozenset(column.column for column in table.lookup.mapping)
        sights = MarkRows({}, {}) if table is None else _mark_rows(marks, table, mapped)
        rows[hand_off.transfer] = sights
        sighting = Sighting(rows=found.count if found else 0, columns=len(found.columns) if found else 0, mapped=mapped)
        scored: Scores | DrawScores
        if isinstance(marks, DrawnPool):
            cost = mapping_cost(cells_of(marks.pool), len(marks.columns), found)
            scored, planted = marks.score(sights.rows.keys(), cost), marks.all_marks
            different = marks.different(sights.rows, mapped)
        else:
            scored, planted = scores.of(marks, sights.rows.keys(), sighting), marks.planted(offer.recipient)
            different = different_marks(marks, sights.rows, offer.recipient)
        result.append(
            Marked(
                transfer=hand_off.transfer,
                recipient=offer.recipient,
                sender=offer.issuer,
                marks=marks,
                scores=scored,
                unused=hand_off.unused,
                prepared_for=hand_off.prepared_for,
                planted=len(planted),
                planted_found=sum(record in sights.rows for record in planted),
                different=different,
                records=0 if mine is None else mine.total,
                found=0 if mine is None else len(mine.records),
            )
        )
    return result, rows


def _mark_rows(marks: MarksValue | DrawnPool, table: RowsCompared, mapped: frozenset[int]) -> MarkRows:
    if isinstance(marks, DrawnPool):
        records = list(marks.pool.records)
    elif row_bits(marks.bits, mapped) < MIN_BITS:
        return MarkRows({}, {})  # a row that so little tells from others is not found by it
    else:
        records = [*marks.all_marks, *controls_of(marks)]
    found = table.lookup.find_records([parse_record(record) for record in records])
    rows = {record: int(row) for record, row in zip(records, found, strict=True) if row >= 0}
    numbers = _numbers_by_key(table.hits.mark_keys, table.hits.marks)
    keys = {record: record_key(record) for record in rows}
    return MarkRows(rows, {record: numbers[key] for record, key in keys.items() if key in numbers})


def _numbers_by_key(keys: Numbers, numbers: Ints) -> dict[int, int]:
    return {int(key): int(number) for key, number in zip(keys, numbers, strict=True)}
