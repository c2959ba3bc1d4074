"""The roots of the error tree. Messages are composed from fields; nothing here knows HTTP or exit codes."""

from __future__ import annotations


class LedgerError(Exception):
    """Everything that `ledger` raises on purpose."""


class FormatError(LedgerError):
    """Bytes that break docs/format.md: the sender's fault, whoever the sender is."""

    def __init__(self, reason: str, field: str = "", detail: str = "") -> None:
        """Keep the stable `reason` (docs/format.md §14), the RFC 6901 pointer of the `field`, and words for people."""
        self.reason = reason
        self.field = field
        self.detail = detail
        super().__init__(": ".join(part for part in (reason, field, detail) if part))


def pointer(*parts: str | int) -> str:
    """Return the RFC 6901 pointer of nested members and positions."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


class ProofError(LedgerError):
    """A Merkle path does not lead where it claims (RFC 9162 §2.1.3.2, §2.1.4.2)."""


class SignerError(LedgerError):
    """A key that is kept elsewhere cannot be used now. The message never holds a secret."""

    def __init__(self, where: str, detail: str) -> None:
        """Keep where the key is, and words for people."""
        self.where = where
        self.detail = detail
        super().__init__(f"{where}: {detail}")


class NoteError(LedgerError):
    """A signed note is malformed, or no trusted key signed it, or a trusted key's signature is wrong."""


class QuorumError(NoteError):
    """The log signed, but too few of the policy's witnesses did: not proved false, and not verified."""


class PolicyError(LedgerError):
    """A policy file cannot be understood; a verifier without a policy trusts nobody."""
