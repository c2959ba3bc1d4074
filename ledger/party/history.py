"""Histories: every entry that concerns some subjects, by the operator's signed word (docs/format.md §12.2)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from ledger.core.checkpoint import TreeHead
from ledger.core.encoding import Json
from ledger.core.errors import FormatError
from ledger.party.errors import ReceiptInvalid
from ledger.statements.fields import Hex32, Id, Model, Size, Time
from ledger.statements.parse import read_model


class _Payload(Model):
    indexes: list[Time]
    ledger: Id
    root: Hex32
    size: Size
    subjects: Annotated[list[str], Field(min_length=1)]
    type: Literal["provenance-ledger.history/v1"]


@dataclass(frozen=True)
class History:
    """`indexes` are all entries below the size of `head` that concern any of `subjects`.

    `signed` is the envelope, and `kept` its file in the vault.
    """

    subjects: tuple[str, ...]
    indexes: tuple[int, ...]
    head: TreeHead
    signed: Json = None
    kept: Path | None = None


def read_history(payload: Json, subjects: list[str]) -> History:
    """Read an opened history of these sorted subjects; raise ReceiptInvalid."""
    try:
        history = read_model(_Payload, payload)
    except FormatError as error:
        raise ReceiptInvalid(f"the signed history is malformed: {error}") from error
    indexes = history.indexes
    if history.subjects != subjects:
        raise ReceiptInvalid("the signed history is of other subjects")
    if sorted(set(indexes)) != indexes or (indexes and indexes[-1] >= history.size):
        raise ReceiptInvalid("the indexes of the signed history are not ascending and below its size")
    return History(tuple(subjects), tuple(indexes), TreeHead(history.size, bytes.fromhex(history.root)))
