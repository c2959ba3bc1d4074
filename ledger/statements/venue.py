"""Exchanges that open, stop and close (docs/statements.md §7)."""

from __future__ import annotations

from typing import ClassVar, Literal

from ledger.statements.common import OnLedger
from ledger.statements.fields import Maybe, Name, Sealable, Text1000


class VenueStatus(OnLedger):
    """The venue announces its status, or another party says that it observed it."""

    type: Literal["venue.status"] = "venue.status"
    venue: Name
    status: Literal["closed", "operating", "suspended"]
    note: Maybe[Sealable[Text1000]] = None

    parties: ClassVar[tuple[str, ...]] = ("venue",)
