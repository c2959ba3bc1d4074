"""What parties could say under version 1 of the rules, where version 2 has another form (docs/format.md §6.3–6.12).

Where a later version only adds to a type, its model inherits from the one before: what is of a later version is of the
earlier ones too.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from ledger.core.keys import PublicKey
from ledger.statements.common import OnLedger, require_term
from ledger.statements.fields import (
    Count,
    Hex32,
    Id,
    KeyId,
    Line200,
    Line300,
    Maybe,
    MediaType,
    Model,
    Name,
    Sealed,
    ShortKeys,
    Text1000,
    Text4000,
    Time,
)
from ledger.statements.party import check_distinct, introduce


class PartyRegistered(OnLedger):
    """`issuer` is the new name; every new key signs, which proves possession."""

    type: Literal["party.registered"] = "party.registered"
    keys: ShortKeys
    recovery_keys: ShortKeys

    @model_validator(mode="after")
    def _distinct(self) -> PartyRegistered:
        check_distinct([item.key.keyid for item in [*self.keys, *self.recovery_keys]])
        return self

    @property
    def introduced(self) -> dict[str, tuple[PublicKey, str]]:
        """The keys of both lists."""
        return introduce(self.keys, self.recovery_keys)


class PartyKeyRevoked(OnLedger):
    """The end of a key. `compromised_since_ms` flags what it signed from then on, and voids nothing."""

    type: Literal["party.key_revoked"] = "party.key_revoked"
    keyid: KeyId
    compromised_since_ms: Maybe[Time] = None
    reason: Maybe[Text1000] = None


class ListingRegistered(OnLedger):
    """A dataset, with a commitment to its files as the issuer holds them now."""

    type: Literal["listing.registered"] = "listing.registered"
    title: Line300
    description: Maybe[Text4000] = None
    content: Sealed


class ListingWithdrawn(OnLedger):
    """The issuer offers the listing no longer; licenses agreed before stand."""

    type: Literal["listing.withdrawn"] = "listing.withdrawn"
    listing: Id
    reason: Maybe[Text1000] = None

    references: ClassVar[tuple[str, ...]] = ("listing",)


class LegalText(Model):
    """The contract in words, by its digest; the text itself stays with the parties."""

    bytes: Count
    media_type: MediaType
    sha256: Hex32


class Terms(Model):
    """What was agreed; in force in [valid_from_ms, valid_until_ms)."""

    purposes: Annotated[list[Line200], Field(min_length=1, max_length=20)]
    text: Maybe[LegalText] = None
    valid_from_ms: Time
    valid_until_ms: Time

    @model_validator(mode="after")
    def _order(self) -> Terms:
        require_term(self.valid_from_ms, self.valid_until_ms)
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
    reason: Maybe[Text1000] = None

    references: ClassVar[tuple[str, ...]] = ("license",)


class TransferOffered(OnLedger):
    """The sender hands files over; their digests are sealed, so that nobody can acknowledge without the data."""

    type: Literal["transfer.offered"] = "transfer.offered"
    listing: Id
    license: Maybe[Id] = None
    recipient: Name
    content: Sealed

    references: ClassVar[tuple[str, ...]] = ("listing", "license")
    parties: ClassVar[tuple[str, ...]] = ("recipient",)


class TransferRefused(OnLedger):
    """The recipient did not get what was offered; `content` seals what it got instead."""

    type: Literal["transfer.refused"] = "transfer.refused"
    transfer: Id
    reason: Text1000
    content: Maybe[Sealed] = None

    references: ClassVar[tuple[str, ...]] = ("transfer",)
