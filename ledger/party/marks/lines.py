"""Marks written as the other lines of a text file are, quoted, spelt and ended alike: nothing shows which they are."""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ledger.core.encoding import Json
from ledger.party.dataset.reading.cells import Cell, parse_record
from ledger.party.dataset.reading.formats import TableFormat
from ledger.party.dataset.reading.source import HashedFile
from ledger.party.dataset.reading.textual import text_blocks
from ledger.party.marks.errors import CannotMark

_SAMPLE_LINES = 1000
_RECORD = re.compile(rb'(?:[^"\r\n]++|"[^"]*+")++')
_LINE = re.compile(rb"[^\n]*[^ \t\r\n][^\n]*")
_NESTED = "bring rows of your own in a table without nested values, or hand it over unmarked"


def record_places(text: bytes, how: TableFormat) -> list[tuple[int, int]]:
    """Return start and end of every record in a text that begins and ends between records, without its line end."""
    pattern = _LINE if how.format == "jsonl" else _RECORD
    return [match.span() for match in pattern.finditer(text)]


def encoding_of(path: Path, how: TableFormat) -> str:
    """Return the IANA name of a text file's encoding: of JSON Lines, what the byte-order mark says."""
    if how.encoding is not None:
        return how.encoding
    with path.open("rb") as file:
        return "utf-16" if file.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE} else "utf-8"


class Writer:
    """Writes rows as a file writes its own; `line_end` is how its lines end."""

    def __init__(self, path: Path, how: TableFormat, columns: Sequence[str]) -> None:
        """Learn from the first lines; raise CannotMark for nested values, and TableUnreadable."""
        self._how = how
        self._columns = columns
        with HashedFile(path) as file:
            text = next(text_blocks(file, encoding_of(path, how), quoted=how.format != "jsonl")).text
        places = record_places(text, how)[:_SAMPLE_LINES]
        records = [text[start:end].decode() for start, end in places]
        end = text[places[0][1] : places[0][1] + 2]
        self.line_end = "\r\n" if end == b"\r\n" else "\r" if end[:1] == b"\r" and how.format != "jsonl" else "\n"
        if how.format == "jsonl":
            self._style = _JsonStyle(records)
        else:
            self._quoted = _quoted_columns(records[1:], how.mark, len(columns))

    def line(self, record: bytes) -> str:
        """Return a canonical record as a line without its end."""
        cells = parse_record(record)
        if self._how.format == "jsonl":
            return self._style.line(dict(zip(self._columns, cells, strict=True)))
        return self._how.mark.join(map(self._cell, cells, self._quoted))

    def _cell(self, cell: Cell, is_quoted: bool) -> str:  # noqa: FBT001 - mapped
        if cell is None:
            return ""
        if cell and not is_quoted and not any(sign in cell for sign in (self._how.mark, '"', "\r", "\n")):
            return cell
        return '"' + cell.replace('"', '""') + '"'


class _JsonStyle:
    """How a file writes its objects: the order of names, spaces, escapes, and the type of each member."""

    def __init__(self, lines: Sequence[str]) -> None:
        objects: list[dict[str, Json]] = [json.loads(line) for line in lines]
        self._names = list(dict.fromkeys(name for item in objects for name in item))
        self._kinds = {
            name: Counter(type(item[name]) for item in objects if item.get(name) is not None) for name in self._names
        }
        for name, kinds in self._kinds.items():
            if kinds[list] or kinds[dict]:
                raise CannotMark(f"the member {name!a} holds lists or objects, which are not drawn", _NESTED)
        self._nulls = {name for item in objects for name, value in item.items() if value is None}
        spaces = Counter(": " in line and ", " in line for line in lines)
        self._separators = (", ", ": ") if spaces[True] >= spaces[False] else (",", ":")
        self._ascii = all(line.isascii() for line in lines) and any("\\u" in line for line in lines)

    def line(self, row: dict[str, Cell]) -> str:
        names = [*self._names, *(name for name in row if name not in self._kinds)]
        members = {
            name: self._value(name, cell)
            for name in names
            if (cell := row.get(name)) is not None or name in self._nulls
        }
        return json.dumps(members, ensure_ascii=self._ascii, separators=self._separators)

    def _value(self, name: str, cell: Cell) -> Json:
        kinds = self._kinds.get(name, Counter())
        if cell is None or kinds[str] >= max(kinds.values(), default=0):
            return cell
        try:
            value = json.loads(cell)
        except ValueError:
            return cell
        return value if type(value) in kinds else cell


def _quoted_columns(records: Sequence[str], mark: str, count: int) -> list[bool]:
    """Tell of each column whether it stands in quotes wherever there is something in it."""
    cell = re.compile(rf'(?:[^"{re.escape(mark)}]++|"[^"]*+")*+')
    always, sometimes = [True] * count, [False] * count
    for record in records:
        place = 0
        for column in range(count):
            match = cell.match(record, place)
            text = match[0] if match else ""
            place += len(text) + 1
            if text:
                always[column] &= text.startswith('"')
                sometimes[column] = True
    return [each and some for each, some in zip(always, sometimes, strict=True)]
