"""Reading a found file: CSV, TSV and JSON Lines, by docs/format.md §15.3 and nothing else.

Values are never guessed: what cannot be read as the evidence says it was read is an error, not an empty table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from verifier.core.errors import MalformedInput
from verifier.core.jcs import MAX_DEPTH
from verifier.sealed.rows import Cell, Cells, exact_decimal, tidy
from verifier.sealed.values import MAX_COLUMNS

CSV, TSV, JSONL = "csv", "tsv", "jsonl"
READABLE = frozenset({CSV, TSV, JSONL})
"""The formats that this program reads."""
MAX_NUMBER_CHARS = 1000
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_UNICODE = frozenset({"utf-8", "utf-16"})
_ENCODINGS = {
    **{name: name for name in ("gb18030", "gbk", "big5", "euc-jp", "euc-kr", "shift_jis", "koi8-r", "macintosh")},
    **{f"iso-8859-{part}": f"iso-8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)},
    **{f"windows-125{part}": f"cp125{part}" for part in range(9)},
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "us-ascii": "ascii",
}
_control = re.compile("[\x00-\x1f\x7f-\x9f]")
_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")
_MAX_EXPONENT_DIGITS = 8
"""More is more than 1,000 characters, or zero."""


class UnknownEncoding(Exception):
    """Text in an encoding that this program does not read: nothing is known to be wrong."""


@dataclass(frozen=True, slots=True)
class Table:
    """A file that was read."""

    columns: tuple[str, ...]
    rows: list[Cells]


def read_table(raw: bytes, kind: str, delimiter: str, encoding: str) -> Table:
    """Return the rows of a file of kind `csv`, `tsv` or `jsonl`; `encoding` is empty where none is named.

    Raises `MalformedInput` for bytes that are no such file, and `UnknownEncoding`.
    """
    if kind == JSONL:
        return _read_lines(_decode(raw, ""))
    lines = _delimited(_decode(raw, encoding), "\t" if kind == TSV else delimiter)
    first = next(lines, None)
    if first is None:
        raise _error("no first line that names the columns")
    columns = _checked(tuple(name or "" for name in first))
    rows: list[Cells] = []
    for row in lines:
        if len(row) != len(columns):
            raise _error(f"row {len(rows)} has {len(row)} cells, not {len(columns)}")
        rows.append(row)
    return Table(columns, rows)


def _checked(columns: tuple[str, ...]) -> tuple[str, ...]:
    if not 1 <= len(columns) <= MAX_COLUMNS:
        raise _error(f"{len(columns)} columns")
    if any(_control.search(name) for name in columns):
        raise _error("a control character in the name of a column")
    return columns


def _error(detail: str) -> MalformedInput:
    return MalformedInput("found file", "malformed", detail)


def _decode(raw: bytes, encoding: str) -> str:
    name = _ENCODINGS.get(encoding)
    if encoding and encoding not in _UNICODE and name is None:
        raise UnknownEncoding(encoding)
    if name is None:
        mark, name = next(((mark, name) for mark, name in _BOMS if raw.startswith(mark)), (b"", "utf-8"))
        raw = raw[len(mark) :]
    try:
        return raw.decode(name)
    except UnicodeDecodeError as error:
        raise _error(f"byte {error.start} is not {name}") from None


def _delimited(text: str, delimiter: str) -> Iterator[Cells]:
    """Yield the lines of RFC 4180 with this delimiter; those without any character are skipped."""
    edge = re.escape(delimiter)
    cell = re.compile(rf'(?:"([^"]*(?:""[^"]*)*)"|([^"\r\n{edge}]*))({edge}|\r\n|\n|\r|\Z)')
    at, row = 0, list[Cell]()
    while at < len(text) or row:
        match = cell.match(text, at)
        if match is None:
            raise _error(f"character {at}: a quote that does not belong there, or that is never closed")
        quoted, bare, end = match.groups()
        row.append(tidy(bare) or None if quoted is None else tidy(quoted.replace('""', '"')))
        at = match.end()
        if end == delimiter:
            continue
        if len(row) > 1 or quoted is not None or bare:
            yield tuple(row)
        row = []


class _Number(str):
    """The literal of a JSON number."""

    __slots__ = ()


def _parse_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = {tidy(name): value for name, value in pairs}
    if len(members) != len(pairs):
        raise _error("two equal names in one object")
    return members


def _refuse_constant(literal: str) -> None:
    raise _error(f"{literal[:20]} is not JSON")


_decoder = json.JSONDecoder(
    parse_float=_Number, parse_int=_Number, parse_constant=_refuse_constant, object_pairs_hook=_parse_object
)


def _read_lines(text: str) -> Table:
    objects: list[dict[str, Cell]] = []
    for number, line in enumerate(text.split("\n")):
        bare = line.strip(" \t\r")
        if bare:
            objects.append(_read_object(bare, number))
    columns = _checked(tuple(sorted({name for item in objects for name in item})))
    return Table(columns, [tuple(item.get(name) for name in columns) for item in objects])


def _read_object(line: str, number: int) -> dict[str, Cell]:
    try:
        value = _decoder.decode(line)
        if type(value) is not dict:
            raise _error(f"line {number} is not an object")
        return {_text(name): _cell(member) for name, member in value.items()}
    except (ValueError, RecursionError):
        raise _error(f"line {number} is not JSON, or has text that no encoding has") from None


def _text(value: str) -> str:
    value.encode()  # a lone surrogate is no text: UnicodeEncodeError is a ValueError
    return tidy(value)


def _cell(value: Any) -> Cell:  # noqa: ANN401 (any JSON value)
    """Return what a value is as a cell: strings as they are, numbers exactly, what has members as JSON."""
    plain = _plain(value, 1)
    return plain if plain is None or type(plain) is str else _format(plain)


def _plain(value: Any, depth: int) -> Any:  # noqa: ANN401 (any JSON value)
    """Return the value with strings in place of everything that has no members."""
    if value is None or type(value) is bool:
        return value if value is None else str(value).lower()
    if type(value) is _Number:
        return _decimal(value)
    if type(value) is str:
        return _text(value)
    if depth > MAX_DEPTH:
        raise _error("nested too deep")
    if type(value) is list:
        return [_plain(member, depth + 1) for member in value]
    return {_text(name): _plain(member, depth + 1) for name, member in value.items()}


def _format(value: Any) -> str:  # noqa: ANN401 (what `_plain` returns)
    if type(value) is list:
        return "[" + ",".join(map(_format, value)) + "]"
    if type(value) is dict:
        members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
        return "{" + ",".join(f"{_format(name)}:{_format(member)}" for name, member in members) + "}"
    return json.dumps(value, ensure_ascii=False)


def _decimal(literal: str) -> str:
    match = _NUMBER.fullmatch(literal)
    sign, whole, fraction, exponent = match.groups() if match else ("", "0", None, None)
    if len((exponent or "").lstrip("+-0")) > _MAX_EXPONENT_DIGITS and set(whole + (fraction or "")) != {"0"}:
        raise _error("a number of more than 1,000 characters")
    power = int(exponent) if exponent and len(exponent) <= _MAX_EXPONENT_DIGITS + 2 else 0
    text = exact_decimal(sign, whole, fraction or "", power, MAX_NUMBER_CHARS)
    if text is None:
        raise _error("a number of more than 1,000 characters")
    return text
