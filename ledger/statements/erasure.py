"""What is to be destroyed, and what was (docs/statements.md §9)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from ledger.core.errors import FormatError
from ledger.statements.common import OnLedger, require_one
from ledger.statements.fields import ASCENDING, Id, Line300, Line500, Maybe, Sealable, Text4000, Time, refuse

Basis = Literal["contract", "court-order", "gdpr-17", "other", "pipl-47"]
"""Why something is to be erased, or was."""

Pointers = Annotated[list[Line500], Field(min_length=1, max_length=64), ASCENDING]


class ErasureRequested(OnLedger):
    """The licensor, or the sender, asks that data be destroyed until a moment."""

    type: Literal["erasure.requested"] = "erasure.requested"
    license: Maybe[Id] = None
    transfer: Maybe[Id] = None
    basis: Basis
    erase_by_ms: Time
    authority: Maybe[Sealable[Line300]] = None
    scope: Maybe[Sealable[Text4000]] = None

    references: ClassVar[tuple[str, ...]] = ("license", "transfer")

    @model_validator(mode="after")
    def _one(self) -> ErasureRequested:
        require_one(self, "license", "transfer")
        return self


class ErasureAttested(OnLedger):
    """The issuer destroyed data, or the salts of what it had sealed in a statement."""

    type: Literal["erasure.attested"] = "erasure.attested"
    license: Maybe[Id] = None
    transfer: Maybe[Id] = None
    statement: Maybe[Id] = None
    request: Maybe[Id] = None
    basis: Basis
    destroyed: Annotated[
        list[Literal["data", "derivatives", "keys", "salts"]], Field(min_length=1, max_length=4), ASCENDING
    ]
    method: Maybe[Sealable[Line300]] = None
    pointers: Maybe[Pointers] = None

    references: ClassVar[tuple[str, ...]] = ("license", "transfer")
    mentions: ClassVar[tuple[str, ...]] = ("request", "statement")

    @model_validator(mode="after")
    def _one(self) -> ErasureAttested:
        of_statement = require_one(self, "license", "transfer", "statement") == "statement"
        if of_statement and self.request is not None:
            raise refuse(FormatError("unknown-field", "/request", "a request is for a license or a transfer"))
        if of_statement and self.pointers is None:
            raise refuse(FormatError("missing-field", "/pointers", "which places of the statement"))
        if not of_statement and self.pointers is not None:
            raise refuse(FormatError("unknown-field", "/pointers", "pointers are into a statement"))
        return self
