"""Rows drawn that exist nowhere in a table: learnt from it in one pass, compared with all of it in another."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random

from ledger.party.dataset.reading.cells import Cell, canonical_record
from ledger.party.dataset.reading.formats import TableFormat
from ledger.party.dataset.reading.normal import normal_form
from ledger.party.dataset.reading.rows import Rows
from ledger.party.dataset.reading.table import open_table
from ledger.party.digests import Progress, no_progress
from ledger.party.marks.errors import CannotMark, TooLittleRoom
from ledger.party.marks.recipe import SAMPLE_ROWS, Recipe, Row

_ROUNDS = 20


@dataclass(frozen=True)
class SourceTable:
    """A table to be marked: its names, how many rows it has, and a random sample of them."""

    path: Path
    how: TableFormat
    columns: tuple[str, ...]
    rows: int
    sample: list[Row]


def survey(path: Path, how: TableFormat, random: Random, progress: Progress = no_progress) -> SourceTable:
    """Read a table once; raise TableUnreadable, or CannotMark where it has no rows."""
    sample: list[Row] = []
    count = 0
    with open_table(path, how, progress) as table:
        for batch in table.rows():
            _sample(batch, sample, random)
            count += batch.count
        columns = table.columns
    if not count:
        raise CannotMark(f"{path} has no rows that marks could be like", "hand it over unmarked")
    return SourceTable(path, how, columns, count, sample)


def draw(
    source: SourceTable, recipe: Recipe, count: int, random: Random, progress: Progress = no_progress
) -> list[list[Cell]]:
    """Return `count` rows of which none is in the table, and no two are alike; each pass reads the table once.

    Raises TooLittleRoom if there are not so many.
    """
    drawn: list[list[Cell]] = []
    seen: set[tuple[str | None, ...]] = set()
    names: set[tuple[int, str | None]] = set()
    supply = recipe.rows(random)
    for _ in range(_ROUNDS):
        fresh = []
        for _, row in islice(supply, 2 * (count - len(drawn)) + 16):
            what = tuple(normal_form(row[column]) for column in recipe.redraws)
            called = {(column, normal_form(row[column])) for column in recipe.names}
            if what not in seen and not called & names:
                seen.add(what)
                names |= called
                fresh.append(row)
        taken = _taken(source, fresh, recipe.names, progress)
        drawn += [row for number, row in enumerate(fresh) if number not in taken]
        if len(drawn) >= count:
            return drawn[:count]
    raise TooLittleRoom(
        recipe.room.row_bits, f"only {len(drawn):,} of {count:,} rows were found that exist nowhere else"
    )


def present(source: SourceTable, records: Collection[bytes], progress: Progress = no_progress) -> set[bytes]:
    """Return which of these canonical records are rows of the table."""
    wanted, found = set(records), set[bytes]()
    with open_table(source.path, source.how, progress) as table:
        for batch in table.rows():
            found |= wanted.intersection(batch.records())
    return found


def _taken(source: SourceTable, rows: list[list[Cell]], names: list[int], progress: Progress) -> set[int]:
    """Return the numbers of the rows that share a name with a row of the table, or are one of it."""
    if not names:
        records = {canonical_record(row): number for number, row in enumerate(rows)}
        return {records[record] for record in present(source, records, progress)}
    called = {column: {normal_form(row[column]): number for number, row in enumerate(rows)} for column in names}
    taken: set[int] = set()
    with open_table(source.path, source.how, progress) as table:
        for batch in table.rows():
            for column, numbers in called.items():
                cells = batch.cells.column(column).unique().to_pylist()
                taken |= {numbers[form] for form in map(normal_form, cells) if form in numbers}
    return taken


def _sample(batch: Rows, sample: list[Row], random: Random) -> None:
    """Keep a uniform sample of all rows so far (Vitter's algorithm R)."""
    places: dict[int, int] = {}
    for number in range(batch.count):
        size = batch.first + number
        place = size if size < SAMPLE_ROWS else random.randrange(size + 1)
        if place < SAMPLE_ROWS:
            places[place] = number
    sample += [()] * (max(places, default=-1) + 1 - len(sample))
    for place, row in zip(places, batch.take(list(places.values())), strict=True):
        sample[place] = row
