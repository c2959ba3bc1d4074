"""A found file before anything is compared: its digest, what it may be, and out of which wrapping it came."""

from __future__ import annotations

import codecs
import gzip
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

from ledger.party.dataset.reading.formats import FormatName, TableFormat, detect
from ledger.party.digests import DEFAULT_MEDIA_TYPE, Progress, digest_file, no_progress
from ledger.party.trace.errors import FoundEmpty, FoundTooLarge

MAX_UNPACKED_BYTES = 64 * 1024**3
_CHUNK_BYTES = 1024 * 1024
_GZIP = b"\x1f\x8b"
_MAGIC: dict[bytes, FormatName] = {b"PAR1": "parquet", b"ARROW1": "arrow"}
_MARKS = ",;\t|"
_OTHER_ENCODINGS = ("gb18030", "windows-1252")
_START_BYTES = 64 * 1024


@dataclass(frozen=True)
class FoundFile:
    """A file as it was found, and the SHA-256 (hex) and size of its bytes."""

    path: Path
    name: str
    sha256: str
    bytes: int


def hash_found(path: Path, name: str, progress: Progress = no_progress) -> FoundFile:
    """Take the digest, before anything else is done with the file; raise FoundEmpty or OSError."""
    measured = digest_file(path, DEFAULT_MEDIA_TYPE, progress)
    if not measured.bytes:
        raise FoundEmpty(path)
    return FoundFile(path, name, measured.sha256, measured.bytes)


def is_packed(path: Path) -> bool:
    """Tell whether it is a gzip file, by its first bytes."""
    with path.open("rb") as file:
        return file.read(2) == _GZIP


def unpack(path: Path, to: Path, progress: Progress = no_progress) -> bool:
    """Unpack a gzip file; return False where it is none after all. Raises FoundTooLarge."""
    written = 0
    try:
        with gzip.open(path, "rb") as packed, to.open("wb") as file:
            # A small file may unpack to more than any disk holds.
            while written <= MAX_UNPACKED_BYTES and (chunk := packed.read(_CHUNK_BYTES)):
                written += len(chunk)
                file.write(chunk)
                progress(len(chunk))
    except (gzip.BadGzipFile, EOFError, zlib.error):
        written = 0
    if not 0 < written <= MAX_UNPACKED_BYTES:
        to.unlink(missing_ok=True)
    if written > MAX_UNPACKED_BYTES:
        raise FoundTooLarge(path, MAX_UNPACKED_BYTES)
    return bool(written)


def formats(path: Path) -> list[TableFormat]:
    """Return how the file may be read as a table, likeliest first: by what it holds, then by its name, then by trying.

    What comes back is tried in turn: reading is strict, and stops at the first row that does not fit.
    """
    with path.open("rb") as file:
        start = file.read(_START_BYTES)
    for magic, name in _MAGIC.items():
        if start.startswith(magic):
            return [TableFormat(name)]
    named = detect(path)
    if named is not None and named.encoding is None:
        return [named]
    first = named or _by_content(start)
    return [first, *(replace(first, encoding=other) for other in _OTHER_ENCODINGS if first.encoding == "utf-8")]


def _by_content(start: bytes) -> TableFormat:
    encoding = "utf-16" if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"
    text = start.decode(encoding, errors="ignore").removeprefix("\ufeff")
    if text.lstrip().startswith("{"):
        return TableFormat("jsonl")
    line = text.splitlines()[0] if text else ""
    mark = max(_MARKS, key=line.count)
    return TableFormat("tsv", None, encoding) if mark == "\t" else TableFormat("csv", mark, encoding)
