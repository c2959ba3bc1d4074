"""Commitments to every record of a file, made in one pass and bounded memory (docs/format.md §15).

While some rows are hashed, the next ones are read, and the same are written to the copy, each in a thread of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Protocol, Self, TypeVar

from ledger.core.commitment import SALT_BYTES
from ledger.party.dataset.committing.chunks import chunks
from ledger.party.dataset.committing.errors import CountDiffers
from ledger.party.dataset.committing.keeping import ChunkKeeper, RowKeeper
from ledger.party.dataset.committing.leaves import fresh_salts, record_leaf, redactable_leaf
from ledger.party.dataset.committing.roots import RootBuilder
from ledger.party.dataset.reading.formats import TableFormat
from ledger.party.dataset.reading.rows import Rows
from ledger.party.dataset.reading.source import HashedFile
from ledger.party.dataset.reading.table import open_table
from ledger.party.digests import Progress, no_progress
from ledger.statements.content import ChunkRecords, FileDigest, RowRecords

_ItemT = TypeVar("_ItemT")


class Salts(Protocol):
    """Where the salts of the records of one file come from."""

    def take(self, count: int) -> bytes:
        """Return the next `count` salts of 16 bytes."""

    def end(self) -> None:
        """Take note that no record follows."""


class FreshSalts:
    """New salts, written to `file` as they are made."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def take(self, count: int) -> bytes:
        """Return `count` new salts."""
        salts = fresh_salts(count)
        self._file.write(salts)
        return salts

    def end(self) -> None:
        """Do nothing: there are as many salts as records."""


class GivenSalts:
    """The salts of a sender, `count` of them in parts; raises CountDiffers where the records are not as many."""

    def __init__(self, parts: Iterator[bytes], count: int) -> None:
        self._parts = parts
        self._count = count
        self._taken = 0
        self._waiting = b""

    def take(self, count: int) -> bytes:
        """Return the next `count` salts."""
        if self._taken + count > self._count:
            raise CountDiffers(self._count, None)
        while len(self._waiting) < count * SALT_BYTES:
            self._waiting += next(self._parts)
        self._taken += count
        salts, self._waiting = self._waiting[: count * SALT_BYTES], self._waiting[count * SALT_BYTES :]
        return salts

    def end(self) -> None:
        """Raise CountDiffers where salts are left."""
        if self._taken != self._count:
            raise CountDiffers(self._count, self._taken)


def commit_rows(
    path: Path,
    media_type: str,
    how: TableFormat,
    salts: Salts,
    *,
    redactable: bool,
    keep: tuple[Path, int] | None = None,
    progress: Progress = no_progress,
) -> FileDigest:
    """Return what is sealed of a table: its digest and the commitment to its rows.

    `keep` names the directory of a copy that is being written, and the file's position in it. Raises TableUnreadable,
    CountDiffers, OSError.
    """
    tree = RootBuilder()
    with open_table(path, how, progress) as table:
        with RowKeeper(*keep, len(table.columns)) if keep is not None else nullcontext() as keeper, _Beside() as beside:
            for rows, records in _ahead((rows, rows.records()) for rows in table.rows()):
                if keeper is not None:
                    beside.do(keeper.keep, rows, records)
                tree.add(row_leaves(rows, records, salts.take(rows.count), redactable=redactable))
        size, digest = table.digest()
        columns = list(table.columns)
    salts.end()
    root = tree.root().hex()
    committed = RowRecords(columns=columns, count=tree.count, redactable=redactable, root=root)
    return FileDigest(bytes=size, media_type=media_type, records=committed, sha256=digest)


def commit_chunks(
    path: Path,
    media_type: str,
    salts: Salts,
    *,
    keep: tuple[Path, int] | None = None,
    progress: Progress = no_progress,
) -> FileDigest:
    """Return what is sealed of any other file: its digest and the commitment to its chunks; else as `commit_rows`."""
    tree = RootBuilder()
    with HashedFile(path, progress) as file, ChunkKeeper(*keep) if keep is not None else nullcontext() as keeper:
        for part in _ahead(chunks(file)):
            leaves = [record_leaf(salt, chunk) for salt, chunk in zip(_cut(salts.take(len(part))), part, strict=True)]
            tree.add(leaves)
            if keeper is not None:
                keeper.keep(part, leaves)
        size, digest = file.count, file.sha256
    salts.end()
    root = tree.root().hex()
    records = ChunkRecords(count=tree.count, root=root)
    return FileDigest(bytes=size, media_type=media_type, records=records, sha256=digest)


def row_leaves(rows: Rows, records: Sequence[bytes], salts: bytes, *, redactable: bool) -> list[bytes]:
    """Return the leaves of some rows, whose canonical records and salts these are."""
    if redactable:
        cells = zip(*rows.record_cells(), strict=True)
        return [redactable_leaf(salt, row) for salt, row in zip(_cut(salts), cells, strict=True)]
    # The same as record_leaf, without a call a row: there may be hundreds of millions.
    return [sha256(b"\x00" + salt + record).digest() for salt, record in zip(_cut(salts), records, strict=True)]


def _cut(salts: bytes) -> list[bytes]:
    return [salts[start : start + SALT_BYTES] for start in range(0, len(salts), SALT_BYTES)]


def _ahead(items: Iterator[_ItemT]) -> Iterator[_ItemT]:
    """Yield the same items, each made while the one before is worked on."""
    with ThreadPoolExecutor(1) as maker:
        waiting = maker.submit(next, items, None)
        while (item := waiting.result()) is not None:
            waiting = maker.submit(next, items, None)
            yield item


class _Beside:
    """Does one thing at a time in a thread of its own; what it raises is raised by the next call, or at the end."""

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(1)
        self._doing: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            if error[0] is None:
                self._wait()
        finally:
            self._worker.shutdown()

    def do(self, what: Callable[[Rows, Sequence[bytes]], None], rows: Rows, records: Sequence[bytes]) -> None:
        self._wait()
        self._doing = self._worker.submit(what, rows, records)

    def _wait(self) -> None:
        if self._doing is not None:
            self._doing.result()
