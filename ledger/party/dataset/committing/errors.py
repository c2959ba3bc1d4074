"""What can go wrong with commitments to records."""

from __future__ import annotations

from ledger.party.errors import PartyError


class CountDiffers(PartyError):
    """A file has more or fewer records than its sender committed to: `expected`; `found` is None for more."""

    def __init__(self, expected: int, found: int | None) -> None:
        """Keep both counts."""
        self.expected = expected
        self.found = found
        has = f"more than {expected}" if found is None else str(found)
        super().__init__(f"it has {has} records, and its sender committed to {expected}")
