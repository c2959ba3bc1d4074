"""Hand-offs: offered, acknowledged or refused, forwarded, or compelled by an authority (docs/statements.md §5)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import model_validator

from ledger.statements import version_2, version_5
from ledger.statements.common import OnLedger, require_one
from ledger.statements.fields import (
    Bound,
    Count,
    Hex32,
    Id,
    Line200,
    Line300,
    Line500,
    Maybe,
    Model,
    Name,
    Nonce,
    Numbers,
    Quantity,
    Sealable,
    Sealed,
    Text1000,
    Text4000,
    Time,
    base64_of,
)

COIN_BYTES = 32
"""What each side adds to the draw (docs/marks.md §9.2)."""
CoinValue = Annotated[str, base64_of(COIN_BYTES, "a coin")]


class Coin(Model):
    """Opens the sender's coin, a commitment of kind `coin`."""

    salt: Nonce
    value: CoinValue


class Marks(Model):
    """What marks the copy: what was drawn from the pool of `prepared`, without the numbers `retired`.

    `file` is the position of the marked file in the content, from 0.
    """

    prepared: Id
    coin: Coin
    file: Quantity
    retired: Maybe[Numbers] = None


class TransferPrepared(OnLedger):
    """The sender seals a pool of marks, and its coin, before anybody can know which of the pool will be drawn."""

    type: Literal["transfer.prepared"] = "transfer.prepared"
    listing: Id
    recipient: Name
    bound: Bound
    recipients: Count
    method: Literal["canary", "omission", "tardos"]
    coin: Sealed
    seal: Sealed

    references: ClassVar[tuple[str, ...]] = ("listing",)
    parties: ClassVar[tuple[str, ...]] = ("recipient",)


class TransferRequested(OnLedger):
    """The recipient adds its coin, over a checkpoint that has the preparation in it (`seen`)."""

    type: Literal["transfer.requested"] = "transfer.requested"
    prepared: Id
    coin: CoinValue

    references: ClassVar[tuple[str, ...]] = ("prepared",)


class TransferOffered(version_2.TransferOffered):
    """The sender hands files over; their digests are sealed, so that nobody can acknowledge without the data."""

    marks: Maybe[Marks] = None


class TransferAcknowledged(version_5.TransferAcknowledged):
    """The recipient computed the same content: it `opens` the sender's commitment; sealed under a salt of its own."""

    opens: Hex32


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
