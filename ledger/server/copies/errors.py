"""Why a copy of a log cannot be used."""

from __future__ import annotations

from ledger.core.errors import LedgerError


class CopyError(LedgerError):
    """A copy, at `where`, cannot be used."""

    def __init__(self, where: str, why: str) -> None:
        self.where = where
        self.why = why
        super().__init__(f"{where}: {why}")


class CopyUnreadable(CopyError):
    """A file of it cannot be had: this says nothing about whether it is sound."""


class CopyMissing(CopyUnreadable):
    """A file is not there at all; of some, none need be."""


class CopyFalse(CopyError):
    """It is not what the checkpoint signs, or not a copy of this log."""


class CopyTooShort(CopyError):
    """It is sound, and lacks entries that the log has shown to others."""
