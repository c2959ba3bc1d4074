"""Opening records of a hand-off by their numbers, from the kept copy and the manifest (docs/format.md §15.6)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.core.commitment import SALT_BYTES
from ledger.core.encoding import b64encode
from ledger.core.errors import FormatError, ProofError
from ledger.party.dataset.committing.committing import GivenSalts, row_leaves
from ledger.party.dataset.committing.copies import CopyFile
from ledger.party.dataset.committing.errors import CountDiffers
from ledger.party.dataset.committing.leaves import cell_leaves, cell_salt
from ledger.party.dataset.committing.manifests import SaltReader, read_manifest
from ledger.party.dataset.committing.opened import OpenedCell, OpenedCells, OpenedRow, check_opened, encode_path
from ledger.party.dataset.committing.roots import RootBuilder, path_nodes
from ledger.party.dataset.reading.cells import canonical_cell, canonical_record
from ledger.party.dataset.reading.errors import CopyDamaged
from ledger.party.errors import Unfit
from ledger.statements.content import Manifest, Records, RowRecords


def open_records(
    file: CopyFile,
    manifest: Path,
    numbers: Sequence[int],
    *,
    cells: Mapping[int, Sequence[int]] | None = None,
    chunks: Mapping[int, bytes] | None = None,
) -> list[OpenedRow | OpenedCells]:
    """Return these records, opened, in this order; each is checked against the sealed root before it is returned.

    `cells` says, for records of redactable files, which columns (from 0) to open: all, where it says nothing. `chunks`
    has the bytes of chunks, which the copy does not keep. One pass over the copy of the file, in bounded memory.
    Raises Unfit if there is nothing to open, IndexError for numbers that no record has, and CopyDamaged.
    """
    records = file.digest.records
    if records is None:
        raise Unfit(f"the records of {file.name} were not committed to")
    if any(not 0 <= number < records.count for number in numbers):
        raise IndexError(f"{file.name} has {records.count} records")
    opener = _Opener(file, records, sorted(set(numbers)))
    try:
        opener.walk(manifest, chunks or {})
        if opener.tree.root().hex() != records.root:
            raise CopyDamaged(manifest, f"with what is kept of {file.name}, it does not give the root that was sealed")
        opened = [opener.open(number, (cells or {}).get(number)) for number in numbers]
        for item in opened:
            check_opened(item, records)
    except (CountDiffers, ProofError, FormatError) as error:
        raise CopyDamaged(manifest, f"what is kept of {file.name} does not open it: {error}") from error
    return opened


@dataclass(frozen=True)
class _Found:
    """Of one record: its salt, and its canonical cells or chunk."""

    salt: bytes
    cells: list[bytes]
    value: bytes


class _Opener:
    """Goes through all records of a file, growing the tree, and keeps what is needed of those that are wanted."""

    def __init__(self, file: CopyFile, records: Records, numbers: Sequence[int]) -> None:
        self.tree = RootBuilder(path_nodes(numbers, records.count))
        self._file = file
        self._records = records
        self._numbers = numbers
        self._found: dict[int, _Found] = {}

    def walk(self, manifest: Path, chunks: Mapping[int, bytes]) -> None:
        head = read_manifest(manifest)
        if not isinstance(head, Manifest):
            raise Unfit(f"{manifest} has no salts of records: it is of version 1")
        with SaltReader(manifest, head) as reader:
            for position in range(self._file.position):
                for _ in reader.salts(position):
                    pass
            salts = GivenSalts(reader.salts(self._file.position), self._records.count)
            if isinstance(self._records, RowRecords):
                self._walk_rows(salts, redactable=self._records.redactable)
            else:
                self._walk_chunks(salts, chunks)
            salts.end()

    def _walk_rows(self, salts: GivenSalts, *, redactable: bool) -> None:
        for rows in self._file.rows():
            taken = salts.take(rows.count)
            self.tree.add(row_leaves(rows, rows.records(), taken, redactable=redactable))
            for number in self._within(rows.first, rows.count):
                row = rows.row(number - rows.first)
                cells = [canonical_cell(cell) for cell in row]
                self._found[number] = _Found(_salt(taken, number - rows.first), cells, canonical_record(row))

    def _walk_chunks(self, salts: GivenSalts, chunks: Mapping[int, bytes]) -> None:
        first = 0
        for leaves in self._file.chunk_leaves():
            taken = salts.take(len(leaves))
            self.tree.add(leaves)
            for number in self._within(first, len(leaves)):
                if number not in chunks:
                    raise Unfit(f"to open chunk {number} of {self._file.name}, its bytes are needed")
                self._found[number] = _Found(_salt(taken, number - first), [], chunks[number])
            first += len(leaves)

    def open(self, number: int, columns: Sequence[int] | None) -> OpenedRow | OpenedCells:
        found, path = self._found[number], encode_path(self.tree.path(number))
        position = self._file.position
        if not isinstance(self._records, RowRecords) or not self._records.redactable:
            if columns is not None:
                raise Unfit(f"{self._file.name} was handed off without --redactable: its records are opened as a whole")
            salt, value = b64encode(found.salt), b64encode(found.value)
            return OpenedRow(file=position, path=path, record=number, salt=salt, value=value)
        wanted = sorted(set(range(len(found.cells)) if columns is None else columns))
        row = RootBuilder(path_nodes(wanted, len(found.cells)))
        row.add(cell_leaves(found.salt, found.cells))
        row.root()
        cells = [
            OpenedCell(
                column=column + 1,
                path=encode_path(row.path(column)),
                salt=b64encode(cell_salt(found.salt, column + 1)),
                value=b64encode(found.cells[column]),
            )
            for column in wanted
        ]
        salt = b64encode(cell_salt(found.salt, 0))
        return OpenedCells(cells=cells, file=position, path=path, record=number, salt=salt)

    def _within(self, first: int, count: int) -> list[int]:
        numbers = self._numbers
        return list(numbers[bisect_left(numbers, first) : bisect_left(numbers, first + count)])


def _salt(salts: bytes, number: int) -> bytes:
    return salts[number * SALT_BYTES : (number + 1) * SALT_BYTES]
