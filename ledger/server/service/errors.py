"""Why a request gets no answer."""

from __future__ import annotations

from ledger.core.errors import LedgerError


class ProblemError(LedgerError):
    """A request that cannot be answered as asked."""

    def __init__(self, status: int, reason: str, detail: str = "", field: str = "") -> None:
        self.status = status
        self.reason = reason
        self.detail = detail
        self.field = field
        super().__init__(f"{status} {reason}")
