"""The tables of fields of version 6 of the rules (docs/statements.md §4, §5): marks from a sealed pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verifier.schema import v2
from verifier.schema.checks import (
    Fault,
    base64,
    codes,
    count,
    hex32,
    id_,
    matching,
    members,
    name,
    sealed,
    set_of,
    size,
)
from verifier.schema.v3 import is_bound
from verifier.schema.v5 import OWN_FIELDS as VERSION_5

if TYPE_CHECKING:
    from verifier.schema.checks import Checker

SALT_BYTES, COIN_BYTES = 16, 32
_coin = base64(COIN_BYTES, COIN_BYTES)
_marking: dict[str, Checker] = {
    "bound": matching(is_bound),
    "method": codes("canary", "omission", "tardos"),
    "recipients": count,
}
_marks = members(
    {
        "prepared": id_,
        "coin": members({"salt": base64(SALT_BYTES, SALT_BYTES), "value": _coin}),
        "file": size,
        "retired?": set_of(size, 1000),
    }
)
_agreed = {"marking?": members(_marking)}

OWN_FIELDS: dict[str, dict[str, Checker]] = VERSION_5 | {
    "license.agreed": VERSION_5["license.agreed"] | _agreed,
    "license.amended": VERSION_5["license.amended"] | _agreed,
    "transfer.prepared": _marking | {"listing": id_, "recipient": name, "coin": sealed, "seal": sealed},
    "transfer.requested": {"prepared": id_, "coin": _coin},
    "transfer.offered": VERSION_5["transfer.offered"] | {"marks?": _marks},
    "transfer.acknowledged": VERSION_5["transfer.acknowledged"] | {"opens": hex32},
}
"""The fields that each type has beside the common ones."""


def verify_relations(statement: dict[str, Any]) -> None:
    """Check what version 6 says of several fields at once: how copies are marked is agreed with consent, or not."""
    if "marking" in statement and statement.get("marking_consent") is not True:
        raise Fault("wrong-value", "/marking")
    v2.verify_relations(statement)
