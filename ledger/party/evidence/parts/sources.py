"""Where a bundle's entries come from (docs/bundle.md §2): what both a ledger and a mirror of it answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ledger.core.encoding import Json
from ledger.core.entry import Entry
from ledger.core.errors import FormatError
from ledger.core.policy import Policy
from ledger.party.answers.identity import LedgerIdentity, identify
from ledger.party.answers.recorded import open_recorded
from ledger.party.answers.versions import read_statement
from ledger.party.audit.history import History
from ledger.party.errors import ReceiptInvalid
from ledger.party.evidence.parts.errors import TooLarge
from ledger.party.evidence.parts.tiles import Tree
from ledger.statements.common import Statement

Progress = Callable[[int, int], None]
"""Told what is done, and how much there is in all, as far as is known."""

LOG_KEYS = frozenset({"ledger.log_key_added", "ledger.log_key_retired"})
MAX_ENTRIES = 200_000
"""Of a bundle: what a verifier reads in a minute or two."""
MAX_LISTED = 1 << 20
"""Indexes of a history that a verifier takes (docs/bundle.md §2)."""
CASE_ONLY = "take the case's own entries, and have the bundle say that there may be others: --case-only"
_MAX_STRANGERS = 1_000
"""Entries of strangers that are taken along for the sake of completeness, however little they say."""


def no_progress(_done: int, _all: int) -> None:
    """Show nothing."""


class EntrySource(Protocol):
    """One log at one checkpoint, and what tells which of its entries matter."""

    tree: Tree
    histories: list[Json]
    """Signed histories of the listing, at the checkpoint's size."""

    async def concerning(self) -> list[int]:
        """Return the indexes of all entries that concern the listing, without strangers' if these are many.

        Raises TooLarge.
        """
        ...

    async def changes(self, kind: str, statement_id: str) -> list[int]:
        """Return the indexes of what changed, ended or decided the thing that a statement of that type made.

        Nobody but the thing's own parties can add to them, and each only so many times.
        """
        ...

    async def index_of(self, statement_id: str) -> int:
        """Return the index of a statement; raise Missing if there is none."""
        ...

    async def keys_of(self, party: str) -> dict[str, list[int]]:
        """Return the indexes of what changed a party's keys, by the keyid; of its registration, by the empty one."""
        ...

    async def rules_changes(self) -> list[int]:
        """Return the indexes of every `ledger.rules_changed`, and of changes of the log's keys after entry 0."""
        ...

    async def history_of(self, party: str) -> History | None:
        """Return the signed history of a party at the checkpoint's size, if it can be had."""
        ...


async def ledger_identity(tree: Tree, policy: Policy, origin: str) -> LedgerIdentity:
    """Return which ledger a tree is, from its entry 0; raise ReceiptInvalid."""
    first = await tree.proved(0)
    return identify(open_recorded(first.entry.raw, first.receipt, policy, origin), policy, origin)


def statement_of(entry: Entry) -> Statement:
    """Return what an entry says; raise ReceiptInvalid where this program does not know such a statement."""
    try:
        return read_statement(entry.envelope.payload)
    except FormatError as error:
        raise ReceiptInvalid(f"entry {entry.index} holds no statement that we know: {error}") from error


def without_crowds(listed: list[int], own: list[int]) -> list[int]:
    """Return all that concerns a listing, or where strangers say too much about it, what its own parties say.

    Raises TooLarge where that is more than a bundle has.
    """
    chosen = listed if len(listed) - len(own) <= _MAX_STRANGERS else own
    if len(chosen) > MAX_ENTRIES:
        raise TooLarge(f"{len(chosen):,} entries concern the listing", CASE_ONLY)
    return chosen
