"""Terms from options are terms that the ledger takes, and are said in words that leave nothing out."""

from __future__ import annotations

import pytest

from ledger.core.encoding import Json
from ledger.core.errors import FormatError
from ledger.party.acts.terms import Wishes, build, complete
from ledger.party.acts.terms_in_words import Clause, describe, say_constraint
from ledger.statements.reading import read_model
from ledger.statements.terms import Agreement

LISTING = "sha256:" + "1" * 64
UID = "urn:uuid:00000000-0000-4000-8000-000000000000"


def whole(rules: dict[str, Json]) -> dict[str, Json]:
    return complete(rules, listing=LISTING, licensor="alpha", licensee="beta", uid=UID)


FULL = Wishes(
    actions=["read", "derive"],
    purposes=["AcademicResearch", "teaching"],
    regions=["EU", "CH"],
    recipients=["gamma"],
    industries=["64.19"],
    products=["atlas"],
    versions=["1.2"],
    count=3,
    prohibited=["train", "grantUse"],
    delete_within="P30D",
)


@pytest.mark.parametrize(
    "wishes", [FULL, Wishes(), Wishes(prohibited=["sell"]), Wishes(actions=(), prohibited=["use"])]
)
def test_what_is_built_is_what_the_ledger_takes(wishes: Wishes) -> None:
    document = whole(build(wishes))
    agreement = read_model(Agreement, document)
    assert agreement.document() == document
    assert agreement.misnamed(LISTING, "alpha", "beta") is None


def test_every_wish_is_a_condition_of_every_permission() -> None:
    rules = build(FULL)
    assert [rule["action"] for rule in rules["permission"]] == ["read", "derive"]
    for rule in rules["permission"]:
        found = {item["leftOperand"]: (item["operator"], item["rightOperand"]) for item in rule["constraint"]}
        assert found == {
            "purpose": ("isAnyOf", ["AcademicResearch", "teaching"]),
            "spatial": ("isAnyOf", ["EU", "CH"]),
            "recipient": ("isAnyOf", ["gamma"]),
            "industry": ("isAnyOf", ["64.19"]),
            "product": ("isAnyOf", ["atlas"]),
            "version": ("isAnyOf", ["1.2"]),
            "count": ("lteq", 3),
        }
    assert rules["prohibition"] == [{"action": "train"}, {"action": "grantUse"}]
    (duty,) = rules["obligation"]
    assert duty["constraint"][0]["rightOperand"] == {"@type": "xsd:duration", "@value": "P30D"}


@pytest.mark.parametrize(
    ("wishes", "reason"),
    [
        (Wishes(delete_within="P1M"), "unjudgeable-terms"),
        (Wishes(actions=["fly"]), "unjudgeable-terms"),
        (Wishes(prohibited=["use"]), "contradictory-terms"),
        (Wishes(delete_within="P1D", prohibited=["delete"]), "contradictory-terms"),
        (Wishes(actions=()), "missing-field"),
    ],
)
def test_wishes_that_no_ledger_would_take_say_why(wishes: Wishes, reason: str) -> None:
    with pytest.raises(FormatError) as error:
        read_model(Agreement, whole(build(wishes)))
    assert error.value.reason == reason


def test_members_that_a_file_has_are_not_replaced() -> None:
    document = whole(
        build(Wishes()) | {"uid": "https://a.example/1", "assigner": "urn:provenance-ledger:party:mallory"}
    )
    assert document["uid"] == "https://a.example/1"
    assert read_model(Agreement, document).misnamed(LISTING, "alpha", "beta") == "/assigner"


def test_only_what_version_1_cannot_say_needs_version_2() -> None:
    assert Wishes(purposes=["x"]).needs_version_2 == []
    assert len(FULL.needs_version_2) == 9


def lines(clauses: list[Clause]) -> str:
    return "\n".join(" | ".join((clause.heading, *clause.conditions, *clause.notes)) for clause in clauses)


def test_the_words_name_every_action_value_and_deadline() -> None:
    words = lines(describe(whole(build(FULL))))
    for expected in (
        'may read it [read] | if the purpose is, or is within, one of: "AcademicResearch", "teaching"',
        'and the place is, or is within, one of: "EU", "CH"',
        "and the number of times is at most 3",
        "must never train models on it [train]",
        "must delete it [delete] | within P30D of the end of the license",
    ):
        assert expected in words
    assert "train" in lines(describe(whole(build(Wishes()))))


def atomic(left: str, operator: str, right: Json) -> dict[str, Json]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


MOMENT = {"@type": "xsd:dateTime", "@value": "2027-01-31T23:59:59Z"}
SEAL = {"sealed": "0" * 64}


@pytest.mark.parametrize(
    ("constraint", "words"),
    [
        (atomic("dateTime", "lt", MOMENT), "the moment is before 2027-01-31T23:59:59Z"),
        (
            atomic("elapsedTime", "gteq", {"@type": "xsd:duration", "@value": "P1D"}),
            "the time since the agreement is at least P1D",
        ),
        (atomic("purpose", "isNoneOf", ["a", "b"]), 'the purpose is not, nor within, any of: "a", "b"'),
        (atomic("version", "gt", "1.2"), 'the version of the dataset is more than "1.2"'),
        (
            {
                "or": [
                    atomic("recipient", "eq", "x"),
                    {"and": [atomic("count", "eq", 1), atomic("spatial", "isA", "DE")]},
                ]
            },
            (
                '(the recipient is exactly "x", or (the number of times is exactly 1, '
                'and the place is, or is a kind of, "DE"))'
            ),
        ),
    ],
)
def test_a_constraint_in_words(constraint: Json, words: str) -> None:
    assert say_constraint(constraint) == words


@pytest.mark.parametrize(
    "constraint", [SEAL, atomic("purpose", "isAnyOf", SEAL), {"and": [SEAL, atomic("count", "eq", 1)]}]
)
def test_what_is_sealed_is_said_to_be_unseen(constraint: Json) -> None:
    assert "SEALED" in say_constraint(constraint)


def test_duties_and_consequences_are_said_with_what_sets_them_off() -> None:
    within = [atomic("elapsedTime", "lteq", {"@type": "xsd:duration", "@value": "P7D"})]
    rules = {
        "permission": [{"action": "distribute", "duty": [{"action": "attribute"}]}],
        "prohibition": [{"action": "transfer", "constraint": [atomic("spatial", "neq", "DE")]}],
        "obligation": [
            {"action": "inform", "constraint": within, "consequence": [{"action": "delete"}]},
            {"action": "attribute"},
        ],
    }
    agreement = read_model(Agreement, whole(rules))
    words = lines(describe(agreement.document()))
    for expected in (
        "may pass it on [distribute] | if name its source [attribute] was done before, or with it",
        'must not transfer it to somebody else for good [transfer] | if the place is not "DE" | this includes: sell',
        "must inform the licensor of its use [inform] | within P7D of the agreement",
        "if that is not done in time, must delete it [delete] | at that deadline",
        "must name its source [attribute] | without a deadline",
    ):
        assert expected in words
