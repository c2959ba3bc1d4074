"""The content of a hand-off, and its manifest (docs/format.md §8.2, §8.3, §15.1, §15.5)."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag, model_validator

from ledger.core.commitment import Place, commit
from ledger.core.encoding import MAX_INTEGER, Json
from ledger.core.errors import FormatError
from ledger.core.unicode import nfc
from ledger.statements.fields import FileName, Hex32, Id, Maybe, MediaType, Model, Name, Nonce, Quantity, refuse

CONTENT: Literal["content"] = "content"
POINTER: Literal["/content"] = "/content"
MAX_FILES = 10_000
MAX_COLUMNS = 4096


def _column(name: str) -> str:
    if any(unicodedata.category(character) == "Cc" for character in name) or nfc(name) != name:
        raise refuse(FormatError("wrong-value", detail="a column's name is in NFC, without control characters"))
    return name


Columns = Annotated[list[Annotated[str, AfterValidator(_column)]], Field(min_length=1, max_length=MAX_COLUMNS)]


class RowRecords(Model):
    """The commitment to every row of a table: `root` is the tree's over `count` ≥ 0 record leaves."""

    canonicalisation: Literal["rows/v1"] = "rows/v1"
    columns: Columns
    count: Quantity
    redactable: bool
    root: Hex32


class ChunkRecords(Model):
    """The commitment to every chunk of a file that is not a table."""

    canonicalisation: Literal["chunks/v1"] = "chunks/v1"
    count: Quantity
    root: Hex32


def _tag(value: Any) -> str:  # noqa: ANN401 - any JSON value
    chunks = isinstance(value, ChunkRecords) or (
        isinstance(value, dict) and value.get("canonicalisation") == "chunks/v1"
    )
    return "chunks" if chunks else "rows"


Records = Annotated[Annotated[RowRecords, Tag("rows")] | Annotated[ChunkRecords, Tag("chunks")], Discriminator(_tag)]


class FileDigest(Model):
    """One file as it is sealed: `bytes` ≥ 0, lower-case hex `sha256`, and its records where they are committed to."""

    bytes: Annotated[int, Field(ge=0, le=MAX_INTEGER)]
    media_type: MediaType
    records: Maybe[Records] = None
    sha256: Hex32


class Content(Model):
    """The sealed value: one digest a file, in the order of the manifest."""

    files: Annotated[list[FileDigest], Field(min_length=1, max_length=MAX_FILES)]

    def value(self) -> Json:
        """Return what is sealed, as a JSON value."""
        return self.model_dump(exclude_none=True)

    def seal(self, place: Place, salt: str) -> dict[str, str]:
        """Return the commitment as it stands in a statement."""
        return {"sealed": commit(place, salt, self.value())}


class FileReading(Model):
    """How the records of a file are read (docs/format.md §15.5); `encoding` is a lower-case IANA name."""

    canonicalisation: Literal["rows/v1", "chunks/v1"]
    count: Quantity
    redactable: Maybe[bool] = None
    format: Maybe[Literal["csv", "tsv", "jsonl", "parquet", "arrow"]] = None
    delimiter: Maybe[Literal[",", ";", "|"]] = None
    encoding: Maybe[Annotated[str, StringConstraints(pattern=r"^[a-z0-9._:-]{1,40}$")]] = None

    @model_validator(mode="after")
    def _members(self) -> FileReading:
        """Refuse members that are not those of the format: one hand-off has one way to be read."""
        rows = self.canonicalisation == "rows/v1"
        wanted = {"redactable": rows, "format": rows}
        wanted |= {"delimiter": self.format == "csv", "encoding": self.format in {"csv", "tsv"}}
        for name, is_wanted in wanted.items():
            if (getattr(self, name) is not None) != is_wanted:
                raise refuse(FormatError("missing-field" if is_wanted else "unknown-field", f"/{name}"))
        return self


class ManifestFile(Model):
    """One file of a hand-off, by name: neither its digest nor its size. `records`: how they are read (version 2)."""

    media_type: MediaType
    name: FileName
    records: Maybe[FileReading] = None


class _ManifestBase(Model):
    files: Annotated[list[ManifestFile], Field(min_length=1, max_length=MAX_FILES)]
    issuer: Name
    kind: Literal["content"] = CONTENT
    ledger: Id
    nonce: Nonce
    pointer: Literal["/content"] = POINTER
    salt: Nonce
    transfer: Id

    @property
    def place(self) -> Place:
        """Where the value is sealed."""
        return Place(self.kind, self.ledger, self.issuer, self.nonce, self.pointer)


class ManifestV1(_ManifestBase):
    """A manifest of version 1: it commits to files only."""

    type: Literal["provenance-ledger.manifest/v1"] = "provenance-ledger.manifest/v1"

    @model_validator(mode="after")
    def _no_records(self) -> ManifestV1:
        if any(file.records is not None for file in self.files):
            raise refuse(FormatError("unknown-field", "/files/records"))
        return self


class Manifest(_ManifestBase):
    """What travels with the files: salts and names, so that the recipient can recompute the sender's commitment.

    This is the first line of version 2; the salts of the records are in the lines after it.
    """

    type: Literal["provenance-ledger.manifest/v2"] = "provenance-ledger.manifest/v2"


AnyManifest = Manifest | ManifestV1
