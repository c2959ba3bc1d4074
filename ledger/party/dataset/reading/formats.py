"""How a file is read: which table format, delimiter and encoding (docs/format.md §15.3, §15.5).

A table is told by its name; what the bytes say is the delimiter and the byte-order mark. Nothing else is guessed: a
wrong guess would be sealed.
"""

from __future__ import annotations

import codecs
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ledger.party.dataset.reading.errors import TableUnreadable
from ledger.party.errors import Unfit
from ledger.statements.content import ChunkRecords, FileReading, Records

FormatName = Literal["csv", "tsv", "jsonl", "parquet", "arrow"]

ENCODINGS = {
    "utf-8": "utf-8",
    "utf-16": "utf-16",
    "us-ascii": "ascii",
    "gb18030": "gb18030",
    "gbk": "gbk",
    "big5": "big5",
    "shift_jis": "shift_jis",
    "euc-jp": "euc_jp",
    "euc-kr": "euc_kr",
    "koi8-r": "koi8_r",
    **{f"iso-8859-{part}": f"iso8859_{part}" for part in (*range(1, 12), 13, 14, 15, 16)},
    **{f"windows-{page}": f"cp{page}" for page in range(1250, 1259)},
}
"""The encodings that are read: the lower-case IANA name, and what Python calls it."""

_SUFFIXES: dict[str, FormatName] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
}
_DELIMITERS = ",;\t|"
_SAMPLE_BYTES = 256 * 1024
_SAMPLE_LINES = 200


@dataclass(frozen=True)
class TableFormat:
    """How a table is read: `delimiter` for csv, `encoding` (an IANA name of ENCODINGS) for csv and tsv, else None."""

    format: FormatName
    delimiter: str | None = None
    encoding: str | None = None

    @property
    def mark(self) -> str:
        """The character between cells of csv and tsv."""
        return "\t" if self.format == "tsv" else self.delimiter or ","

    @classmethod
    def of(cls, reading: FileReading) -> TableFormat | None:
        """Return how another company says that a file is read, None for chunks; raise Unfit for an unknown encoding."""
        if reading.format is None:
            return None
        if reading.encoding is not None:
            check_encoding(reading.encoding)
        return cls(reading.format, reading.delimiter, reading.encoding)


def file_reading(how: TableFormat | None, records: Records) -> FileReading:
    """Return what a manifest says about how a file is read."""
    if how is None or isinstance(records, ChunkRecords):
        return FileReading(canonicalisation="chunks/v1", count=records.count)
    told = {
        "canonicalisation": "rows/v1",
        "count": records.count,
        "redactable": records.redactable,
        "format": how.format,
        "delimiter": how.delimiter,
        "encoding": how.encoding,
    }
    return FileReading.model_validate({name: value for name, value in told.items() if value is not None})


def check_encoding(name: str) -> str:
    """Return the name of a known encoding; raise Unfit for another."""
    if name not in ENCODINGS:
        raise Unfit(f"the encoding {name!a} is not one that is read: {', '.join(sorted(ENCODINGS))}")
    return name


def detect(path: Path, encoding: str | None = None) -> TableFormat | None:
    """Return how a file is read as a table, or None if its name is not a table's, or it is empty: then by chunks.

    `encoding` is what the company says it is; without, UTF-8, or UTF-16 if there is a byte-order mark. Raises Unfit
    for an encoding that is not read, and OSError.
    """
    name = _SUFFIXES.get(path.suffix.lower())
    if encoding is not None:
        check_encoding(encoding)
    with path.open("rb") as file:
        sample = file.read(_SAMPLE_BYTES)
    if name is None or not sample:
        return None
    if name not in {"csv", "tsv"}:
        return TableFormat(name)
    encoding = encoding or _encoding(sample)
    if name == "csv":
        delimiter = _delimiter(_text(sample, encoding))
        return TableFormat("tsv", None, encoding) if delimiter == "\t" else TableFormat("csv", delimiter, encoding)
    return TableFormat("tsv", None, encoding)


def codec(path: Path, encoding: str, start: bytes) -> tuple[str, int]:
    """Return Python's name of an encoding and the length of the byte-order mark that a file starts with.

    Raises TableUnreadable for UTF-16 without one: nobody could tell its byte order.
    """
    if encoding == "utf-16":
        for mark, found in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
            if start.startswith(mark):
                return found, len(mark)
        raise TableUnreadable(path, "", "UTF-16 has to start with a byte-order mark", "convert it to UTF-8")
    if encoding == "utf-8" and start.startswith(codecs.BOM_UTF8):
        return "utf-8", len(codecs.BOM_UTF8)
    return ENCODINGS[encoding], 0


def _encoding(sample: bytes) -> str:
    return "utf-16" if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"


def _text(sample: bytes, encoding: str) -> str:
    return sample.decode(ENCODINGS[encoding], errors="replace").removeprefix("\ufeff")


def _delimiter(text: str) -> str:
    """Return the delimiter that cuts the first lines into equally many cells, two or more; most win, then `,`."""
    best, best_width = ",", 1
    for delimiter in _DELIMITERS:
        widths = _widths(text, delimiter)
        width = widths[0] if widths else 1
        if width > best_width and Counter(widths).most_common(1)[0][0] == width:
            best, best_width = delimiter, width
    return best


def _widths(text: str, delimiter: str) -> list[int]:
    """Count the cells of the first lines: what stands in quotes does not count, of whatever kind it is."""
    # Every second piece between quotes stands in quotes; doubled ones make an empty piece between.
    outside = "\0".join(text.split('"')[::2])
    lines = [line for line in outside.splitlines() if line][: _SAMPLE_LINES + 1]
    whole = lines[:-1] if len(lines) > 1 else lines
    return [line.count(delimiter) + 1 for line in whole]
