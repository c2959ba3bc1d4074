"""What a statement says beside the fields that all have (docs/format.md §5): read one way, whatever its type.

A body is a mapping of those fields as they were written; ids can be had as bytes. The two types that make up most of a
ledger, offers and acknowledgements, are kept small, and only in part. Each kind of body has a plain form that is cheap
to hand between processes: a tuple, bytes, or a dict.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from sys import intern
from typing import Any, ClassVar

from verifier.core.ids import id_bytes, id_text
from verifier.schema.v1 import COMMON_FIELDS

known_id = lru_cache(maxsize=1024)(id_bytes)
"""The bytes of an id that is named again and again: made once, sent once a chunk, kept once."""

_ID_BYTES = 32
_COMMON_OF = {"transfer.prepared": COMMON_FIELDS - {"nonce"}}
"""A preparation keeps its nonce: its coin is opened by what an offer says later, in the open (format.md §8.10)."""

Packed = tuple[bytes, bytes | None, str, bytes, int | None, dict[str, Any] | None] | bytes | dict[str, Any]
"""What crosses between processes: of an offer, of an acknowledgement, of any other statement."""


class Body(Mapping[str, Any]):
    """The fields of one statement's type, checked by its schema, sealed places as they stand."""

    __slots__ = ()

    @abstractmethod
    def id(self, name: str) -> bytes:
        """Return the id in a field; raises `KeyError` if the field is absent."""

    @abstractmethod
    def packed(self) -> Packed:
        """Return its plain form, for `unpack_body`."""

    def ids(self, names: Iterable[str]) -> Iterator[bytes]:
        """Yield the ids in those of these fields that are there."""
        for name in names:
            if type(self.get(name)) is str:
                yield self.id(name)

    def subject(self) -> bytes:
        """Return the license or the transfer that a claim, or a word about erasure, names."""
        return self.id("license" if "license" in self else "transfer")


@dataclass(slots=True, eq=False)
class Fields(Body):
    """All fields of any type but the two below."""

    fields: dict[str, Any]

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 (JSON, whose form the schema checked)
        """Return a field as it was written."""
        return self.fields[name]

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the fields."""
        return iter(self.fields)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.fields)

    def id(self, name: str) -> bytes:
        """Return the id in a field; raises `KeyError` if the field is absent."""
        return id_bytes(self.fields[name])

    def packed(self) -> Packed:
        """Return a dict."""
        return self.fields


class _Small(Body):
    """Fields as attributes, ids as bytes; None stands for what is absent."""

    __slots__ = ()
    names: ClassVar[tuple[str, ...]]

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 (JSON, whose form the schema checked)
        """Return a field as it was written."""
        value = getattr(self, name) if name in self.names else None
        if value is None:
            raise KeyError(name)
        return id_text(value) if type(value) is bytes else value

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the fields."""
        return (name for name in self.names if getattr(self, name) is not None)

    def __len__(self) -> int:
        """Return how many there are."""
        return sum(1 for _ in self)

    def id(self, name: str) -> bytes:
        """Return the id in a field; raises `KeyError` if there is none."""
        value = getattr(self, name, None)
        if type(value) is bytes:
            return value
        raise KeyError(name)

    def ids(self, names: Iterable[str]) -> Iterator[bytes]:
        """Yield the ids in those of these fields that are there."""
        for name in names:
            if type(value := getattr(self, name, None)) is bytes:
                yield value


@dataclass(slots=True, eq=False)
class Offer(_Small):
    """`transfer.offered`; of its content, the commitment."""

    listing: bytes
    license: bytes | None
    recipient: str
    commitment: bytes
    """To its content, which is not among the fields that can be had by name."""
    acknowledge_by_ms: int | None
    marks: dict[str, Any] | None
    names: ClassVar = ("listing", "recipient", "license", "acknowledge_by_ms", "marks")

    def packed(self) -> Packed:
        """Return a tuple."""
        return self.listing, self.license, self.recipient, self.commitment, self.acknowledge_by_ms, self.marks


@dataclass(slots=True, eq=False)
class Acknowledgement(_Small):
    """`transfer.acknowledged`, without its sealed content."""

    transfer: bytes
    opens: str | None
    names: ClassVar = ("transfer", "opens")

    def packed(self) -> Packed:
        """Return bytes: the transfer, and what it opens."""
        return self.transfer if self.opens is None else self.transfer + bytes.fromhex(self.opens)


def read_body(kind: str, fields: dict[str, Any]) -> Body:
    """Return what a statement of this type says, given all its fields."""
    if kind == "transfer.offered":
        return Offer(
            known_id(fields["listing"]),
            known_id(fields["license"]) if "license" in fields else None,
            intern(fields["recipient"]),
            bytes.fromhex(fields["content"]["sealed"]),
            fields.get("acknowledge_by_ms"),
            fields.get("marks"),
        )
    if kind == "transfer.acknowledged":
        return Acknowledgement(id_bytes(fields["transfer"]), fields.get("opens"))
    common = _COMMON_OF.get(kind, COMMON_FIELDS)
    return Fields({name: value for name, value in fields.items() if name not in common})


def unpack_body(packed: Packed) -> Body:
    """Return the body whose plain form this is."""
    if isinstance(packed, tuple):
        return Offer(*packed)
    if isinstance(packed, bytes):
        return Acknowledgement(packed[:_ID_BYTES], packed[_ID_BYTES:].hex() or None)
    return Fields(packed)
