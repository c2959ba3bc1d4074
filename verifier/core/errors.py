"""The verifier's errors: hostile bytes, a false claim, a silent source and a user's mistake are four things."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verifier.core.checks import Failure


class VerifierError(Exception):
    """Root of every error that this package raises on purpose."""


class MalformedInput(VerifierError):
    """Bytes that are not what they should be."""

    def __init__(self, what: str, reason: str, detail: str = "") -> None:
        self.what = what
        """What was being read: `entry`, `checkpoint`, `policy`, …"""
        self.reason = reason
        """A reason of docs/format.md §1.3 or §9, or `malformed`."""
        self.detail = detail
        """The place at fault: a field, a line."""
        super().__init__(f"{what}: {reason}" + (f" ({detail})" if detail else ""))


class CheckFailed(VerifierError):
    """A check that ends a verification, because nothing after it could be trusted."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(f"{failure.check.slug}: {failure.reason}")


class SourceUnavailable(VerifierError):
    """A file of the log that could not be read: this says nothing about whether the log is sound."""

    def __init__(self, where: str, why: str, *, missing: bool = False) -> None:
        self.where = where
        self.why = why
        self.missing = missing
        """The source answered, and does not have the file."""
        super().__init__(f"{where}: {why}")


class UsageError(VerifierError):
    """The user asked for something that cannot be done: exit 2."""
