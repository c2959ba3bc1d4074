"""Datasets on offer (docs/format.md §6.6, §6.7)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from ledger.statements.common import OnLedger
from ledger.statements.fields import PRESENT, Description, Id, Reason, Sealed, Title


class ListingRegistered(OnLedger):
    """A dataset, with a commitment to its files as the issuer holds them now."""

    type: Literal["listing.registered"] = "listing.registered"
    title: Title
    description: Annotated[Description | None, PRESENT] = None
    content: Sealed


class ListingWithdrawn(OnLedger):
    """The issuer offers the listing no longer; licenses agreed before stand."""

    type: Literal["listing.withdrawn"] = "listing.withdrawn"
    listing: Id
    reason: Annotated[Reason | None, PRESENT] = None

    references: ClassVar[tuple[str, ...]] = ("listing",)
