"""What opens our commitments, as it is kept, shown and handed out (docs/format.md §8.4–8.6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from ledger.core.commitment import Kind, Place, commit, kind_at
from ledger.core.encoding import Json, canonical, parse_canonical
from ledger.core.errors import FormatError
from ledger.party.errors import Unfit
from ledger.statements.fields import Id, Model, Name, Nonce, refuse
from ledger.statements.reading import read_model

MAX_DISCLOSURES = 10_000
MAX_FILE_BYTES = 64 * 1024 * 1024
_MAX_FOR = 300

Pointer = Annotated[str, StringConstraints(pattern=r"^(/([^~/\n]|~0|~1)*)+$", max_length=500)]
"""An RFC 6901 pointer of a place in a statement, not of the whole."""


class Disclosure(Model):
    """What opens one commitment: the value that is sealed at `pointer` in a statement, and its salt."""

    issuer: Name
    kind: Kind
    ledger: Id
    nonce: Nonce
    pointer: Pointer
    salt: Nonce
    statement_id: Id
    type: Literal["provenance-ledger.disclosure/v1"] = "provenance-ledger.disclosure/v1"
    value: Json

    @model_validator(mode="after")
    def _fits(self) -> Disclosure:
        if self.kind != kind_at(self.pointer):
            raise refuse(FormatError("wrong-value", "/kind", f"{self.pointer} is sealed as {kind_at(self.pointer)}"))
        if self.kind == "marks" and not isinstance(self.value, dict):
            raise refuse(FormatError("wrong-type", "/value", "marks are an object"))
        return self

    @property
    def place(self) -> Place:
        """Where the value is sealed."""
        return Place(self.kind, self.ledger, self.issuer, self.nonce, self.pointer)

    @property
    def commitment(self) -> str:
        """The 64 hex digits that stand at the place, if this opens it."""
        return commit(self.place, self.salt, self.value)


class _File(Model):
    """A file of disclosures (docs/format.md §8.6)."""

    disclosures: Annotated[list[Disclosure], Field(min_length=1, max_length=MAX_DISCLOSURES)]
    whom: Annotated[str, Field(alias="for", max_length=_MAX_FOR)] = ""
    type: Literal["provenance-ledger.disclosures/v1"]


def parse_disclosures(raw: bytes) -> list[Disclosure]:
    """Return what a file of disclosures opens, which comes from another company; raise Unfit. Checks no commitment."""
    if len(raw) > MAX_FILE_BYTES:
        raise Unfit(f"a file of disclosures has at most {MAX_FILE_BYTES} bytes")
    try:
        return read_model(_File, parse_canonical(raw.removesuffix(b"\n"))).disclosures
    except FormatError as error:
        raise Unfit(f"this is not a file of disclosures: {error}") from error


def format_disclosures(disclosures: Sequence[Disclosure], whom: str) -> bytes:
    """Return the bytes of a disclosures file; raise Unfit for what no verifier would read."""
    if not 1 <= len(disclosures) <= MAX_DISCLOSURES:
        raise Unfit(f"a file discloses 1 to {MAX_DISCLOSURES} places, not {len(disclosures)}")
    if not 1 <= len(whom) <= _MAX_FOR or "\n" in whom:
        raise Unfit(f"say for whom in one line of at most {_MAX_FOR} characters")
    document = {
        "disclosures": [item.model_dump() for item in disclosures],
        "for": whom,
        "type": "provenance-ledger.disclosures/v1",
    }
    raw = canonical(document) + b"\n"
    if len(raw) > MAX_FILE_BYTES:
        raise Unfit(f"a file of disclosures has at most {MAX_FILE_BYTES} bytes; make several")
    return raw
