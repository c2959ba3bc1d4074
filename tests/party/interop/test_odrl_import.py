"""Other people's ODRL, however it is spelt, becomes the same terms; what cannot be judged is refused by its place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ledger.core.encoding import Json
from ledger.core.errors import FormatError, LedgerError
from ledger.party.interop.errors import NotUnderstood, Unjudgeable
from ledger.party.interop.foreign import parse_foreign
from ledger.party.interop.odrl import Imported, import_rules, import_terms
from ledger.statements.reading import read_model
from ledger.statements.terms import Agreement
from tests.harness.agreements import atomic, duration, fixed_members, rule
from tests.party.interop.contexts import ODRL, URL

LISTING = "sha256:" + "a" * 64
PLACE = atomic("spatial", "isPartOf", "EU")


def imported(document: Json) -> Imported:
    """Import terms between alpha and beta, from bytes as a file has them."""
    found = import_terms(
        parse_foreign(json.dumps(document).encode()), listing=LISTING, licensor="alpha", licensee="beta"
    )
    read_model(Agreement, found.terms)
    return found


def policy(**members: Json) -> Json:
    """Return a policy in the spelling of ODRL's own examples."""
    return {"@context": URL, "@type": "Offer", "uid": "http://example.com/policy:1", **members}


def constraint(left: str, operator: str, right: Json) -> Json:
    """Return a policy that permits reading under one constraint."""
    return policy(permission=[rule("read", atomic(left, operator, right))])


