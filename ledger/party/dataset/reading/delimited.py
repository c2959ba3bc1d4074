"""CSV and TSV, strictly (docs/format.md §15.3): whatever two readers could read in two ways is refused."""

from __future__ import annotations

import codecs
import csv
import io
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache, partial

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from ledger.party.dataset.reading.cells import canonical_text
from ledger.party.dataset.reading.errors import TableUnreadable
from ledger.party.dataset.reading.formats import TableFormat
from ledger.party.dataset.reading.rows import MAX_ROWS, TEXT, Rows, batches, settled
from ledger.party.dataset.reading.source import HashedFile
from ledger.party.dataset.reading.textual import BLOCK_BYTES, TextBlock, line_count, text_blocks
from ledger.statements.content import MAX_COLUMNS

_QUOTE = ord('"')
_LINE_END = ord("\n")
_SPECIAL = {mark: bytes({*range(32), _QUOTE, ord("\\")} - {_LINE_END, ord(mark)}) for mark in (",", ";", "\t", "|")}
_WIDTH_ADVICE = "every line has as many cells as the first: mend the line, or its quotes"
_QUOTE_ADVICE = 'put the whole cell into quotes, and double the quotes in it: "say ""hi"""'


class DelimitedTable:
    """A CSV or TSV file: its `columns` are known at once, its rows come once."""

    def __init__(self, file: HashedFile, how: TableFormat, block_bytes: int = BLOCK_BYTES) -> None:
        """Read the first line; raise TableUnreadable if there is none, or its names are none."""
        self._file = file
        self._how = how
        self._blocks = text_blocks(file, how.encoding or "utf-8", quoted=True, block_bytes=block_bytes)
        self._rest, header = self._header()
        self.header = header
        self.columns = self._names()

    def rows(self) -> Iterator[Rows]:
        """Yield the rows in batches; raise TableUnreadable at the first line that is none."""
        count = 0
        for block in self.blocks():
            records = plain_records(block.text, self._how.mark, len(self.columns))
            if records is not None:
                yield from self._of_lines(count, block, records)
                count += len(records)
                continue
            columns, size = self._parse(block)
            yield from batches(count, columns, size)
            count += size

    def _of_lines(self, first: int, block: TextBlock, records: list[bytes]) -> Iterator[Rows]:
        """Yield rows whose records are known. Who only hashes needs no columns: they are parsed when asked for."""

        @cache
        def whole() -> pa.RecordBatch:
            return settled(self._parse(block)[0])

        for start in range(0, len(records), MAX_ROWS):
            cells = partial(lambda start: whole().slice(start, MAX_ROWS), start)
            part = records[start : start + MAX_ROWS]
            yield Rows(first + start, len(part), cells, part)

    def blocks(self) -> Iterator[TextBlock]:
        """Yield the text after the first line."""
        if self._rest is not None:
            yield self._rest
        for block in self._blocks:
            check_quotes(self._file, block, self._how.mark)
            yield block

    def _header(self) -> tuple[TextBlock | None, TextBlock]:
        """Take the first line that is not empty; return what follows it in its block, and it."""
        for block in self._blocks:
            text = block.text.lstrip(b"\r\n")
            if not text:
                continue
            check_quotes(self._file, block, self._how.mark)
            skipped = block.text[: len(block.text) - len(text)]
            end = record_end(text)
            header = TextBlock(block.first_line + line_count(skipped), text[:end])
            return TextBlock(header.first_line + line_count(header.text), text[end:]), header
        raise TableUnreadable(self._file.path, "", "there is no line that names the columns")

    def _names(self) -> tuple[str, ...]:
        try:
            names = next(csv.reader([self.header.text.decode()], delimiter=self._how.mark, strict=True))
        except csv.Error as error:
            raise self._unreadable(self.header.first_line, f"the first line cannot be read: {error}") from error
        if len(names) > MAX_COLUMNS:
            raise self._unreadable(self.header.first_line, f"{len(names)} columns; at most {MAX_COLUMNS} are read")
        canonical = tuple(canonical_text(name) for name in names)
        for name in canonical:
            if any(unicodedata.category(character) == "Cc" for character in name):
                detail = f"the column name {name[:80]!a} has a line end or another control character in it"
                raise self._unreadable(self.header.first_line, detail, "rename the column")
        return canonical

    def _parse(self, block: TextBlock) -> tuple[Sequence[pa.Array], int]:
        if not block.text.strip(b"\r\n"):
            return [], 0
        names = [str(number) for number in range(len(self.columns))]
        # Arrow would take U+FEFF at the start of every block for a byte-order mark; after an empty line it does not.
        text = b"\n" + block.text if block.text.startswith(codecs.BOM_UTF8) else block.text
        # Without a line end, Arrow would take a missing last cell after a quoted one for the empty string.
        text = text if text.endswith((b"\n", b"\r")) else text + b"\n"
        try:
            table = arrow_csv.read_csv(
                pa.BufferReader(text),
                arrow_csv.ReadOptions(column_names=names, block_size=len(text) + 1),
                arrow_csv.ParseOptions(delimiter=self._how.mark, newlines_in_values=b'"' in text),
                arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, TEXT),
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid as error:
            self._find_ragged(block)
            raise self._unreadable(block.first_line, f"from here on, it cannot be read: {error}") from error
        return [column.combine_chunks() for column in table.columns], table.num_rows

    def _find_ragged(self, block: TextBlock) -> None:
        """Raise TableUnreadable for the first line of another width."""
        reader = csv.reader(io.StringIO(block.text.decode(), newline=""), delimiter=self._how.mark)
        line = block.first_line
        try:
            for cells in reader:
                if cells and len(cells) != len(self.columns):
                    detail = f"{len(cells)} cells, where the first line has {len(self.columns)}"
                    raise self._unreadable(line, detail, _WIDTH_ADVICE)
                line = block.first_line + reader.line_num
        except csv.Error as error:
            raise self._unreadable(line, str(error)) from error

    def _unreadable(self, line: int, detail: str, advice: str = "") -> TableUnreadable:
        return TableUnreadable(self._file.path, f"line {line}", detail, advice)


