"""What can go wrong with the rows of a file."""

from __future__ import annotations

from pathlib import Path

from ledger.party.errors import PartyError


class TableUnreadable(PartyError):
    """A table that cannot be read as rows, so that nothing is committed to (docs/format.md §15.3).

    `place` says where in the file, such as `line 7`, or is empty; `advice` is what to do about it.
    """

    def __init__(self, path: Path, place: str, detail: str, advice: str = "") -> None:
        """Keep the file, the place in it, and words for people."""
        self.path = path
        self.place = place
        self.detail = detail
        self.advice = advice
        super().__init__(f"{path}{', ' if place else ''}{place}: {detail}")


class NotReadable(PartyError):
    """The value of one cell has no canonical form; whoever knows the row turns this into TableUnreadable."""


class CopyDamaged(PartyError):
    """What the vault kept of a hand-off is not what its sender sealed."""

    def __init__(self, path: Path, detail: str) -> None:
        """Keep the path and words for people."""
        self.path = path
        self.detail = detail
        super().__init__(f"{path}: {detail}")
