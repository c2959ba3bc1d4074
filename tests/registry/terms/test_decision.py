"""The decision for a use: force, rules, duties, counts, seals, chains (docs/terms.md §5.3, §5.5, §5.6, §7.3)."""

from __future__ import annotations

import time
from copy import deepcopy

import pytest

from ledger.core.encoding import MAX_INTEGER, Json
from ledger.registry.terms import (
    SEALED,
    SEALED_COUNT,
    Count,
    Decision,
    Place,
    Request,
    Standing,
    Truth,
    decide,
    permission_states,
    prohibition_state,
    prohibitions_met,
    read_rules,
)
from ledger.statements.terms import Rules, from_version_1
from tests.harness.agreements import atomic, duration, moment, rule
from tests.registry.terms.worlds import SEAL

RESEARCH = atomic("purpose", "isA", "ResearchAndDevelopment")
ACADEMIC = Request("read", 50, None, {"purpose": "AcademicResearch"})
PERMITTED = Decision("permitted")


def rules(**members: Json) -> Rules:
    return Rules.model_validate(members)


def standing(*, until_ms: int = 100, ended_ms: int | None = None, **members: Json) -> Standing:
    return Standing(rules(**members), 10, until_ms, agreed_ms=5, ended_ms=ended_ms)


def counted(limit: int, done: int, **more: Json) -> Standing:
    constraint = atomic("count", "lteq", limit)
    return Standing(rules(permission=[rule("use", constraint)], **more), 10, 100, 5, counts={"derive": Count(done)})


def test_a_license_is_in_force_from_its_beginning_to_before_its_end() -> None:
    license_ = standing(permission=[rule("use")])
    for time_ms, is_in_force in ((9, False), (10, True), (99, True), (100, False), (MAX_INTEGER, False)):
        found = decide([license_], Request("read", time_ms))
        assert found == (PERMITTED if is_in_force else Decision("prohibited", 0))
    for ended_ms, last in ((60, 59), (200, 99), (10, 9)):
        ended = standing(permission=[rule("use")], ended_ms=ended_ms)
        assert decide([ended], Request("read", last + 1)).state == "prohibited"
        assert decide([ended], Request("read", last)).state == ("permitted" if last >= 10 else "prohibited")
    always = Standing(rules(permission=[rule("use")]), 0, MAX_INTEGER, agreed_ms=0)
    assert decide([always], Request("read", 0)) == PERMITTED
    assert decide([always], Request("read", MAX_INTEGER - 1)) == PERMITTED
    assert decide([always], Request("read", MAX_INTEGER)).state == "prohibited"


@pytest.mark.parametrize(
    ("members", "action", "state"),
    [
        ({"permission": [rule("use")]}, "train", "permitted"),
        ({"permission": [rule("use")]}, "sell", "prohibited"),
        ({"permission": [rule("transfer")]}, "sell", "permitted"),
        ({"permission": [rule("read")]}, "use", "prohibited"),
        ({"permission": [rule("read", RESEARCH), rule("aggregate")]}, "read", "permitted"),
        ({"permission": [rule("read", RESEARCH, atomic("spatial", "eq", "DE"))]}, "read", "prohibited"),
        ({"permission": [rule("use")], "prohibition": [rule("train")]}, "train", "prohibited"),
        ({"permission": [rule("use")], "prohibition": [rule("train")]}, "use", "permitted"),
        ({"permission": [rule("use")], "prohibition": [rule("use", RESEARCH)]}, "read", "prohibited"),
        (
            {"permission": [rule("use")], "prohibition": [rule("read", atomic("spatial", "neq", "x"))]},
            "read",
            "permitted",
        ),
        ({"permission": [rule("use")], "prohibition": [rule("read", SEAL)]}, "read", "undetermined"),
        (
            {"permission": [rule("use")], "prohibition": [rule("read", SEAL), rule("use", RESEARCH)]},
            "read",
            "prohibited",
        ),
        ({"permission": [rule("use", SEAL)], "prohibition": [rule("train")]}, "read", "undetermined"),
        ({"permission": [rule("use", SEAL), rule("read")]}, "read", "permitted"),
        ({"permission": [rule("use", SEAL, atomic("purpose", "eq", "x"))]}, "read", "prohibited"),
        ({"permission": [rule("train")], "prohibition": [rule("read", SEAL)]}, "read", "prohibited"),
        ({"prohibition": [rule("train")]}, "read", "prohibited"),
        ({"obligation": [rule("read")]}, "read", "prohibited"),
    ],
)
def test_rules(members: dict[str, Json], action: str, state: str) -> None:
    found = decide([standing(**members)], Request(action, 50, None, {"purpose": "AcademicResearch"}))
    assert (found.state, found.deciding) == (state, None if state == "permitted" else 0)
    assert bool(found.places) == (state == "undetermined")


