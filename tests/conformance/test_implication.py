"""What follows from constraints (docs/terms.md §6.2): ledger and verifier are as certain of it as each other."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from random import Random
from typing import Any

import pytest

from ledger.core.encoding import Json
from ledger.statements.terms import Rules
from ledger.statements.terms import implies as ledger_implies
from tests.conformance.effort import rounds
from tests.conformance.random_terms import OPERATORS, TermsMaker, sealable
from tests.harness.agreements import rule
from tests.harness.sealing import member, steps
from verifier.terms.implication import Listed
from verifier.terms.implication import implies as verifier_implies
from verifier.terms.parsed import parse_terms

ROUNDS = 12_000
SEALED = {"sealed": "5e" * 32}


def seal_some(pick: Random, rules: dict[str, Json]) -> None:
    """Put a commitment in the place of one constraint or right operand."""
    *path, last = steps(pick.choice(sealable(rules)))
    container: Any = rules
    for name in path:
        container = member(container, name)
    container[int(last) if isinstance(container, list) else last] = dict(SEALED)


def lists(pick: Random, maker: TermsMaker) -> dict[str, Json]:
    """Return two rules; whether the list of the first implies that of the second is the question."""
    if pick.random() < 0.6:  # on one operand, so that something follows now and then
        left = pick.choice(list(OPERATORS))
        first, second = ([maker.atomic(left) for _ in range(pick.choice([1, 1, 2]))] for _ in range(2))
        words = ["and", "or", "xone"]
        if pick.random() < 0.3:
            first.append({pick.choice(words): [maker.atomic(left), maker.atomic(left)]})
        if pick.random() < 0.3:
            second.append({pick.choice(words): [maker.atomic(left), deepcopy(pick.choice(first))]})
    else:
        first = [maker.constraint() for _ in range(pick.choice([1, 2, 3]))]
        second = [maker.constraint()]
        if pick.random() < 0.5:
            second.append(deepcopy(pick.choice(first)))
    rules: dict[str, Json] = {"permission": [rule("use", *first), rule("use", *second)]}
    if pick.random() < 0.2:
        seal_some(pick, rules)
    return rules


@pytest.mark.parametrize("seed", range(2))
def test_implication(seed: int) -> None:
    pick = Random(seed)
    maker = TermsMaker(pick, ["alice.example", "bob.example"])
    said: Counter[str] = Counter()
    for _ in range(rounds(ROUNDS)):
        rules = lists(pick, maker)
        ours = Rules.model_validate(rules).permissions
        theirs = parse_terms(rules, "").permissions
        for number, conclusion in enumerate(ours[1].constraints):
            answer = ledger_implies(ours[0].constraints, conclusion).name
            other = verifier_implies(Listed(1, theirs[0].constraints), theirs[1].constraints[number], 2).truth.name
            assert answer == other, (rules, number)
            said[answer] += 1
    assert set(said) == {"TRUE", "FALSE", "UNKNOWN"}, said
    assert min(said.values()) > rounds(ROUNDS) / 100, said
