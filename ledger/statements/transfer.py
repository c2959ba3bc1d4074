"""Hand-offs: offered, acknowledged or refused, forwarded, or compelled by an authority (docs/statements.md §5)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import StringConstraints, model_validator

from ledger.statements import version_2
from ledger.statements.common import OnLedger, require_one
from ledger.statements.fields import (
    Count,
    Id,
    Line200,
    Line300,
    Line500,
    Maybe,
    Model,
    Name,
    Sealable,
    Sealed,
    Text1000,
    Text4000,
    Time,
)

Bound = Annotated[str, StringConstraints(pattern=r"^0\.0*[1-9][0-9]*$", max_length=32)]
"""A probability above 0 and below 1, written with 1 to 30 decimals."""


class Marks(Model):
    """How the copy is marked: `bound` is the greatest probability that the whole case accuses somebody falsely.

    Whose score reaches `threshold_millibits` is accused; `seal` is a commitment of kind `marks`.
    """

    bound: Bound
    method: Literal["canary", "tardos"]
    seal: Sealed
    threshold_millibits: Count


class TransferOffered(version_2.TransferOffered):
    """The sender hands files over; their digests are sealed, so that nobody can acknowledge without the data."""

    marks: Maybe[Marks] = None


class TransferAcknowledged(OnLedger):
    """The recipient computed the same content and seals it under a salt of its own."""

    type: Literal["transfer.acknowledged"] = "transfer.acknowledged"
    transfer: Id
    content: Sealed

    references: ClassVar[tuple[str, ...]] = ("transfer",)


class TransferRefused(OnLedger):
    """The recipient did not get what was offered; `content` seals what it got instead."""

    type: Literal["transfer.refused"] = "transfer.refused"
    transfer: Id
    code: Literal["digest-mismatch", "not-received", "not-wanted", "other"]
    reason: Maybe[Sealable[Text1000]] = None
    content: Maybe[Sealed] = None

    references: ClassVar[tuple[str, ...]] = ("transfer",)


class TransferForwarded(OnLedger):
    """The recipient of a transfer hands the data on, to another party or to somebody outside the ledger."""

    type: Literal["transfer.forwarded"] = "transfer.forwarded"
    transfer: Id
    recipient: Maybe[Name] = None
    outsider: Maybe[Sealable[Line300]] = None
    license: Maybe[Id] = None
    disclosure: Maybe[Id] = None
    purpose: Maybe[Sealable[Line200]] = None
    spatial: Maybe[Sealable[Line200]] = None
    content: Maybe[Sealed] = None

    references: ClassVar[tuple[str, ...]] = ("transfer", "license")
    mentions: ClassVar[tuple[str, ...]] = ("disclosure",)
    parties: ClassVar[tuple[str, ...]] = ("recipient",)

    @model_validator(mode="after")
    def _one(self) -> TransferForwarded:
        require_one(self, "recipient", "outsider")
        return self


class DisclosureCompelled(OnLedger):
    """An authority demanded the data of a transfer or of a listing."""

    type: Literal["disclosure.compelled"] = "disclosure.compelled"
    transfer: Maybe[Id] = None
    listing: Maybe[Id] = None
    authority: Sealable[Line300]
    instrument: Sealable[Line500]
    scope: Maybe[Sealable[Text4000]] = None
    demanded_ms: Maybe[Sealable[Time]] = None

    references: ClassVar[tuple[str, ...]] = ("transfer", "listing")

    @model_validator(mode="after")
    def _one(self) -> DisclosureCompelled:
        require_one(self, "transfer", "listing")
        return self
