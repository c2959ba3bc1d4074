"""Why a statement may not enter."""

from __future__ import annotations

from ledger.core.errors import LedgerError


class Refused(LedgerError):
    """A well-formed statement fails a step of docs/format.md §9; `authentic` says that its signatures verify."""

    def __init__(self, reason: str, field: str = "", detail: str = "") -> None:
        """Keep the stable `reason`, the RFC 6901 pointer of the `field`, and words for people."""
        self.reason = reason
        self.field = field
        self.detail = detail
        self.authentic = False
        super().__init__(": ".join(part for part in (reason, field, detail) if part))
