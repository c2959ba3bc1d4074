"""What a commitment of another kind than `field` seals: contents, marks, pools, coins.

docs/format.md §8.2, §15.1; docs/marks.md §3, §9.1; docs/format.md §8.10.
"""

from __future__ import annotations

from fractions import Fraction
from math import log2
from typing import TYPE_CHECKING

from verifier.core.b64 import decode_base64
from verifier.core.code_points import to_nfc
from verifier.core.jcs import Json
from verifier.schema.checks import (
    Fault,
    base64,
    boolean,
    codes,
    count,
    hex32,
    integer,
    list_of,
    matching,
    media_type,
    members,
    size,
    text,
)
from verifier.schema.v3 import is_bound
from verifier.sealed.rows import CHUNKS, ROWS, parse_record

if TYPE_CHECKING:
    from verifier.schema.checks import Checker

MAX_COLUMNS, MAX_FILES, MAX_ROWS, MAX_POSITIONS = 4096, 10_000, 10_000, 100_000
CANARY, OMISSION, TARDOS = "canary", "omission", "tardos"
"""The methods of marks; rows are left out only of a pool's copies."""
DRAWN = "drawn"
_CONTROL = frozenset(map(chr, [*range(0x20), *range(0x7F, 0xA0)]))
_ANY_BYTES = 1 << 26
_MAX_COLUMN_CHARS = 1_000_000


def _is_column(text: str) -> bool:
    return _CONTROL.isdisjoint(text) and to_nfc(text) == text


_columns = list_of(matching(_is_column), MAX_COLUMNS)
_RECORDS = {
    ROWS: members(
        {"canonicalisation": codes(ROWS), "columns": _columns, "count": size, "redactable": boolean, "root": hex32}
    ),
    CHUNKS: members({"canonicalisation": codes(CHUNKS), "count": size, "root": hex32}),
}


def _records(value: Json) -> None:
    kind = value.get("canonicalisation") if type(value) is dict else None
    _RECORDS[CHUNKS if kind == CHUNKS else ROWS](value)


_content = members(
    {
        "files": list_of(
            members({"bytes": size, "media_type": media_type, "records?": _records, "sha256": hex32}), MAX_FILES
        )
    }
)
_row = base64(0, _ANY_BYTES)
_common: dict[str, Checker] = {
    "type": codes("provenance-ledger.marks/v1"),
    "bound": matching(is_bound),
    "threshold_millibits": count,
    "recipients": count,
    "file": size,
    "columns": _columns,
    "bits": list_of(integer(0, 1000), MAX_COLUMNS),
    "origin": codes("brought", DRAWN),
    "key": base64(32, 32),
}


def _rows_or_none(value: Json) -> None:
    if value != []:
        list_of(_row, MAX_ROWS)(value)


def _pair(value: Json) -> None:
    list_of(_row, 2)(value)
    if len(value) != 2:
        raise Fault("wrong-value")


_position = members({"bias": integer(1 << 22, (1 << 32) - (1 << 22)), "rows": _pair})
_MARKS = {
    CANARY: members(
        _common | {"method": codes(CANARY), "rows": list_of(_row, MAX_ROWS), "controls": _rows_or_none},
    ),
    TARDOS: members(
        _common | {"method": codes(TARDOS), "colluders": count, "positions": list_of(_position, MAX_POSITIONS)}
    ),
}


_pooled: dict[str, Checker] = {
    "type": codes("provenance-ledger.pool/v1"),
    "columns": list_of(text(_MAX_COLUMN_CHARS, least=0), MAX_COLUMNS),
    "key": base64(32, 32),
}
_POOLS = {
    True: members(
        _pooled | {"method": codes(TARDOS), "colluders": count, "positions": list_of(_position, MAX_POSITIONS)}
    ),
    False: members(
        _pooled | {"method": codes(CANARY, OMISSION), "draws": count, "rows": list_of(_row, MAX_ROWS)},
    ),
}
_coin = base64(32, 32)


def is_coin(value: Json) -> bool:
    """Tell whether a value is what a commitment of kind `coin` seals."""
    return _passes(_coin, value)


def is_pool(value: Json) -> bool:
    """Tell whether a value is what a commitment of kind `pool` seals, on its own: what is in the open is elsewhere."""
    is_code = type(value) is dict and value.get("method") == TARDOS
    if not _passes(_POOLS[is_code], value) or (not is_code and value["draws"] >= len(value["rows"])):
        return False
    return _are_rows(planted_rows(value), len(value["columns"]))


def is_content(value: Json) -> bool:
    """Tell whether a value is what a commitment of kind `content` seals."""
    return _passes(_content, value)


def is_marks(value: Json) -> bool:
    """Tell whether a value is what a commitment of kind `marks` seals, on its own: what is in the open is elsewhere."""
    method = value.get("method") if type(value) is dict else None
    return _passes(_MARKS[TARDOS if method == TARDOS else CANARY], value) and _are_marks_related(value)


def _passes(checker: Checker, value: Json) -> bool:
    try:
        checker(value)
    except Fault:
        return False
    return True


def planted_rows(marks: Json) -> list[str]:
    """Return the rows of a checked value of kind `marks` or `pool`, base64: of a code, both of every position."""
    if marks["method"] != TARDOS:
        rows: list[str] = marks["rows"]
        return rows
    return [row for position in marks["positions"] for row in position["rows"]]


def _are_marks_related(marks: Json) -> bool:
    rows = planted_rows(marks)
    controls: list[str] = marks.get("controls", [])
    if len(marks["bits"]) != len(marks["columns"]):
        return False
    if marks["method"] == CANARY and len(controls) != (len(rows) if marks["origin"] == DRAWN else 0):
        return False
    if marks["threshold_millibits"] < 1000 * log2(marks["recipients"] / Fraction(marks["bound"])) - 1e-6:
        return False
    width = len(marks["columns"])
    return _are_rows(rows, width) and _are_records(controls, width)


def _are_rows(rows: list[str], width: int) -> bool:
    return len(set(rows)) == len(rows) and _are_records(rows, width)


def _are_records(rows: list[str], width: int) -> bool:
    for row in rows:
        cells = parse_record(decode_base64(row) or b"")
        if cells is None or len(cells) != width:
            return False
    return True
