"""The kept copy: what the vault of a sender keeps of each hand-off, so that a leak can be traced without anything else.

`copies/<transfer's hex>/` holds `copy.json`, and for the file at each position what its records are:

<position>.cells.parquet     rows: the canonical cells; columns are named by their positions
<position>.keys.parquet      rows: a number a record and a number a cell's normal form, to find candidates by
<position>.chunks.parquet    chunks: length, SHA-256 and leaf of each; not their bytes

Equal numbers are candidates, never evidence: whoever finds some compares the cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from ledger.core.encoding import parse_json
from ledger.core.errors import FormatError
from ledger.party.dataset.reading.cells import Cell
from ledger.party.dataset.reading.errors import CopyDamaged
from ledger.party.dataset.reading.formats import TableFormat
from ledger.party.dataset.reading.rows import MAX_ROWS, TEXT, Rows
from ledger.statements.content import MAX_FILES, FileDigest, FileReading, RowRecords
from ledger.statements.fields import FileName, Id, Model
from ledger.statements.reading import read_model

COPY_NAME = "copy.json"
KEY_BYTES = 8
_HEX = re.compile("[0-9a-f]{64}", re.ASCII)
_ID = "sha256:"

Numbers = npt.NDArray[np.uint64]


class KeptFile(Model):
    """One file of a kept copy: its name, what is sealed of it, and how it was read."""

    digest: FileDigest
    name: FileName
    reading: FileReading


class KeptCopy(Model):
    """What `copy.json` holds."""

    files: Annotated[list[KeptFile], Field(min_length=1, max_length=MAX_FILES)]
    transfer: Id
    type: Literal["provenance-ledger.copy/v1"] = "provenance-ledger.copy/v1"


@dataclass(frozen=True)
class Keys:
    """Numbers of some rows: `record` of whole records, if asked for; `cells`, one array a wanted column, 0 is none."""

    first: int
    record: Numbers | None
    cells: list[Numbers]


class CopyFile:
    """One file of a kept copy, streamed in batches; raises CopyDamaged where what is kept is not what it was."""

    def __init__(self, directory: Path, position: int, kept: KeptFile) -> None:
        self.position = position
        self.name = kept.name
        self.digest = kept.digest
        self.media_type = kept.digest.media_type
        self.how = TableFormat.of(kept.reading)
        self._directory = directory

    @property
    def count(self) -> int:
        """How many records it has."""
        return 0 if self.digest.records is None else self.digest.records.count

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns; none where it is kept by chunks."""
        return tuple(self.digest.records.columns) if isinstance(self.digest.records, RowRecords) else ()

    def rows(self, columns: Sequence[int] | None = None) -> Iterator[Rows]:
        """Yield its rows: all columns, or those at these positions in this order."""
        names = [str(column) for column in (range(len(self.columns)) if columns is None else columns)]
        first = 0
        for batch in self._batches("cells", names):
            yield Rows.of(first, batch.select(names).cast(pa.schema([(name, TEXT) for name in names])))
            first += batch.num_rows

    def keys(self, columns: Sequence[int] | None = None, *, record: bool = True) -> Iterator[Keys]:
        """Yield the numbers of its rows: `record_key` of each, and `cell_key` of the cells in all or these columns."""
        names = [str(column) for column in (range(len(self.columns)) if columns is None else columns)]
        wanted = [*names, "record"] if record else names
        first = 0
        for batch in self._batches("keys", wanted):
            numbers = {name: batch.column(name).to_numpy() for name in wanted}
            yield Keys(first, numbers["record"] if record else None, [numbers[name] for name in names])
            first += batch.num_rows

    def take(self, numbers: Sequence[int]) -> list[list[Cell]]:
        """Return the cells of these records, in this order; reads only where they are. Raises IndexError."""
        if any(not 0 <= number < self.count for number in numbers):
            raise IndexError("there is no such record")
        wanted = np.unique(np.array(numbers, np.int64))
        found: dict[int, list[Cell]] = {}
        with self._open("cells") as file:
            first = 0
            for group in range(file.num_row_groups):
                count = file.metadata.row_group(group).num_rows
                here = wanted[(wanted >= first) & (wanted < first + count)]
                if len(here):
                    batch = file.read_row_group(group).combine_chunks().to_batches()[0]
                    found.update(zip(here.tolist(), Rows.of(first, batch).take((here - first).tolist()), strict=True))
                first += count
        return [found[number] for number in numbers]

    def chunk_digests(self) -> Iterator[tuple[int, list[bytes]]]:
        """Yield the SHA-256 of its chunks: the number of the first, and some of them."""
        first = 0
        for batch in self._batches("chunks", ["sha256"]):
            yield first, batch.column("sha256").to_pylist()
            first += batch.num_rows

    def chunk_leaves(self) -> Iterator[list[bytes]]:
        """Yield the leaves of its chunks."""
        return (batch.column("leaf").to_pylist() for batch in self._batches("chunks", ["leaf"]))

    def _batches(self, what: str, names: list[str]) -> Iterator[pa.RecordBatch]:
        count = 0
        with self._open(what) as file:
            try:
                # Every batch has all columns, or `use_threads` would help nobody: pages are decoded side by side.
                for batch in file.iter_batches(MAX_ROWS, columns=names):
                    count += batch.num_rows
                    yield batch
            except (pa.ArrowException, OSError) as error:
                raise self._damaged(what, str(error)) from error
        if count != self.count:
            raise self._damaged(what, f"it has {count} records and not {self.count}")

    def _open(self, what: str) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(self._directory / kept_name(self.position, what))
        except (pa.ArrowException, OSError) as error:
            raise self._damaged(what, str(error)) from error

    def _damaged(self, what: str, detail: str) -> CopyDamaged:
        return CopyDamaged(self._directory / kept_name(self.position, what), detail)


