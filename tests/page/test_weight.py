"""Chances, ratios and the words for them are the same in three programs, each from docs/marks.md §5."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.party.marks import weight as of_the_ledger
from tests.page.browser import Opened
from verifier.bundle import weight as of_the_verifier

MILLIBITS = [0, 999, 1_000, 3_321, 3_322, 6_643, 6_644, 9_965, 9_966, 13_288, 19_931, 19_932, 29_897, 29_898, 2**31]


@given(st.integers(0, 40_000), st.integers(1, 50), st.integers(0, 25_000))
def test_ledger_and_verifier_weigh_alike(score: int, seals: int, surprise: int) -> None:
    ended = {"is_enough": True, "needed_millibits": 1, "score_millibits": score, "seals": seals}
    hypotheses = [{"surprise_millibits": surprise}]
    ratio = of_the_verifier.ratio_millibits({"conclusion": ended, "hypotheses": hypotheses})
    assert of_the_ledger.ratio_millibits(ended, hypotheses) == ratio
    assert (ratio is None) == (surprise >= 20_000)
    for millibits in (score, ratio or 0):
        for name in ("odds", "factor", "support"):
            assert getattr(of_the_ledger, name)(millibits) == getattr(of_the_verifier, name)(millibits)


@given(st.integers(29_898, 2**31))
def test_nothing_rarer_than_one_in_a_billion_is_printed(millibits: int) -> None:
    for program in (of_the_ledger, of_the_verifier):
        assert program.odds(millibits) == "less than one in a billion; other errors are likelier"
        assert program.factor(millibits) == "more than a billion times"


@pytest.mark.parametrize("millibits", MILLIBITS)
def test_the_page_has_the_same_words(page: Opened, millibits: int) -> None:
    words = page.call(
        "const {oddsOf, factorOf, supportOf, TEXTS} = parts;"
        "const say = ([key, values = {}]) => TEXTS[key][0].replace('{n}', values.n);"
        "return [say(oddsOf(argument)), say(factorOf(argument)), TEXTS[`support${supportOf(argument)}`][0]];",
        millibits,
    )
    program = of_the_verifier
    assert words == [program.odds(millibits), program.factor(millibits), program.support(millibits)]
