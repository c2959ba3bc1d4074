"""The machine terms of a license: an ODRL 2.2 Agreement in our profile (docs/terms.md §1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator

from ledger.core.encoding import Json
from ledger.core.errors import FormatError
from ledger.statements.fields import is_name, refuse
from ledger.statements.terms.contradiction import check_contradictions
from ledger.statements.terms.rules import Rules
from ledger.statements.vocabulary import PROFILE

CONTEXT: Final[list[Json]] = [
    "http://www.w3.org/ns/odrl.jsonld",
    {
        "and": {"@container": "@list", "@id": "odrl:and"},
        "industry": "odrl:industry",
        "neq": "odrl:neq",
        "or": {"@container": "@list", "@id": "odrl:or"},
        "sealed": f"{PROFILE}#sealed",
        "train": f"{PROFILE}#train",
        "xone": {"@container": "@list", "@id": "odrl:xone"},
    },
]
"""ODRL's own context, and what it lacks (docs/terms.md §1.1)."""

URN: Final = "urn:provenance-ledger:"
_PARTY: Final = f"{URN}party:"

Iri = Annotated[
    str, StringConstraints(pattern=r"""^[A-Za-z][A-Za-z0-9+.-]*:[^ \t\n\r\f\v<>"{}|\\^`]+$""", max_length=500)
]


def _context(value: list[Json]) -> list[Json]:
    if value != CONTEXT:
        raise refuse(FormatError("wrong-value", detail="the context of docs/terms.md §1.1, and no other"))
    return value


def _party(text: str) -> str:
    if not text.startswith(_PARTY) or not is_name(text.removeprefix(_PARTY)):
        raise refuse(FormatError("wrong-value", detail=f"{_PARTY} and the name of a party"))
    return text


PartyUrn = Annotated[str, AfterValidator(_party)]


class Agreement(Rules):
    """Rules, and whose they are; in JSON by the names of docs/terms.md §1.1, also where it is dumped."""

    model_config = ConfigDict(serialize_by_alias=True)

    context: Annotated[list[Json], AfterValidator(_context), WithJsonSchema({"const": CONTEXT})] = Field(
        alias="@context"
    )
    kind: Literal["Agreement"] = Field(alias="@type")
    uid: Iri
    profile: Literal["urn:provenance-ledger:odrl-profile:1"]
    conflict: Literal["prohibit"]
    target: Annotated[str, StringConstraints(pattern=rf"^{URN}sha256:[0-9a-f]{{64}}$")]
    assigner: PartyUrn
    assignee: PartyUrn

    @model_validator(mode="after")
    def _rules(self) -> Agreement:
        if not (self.permissions or self.prohibitions or self.obligations):
            detail = "at least one of permission, prohibition and obligation"
            raise refuse(FormatError("missing-field", "/permission", detail))
        try:
            check_contradictions(self)
        except FormatError as error:
            raise refuse(error) from error
        return self

    def misnamed(self, listing: str, licensor: str, licensee: str) -> str | None:
        """Return the pointer, from the terms on, of the first member that names another than these (§1.2)."""
        expected = {
            "/target": (self.target, URN + listing),
            "/assigner": (self.assigner, f"{_PARTY}{licensor}"),
            "/assignee": (self.assignee, f"{_PARTY}{licensee}"),
        }
        return next((pointer for pointer, (named, right) in expected.items() if named != right), None)

    def document(self) -> dict[str, Json]:
        """Return the JSON that it was read from."""
        return self.model_dump(exclude_none=True)


def from_version_1(purposes: Sequence[str]) -> Rules:
    """Return what a license of version 1 reads as (docs/terms.md §5.6): `use`, for any of its purposes."""
    constraint = {"leftOperand": "purpose", "operator": "isAnyOf", "rightOperand": list(purposes)}
    return Rules.model_validate({"permission": [{"action": "use", "constraint": [constraint]}]})
