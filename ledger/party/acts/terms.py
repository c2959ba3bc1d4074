"""Terms built from what people ask for: an ODRL Agreement in our profile (docs/terms.md §1–§3). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.core.encoding import Json
from ledger.statements.terms.agreement import CONTEXT
from ledger.statements.vocabulary import PROFILE

URN = "urn:provenance-ledger:"
DEFAULT_ACTION = "use"


@dataclass(frozen=True)
class Wishes:
    """The common terms of a license, which `build` writes as rules.

    Every action of `actions` is permitted where all of the rest hold: the purpose, region and so on is one of those
    listed (or beneath it in docs/terms.md §4; none listed: any), and it happens at most `count` times. `prohibited`
    actions are forbidden whatever else holds. `delete_within` is an xsd:duration (P30D) after the license's end.
    """

    actions: Sequence[str] = (DEFAULT_ACTION,)
    purposes: Sequence[str] = ()
    regions: Sequence[str] = ()
    recipients: Sequence[str] = ()
    industries: Sequence[str] = ()
    products: Sequence[str] = ()
    versions: Sequence[str] = ()
    count: int | None = None
    prohibited: Sequence[str] = ()
    delete_within: str | None = None

    @property
    def needs_version_2(self) -> list[str]:
        """What of it version 1 of the rules, which knows purposes alone, could not say: words for people."""
        asked: list[tuple[str, object]] = [
            ("actions", list(self.actions) != [DEFAULT_ACTION]),
            ("regions", self.regions),
            ("recipients", self.recipients),
            ("industries", self.industries),
            ("products", self.products),
            ("versions", self.versions),
            ("a count", self.count is not None),
            ("prohibitions", self.prohibited),
            ("a duty to delete", self.delete_within),
        ]
        return [words for words, value in asked if value]


def build(wishes: Wishes) -> dict[str, Json]:
    """Return the rules that say what was wished for, without the fixed members that `complete` adds."""
    constraints = [
        _constraint(operand, "isAnyOf", list(dict.fromkeys(words)))
        for operand, words in (
            ("purpose", wishes.purposes),
            ("spatial", wishes.regions),
            ("recipient", wishes.recipients),
            ("industry", wishes.industries),
            ("product", wishes.products),
            ("version", wishes.versions),
        )
        if words
    ]
    if wishes.count is not None:
        constraints.append(_constraint("count", "lteq", wishes.count))
    conditions: dict[str, Json] = {"constraint": constraints} if constraints else {}
    rules: dict[str, Json] = {}
    if wishes.actions:
        rules["permission"] = [{"action": action} | conditions for action in dict.fromkeys(wishes.actions)]
    if wishes.prohibited:
        rules["prohibition"] = [{"action": action} for action in dict.fromkeys(wishes.prohibited)]
    if wishes.delete_within is not None:
        duration = {"@type": "xsd:duration", "@value": wishes.delete_within}
        rules["obligation"] = [{"action": "delete", "constraint": [_constraint("elapsedTime", "lteq", duration)]}]
    return rules


def complete(rules: dict[str, Json], *, listing: str, licensor: str, licensee: str, uid: str) -> dict[str, Json]:
    """Return an agreement from rules: the members that terms.md §1.1 fixes are added where they are absent.

    Those that are there stay as they are: whether they are right is for the ledger's own reading to say.
    """
    fixed: dict[str, Json] = {
        "@context": CONTEXT,
        "@type": "Agreement",
        "assignee": f"{URN}party:{licensee}",
        "assigner": f"{URN}party:{licensor}",
        "conflict": "prohibit",
        "profile": PROFILE,
        "target": URN + listing,
        "uid": uid,
    }
    return fixed | rules


def _constraint(operand: str, operator: str, right: Json) -> dict[str, Json]:
    return {"leftOperand": operand, "operator": operator, "rightOperand": right}
