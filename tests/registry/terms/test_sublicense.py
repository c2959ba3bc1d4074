"""Whether a sub-license is wider than its parent (docs/terms.md §6.1)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core.encoding import Json
from ledger.registry.terms import SEALED, Count, Place, Request, Standing, Truth, Width, decide, is_wider
from ledger.statements.terms import Rules, from_version_1
from tests.harness.agreements import atomic, duration, rule
from tests.registry.terms.worlds import SEAL, WORDS, constraints

GRANT = rule("grantUse")
MARKETING, ADVERTISING = (atomic("purpose", "isA", word) for word in ("Marketing", "Advertising"))
EU = atomic("spatial", "isPartOf", "EU")
WITHIN = rule("delete", atomic("elapsedTime", "lteq", duration("P30D")))
NOT_WIDER = Width(Truth.FALSE, ())
WIDER = Width(Truth.TRUE, ())


def standing(valid_from_ms: int = 10, valid_until_ms: int = 100, **members: Json) -> Standing:
    return Standing(Rules.model_validate(members), valid_from_ms, valid_until_ms, agreed_ms=5)


def compared(child: dict[str, Json], parent: dict[str, Json]) -> Width:
    """Compare two lists of rules; the parent may grant use."""
    parent = parent | {"permission": [GRANT, *parent.get("permission", [])]}
    return is_wider(standing(**child), [standing(**parent)], "carol", 50, None)


def unknown(*places: tuple[int | None, str]) -> Width:
    return Width(Truth.UNKNOWN, tuple(Place(*place) for place in places))


@pytest.mark.parametrize(
    ("child", "parent", "width"),
    [
        ([rule("read")], [rule("read")], NOT_WIDER),
        ([rule("read")], [rule("use")], NOT_WIDER),
        ([rule("use")], [rule("read")], WIDER),
        ([rule("read"), rule("derive")], [rule("read"), rule("aggregate")], WIDER),
        ([rule("read", ADVERTISING)], [rule("read", MARKETING)], NOT_WIDER),
        ([rule("read", MARKETING)], [rule("read", ADVERTISING)], WIDER),
        ([rule("read", MARKETING)], [rule("read", MARKETING, EU)], WIDER),
        ([rule("read", MARKETING, EU)], [rule("read", EU)], NOT_WIDER),
        ([rule("read", ADVERTISING)], [rule("read", EU), rule("use", MARKETING)], NOT_WIDER),
        ([rule("read")], [rule("read", duty=[{"action": "inform"}])], WIDER),
        (
            [rule("read", duty=[{"action": "attribute"}, {"action": "inform"}])],
            [rule("read", duty=[{"action": "inform"}])],
            NOT_WIDER,
        ),
        ([rule("read", SEAL)], [rule("read", MARKETING)], unknown((0, "/terms/permission/0/constraint/0"))),
        ([rule("read", MARKETING)], [rule("read", EU, SEAL)], WIDER),
        (
            [rule("read", EU, {"or": [MARKETING, atomic("purpose", "eq", SEAL)]}, atomic("product", "eq", SEAL))],
            [rule("read", MARKETING), rule("use", SEAL), rule("sell", SEAL)],
            unknown(
                (0, "/terms/permission/0/constraint/1/or/1/rightOperand"),
                (0, "/terms/permission/0/constraint/2/rightOperand"),
                (1, "/terms/permission/2/constraint/0"),
            ),
        ),
    ],
)
def test_permissions(child: list[Json], parent: list[Json], width: Width) -> None:
    assert compared({"permission": child}, {"permission": parent}) == width


@pytest.mark.parametrize(
    ("child", "parent", "width"),
    [
        ([], [rule("train")], WIDER),
        ([rule("use")], [rule("train")], NOT_WIDER),
        ([rule("train")], [rule("use")], WIDER),
        ([rule("use", MARKETING)], [rule("use", ADVERTISING)], NOT_WIDER),
        ([rule("use", ADVERTISING)], [rule("use", MARKETING)], WIDER),
        ([rule("sell"), rule("train")], [rule("sell"), rule("train", EU)], NOT_WIDER),
        ([rule("sell")], [rule("sell"), rule("train", EU)], WIDER),
        (
            [rule("use", atomic("purpose", "isA", SEAL))],
            [rule("use", MARKETING)],
            unknown((0, "/terms/prohibition/0/constraint/0/rightOperand")),
        ),
        ([rule("use", MARKETING)], [rule("use", SEAL)], unknown((1, "/terms/prohibition/0/constraint/0"))),
    ],
)
def test_prohibitions(child: list[Json], parent: list[Json], width: Width) -> None:
    members: dict[str, Json] = {"permission": [rule("read")]} | ({"prohibition": child} if child else {})
    assert compared(members, {"permission": [rule("use")], "prohibition": parent}) == width


@pytest.mark.parametrize(
    ("child", "parent", "width"),
    [
        ([], [WITHIN], WIDER),
        ([WITHIN], [WITHIN], NOT_WIDER),
        ([rule("delete", atomic("elapsedTime", "lt", duration("P30D")))], [WITHIN], NOT_WIDER),
        ([rule("delete", atomic("elapsedTime", "lteq", duration("P31D")))], [WITHIN], WIDER),
        ([rule("delete")], [WITHIN], WIDER),
        ([WITHIN], [rule("delete")], NOT_WIDER),
        ([rule("inform", *WITHIN["constraint"])], [WITHIN], WIDER),
        ([rule("use", *WITHIN["constraint"])], [WITHIN], WIDER),
        ([WITHIN], [WITHIN | {"consequence": [rule("inform")]}], NOT_WIDER),
        ([WITHIN], [rule("delete", SEAL)], unknown((1, "/terms/obligation/0/constraint/0"))),
    ],
)
def test_obligations(child: list[Json], parent: list[Json], width: Width) -> None:
    members: dict[str, Json] = {"permission": [rule("read")]} | ({"obligation": child} if child else {})
    assert compared(members, {"permission": [rule("use")], "obligation": parent}) == width


def test_its_term_is_within_the_parents() -> None:
    parent = standing(permission=[rule("use")])
    for term, width in (((10, 100), NOT_WIDER), ((11, 99), NOT_WIDER), ((9, 100), WIDER), ((10, 101), WIDER)):
        assert is_wider(standing(*term, permission=[rule("read")]), [parent], "carol", 50, None) == width


def test_the_parents_chain_permits_to_grant_use_to_this_party() -> None:
    child = standing(permission=[rule("read")])
    named = standing(permission=[rule("read"), rule("grantUse", atomic("recipient", "eq", "carol"))])
    assert is_wider(child, [named], "carol", 50, None) == NOT_WIDER
    assert is_wider(child, [named], "dave", 50, None) == WIDER
    assert is_wider(child, [named], "carol", 100, None) == WIDER, "the parent is not in force"
    assert is_wider(child, [standing(permission=[rule("read")])], "carol", 50, None) == WIDER
    assert is_wider(child, [named, standing(permission=[rule("read")])], "carol", 50, None) == WIDER
    assert is_wider(child, [named, named], "carol", 50, None) == NOT_WIDER

    above = standing(permission=[rule("use", atomic("version", "lt", SEAL), SEAL)])
    place = "/terms/permission/0/constraint"
    assert is_wider(child, [named, above], "carol", 50, SEALED) == unknown(
        (2, f"{place}/0/rightOperand"), (None, "/version"), (2, f"{place}/1")
    )
    versioned = standing(permission=[rule("use", atomic("version", "lt", "2"), SEAL)])
    assert is_wider(child, [versioned], "carol", 50, "2") == WIDER

    once = Standing(Rules.model_validate({"permission": [rule("use", atomic("count", "lteq", 1))]}), 10, 100, 5)
    counted = standing(permission=[rule("read", atomic("count", "lteq", 1))])
    assert is_wider(counted, [once], "carol", 50, None) == NOT_WIDER
    used = Standing(once.terms, 10, 100, 5, counts={"read": Count(1)})
    assert is_wider(counted, [used], "carol", 50, None) == WIDER


def test_beneath_a_license_of_version_1() -> None:
    """It permits `use` for its purposes; to grant use states no purpose, so that it permits no sub-license."""
    old = Standing(from_version_1(["Marketing"]), 10, 100, agreed_ms=5)
    assert is_wider(standing(permission=[rule("read", ADVERTISING)]), [old], "carol", 50, None) == WIDER


LEFTS = ["purpose", "spatial", "count"]
UNSEALED = st.lists(constraints(LEFTS), max_size=2)


@settings(max_examples=100)
@given(st.data(), st.lists(UNSEALED, min_size=3, max_size=3), st.lists(UNSEALED, min_size=3, max_size=3))
def test_what_is_not_wider_permits_nothing_that_its_parent_does_not(
    data: st.DataObject, own: list[list[Json]], above: list[list[Json]]
) -> None:
    """A parent's constraints are given to the child now and then, so that being narrower is no rare case."""
    kept = data.draw(st.booleans())
    child_rules = Rules.model_validate(
        {
            "permission": [rule("read", *own[0], *(above[0] if kept else []))],
            "prohibition": [rule("read", *own[1]), rule("use", *above[2])] if kept else [rule("use", *own[2])],
        }
    )
    parent_rules = Rules.model_validate(
        {
            "permission": [GRANT, rule("use", *above[0]), rule("derive", *above[1])],
            "prohibition": [rule("read", *above[2], atomic("purpose", "neq", "x"))],
        }
    )
    counts = {"read": Count(1)}
    child, parent = (Standing(each, 10, 100, 5, counts=counts) for each in (child_rules, parent_rules))
    if is_wider(child, [parent], "carol", 50, None) == NOT_WIDER:
        for purpose in [*WORDS["purpose"], "x"]:
            for region in WORDS["spatial"]:
                request = Request("read", 50, None, {"purpose": purpose, "spatial": region})
                if decide([child], request).state == "permitted":
                    assert decide([parent], request).state == "permitted"
