"""Promises: what the ledger will record, by when, signed (docs/format.md §18)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ledger.core.checkpoint import TreeHead
from ledger.core.encoding import Json
from ledger.core.errors import FormatError
from ledger.party.errors import ReceiptInvalid
from ledger.statements.fields import Hex32, Id, Model, Size, Time
from ledger.statements.reading import read_model


class _Payload(Model):
    deadline_ms: Time
    ledger: Id
    root: Hex32
    size: Size
    statement_id: Id
    time: Time
    type: Literal["provenance-ledger.promise/v1"]


@dataclass(frozen=True)
class Promise:
    """A statement will be in the log by `deadline_ms` (Unix milliseconds); said on the log as it stood at `head`."""

    statement_id: str
    deadline_ms: int
    head: TreeHead


def read_promise(payload: Json, statement_id: str) -> Promise:
    """Read an opened promise of this statement; raise ReceiptInvalid."""
    try:
        promise = read_model(_Payload, payload)
    except FormatError as error:
        raise ReceiptInvalid(f"the signed promise is malformed: {error}") from error
    if promise.statement_id != statement_id:
        raise ReceiptInvalid("the signed promise is of another statement")
    if promise.deadline_ms <= promise.time:
        raise ReceiptInvalid("the signed promise has a deadline before its own time")
    return Promise(statement_id, promise.deadline_ms, TreeHead(promise.size, bytes.fromhex(promise.root)))
