"""Triggers, due moments, holds, and the states of obligations (docs/terms.md §7)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.core.encoding import MAX_INTEGER, Json
from ledger.registry.terms import DutyState, Hold, Standing, due_ms, duty_states, erasure_due_ms
from ledger.statements.terms import Obligation, Rules
from tests.harness.agreements import atomic, duration, moment, rule
from tests.registry.terms.worlds import SEAL

DAY_MS = 86_400_000
AGREED_MS, FROM_MS, UNTIL_MS = 5 * DAY_MS, 10 * DAY_MS, 100 * DAY_MS


def within(days: int, operator: str = "lteq") -> Json:
    return atomic("elapsedTime", operator, duration(f"P{days}D"))


def by(time_ms: int, operator: str = "lteq") -> Json:
    return atomic("dateTime", operator, moment(time_ms))


def standing(*obligations: Json, **changes: Json) -> Standing:
    terms = Rules.model_validate({"obligation": list(obligations)})
    return replace(Standing(terms, FROM_MS, UNTIL_MS, AGREED_MS), **changes)


def states(license_: Standing, at_ms: int, *, has_copies: bool = False, hold: Hold | None = None) -> list[str]:
    return [each.state for each in duty_states(license_, at_ms, has_copies=has_copies, hold=hold or Hold())]


@pytest.mark.parametrize(
    ("obligation", "due"),
    [
        (rule("inform", within(3)), 1000 + 3 * DAY_MS),
        (rule("inform", within(3, "lt")), 1000 + 3 * DAY_MS - 1),
        (rule("inform", by(77)), 77),
        (rule("inform", by(77, "lt")), 76),
        (rule("inform", within(3), by(2 * DAY_MS), within(9)), 2 * DAY_MS),
        (rule("delete", within(0)), 1000),
        (rule("delete"), 1000),
        (rule("inform"), None),
        (rule("delete", within(3), SEAL), None),
        (rule("delete", within(3), atomic("dateTime", "lt", SEAL)), None),
    ],
)
def test_due_moments(obligation: Json, due: int | None) -> None:
    assert due_ms(Obligation.model_validate(obligation), 1000) == due


def test_times_at_the_edges() -> None:
    latest = Obligation.model_validate(rule("delete", atomic("elapsedTime", "lteq", duration("P999999D"))))
    assert due_ms(latest, MAX_INTEGER) == MAX_INTEGER + 999_999 * DAY_MS, "past every time: it never comes"
    forever = standing(rule("delete"), valid_until_ms=MAX_INTEGER)
    assert states(forever, MAX_INTEGER - 1, has_copies=True) == ["pending"]
    assert states(forever, MAX_INTEGER, has_copies=True) == ["pending"]
    first = standing(rule("inform", by(0)), agreed_ms=0)
    assert [states(first, at_ms) for at_ms in (0, 1)] == [["pending"], ["violated"]]


def test_a_duty_to_delete_waits_for_the_end() -> None:
    for changes, end_ms in (
        ({}, UNTIL_MS),
        ({"ended_ms": 40 * DAY_MS}, 40 * DAY_MS),
        ({"ended_ms": 2 * UNTIL_MS}, UNTIL_MS),
    ):
        license_ = standing(rule("delete", within(30)), **changes)
        due = end_ms + 30 * DAY_MS
        assert erasure_due_ms(license_) == due
        assert states(license_, end_ms - 1) == ["pending"], "whether there are copies or not"
        assert states(license_, end_ms) == ["fulfilled"]
        assert states(license_, due + 1) == ["fulfilled"]
        moments = (end_ms - 1, end_ms, due, due + 1)
        assert [states(license_, each, has_copies=True)[0] for each in moments] == ["pending"] * 3 + ["violated"]
    at_once = standing(rule("delete"))
    assert [states(at_once, UNTIL_MS + more, has_copies=True) for more in (0, 1)] == [["pending"], ["violated"]]


def test_a_date_before_the_end_binds_before_the_end() -> None:
    early = standing(rule("delete", by(20 * DAY_MS)))
    assert states(early, 20 * DAY_MS, has_copies=True) == ["pending"]
    assert states(early, 20 * DAY_MS + 1, has_copies=True) == ["violated"]
    assert states(early, UNTIL_MS - 1, has_copies=False) == ["pending"]
    assert states(early, UNTIL_MS, has_copies=False) == ["fulfilled"]


def test_another_duty_runs_from_the_agreement() -> None:
    license_ = standing(rule("inform", within(3)))
    due = AGREED_MS + 3 * DAY_MS
    assert [states(license_, each) for each in (due, due + 1)] == [["pending"], ["violated"]]
    for met_ms, later in ((due, "fulfilled"), (due + 1, "violated")):
        assert states(replace(license_, met={"inform": met_ms, "read": 0}), due + 1) == [later]
    assert states(replace(license_, met={"read": 0}), due + 1) == ["violated"]
    assert states(standing(rule("inform")), MAX_INTEGER) == ["pending"]
    assert states(standing(rule("inform"), met={"inform": due}), due) == ["fulfilled"]
    assert states(license_, due + 1, hold=Hold(is_on=True)) == ["violated"], "a hold is about erasure only"


def test_a_seal_leaves_it_undetermined() -> None:
    license_ = standing(
        rule("delete", SEAL), rule("inform", within(3), atomic("dateTime", "lt", SEAL), consequence=[rule("read")])
    )
    for at_ms in (0, UNTIL_MS, MAX_INTEGER):
        assert states(license_, at_ms) == ["undetermined", "undetermined"]
    assert erasure_due_ms(license_) is None
    both = standing(
        rule("delete", SEAL), rule("delete", within(9)), rule("delete", within(7)), rule("inform", within(1))
    )
    assert erasure_due_ms(both) == UNTIL_MS + 7 * DAY_MS, "the earliest that can be decided"


def test_holds_move_an_erasure_duty() -> None:
    license_ = standing(rule("delete", within(30)), rule("delete", by(UNTIL_MS)))
    due, later = UNTIL_MS + 30 * DAY_MS, UNTIL_MS + 50 * DAY_MS
    assert erasure_due_ms(license_) == UNTIL_MS
    assert erasure_due_ms(license_, Hold(is_on=True)) is None
    assert states(license_, due + 1, has_copies=True, hold=Hold(is_on=True)) == ["pending", "pending"]
    released = Hold(released_ms=later)
    assert erasure_due_ms(license_, released) == later
    found = duty_states(license_, later + 1, has_copies=True, hold=released)
    assert [(each.state, each.due_ms) for each in found] == [("pending", later + 30 * DAY_MS), ("violated", later)]
    several = standing(rule("delete", within(30, "lt"), within(40), by(UNTIL_MS)))
    assert erasure_due_ms(several, released) == later + 30 * DAY_MS - 1
    early = Hold(released_ms=20 * DAY_MS)
    assert [each.due_ms for each in duty_states(license_, due, has_copies=True, hold=early)] == [due, UNTIL_MS]
    assert erasure_due_ms(license_, Hold(is_on=True, released_ms=later)) is None


def test_consequences_follow_a_violated_duty_from_its_due_moment() -> None:
    deeper = rule("obtainConsent", within(2), consequence=[rule("delete", within(1))])
    license_ = standing(rule("inform", within(3), consequence=[rule("attribute"), deeper]))
    due = AGREED_MS + 3 * DAY_MS
    place = "/terms/obligation/0"
    first = DutyState(place, "inform", "violated", due)
    assert states(license_, due) == ["pending"]
    assert duty_states(license_, due + 1, has_copies=True) == [
        first,
        DutyState(f"{place}/consequence/0", "attribute", "pending", None),
        DutyState(f"{place}/consequence/1", "obtainConsent", "pending", due + 2 * DAY_MS),
    ]
    past = standing(rule("inform", within(3), consequence=[rule("read", by(0)), rule("delete", by(7), within(1))]))
    assert [each.due_ms for each in duty_states(past, due + 1, has_copies=True)] == [due] * 3, "not before its trigger"
    met = replace(license_, met={"attribute": due + 9, "obtainConsent": due + 2 * DAY_MS})
    assert states(met, MAX_INTEGER) == ["violated", "fulfilled", "fulfilled"]
    last = duty_states(license_, due + 4 * DAY_MS, has_copies=True)[3]
    assert last == DutyState(f"{place}/consequence/1/consequence/0", "delete", "violated", due + 3 * DAY_MS)
    assert duty_states(license_, due + 4 * DAY_MS, has_copies=False)[3].state == "fulfilled"
