"""What can keep a found file from being traced, as types with fields."""

from __future__ import annotations

from pathlib import Path

from ledger.party.errors import PartyError


class FoundChanged(PartyError):
    """The found file was changed while it was read: what was compared is not what was hashed."""

    def __init__(self, path: Path, before: str, after: str) -> None:
        """Keep the path and both SHA-256 digests, in hex."""
        self.path = path
        self.before = before
        self.after = after
        super().__init__(f"{path} changed while it was read: its SHA-256 was {before}, and then {after}")


class FoundEmpty(PartyError):
    """The found file has nothing in it that could be compared."""

    def __init__(self, path: Path) -> None:
        """Keep the path."""
        self.path = path
        super().__init__(f"{path} has 0 bytes: there is nothing to compare")


class FoundTooLarge(PartyError):
    """A compressed found file unpacks to more than is read."""

    def __init__(self, path: Path, limit_bytes: int) -> None:
        """Keep the path and the bound."""
        self.path = path
        self.limit_bytes = limit_bytes
        super().__init__(f"{path} unpacks to more than {limit_bytes} bytes")


class TraceRunning(PartyError):
    """Another process traces the same file with the same vault."""

    def __init__(self, directory: Path) -> None:
        """Keep where that process keeps its work."""
        self.directory = directory
        super().__init__(f"this file is being traced already: see {directory}")


class NothingToCompare(PartyError):
    """No copy of anything handed off is in the vault, or none that can be read: nothing can be told.

    `reasons` say of each hand-off why it could not be compared; none where nothing was handed off at all.
    """

    def __init__(self, vault: Path, reasons: list[str]) -> None:
        """Keep the vault's directory and the reasons, in words."""
        self.vault = vault
        self.reasons = reasons
        detail = "; ".join(reasons[:5]) if reasons else "nothing was handed off from it"
        super().__init__(f"{vault} holds no copy to compare with: {detail}")
