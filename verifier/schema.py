"""Strict field checks of every statement type, under each version of the rules (docs/format.md §9.3).

verifier/schema_v1.py and verifier/schema_v2.py hold the tables.
"""

from __future__ import annotations

from typing import Any

from verifier import schema_v1, schema_v2
from verifier.errors import MalformedInput
from verifier.schema_checks import Fault

NEWEST_RULES = 2
"""The newest version of the rules that this verifier can judge by."""
KNOWN_RULES = frozenset({1, NEWEST_RULES})
"""The versions of the rules that this verifier can judge by."""
STATEMENT_TYPES: dict[int, frozenset[str]] = {
    1: frozenset(schema_v1.OWN_FIELDS),
    2: frozenset(schema_v2.OWN_FIELDS),
}
"""The statement types of each version."""

_TABLES = {
    1: {kind: schema_v1.with_common_fields(kind, own) for kind, own in schema_v1.OWN_FIELDS.items()},
    2: {kind: schema_v1.with_common_fields(kind, own) for kind, own in schema_v2.OWN_FIELDS.items()},
}
_RELATIONS = {1: schema_v1.verify_relations, 2: schema_v2.verify_relations}


def verify_fields(kind: str, statement: dict[str, Any], rules: int) -> None:
    """Check all fields of a statement of a type that version `rules` knows (docs/format.md §9.3).

    Raises `MalformedInput` with a reason of §9.3 and the JSON pointer of the field.
    """
    try:
        _TABLES[rules][kind](statement)
        schema_v1.verify_common_relations(statement)
        _RELATIONS[rules](statement)
    except Fault as fault:
        raise MalformedInput("statement", fault.reason, fault.field) from None
