"""Manifest files, streamed: a head, then the salts of millions of records (docs/format.md §8.3, §15.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Self

from ledger.core.commitment import SALT_BYTES
from ledger.core.encoding import b64decode, b64encode, canonical, parse_canonical, parse_json
from ledger.core.errors import FormatError
from ledger.party.errors import Unfit
from ledger.statements.content import AnyManifest, Manifest, ManifestV1
from ledger.statements.fields import Model, Quantity
from ledger.statements.reading import read_model

SALTS_A_LINE = 65_536
_MAX_HEAD_BYTES = 16 * 1024 * 1024
_MAX_LINE_BYTES = 2 * 1024 * 1024


def write_manifest(file: BinaryIO, head: Manifest, salts: Sequence[BinaryIO | None]) -> None:
    """Write a manifest: its head, and of each file with records, in order, its salts, read from where they wait."""
    file.write(canonical(head.model_dump(exclude_none=True)) + b"\n")
    for position, source in enumerate(salts):
        first = 0
        while source is not None and (part := source.read(SALTS_A_LINE * SALT_BYTES)):
            file.write(canonical({"file": position, "first": first, "salts": b64encode(part)}) + b"\n")
            first += len(part) // SALT_BYTES


def read_manifest(path: Path) -> AnyManifest:
    """Read what a manifest says of its files, which comes from another company; raise Unfit or OSError.

    The salts that follow in version 2 are read, and checked, with the files: see `SaltReader`.
    """
    with path.open("rb") as file:
        first = file.readline(_MAX_HEAD_BYTES + 1)
        is_old = not _is_version_2(first)
        raw = first + file.read(_MAX_HEAD_BYTES + 1 - len(first)) if is_old else first.removesuffix(b"\n")
    if len(raw) > _MAX_HEAD_BYTES:
        raise Unfit(f"{path} is not a manifest: it says what files there are in at most {_MAX_HEAD_BYTES} bytes")
    try:
        manifest: AnyManifest = (
            read_model(ManifestV1, parse_json(raw)) if is_old else read_model(Manifest, parse_canonical(raw))
        )
    except FormatError as error:
        raise Unfit(f"{path} is not a manifest: {error}") from error
    names = [file.name for file in manifest.files]
    if len(set(names)) != len(names) or any("/" in name or "\0" in name or name in {".", ".."} for name in names):
        # A name like ../../.ssh/id_ed25519 would make us read, and vouch for, files that were never sent.
        raise Unfit(f"{path} names files twice, or outside its directory")
    return manifest


class SaltReader:
    """The salts of a manifest of version 2, taken in their order; raises Unfit where they are not what its head says.

    Used as a context. Memory: one line, of at most 65,536 salts.
    """

    def __init__(self, path: Path, head: Manifest) -> None:
        self._path = path
        self._counts = [file.records.count if file.records is not None else 0 for file in head.files]
        self._file = path.open("rb")
        self._file.readline(_MAX_HEAD_BYTES + 1)

    def __enter__(self) -> Self:
        """Return the open manifest."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

    def salts(self, position: int) -> Iterator[bytes]:
        """Yield the salts of the file at a position, up to 65,536 at a time; files come in order, each once."""
        count = self._counts[position]
        for first in range(0, count, SALTS_A_LINE):
            line = self._file.readline(_MAX_LINE_BYTES)
            yield self._salts(line, position, first, min(SALTS_A_LINE, count - first))

    def end(self) -> None:
        """Raise Unfit unless nothing follows."""
        if self._file.read(1):
            raise Unfit(f"{self._path} holds more salts than its first line says")

    def _salts(self, line: bytes, position: int, first: int, count: int) -> bytes:
        problem = "a line is missing or cut off"
        if line.endswith(b"\n"):
            try:
                found = read_model(_Salts, parse_canonical(line[:-1]))
                salts = b64decode(found.salts)
            except FormatError as error:
                problem = str(error)
            else:
                if (found.file, found.first, len(salts)) == (position, first, count * SALT_BYTES):
                    return salts
                problem = f"the salts of {count} records of file {position}, from record {first} on, should follow"
        raise Unfit(f"{self._path} is damaged: {problem}; ask its sender for it again")


class _Salts(Model):
    file: Quantity
    first: Quantity
    salts: str


def _is_version_2(line: bytes) -> bool:
    try:
        document = parse_json(line)
    except FormatError:
        return False
    return isinstance(document, dict) and document.get("type") == "provenance-ledger.manifest/v2"
