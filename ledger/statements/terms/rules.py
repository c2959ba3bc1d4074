"""Permissions, prohibitions, obligations and duties (docs/terms.md §2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Self

from pydantic import (
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from ledger.core.encoding import Json
from ledger.core.errors import FormatError
from ledger.statements.fields import PRESENT, Model, refuse
from ledger.statements.terms.constraints import Constraint
from ledger.statements.terms.forms import ConstraintForm, DeadlineForm
from ledger.statements.terms.reading import read_constraint, read_deadline
from ledger.statements.vocabulary import COVERS


def _reading(read: Callable[[Json], Constraint]) -> Callable[[Json], Constraint]:
    def validate(document: Json) -> Constraint:
        try:
            return read(document)
        except FormatError as error:
            raise refuse(error) from error

    return validate


def _document(constraint: Constraint) -> Any:  # noqa: ANN401 - any JSON value
    return constraint.document


_AS_WRITTEN = PlainSerializer(_document)

Action = Annotated[str, WithJsonSchema({"enum": sorted(COVERS), "type": "string"})]
AnyConstraint = Annotated[
    Constraint, PlainValidator(_reading(read_constraint), json_schema_input_type=ConstraintForm), _AS_WRITTEN
]
Deadline = Annotated[
    Constraint, PlainValidator(_reading(read_deadline), json_schema_input_type=DeadlineForm), _AS_WRITTEN
]


class Rule(Model):
    """What every rule has."""

    action: Action

    @model_validator(mode="after")
    def _known(self) -> Self:
        """Refuse an action without meaning, at the place of its rule (docs/terms.md §3.2)."""
        if self.action not in COVERS:
            detail = f"not an action of docs/terms.md §4.1: {self.action[:100]}"
            raise refuse(FormatError("unjudgeable-terms", detail=detail))
        return self


class Duty(Rule):
    """A condition of a permission: what the licensee must have done before, or by, the use."""


class Prohibition(Rule):
    """What is forbidden where all its constraints hold."""

    constraint: Annotated[list[AnyConstraint] | None, Field(min_length=1, max_length=200), PRESENT] = None

    @property
    def constraints(self) -> list[Constraint]:
        """Its constraints; empty if it has none."""
        return self.constraint or []


class Permission(Prohibition):
    """What is allowed where all its constraints hold and its duties are met."""

    duty: Annotated[list[Duty] | None, Field(min_length=1, max_length=20), PRESENT] = None

    @property
    def duties(self) -> list[Duty]:
        """Its duties; empty if it has none."""
        return self.duty or []


class Obligation(Rule):
    """What the licensee must do, until when, and what it owes if it does not."""

    constraint: Annotated[list[Deadline] | None, Field(min_length=1, max_length=200), PRESENT] = None
    consequence: Annotated[list[Obligation] | None, Field(min_length=1, max_length=10), PRESENT] = None

    @property
    def constraints(self) -> list[Constraint]:
        """Its deadlines, of which the earliest counts; empty if it has none."""
        return self.constraint or []

    @property
    def consequences(self) -> list[Obligation]:
        """What is owed once it is violated; empty where nothing is."""
        return self.consequence or []


class Rules(Model):
    """The rules of a license: all that is judged of its terms."""

    permission: Annotated[list[Permission] | None, Field(min_length=1, max_length=100), PRESENT] = None
    prohibition: Annotated[list[Prohibition] | None, Field(min_length=1, max_length=100), PRESENT] = None
    obligation: Annotated[list[Obligation] | None, Field(min_length=1, max_length=100), PRESENT] = None

    @property
    def permissions(self) -> list[Permission]:
        """Its permissions; empty if it has none."""
        return self.permission or []

    @property
    def prohibitions(self) -> list[Prohibition]:
        """Its prohibitions; empty if it has none."""
        return self.prohibition or []

    @property
    def obligations(self) -> list[Obligation]:
        """Its obligations; empty if it has none."""
        return self.obligation or []
