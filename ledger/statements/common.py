"""What every statement has (docs/format.md §5)."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import model_validator

from ledger.core.errors import FormatError
from ledger.core.keys import PublicKey
from ledger.statements.fields import PRESENT, Id, Model, Name, Nonce, Seen, Signers, Time, refuse

MAX_LIFETIME_MS = 90 * 24 * 60 * 60 * 1000


class Statement(Model):
    """The common fields; `type` is set by each subclass."""

    type: str
    issuer: Name
    signers: Signers
    nonce: Nonce
    issued_ms: Time
    not_after_ms: Time

    references: ClassVar[tuple[str, ...]] = ()
    """The fields that name another statement, in the order in which acceptance resolves them."""

    parties: ClassVar[tuple[str, ...]] = ()
    """The fields that name another party."""

    @model_validator(mode="after")
    def _lifetime(self) -> Statement:
        if not self.issued_ms <= self.not_after_ms <= self.issued_ms + MAX_LIFETIME_MS:
            message = "not_after_ms is at most 90 days after issued_ms, and not before it"
            raise refuse(FormatError("lifetime-too-long", "/not_after_ms", message))
        return self

    @property
    def introduced(self) -> dict[str, tuple[PublicKey, str]]:
        """The keys that this statement introduces: keyid to (key, use)."""
        return {}

    @property
    def named_ids(self) -> list[str]:
        """The ids of the statements that this one names."""
        return [value for name in self.references if (value := getattr(self, name)) is not None]

    @property
    def named_parties(self) -> list[str]:
        """The parties that this statement names beside its issuer."""
        return [getattr(self, name) for name in self.parties]


class OnLedger(Statement):
    """The common fields of everything but `ledger.created`."""

    ledger: Id
    seen: Annotated[Seen | None, PRESENT] = None
