"""Ways to spoil terms that are in order: one place at a time, with values that would be right elsewhere."""

from __future__ import annotations

from random import Random
from typing import Any

from ledger.core.encoding import Json
from tests.conformance.random_terms import ACTIONS, OPERATORS
from tests.conformance.spoil import bend, odd_value, places
from tests.harness.agreements import atomic, duration

ODD_WORDS: list[Json] = [
    "isSameAs", "hasPart", "lte", "LT", "Use", "odrl:use", "enjoy", "grantuse", "money", "Purpose", "when", "and",
    *ACTIONS, *OPERATORS, "eq", "neq", "lt", "gteq", "isA", "isPartOf", "isAnyOf", "isAllOf", "isNoneOf", 0, 1, -1,
    2**53 - 1, "", "x" * 200, "x" * 201, "a\nb", "1.2", "1.2.3.4", "1.2.3.4.5", "1.", ".1", "1234567890", "01", [],
    ["EU"], ["EU", "EU"], ["EU"] * 200, ["EU"] * 201, [1], [[]], ["a", 1], {}, True, None, {"sealed": "ab" * 32},
    {"sealed": "AB" * 32}, {"sealed": "ab" * 32, "more": 1}, ["EU", {"sealed": "ab" * 32}],
]  # fmt: skip
ODD_TIMES = [
    "2027-02-29T00:00:00Z", "2028-02-29T00:00:00Z", "2027-13-01T00:00:00Z", "2027-01-01T24:00:00Z",
    "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "2027-01-01T00:00:60Z",
    "2027-01-01T00:00:00", "2027-01-01", "2027-01-01T00:00:00+00:00", "2027-01-01T00:00:00.1Z",
    "2027-01-01T00:00:00.000Z", "2027-01-01t00:00:00z", "10000-01-01T00:00:00Z", "２027-01-01T00:00:00Z",
    "2027-01-01T00:00:00Z\n", "2027-04-31T00:00:00Z", "2100-02-29T00:00:00Z",
]  # fmt: skip
ODD_DURATIONS = [
    "P1M", "P1Y", "P", "PT", "P1DT", "PT1H1M1S", "P1D ", "P-1D", "-P1D", "P1.5D", "PT0.5S", "P1W", "P0D",
    "P0000001D", "P1234567D", "P999999DT999999H999999M999999S", "p1d", "PT1S1M", "P١D", "PT1M\n",
]  # fmt: skip


def spoil_terms(pick: Random, terms: dict[str, Json]) -> str:
    """Change terms in place; return what was done."""
    container, name = pick.choice(places(terms))
    how = pick.choice(["word", "word", "word", "odd", "bend", "remove", "add", "rule", "time", "duration", "many"])
    atomics = [place for place in places(terms) if place[1] == "rightOperand"]
    match how:
        case "odd":
            container[name] = odd_value(pick)
        case "bend":
            container[name] = bend(pick, container[name])
        case "remove":
            del container[name]
        case "add" if isinstance(container, dict):
            extra = ["uid", "comment", "constraint", "duty", "consequence", "and", "or", "remedy", "@type", "unit"]
            container[pick.choice(extra)] = pick.choice([[], "x", [{"action": "use"}], odd_value(pick)])
        case "rule":
            _spoil_rule(pick, terms)
        case "time" if atomics:
            item = pick.choice(atomics)[0]
            item["leftOperand"], item["operator"] = "dateTime", pick.choice(["lt", "eq", "gteq"])
            item["rightOperand"] = {"@type": "xsd:dateTime", "@value": pick.choice(ODD_TIMES)}
        case "duration" if atomics:
            item = pick.choice(atomics)[0]
            item["leftOperand"], item["operator"] = "elapsedTime", pick.choice(["lt", "lteq"])
            item["rightOperand"] = duration(pick.choice(ODD_DURATIONS))
        case "many":
            _make_many(pick, terms)
        case _:
            chosen = [
                place for place in places(terms) if place[1] in {"action", "leftOperand", "operator", "rightOperand"}
            ]
            container, name = pick.choice(chosen)
            container[name] = pick.choice(ODD_WORDS)
    return f"{how} {name}"


def _spoil_rule(pick: Random, terms: dict[str, Any]) -> None:
    """Put a member of one kind of rule into another, or a constraint where it may not stand."""
    kind = pick.choice([kind for kind in ("permission", "prohibition", "obligation") if kind in terms])
    rule = pick.choice(terms[kind])
    deadline = atomic("elapsedTime", pick.choice(["lt", "eq", "gt"]), duration("P1D"))
    alone: list[Json] = [{"constraint": [{"or": [deadline]}]}] if kind != "obligation" else []
    # In an obligation that would be two faults, of which any may be named.
    rule |= pick.choice(
        [
            *alone,
            {"duty": [{"action": "attribute"}]},
            {"duty": []},
            {"duty": [{"action": "attribute", "constraint": [deadline]}]},
            {"consequence": [{"action": "inform"}]},
            {"consequence": [{"action": "inform", "constraint": [deadline]}]},
            {"constraint": [deadline]},
            {"constraint": [{"or": [deadline, deadline]}]},
            {"constraint": [{"xone": [deadline] * 20}]},
            {"constraint": [{"and": [deadline, deadline], "or": [deadline, deadline]}]},
            {"constraint": []},
            {"constraint": deadline},
        ]
    )


def _make_many(pick: Random, terms: dict[str, Any]) -> None:
    """Fill a list to its bound, or past it."""
    kinds = [kind for kind in ("permission", "prohibition", "obligation") if kind in terms]
    kind = pick.choice(kinds)
    rule = terms[kind][0]
    match pick.choice(["rules", "constraints", "members", "consequences", "duties"]):
        case "rules":
            terms[kind] = [{"action": "inform"} for _ in range(pick.choice([100, 101]))]
        case "constraints":
            later = atomic("elapsedTime", "lteq", duration("P9D"))
            rule["constraint"] = [later for _ in range(pick.choice([200, 201]))]
        case "members" if kind != "obligation":
            later = atomic("elapsedTime", "lteq", duration("P9D"))
            rule["constraint"] = [{"or": [later] * pick.choice([20, 21])}]
        case "consequences":
            rule["consequence"] = [{"action": "inform"} for _ in range(pick.choice([10, 11]))]
        case _:
            rule["duty"] = [{"action": "inform"} for _ in range(pick.choice([20, 21]))]
