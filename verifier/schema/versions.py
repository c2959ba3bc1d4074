"""Strict field checks of every statement type, under each version of the rules (docs/format.md §9.3).

verifier/schema/v1.py and its successors hold the tables.
"""

from __future__ import annotations

from typing import Any

from verifier.core.errors import MalformedInput
from verifier.schema import v1, v2, v3, v4, v5, v6
from verifier.schema.checks import Fault

_VERSIONS = {
    1: (v1.OWN_FIELDS, v1.verify_relations),
    2: (v2.OWN_FIELDS, v2.verify_relations),
    3: (v3.OWN_FIELDS, v2.verify_relations),
    4: (v4.OWN_FIELDS, v2.verify_relations),
    5: (v5.OWN_FIELDS, v2.verify_relations),
    6: (v6.OWN_FIELDS, v6.verify_relations),
}
KNOWN_RULES = frozenset(_VERSIONS)
"""The versions of the rules that this verifier can judge by."""
NEWEST_RULES = max(KNOWN_RULES)
"""The newest of them."""
STATEMENT_TYPES = {rules: frozenset(tables) for rules, (tables, _) in _VERSIONS.items()}
"""The statement types of each version."""

_TABLES = {
    rules: {kind: v1.with_common_fields(kind, own) for kind, own in tables.items()}
    for rules, (tables, _) in _VERSIONS.items()
}


def verify_fields(kind: str, statement: dict[str, Any], rules: int) -> None:
    """Check all fields of a statement of a type that version `rules` knows (docs/format.md §9.3).

    Raises `MalformedInput` with a reason of §9.3 and the JSON pointer of the field.
    """
    try:
        _TABLES[rules][kind](statement)
        v1.verify_common_relations(statement)
        _VERSIONS[rules][1](statement)
    except Fault as fault:
        raise MalformedInput("statement", fault.reason, fault.field) from None
