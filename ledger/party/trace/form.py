"""trace.json as who reads it may rely on it (docs/trace.md §4): which members there are, and of which kinds.

A trace is a file, and files are edited. With what has this form one can compute; whether it is true is
another question.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from ledger.core.encoding import MAX_INTEGER
from ledger.core.errors import FormatError
from ledger.party.dataset.reading.normal import MappedColumn, check_mapping
from ledger.party.trace.registered import Link
from ledger.statements.fields import Model, refuse

CHUNKS = "chunks"
Count = Annotated[int, Field(ge=0, le=MAX_INTEGER)]


class _Part(Model):
    """A part of a trace; members that are not named here are for people, and may be there."""

    model_config = ConfigDict(extra="allow")


class FoundForm(_Part):
    """The found file: `count` rows or chunks; `columns` where it is a table."""

    bytes: Count
    columns: list[str] | None = None
    count: Count | None = None
    format: str
    name: str
    sha256: str


class CustodyForm(_Part):
    """Who did what with the found file, and when (Unix milliseconds)."""

    at_ms: Count
    tools: list[str]
    what: str
    who: str


class Registered(_Part):
    """The first link of the custody, and the statement that committed to it."""

    link: Link
    statement: str


class RowForm(_Part):
    """A row of the found file: its number, and its canonical record in base64."""

    row: Count
    value: str


class MatchForm(_Part):
    """That a row of the found file is a record of the copy."""

    file: Count
    kind: Literal["exact", "normalised"]
    record: Count
    row: Count


class CountsForm(_Part):
    """How many records were found, and of how many."""

    exclusive: Count
    marks: Count
    records: Count
    records_found: Count
    shared: Count

    @model_validator(mode="after")
    def _a_part(self) -> Self:
        if self.records_found > self.records:
            raise refuse(FormatError("wrong-value", "/records_found", "more than there are"))
        return self


class MarksForm(_Part):
    """Whether there are marks, and whether their seal was open."""

    method: str | None = None
    status: Literal["none", "opened", "withheld"]
    transfer: str | None = None

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.status != "none" and self.transfer is None:
            raise refuse(FormatError("missing-field", "/transfer", "of which hand-off these marks are"))
        return self


class OtherForm(_Part):
    """What the same test says of another recipient."""

    transfer: str


class ControlsForm(_Part):
    """What must not score."""

    others: list[OtherForm]


class HypothesisForm(_Part):
    """A competing explanation."""

    hypothesis: str


class ConclusionForm(_Part):
    """Whether it is enough."""

    is_enough: bool


class TransferForm(_Part):
    """What was found of one hand-off; from `by` to `matches` only where something of it was compared."""

    by: Literal["rows", "chunks"] | None = None
    conclusion: ConclusionForm
    controls: ControlsForm
    counts: CountsForm | None = None
    examined: Count | None = None
    hypotheses: list[HypothesisForm]
    ledger: str
    listing: str
    mapping: list[MappedColumn] | None = None
    marks: MarksForm
    matches: list[MatchForm] | None = None
    recipient: str
    transfer: str

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.by is not None and None in (self.counts, self.mapping, self.matches):
            raise refuse(FormatError("missing-field", "/by", "what was compared has counts, a mapping and matches"))
        if self.by != "rows" and self.mapping:
            raise refuse(FormatError("wrong-value", "/mapping", "only rows have columns"))
        return self


class TraceForm(_Part):
    """The whole document."""

    chunks: Count | None = None
    custody: list[CustodyForm]
    registration: Registered | None = None
    found: FoundForm
    found_rows: list[RowForm]
    mark_rows: dict[str, list[Count]]
    transfers: list[TransferForm]
    type: Literal["provenance-ledger.trace/v1"]

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """Check what members have to do with each other: a mapping is of columns that the found file has."""
        if len({item.transfer for item in self.transfers}) < len(self.transfers):
            raise refuse(FormatError("wrong-value", "/transfers", "a hand-off stands twice"))
        columns, count = self.found.columns, self.found.count
        for item in self.transfers:
            if item.by == "rows" and (columns is None or count is None or self.found.format == CHUNKS):
                raise refuse(FormatError("wrong-value", "/found", "rows are of a table, with columns and a count"))
            if item.by == "chunks" and self.chunks is None:
                raise refuse(FormatError("missing-field", "/chunks", "into how many chunks it was cut"))
            try:
                check_mapping(item.mapping or [], MAX_INTEGER, len(columns or []))
            except FormatError as error:
                raise refuse(error) from error
        return self
