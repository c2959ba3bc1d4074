"""Reading the ZIP file of a bundle, and refusing all that a ZIP file can be beside that (docs/bundle.md §1).

Nothing is extracted: members are bytes in memory, bounded before they are inflated. Local headers, the central
directory and the end record must tell one story without a gap, or two readers could see two different files in one.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from stat import S_IFMT, S_ISREG
from struct import Struct
from typing import Never

from verifier.core.errors import MalformedInput

MAX_BYTES = 1 << 30
"""Of the file, and of all members together, inflated."""
MAX_MEMBERS = 10_000
_END = Struct("<4s4H2LH")
_CENTRAL = Struct("<4s6H3L5H2L")
_LOCAL = Struct("<4s5H3L2H")
_STORED, _DEFLATED = 0, 8
_HARMLESS_FLAGS = 0x0806
"""How hard a deflating program tried, and that names are UTF-8."""
_OLDEST_WITH_ZIP64 = 45
_UNIX, _DOS_DIRECTORY = 3, 0x10
_is_path = re.compile(r"[a-z0-9._-]+(?:/[a-z0-9._-]+)*").fullmatch


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the ZIP file."""

    size: int
    sha256: str
    content: bytes
    """Empty where nobody asked to keep it."""


@dataclass(frozen=True, slots=True)
class _Header:
    path: str
    method: int
    crc: int
    packed: int
    size: int
    common: tuple[int, ...]
    """What the local header repeats, in its order."""
    offset: int


def _refuse(reason: str, detail: str = "") -> Never:
    raise MalformedInput("bundle", reason, detail)


def read_zip(raw: bytes, keeps: Callable[[str], bool]) -> dict[str, Member]:
    """Return the members by path, in their order, with the content of those that `keeps` asks for.

    Raises `MalformedInput` for anything that docs/bundle.md §1 does not allow.
    """
    if len(raw) > MAX_BYTES:
        _refuse("too-large", f"{len(raw)} bytes")
    headers, directory_at = _read_directory(raw)
    if sum(header.size for header in headers) > MAX_BYTES:  # a bomb is refused by what it says of itself
        _refuse("too-large", "more than 1 GiB unpacked")
    members: dict[str, Member] = {}
    at = 0
    for header in headers:
        if header.path in members:
            _refuse("duplicate-path", header.path)
        start = _read_local(raw, at, header)
        at = start + header.packed
        if at > directory_at:
            _refuse("not-a-zip", f"{header.path} runs into the directory")
        content = _inflate(raw[start:at], header)
        kept = content if keeps(header.path) else b""
        members[header.path] = Member(header.size, sha256(content).hexdigest(), kept)
    if at != directory_at:
        _refuse("not-a-zip", "bytes between members and directory")
    return members


def _read_directory(raw: bytes) -> tuple[list[_Header], int]:
    """Return the headers of the central directory, and where it begins."""
    end_at = len(raw) - _END.size
    if end_at < 0:
        _refuse("not-a-zip", "too short")
    mark, disk, start_disk, on_disk, count, length, offset, comment = _END.unpack_from(raw, end_at)
    if mark != b"PK\x05\x06" or comment or disk or start_disk or on_disk != count:
        _refuse("not-a-zip", "the file does not end with an end record, or has several disks or a comment")
    if count > MAX_MEMBERS:  # 0xffff, with which ZIP64 begins, included
        _refuse("too-many-members", str(count))
    if offset + length != end_at:
        _refuse("not-a-zip", "the directory does not stand before the end record")
    headers, at = [], offset
    for header in _central_headers(raw, offset, end_at, count):
        headers.append(header[0])
        at = header[1]
    if at != end_at:
        _refuse("not-a-zip", "bytes behind the directory")
    return headers, offset


def _central_headers(raw: bytes, at: int, end: int, count: int) -> Iterator[tuple[_Header, int]]:
    """Yield each header and where the next begins."""
    for _ in range(count):
        if at + _CENTRAL.size > end:
            _refuse("not-a-zip", "the directory is cut off")
        (
            mark, made_by, needed, flags, method, clock, day, crc, packed, size, name_length, extra, comment, disk, _,
            attributes, offset,
        ) = _CENTRAL.unpack_from(raw, at)  # fmt: skip
        at += _CENTRAL.size
        name = raw[at : at + name_length]
        at += name_length
        path = name.decode("ascii", "replace")
        if mark != b"PK\x01\x02" or at > end:
            _refuse("not-a-zip", "a header of the directory")
        if not _is_path(path) or any(part in {".", ".."} for part in path.split("/")):
            _refuse("wrong-path", ascii(path)[:200])
        if extra or comment or disk or needed >= _OLDEST_WITH_ZIP64 or 0xFFFFFFFF in (packed, size, offset):
            _refuse("not-plain", f"{path}: an extra field, a comment, another disk, or ZIP64")
        if flags & ~_HARMLESS_FLAGS or method not in {_STORED, _DEFLATED}:
            _refuse("not-plain", f"{path}: encrypted, streamed, or packed in an unknown way")
        mode = attributes >> 16
        if attributes & _DOS_DIRECTORY or (made_by >> 8 == _UNIX and S_IFMT(mode) and not S_ISREG(mode)):
            _refuse("not-plain", f"{path}: a directory or a link")
        common = (needed, flags, method, clock, day, crc, packed, size, name_length, 0)
        yield _Header(path, method, crc, packed, size, common, offset), at


def _read_local(raw: bytes, at: int, header: _Header) -> int:
    """Check that the local header stands at `at` and says what the directory says; return where the data begin."""
    if header.offset != at or at + _LOCAL.size > len(raw):
        _refuse("not-a-zip", f"{header.path} does not stand behind the member before it")
    mark, *rest = _LOCAL.unpack_from(raw, at)
    start = at + _LOCAL.size + header.common[-2]
    if mark != b"PK\x03\x04" or tuple(rest) != header.common or raw[at + _LOCAL.size : start] != header.path.encode():
        _refuse("not-a-zip", f"{header.path}: its two headers differ")
    return start


def _inflate(packed: bytes, header: _Header) -> bytes:
    content = packed
    if header.method == _DEFLATED:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            content = inflater.decompress(packed, header.size + 1)
        except zlib.error:
            _refuse("not-a-zip", f"{header.path} cannot be unpacked")
        if not inflater.eof or inflater.unused_data:
            _refuse("not-a-zip", f"{header.path} is longer or shorter than it says")
    if len(content) != header.size or zlib.crc32(content) != header.crc:
        _refuse("not-a-zip", f"{header.path}: wrong size or checksum")
    return content
