"""Terms alone: ledger and verifier let in the same, and refuse the others for the same reason (docs/terms.md §1–§3)."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from random import Random

import pytest

from ledger.core.encoding import Json, canonical
from ledger.core.errors import FormatError
from ledger.statements.parse import NEWEST_RULES, parse_statement
from tests.conformance.effort import rounds
from tests.conformance.random_terms import TermsMaker, sealable
from tests.conformance.spoil_terms import spoil_terms
from tests.harness.agreements import fixed_members
from tests.harness.people import person
from tests.harness.sealing import seal
from tests.harness.speech import Speech
from verifier.core.errors import CheckFailed
from verifier.schema.entries import parse_statement as verifier_parse

ROUNDS = 1500
LEDGER, LISTING = "sha256:" + "1" * 64, "sha256:" + "2" * 64
ALICE, BOB = person("alice.example"), person("bob.example")
SPEECH = Speech(LEDGER, rules=NEWEST_RULES)


def agreement(rules: dict[str, Json], *sealed: str) -> bytes:
    """Return the payload of a license with these rules; `sealed` are pointers relative to its terms."""
    terms = fixed_members(LISTING, ALICE.name, BOB.name) | rules
    statement = SPEECH.license_agreed(ALICE, BOB, LISTING, terms=terms)
    seal(statement, *(f"/terms{pointer}" for pointer in sealed))
    return canonical(statement)


def ledger_says(payload: bytes) -> str:
    try:
        parse_statement(payload, 2)
    except FormatError as error:
        return error.reason
    return ""


def verifier_says(payload: bytes) -> str:
    try:
        verifier_parse(payload, 2)
    except CheckFailed as error:
        return error.failure.reason
    return ""


@pytest.mark.parametrize("seed", range(2))
def test_terms_in_order_or_contradictory(seed: int) -> None:
    """Random terms of the right form, sealed here and there: let in by both, or contradictory to both."""
    pick = Random(seed)
    maker = TermsMaker(pick, [ALICE.name, BOB.name])
    said: Counter[str] = Counter()
    for _ in range(rounds(ROUNDS)):
        rules = maker.rules() if pick.random() < 0.8 else maker.narrower(maker.rules())
        places = sealable(rules)
        pointer = [pick.choice(places)] if places and pick.random() < 0.3 else []
        payload = agreement(deepcopy(rules), *pointer)
        reason = ledger_says(payload)
        assert verifier_says(payload) == reason, (rules, pointer)
        said[reason] += 1
    assert set(said) == {"", "contradictory-terms"}, said
    assert min(said.values()) > rounds(ROUNDS) / 50, said


@pytest.mark.parametrize("seed", range(10, 12))
def test_terms_spoiled(seed: int) -> None:
    """Terms that were in order, and are spoiled in one place."""
    pick = Random(seed)
    maker = TermsMaker(pick, [ALICE.name, BOB.name])
    said: Counter[str] = Counter()
    while said.total() < rounds(ROUNDS):
        rules = maker.rules()
        if ledger_says(agreement(rules)):
            continue
        how = spoil_terms(pick, rules)
        try:
            payload = agreement(rules)
        except FormatError:
            continue  # no JSON: tests/conformance/test_acceptance.py spoils that
        reason = ledger_says(payload)
        assert verifier_says(payload) == reason, (how, rules)
        said[reason] += 1
    expected = {
        "",
        "contradictory-terms",
        "unjudgeable-terms",
        "missing-field",
        "unknown-field",
        "wrong-type",
        "wrong-value",
    }
    assert set(said) >= expected, said
