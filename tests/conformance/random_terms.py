"""Random terms over all of docs/terms.md: all actions, operands, operators, and few enough values to meet."""

from __future__ import annotations

from copy import deepcopy
from random import Random

from ledger.core.encoding import Json
from tests.harness.agreements import atomic, duration, moment, rule
from tests.harness.speech import DAY_MS, START_MS

ACTIONS = [
    "use", "read", "reproduce", "derive", "aggregate", "anonymize", "distribute", "grantUse", "sell", "transfer",
    "delete", "attribute", "inform", "obtainConsent", "train",
]  # fmt: skip
ORDERING = ["eq", "neq", "lt", "lteq", "gt", "gteq"]
OF_SETS = ["isAnyOf", "isAllOf", "isNoneOf"]
OPERATORS = {
    "dateTime": ORDERING,
    "elapsedTime": ORDERING,
    "count": ORDERING,
    "version": [*ORDERING, *OF_SETS],
    "purpose": ["eq", "neq", "isA", "isPartOf", *OF_SETS],
    "spatial": ["eq", "neq", "isA", "isPartOf", *OF_SETS],
    "industry": ["eq", "neq", "isA", "isPartOf", *OF_SETS],
    "product": ["eq", "neq", "isA", "isPartOf", *OF_SETS],
    "recipient": ["eq", "neq", *OF_SETS],
}
"""The operators of each left operand (§3.1)."""
WORDS = {
    "purpose": [
        "CommercialPurpose", "Marketing", "Advertising", "PersonalisedAdvertising", "TargetedAdvertising",
        "SellProducts", "ResearchAndDevelopment", "AcademicResearch", "ServiceProvision", "OptimisationForConsumer",
        "LegalCompliance", "FulfilmentOfObligation", "气象研究", "بحث", "marketing",
    ],
    "spatial": ["EU", "EEA", "DE", "DE-BY", "FR", "FR-75", "NO", "LI", "CH", "GB", "US", "US-CA", "Mars", "de", "EU-X"],
    "industry": ["64", "64.19", "64.19.3", "64.1", "6", "A", "A.1", "64."],
    "product": ["26", "26.11", "26.11.2", "26.1", "x.y"],
    "version": ["1", "1.0", "1.0.0", "1.2", "2", "2.0.1", "10", "beta", "1.x"],
}  # fmt: skip
NUMBERS = ["1", "1.0", "1.2", "1.10", "2", "2.0.1", "10", "999999999.0.0.1", "01"]
DURATIONS = ["PT0S", "PT1S", "PT90M", "PT24H", "P1D", "P7D", "P30D", "P30DT1H", "P1DT1H1M1S", "P999999D", "PT86400S"]
OUTSIDERS = ["Weather desk, Ltd", "somebody else"]


