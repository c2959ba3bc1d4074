"""Canonical cells and records (docs/format.md §15.3).

A cell is a string or missing; a record is the array of its cells, in RFC 8785's encoding. Two readers of one file must
come to the same bytes, so that every string has one spelling: NFC of Unicode 14.0, and LF for every line end in it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from ledger.core.encoding import Json
from ledger.core.errors import FormatError
from ledger.core.unicode import nfc

Cell = str | None
"""What stands in one column of one record: None is missing, which the empty string is not."""


def canonical_text(text: str) -> str:
    """Return the one spelling of a string: NFC, and CR LF, then CR, as LF."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return nfc(text)


def canonical_cell(cell: Cell) -> bytes:
    """Return the canonical bytes of a cell whose text is canonical; raise FormatError for a lone surrogate."""
    return _encode(cell)


def canonical_record(cells: Sequence[Cell]) -> bytes:
    """Return the canonical bytes of a record whose cells are canonical; raise FormatError for a lone surrogate."""
    return _encode(list(cells))


def parse_cell(raw: bytes) -> Cell:
    """Return the cell of these bytes; raise FormatError where they are not the canonical bytes of one."""
    value: Cell = _decode(raw)
    if not _is_cell(value) or _encode(value) != raw:
        raise FormatError("non-canonical", detail="not a canonical cell")
    return value


def parse_record(raw: bytes) -> list[Cell]:
    """Return the cells of these bytes; raise FormatError where they are not the canonical bytes of a record."""
    value = _decode(raw)
    if not isinstance(value, list) or not all(map(_is_cell, value)) or _encode(value) != raw:
        raise FormatError("non-canonical", detail="not a canonical record")
    cells: list[Cell] = value
    return cells


def encode_value(value: object) -> str:
    """Return RFC 8785's encoding of strings, null, arrays and objects, all of whose strings are canonical."""
    return _ENCODER.encode(_ordered(value))


def _is_cell(value: object) -> bool:
    return value is None or (isinstance(value, str) and canonical_text(value) == value)


def _encode(value: object) -> bytes:
    try:
        return _ENCODER.encode(value).encode()
    except UnicodeEncodeError as error:
        raise FormatError("lone-surrogate", detail=ascii(error.object[error.start])) from error


def _decode(raw: bytes) -> Json:
    try:
        return json.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise FormatError("not-json", detail="not a canonical record or cell") from error


def _ordered(value: object) -> object:
    if isinstance(value, dict):
        # RFC 8785 sorts by UTF-16 code units, which differs from code points past U+FFFF.
        return {name: _ordered(value[name]) for name in sorted(value, key=lambda name: name.encode("utf-16-be"))}
    if isinstance(value, list):
        return [_ordered(item) for item in value]
    return value


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)
