"""Who may use a dataset, for what, until when (docs/format.md §6.8, §6.9)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from ledger.core.errors import FormatError
from ledger.statements.common import OnLedger
from ledger.statements.fields import PRESENT, Hex32, Id, Label, MediaType, Model, Name, Reason, Size, Time, refuse


class LegalText(Model):
    """The contract in words, by its digest; the text itself stays with the parties."""

    bytes: Size
    media_type: MediaType
    sha256: Hex32


class Terms(Model):
    """What was agreed; in force in [valid_from_ms, valid_until_ms)."""

    purposes: Annotated[list[Label], Field(min_length=1, max_length=20)]
    text: Annotated[LegalText | None, PRESENT] = None
    valid_from_ms: Time
    valid_until_ms: Time

    @model_validator(mode="after")
    def _order(self) -> Terms:
        if self.valid_from_ms >= self.valid_until_ms:
            raise refuse(FormatError("wrong-value", "/valid_until_ms", "it comes after valid_from_ms"))
        return self


class LicenseAgreed(OnLedger):
    """Licensor (the issuer) and licensee sign the same terms."""

    type: Literal["license.agreed"] = "license.agreed"
    listing: Id
    licensee: Name
    terms: Terms

    references: ClassVar[tuple[str, ...]] = ("listing",)
    parties: ClassVar[tuple[str, ...]] = ("licensee",)


class LicenseEnded(OnLedger):
    """Either party ends the license."""

    type: Literal["license.ended"] = "license.ended"
    license: Id
    reason: Annotated[Reason | None, PRESENT] = None

    references: ClassVar[tuple[str, ...]] = ("license",)