def test_a_duty_is_a_condition() -> None:
    terms = rules(permission=[rule("distribute", duty=[{"action": "attribute"}, {"action": "inform"}])])
    request = Request("distribute", 50)
    for met, state in (
        ({}, "prohibited"),
        ({"attribute": 20}, "prohibited"),
        ({"attribute": 20, "inform": 50}, "permitted"),
    ):
        assert decide([Standing(terms, 10, 100, 5, met=met)], request).state == state


def test_only_for_its_count() -> None:
    assert decide([counted(3, 2)], ACADEMIC) == PERMITTED
    assert decide([counted(3, 3)], ACADEMIC) == Decision("prohibited", 0, is_only_count=True)
    assert decide([counted(3, 2)], Request("read", 50, count=Count(2))) == Decision("prohibited", 0, is_only_count=True)
    late = Request("read", 100)
    assert decide([counted(3, 3)], late) == Decision("prohibited", 0)
    forbidden = counted(3, 3, prohibition=[rule("read", RESEARCH)])
    assert decide([forbidden], ACADEMIC) == Decision("prohibited", 0)
    assert decide([counted(3, 3, prohibition=[rule("read", SEAL)])], ACADEMIC).is_only_count
    both = standing(permission=[rule("use", atomic("count", "lt", 1), atomic("purpose", "eq", "x"))])
    assert not decide([both], ACADEMIC).is_only_count
    nested = standing(permission=[rule("use", {"or": [atomic("count", "eq", 9), atomic("purpose", "eq", "x")]})])
    assert decide([nested], ACADEMIC).is_only_count
    sealed = standing(permission=[rule("use", atomic("count", "eq", SEAL), atomic("count", "lt", 1))])
    assert decide([sealed], ACADEMIC).is_only_count
    # a prohibition's count stays what it is
    capped = standing(permission=[rule("use")], prohibition=[rule("use", atomic("count", "gteq", 1))])
    assert decide([capped], ACADEMIC) == Decision("prohibited", 0)


def test_the_first_license_of_the_chain_that_prohibits_decides() -> None:
    yes, no = standing(permission=[rule("use")]), standing(permission=[rule("train")])
    unsure = standing(permission=[rule("use", SEAL)])
    over = counted(0, 0)
    assert decide([yes, yes, yes], ACADEMIC) == PERMITTED
    assert decide([yes, unsure, no, over], ACADEMIC) == Decision("prohibited", 2)
    assert decide([unsure, over, no], ACADEMIC) == Decision("prohibited", 1, is_only_count=True)
    place = "/terms/permission/0/constraint/0"
    assert decide([yes, unsure, yes, unsure], ACADEMIC) == Decision(
        "undetermined", 1, places=(Place(1, place), Place(3, place))
    )


