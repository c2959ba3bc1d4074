"""The case: what is asked, about which hand-off, and which acts are alleged (docs/bundle.md §3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field

from ledger.core.encoding import Json
from ledger.core.errors import FormatError
from ledger.party.chain.told import Told
from ledger.party.evidence.parts.errors import EvidenceError, Missing, NotOfThisCase
from ledger.statements.fields import Id, Line200, Maybe, Model, Name, Text4000, Time
from ledger.statements.reading import read_model
from ledger.statements.usage import Action

MAX_ACTS = 100
_STATED = ("industry", "product", "purpose", "recipient", "spatial")


class Act(Model):
    """One act that is alleged: words as in `usage.reported` (docs/statements.md §6)."""

    action: Action
    at_ms: Time
    license: Id
    industry: Maybe[Line200] = None
    product: Maybe[Line200] = None
    purpose: Maybe[Line200] = None
    recipient: Maybe[Line200] = None
    spatial: Maybe[Line200] = None

    @property
    def stated(self) -> dict[str, str]:
        """What is alleged of purpose, place and the rest."""
        return {name: value for name in _STATED if (value := getattr(self, name)) is not None}


class Case(Model):
    """`case.json`."""

    acts: Annotated[list[Act], Field(max_length=MAX_ACTS)]
    claim: Maybe[Id] = None
    claimant: Name
    ledger: Id
    license: Maybe[Id] = None
    listing: Id
    question: Text4000
    registration: Maybe[Id] = None
    respondent: Name
    transfer: Id
    type: Literal["provenance-ledger.case/v1"] = "provenance-ledger.case/v1"

    def document(self) -> dict[str, Json]:
        """Return its JSON form."""
        return self.model_dump(exclude_unset=True) | {"type": self.type}


def read_case(document: Json) -> Case:
    """Read a case; raise FormatError."""
    return read_model(Case, document)


def read_act(text: str, at_ms: int, license_id: str) -> Act:
    """Read `ACTION[,WORD=VALUE]…`, alleged at `at_ms` under a license; raise EvidenceError with the words there are."""
    action, *words = text.split(",")
    document: dict[str, Json] = {"action": action.strip(), "at_ms": at_ms, "license": license_id}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name.strip() not in _STATED:
            raise EvidenceError(f"{word.strip()!a} is not one of {', '.join(f'{each}=…' for each in _STATED)}")
        document[name.strip()] = value.strip()
    try:
        return read_model(Act, document)
    except FormatError as error:
        raise EvidenceError(f"the act {text!a} cannot be judged: {error}", "docs/terms.md §4 has the words") from error


def make_case(
    statements: Iterable[Told],
    ledger: str,
    claimant: str,
    acts: Sequence[Act],
    *,
    transfer: str,
    claim: str | None,
    found_name: str,
    registration: str | None = None,
) -> Case:
    """Return the case of a claimant about a hand-off; raise Missing or NotOfThisCase."""
    by_id = {told.id: told for told in statements}
    offer = _of_type(by_id, transfer, "transfer.offered")
    respondent, license_id = str(offer.fields["recipient"]), offer.name("license")
    if claim is not None:
        _check_claim(_of_type(by_id, claim, "claim.opened"), offer, claimant)
    question = (
        f"Does the file {found_name!r} derive from the copy that {offer.issuer} handed to {respondent} "
        f"with the hand-off {offer.id}? "
    )
    if acts:
        question += "And was each act that is alleged permitted by the license, as it stood at that moment?"
    optional = {"claim": claim, "license": license_id, "registration": registration}
    return read_case(
        {
            "acts": [act.model_dump(exclude_unset=True) for act in acts],
            "claimant": claimant,
            "ledger": ledger,
            "listing": offer.fields["listing"],
            "question": question.strip(),
            "respondent": respondent,
            "transfer": offer.id,
            "type": "provenance-ledger.case/v1",
        }
        | {name: value for name, value in optional.items() if value is not None}
    )


def _check_claim(claim: Told, offer: Told, claimant: str) -> None:
    if claim.issuer != claimant:
        raise NotOfThisCase(f"the claim is {claim.issuer}'s, and this home is {claimant}'s", "use the claimant's home")
    about = claim.name("transfer") or claim.name("license")
    if about not in {offer.id, offer.name("license")}:
        raise NotOfThisCase(
            "the claim is about another license or hand-off than the one that was traced",
            "open a claim about this one: 'ledger claim open --transfer …'",
        )
    if claim.name("respondent") != offer.fields["recipient"]:
        raise NotOfThisCase(
            f"the claim is against {claim.name('respondent')}, and the copy went to {offer.fields['recipient']}",
            "open a claim against the recipient of the copy",
        )


def _of_type(statements: Mapping[str, Told], statement_id: str, kind: str) -> Told:
    told = statements.get(statement_id)
    if told is None or told.type != kind:
        raise Missing(f"{statement_id} is no {kind} among the entries of this listing", "check the id")
    return told
