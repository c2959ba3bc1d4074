"""Refusals: what the ledger would not record, on which state of the log, signed (docs/format.md §12.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Literal

from ledger.core.checkpoint import TreeHead
from ledger.core.dsse import Envelope
from ledger.core.encoding import Json, parse_json
from ledger.core.errors import FormatError, LedgerError
from ledger.party.answers.recorded import Recorded
from ledger.party.answers.versions import read_statement
from ledger.party.audit.frauds import Charge
from ledger.party.audit.held import Word, pair_of
from ledger.party.errors import ReceiptInvalid
from ledger.registry.acceptance import MAX_AHEAD_MS
from ledger.statements.common import OnLedger
from ledger.statements.fields import Hex32, Id, Model, Size, Time
from ledger.statements.reading import read_model


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


def contradict(
    word: Word, envelope: Envelope, entries: Sequence[Recorded], heads: Iterable[tuple[TreeHead, bytes]]
) -> Charge | None:
    """Return that a refusal of `envelope` gives itself the lie, or is given it by what we hold (docs/format.md §19.4).

    `entries` are ours; `heads` were signed by the log or its service key, each with its signed bytes.
    """
    try:
        statement = read_statement(envelope.payload)
    except FormatError:
        return None
    reason = str(word.payload["reason"])
    what = f"it refused a statement as {reason}"
    charge = Charge("refusal-contradicts-log", "", heads=[word.signed], statement=envelope.recorded)
    match reason:
        case "expired" if word.time_ms <= statement.not_after_ms:
            return replace(charge, detail=f"{what}, which by the refusal's own time it was not")
        case "issued-in-future" if statement.issued_ms <= word.time_ms + MAX_AHEAD_MS:
            return replace(charge, detail=f"{what}, which by the refusal's own time it was not")
        case "unknown-party":
            found = _registrations(entries, word.size)
            if _parties(envelope) <= found.keys():
                pairs = [pair_of(found[name]) for name in sorted(_parties(envelope))]
                return replace(charge, detail=f"{what}, and had registered all that it names", pairs=pairs)
        case "seen-mismatch" if isinstance(statement, OnLedger) and statement.seen is not None:
            seen = TreeHead(statement.seen.size, bytes.fromhex(statement.seen.root))
            signed = next((raw for head, raw in heads if head == seen and seen.size <= word.size), None)
            if signed is not None:
                return replace(charge, detail=f"{what}, and had signed the tree", heads=[word.signed, signed])
    return None


def _registrations(entries: Iterable[Recorded], size: int) -> dict[str, Recorded]:
    """Return the entries below `size` that registered a party, by its name."""
    found: dict[str, Recorded] = {}
    for entry in entries:
        if entry.index < size and (b'"party.registered"' in entry.entry.envelope.payload or not entry.index):
            with suppress(LedgerError):
                statement = entry.statement
                if statement.type in {"party.registered", "ledger.created"}:
                    found[statement.issuer] = entry
    return found


def _parties(envelope: Envelope) -> set[str]:
    """Return every party that a statement names, its issuer among them."""
    said = parse_json(envelope.payload)
    values = [said.get(name) for name in ("issuer", "licensee", "recipient", "respondent", "tribunal", "venue")]
    names = [value.get("party") if isinstance(value, dict) else value for value in values]
    return {name for name in names if isinstance(name, str)}
