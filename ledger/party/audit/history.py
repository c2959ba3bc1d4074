"""Histories: every entry that concerns some subjects, by the operator's signed word (docs/format.md §12.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from ledger.core.checkpoint import TreeHead
from ledger.core.encoding import Json
from ledger.core.errors import FormatError, LedgerError
from ledger.party.answers.recorded import Recorded
from ledger.party.errors import ReceiptInvalid
from ledger.registry.concerning import Parties, counted
from ledger.statements.fields import Hex32, Id, Model, Size, Time
from ledger.statements.parse import NEWEST_RULES
from ledger.statements.reading import read_model


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


def find_left_out(history: History, entries: Sequence[Recorded]) -> tuple[Recorded, list[Recorded]] | None:
    """Return an entry that the history had to list, and the entries by which it concerns a subject; None if none is.

    `entries` ascend by index. What they do not show cannot be told (docs/format.md §12.3), such as whose key a signer's
    is, where the entry that brought it is not among them. The newest version of the rules has the narrowest notion of
    what an entry concerns: under which version one stands, `entries` need not show.
    """
    parties = Parties()
    by_id: dict[str, Recorded] = {}
    concerned: dict[str, set[str]] = {}
    bringing: dict[str, Recorded] = {}
    for entry in entries:
        try:
            statement = entry.statement
        except LedgerError:
            continue
        by_id[entry.statement_id] = entry
        bringing.update(dict.fromkeys(statement.introduced, entry))
        keys = [bringing[keyid] for keyid in statement.signers if keyid in bringing]
        named, mentioned = counted(statement, NEWEST_RULES, parties.include)
        parties.take(statement, entry.statement_id)
        subjects = {entry.statement_id, statement.issuer, *statement.named_parties, *named}
        subjects.update(*(concerned.get(name, ()) for name in named), mentioned)
        subjects.update(other.statement.issuer for other in keys)
        concerned[entry.statement_id] = subjects
        is_listed = entry.index in history.indexes or entry.index >= history.head.size
        if not is_listed and not subjects.isdisjoint(history.subjects):
            return entry, _links(entry, by_id, bringing)
    return None


def _links(entry: Recorded, by_id: dict[str, Recorded], bringing: dict[str, Recorded]) -> list[Recorded]:
    """Return the entries that brought its signers' keys, those that it names, and the same of these, each once."""
    found: dict[int, Recorded] = {entry.index: entry}
    waiting = [entry]
    while waiting:
        statement = waiting.pop().statement
        brought = [bringing.get(keyid) for keyid in statement.signers]
        for other in (*brought, *(by_id.get(name) for name in statement.named_ids)):
            if other is not None and other.index not in found:
                found[other.index] = other
                waiting.append(other)
    return [other for other in found.values() if other is not entry]