def test_the_places_are_those_that_matter() -> None:
    license_ = standing(
        permission=[rule("use", SEAL), rule("read", RESEARCH, atomic("count", "lteq", 3))],
        prohibition=[rule("read", atomic("purpose", "eq", SEAL)), rule("sell", SEAL)],
    )
    first = Place(0, "/terms/permission/0/constraint/0")
    forbidding = Place(0, "/terms/prohibition/0/constraint/0/rightOperand")
    assert decide([license_], ACADEMIC).places == (forbidding,), "a permission is true: the sealed one does not matter"
    uncertain = Request("read", 50, None, {"purpose": SEALED}, SEALED_COUNT)
    assert decide([license_], uncertain).places == (
        forbidding,
        Place(None, "/purpose"),
        first,
        Place(None, "/count"),
    )
    counts = {"sell": Count(1, True, 3), "read": Count(2, True, 9), "train": Count(2, True, 7), "use": Count(5)}
    used = Standing(license_.terms, 10, 100, 5, counts=counts)
    assert Place(0, "/count", 9) in decide([used], uncertain).places, "the first in the sum, not this one's"
    wider = Standing(rules(permission=[rule("use", atomic("count", "lt", 99))]), 10, 100, 5, counts=counts)
    assert decide([wider], ACADEMIC).places == (Place(0, "/count", 7),), "`use` does not cover `sell`"
    versioned = standing(permission=[rule("use", atomic("version", "lt", "2"))])
    assert decide([versioned], Request("read", 50, SEALED)).places == (Place(None, "/version"),)


def test_a_license_of_version_1() -> None:
    old = Standing(from_version_1(["Marketing", "研究"]), 10, 100, 5)
    for purpose, state in (("TargetedAdvertising", "permitted"), ("研究", "permitted"), ("Research", "prohibited")):
        assert decide([old], Request("grantUse", 50, None, {"purpose": purpose})).state == state
    assert decide([old], Request("read", 50)).state == "prohibited"


def test_states_of_permissions() -> None:
    terms = rules(
        permission=[
            rule("read", RESEARCH, {"and": [atomic("dateTime", "lt", moment(0)), RESEARCH]}),
            rule("use", atomic("count", "lteq", 3)),
            rule("use", atomic("elapsedTime", "lt", duration("PT0S"))),
            rule("use", atomic("dateTime", "gt", SEAL), atomic("version", "eq", "1")),
            rule("use", SEAL),
            rule("sell", atomic("count", "eq", 1), atomic("purpose", "eq", SEAL)),
        ]
    )
    counts = {"read": Count(2), "derive": Count(1)}
    license_ = Standing(terms, 10, 100, 5, counts=counts)
    yes, no, unsure = "permitted", "prohibited", "undetermined"
    assert permission_states(license_, 50, "1") == [yes, no, no, unsure, unsure, yes]
    assert permission_states(license_, 50, None) == [yes, no, no, no, unsure, yes]
    assert permission_states(license_, 100, "1") == [no] * 6
    uncertain = Standing(terms, 10, 100, 5, counts={"read": SEALED_COUNT})
    assert permission_states(uncertain, 50, "1")[1] == unsure


def test_states_of_prohibitions() -> None:
    license_ = standing(prohibition=[rule("use", RESEARCH), rule("derive"), rule("read", SEAL), rule("read")])
    met = prohibitions_met(license_, ACADEMIC)
    assert met == [Truth.TRUE, Truth.FALSE, Truth.UNKNOWN, Truth.TRUE]
    assert [prohibition_state(each) for each in met] == ["violated", "prohibited", "undetermined", "violated"]


def test_stored_terms_are_read_once() -> None:
    document = {"@type": "Agreement", "permission": [rule("use", RESEARCH)]}
    assert read_rules(document) is read_rules(deepcopy(document))
    assert read_rules(document).model_dump(exclude_none=True) == {"permission": [rule("use", RESEARCH)]}
    assert read_rules({"permission": [rule("use")]}) is not read_rules(document)


def test_two_hundred_licenses_of_two_hundred_constraints_each() -> None:
    many = [atomic("purpose", "neq", f"目的{number}") for number in range(200)]
    chain = [standing(permission=[rule("use", *many)]) for _ in range(200)]
    started = time.perf_counter()
    assert decide(chain, ACADEMIC) == PERMITTED
    last = Request("read", 50, None, {"purpose": "目的199"})
    assert decide(chain, last) == Decision("prohibited", 0)
    assert time.perf_counter() - started < 2, "40,000 constraints take some 30 ms"
