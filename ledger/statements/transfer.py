"""Hand-offs: offered by the sender, acknowledged or refused by the recipient (docs/format.md §6.10–6.12)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from ledger.statements.common import OnLedger
from ledger.statements.fields import PRESENT, Id, Name, Reason, Sealed


class TransferOffered(OnLedger):
    """The sender hands files over; their digests are sealed, so that nobody can acknowledge without the data."""

    type: Literal["transfer.offered"] = "transfer.offered"
    listing: Id
    license: Annotated[Id | None, PRESENT] = None
    recipient: Name
    content: Sealed

    references: ClassVar[tuple[str, ...]] = ("listing", "license")
    parties: ClassVar[tuple[str, ...]] = ("recipient",)


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
    reason: Reason
    content: Annotated[Sealed | None, PRESENT] = None

    references: ClassVar[tuple[str, ...]] = ("transfer",)
