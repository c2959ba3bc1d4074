"""Datasets on offer (docs/statements.md §3)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import Field, model_validator

from ledger.core.errors import FormatError
from ledger.statements.common import OnLedger, require_any
from ledger.statements.fields import (
    ASCENDING,
    Hex32,
    Id,
    Line50,
    Line100,
    Line200,
    Line300,
    Line500,
    Line2000,
    Maybe,
    MediaType,
    Model,
    Name,
    Quantity,
    Sealable,
    Sealed,
    Text1000,
    Text4000,
    Time,
    refuse,
)

_T = TypeVar("_T")
_Up20 = Annotated[list[_T], Field(min_length=1, max_length=20)]
_Lines300 = Maybe[Sealable[_Up20[Sealable[Line300]]]]


class Period(Model):
    """What time the data are about, in Unix milliseconds."""

    from_ms: Time
    until_ms: Time


class Distribution(Model):
    """One form in which the data are had."""

    media_type: Sealable[MediaType]
    bytes: Maybe[Sealable[Quantity]] = None
    title: Maybe[Sealable[Line300]] = None
    sha256: Maybe[Sealable[Hex32]] = None
    access_url: Maybe[Sealable[Line2000]] = None


class Source(Model):
    """Where the data came from, outside this ledger."""

    title: Sealable[Line300]
    publisher: Maybe[Sealable[Line300]] = None
    uri: Maybe[Sealable[Line2000]] = None
    retrieved_ms: Maybe[Sealable[Time]] = None


class Classification(Model):
    """How the data are classed, by whom, since when."""

    level: Sealable[Line100]
    authority: Sealable[Line200]
    as_of_ms: Sealable[Time]


class Use(Model):
    """What the licensor says about use in words, at least one of these; terms say it to machines."""

    classification: Maybe[Sealable[Line500]] = None
    consents: Maybe[Sealable[Line500]] = None
    copyright: Maybe[Sealable[Line500]] = None
    license: Maybe[Sealable[Line500]] = None
    patent: Maybe[Sealable[Line500]] = None
    privacy_enhancing: Maybe[Sealable[Line500]] = None
    trademark: Maybe[Sealable[Line500]] = None
    intended_purpose: _Lines300 = None
    processing_excluded: _Lines300 = None
    processing_included: _Lines300 = None
    storage_allowed: _Lines300 = None
    storage_forbidden: _Lines300 = None

    @model_validator(mode="after")
    def _any(self) -> Use:
        require_any(self, type(self).model_fields)
        return self


class Venue(Model):
    """On which exchange a dataset is listed, at least one of these."""

    party: Maybe[Name] = None
    name: Maybe[Sealable[Line300]] = None
    registration: Maybe[Sealable[Line200]] = None

    @model_validator(mode="after")
    def _any(self) -> Venue:
        require_any(self, type(self).model_fields)
        return self


class Described(OnLedger):
    """What may be said of a dataset, at first or later."""

    title: Maybe[Sealable[Line300]] = None
    content: Maybe[Sealed] = None
    description: Maybe[Sealable[Text4000]] = None
    publisher: Maybe[Sealable[Line300]] = None
    rights_holder: Maybe[Sealable[Line300]] = None
    version: Maybe[Sealable[Line50]] = None
    keywords: Maybe[Sealable[_Up20[Sealable[Line100]]]] = None
    spatial: Maybe[Sealable[_Up20[Sealable[Line200]]]] = None
    temporal: Maybe[Sealable[Period]] = None
    conforms_to: Maybe[Sealable[_Up20[Sealable[Line500]]]] = None
    distributions: Maybe[Sealable[Annotated[list[Sealable[Distribution]], Field(min_length=1, max_length=100)]]] = None
    sources: Maybe[Sealable[Annotated[list[Sealable[Source]], Field(min_length=1, max_length=50)]]] = None
    derived_from: Maybe[Annotated[list[Id], Field(min_length=1, max_length=50), ASCENDING]] = None
    classification: Maybe[Sealable[Classification]] = None
    use: Maybe[Sealable[Use]] = None
    venue: Maybe[Venue] = None

    mentions: ClassVar[tuple[str, ...]] = ("derived_from",)

    @property
    def named_parties(self) -> list[str]:
        """The venue, if it is a party."""
        return [self.venue.party] if self.venue is not None and self.venue.party is not None else []

    @property
    def described(self) -> dict[str, object]:
        """What this statement says of the dataset: the fields that are there, as JSON values."""
        return self.model_dump(include=set(DESCRIPTION & self.model_fields_set), exclude_unset=True)


DESCRIPTION = frozenset(Described.model_fields) - frozenset(OnLedger.model_fields)
"""The fields that describe a dataset."""


class ListingRegistered(Described):
    """A dataset, with a commitment to its files as the issuer holds them now."""

    type: Literal["listing.registered"] = "listing.registered"
    title: Sealable[Line300]
    content: Sealed


class ListingAmended(Described):
    """Other words for a dataset: each field replaces the one before."""

    type: Literal["listing.amended"] = "listing.amended"
    listing: Id

    references: ClassVar[tuple[str, ...]] = ("listing",)

    @model_validator(mode="after")
    def _some(self) -> ListingAmended:
        if not DESCRIPTION & self.model_fields_set:
            raise refuse(FormatError("missing-field", "/title", "an amendment says something"))
        return self


class ListingWithdrawn(OnLedger):
    """The issuer offers the listing no longer; licenses agreed before stand."""

    type: Literal["listing.withdrawn"] = "listing.withdrawn"
    listing: Id
    reason: Maybe[Sealable[Text1000]] = None

    references: ClassVar[tuple[str, ...]] = ("listing",)


class ClassificationChanged(OnLedger):
    """Another classification of the data; it replaces the listing's."""

    type: Literal["classification.changed"] = "classification.changed"
    listing: Id
    classification: Sealable[Classification]
    reason: Maybe[Sealable[Text1000]] = None

    references: ClassVar[tuple[str, ...]] = ("listing",)
