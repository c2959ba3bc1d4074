"""Tables as tests write and open them: lines of rows, and the cells of opened records."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.core.encoding import b64decode
from ledger.party.dataset.committing.opened import OpenedCells, OpenedRow
from ledger.party.dataset.reading.cells import Cell, parse_cell, parse_record
from ledger.party.dataset.reading.formats import TableFormat


def write_row(cells: Sequence[Cell], how: TableFormat) -> str:
    """Return one row as a line of CSV or TSV without its line end.

    What is missing is written as nothing, the empty string as `""`; a cell is put in quotes where it has to be. Raises
    ValueError for a single missing cell: its line would be skipped.
    """
    if list(cells) == [None]:
        raise ValueError("a row of one missing cell cannot stand in a file of lines")
    return how.mark.join(_written(cell, how.mark) for cell in cells)


def _written(cell: Cell, mark: str) -> str:
    if cell is None:
        return ""
    if cell and not any(character in cell for character in (mark, '"', "\n", "\r")):
        return cell
    return '"' + cell.replace('"', '""') + '"'


def opened_cells(opened: OpenedRow | OpenedCells) -> dict[int, Cell]:
    """Return the cells that are shown, by column from 0; the opened record is one of rows, and was checked."""
    if isinstance(opened, OpenedRow):
        return dict(enumerate(parse_record(b64decode(opened.value))))
    return {cell.column - 1: parse_cell(b64decode(cell.value)) for cell in opened.cells}
