"""The sealed value of kind `pool`, and what the draw takes from it (docs/marks.md §9.1, §9.2). Pure."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ledger.core.encoding import Json, b64decode, canonical
from ledger.core.errors import FormatError, pointer
from ledger.party.marks.value import (
    MAX_POSITIONS,
    MAX_ROWS,
    Columns,
    Position,
    check_records,
    decoded,
)
from ledger.party.marks.words import word_bits
from ledger.statements.fields import Base64, Count, Model, base64_of, refuse
from ledger.statements.reading import read_model

KEY_BYTES = 32
DRAW = "provenance-ledger/draw/v1"


class _Common(Model):
    columns: Columns
    key: Annotated[str, base64_of(KEY_BYTES, "a key")]
    type: Literal["provenance-ledger.pool/v1"] = "provenance-ledger.pool/v1"

    @property
    def key_bytes(self) -> bytes:
        """The 32 random bytes that the draw is made with."""
        return b64decode(self.key)


class RowPool(_Common):
    """Rows of which `draws` will be drawn: added to the copy (canary), or left out of it (omission)."""

    draws: Count
    method: Literal["canary", "omission"]
    rows: Annotated[list[Base64], Field(min_length=2, max_length=MAX_ROWS)]

    @model_validator(mode="after")
    def _rows_fit(self) -> RowPool:
        if self.draws >= len(self.rows):
            raise refuse(
                FormatError("wrong-value", "/draws", "rows that are not drawn are what the others are held to")
            )
        check_records(self.records, "/rows", len(self.columns))
        return self

    @cached_property
    def records(self) -> tuple[bytes, ...]:
        """All n rows, canonical records."""
        return decoded(self.rows)

    def drawn(self, seed: str) -> frozenset[int]:
        """Return the numbers of the rows of least rank, `draws` of them."""
        return frozenset(
            sorted(range(len(self.rows)), key=lambda number: (self._rank(seed, number), number))[: self.draws]
        )

    def _rank(self, seed: str, number: int) -> bytes:
        return hmac.digest(self.key_bytes, f"draw\n{seed}\n{number}".encode(), "sha256")

    def marks(self, seed: str, retired: Sequence[int]) -> dict[int, bytes]:
        """Return the rows that the draw marks this copy by, without those retired, by number."""
        left = sorted(self.drawn(seed).difference(retired))
        return {number: self.records[number] for number in left}


class CodePool(_Common):
    """Positions of a code, of each of which a copy holds one row or the other."""

    colluders: Count
    method: Literal["tardos"] = "tardos"
    positions: Annotated[list[Position], Field(min_length=1, max_length=MAX_POSITIONS)]

    @model_validator(mode="after")
    def _rows_fit(self) -> CodePool:
        check_records(self.records, "/positions", len(self.columns))
        return self

    @cached_property
    def biases(self) -> list[int]:
        """The bias of every position, of 2^32."""
        return [position.bias for position in self.positions]

    @cached_property
    def records(self) -> tuple[bytes, ...]:
        """Both rows of each position in turn, canonical records."""
        return tuple(record for position in self.positions for record in position.records)

    def marks(self, seed: str, retired: Sequence[int]) -> dict[int, bytes]:
        """Return the row of every position that the word puts into this copy, without positions retired."""
        bits = word_bits(self.key_bytes, seed, range(len(self.positions)), self.biases)
        left = set(retired)
        return {
            number: position.records[bit]
            for number, (position, bit) in enumerate(zip(self.positions, bits, strict=True))
            if number not in left
        }


Pool = RowPool | CodePool


def parse_pool(value: Json) -> Pool:
    """Read what was sealed; raise FormatError for everything that docs/marks.md §9.1 refuses."""
    method = value.get("method") if isinstance(value, dict) else None
    if method not in {"canary", "omission", "tardos"}:
        raise FormatError(
            "wrong-value", pointer("method"), "a pool is an object with the method canary, omission, tardos"
        )
    kind: type[Pool] = CodePool if method == "tardos" else RowPool
    return read_model(kind, value)


def draw_seed(prepared: str, requested: str, coin: str) -> str:
    """Return the seed of a draw, 64 hex digits, from two statement ids and the sender's coin in base64."""
    return sha256(canonical([DRAW, prepared, requested, coin])).hexdigest()
