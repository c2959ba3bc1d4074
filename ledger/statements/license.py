"""Who may use a dataset, for what, until when (docs/statements.md §4)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import model_validator

from ledger.core.errors import FormatError
from ledger.statements.common import DataspaceIds, Document, OnLedger, require_any, require_term
from ledger.statements.fields import (
    Bound,
    Count,
    Id,
    Line200,
    Line300,
    Maybe,
    Model,
    Name,
    Sealable,
    Text1000,
    Time,
    refuse,
)
from ledger.statements.terms import Agreement


class Marking(Model):
    """How the licensee agrees that its copies are marked (docs/marks.md §9)."""

    bound: Bound
    method: Literal["canary", "omission", "tardos"]
    recipients: Count


class LicenseAgreed(OnLedger):
    """Licensor (the issuer) and licensee sign the same terms; in force in [valid_from_ms, valid_until_ms)."""

    type: Literal["license.agreed"] = "license.agreed"
    listing: Id
    licensee: Name
    valid_from_ms: Time
    valid_until_ms: Time
    terms: Agreement
    text: Maybe[Sealable[Document]] = None
    governing_law: Maybe[Sealable[Line300]] = None
    forum: Maybe[Sealable[Line300]] = None
    marking_consent: Maybe[bool] = None
    marking: Maybe[Marking] = None
    parent: Maybe[Id] = None
    dsp: Maybe[Sealable[DataspaceIds]] = None

    references: ClassVar[tuple[str, ...]] = ("listing",)
    mentions: ClassVar[tuple[str, ...]] = ("parent",)
    parties: ClassVar[tuple[str, ...]] = ("licensee",)

    @model_validator(mode="after")
    def _consistent(self) -> LicenseAgreed:
        require_term(self.valid_from_ms, self.valid_until_ms)
        _require_consent(self)
        misnamed = self.terms.misnamed(self.listing, self.issuer, self.licensee)
        if misnamed is not None:
            raise refuse(FormatError("wrong-value", f"/terms{misnamed}", "the terms are of another license"))
        return self


class LicenseAmended(OnLedger):
    """Both sides change what was agreed: each field replaces the one before."""

    type: Literal["license.amended"] = "license.amended"
    license: Id
    valid_from_ms: Maybe[Time] = None
    valid_until_ms: Maybe[Time] = None
    terms: Maybe[Agreement] = None
    text: Maybe[Sealable[Document]] = None
    governing_law: Maybe[Sealable[Line300]] = None
    forum: Maybe[Sealable[Line300]] = None
    marking_consent: Maybe[bool] = None
    marking: Maybe[Marking] = None

    references: ClassVar[tuple[str, ...]] = ("license",)
    amends: ClassVar[tuple[str, ...]] = (
        "valid_from_ms",
        "valid_until_ms",
        "terms",
        "text",
        "governing_law",
        "forum",
        "marking_consent",
        "marking",
    )

    @model_validator(mode="after")
    def _some(self) -> LicenseAmended:
        require_any(self, self.amends)
        _require_consent(self)
        return self


def _require_consent(statement: LicenseAgreed | LicenseAmended) -> None:
    """Refuse, for pydantic, words on how copies are marked where nobody consents to it."""
    if statement.marking is not None and statement.marking_consent is not True:
        raise refuse(FormatError("wrong-value", "/marking", "it stands beside marking_consent, which is true"))


class Notice(Model):
    """How and when the other side was told, Unix milliseconds."""

    channel: Sealable[Line200]
    sent_ms: Sealable[Time]


class LicenseEnded(OnLedger):
    """Either party ends the license, at the later of `effective_ms` and the entry's time."""

    type: Literal["license.ended"] = "license.ended"
    license: Id
    code: Literal["breach", "convenience", "expired", "insolvency", "other", "regulatory"]
    effective_ms: Maybe[Time] = None
    notice: Maybe[Sealable[Notice]] = None
    reason: Maybe[Sealable[Text1000]] = None

    references: ClassVar[tuple[str, ...]] = ("license",)
