"""Blocks of text that end where a record ends, in UTF-8 whatever the file's encoding is (docs/format.md §15.3).

A block is a few megabytes. Line ends in quotes end no record: outside quotes is where the quotes before are even in
number, because whatever breaks that rule is refused.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

from ledger.party.dataset.reading.errors import TableUnreadable
from ledger.party.dataset.reading.formats import codec
from ledger.party.dataset.reading.source import HashedFile

BLOCK_BYTES = 3 * 1024 * 1024
MAX_RECORD_BYTES = 64 * 1024 * 1024
_CONVERT = "say what it is with --encoding, such as windows-1252 or gb18030, or convert it to UTF-8"


@dataclass(frozen=True)
class TextBlock:
    """Whole records as UTF-8 text with their line ends; `first_line` is the number of its first line, from 1."""

    first_line: int
    text: bytes


def text_blocks(
    file: HashedFile, encoding: str, *, quoted: bool, block_bytes: int = BLOCK_BYTES
) -> Iterator[TextBlock]:
    """Yield a file's text, without byte-order mark; `quoted`: line ends in quotes belong to a cell, and CR ends lines.

    Raises TableUnreadable for what is not a text, and for a record of more than 64 MiB.
    """
    line, waiting = 1, b""
    for text, is_last in _decoded(file, encoding, block_bytes):
        waiting += text
        end = len(waiting) if is_last else _cut(waiting, quoted=quoted)
        if end:
            block = TextBlock(line, waiting[:end])
            _check_utf8(file, block)
            yield block
            line += line_count(block.text)
            waiting = waiting[end:]
        elif len(waiting) > MAX_RECORD_BYTES:
            detail = f"a record has more than {MAX_RECORD_BYTES} bytes"
            raise TableUnreadable(file.path, f"line {line}", detail, "look for a quote that is never closed")


def line_count(text: bytes) -> int:
    """Return how many lines end in a text: in LF, CR LF or CR."""
    return text.count(b"\n") + (text.count(b"\r") - text.count(b"\r\n") if b"\r" in text else 0)


def _decoded(file: HashedFile, encoding: str, block_bytes: int) -> Iterator[tuple[bytes, bool]]:
    """Yield (UTF-8 bytes, whether they are the last); bytes of UTF-8 files are not checked yet."""
    data = file.read(block_bytes)
    name, mark = codec(file.path, encoding, data)
    data, decoder = data[mark:], None if name == "utf-8" else codecs.getincrementaldecoder(name)()
    line = 1
    while True:
        following = file.read(block_bytes)
        if decoder is None:
            text = data
        else:
            try:
                text = decoder.decode(data, final=not following).encode()
            except UnicodeError as error:
                start = error.object[: error.start] if isinstance(error, UnicodeDecodeError) else b""
                line += line_count(start.decode(name, errors="ignore").encode())
                raise TableUnreadable(file.path, f"line {line}", f"the bytes are not {encoding}", _CONVERT) from error
            line += line_count(text)
        yield text, not following
        if not following:
            return
        data = following


def _cut(text: bytes, *, quoted: bool) -> int:
    """Return where the last whole record ends, or 0; the text does not end the file."""
    if not quoted:
        return text.rfind(b"\n") + 1
    # A CR at the very end may be half of CR LF.
    searched = len(text) - 1 if text.endswith(b"\r") else len(text)
    end, quotes_before = searched, text.count(b'"', 0, searched)
    while end:
        place = max(text.rfind(b"\n", 0, end), text.rfind(b"\r", 0, end)) + 1
        quotes_before -= text.count(b'"', place, end)
        if quotes_before % 2 == 0:
            return place
        # The next place to look is outside: before the quote that opens what this line end stands in.
        opening = text.rfind(b'"', 0, place)
        end = place - 1 if opening < 0 else opening
        quotes_before -= text.count(b'"', end, place)
    return 0


def _check_utf8(file: HashedFile, block: TextBlock) -> None:
    if block.text.isascii():
        return
    try:
        block.text.decode()
    except UnicodeDecodeError as error:
        line = block.first_line + line_count(block.text[: error.start])
        raise TableUnreadable(file.path, f"line {line}", "the bytes are not UTF-8", _CONVERT) from error
