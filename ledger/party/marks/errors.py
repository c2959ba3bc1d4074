"""What can go wrong when a copy is marked."""

from __future__ import annotations

from ledger.party.errors import PartyError


class CannotMark(PartyError):
    """A table that cannot be marked, or not with these parameters. `advice` says what to do about it."""

    def __init__(self, detail: str, advice: str) -> None:
        """Keep words for people."""
        self.detail = detail
        self.advice = advice
        super().__init__(detail)


class TooLittleRoom(CannotMark):
    """Rows drawn from this table would have only `bits` bits: too few to tell them from other rows."""

    def __init__(self, bits: int, detail: str) -> None:
        """Keep the bits of a drawn row, and why they are too few."""
        self.bits = bits
        super().__init__(
            f"a row drawn from this table has {bits} bits: {detail}",
            "accept a greater --bound, leave rows out instead (--mark omission), or hand this table over unmarked",
        )
