"""The sealed value of kind `marks` (docs/marks.md §3): what was planted in one recipient's copy, and how."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from ledger.core.encoding import Json, b64decode, canonical
from ledger.core.errors import FormatError, pointer
from ledger.party.dataset.reading.cells import parse_record
from ledger.party.marks.bits import share_millibits
from ledger.party.marks.words import word_bits
from ledger.statements.fields import Base64, Bound, Count, Model, Quantity, base64_of, refuse
from ledger.statements.reading import read_model

MAX_ROWS = 10_000
MAX_POSITIONS = 100_000
MAX_COLUMNS = 4096
MIN_BIAS = 2**22
MAX_BIAS = 2**32 - MIN_BIAS
_KEY_BYTES = 32


Bits = Annotated[int, Field(ge=0, le=1000)]


class Position(Model):
    """One position of a code: the copies of recipients whose bit is 0 hold the first row, the others the second.

    `bias` / 2^32 is the probability of a 1; the rows are base64 of canonical records.
    """

    bias: Annotated[int, Field(ge=MIN_BIAS, le=MAX_BIAS)]
    rows: Annotated[list[Base64], Field(min_length=2, max_length=2)]

    @cached_property
    def records(self) -> tuple[bytes, bytes]:
        """The two canonical records."""
        zero, one = self.rows
        return b64decode(zero), b64decode(one)


Columns = Annotated[
    list[Annotated[str, StringConstraints(max_length=1_000_000)]], Field(min_length=1, max_length=MAX_COLUMNS)
]


class _Common(Model):
    bits: Annotated[list[Bits], Field(min_length=1, max_length=MAX_COLUMNS)]
    bound: Bound
    columns: Columns
    file: Quantity
    key: Annotated[str, base64_of(_KEY_BYTES, "a key")]
    origin: Literal["brought", "drawn"]
    recipients: Count
    threshold_millibits: Count
    type: Literal["provenance-ledger.marks/v1"] = "provenance-ledger.marks/v1"

    @model_validator(mode="after")
    def _fits(self) -> _Common:
        if len(self.bits) != len(self.columns):
            raise refuse(FormatError("wrong-value", "/bits", "one number a column"))
        if self.threshold_millibits < share_millibits(self.recipients, self.bound):
            # A lower threshold would let the case accuse more innocents than it says in the open.
            raise refuse(FormatError("wrong-value", "/threshold_millibits", "less than recipients and bound ask for"))
        return self

    @property
    def key_bytes(self) -> bytes:
        """The 32 random bytes that words are made with."""
        return b64decode(self.key)


class CanaryMarks(_Common):
    """Rows of one recipient's own, and as many that were drawn the same way and planted nowhere."""

    controls: Annotated[list[Base64], Field(max_length=MAX_ROWS)]
    method: Literal["canary"] = "canary"
    rows: Annotated[list[Base64], Field(min_length=1, max_length=MAX_ROWS)]

    @model_validator(mode="after")
    def _rows_fit(self) -> CanaryMarks:
        if len(self.controls) != (len(self.rows) if self.origin == "drawn" else 0):
            raise refuse(FormatError("wrong-value", "/controls", "as many as rows; none where the rows were brought"))
        check_records(self.all_marks + self.control_records, "/rows", len(self.columns))
        return self

    @cached_property
    def all_marks(self) -> tuple[bytes, ...]:
        """Every mark that there is, K in number: canonical records."""
        return decoded(self.rows)

    @cached_property
    def control_records(self) -> tuple[bytes, ...]:
        """What must not be found."""
        return decoded(self.controls)

    def planted(self, name: str) -> tuple[bytes, ...]:  # noqa: ARG002 - as TardosMarks has it
        """Return the marks in the copy of the recipient `name`."""
        return self.all_marks


class TardosMarks(_Common):
    """A code that all recipients of a listing share: each copy holds one of two rows of every position."""

    colluders: Count
    method: Literal["tardos"] = "tardos"
    positions: Annotated[list[Position], Field(min_length=1, max_length=MAX_POSITIONS)]

    @model_validator(mode="after")
    def _rows_fit(self) -> TardosMarks:
        check_records(self.all_marks, "/positions", len(self.columns))
        return self

    @cached_property
    def biases(self) -> list[int]:
        """The bias of every position, of 2^32."""
        return [position.bias for position in self.positions]

    @cached_property
    def all_marks(self) -> tuple[bytes, ...]:
        """Every mark that there is, K in number: both records of each position in turn."""
        return tuple(record for position in self.positions for record in position.records)

    @cached_property
    def code_digest(self) -> bytes:
        """The SHA-256 of all but the place of the marked file: equal where copies carry the same code."""
        return sha256(canonical(self.model_dump(exclude={"file"}))).digest()

    def planted(self, name: str) -> tuple[bytes, ...]:
        """Return the marks in the copy of the recipient `name`."""
        bits = word_bits(self.key_bytes, name, range(len(self.positions)), self.biases)
        return tuple(position.records[bit] for position, bit in zip(self.positions, bits, strict=True))


MarksValue = CanaryMarks | TardosMarks
_METHODS: dict[str, type[MarksValue]] = {"canary": CanaryMarks, "tardos": TardosMarks}


def parse_marks(value: Json) -> MarksValue:
    """Read what was sealed; raise FormatError for everything that docs/marks.md §3 refuses."""
    method = value.get("method") if isinstance(value, dict) else None
    if not isinstance(method, str) or method not in _METHODS:
        raise FormatError("wrong-value", pointer("method"), "marks are an object with the method canary or tardos")
    return read_model(_METHODS[method], value)


def decoded(rows: Iterable[str]) -> tuple[bytes, ...]:
    """Return the bytes that base64 says."""
    return tuple(b64decode(row) for row in rows)


def check_records(records: Sequence[bytes], field: str, width: int) -> None:
    """Refuse, for pydantic, records that are not all different, not canonical, or not of `width` cells."""
    if len(set(records)) != len(records):
        raise refuse(FormatError("wrong-value", field, "a row stands there twice"))
    for record in records:
        try:
            cells = len(parse_record(record))
        except FormatError as error:
            raise refuse(FormatError("wrong-value", field, "a row is not a canonical record")) from error
        if cells != width:
            raise refuse(FormatError("wrong-value", field, f"a row has {cells} cells"))
