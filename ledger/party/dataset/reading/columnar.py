"""Parquet and Arrow files, read batch by batch (docs/format.md §15.3)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from ledger.party.dataset.reading.cells import canonical_text
from ledger.party.dataset.reading.errors import NotReadable, TableUnreadable
from ledger.party.dataset.reading.formats import FormatName
from ledger.party.dataset.reading.rows import MAX_ROWS, Rows, batches
from ledger.party.dataset.reading.values import text_column
from ledger.statements.content import MAX_COLUMNS

_ADVICE = "write the file again with an Arrow or Parquet library, or hand it over under a name without its ending"


class ColumnarTable:
    """A Parquet or Arrow file; its `columns` are those of its schema, its rows come once."""

    def __init__(self, path: Path, name: FormatName) -> None:
        """Open the file; raise TableUnreadable where it is none of its format, or has no columns."""
        self._path = path
        self._stack = ExitStack()
        try:
            schema, self._batches = self._parquet() if name == "parquet" else self._arrow()
        except (pa.ArrowException, OSError) as error:
            self._stack.close()
            raise self._damaged(name, error) from error
        self._name = name
        self.columns = tuple(canonical_text(column) for column in schema.names)
        if not 1 <= len(self.columns) <= MAX_COLUMNS:
            raise TableUnreadable(path, "", f"{len(self.columns)} columns; 1 to {MAX_COLUMNS} are read")
        for column in self.columns:
            if any(unicodedata.category(character) == "Cc" for character in column):
                raise TableUnreadable(path, "", f"the column name {column[:80]!a} has a control character in it")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the file."""
        self._stack.close()

    def __enter__(self) -> Self:
        """Return the open file."""
        return self

    def rows(self) -> Iterator[Rows]:
        """Yield the rows in batches; raise TableUnreadable for a value that has no canonical form."""
        count = 0
        try:
            for batch in self._batches:
                yield from batches(count, self._texts(batch, count), batch.num_rows)
                count += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise self._damaged(self._name, error) from error

    def _texts(self, batch: pa.RecordBatch, first: int) -> list[pa.Array]:
        texts = []
        for name, column in zip(self.columns, batch.columns, strict=True):
            try:
                texts.append(text_column(column))
            except NotReadable as error:
                place = f"rows {first + 1} to {first + batch.num_rows}"
                raise TableUnreadable(self._path, place, f"column {name[:80]!a}: {error}", _ADVICE) from error
        return texts

    def _parquet(self) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        file = self._stack.enter_context(pq.ParquetFile(self._path))
        return file.schema_arrow, file.iter_batches(batch_size=MAX_ROWS)

    def _arrow(self) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        source = self._stack.enter_context(pa.OSFile(str(self._path)))
        try:
            file = self._stack.enter_context(pa.ipc.open_file(source))
        except pa.ArrowInvalid:
            source.seek(0)
            stream = self._stack.enter_context(pa.ipc.open_stream(source))
            return stream.schema, iter(stream)
        return file.schema, (file.get_batch(number) for number in range(file.num_record_batches))

    def _damaged(self, name: str, error: Exception) -> TableUnreadable:
        return TableUnreadable(self._path, "", f"not a readable {name} file: {str(error)[:300]}", _ADVICE)
