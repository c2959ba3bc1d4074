"""What a licensee did with the data (docs/statements.md §6)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from ledger.core.errors import FormatError
from ledger.statements.common import OnLedger
from ledger.statements.fields import (
    ASCENDING,
    Count,
    Hex32,
    Id,
    Line200,
    Line300,
    Maybe,
    Model,
    Sealable,
    Time,
    refuse,
)
from ledger.statements.vocabulary import COVERS


def _known(action: str) -> str:
    if action not in COVERS:
        raise refuse(FormatError("wrong-value", detail="an action of docs/terms.md §4.1"))
    return action


Action = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": sorted(COVERS)})]


class Derivative(Model):
    """Something that was made from the data; `listing` is not looked up."""

    title: Sealable[Line300]
    listing: Maybe[Id] = None
    sha256: Maybe[Sealable[Hex32]] = None


class UsageReported(OnLedger):
    """The licensee reports a use: `count` times, once if it is absent."""

    type: Literal["usage.reported"] = "usage.reported"
    license: Id
    transfer: Maybe[Id] = None
    action: Action
    purpose: Maybe[Sealable[Line200]] = None
    spatial: Maybe[Sealable[Line200]] = None
    industry: Maybe[Sealable[Line200]] = None
    product: Maybe[Sealable[Line200]] = None
    recipient: Maybe[Sealable[Line200]] = None
    count: Maybe[Sealable[Count]] = None
    from_ms: Maybe[Sealable[Time]] = None
    until_ms: Maybe[Sealable[Time]] = None
    fulfils: Maybe[Annotated[list[Action], Field(min_length=1, max_length=20), ASCENDING]] = None
    derivatives: Maybe[Sealable[Annotated[list[Sealable[Derivative]], Field(min_length=1, max_length=50)]]] = None

    references: ClassVar[tuple[str, ...]] = ("license", "transfer")
