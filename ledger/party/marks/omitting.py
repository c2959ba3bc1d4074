"""Copies that lack rows: the file as it is, but for the records that a draw says are left out (docs/marks.md §9.1)."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack
from itertools import zip_longest
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ledger.party.dataset.reading.formats import codec
from ledger.party.dataset.reading.source import HashedFile
from ledger.party.dataset.reading.table import open_table
from ledger.party.dataset.reading.textual import text_blocks
from ledger.party.digests import Progress, no_progress
from ledger.party.marks.drawing import SourceTable
from ledger.party.marks.errors import CannotMark
from ledger.party.marks.lines import encoding_of, record_places
from ledger.party.marks.planting import HEAD_BYTES, UNMARKED, Copy, open_columns

Ints = npt.NDArray[np.int64]


def leave_out(source: SourceTable, records: Collection[bytes], out: BinaryIO, progress: Progress = no_progress) -> None:
    """Write the table without any row that is one of these canonical records; raise as `plant` does."""
    numbers = _numbers_of(source, frozenset(records))
    if source.how.format in {"parquet", "arrow"}:
        try:
            _leave_out_of_columns(source, numbers, out, progress)
        except pa.ArrowException as error:
            raise CannotMark(f"{source.path} cannot be written with fewer rows: {error}", UNMARKED) from error
    else:
        _leave_out_lines(source, frozenset(numbers.tolist()), out, progress)


def check_left_out(
    source: SourceTable, copy: Path, records: Collection[bytes], progress: Progress = no_progress
) -> None:
    """Read the copy again, and raise CannotMark unless it is the table without these records, and nothing else."""
    lacking = frozenset(records)
    with open_table(copy, source.how, progress) as marked, open_table(source.path, source.how) as table:
        ours = (record for batch in table.rows() for record in batch.records() if record not in lacking)
        theirs = (record for batch in marked.rows() for record in batch.records())
        if any(left != right for left, right in zip_longest(ours, theirs)) or marked.columns != table.columns:
            raise CannotMark(f"{copy} would not hold the other rows of {source.path} as they are", UNMARKED)


def _numbers_of(source: SourceTable, records: frozenset[bytes]) -> Ints:
    """Return the numbers of the rows that are one of these records, ascending."""
    found: list[int] = []
    with open_table(source.path, source.how) as table:
        for batch in table.rows():
            found += [batch.first + at for at, record in enumerate(batch.records()) if record in records]
    return np.array(found, np.int64)


def _leave_out_lines(source: SourceTable, numbers: frozenset[int], out: BinaryIO, progress: Progress) -> None:
    how, number = source.how, 0
    encoding, is_header = encoding_of(source.path, how), how.format != "jsonl"
    with HashedFile(source.path, progress) as file:
        with source.path.open("rb") as start:
            head = start.read(HEAD_BYTES)
        name, mark = codec(source.path, encoding, head)
        copy = Copy(out, name, head[:mark])
        for block in text_blocks(file, encoding, quoted=how.format != "jsonl"):
            written, is_out = 0, False
            for begin, _ in record_places(block.text, how):
                # What stands between two records, line ends above all, goes with the one before.
                (copy.left_out if is_out else copy.old)(block.text[written:begin])
                written, is_out = begin, not is_header and number in numbers
                number += not is_header
                is_header = False
            (copy.left_out if is_out else copy.old)(block.text[written:])
        if copy.digest.hexdigest() != file.sha256:
            raise CannotMark(f"{source.path} is not written in the only way that {encoding} has", UNMARKED)


def _leave_out_of_columns(source: SourceTable, numbers: Ints, out: BinaryIO, progress: Progress) -> None:
    with ExitStack() as stack:
        schema, batches, sink = open_columns(stack, source, out)
        first = 0
        for batch in batches:
            kept = np.ones(batch.num_rows, bool)
            kept[numbers[(numbers >= first) & (numbers < first + batch.num_rows)] - first] = False
            first += batch.num_rows
            sink.write_table(pa.Table.from_batches([batch.filter(pa.array(kept))], schema))
            progress(batch.nbytes)
