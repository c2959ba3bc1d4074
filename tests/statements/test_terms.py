"""Machine terms: what fits, what is refused, why and at which clause (docs/terms.md §1–§3)."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from ledger.core.encoding import MAX_INTEGER, Json, canonical
from ledger.core.errors import FormatError
from ledger.statements.reading import read_model
from ledger.statements.terms import Agreement, Rules, from_version_1
from ledger.statements.terms.constraints import Measure, Membership, Ordering
from ledger.statements.terms.reading import OPERATORS, read_constraint
from tests.harness.agreements import atomic, duration, fixed_members, rule

LISTING = "sha256:" + "11" * 32
SEALED = {"sealed": "22" * 32}
MOMENT = {"@type": "xsd:dateTime", "@value": "2027-01-31T23:59:59Z"}
RESEARCH = atomic("purpose", "isA", "ResearchAndDevelopment")
GOOD = fixed_members(LISTING, "alice", "bob") | {
    "permission": [rule("use", RESEARCH, atomic("count", "lteq", 3), duty=[{"action": "inform"}]), rule("read")],
    "prohibition": [rule("train", {"or": [RESEARCH, {"and": [atomic("spatial", "eq", SEALED), SEALED]}]})],
    "obligation": [
        rule("delete", atomic("elapsedTime", "lteq", duration("P30D")), consequence=[rule("inform", SEALED)]),
        rule("attribute", atomic("dateTime", "lt", MOMENT), atomic("dateTime", "lt", SEALED)),
    ],
}


def refusal(document: Json) -> tuple[str, str]:
    with pytest.raises(FormatError) as caught:
        read_model(Agreement, document)
    return caught.value.reason, caught.value.field


def agreement(**rules: Json) -> dict[str, Json]:
    return fixed_members(LISTING, "alice", "bob") | rules


def right(left: str, operator: str) -> Json:
    """Return a right operand that fits."""
    one = {"dateTime": MOMENT, "elapsedTime": duration("PT0S"), "count": 0, "version": "1.2"}.get(left, "x")
    return [one] if operator in ("isAnyOf", "isAllOf", "isNoneOf") else one


def test_good_terms_are_read_and_written_again_as_they_were() -> None:
    terms = read_model(Agreement, deepcopy(GOOD))
    assert terms.document() == GOOD
    assert terms.misnamed(LISTING, "alice", "bob") is None
    assert terms.misnamed(LISTING, "bob", "alice") == "/assigner"
    assert terms.misnamed("sha256:" + "33" * 32, "alice", "carol") == "/target"
    assert terms.misnamed(LISTING, "alice", "carol") == "/assignee"


@pytest.mark.parametrize(
    ("member", "value", "reason"),
    [
        ("@context", "http://www.w3.org/ns/odrl.jsonld", "wrong-type"),
        ("@context", ["http://www.w3.org/ns/odrl.jsonld"], "wrong-value"),
        ("@type", "Offer", "wrong-value"),
        ("@type", ["Agreement"], "wrong-type"),
        ("uid", "no IRI", "wrong-value"),
        ("uid", "urn:a b", "wrong-value"),
        ("uid", "urn:" + "x" * 497, "wrong-value"),
        ("uid", 1, "wrong-type"),
        ("profile", "urn:provenance-ledger:odrl-profile:2", "wrong-value"),
        ("conflict", "perm", "wrong-value"),
        ("conflict", None, "wrong-type"),
        ("target", None, "wrong-type"),
        ("permission", [], "wrong-value"),
        ("permission", [rule("use")] * 101, "wrong-value"),
        ("permission", None, "wrong-type"),
        ("prohibition", {"action": "use"}, "wrong-type"),
        ("inheritFrom", "urn:x", "unknown-field"),
    ],
)
def test_a_member_that_does_not_fit(member: str, value: Json, reason: str) -> None:
    assert refusal(GOOD | {member: value}) == (reason, f"/{member}")


@pytest.mark.parametrize("member", sorted(set(GOOD) - {"permission", "prohibition", "obligation"}))
def test_a_member_that_is_missing(member: str) -> None:
    assert refusal({name: value for name, value in GOOD.items() if name != member}) == ("missing-field", f"/{member}")


def test_terms_have_a_rule() -> None:
    assert refusal(agreement()) == ("missing-field", "/permission")


@pytest.mark.parametrize(
    ("broken", "reason", "pointer"),
    [
        ("use", "wrong-type", ""),
        ({}, "missing-field", "/action"),
        ({"action": 7}, "wrong-type", "/action"),
        (rule("fly"), "unjudgeable-terms", ""),
        (rule("odrl:use"), "unjudgeable-terms", ""),
        (rule("use", uid="urn:x"), "unknown-field", "/uid"),
        (rule("use", duty=[]), "wrong-value", "/duty"),
        (rule("use", duty=[{"action": "read"}] * 21), "wrong-value", "/duty"),
        (rule("use", duty=[{"action": "fly"}]), "unjudgeable-terms", "/duty/0"),
        (rule("use", duty=[rule("read", RESEARCH)]), "unknown-field", "/duty/0/constraint"),
        (rule("use", constraint=[]), "wrong-value", "/constraint"),
        (rule("use", constraint=[RESEARCH] * 201), "wrong-value", "/constraint"),
        (rule("use", constraint=SEALED), "wrong-type", "/constraint"),
        (rule("use", constraint=None), "wrong-type", "/constraint"),
        (SEALED, "missing-field", "/action"),
    ],
)
def test_a_rule_that_does_not_fit(broken: Json, reason: str, pointer: str) -> None:
    found = refusal(agreement(permission=[rule("read"), broken]))
    assert found == (reason, f"/permission/1{pointer}")


@pytest.mark.parametrize(
    ("broken", "reason", "pointer"),
    [
        ("count lteq 3", "wrong-type", ""),
        ({}, "missing-field", "/leftOperand"),
        ({"leftOperand": "count", "operator": "eq"}, "missing-field", "/rightOperand"),
        (RESEARCH | {"unit": "x"}, "unknown-field", "/unit"),
        (atomic("count", "eq", 1) | {"leftOperand": 1}, "wrong-type", "/leftOperand"),
        (atomic("count", "eq", 1) | {"operator": ["eq"]}, "wrong-type", "/operator"),
        (atomic("payAmount", "eq", 1), "unjudgeable-terms", ""),
        (atomic("purpose", "lt", "x"), "unjudgeable-terms", ""),
        (atomic("purpose", "isAnyOf", "x"), "unjudgeable-terms", ""),
        (atomic("purpose", "eq", ["x"]), "unjudgeable-terms", ""),
        (atomic("purpose", "isAnyOf", ["x", 1]), "unjudgeable-terms", ""),
        (atomic("purpose", "isAnyOf", [SEALED]), "unjudgeable-terms", ""),
        (atomic("purpose", "eq", None), "unjudgeable-terms", ""),
        (atomic("purpose", "isAnyOf", []), "wrong-value", "/rightOperand"),
        (atomic("purpose", "isAnyOf", ["x"] * 201), "wrong-value", "/rightOperand"),
        (atomic("purpose", "isAnyOf", ["x", ""]), "wrong-value", "/rightOperand/1"),
        (atomic("purpose", "eq", "学" * 201), "wrong-value", "/rightOperand"),
        (atomic("purpose", "eq", "a\nb"), "wrong-value", "/rightOperand"),
        (atomic("count", "eq", -1), "unjudgeable-terms", ""),
        (atomic("count", "eq", True), "unjudgeable-terms", ""),
        (atomic("count", "eq", "1"), "unjudgeable-terms", ""),
        (atomic("count", "eq", MAX_INTEGER + 1), "unjudgeable-terms", ""),
        (atomic("dateTime", "eq", MOMENT["@value"]), "unjudgeable-terms", ""),
        (atomic("dateTime", "eq", duration("P1D")), "unjudgeable-terms", ""),
        (atomic("dateTime", "eq", MOMENT | {"@language": "en"}), "unjudgeable-terms", ""),
        (atomic("dateTime", "eq", {"@type": "xsd:dateTime", "@value": 1}), "unjudgeable-terms", ""),
        (atomic("version", "gt", "1.2-beta"), "unjudgeable-terms", ""),
        (atomic("count", "eq", {"sealed": "zz"}), "wrong-value", "/rightOperand/sealed"),
        ({"sealed": "22" * 33}, "wrong-value", "/sealed"),
        ({"sealed": 1}, "wrong-type", "/sealed"),
        (SEALED | {"operator": "eq"}, "unknown-field", "/operator"),
        ({"and": [RESEARCH]}, "wrong-value", "/and"),
        ({"or": [RESEARCH] * 21}, "wrong-value", "/or"),
        ({"xone": SEALED}, "wrong-type", "/xone"),
        ({"and": [RESEARCH] * 2, "or": [RESEARCH] * 2}, "unknown-field", "/or"),
        ({"xone": [RESEARCH, atomic("count", "isA", 1)]}, "unjudgeable-terms", "/xone/1"),
        ({"or": [{"and": [RESEARCH, {"andSequence": []}]}, RESEARCH]}, "missing-field", "/or/0/and/1/leftOperand"),
    ],
)
def test_a_constraint_that_does_not_fit(broken: Json, reason: str, pointer: str) -> None:
    found = refusal(agreement(prohibition=[rule("use", RESEARCH, broken)]))
    assert found == (reason, f"/prohibition/0/constraint/1{pointer}")


@pytest.mark.parametrize(
    "broken",
    [
        RESEARCH,
        atomic("count", "lteq", 1),
        atomic("dateTime", "gt", MOMENT),
        atomic("elapsedTime", "eq", SEALED),
        {"and": [atomic("dateTime", "lt", MOMENT)] * 2},
    ],
)
def test_a_deadline_is_a_moment_or_a_length_of_time_and_no_more(broken: Json) -> None:
    within = rule("inform", atomic("dateTime", "lt", MOMENT), broken)
    assert refusal(agreement(obligation=[within])) == ("unjudgeable-terms", "/obligation/0/constraint/1")
    nested = rule("delete", consequence=[rule("read"), within])
    found = refusal(agreement(obligation=[nested]))
    assert found == ("unjudgeable-terms", "/obligation/0/consequence/1/constraint/1")


def test_each_operand_has_its_operators_and_no_other() -> None:
    every = {operator for operators in OPERATORS.values() for operator in operators}
    assert len(OPERATORS) == 9
    assert len(every) == 11
    for left, operators in OPERATORS.items():
        for operator in every:
            document = atomic(left, operator, right(left, operator))
            if operator in operators:
                assert read_constraint(document).document == document
                assert read_constraint(atomic(left, operator, SEALED)).document["rightOperand"] == SEALED
            else:
                with pytest.raises(FormatError, match="unjudgeable-terms"):
                    read_constraint(document)
    numbers = {left for left, operators in OPERATORS.items() if operators == {"eq", "neq", "lt", "lteq", "gt", "gteq"}}
    assert numbers == {"count", "dateTime", "elapsedTime"}
    assert OPERATORS["version"] == every - {"isA", "isPartOf"}
    assert OPERATORS["recipient"] == {"eq", "neq", "isAnyOf", "isAllOf", "isNoneOf"}
    assert all(
        OPERATORS[left] == every - {"lt", "lteq", "gt", "gteq"}
        for left in ("purpose", "spatial", "industry", "product")
    )


def check_measure(left: str, kind: str, text: str, bound: int | None) -> None:
    """Check what a typed right operand is read as; with None that it is unjudgeable."""
    document = atomic(left, "eq", {"@type": f"xsd:{kind}", "@value": text})
    if bound is None:
        with pytest.raises(FormatError, match="unjudgeable-terms"):
            read_constraint(document)
    else:
        found = read_constraint(document)
        assert isinstance(found, Measure)
        assert found.bound == bound


@pytest.mark.parametrize(
    ("text", "time_ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.001Z", 1),
        ("2024-02-29T12:00:00Z", 1_709_208_000_000),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ("1969-12-31T23:59:59Z", None),
        ("10000-01-01T00:00:00Z", None),
        ("2027-02-29T00:00:00Z", None),
        ("2027-01-31T24:00:00Z", None),
        ("2027-01-31T23:60:00Z", None),
        ("2016-12-31T23:59:60Z", None),
        ("2027-01-31T23:59:59", None),
        ("2027-01-31T23:59:59+00:00", None),
        ("2027-01-31T23:59:59.1Z", None),
        ("2027-01-31T23:59:59.123456Z", None),
        ("2027-01-31 23:59:59Z", None),
        ("2027-01-31t23:59:59z", None),
        ("٢٠٢٧-01-31T23:59:59Z", None),
        ("2027-01-31T23:59:59Z\n", None),
    ],
)
def test_moments(text: str, time_ms: int | None) -> None:
    check_measure("dateTime", "dateTime", text, time_ms)


@pytest.mark.parametrize(
    ("text", "length_ms"),
    [
        ("P30D", 30 * 86_400_000),
        ("P999999DT999999H999999M999999S", 1000 * (999_999 * (86_400 + 3600 + 60 + 1))),
        ("PT0S", 0),
        ("P1DT1M", 86_460_000),
        ("P000001D", 86_400_000),
        ("P", None),
        ("PT", None),
        ("P1DT", None),
        ("P1M", None),
        ("P1Y", None),
        ("P1W", None),
        ("PT1.5S", None),
        ("-P1D", None),
        ("P1000000D", None),
        ("PT1M1H", None),
        ("P١D", None),
        ("p1d", None),
        ("P1D\n", None),
    ],
)
def test_lengths_of_time(text: str, length_ms: int | None) -> None:
    check_measure("elapsedTime", "duration", text, length_ms)


def test_versions_that_are_ordered_have_one_to_four_numbers() -> None:
    for text in ("0", "1.2.3.4", "999999999.0"):
        assert isinstance(read_constraint(atomic("version", "lt", text)), Ordering)
        assert isinstance(read_constraint(atomic("version", "eq", text)), Membership)
    for text in ("1.2.3.4.5", "v1", "1.", ".1", "1000000000", "1 ", "1٫2", "٣"):
        with pytest.raises(FormatError, match="unjudgeable-terms"):
            read_constraint(atomic("version", "lt", text))
        assert isinstance(read_constraint(atomic("version", "eq", text)), Membership)


def test_words_of_every_script_have_up_to_200_characters() -> None:
    for word in ("学术研究" * 50, "بحث علمي " * 22, "𝔘" * 200, "e\u0301", "\u202e"):
        document = agreement(permission=[rule("use", atomic("purpose", "isAnyOf", [word, "é"]))])
        terms = read_model(Agreement, document)
        assert canonical(terms.document()) == canonical(document)
        (constraint,) = terms.permissions[0].constraints
        assert isinstance(constraint, Membership)
        assert constraint.meets(word)
        assert constraint.meets("e\u0301") is (word == "e\u0301"), "code points are compared, nothing is normalised"


def test_two_hundred_constraints_fit() -> None:
    many = [atomic("purpose", "neq", f"目的{number}") for number in range(200)]
    terms = read_model(Agreement, agreement(permission=[rule("use", *many)]))
    assert len(terms.permissions[0].constraints) == 200


@pytest.mark.parametrize(
    ("constraints", "can_apply"),
    [
        ([atomic("count", "gt", 3), atomic("count", "lteq", 3)], False),
        ([atomic("count", "gt", 2), atomic("count", "lteq", 3)], True),
        ([atomic("count", "lt", 1)], False),
        ([atomic("count", "eq", 0)], False),
        ([atomic("elapsedTime", "lt", duration("PT0S"))], False),
        ([atomic("elapsedTime", "lteq", duration("PT0S"))], True),
        ([atomic("dateTime", "lt", {"@type": "xsd:dateTime", "@value": "1970-01-01T00:00:00Z"})], False),
        ([atomic("dateTime", "gt", MOMENT), atomic("dateTime", "lt", MOMENT)], False),
        ([atomic("count", "eq", 2), atomic("count", "eq", 3)], False),
        ([atomic("count", "lteq", 1), atomic("count", "neq", 1)], False),
        ([atomic("count", "lteq", 2), atomic("count", "neq", 1), atomic("count", "neq", 2)], True),
        ([atomic("count", "gt", 3), atomic("count", "lteq", SEALED)], True),
        ([atomic("count", "gt", 3), {"and": [atomic("count", "lt", 2), atomic("count", "lt", 3)]}], True),
        ([atomic("purpose", "eq", "a"), atomic("purpose", "eq", "b")], False),
        ([atomic("purpose", "eq", "a"), atomic("purpose", "eq", "a")], True),
        ([atomic("purpose", "eq", "Marketing"), atomic("purpose", "isA", "Advertising")], False),
        ([atomic("purpose", "eq", "Advertising"), atomic("purpose", "isNoneOf", ["Marketing"])], False),
        ([atomic("purpose", "eq", "Advertising"), atomic("spatial", "isNoneOf", ["Advertising"])], True),
        ([atomic("recipient", "eq", "bob"), atomic("recipient", "neq", "bob")], False),
        ([atomic("spatial", "isPartOf", "DE"), atomic("spatial", "isNoneOf", ["EU"])], False),
        ([atomic("spatial", "isPartOf", "EU"), atomic("spatial", "isNoneOf", ["DE"])], True),
        ([atomic("spatial", "isAnyOf", ["DE", "CH"]), atomic("spatial", "isNoneOf", ["EU"])], True),
        ([atomic("spatial", "isAnyOf", ["DE", "FR-75"]), atomic("spatial", "isNoneOf", ["CH", "EEA"])], False),
        ([atomic("version", "eq", "1"), atomic("version", "neq", "1")], True),
        ([atomic("version", "lt", "1"), atomic("version", "gt", "1")], True),
    ],
)
def test_a_rule_that_can_never_apply(constraints: list[Json], can_apply: bool) -> None:
    for member in ("permission", "prohibition"):
        document = agreement(
            obligation=[rule("inform")], **{member: [rule("use", RESEARCH), rule("read", *constraints)]}
        )
        if can_apply:
            read_model(Agreement, document)
        else:
            assert refusal(document) == ("contradictory-terms", f"/{member}/1")


@pytest.mark.parametrize(
    ("prohibition", "is_taken_away"),
    [
        (rule("derive"), True),
        (rule("use"), True),
        (rule("train"), False),
        (rule("use", atomic("purpose", "isA", "ResearchAndDevelopment")), True),
        (rule("use", atomic("purpose", "neq", "Marketing"), atomic("count", "lt", 9)), True),
        (rule("use", atomic("purpose", "isA", "CommercialResearch")), False),
        (rule("use", atomic("purpose", "isA", "ResearchAndDevelopment"), atomic("spatial", "eq", "CH")), False),
        (rule("use", {"or": [atomic("count", "lt", 2), atomic("count", "lt", 7)]}), True),
        (rule("use", SEALED), False),
        (rule("use", atomic("purpose", "isA", SEALED)), False),
    ],
)
def test_a_permission_that_a_prohibition_always_takes_away(prohibition: Json, is_taken_away: bool) -> None:
    permission = rule("derive", atomic("purpose", "eq", "AcademicResearch"), atomic("count", "lteq", 5))
    document = agreement(permission=[rule("transfer"), permission])
    document["prohibition"] = [rule("sell"), prohibition]
    if is_taken_away:
        assert refusal(document) == ("contradictory-terms", "/permission/1")
    else:
        read_model(Agreement, document)


def test_a_duty_that_is_forbidden() -> None:
    forbidden = {"prohibition": [rule("use", RESEARCH), rule("transfer")]}
    duty = rule("read", duty=[{"action": "inform"}, {"action": "sell"}])
    assert refusal(agreement(permission=[duty], **forbidden)) == ("contradictory-terms", "/permission/0/duty/1")
    owed = [rule("read"), rule("transfer")]
    assert refusal(agreement(obligation=owed, **forbidden)) == ("contradictory-terms", "/obligation/1")
    consequence = [rule("read", consequence=[rule("inform"), rule("inform", consequence=[rule("sell")])])]
    found = refusal(agreement(obligation=consequence, **forbidden))
    assert found == ("contradictory-terms", "/obligation/0/consequence/1/consequence/0")
    read_model(Agreement, agreement(obligation=[rule("read", consequence=[rule("delete")])], **forbidden))


def test_a_license_of_version_1_reads_as_one_permission() -> None:
    rules = from_version_1(["研究", "Marketing"])
    wanted: Any = {"permission": [rule("use", atomic("purpose", "isAnyOf", ["研究", "Marketing"]))]}
    assert rules.model_dump(exclude_none=True) == wanted
    assert isinstance(rules, Rules)


def test_the_schema_names_every_word() -> None:
    schema = Agreement.model_json_schema()
    assert schema["$defs"]["Permission"]["properties"]["action"]["enum"][-1] == "use"
    assert "@context" in schema["required"]
    atomic_form = schema["$defs"]["AtomicForm"]["properties"]
    assert sorted(OPERATORS) == atomic_form["leftOperand"]["enum"]
