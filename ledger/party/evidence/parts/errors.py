"""What can go wrong between a trace and a bundle, as types with fields.

What to do next is `ledger.cli.kit.error_words`'s.
"""

from __future__ import annotations

from ledger.party.errors import PartyError, Unreachable


class EvidenceError(PartyError):
    """A bundle cannot be made of what is there. `advice` says what to do next."""

    def __init__(self, detail: str, advice: str = "") -> None:
        """Keep what is wrong, and what to do about it, in words."""
        self.detail = detail
        self.advice = advice
        super().__init__(detail)


class NotOfThisCase(EvidenceError):
    """Two things that were given do not belong together: a trace, a found file, a claim, a token."""


class Missing(EvidenceError):
    """Something that the bundle needs is not on this machine or not on the ledger."""


class TooLarge(EvidenceError):
    """The bundle would be more than any verifier reads (docs/bundle.md §1)."""


class LedgerGone(EvidenceError):
    """The ledger does not answer; a mirror will do in its place."""

    def __init__(self, error: Unreachable) -> None:
        """Keep the address."""
        self.url = error.url
        super().__init__(
            f"the ledger did not answer: {error}",
            "try again; if it is gone for good, give a copy made by 'verifier mirror': --mirror DIR",
        )
