"""Tables of every format, read the same way: names, batches of canonical rows, the digest of their bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.party.dataset.reading.columnar import ColumnarTable
from ledger.party.dataset.reading.delimited import DelimitedTable
from ledger.party.dataset.reading.errors import TableUnreadable
from ledger.party.dataset.reading.formats import TableFormat
from ledger.party.dataset.reading.jsonlines import JsonTable
from ledger.party.dataset.reading.rows import Rows
from ledger.party.dataset.reading.source import HashedFile
from ledger.party.digests import Progress, no_progress

_READ_BYTES = 1024 * 1024


class Table:
    """An open table. `columns` are its names; `rows` yields its batches, once."""

    def __init__(self, file: HashedFile, source: DelimitedTable | JsonTable | ColumnarTable) -> None:
        self._file = file
        self._source = source
        self.columns = source.columns

    def rows(self) -> Iterator[Rows]:
        """Yield the rows in batches of at most 65,536, in bounded memory; raise TableUnreadable."""
        yield from self._source.rows()

    def digest(self) -> tuple[int, str]:
        """Return the file's size in bytes and its SHA-256 in hex, once all rows were read."""
        while self._file.read(_READ_BYTES):
            pass
        return self._file.count, self._file.sha256


@contextmanager
def open_table(path: Path, how: TableFormat, progress: Progress = no_progress) -> Iterator[Table]:
    """Open a file as a table; `progress` is told of the file's bytes once, as they are hashed.

    Raises TableUnreadable, also where a Parquet or Arrow file changed while it was read, and OSError.
    """
    with HashedFile(path, progress) as file:
        if how.format in {"csv", "tsv"}:
            yield Table(file, DelimitedTable(file, how))
        elif how.format == "jsonl":
            yield Table(file, JsonTable(file))
        else:
            # These are read at random, and hashed beside: a file that changes in between would be two files.
            before = _stamp(path)
            with ColumnarTable(path, how.format) as source:
                yield Table(file, source)
            if _stamp(path) != before:
                raise TableUnreadable(path, "", "the file changed while it was read", "wait until it is complete")


def _stamp(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns
