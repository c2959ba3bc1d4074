"""An entry of which a receipt proves that it is in the log (docs/format.md §7, §11.2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ledger.core.checkpoint import Checkpoint
from ledger.core.dsse import Envelope
from ledger.core.encoding import parse_json
from ledger.core.entry import Entry, parse_entry
from ledger.core.errors import FormatError, LedgerError, QuorumError
from ledger.core.policy import NO_QUORUM, Policy
from ledger.core.receipt import open_receipt
from ledger.party.answers.replies import State
from ledger.party.answers.versions import read_statement
from ledger.party.errors import ReceiptInvalid
from ledger.statements import version_1, version_2
from ledger.statements.common import Statement

AnyOffer = version_2.TransferOffered | version_1.TransferOffered
"""An offer of a hand-off, under any version of the rules."""


@dataclass(frozen=True)
class Recorded:
    """An entry with its verified receipt; `kept` is the receipt's file, `duplicate` says that it was there before.

    `is_quorate` says that our own policy asks for witnesses, and that the receipt has the cosignatures that it asks
    for. `state` is what the ledger said when it was submitted, by its operator's quorum: its word, no more.
    """

    entry: Entry
    receipt: bytes
    checkpoint: Checkpoint
    duplicate: bool = False
    kept: Path | None = None
    is_quorate: bool = False
    state: State | None = None

    @property
    def statement_id(self) -> str:
        """The id of the statement."""
        return self.entry.envelope.id

    @property
    def index(self) -> int:
        """The entry's index, from zero."""
        return self.entry.index

    @cached_property
    def statement(self) -> Statement:
        """The statement; raise ReceiptInvalid if the log recorded something that it had to refuse."""
        try:
            return read_statement(self.entry.envelope.payload)
        except FormatError as error:
            raise ReceiptInvalid(f"entry {self.index} holds no statement that we know: {error}") from error


def open_recorded(raw: bytes, receipt: bytes, policy: Policy, origin: str) -> Recorded:
    """Verify a receipt and return its entry; raise ReceiptInvalid, or QuorumError where only witnesses are missing."""
    try:
        opened, checkpoint = open_receipt(receipt, raw, policy)
        entry = parse_entry(raw)
    except QuorumError:
        raise
    except LedgerError as error:
        raise ReceiptInvalid(f"the receipt proves nothing: {error}") from error
    if checkpoint.origin != origin:
        # A policy may trust several logs; an entry of another one is no entry of this one.
        raise ReceiptInvalid(f"the receipt is of the log {checkpoint.origin}, not of {origin}")
    if entry.index != opened.index:
        raise ReceiptInvalid(f"the entry says index {entry.index}, its receipt {opened.index}")
    return Recorded(entry, receipt, checkpoint, is_quorate=policy.quorum != NO_QUORUM)


def check_is(recorded: Recorded, submitted: Envelope) -> None:
    """Raise ReceiptInvalid unless the entry holds the statement that was submitted, as it was signed.

    A duplicate keeps the signatures it was first recorded with: they are of the same keys, and `LedgerClient.confirm`
    verifies those that differ.
    """
    found = recorded.entry.envelope
    if found.id != submitted.id:
        raise ReceiptInvalid(f"the receipt is for the statement {found.id}, not for {submitted.id}")
    others = dict(found.signatures).keys() != dict(submitted.signatures).keys()
    if others or (found.signatures != submitted.signatures and not recorded.duplicate):
        raise ReceiptInvalid(f"entry {recorded.index} holds other signatures than were sent")
    if _seen_size(submitted) > recorded.index:
        raise ReceiptInvalid(f"entry {recorded.index} was recorded below what its signers had seen")


def _seen_size(envelope: Envelope) -> int:
    """Return the size of the tree that the signers had seen, 0 without one; a full parse costs too much in bulk."""
    try:
        size = parse_json(envelope.payload)["seen"]["size"]
    except (FormatError, KeyError, TypeError):
        return 0
    return size if isinstance(size, int) else 0
