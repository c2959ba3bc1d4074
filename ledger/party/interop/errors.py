"""What can go wrong between a foreign document and a statement, as types with fields."""

from __future__ import annotations

from ledger.party.errors import PartyError


class NotUnderstood(PartyError):
    """A foreign document cannot be read as what it should be; `pointer` (RFC 6901) is where, `detail` says why."""

    def __init__(self, detail: str, pointer: str = "") -> None:
        """Keep the place and the words."""
        self.detail = detail
        self.pointer = pointer
        super().__init__(f"{pointer}: {detail}" if pointer else detail)


class Unjudgeable(NotUnderstood):
    """Terms that have no meaning in docs/terms.md: the clause at `pointer` of the document as it was given."""
