"""JSON Lines, strictly (docs/format.md §15.3). Numbers are read as text, so that none is rounded."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pyarrow as pa

from ledger.core.encoding import Json
from ledger.party.dataset.reading.cells import Cell, canonical_text, encode_value
from ledger.party.dataset.reading.decimals import MAX_DECIMAL, exact_decimal
from ledger.party.dataset.reading.errors import NotReadable, TableUnreadable
from ledger.party.dataset.reading.rows import TEXT, Rows, batches
from ledger.party.dataset.reading.source import HashedFile
from ledger.party.dataset.reading.textual import BLOCK_BYTES, text_blocks
from ledger.statements.content import MAX_COLUMNS

MAX_NESTED = 16
_BLOCK_ROWS = 16_384
_ADVICE = "every line is one JSON object (RFC 8259) with each name once"
_WHITE = " \t\r\n"


class JsonTable:
    """A file of JSON objects, a line each. It is read twice: which columns there are shows only at the end."""

    def __init__(self, file: HashedFile, block_bytes: int = BLOCK_BYTES) -> None:
        """Read the names of all columns; raise TableUnreadable at the first line that is not an object."""
        self._file = file
        self._block_bytes = block_bytes
        names: set[str] = set()
        with HashedFile(file.path) as first:
            for _, row in self._objects(first):
                names |= row.keys()
        if not names:
            raise TableUnreadable(file.path, "", "there is no object with a member")
        if len(names) > MAX_COLUMNS:
            raise TableUnreadable(file.path, "", f"{len(names)} columns; at most {MAX_COLUMNS} are read")
        self.columns = tuple(sorted(names))

    def rows(self) -> Iterator[Rows]:
        """Yield the rows in batches."""
        count, lines, waiting = 0, 0, {name: list[Cell]() for name in self.columns}
        for line, row in self._objects(self._file):
            if not row.keys() <= waiting.keys():
                raise TableUnreadable(self._file.path, f"line {line}", "the file changed while it was read")
            for name, cells in waiting.items():
                cells.append(row.get(name))
            lines += 1
            if lines == _BLOCK_ROWS:
                yield from _batch(count, waiting, lines)
                count, lines = count + lines, 0
                for cells in waiting.values():
                    cells.clear()
        yield from _batch(count, waiting, lines)

    def _objects(self, file: HashedFile) -> Iterator[tuple[int, dict[str, Cell]]]:
        """Yield the number of each line and its members as cells."""
        encoding = "utf-16" if _starts_as_utf16(file.path) else "utf-8"
        for block in text_blocks(file, encoding, quoted=False, block_bytes=self._block_bytes):
            for number, line in enumerate(block.text.decode().split("\n"), block.first_line):
                if not line.strip(_WHITE):
                    continue
                try:
                    yield number, read_object(line)
                except NotReadable as error:
                    raise TableUnreadable(file.path, f"line {number}", str(error), _ADVICE) from error


def read_object(line: str) -> dict[str, Cell]:
    """Return the members of a line's object as cells; raise NotReadable."""
    try:
        row = _DECODER.decode(line)
    except json.JSONDecodeError as error:
        raise NotReadable(f"not JSON: {error.msg} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise NotReadable(f"values nest deeper than {MAX_NESTED}") from error
    if not isinstance(row, dict):
        raise NotReadable("not an object")
    for name in row:
        if any(unicodedata.category(character) == "Cc" for character in name):
            raise NotReadable(f"the name {name[:80]!a} has a control character in it")
    return {name: _cell(value) for name, value in row.items()}


def _cell(value: Json) -> Cell:
    if isinstance(value, list | dict):
        return encode_value(_member(value, 1))
    return _scalar(value)


def _member(value: Json, depth: int) -> Json:
    """Return a member of a list or an object with every scalar as its text."""
    if not isinstance(value, list | dict):
        return _scalar(value)
    if depth > MAX_NESTED:
        raise NotReadable(f"values nest deeper than {MAX_NESTED}")
    if isinstance(value, list):
        return [_member(item, depth + 1) for item in value]
    return {name: _member(item, depth + 1) for name, item in value.items()}


def _scalar(value: str | bool | None) -> Cell:  # noqa: FBT001 - a JSON value
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else _text(value)


def _text(value: str) -> str:
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise NotReadable("a string with half of a surrogate pair")
    return canonical_text(value)


def _number(text: str) -> str:
    number = exact_decimal(text)
    if number is None:
        raise NotReadable(f"the number {text[:40]} has more than {MAX_DECIMAL} characters")
    return number


def _constant(text: str) -> NoReturn:
    raise NotReadable(f"{text} is not JSON")


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = {_text(name): value for name, value in pairs}
    if len(members) != len(pairs):
        raise NotReadable("two members of an object have the same name")
    return members


def _batch(first: int, waiting: dict[str, list[Cell]], count: int) -> Iterator[Rows]:
    yield from batches(first, [pa.array(cells, TEXT) for cells in waiting.values()], count)


def _starts_as_utf16(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) in {b"\xff\xfe", b"\xfe\xff"}


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_number, parse_int=_number, parse_constant=_constant)
