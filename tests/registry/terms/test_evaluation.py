"""Each operator with each operand, three-valued logic, uncertain counts (docs/terms.md §5.1, §5.2)."""

from __future__ import annotations

from copy import deepcopy
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.encoding import Json
from ledger.registry.terms import SEALED, Count, Place, Request, Standing, Truth
from ledger.registry.terms.evaluation import Facts, evaluate, unknown_places
from ledger.statements.terms import Rules
from ledger.statements.terms.reading import read_constraint
from tests.harness.agreements import atomic, duration, moment, rule
from tests.registry.terms.worlds import SEAL, WORDS, constraints, worlds

TRUE, FALSE, UNKNOWN = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN
RULES = Rules.model_validate({"permission": [rule("use")]})
TRUTHS = {
    TRUE: atomic("purpose", "eq", "a"),
    FALSE: atomic("purpose", "neq", "a"),
    UNKNOWN: SEAL,
}


def facts(**changes: Json) -> Facts:
    """Return facts: `counts` are earlier uses, everything else is said by the request."""
    standing = Standing(RULES, 0, 10**15, agreed_ms=1000, counts=changes.pop("counts", {}))
    return Facts(standing, Request("read", changes.pop("time_ms", 5000), **changes), "use")


def holds(left: str, operator: str, right: Json, **changes: Json) -> Truth:
    return evaluate(read_constraint(atomic(left, operator, right)), facts(**changes))


@pytest.mark.parametrize(
    ("operator", "answers"),
    [("eq", "010"), ("neq", "101"), ("lt", "100"), ("lteq", "110"), ("gt", "001"), ("gteq", "011")],
)
def test_numbers_are_compared_to_the_millisecond(operator: str, answers: str) -> None:
    wanted = [Truth.of(answer == "1") for answer in answers]
    edges = [holds("dateTime", operator, moment(5000), time_ms=time_ms) for time_ms in (4999, 5000, 5001)]
    assert edges == wanted
    # the license was agreed at 1000
    lengths = [holds("elapsedTime", operator, duration("PT4S"), time_ms=time_ms) for time_ms in (4999, 5000, 5001)]
    assert lengths == wanted
    counts = [holds("count", operator, 7, counts={"read": Count(6 - 3)}, count=Count(each)) for each in (3, 4, 5)]
    assert counts == wanted


@pytest.mark.parametrize(
    ("left", "operator", "right", "true", "false"),
    [
        ("purpose", "eq", "Marketing", ["Marketing"], ["Advertising", "CommercialPurpose", "marketing"]),
        ("purpose", "neq", "Marketing", ["Advertising", "x"], ["Marketing"]),
        ("purpose", "isA", "CommercialPurpose", ["TargetedAdvertising", "SellProducts"], ["AcademicResearch"]),
        ("purpose", "isPartOf", "LegalObligation", ["LegalCompliance"], ["FulfilmentOfObligation"]),
        ("purpose", "isAnyOf", ["学术研究", "Marketing"], ["学术研究", "Advertising"], ["学术", "CommercialPurpose"]),
        ("purpose", "isAllOf", ["Marketing", "Advertising"], ["Advertising", "TargetedAdvertising"], ["Marketing"]),
        ("purpose", "isAllOf", ["Marketing", "PublicBenefit"], [], ["Marketing", "CounterTerrorism", "Advertising"]),
        ("purpose", "isNoneOf", ["Marketing", "x"], ["CommercialPurpose", "y"], ["x", "PublicRelations"]),
        ("spatial", "isPartOf", "EEA", ["DE-BY", "NO-03", "LI", "EU", "EEA"], ["CH", "GB", "CH-ZH", "DE-", "DE-BAYE"]),
        ("spatial", "isPartOf", "EU", ["FR", "SI-001"], ["NO", "EEA", "fr", "UK"]),
        ("spatial", "isA", "DE", ["DE", "DE-BE"], ["EU", "DEU", "D"]),
        ("spatial", "isNoneOf", ["EU"], ["CH", "بافاريا"], ["DE-BY"]),
        ("industry", "isA", "64", ["64", "64.1", "64.19.3"], ["6", "641", "65.64"]),
        ("industry", "isAllOf", ["64", "64.1"], ["64.1.9"], ["64", "64.19"]),
        ("product", "isNoneOf", ["a.b"], ["a", "a.bc"], ["a.b", "a.b.c"]),
        ("product", "eq", "a", ["a"], ["a.b"]),
        ("recipient", "isAnyOf", ["alice", "bob"], ["bob"], ["bob.example", "alice.bob"]),
        ("recipient", "neq", "نادي الطقس", ["bob"], ["نادي الطقس"]),
        ("version", "eq", "1.0", ["1.0"], ["1", "1.00"]),
        ("version", "lt", "1.10", ["1.9", "1.9.9.9", "0"], ["1.10", "1.10.0", "2", "v1", "1.2.3.4.5", "1.9b"]),
        ("version", "lteq", "1", ["1.0.0.0", "01"], ["1.0.0.1"]),
        ("version", "gt", "1.2", ["1.2.0.1", "1.10"], ["1.2.0", "1.1.99", "latest"]),
        ("version", "gteq", "0", ["0.0", "999999999"], ["1000000000", ""]),
        ("version", "isNoneOf", ["1", "2"], ["1.0", "64"], ["2"]),
        ("version", "isAllOf", ["1", "1"], ["1"], ["2"]),
    ],
)
def test_words(left: str, operator: str, right: Json, true: list[str], false: list[str]) -> None:
    for word in true + false:
        said: dict[str, Json] = {"version": word} if left == "version" else {"stated": {left: word}}
        assert holds(left, operator, right, **said) is Truth.of(word in true), word
    assert holds(left, operator, right) is FALSE, "who says nothing shows nothing"
    hidden: dict[str, Json] = {"version": SEALED} if left == "version" else {"stated": {left: SEALED}}
    assert holds(left, operator, right, **hidden) is UNKNOWN
    assert holds(left, operator, SEAL, **hidden) is UNKNOWN
    assert holds(left, operator, SEAL) is UNKNOWN


