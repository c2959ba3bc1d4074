"""Marked copies: the file as it is, with rows added at random places; no value of it is altered (docs/marks.md §1)."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from ledger.party.dataset.reading.cells import Cell, parse_record
from ledger.party.dataset.reading.errors import NotReadable
from ledger.party.dataset.reading.formats import codec
from ledger.party.dataset.reading.source import HashedFile
from ledger.party.dataset.reading.table import open_table
from ledger.party.dataset.reading.textual import text_blocks
from ledger.party.dataset.reading.values import text_column
from ledger.party.digests import Progress, no_progress
from ledger.party.marks.drawing import SourceTable
from ledger.party.marks.errors import CannotMark
from ledger.party.marks.lines import Writer, encoding_of, record_places

Waiting = deque[tuple[int, bytes]]
"""Marks by the number of the row that each is put before, ascending."""
HEAD_BYTES = 4
_BATCH_ROWS = 65_536
UNMARKED = "convert it to CSV in UTF-8 first, or hand it over unmarked"


def plant(
    source: SourceTable, records: Sequence[bytes], out: BinaryIO, random: Random, progress: Progress = no_progress
) -> None:
    """Write the table with these canonical records among its rows, each at a random place.

    Raises CannotMark where that would alter anything else, and what reading raises.
    """
    shuffled = list(records)
    random.shuffle(shuffled)
    places = sorted(random.randrange(source.rows + 1) for _ in shuffled)
    waiting = deque(zip(places, shuffled, strict=True))
    if source.how.format in {"parquet", "arrow"}:
        try:
            _plant_columns(source, waiting, out, progress)
        except pa.ArrowException as error:
            raise CannotMark(f"{source.path} cannot be written with further rows: {error}", UNMARKED) from error
    else:
        _plant_lines(source, waiting, out, progress)


def check_planted(source: SourceTable, copy: Path, records: Sequence[bytes], progress: Progress = no_progress) -> None:
    """Read the copy again, and raise CannotMark unless it is the table and, once each, these records; nothing else."""
    expected = Counter(records)
    with open_table(copy, source.how, progress) as marked, open_table(source.path, source.how) as table:
        ours = (record for batch in table.rows() for record in batch.records())
        for batch in marked.rows():
            for record in batch.records():
                if expected[record]:
                    expected[record] -= 1
                elif record != next(ours, None):
                    raise CannotMark(f"{copy} would not hold the rows of {source.path} as they are", UNMARKED)
        if any(expected.values()) or next(ours, None) is not None or marked.columns != table.columns:
            raise CannotMark(f"a mark, or a row, would not be read from {copy} as it is meant", UNMARKED)


def _plant_lines(source: SourceTable, waiting: Waiting, out: BinaryIO, progress: Progress) -> None:
    how, writer, number = source.how, Writer(source.path, source.how, source.columns), 0
    encoding, is_header, last = encoding_of(source.path, how), how.format != "jsonl", b""
    with HashedFile(source.path, progress) as file:
        with source.path.open("rb") as start:
            head = start.read(HEAD_BYTES)
        name, mark = codec(source.path, encoding, head)
        copy = Copy(out, name, head[:mark])
        for block in text_blocks(file, encoding, quoted=how.format != "jsonl"):
            written = 0
            for begin, _ in record_places(block.text, how):
                while waiting and waiting[0][0] == number and not is_header:
                    copy.old(block.text[written:begin])
                    copy.new(writer.line(waiting.popleft()[1]) + writer.line_end)
                    written = begin
                number += not is_header
                is_header = False
            copy.old(block.text[written:])
            last = block.text[-1:] or last
        ends = last in {b"\n", b"\r"}
        for _, record in waiting:
            line = writer.line(record)
            copy.new(line + writer.line_end if ends else writer.line_end + line)
        if copy.digest.hexdigest() != file.sha256:
            raise CannotMark(f"{source.path} is not written in the only way that {encoding} has", UNMARKED)


class Copy:
    """A copy in its encoding; `digest` is of what was there before."""

    def __init__(self, out: BinaryIO, encoding: str, mark: bytes) -> None:
        self.digest = sha256(mark)
        self._out = out
        self._encoding = encoding
        out.write(mark)

    def old(self, text: bytes) -> None:
        """Write what was there before."""
        self._out.write(self.left_out(text))

    def left_out(self, text: bytes) -> bytes:
        """Take what is not written, and return it in the file's encoding."""
        data = text if self._encoding == "utf-8" else text.decode().encode(self._encoding)
        self.digest.update(data)
        return data

    def new(self, line: str) -> None:
        """Write a line that was not there."""
        try:
            self._out.write(line.encode(self._encoding))
        except UnicodeEncodeError as error:
            raise CannotMark(f"a mark cannot be written in {self._encoding}: {error.reason}", UNMARKED) from error


