"""Opened records: one row, or some cells of it, shown with the path to the sealed root (docs/format.md §15.6)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, model_validator

from ledger.core.encoding import b64decode, b64encode
from ledger.core.errors import FormatError, ProofError
from ledger.core.hashing import HASH_BYTES, node_hash
from ledger.core.merkle import inclusion_ranges, verify_inclusion
from ledger.party.dataset.committing.leaves import record_leaf
from ledger.party.dataset.reading.cells import parse_cell, parse_record
from ledger.statements.content import ChunkRecords, Records, RowRecords
from ledger.statements.fields import Base64, Model, Nonce, Quantity, Size, base64_of, refuse

_MAX_PATH = 53
_MAX_CHUNK_BYTES = 65_536


Path = Annotated[list[Annotated[str, base64_of(HASH_BYTES, "a hash")]], Field(max_length=_MAX_PATH)]


class OpenedRow(Model):
    """A whole record: `value` is its canonical record, `record` its number from 0, `file` its file's position."""

    file: Quantity
    path: Path
    record: Quantity
    salt: Nonce
    value: Base64


class OpenedCell(Model):
    """One cell of a redactable record: `column` counts from 1 (§15.2), `salt` is s(column)."""

    column: Size
    path: Path
    salt: Nonce
    value: Base64


class OpenedCells(Model):
    """Some cells of a redactable record; `salt` is s(0), and the record's own salt is not shown."""

    cells: Annotated[list[OpenedCell], Field(min_length=1, max_length=4096)]
    file: Quantity
    path: Path
    record: Quantity
    salt: Nonce

    @model_validator(mode="after")
    def _ascending(self) -> OpenedCells:
        if any(left.column >= right.column for left, right in pairwise(self.cells)):
            raise refuse(FormatError("wrong-value", "/cells", "columns ascend, each once"))
        return self


def _tag(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return "cells" if isinstance(value, OpenedCells) or (isinstance(value, dict) and "cells" in value) else "row"


OpenedRecord = Annotated[Annotated[OpenedRow, Tag("row")] | Annotated[OpenedCells, Tag("cells")], Discriminator(_tag)]


def encode_path(path: Sequence[bytes]) -> list[str]:
    """Return a path as it stands in an opened record."""
    return [b64encode(value) for value in path]


def check_opened(opened: OpenedRow | OpenedCells, records: Records) -> None:
    """Raise FormatError or ProofError unless this is a record of the file whose `records` these are."""
    salt = b64decode(opened.salt)
    if isinstance(opened, OpenedRow):
        if isinstance(records, RowRecords) and records.redactable:
            # Its salt would open every cell, and its leaf is another: nobody opens a redactable row so.
            raise FormatError("wrong-value", "/cells", "records of this file are opened by their cells")
        value = b64decode(opened.value)
        _check_value(value, records)
    else:
        if not isinstance(records, RowRecords) or not records.redactable:
            raise FormatError("unknown-field", "/cells", "records of this file are opened as a whole")
        value = cells_root(opened, len(records.columns))
    path = [b64decode(item) for item in opened.path]
    verify_inclusion(record_leaf(salt, value), opened.record, records.count, path, bytes.fromhex(records.root))


def cells_root(opened: OpenedCells, width: int) -> bytes:
    """Return the root over the cells of a redactable record, which every opened cell must lead to."""
    roots = set()
    for cell in opened.cells:
        value = b64decode(cell.value)
        parse_cell(value)
        if cell.column > width:
            raise FormatError("wrong-value", "/cells/column", f"there are {width} columns")
        leaf = record_leaf(b64decode(cell.salt), value)
        roots.add(_climb(leaf, cell.column - 1, width, [b64decode(item) for item in cell.path]))
    if len(roots) != 1:
        raise ProofError("the cells are not of one record")
    return roots.pop()


def _check_value(value: bytes, records: RowRecords | ChunkRecords) -> None:
    if isinstance(records, RowRecords):
        if len(parse_record(value)) != len(records.columns):
            raise FormatError("wrong-value", "/value", f"a record has {len(records.columns)} cells")
    elif not 1 <= len(value) <= _MAX_CHUNK_BYTES:
        raise FormatError("wrong-value", "/value", f"a chunk has 1 to {_MAX_CHUNK_BYTES} bytes")


def _climb(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Return the root that a path leads to; raise ProofError where it has another length than it must have."""
    ranges = inclusion_ranges(index, size)
    if len(ranges) != len(path):
        raise ProofError("the path of a cell has another length than its row asks for")
    value = leaf
    for span, sibling in zip(ranges, path, strict=True):
        value = node_hash(sibling, value) if span.end <= index else node_hash(value, sibling)
    return value
