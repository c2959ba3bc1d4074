"""The shapes of constraints, for the published schema; `reading` reads them, and says exactly what fits."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, WithJsonSchema

from ledger.core.encoding import MAX_INTEGER
from ledger.statements.fields import Model, Sealed
from ledger.statements.terms.operands import MAX_WORD, MAX_WORDS
from ledger.statements.terms.reading import MAX_MEMBERS, OPERATORS

_LEFT_OPERANDS = sorted(OPERATORS)
_ALL_OPERATORS = sorted({operator for operators in OPERATORS.values() for operator in operators})
_Integer = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
_Word = Annotated[str, Field(pattern=r"^[^\n]+$", max_length=MAX_WORD)]


class TypedValue(Model):
    """A moment or a length of time, as JSON-LD writes it."""

    type: Literal["xsd:dateTime", "xsd:duration"] = Field(alias="@type")
    value: str = Field(alias="@value")


class AtomicForm(Model):
    """One comparison."""

    left: Annotated[str, WithJsonSchema({"enum": _LEFT_OPERANDS, "type": "string"})] = Field(alias="leftOperand")
    operator: Annotated[str, WithJsonSchema({"enum": _ALL_OPERATORS, "type": "string"})]
    right: TypedValue | _Integer | _Word | Annotated[list[_Word], Field(max_length=MAX_WORDS)] | Sealed = Field(
        alias="rightOperand"
    )


class AndForm(Model):
    """All of them hold."""

    members: Members = Field(alias="and")


class OrForm(Model):
    """At least one of them holds."""

    members: Members = Field(alias="or")


class XoneForm(Model):
    """Exactly one of them holds."""

    members: Members = Field(alias="xone")


ConstraintForm: TypeAlias = AtomicForm | AndForm | OrForm | XoneForm | Sealed
DeadlineForm: TypeAlias = AtomicForm | Sealed
Members = Annotated[list[ConstraintForm], Field(min_length=2, max_length=MAX_MEMBERS)]

for _form in (AndForm, OrForm, XoneForm):
    _form.model_rebuild()
