"""Refusals: what the ledger would not record, on which state of the log, signed (docs/format.md §12.1)."""

from __future__ import annotations

from typing import Literal

from ledger.core.checkpoint import TreeHead
from ledger.core.encoding import Json
from ledger.core.errors import FormatError
from ledger.party.errors import ReceiptInvalid
from ledger.statements.fields import Hex32, Id, Model, Size, Time
from ledger.statements.parse import read_model


class _Payload(Model):
    ledger: Id
    reason: str
    root: Hex32
    size: Size
    statement_id: Id
    time: Time
    type: Literal["provenance-ledger.refusal/v1"]


def read_refusal(payload: Json, statement_id: str, reason: str) -> TreeHead:
    """Return the tree head on which this statement was refused for this reason; raise ReceiptInvalid."""
    try:
        refusal = read_model(_Payload, payload)
    except FormatError as error:
        raise ReceiptInvalid(f"the signed refusal is malformed: {error}") from error
    if (refusal.statement_id, refusal.reason) != (statement_id, reason):
        raise ReceiptInvalid("the signed refusal is of another statement, or for another reason")
    return TreeHead(refusal.size, bytes.fromhex(refusal.root))