def test_a_rule_counts_what_its_action_covers() -> None:
    counts = {"read": Count(2), "train": Count(3), "sell": Count(5)}
    for action, wanted in (("use", 6), ("read", 3), ("derive", 1), ("transfer", 6), ("sell", 6)):
        standing = Standing(RULES, 0, 10**15, agreed_ms=0, counts=counts)
        exactly = read_constraint(atomic("count", "eq", wanted))
        assert evaluate(exactly, Facts(standing, Request(action, 1), action)) is TRUE


@pytest.mark.parametrize("operator", ["eq", "neq", "lt", "lteq", "gt", "gteq"])
def test_an_uncertain_count_is_known_as_far_as_every_greater_one_agrees(operator: str) -> None:
    for least, bound in product(range(1, 6), range(7)):
        constraint = read_constraint(atomic("count", operator, bound))
        sums = {evaluate(constraint, facts(count=Count(more))) for more in range(least, 20)}
        wanted = sums.pop() if len(sums) == 1 else UNKNOWN
        assert evaluate(constraint, facts(count=Count(least, is_uncertain=True))) is wanted
        earlier = facts(counts={"derive": Count(least - 1, is_uncertain=True)}) if least > 1 else None
        assert earlier is None or evaluate(constraint, earlier) is wanted


def test_and_or_xone() -> None:
    world = facts(stated={"purpose": "a"})
    for answers in product(Truth, repeat=3):
        members = [TRUTHS[answer] for answer in answers]
        found = {name: evaluate(read_constraint({name: members}), world) for name in ("and", "or", "xone")}
        assert found["and"] is (FALSE if FALSE in answers else UNKNOWN if UNKNOWN in answers else TRUE)
        assert found["or"] is (TRUE if TRUE in answers else UNKNOWN if UNKNOWN in answers else FALSE)
        several = answers.count(TRUE) > 1
        assert found["xone"] is (FALSE if several else UNKNOWN if UNKNOWN in answers else Truth.of(TRUE in answers))


def test_what_is_unknown_is_named() -> None:
    world = facts(stated={"purpose": SEALED}, counts={"read": Count(1, is_uncertain=True)}, count=Count(1, True))
    document = {
        "or": [
            atomic("purpose", "eq", "x"),
            {"and": [SEAL, atomic("spatial", "eq", SEAL)]},
            {"and": [SEAL, atomic("spatial", "eq", "x")]},
            atomic("count", "lt", 9),
            atomic("count", "lt", 1),
        ]
    }
    assert list(unknown_places(read_constraint(document), world, 4, "/terms/x")) == [
        Place(None, "/purpose"),
        Place(4, "/terms/x/or/1/and/0"),
        Place(4, "/terms/x/or/1/and/1/rightOperand"),
        Place(4, "/count"),
    ]
    own = facts(count=Count(1, True))
    assert list(unknown_places(read_constraint(atomic("count", "lt", 9)), own, 4, "")) == [Place(None, "/count")]


def disclose(document: Json, values: list[Json]) -> Json:
    """Open every seal: whole constraints by the first value, right operands by the first that fits."""
    if "sealed" in document:
        return values[0]
    for connective in ("and", "or", "xone"):
        if connective in document:
            return {connective: [disclose(member, values) for member in document[connective]]}
    if document["rightOperand"] != SEAL:
        return document
    left, operator = document["leftOperand"], document["operator"]
    fitting = [each for each in values if each.get("leftOperand") == left and each["operator"] == operator]
    return fitting[0] if fitting else document


@given(
    constraints([*sorted(WORDS), "count"], seals=True),
    worlds(),
    st.lists(constraints([*sorted(WORDS), "count"]), min_size=1, max_size=12),
    st.sampled_from(["Marketing", "DE", "64.1", "alice", "1.2"]),
    st.integers(0, 3),
)
def test_what_is_certain_stays_so_when_more_is_disclosed(
    document: Json, world: Facts, values: list[Json], word: str, more: int
) -> None:
    before = evaluate(read_constraint(document), world)
    request = world.request
    shown = {left: word if said is SEALED else said for left, said in request.stated.items()}
    version = word if request.version is SEALED else request.version
    count = Count(request.count.known + (more if request.count.is_uncertain else 0))
    counts = {
        action: Count(each.known + (more if each.is_uncertain else 0)) for action, each in world.standing.counts.items()
    }
    standing = Standing(RULES, 0, 10**6, agreed_ms=world.standing.agreed_ms, counts=counts)
    opened = Facts(standing, Request("read", request.time_ms, version, shown, count), "use")
    after = evaluate(read_constraint(disclose(deepcopy(document), values)), opened)
    assert before in (after, UNKNOWN)
    if before is UNKNOWN:
        assert list(unknown_places(read_constraint(document), world, 0, ""))
