"""Terms as they are stored are ODRL: a real JSON-LD processor reads in them what ODRL means (docs/terms.md §1.1)."""

from __future__ import annotations

from typing import Any

import pytest
from rdflib import BNode, Graph, URIRef
from rdflib.collection import Collection

from ledger.core.encoding import Json
from ledger.party.interop.operands import LEFT_OPERANDS, OPERATORS
from ledger.statements.reading import read_model
from ledger.statements.terms import Agreement
from ledger.statements.vocabulary import COVERS, PROFILE
from tests.harness.agreements import atomic, duration, fixed_members, moment, rule
from tests.party.interop.contexts import ODRL, OLDER, PUBLISHED, expand, to_quads

EU, DE = atomic("spatial", "isPartOf", "EU"), atomic("spatial", "eq", "DE")


def agreed(**rules: Json) -> Json:
    """Return terms that the ledger accepts."""
    terms = fixed_members("sha256:" + "a" * 64, "alpha", "beta") | rules
    read_model(Agreement, terms)
    return terms


def permitted(document: Any) -> Any:
    """Return the first permission of an expanded agreement."""
    return document[0][ODRL + "permission"][0]


def test_the_fixed_members_are_odrls() -> None:
    (found,) = expand(agreed(permission=[rule("use")]))
    assert found["@type"] == [ODRL + "Agreement"]
    assert found["@id"] == "urn:example:agreement"
    assert found[ODRL + "profile"] == [{"@id": PROFILE}]
    assert found[ODRL + "conflict"] == [{"@id": ODRL + "prohibit"}]
    assert found[ODRL + "target"] == [{"@id": "urn:provenance-ledger:sha256:" + "a" * 64}]
    assert found[ODRL + "assigner"] == [{"@id": "urn:provenance-ledger:party:alpha"}]
    assert found[ODRL + "assignee"] == [{"@id": "urn:provenance-ledger:party:beta"}]


@pytest.mark.parametrize("action", sorted(COVERS))
def test_every_action_is_odrls_and_train_is_ours(action: str) -> None:
    expected = f"{PROFILE}#train" if action == "train" else ODRL + action
    assert permitted(expand(agreed(permission=[rule(action)])))[ODRL + "action"] == [{"@id": expected}]


@pytest.mark.parametrize("context", [PUBLISHED, OLDER], ids=["published", "older"])
def test_every_operand_and_operator_is_odrls_whichever_context_a_tool_ships(context: Any) -> None:
    for left in LEFT_OPERANDS:
        terms = fixed_members("sha256:" + "a" * 64, "alpha", "beta") | {
            "permission": [rule("use", *(atomic(left, operator, "x") for operator in sorted(OPERATORS)))]
        }
        for found, operator in zip(
            permitted(expand(terms, context))[ODRL + "constraint"], sorted(OPERATORS), strict=True
        ):
            assert found[ODRL + "leftOperand"] == [{"@id": ODRL + left}]
            assert found[ODRL + "operator"] == [{"@id": ODRL + operator}]


def test_logical_constraints_are_lists() -> None:
    terms = agreed(permission=[rule("use", {"xone": [{"and": [EU, DE]}, {"or": [DE, EU]}]})])
    graph = Graph()
    graph.parse(data=to_quads(terms), format="nt")
    (head,) = graph.objects(None, URIRef(ODRL + "xone"))
    members = list(Collection(graph, head))
    assert [next(iter(graph.predicates(member))) for member in members] == [URIRef(ODRL + "and"), URIRef(ODRL + "or")]
    (inner,) = graph.objects(members[0], URIRef(ODRL + "and"))
    operands = [graph.value(member, URIRef(ODRL + "rightOperand")) for member in Collection(graph, inner)]
    assert [str(operand) for operand in operands] == ["EU", "DE"]
    assert all(isinstance(member, BNode) for member in members)


def test_right_operands_keep_their_types() -> None:
    terms = agreed(
        permission=[
            rule(
                "use",
                atomic("dateTime", "lt", moment(1_800_000_000_123)),
                atomic("elapsedTime", "lteq", duration("P30D")),
                atomic("count", "lteq", 2**53 - 1),
                atomic("purpose", "isAnyOf", ["科研", "بحث"]),
            )
        ]
    )
    quads = to_quads(terms)
    for literal in (
        '"2027-01-15T08:00:00.123Z"^^<http://www.w3.org/2001/XMLSchema#dateTime>',
        '"P30D"^^<http://www.w3.org/2001/XMLSchema#duration>',
        '"9007199254740991"^^<http://www.w3.org/2001/XMLSchema#integer>',
        '"科研"',
        '"بحث"',
    ):
        assert literal in quads


def test_a_seal_stays_to_be_seen() -> None:
    seals = [{"sealed": "ab" * 32}, {"sealed": "cd" * 32}]
    quads = to_quads(agreed(permission=[rule("use", seals[0], atomic("purpose", "isA", seals[1]))]))
    for seal in seals:
        assert f'<{PROFILE}#sealed> "{seal["sealed"]}"' in quads


def test_duties_and_consequences_hang_where_odrl_wants_them() -> None:
    late = rule("delete", atomic("elapsedTime", "lteq", duration("P30D")), consequence=[rule("inform")])
    (found,) = expand(agreed(permission=[rule("use", duty=[rule("attribute")])], obligation=[late]))
    assert permitted([found])[ODRL + "duty"] == [{ODRL + "action": [{"@id": ODRL + "attribute"}]}]
    consequence = found[ODRL + "obligation"][0][ODRL + "consequence"]
    assert consequence == [{ODRL + "action": [{"@id": ODRL + "inform"}]}]
