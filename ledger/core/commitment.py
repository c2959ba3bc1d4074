"""Commitments: the one form of every sealed value (docs/format.md §8)."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from ledger.core.encoding import Json, canonical

SALT_BYTES = 16

Kind = Literal["coin", "content", "field", "marks", "pool"]
"""What a commitment is of."""
_KINDS: dict[str, Kind] = {"/coin": "coin", "/content": "content", "/marks/seal": "marks", "/seal": "pool"}


def kind_at(pointer: str) -> Kind:
    """Return the kind of the commitments at a place of statements, given by its RFC 6901 pointer."""
    return _KINDS.get(pointer, "field")


@dataclass(frozen=True)
class Place:
    """Where a value is sealed: `nonce` is the base64 of the statement's nonce, `pointer` an RFC 6901 pointer.

    It is hashed with the value, so that nobody can copy a commitment into a statement of their own.
    """

    kind: str
    ledger: str
    issuer: str
    nonce: str
    pointer: str


def commit(place: Place, salt: str, value: Json) -> str:
    """Return the commitment, 64 hex digits; `salt` is base64 of 16 random bytes."""
    parts = [f"provenance-ledger/{place.kind}/v1", place.ledger, place.issuer, place.nonce, place.pointer, salt, value]
    return sha256(canonical(parts)).hexdigest()