def _plant_columns(source: SourceTable, waiting: Waiting, out: BinaryIO, progress: Progress) -> None:
    with ExitStack() as stack:
        schema, batches, sink = open_columns(stack, source, out)
        number = 0
        for batch in batches:
            pieces, written = [], 0
            while waiting and waiting[0][0] < number + batch.num_rows:
                place = waiting[0][0] - number
                pieces += [batch.slice(written, place - written), _as_batch(waiting.popleft()[1], schema)]
                written = place
            pieces.append(batch.slice(written))
            number += batch.num_rows
            sink.write_table(pa.Table.from_batches(pieces, schema).combine_chunks())
            progress(batch.nbytes)
        if waiting:
            rest = [_as_batch(record, schema) for _, record in waiting]
            sink.write_table(pa.Table.from_batches(rest, schema).combine_chunks())


def open_columns(
    stack: ExitStack, source: SourceTable, out: BinaryIO
) -> tuple[pa.Schema, Iterator[pa.RecordBatch], Any]:
    """Return the schema and batches of a Parquet or Arrow file, and a writer of one like it."""
    if source.how.format == "parquet":
        parquet = stack.enter_context(pq.ParquetFile(source.path))
        schema, batches = parquet.schema_arrow, parquet.iter_batches(batch_size=_BATCH_ROWS)
        packing = parquet.metadata.row_group(0).column(0).compression.lower() if parquet.num_row_groups else "none"
        return schema, batches, stack.enter_context(pq.ParquetWriter(out, schema, compression=packing))
    schema, batches, is_stream = _arrow(stack, source.path)
    return schema, batches, stack.enter_context((pa.ipc.new_stream if is_stream else pa.ipc.new_file)(out, schema))


def _arrow(stack: ExitStack, path: Path) -> tuple[pa.Schema, Iterator[pa.RecordBatch], bool]:
    source = stack.enter_context(pa.OSFile(str(path)))
    try:
        file = stack.enter_context(pa.ipc.open_file(source))
    except pa.ArrowInvalid:
        source.seek(0)
        stream = stack.enter_context(pa.ipc.open_stream(source))
        return stream.schema, iter(stream), True
    return file.schema, (file.get_batch(number) for number in range(file.num_record_batches)), False


def _as_batch(record: bytes, schema: pa.Schema) -> pa.RecordBatch:
    """Return a canonical record as one row of the schema's types; raise CannotMark where a type has no way back."""
    columns = [_as_column(field, cell) for field, cell in zip(schema, parse_record(record), strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _as_column(field: pa.Field, cell: Cell) -> pa.Array:
    kind = field.type
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    try:
        column = pa.array([cell], pa.string()).cast(plain)
        column = column.cast(kind) if plain is not kind else column
        if text_column(column).to_pylist() == [cell]:
            return column
    except (pa.ArrowException, NotReadable):
        pass
    raise CannotMark(f"the column {field.name!a} has values of type {kind}, which are not drawn", UNMARKED)