@dataclass(frozen=True)
class Copy:
    """What is kept of one hand-off: of `transfer`, an id, its files in the order of the content."""

    transfer: str
    files: list[CopyFile]


class Copies:
    """The kept copies of a vault, given by its directory."""

    def __init__(self, vault: Path) -> None:
        self._directory = vault / "copies"

    def transfers(self) -> list[str]:
        """Return the ids of the hand-offs of which a copy is kept, ascending."""
        if not self._directory.is_dir():
            return []
        return sorted(_ID + path.name for path in self._directory.iterdir() if _HEX.fullmatch(path.name))

    def open(self, transfer: str) -> Copy | None:
        """Return the copy of a hand-off, or None; raise CopyDamaged."""
        directory = self.directory(transfer)
        try:
            raw = (directory / COPY_NAME).read_bytes()
        except FileNotFoundError:
            return None
        try:
            kept = read_model(KeptCopy, parse_json(raw))
        except FormatError as error:
            raise CopyDamaged(directory / COPY_NAME, str(error)) from error
        if kept.transfer != transfer:
            raise CopyDamaged(directory / COPY_NAME, "it is of another hand-off")
        return Copy(transfer, [CopyFile(directory, position, file) for position, file in enumerate(kept.files)])

    def drop(self, transfer: str) -> None:
        """Forget the copy of a hand-off."""
        rmtree(self.directory(transfer), ignore_errors=True)

    def directory(self, transfer: str) -> Path:
        """Return where the copy of a hand-off is, or would be; raise ValueError for what is not a statement's id."""
        name = transfer.removeprefix(_ID)
        if not transfer.startswith(_ID) or not _HEX.fullmatch(name):
            raise ValueError(f"not a statement id: {transfer[:80]!a}")
        return self._directory / name


def kept_name(position: int, what: str) -> str:
    """Return the name of the file in which `what` (cells, keys or chunks) is kept of the file at a position."""
    return f"{position}.{what}.parquet"


def record_key(record: bytes) -> int:
    """Return the number of a canonical record: the first 8 bytes, little-endian, of its SHA-256."""
    return int.from_bytes(sha256(record).digest()[:KEY_BYTES], "little")


def cell_key(normal: str | None) -> int:
    """Return the number of a normal form: 0 for none, else the first 8 bytes of its SHA-256, and never 0."""
    if normal is None:
        return 0
    return int.from_bytes(sha256(normal.encode(errors="surrogatepass")).digest()[:KEY_BYTES], "little") or 1