def plain_records(text: bytes, mark: str, width: int) -> list[bytes] | None:
    """Return the canonical records of lines in which nothing is quoted, escaped, empty or not in NFC; else None.

    That is most of most tables, and a matter of a few replacements in the whole block.
    """
    text = text.replace(b"\r\n", b"\n")
    if not text.endswith(b"\n"):
        text += b"\n"
    if text.startswith(b"\n") or b"\n\n" in text or len(text.translate(None, _SPECIAL[mark])) != len(text):
        return None
    if not text.isascii() and not unicodedata.is_normalized("NFC", text.decode()):
        return None
    characters = np.frombuffer(text, np.uint8)
    ends = np.searchsorted(np.flatnonzero(characters == ord(mark)), np.flatnonzero(characters == _LINE_END))
    if (np.diff(ends, prepend=0) != width - 1).any():
        return None
    cells = text[:-1].replace(mark.encode(), b'","').replace(b"\n", b'"]\n["')
    # No cell has a quote in it, so that two in a row are a cell without anything: what is missing.
    return (b'["' + cells + b'"]').replace(b'""', b"null").split(b"\n")


def record_end(text: bytes) -> int:
    """Return where the first record of a text ends, its line end included; its quotes were checked."""
    place, quotes = 0, 0
    while True:
        ends = [end for end in (text.find(b"\n", place), text.find(b"\r", place)) if end >= 0]
        if not ends:
            return len(text)
        end = min(ends)
        quotes += text.count(b'"', place, end)
        place = end + (2 if text[end : end + 2] == b"\r\n" else 1)
        if quotes % 2 == 0:
            return place


def check_quotes(file: HashedFile, block: TextBlock, mark: str) -> None:
    """Raise TableUnreadable unless every quote opens a cell, closes one, or is doubled in one."""
    if b'"' not in block.text:
        return
    text = np.frombuffer(block.text, np.uint8)
    beside = np.zeros(256, bool)
    beside[[ord(mark), ord("\n"), ord("\r"), _QUOTE]] = True
    quotes = np.flatnonzero(text == _QUOTE)
    opening, closing = quotes[::2], quotes[1::2]
    # A quote beside a quote: of two, one closes and the next opens, which is how one in a cell is written.
    stray = opening[(opening > 0) & ~beside[text[opening - 1]]]
    going_on = closing[(closing < len(text) - 1) & ~beside[text[np.minimum(closing + 1, len(text) - 1)]]]
    offences = [(int(place[0]), detail) for place, detail in (
        (stray, "a quote in a cell that is not in quotes"),
        (going_on, "the cell goes on after its closing quote"),
        (quotes[-1:] if len(quotes) % 2 else quotes[:0], "a quote is never closed"),
    ) if len(place)]  # fmt: skip
    if offences:
        place, detail = min(offences)
        line = block.first_line + line_count(block.text[:place])
        raise TableUnreadable(file.path, f"line {line}", detail, _QUOTE_ADVICE)
