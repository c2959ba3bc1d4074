"""What a list of constraints implies: its table, row by row, and that it is sound (docs/terms.md §6.2)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core.encoding import Json
from ledger.registry.terms import Count, Request, Standing, Truth
from ledger.registry.terms.evaluation import Facts, evaluate
from ledger.statements.terms import from_version_1, implies
from ledger.statements.terms.constraints import Measure, Membership
from ledger.statements.terms.reading import read_constraint
from ledger.statements.vocabulary import upward
from tests.harness.agreements import atomic
from tests.registry.terms.worlds import SEAL, WORDS, constraints

TRUE, FALSE, UNKNOWN = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN
ONE = ("eq", "neq", "isA", "isPartOf")
MANY = ("isAnyOf", "isAllOf", "isNoneOf")
INTEGERS = ("eq", "neq", "lt", "lteq", "gt", "gteq")
UNIVERSE = ["CommercialPurpose", "Marketing", "Advertising", "PublicRelations", "研究"]
"""A line of three, a sister of the last, and a stranger."""
A, B, C = (atomic("purpose", "isA", word) for word in ("Marketing", "ServiceProvision", "PublicBenefit"))


def says(given_: list[Json], wanted: Json) -> Truth:
    return implies([read_constraint(each) for each in given_], read_constraint(wanted))


def le(word: str, other: str) -> bool:
    return other in upward("purpose", word)


BENEATH = ("isA", "isPartOf", "isAnyOf")
Row = dict[str, Callable[[set[str], set[str]], bool]]
TABLE: dict[str, Row] = {
    "eq": {
        "eq": lambda r, s: r == s,
        "beneath": lambda r, s: all(any(le(x, y) for y in s) for x in r),
        "isAllOf": lambda r, s: all(le(x, y) for x in r for y in s),
        "neq": lambda r, s: r != s,
        "isNoneOf": lambda r, s: not any(le(x, y) for x in r for y in s),
    },
    "beneath": {
        "beneath": lambda r, s: all(any(le(x, y) for y in s) for x in r),
        "isAllOf": lambda r, s: all(le(x, y) for x in r for y in s),
        "neq": lambda r, s: not any(le(y, x) for x in r for y in s),
        "isNoneOf": lambda r, s: not any(le(x, y) or le(y, x) for x in r for y in s),
    },
    "isAllOf": {
        "beneath": lambda r, s: any(le(x, y) for x in r for y in s),
        "isAllOf": lambda r, s: all(any(le(x, y) for x in r) for y in s),
        "neq": lambda r, s: any(not le(y, x) for x in r for y in s),
        "isNoneOf": lambda r, s: all(any(not le(x, y) and not le(y, x) for x in r) for y in s),
    },
    "neq": {"neq": lambda r, s: r == s},
    "isNoneOf": {
        "neq": lambda r, s: any(le(y, x) for x in r for y in s),
        "isNoneOf": lambda r, s: all(any(le(y, x) for x in r) for y in s),
    },
}
"""The table of §6.2 once more, in its own words."""


def every_atomic() -> list[Json]:
    single = [atomic("purpose", operator, word) for operator in ONE for word in UNIVERSE]
    lists = [list(words) for size in (1, 2) for words in combinations(UNIVERSE, size)]
    return single + [atomic("purpose", operator, words) for operator in MANY for words in lists]


def test_every_row_and_column_of_the_table() -> None:
    read = [(document, read_constraint(document)) for document in every_atomic()]
    seen = set()
    for (given_, one), (wanted, other) in product(read, read):
        assert isinstance(one, Membership)
        assert isinstance(other, Membership)
        row = "beneath" if one.operator in BENEATH else one.operator
        column = "beneath" if other.operator in BENEATH else other.operator
        cell = TABLE[row].get(column)
        expected = given_ == wanted or (cell is not None and cell(set(one.words), set(other.words)))
        assert implies([one], other) is Truth.of(expected), (given_, wanted)
        seen.add((row, column, expected))
        for word in [*UNIVERSE, "TargetedAdvertising", "SellProducts", "?"]:
            assert not expected or not one.meets(word) or other.meets(word), (given_, wanted, word)
    assert len(seen) > 40


def test_of_numbers_exactly_what_follows_is_implied() -> None:
    read = [read_constraint(atomic("count", operator, bound)) for operator in INTEGERS for bound in range(5)]
    for one, other in product(read, read):
        assert isinstance(one, Measure)
        assert isinstance(other, Measure)
        follows = all(other.meets(number) for number in range(-9, 15) if one.meets(number))
        assert implies([one], other) is Truth.of(follows), (one, other)


@pytest.mark.parametrize(
    ("given_", "wanted", "answer"),
    [
        (("eq", "1.0"), ("eq", "1.0"), TRUE),
        (("eq", "1.0"), ("eq", "1"), FALSE),
        (("eq", "1.0"), ("neq", "1"), TRUE),
        (("eq", "1"), ("isAnyOf", ["1", "2"]), TRUE),
        (("isAnyOf", ["1", "1"]), ("eq", "1"), TRUE),
        (("isAnyOf", ["1", "2"]), ("isNoneOf", ["3", "4"]), TRUE),
        (("isAnyOf", ["1", "2"]), ("isAllOf", ["1"]), FALSE),
        (("isAnyOf", ["1", "2"]), ("neq", "2"), FALSE),
        (("neq", "1"), ("isNoneOf", ["1"]), FALSE),
        (("isAllOf", ["1"]), ("eq", "1"), FALSE),
        (("lt", "2"), ("lt", "2"), TRUE),
        (("lt", "2"), ("lt", "2.0"), FALSE),
        (("lt", "1"), ("lt", "2"), FALSE),
        (("eq", "1"), ("lt", "2"), FALSE),
        (("gt", "1"), ("neq", "1"), FALSE),
    ],
)
def test_versions(given_: tuple[str, Json], wanted: tuple[str, Json], answer: Truth) -> None:
    assert says([atomic("version", *given_)], atomic("version", *wanted)) is answer


@pytest.mark.parametrize(
    ("given_", "wanted", "answer"),
    [
        ([], A, FALSE),
        ([B, A], A, TRUE),
        ([{"and": [B, {"and": [C, A]}]}], A, TRUE),
        ([A, B], {"and": [A, B]}, TRUE),
        ([A], {"and": [A, B]}, FALSE),
        ([A], {"or": [B, A]}, TRUE),
        ([{"or": [A, B]}], A, FALSE),
        ([{"or": [A, B]}], {"or": [B, A, C]}, TRUE),
        ([{"or": [{"and": [A, B]}, {"and": [C, A]}]}], A, TRUE),
        ([{"or": [A, {"or": [B, {"and": [C, A]}]}]}], {"or": [B, A]}, TRUE),
        ([{"xone": [A, B]}], {"xone": [A, B]}, TRUE),
        ([{"xone": [A, B]}], {"xone": [B, A]}, FALSE),
        ([{"xone": [A, B]}], {"or": [A, B]}, FALSE),
        ([A, B], {"xone": [A, C]}, FALSE),
        # seals
        ([A], SEAL, UNKNOWN),
        ([SEAL], SEAL, UNKNOWN),
        ([SEAL], A, UNKNOWN),
        ([SEAL, A], A, TRUE),
        ([A], {"and": [A, SEAL]}, UNKNOWN),
        ([A], {"and": [B, SEAL]}, FALSE),
        ([A], {"or": [A, SEAL]}, TRUE),
        ([A], {"or": [B, SEAL]}, UNKNOWN),
        ([{"or": [A, SEAL]}], A, UNKNOWN),
        ([{"or": [B, SEAL]}], A, FALSE),
        ([A], atomic("purpose", "isA", SEAL), UNKNOWN),
        ([A], atomic("spatial", "isA", SEAL), UNKNOWN),
        ([atomic("purpose", "eq", SEAL)], A, UNKNOWN),
        ([atomic("purpose", "eq", SEAL), A], A, TRUE),
        ([atomic("spatial", "eq", SEAL)], A, FALSE),
        ([atomic("purpose", "isA", SEAL)], atomic("purpose", "isA", SEAL), UNKNOWN),
        ([{"xone": [A, SEAL]}], A, FALSE),
        ([{"and": [A, SEAL]}], {"and": [A, SEAL]}, UNKNOWN),
    ],
)
def test_logical_and_sealed_constraints(given_: list[Json], wanted: Json, answer: Truth) -> None:
    assert says(given_, wanted) is answer


def some_worlds(number: int) -> list[Facts]:
    """Return worlds in which everything is known, the same ones always; something may be left unsaid."""
    chance = Random(20)
    found = []
    for _ in range(number):
        stated = {left: chance.choice([*words, "another"]) for left, words in WORDS.items() if chance.random() < 0.9}
        version = stated.pop("version", None)
        time_ms = chance.randrange(5000)
        counts = {"read": Count(chance.randrange(3))}
        standing = Standing(from_version_1(["x"]), 0, 10_000, agreed_ms=chance.randrange(time_ms + 1), counts=counts)
        found.append(Facts(standing, Request("read", time_ms, version, stated), "use"))
    return found


SOME = some_worlds(150)
LEFTS = [*sorted(WORDS), "count", "dateTime", "elapsedTime"]


@settings(max_examples=80)
@given(st.data())
def test_what_is_implied_for_certain_holds_wherever_the_list_does(data: st.DataObject) -> None:
    lefts = data.draw(st.lists(st.sampled_from(LEFTS), min_size=1, max_size=2))
    drawn = [read_constraint(data.draw(constraints(lefts, seals=True))) for _ in range(5)]
    answers = [[evaluate(each, world) for world in SOME] for each in drawn]
    for wanted, wanted_answers in zip(drawn, answers, strict=True):
        for chosen in ([0], [1], [2], [3], [4], [0, 1], [2, 3], [0, 1, 2, 3, 4]):
            if implies([drawn[each] for each in chosen], wanted) is TRUE:
                for number, answer in enumerate(wanted_answers):
                    given_ = min(answers[each][number] for each in chosen)
                    assert given_ is not TRUE or answer is TRUE, (drawn, chosen, wanted, SOME[number])


def test_what_nests_deeply_is_answered_quickly() -> None:
    """Each way through an `or` of an `or` is walked once: 81 leaves on either side, and 5 levels."""

    def nest(depth: int, number: int) -> Json:
        if depth == 0:
            return atomic("count", "neq", number)
        return {"or": [nest(depth - 1, 3 * number + each) for each in range(3)]}

    asked = 0

    def counted(_: Measure) -> None:
        nonlocal asked
        asked += 1

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Measure, "interval", property(counted))
        assert says([nest(4, 1)], nest(4, 2)) is FALSE
    assert 0 < asked <= 81 * 81 * 2
