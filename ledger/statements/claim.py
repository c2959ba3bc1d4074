"""Disputes: opened, answered, determined (docs/statements.md §8)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import model_validator

from ledger.statements.common import Document, OnLedger, require_one
from ledger.statements.fields import Id, Line500, Maybe, Name, Sealable, Text4000, Time


class ClaimOpened(OnLedger):
    """A party to a license or transfer says that another broke it; `legal_hold`: nothing may be erased meanwhile."""

    type: Literal["claim.opened"] = "claim.opened"
    license: Maybe[Id] = None
    transfer: Maybe[Id] = None
    respondent: Name
    clause: Sealable[Line500]
    demand: Maybe[Sealable[Text4000]] = None
    evidence: Maybe[Sealable[Document]] = None
    answer_by_ms: Maybe[Time] = None
    legal_hold: Maybe[bool] = None
    tribunal: Maybe[Name] = None

    references: ClassVar[tuple[str, ...]] = ("license", "transfer")
    parties: ClassVar[tuple[str, ...]] = ("respondent", "tribunal")

    @model_validator(mode="after")
    def _one(self) -> ClaimOpened:
        require_one(self, "license", "transfer")
        return self


class ClaimAnswered(OnLedger):
    """The respondent's position."""

    type: Literal["claim.answered"] = "claim.answered"
    claim: Id
    position: Literal["admitted", "denied", "partly-admitted"]
    answer: Maybe[Sealable[Text4000]] = None

    references: ClassVar[tuple[str, ...]] = ("claim",)


class ClaimDetermined(OnLedger):
    """How it ended: by the tribunal, by the claimant, or by both sides together."""

    type: Literal["claim.determined"] = "claim.determined"
    claim: Id
    outcome: Literal["dismissed", "partly-upheld", "settled", "upheld", "withdrawn"]
    decision: Maybe[Sealable[Text4000]] = None
    document: Maybe[Sealable[Document]] = None

    references: ClassVar[tuple[str, ...]] = ("claim",)
