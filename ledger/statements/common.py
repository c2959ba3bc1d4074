"""What every statement has (docs/format.md §5), and what several types share (docs/statements.md §1)."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from pydantic import model_validator

from ledger.core.errors import FormatError
from ledger.core.keys import PublicKey
from ledger.statements.fields import (
    Count,
    Hex32,
    Id,
    Line500,
    Maybe,
    MediaType,
    Model,
    Name,
    Nonce,
    Sealable,
    Seen,
    Signers,
    Time,
    refuse,
)

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
    """The fields that name another statement, with all that its entry concerns (docs/format.md §12.3)."""

    mentions: ClassVar[tuple[str, ...]] = ()
    """The fields that name another statement, or a list of them, without what its entry concerns."""

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
        """The ids of the statements that this one names, of whose entries it concerns all that they concern."""
        return [value for name in self.references if (value := getattr(self, name)) is not None]

    @property
    def mentioned_ids(self) -> list[str]:
        """The ids of the further statements that this one names."""
        found: list[str] = []
        for name in self.mentions:
            value = getattr(self, name)
            found += [value] if isinstance(value, str) else value or []
        return found

    @property
    def named_parties(self) -> list[str]:
        """The parties that this statement names beside its issuer."""
        return [value for name in self.parties if (value := getattr(self, name)) is not None]


class OnLedger(Statement):
    """The common fields of everything but `ledger.created`."""

    ledger: Id
    seen: Maybe[Seen] = None


class Document(Model):
    """A document by its digest, `bytes` ≥ 1; the document itself stays with the parties."""

    bytes: Sealable[Count]
    media_type: Sealable[MediaType]
    sha256: Sealable[Hex32]


class DataspaceIds(Model):
    """What the Dataspace Protocol calls this, at least one."""

    agreement: Maybe[Sealable[Line500]] = None
    provider_pid: Maybe[Sealable[Line500]] = None
    consumer_pid: Maybe[Sealable[Line500]] = None

    @model_validator(mode="after")
    def _any(self) -> DataspaceIds:
        require_any(self, type(self).model_fields)
        return self


def require_any(model: Model, names: Collection[str]) -> None:
    """Refuse, for pydantic, a model that has none of these optional fields: `missing-field`."""
    if not model.model_fields_set & set(names):
        raise refuse(FormatError("missing-field", "", f"at least one of {', '.join(names)}"))


def require_one(model: Model, *names: str) -> str:
    """Return which one of these optional fields is there; refuse none (`missing-field`) or more (`unknown-field`)."""
    there = [name for name in names if name in model.model_fields_set]
    if not there:
        raise refuse(FormatError("missing-field", f"/{names[0]}", f"exactly one of {', '.join(names)}"))
    if len(there) > 1:
        raise refuse(FormatError("unknown-field", f"/{there[1]}", f"exactly one of {', '.join(names)}"))
    return there[0]


def require_term(valid_from_ms: int, valid_until_ms: int) -> None:
    """Refuse, for pydantic, a term that does not begin before it ends."""
    if valid_from_ms >= valid_until_ms:
        raise refuse(FormatError("wrong-value", "/valid_until_ms", "it comes after valid_from_ms"))
