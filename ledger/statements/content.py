"""The content of a hand-off, and its manifest (docs/format.md §8.2, §8.3)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ledger.core.commitment import Place, commit
from ledger.core.encoding import MAX_INTEGER
from ledger.statements.fields import FileName, Hex32, Id, MediaType, Model, Name, Nonce

CONTENT: Literal["content"] = "content"
POINTER: Literal["/content"] = "/content"
MAX_FILES = 10_000


class FileDigest(Model):
    """One file as it is sealed: `bytes` ≥ 0, lower-case hex `sha256`."""

    bytes: Annotated[int, Field(ge=0, le=MAX_INTEGER)]
    media_type: MediaType
    sha256: Hex32


class Content(Model):
    """The sealed value: one digest a file, in the order of the manifest."""

    files: Annotated[list[FileDigest], Field(min_length=1, max_length=MAX_FILES)]

    def seal(self, place: Place, salt: str) -> dict[str, str]:
        """Return the commitment as it stands in a statement."""
        return {"sealed": commit(place, salt, self.model_dump())}


class ManifestFile(Model):
    """One file of a hand-off, by name: neither its digest nor its size."""

    media_type: MediaType
    name: FileName


class Manifest(Model):
    """What travels with the files: salts and names, so that the recipient can recompute the sender's commitment."""

    type: Literal["provenance-ledger.manifest/v1"] = "provenance-ledger.manifest/v1"
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
