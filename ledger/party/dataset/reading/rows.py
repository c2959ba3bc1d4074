"""Batches of rows, as columns of canonical text, and their canonical records made column by column.

A batch is Arrow memory: every step is one call a column and not one a cell.
"""

from __future__ import annotations

import itertools
import json
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.party.dataset.reading.cells import Cell, canonical_text

TEXT = pa.large_string()
MAX_ROWS = 65_536
_BYTES = pa.large_binary()
# In escaped text no NUL is left, so that it can stand for what is missing until all cells are joined.
_MISSING = b'"\0"'
_SPECIAL = np.zeros(256, bool)
_SPECIAL[[*range(32), ord('"'), ord("\\")]] = True


class Rows:
    """Some rows of a table: `first` is the number of the first from 0, `count` how many, at most MAX_ROWS."""

    def __init__(
        self, first: int, count: int, cells: Callable[[], pa.RecordBatch], records: list[bytes] | None = None
    ) -> None:
        """`cells` is called where columns are asked for; `records` are the canonical records, where they are known."""
        self.first = first
        self.count = count
        self._make = cells
        self._records = records

    @classmethod
    def of(cls, first: int, cells: pa.RecordBatch) -> Rows:
        """Return rows that are columns of canonical TEXT already."""
        return cls(first, cells.num_rows, lambda: cells)

    @cached_property
    def cells(self) -> pa.RecordBatch:
        """Their columns, of canonical TEXT, named by their positions."""
        return self._make()

    def row(self, number: int) -> list[Cell]:
        """Return the cells of one row, `number` counted from the first of these."""
        return [column[number].as_py() for column in self.cells.columns]

    def rows(self) -> Iterator[tuple[Cell, ...]]:
        """Yield the cells of every row."""
        return zip(*(column.to_pylist() for column in self.cells.columns), strict=True)

    def take(self, numbers: Sequence[int]) -> list[list[Cell]]:
        """Return the cells of these rows, counted from the first of these, in this order."""
        taken = self.cells.take(pa.array(numbers, pa.int64()))
        return [list(row) for row in Rows.of(0, taken).rows()]

    def records(self) -> list[bytes]:
        """Return the canonical record of every row (docs/format.md §15.3)."""
        return pieces(record_column(self.cells.columns)) if self._records is None else self._records

    def record_cells(self) -> list[list[bytes]]:
        """Return the canonical cells, column by column."""
        return [pieces(cell_column(column)) for column in self.cells.columns]


def batches(first: int, columns: Sequence[pa.Array], count: int) -> Iterator[Rows]:
    """Yield columns of TEXT, not canonical yet, as batches of canonical rows."""
    whole = settled(columns)
    for start in range(0, count, MAX_ROWS):
        yield Rows.of(first + start, whole.slice(start, MAX_ROWS))


def settled(columns: Sequence[pa.Array]) -> pa.RecordBatch:
    """Return columns of TEXT as canonical ones, named by their positions."""
    names = [str(number) for number in range(len(columns))]
    return pa.RecordBatch.from_arrays([canonical_column(column) for column in columns], names=names)


def canonical_column(column: pa.Array) -> pa.Array:
    """Return a column of TEXT with every cell brought to NFC and LF."""
    data = _data(column)
    ascii_only = data.isascii()
    if ascii_only and b"\r" not in data:
        return column
    # Whatever is cut out of a text in NFC is in NFC: one look at the whole usually spares one at every cell.
    if not ascii_only and b"\r" not in data and unicodedata.is_normalized("NFC", data.decode()):
        return column
    return map_values(column, canonical_text)


def map_values(column: pa.Array, change: Callable[[str], str]) -> pa.Array:
    """Return a column of TEXT with every value changed; equal values are changed once."""
    encoded = column.dictionary_encode()
    changed = [change(value) for value in encoded.dictionary.to_pylist()]
    return pa.array(changed, TEXT).take(encoded.indices)


def record_column(columns: Sequence[pa.Array]) -> pa.Array:
    """Return the canonical records of rows, given as columns of canonical TEXT, as one column of bytes."""
    escaped = [_escaped(column).cast(_BYTES) for column in columns]
    cells = pc.binary_join_element_wise(
        *escaped, pa.scalar(b'","', _BYTES), null_handling="replace", null_replacement=b"\0"
    )
    records = pc.binary_join_element_wise(
        pa.scalar(b'["', _BYTES), cells, pa.scalar(b'"]', _BYTES), pa.scalar(b"", _BYTES)
    )
    if any(column.null_count for column in columns):
        records = pc.replace_substring(records, _MISSING, b"null")
    return records


def cell_column(column: pa.Array) -> pa.Array:
    """Return the canonical cells of a column of canonical TEXT as bytes."""
    quote, nothing = pa.scalar(b'"', _BYTES), pa.scalar(b"", _BYTES)
    quoted = pc.binary_join_element_wise(quote, _escaped(column).cast(_BYTES), quote, nothing)
    return quoted.fill_null(pa.scalar(b"null", _BYTES))


def pieces(column: pa.Array) -> list[bytes]:
    """Return the values of a column of large strings or bytes, none missing: slices of one copy of its data."""
    ends = _offsets(column)
    data = _data(column)
    limits = (ends - ends[0]).tolist()
    return [data[start:end] for start, end in itertools.pairwise(limits)]


def _escaped(column: pa.Array) -> pa.Array:
    """Return a column as it stands between the quotes of JSON strings."""
    if not _SPECIAL[np.frombuffer(_data(column), np.uint8)].any():
        return column
    return map_values(column, lambda value: json.dumps(value, ensure_ascii=False)[1:-1])


def _offsets(column: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    buffer = column.buffers()[1]
    if buffer is None or not len(column):
        return np.zeros(1, np.int64)
    return np.frombuffer(buffer, np.int64, len(column) + 1, column.offset * 8)


def _data(column: pa.Array) -> bytes:
    """Return the bytes of all values of a column of large strings, one after the other."""
    offsets = _offsets(column)
    buffer = column.buffers()[2]
    if buffer is None:
        return b""
    return bytes(memoryview(buffer)[int(offsets[0]) : int(offsets[-1])])
