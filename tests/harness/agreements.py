"""Machine terms as JSON: ODRL agreements, their rules and constraints (docs/terms.md §1–§3)."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime

from ledger.core.encoding import Json

PROFILE = "urn:provenance-ledger:odrl-profile:1"
CONTEXT: list[Json] = [
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
RULES = ("permission", "prohibition", "obligation")


def fixed_members(listing: str, assigner: str, assignee: str) -> dict[str, Json]:
    """Return the members of an agreement that leave no choice (§1.1)."""
    return {
        "@context": deepcopy(CONTEXT),
        "@type": "Agreement",
        "uid": "urn:example:agreement",
        "profile": PROFILE,
        "conflict": "prohibit",
        "target": f"urn:provenance-ledger:{listing}",
        "assigner": f"urn:provenance-ledger:party:{assigner}",
        "assignee": f"urn:provenance-ledger:party:{assignee}",
    }


def rule(action: str, *constraints: Json, **members: Json) -> dict[str, Json]:
    """Return a rule; without constraints it has no such member."""
    own: dict[str, Json] = {"action": action}
    if constraints:
        own["constraint"] = list(constraints)
    return own | members


def atomic(left: str, operator: str, right: Json) -> dict[str, Json]:
    """Return an atomic constraint."""
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def moment(time_ms: int) -> dict[str, Json]:
    """Return a right operand of `dateTime`: without decimals where it has no milliseconds."""
    at = datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    decimals = f".{time_ms % 1000:03d}" if time_ms % 1000 else ""
    return {"@type": "xsd:dateTime", "@value": f"{at}{decimals}Z"}


def duration(text: str) -> dict[str, Json]:
    """Return a right operand of `elapsedTime`, such as P30D."""
    return {"@type": "xsd:duration", "@value": text}


def use_permitted() -> dict[str, Json]:
    """Return rules that permit every use."""
    return {"permission": [rule("use")]}