class TermsMaker:
    """Makes terms; `names` are parties whom a recipient constraint may name, and may grow."""

    def __init__(self, pick: Random, names: list[str]) -> None:
        """Draw from `pick` alone."""
        self.pick = pick
        self.names = names
        self.now_ms = START_MS

    def word(self, left: str) -> str:
        """Return a value of a left operand that is compared as text."""
        if left == "recipient":
            return self.pick.choice([*self.names, *OUTSIDERS])
        return self.pick.choice(WORDS[left])

    def one_operand(self, left: str, operator: str) -> Json:
        """Return one right operand."""
        pick = self.pick
        match left:
            case "dateTime":
                days = pick.choice([-400, -30, -1, 0, 0, 1, 7, 30, 365])
                extremes = [0, 253_402_300_799_999]
                return moment(pick.choice([self.now_ms + days * DAY_MS + pick.choice([0, 0, 1, -1])] * 9 + extremes))
            case "elapsedTime":
                return duration(pick.choice(DURATIONS))
            case "count":
                return pick.choice([0, 1, 1, 2, 2, 3, 4, 5, 7, 10, 2**53 - 1])
            case "version" if operator in {"lt", "lteq", "gt", "gteq"}:
                return pick.choice(NUMBERS)
            case _:
                return self.word(left)

    def atomic(self, left: str | None = None, operators: list[str] | None = None) -> Json:
        """Return an atomic constraint."""
        left = left or self.pick.choice(list(OPERATORS))
        operator = self.pick.choice(operators or OPERATORS[left])
        if operator in OF_SETS:
            size = self.pick.choice([1, 1, 2, 2, 3, 5])
            return atomic(left, operator, [self.one_operand(left, operator) for _ in range(size)])
        return atomic(left, operator, self.one_operand(left, operator))

    def constraint(self, depth: int = 0) -> Json:
        """Return a constraint, logical with a chance that falls with depth."""
        if depth < 3 and self.pick.random() < 0.22:
            members = [self.constraint(depth + 1) for _ in range(self.pick.choice([2, 2, 3, 4]))]
            return {self.pick.choice(["and", "or", "xone"]): members}
        return self.atomic()

    def constraints(self, weights: tuple[int, ...] = (4, 6, 2, 1)) -> list[Json]:
        """Return none to a few constraints, sometimes on one operand: those meet."""
        many = self.pick.choices(range(len(weights)), weights)[0]
        if many > 1 and self.pick.random() < 0.3:
            left = self.pick.choice(list(OPERATORS))
            return [self.atomic(left) for _ in range(many)]
        return [self.constraint() for _ in range(many)]

    def action(self) -> str:
        return self.pick.choice(["use", "use", "distribute", "grantUse", "derive", "read", *ACTIONS])

    def permission(self) -> Json:
        """Return a permission, sometimes with duties."""
        members: dict[str, Json] = {}
        if self.pick.random() < 0.15:
            actions = ["attribute", "inform", "obtainConsent", "delete", self.action()]
            members["duty"] = [{"action": self.pick.choice(actions)} for _ in range(self.pick.choice([1, 1, 2]))]
        return rule(self.action(), *self.constraints(), **members)

    def prohibition(self) -> Json:
        weights = (1, 6, 3, 1)
        return rule(self.pick.choice(ACTIONS), *self.constraints(weights))

    def obligation(self, depth: int = 0) -> Json:
        """Return an obligation, sometimes with consequences, which are obligations."""
        pick = self.pick
        constraints = []
        for _ in range(pick.choice([0, 1, 1, 1, 2])):
            left = pick.choice(["dateTime", "elapsedTime", "elapsedTime"])
            constraints.append(self.atomic(left, ["lt", "lteq"]))
        members: dict[str, Json] = {}
        if depth < 2 and pick.random() < 0.3:
            members["consequence"] = [self.obligation(depth + 1) for _ in range(pick.choice([1, 1, 2]))]
        action = pick.choice(["delete", "delete", "attribute", "inform", "obtainConsent", pick.choice(ACTIONS)])
        return rule(action, *constraints, **members)

    def rules(self) -> dict[str, Json]:
        """Return the rules of an agreement: at least one, mostly few."""
        pick = self.pick
        found: dict[str, Json] = {}
        if pick.random() < 0.93:
            found["permission"] = [self.permission() for _ in range(pick.choice([1, 1, 2, 3]))]
            if pick.random() < 0.5:  # without a wide permission most uses are prohibited for one reason
                found["permission"].append(rule(pick.choice(["use", "use", "distribute", "grantUse"])))
            if pick.random() < 0.4:
                found["permission"].append(rule("use", self.atomic(pick.choice(list(OPERATORS)))))
        if pick.random() < 0.35:
            found["prohibition"] = [self.prohibition() for _ in range(pick.choice([1, 1, 2]))]
        if pick.random() < 0.5 or not found:
            found["obligation"] = [self.obligation() for _ in range(pick.choice([1, 1, 2]))]
        return found

    def narrower(self, parent: dict[str, Json]) -> dict[str, Json]:
        """Return rules for a sub-license: the parent's, tightened here and there, sometimes loosened."""
        pick = self.pick
        found: dict[str, Json] = {}
        for kind in ("permission", "prohibition", "obligation"):
            rules = [self._changed(kind, deepcopy(item)) for item in parent.get(kind, []) if pick.random() < 0.93]
            if pick.random() < 0.1:
                rules.append(getattr(self, kind)())
            if rules:
                found[kind] = rules
        return found or self.rules()

    def _changed(self, kind: str, old: Json) -> Json:
        pick = self.pick
        new: dict[str, Json] = dict(old)
        constraints = list(new.pop("constraint", []))
        if kind != "obligation":
            if constraints and pick.random() < 0.15:
                constraints.pop(pick.randrange(len(constraints)))
            if pick.random() < 0.3:
                constraints.append(self.constraint())
            if pick.random() < 0.1:
                new["action"] = self.action()
        elif pick.random() < 0.2:
            constraints.append(self.atomic(pick.choice(["dateTime", "elapsedTime"]), ["lt", "lteq"]))
        if constraints and kind != "obligation" and pick.random() < 0.3:
            at = pick.randrange(len(constraints))
            constraints[at] = self._bent(constraints[at], constraints)
        return new | ({"constraint": constraints} if constraints else {})

    def _bent(self, constraint: Json, others: list[Json]) -> Json:
        """Return a constraint that often implies, or is implied by, the one given."""
        pick = self.pick
        if "sealed" in constraint:
            return constraint
        if "leftOperand" not in constraint:
            twice = {"or": [constraint, deepcopy(constraint)]}
            return pick.choice([constraint, twice, next(iter(constraint.values()))[0]])
        left, operator = constraint["leftOperand"], constraint["operator"]
        if left in {"dateTime", "elapsedTime"} and operator in {"lt", "lteq"} and pick.random() < 0.5:
            return self.atomic(left, ["lt", "lteq"])
        if len(others) > 1 and pick.random() < 0.1:
            return {"and": [constraint, deepcopy(pick.choice(others))]}
        return self.atomic(left) if left not in {"dateTime", "elapsedTime"} else constraint


def sealable(terms: dict[str, Json]) -> list[str]:
    """Return the pointers of terms, relative to them, that may be sealed: constraints and right operands (§1.3)."""
    found: list[str] = []

    def walk(constraint: Json, at: str) -> None:
        found.append(at)
        if "rightOperand" in constraint:
            found.append(f"{at}/rightOperand")
        for word in ("and", "or", "xone"):
            for number, member in enumerate(constraint.get(word, [])):
                walk(member, f"{at}/{word}/{number}")

    def walk_rule(item: Json, at: str) -> None:
        for number, constraint in enumerate(item.get("constraint", [])):
            walk(constraint, f"{at}/constraint/{number}")
        for number, consequence in enumerate(item.get("consequence", [])):
            walk_rule(consequence, f"{at}/consequence/{number}")

    for kind in ("permission", "prohibition", "obligation"):
        for number, item in enumerate(terms.get(kind, [])):
            walk_rule(item, f"/{kind}/{number}")
    return found
