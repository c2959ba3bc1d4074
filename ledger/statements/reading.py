"""From JSON to a model, or the reason and the field of what is wrong with it (docs/format.md §9.3).

Apart from `parse`, which builds a model of every statement there is: what reads a key file needs none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ledger.core.encoding import Json
from ledger.core.errors import FormatError, pointer
from ledger.statements.fields import TAGS, Model

_REASONS = {"missing": "missing-field", "extra_forbidden": "unknown-field"}
_WORDS = {
    "missing": "this field is needed",
    "extra_forbidden": "a statement of this type has no such field",
    "string_pattern_mismatch": "not in the form that docs/format.md §5 gives",
}
_ModelT = TypeVar("_ModelT", bound=Model)


def read_json(model: type[_ModelT], raw: bytes) -> _ModelT:
    """Read canonical JSON as `model`; raise FormatError for the first error that pydantic found.

    pydantic's own JSON reader keeps the last of two equal keys: it may read only what is known to be canonical.
    """
    return _read(partial(model.model_validate_json, raw))


def read_model(model: type[_ModelT], document: Json) -> _ModelT:
    """Read a JSON value as `model`; raise FormatError for the first error that pydantic found."""
    return _read(partial(model.model_validate, document))


def _read(validate: Callable[[], _ModelT]) -> _ModelT:
    try:
        return validate()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = pointer(*(part for part in first["loc"] if part not in TAGS)) + first.get("ctx", {}).get("field", "")
        raise FormatError(_reason(first), field, _WORDS.get(first["type"], first["msg"])) from error


def _reason(error: ErrorDetails) -> str:
    kind = error["type"]
    if kind in _REASONS:
        return _REASONS[kind]
    if "-" in kind:
        return kind
    if kind == "literal_error" and not isinstance(error["input"], str):
        return "wrong-type"
    return "wrong-type" if kind.endswith("_type") else "wrong-value"
