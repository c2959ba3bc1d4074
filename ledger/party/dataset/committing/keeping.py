"""Writing the kept copy of a hand-off, beside the commitment to its records (see `copies`)."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ledger.core.encoding import canonical
from ledger.party.dataset.committing.copies import COPY_NAME, KEY_BYTES, KeptCopy, KeptFile, cell_key, kept_name
from ledger.party.dataset.reading.normal import normal_form
from ledger.party.dataset.reading.rows import MAX_ROWS, TEXT, Rows
from ledger.party.files import OWNER_ONLY_DIRECTORY, create_file, create_new, sync_directory

_MAX_WAITING_BYTES = 32 * 1024 * 1024
_MAX_KNOWN = 500_000  # normal forms remembered, of all columns together: tens of megabytes
_CHUNKS = pa.schema([("length", pa.int32()), ("sha256", pa.binary(32)), ("leaf", pa.binary(32))])


class CopyWriter:
    """A copy that is being written, in `copies/.new-…` of a vault until the hand-off has an id.

    Used as a context: what was not kept by `finish` is removed when it ends.
    """

    def __init__(self, copies: Path) -> None:
        """Make a directory of its own in `copies`, which only its owner can enter."""
        self.directory = copies / f".new-{secrets.token_hex(8)}"
        self._copies = copies
        self.directory.mkdir(mode=OWNER_ONLY_DIRECTORY)

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove what was not kept."""
        rmtree(self.directory, ignore_errors=True)

    def finish(self, transfer: str, files: Sequence[KeptFile]) -> Path:
        """Keep it, durably, as the copy of `transfer`; return where it is."""
        kept = KeptCopy(files=list(files), transfer=transfer)
        create_file(self.directory / COPY_NAME, canonical(kept.model_dump(exclude_none=True)) + b"\n")
        target = self._copies / transfer.removeprefix("sha256:")
        self.directory.rename(target)
        sync_directory(self._copies)
        return target


class RowKeeper:
    """Keeps the rows of the file at one position; a context, complete when it ends."""

    def __init__(self, directory: Path, position: int, width: int) -> None:
        self._stack = ExitStack()
        names = [str(number) for number in range(width)]
        self._cells = _Writer(self._stack, directory / kept_name(position, "cells"), [(name, TEXT) for name in names])
        numbered = [(name, pa.uint64()) for name in ("record", *names)]
        self._keys = _Writer(self._stack, directory / kept_name(position, "keys"), numbered)
        self._known: list[dict[str, int]] = [{} for _ in names]
        self._limit = _MAX_KNOWN // width

    def __enter__(self) -> Self:
        """Return the keeper."""
        return self

    def __exit__(self, *error: object) -> None:
        """Write what waits, and wait for the disk."""
        if error[0] is None:
            self._cells.flush()
            self._keys.flush()
        self._stack.close()

    def keep(self, rows: Rows, records: Sequence[bytes]) -> None:
        """Keep some rows, whose canonical records these are."""
        self._cells.add(rows.cells)
        digests = b"".join([sha256(record).digest()[:KEY_BYTES] for record in records])
        record = pa.array(np.frombuffer(digests, "<u8"))
        for known in self._known:
            if len(known) > self._limit:
                known.clear()
        columns = [_keys(column, known) for column, known in zip(rows.cells.columns, self._known, strict=True)]
        self._keys.add(pa.RecordBatch.from_arrays([record, *columns], schema=self._keys.schema))


class ChunkKeeper:
    """Keeps what identifies the chunks of the file at one position; a context, complete when it ends."""

    def __init__(self, directory: Path, position: int) -> None:
        self._stack = ExitStack()
        self._chunks = _Writer(self._stack, directory / kept_name(position, "chunks"), list(_CHUNKS))

    def __enter__(self) -> Self:
        """Return the keeper."""
        return self

    def __exit__(self, *error: object) -> None:
        """Write what waits, and wait for the disk."""
        if error[0] is None:
            self._chunks.flush()
        self._stack.close()

    def keep(self, chunks: Sequence[bytes], leaves: Sequence[bytes]) -> None:
        """Keep some chunks and their leaves."""
        lengths, digests = [len(chunk) for chunk in chunks], [sha256(chunk).digest() for chunk in chunks]
        columns = [pa.array(lengths, pa.int32()), pa.array(digests, pa.binary(32)), pa.array(leaves, pa.binary(32))]
        self._chunks.add(pa.RecordBatch.from_arrays(columns, schema=_CHUNKS))


class _Writer:
    """A Parquet file that only its owner can read; batches wait until they make a row group of a useful size."""

    def __init__(self, stack: ExitStack, path: Path, fields: Sequence[object]) -> None:
        self.schema = pa.schema(fields)
        file = stack.enter_context(create_new(path))
        stack.callback(os.fsync, file.fileno())
        stack.callback(file.flush)
        self._file = stack.enter_context(pq.ParquetWriter(file, self.schema, compression="zstd"))
        self._waiting: list[pa.RecordBatch] = []
        self._count = self._bytes = 0

    def add(self, batch: pa.RecordBatch) -> None:
        self._waiting.append(batch)
        self._count += batch.num_rows
        self._bytes += batch.nbytes
        if self._count >= MAX_ROWS or self._bytes >= _MAX_WAITING_BYTES:
            self.flush()

    def flush(self) -> None:
        if self._waiting:
            self._file.write_table(pa.Table.from_batches(self._waiting, self.schema))
        self._waiting = []
        self._count = self._bytes = 0


def _keys(column: pa.Array, known: dict[str, int]) -> pa.Array:
    """Return `cell_key` of every cell's normal form. What is known already is remembered: columns repeat themselves."""
    encoded = column.dictionary_encode()
    values = encoded.dictionary.to_pylist()
    numbers = np.zeros(len(values) + 1, np.uint64)
    for position, value in enumerate(values):
        number = known.get(value)
        if number is None:
            number = known[value] = cell_key(normal_form(value))
        numbers[position] = number
    indices = encoded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)
    return pa.array(numbers[indices])