EXPECTED = [
    {
        "action": "reproduce",
        "constraint": [PLACE, {"xone": [atomic("purpose", "eq", "AcademicResearch"), atomic("count", "lteq", 3)]}],
        "duty": [{"action": "attribute"}],
    }
]
DPV = "https://w3id.org/dpv#AcademicResearch"
COUNT = {"@type": "xsd:integer", "@value": "3"}
SPELLINGS: dict[str, Json] = {
    "as ODRL writes it": policy(
        permission=[
            {
                "action": "reproduce",
                "constraint": [
                    PLACE,
                    {"xone": {"@list": [atomic("purpose", "eq", {"@id": DPV}), atomic("count", "lteq", COUNT)]}},
                ],
                "duty": [{"action": "attribute"}],
            }
        ]
    ),
    "single objects, an action with its refinement": policy(
        permission={
            "action": [
                {
                    "rdf:value": {"@id": "odrl:reproduce"},
                    "refinement": {"xone": [atomic("purpose", "eq", DPV), atomic("count", "lteq", "3")]},
                }
            ],
            "constraint": PLACE,
            "duty": {"action": "attribute"},
        }
    ),
    "prefixes": {
        "@context": {"o": ODRL},
        "@type": "o:Set",
        "@id": "http://example.com/policy:1",
        "o:permission": {
            "o:action": {"@id": "o:reproduce"},
            "o:constraint": [
                {
                    "o:leftOperand": {"@id": "o:spatial"},
                    "o:operator": {"@id": "o:isPartOf"},
                    "o:rightOperand": {"@value": "EU"},
                },
                {
                    "o:xone": {
                        "@list": [
                            {
                                "o:leftOperand": {"@id": "o:purpose"},
                                "o:operator": {"@id": "o:eq"},
                                "o:rightOperand": {"@value": "AcademicResearch"},
                            },
                            {
                                "o:leftOperand": {"@id": "o:count"},
                                "o:operator": {"@id": "o:lteq"},
                                "o:rightOperand": {"@type": "http://www.w3.org/2001/XMLSchema#integer", "@value": 3},
                            },
                        ]
                    }
                },
            ],
            "o:duty": {"o:action": {"@id": "o:attribute"}},
        },
    },
    "expanded": [
        {
            "@id": "http://example.com/policy:1",
            "@type": [ODRL + "Agreement"],
            ODRL + "permission": [
                {
                    ODRL + "action": [{"@id": ODRL + "reproduce"}],
                    ODRL + "constraint": [
                        {
                            ODRL + "leftOperand": [{"@id": ODRL + "spatial"}],
                            ODRL + "operator": [{"@id": ODRL + "isPartOf"}],
                            ODRL + "rightOperand": [{"@value": "EU"}],
                        },
                        {
                            ODRL + "xone": [
                                {
                                    "@list": [
                                        {
                                            ODRL + "leftOperand": [{"@id": ODRL + "purpose"}],
                                            ODRL + "operator": [{"@id": ODRL + "eq"}],
                                            ODRL + "rightOperand": [{"@id": DPV}],
                                        },
                                        {
                                            ODRL + "leftOperand": [{"@id": ODRL + "count"}],
                                            ODRL + "operator": [{"@id": ODRL + "lteq"}],
                                            ODRL + "rightOperand": [{"@value": 3}],
                                        },
                                    ]
                                }
                            ]
                        },
                    ],
                    ODRL + "duty": [{ODRL + "action": [{"@id": ODRL + "attribute"}]}],
                }
            ],
        }
    ],
    "flattened": {
        "@context": {"@vocab": ODRL, "action": {"@type": "@vocab"}, "leftOperand": {"@type": "@vocab"}}
        | {"operator": {"@type": "@vocab"}, "xone": {"@container": "@list", "@type": "@id"}}
        | {"constraint": {"@type": "@id"}, "permission": {"@type": "@id"}, "duty": {"@type": "@id"}},
        "@graph": [
            {"@id": "_:d", "action": "attribute"},
            {"@id": "_:n", "leftOperand": "count", "operator": "lteq", "rightOperand": 3},
            {"@id": "http://example.com/policy:1", "@type": "Policy", "permission": "_:p"},
            {"@id": "_:w", "leftOperand": "purpose", "operator": "eq", "rightOperand": {"@id": DPV}},
            {"@id": "_:x", "xone": ["_:w", "_:n"]},
            {"@id": "_:s", "leftOperand": "spatial", "operator": "isPartOf", "rightOperand": "EU"},
            {"@id": "_:p", "action": "reproduce", "constraint": ["_:s", "_:x"], "duty": "_:d"},
        ],
    },
    "a connector's, with words where its context has no IRIs": {
        "@context": ["https://w3id.org/dspace/2025/1/context.jsonld"],
        "@id": "http://example.com/policy:1",
        "@type": "odrl:Agreement",
        "odrl:permission": {
            "odrl:action": "odrl:reproduce",
            "odrl:constraint": [
                {"odrl:leftOperand": "spatial", "odrl:operator": {"@id": "odrl:isPartOf"}, "odrl:rightOperand": "EU"},
                {
                    "odrl:xone": [
                        atomic("purpose", "eq", "AcademicResearch"),
                        {"leftOperand": "count", "odrl:operator": "lteq", "rightOperand": "3"},
                    ]
                },
            ],
            "odrl:duty": [{"odrl:action": "attribute"}],
        },
    },
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_one_policy_in_any_spelling_is_the_same_terms(spelling: str) -> None:
    terms = imported(SPELLINGS[spelling]).terms
    assert terms["permission"] == EXPECTED
    assert terms == fixed_members(LISTING, "alpha", "beta") | {
        "uid": "http://example.com/policy:1",
        "permission": EXPECTED,
    }


def test_our_own_terms_come_back_as_they_are_and_nothing_is_to_be_said() -> None:
    terms = fixed_members(LISTING, "alpha", "beta") | {
        "permission": [rule("train", {"or": [PLACE, atomic("industry", "neq", "64.19")]}, duty=[rule("inform")])],
        "prohibition": [rule("sell", atomic("recipient", "isNoneOf", ["beta"]))],
        "obligation": [
            rule("delete", atomic("elapsedTime", "lteq", duration("P30D")), consequence=[rule("inform")]),
        ],
    }
    found = imported(terms)
    assert found.terms == terms
    assert found.notes == []


def test_several_actions_are_several_rules_and_the_policys_own_serve_all() -> None:
    found = imported(policy(action="sell", permission=[{"action": ["read", "derive"]}], prohibition=[{}]))
    assert [one["action"] for one in found.terms["permission"]] == ["read", "derive"]
    assert found.terms["prohibition"] == [{"action": "sell"}]


@pytest.mark.parametrize(
    ("left", "operator", "right", "expected"),
    [
        ("dateTime", "lteq", "2027-12-31", ("lt", "2028-01-01T00:00:00Z")),
        ("dateTime", "gt", {"@type": "xsd:date", "@value": "2027-12-31"}, ("gteq", "2028-01-01T00:00:00Z")),
        ("dateTime", "lt", "2027-12-31T23:30:00+02:00", ("lt", "2027-12-31T21:30:00Z")),
        ("dateTime", "lteq", "2023-12-31T06:00Z", ("lteq", "2023-12-31T06:00:00Z")),
        ("dateTime", "eq", "2027-12-31T00:00:00.250Z", ("eq", "2027-12-31T00:00:00.250Z")),
        ("elapsedTime", "lteq", "P2W", ("lteq", "P14D")),
        ("elapsedTime", "lteq", "PT0012H", ("lteq", "PT12H")),
        ("count", "lt", "10.0", ("lt", 10)),
        ("spatial", "isAnyOf", "DE", ("isAnyOf", ["DE"])),
        ("spatial", "eq", "http://publications.europa.eu/resource/authority/country/FRA", ("eq", "FR")),
        ("recipient", "eq", "urn:provenance-ledger:party:beta", ("eq", "beta")),
        ("purpose", "eq", {"@language": "zh", "@value": "科研"}, ("eq", "科研")),
        ("purpose", "isA", {"@id": "https://example.com/purpose/x"}, ("isA", "https://example.com/purpose/x")),
    ],
)
def test_what_means_the_same_is_respelt(left: str, operator: str, right: Json, expected: tuple[str, Any]) -> None:
    (found,) = imported(constraint(left, operator, right)).terms["permission"][0]["constraint"]
    value = found["rightOperand"]
    assert (found["operator"], value["@value"] if isinstance(value, dict) else value) == expected


READ = {"action": "read"}
REFUSED: list[tuple[Json, str]] = [
    (policy(permission=[READ, rule("play")]), "/permission/1/action"),
    (policy(permission=[rule("http://example.com/mine")]), "/permission/0/action"),
    (constraint("language", "eq", "en"), "/permission/0/constraint/0/leftOperand"),
    (constraint("spatial", "hasPart", "DE"), "/permission/0/constraint/0/operator"),
    (constraint("spatial", "eq", ["DE", "FR"]), "/permission/0/constraint/0/rightOperand/0"),
    (constraint("spatial", "lt", "DE"), "/permission/0/constraint/0"),
    (constraint("count", "lt", "many"), "/permission/0/constraint/0/rightOperand"),
    (constraint("elapsedTime", "lt", "P1M"), "/permission/0/constraint/0/rightOperand"),
    (constraint("elapsedTime", "lt", "PT0.5S"), "/permission/0/constraint/0/rightOperand"),
    (constraint("dateTime", "eq", "2027-01-01"), "/permission/0/constraint/0/rightOperand"),
    (constraint("dateTime", "lt", "soon"), "/permission/0/constraint/0/rightOperand"),
    (constraint("dateTime", "lt", {"@id": "policyUsage"}), "/permission/0/constraint/0/rightOperand"),
    (policy(permission=[READ | {"constraint": [PLACE | {"unit": "EUR"}]}]), "/permission/0/constraint/0/unit"),
    (policy(permission=[READ | {"constraint": {"andSequence": [PLACE]}}]), "/permission/0/constraint/andSequence/0"),
    (policy(permission=[READ | {"constraint": {"@id": "http://example.com/C1"}}]), "/permission/0/constraint"),
    (policy(permission=[READ | {"duty": [rule("inform", PLACE)]}]), "/permission/0/duty/0"),
    (policy(prohibition=[READ | {"remedy": [rule("delete")]}]), "/prohibition/0/remedy/0"),
    (policy(obligation=[rule("delete", PLACE)]), "/obligation/0/constraint/0"),
    (policy(permission=[READ | {"target": ["http://a.example/1", "http://a.example/2"]}]), "/permission/0/target/1"),
    (
        policy(permission=[READ | {"assignee": {"@id": "urn:g", "refinement": [PLACE]}}]),
        "/permission/0/assignee",
    ),
    (policy(conflict="perm", permission=[READ]), "/conflict"),
    (policy(inheritFrom="http://example.com/parent", permission=[READ]), "/inheritFrom"),
    (policy(permission=[READ], prohibition=[rule("use")]), "/permission/0"),
    (policy(permission=[{}]), "/permission/0"),
    (
        policy(permission=[READ | {"constraint": {"uid": "urn:c", "and": [{"@id": "urn:c"}, PLACE]}}]),
        "/permission/0/constraint/and/0",
    ),
]


@pytest.mark.parametrize(("document", "place"), REFUSED, ids=[place for _, place in REFUSED])
def test_what_cannot_be_judged_is_refused_by_its_place(document: Json, place: str) -> None:
    with pytest.raises((Unjudgeable, FormatError)) as refused:
        imported(document)
    error: LedgerError = refused.value
    assert (error.pointer if isinstance(error, Unjudgeable) else vars(error)["field"]) == place


def test_what_is_left_out_is_named() -> None:
    document = policy(
        profile="http://example.com/profile",
        assigner="http://example.com/org/1",
        conflict="invalid",
        **{"dct:creator": "A Lawyer", "mine": 1},
        permission=[READ | {"uid": "http://example.com/rule/1", "constraint": atomic("dateTime", "lt", "2027-01-01")}],
    )
    document["@context"] = [URL, "https://example.com/own.jsonld", {"mine": None}]
    notes = {(note.pointer, note.name) for note in imported(document).notes}
    assert notes == {
        ("/@context/1", "https://example.com/own.jsonld"),
        ("/mine", "mine"),
        ("/profile", "profile"),
        ("/assigner", "assigner"),
        ("/conflict", "conflict"),
        ("/dct:creator", "dct:creator"),
        ("/permission/0", "uid"),
        ("/permission/0/constraint/rightOperand", "rightOperand"),
    }


def test_rules_alone_name_no_parties() -> None:
    assert import_rules(policy(permission=[READ])).terms == {
        "permission": [READ],
        "uid": "http://example.com/policy:1",
    }


@pytest.mark.parametrize(
    "raw",
    [
        b"[]",
        b'{"@type": "Offer"}',
        b"{",
        b'{"a": 1, "a": 2}',
        b'{"a": NaN}',
        b"\xff",
        b"[" * 100_000,
        json.dumps([policy(permission=[READ]), policy(permission=[READ])]).encode(),
    ],
)
def test_what_is_no_policy_is_said_to_be_none(raw: bytes) -> None:
    with pytest.raises(NotUnderstood):
        import_rules(parse_foreign(raw))


def test_clauses_that_multiply_without_end_are_refused() -> None:
    links = [{"@id": f"urn:{at}", "and": [{"@id": f"urn:{at + 1}"}, {"@id": f"urn:{at + 1}"}]} for at in range(18)]
    graph = [policy(permission=[READ | {"constraint": {"@id": "urn:0"}}]), *links, {"@id": "urn:18"} | PLACE]
    with pytest.raises(Unjudgeable, match="without end"):
        imported({"@context": URL, "@graph": graph})
