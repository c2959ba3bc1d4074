"""The found file: read once into columns of numbers on disk, whatever its size (docs/trace.md §1)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ledger.party.dataset.committing.copies import record_key
from ledger.party.dataset.reading.cells import Cell
from ledger.party.dataset.reading.formats import TableFormat
from ledger.party.dataset.reading.normal import READINGS, Reading
from ledger.party.dataset.reading.rows import Rows
from ledger.party.dataset.reading.table import open_table
from ledger.party.digests import Progress, no_progress
from ledger.party.files import replace_file
from ledger.party.trace.cells import CellReader, Numbers
from ledger.party.trace.errors import FoundChanged

PART_ROWS = 1 << 18
_ROWS = "rows.arrow"
_NUMBERS = "numbers"
_COPY_BYTES = 1024 * 1024
_ABOUT = "found.json"


@dataclass(frozen=True)
class FoundTable:
    """A found file that has been read; `readings` says, a column, which readings see something other than `text`."""

    directory: Path
    columns: tuple[str, ...]
    count: int
    how: TableFormat
    readings: tuple[tuple[Reading, ...], ...]

    def numbers(self, column: int, reading: Reading) -> Numbers:
        """Return the numbers of a column's normal forms; for a reading that sees nothing else, those of `text`."""
        seen = reading if reading in self.readings[column] else "text"
        numbers: Numbers = self._all[self._places[column, seen]]
        return numbers

    def records(self) -> Numbers:
        """Return the numbers of the canonical records."""
        numbers: Numbers = self._all[0]
        return numbers

    @cached_property
    def _places(self) -> dict[tuple[int, Reading], int]:
        kinds = ((column, reading) for column, readings in enumerate(self.readings) for reading in readings)
        return {kind: place for place, kind in enumerate(kinds, 1)}

    @cached_property
    def _all(self) -> Numbers:
        """All of them, one row a column and reading; in one file, because a process may have so many open."""
        shape = (len(self._places) + 1, self.count)
        if not self.count:  # nothing cannot be mapped
            return np.zeros(shape, np.uint64)
        return np.memmap(self.directory / _NUMBERS, np.uint64, "r", shape=shape)

    def parts(self) -> Iterator[slice]:
        """Cut the rows into parts that fit into memory."""
        return (slice(first, min(first + PART_ROWS, self.count)) for first in range(0, self.count, PART_ROWS))

    def take(self, numbers: Sequence[int]) -> list[list[Cell]]:
        """Return the cells of these rows, in this order."""
        found: dict[int, list[Cell]] = {}
        wanted = np.unique(np.array(numbers, np.int64))
        with pa.memory_map(str(self.directory / _ROWS)) as source, pa.ipc.open_file(source) as reader:
            first = 0
            for batch_number in range(reader.num_record_batches):
                batch = reader.get_batch(batch_number)
                here = wanted[(wanted >= first) & (wanted < first + batch.num_rows)]
                if len(here):
                    columns = [column.to_pylist() for column in batch.take(pa.array(here - first)).columns]
                    found.update(zip(here.tolist(), map(list, zip(*columns, strict=True)), strict=True))
                first += batch.num_rows
        return [found[number] for number in numbers]


def read_found(
    path: Path, how: TableFormat, sha256_hex: str, directory: Path, progress: Progress = no_progress
) -> FoundTable:
    """Read a table into `directory`, or take up what was read into it before.

    Raises TableUnreadable; FoundChanged where the file is no longer the one whose digest was taken.
    """
    known = _known(directory)
    if known is not None:
        progress(path.stat().st_size)
        return known
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    with open_table(path, how, progress) as table, ExitStack() as stack:
        writer = _Writer(directory, table.columns, stack)
        for rows in table.rows():
            writer.add(rows)
        _, digest = table.digest()
    writer.combine()
    if digest != sha256_hex:
        raise FoundChanged(path, sha256_hex, digest)
    about = {
        "columns": list(table.columns),
        "count": writer.count,
        "delimiter": how.delimiter,
        "encoding": how.encoding,
        "format": how.format,
        "readings": [list(readings) for readings in writer.readings],
    }
    # Written last: what stands in the directory without it is of a run that did not come so far.
    replace_file(directory / _ABOUT, json.dumps(about).encode())
    return _table(directory, about)


def _known(directory: Path) -> FoundTable | None:
    try:
        return _table(directory, json.loads((directory / _ABOUT).read_bytes()))
    except FileNotFoundError:
        return None


def _table(directory: Path, about: dict[str, Any]) -> FoundTable:
    how = TableFormat(about["format"], about["delimiter"], about["encoding"])
    readings = tuple(map(tuple, about["readings"]))
    return FoundTable(directory, tuple(about["columns"]), about["count"], how, readings)


class _Writer:
    """Appends batches to one file a column and reading; a reading gets a file once it sees something else."""

    def __init__(self, directory: Path, columns: Sequence[str], stack: ExitStack) -> None:
        self.count = 0
        self.readings: list[list[Reading]] = [["text"] for _ in columns]
        self._directory = directory
        self._cells = CellReader()
        schema = pa.schema([(str(number), pa.large_string()) for number in range(len(columns))])
        sink = stack.enter_context(pa.OSFile(str(directory / _ROWS), "wb"))
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        self._rows = stack.enter_context(pa.ipc.new_file(sink, schema, options=options))

    def add(self, rows: Rows) -> None:
        """Append a batch."""
        self._rows.write_batch(rows.cells)
        records = np.fromiter((record_key(record) for record in rows.records()), np.uint64, rows.count)
        self._append("records", records)
        for number, column in enumerate(rows.cells.columns):
            text = self._cells.numbers(column, "text")
            for reading in READINGS[1:]:
                self._add_reading(number, reading, text, self._cells.numbers(column, reading))
            self._append(_column_name(number, "text"), text)
        self.count += rows.count

    def combine(self) -> None:
        """Make one file of all."""
        kinds = ((number, reading) for number, readings in enumerate(self.readings) for reading in readings)
        with (self._directory / _NUMBERS).open("wb") as file:
            for name in ("records", *(_column_name(*kind) for kind in kinds)):
                part = self._directory / name
                if part.exists():
                    with part.open("rb") as numbers:
                        shutil.copyfileobj(numbers, file, _COPY_BYTES)
                    part.unlink()

    def _add_reading(self, number: int, reading: Reading, text: Numbers, seen: Numbers) -> None:
        name = _column_name(number, reading)
        if reading not in self.readings[number]:
            if np.array_equal(text, seen):
                return
            if self.count:
                shutil.copyfile(self._directory / _column_name(number, "text"), self._directory / name)
            self.readings[number].append(reading)
        self._append(name, seen)

    def _append(self, name: str, numbers: Numbers) -> None:
        # Opened anew each time: a table may have more columns than a process may have files open.
        with (self._directory / name).open("ab") as file:
            numbers.tofile(file)


def _column_name(column: int, reading: Reading) -> str:
    return f"{column}.{reading}"
