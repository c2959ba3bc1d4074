"""Canonical records and cells (docs/format.md §15.3), and exact decimals, which files and normal forms share."""

from __future__ import annotations

import json
from hashlib import sha256

from verifier.core.code_points import to_nfc
from verifier.core.errors import MalformedInput

Cell = str | None
Cells = tuple[Cell, ...]
CHUNKS, ROWS = "chunks/v1", "rows/v1"
"""The canonicalisations."""


def tidy(text: str) -> str:
    """Return a string in the form of records: NFC of Unicode 14.0 (§15.8), lines ended by LF."""
    return to_nfc(text.replace("\r\n", "\n").replace("\r", "\n"))


def format_record(cells: Cells) -> bytes:
    """Return the canonical record of cells in the form of `tidy`.

    Raises `MalformedInput` for a lone surrogate, which no text has.
    """
    try:
        return json.dumps(cells, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise MalformedInput("record", "lone-surrogate") from None


def parse_record(raw: bytes) -> Cells | None:
    """Return the cells of a canonical record, None if it is none."""
    value = _parse(raw)
    if type(value) is not list or not all(cell is None or type(cell) is str for cell in value):
        return None
    cells = tuple(value)
    return cells if _is_spelled(raw, cells) else None


def parse_cell(raw: bytes) -> tuple[Cell] | None:
    """Return the cell that these canonical bytes are, alone in a tuple; None if they are none."""
    value = _parse(raw)
    if value is not None and type(value) is not str:
        return None
    return (value,) if _is_spelled(b"[" + raw + b"]", (value,)) else None


def _parse(raw: bytes) -> object:
    try:
        value: object = json.loads(raw.decode())
    except (ValueError, RecursionError):
        return ()
    return value


def _is_spelled(raw: bytes, cells: Cells) -> bool:
    try:
        return format_record(cells) == raw
    except MalformedInput:
        return False


def record_leaf(salt: bytes, canonical: bytes) -> bytes:
    """Return SHA-256(0x00 ‖ salt ‖ canonical record, cell, or root of cells) (§15.1, §15.2)."""
    return sha256(b"\x00" + salt + canonical).digest()


def exact_decimal(sign: str, whole: str, fraction: str, exponent: int, most_chars: int) -> str | None:
    """Return the shortest decimal without exponent of `sign whole.fraction e exponent` (§15.3 *by value*).

    None if that has more than `most_chars` characters.
    """
    digits = (whole + fraction).lstrip("0")
    point = len(digits) - len(fraction) + exponent
    digits = digits.rstrip("0")
    if not digits:
        return "0"
    if max(point, len(digits) - point) > most_chars:  # before any zero is written
        return None
    if point <= 0:
        text = "0." + "0" * -point + digits
    elif point >= len(digits):
        text = digits + "0" * (point - len(digits))
    else:
        text = f"{digits[:point]}.{digits[point:]}"
    text = ("-" if sign == "-" else "") + text
    return text if len(text) <= most_chars else None
