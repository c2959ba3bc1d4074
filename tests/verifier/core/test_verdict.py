"""Exit codes: what is worse goes first, of one verdict and of several."""

from __future__ import annotations

import itertools

import pytest

from verifier.core.verdict import FAILED, FINDINGS, UNKNOWN, VERIFIED, exit_code, worst

WORST_FIRST = [FAILED, UNKNOWN, FINDINGS, VERIFIED]


@pytest.mark.parametrize(("failures", "doubts", "findings"), [*itertools.product(([], ["one"]), repeat=3)])
def test_a_verdict_says_the_worst_of_it(failures: list[str], doubts: list[str], findings: list[str]) -> None:
    said = exit_code(failures, doubts, findings)
    assert said == (1 if failures else 3 if doubts else 4 if findings else 0)
    assert exit_code(failures, doubts) == (1 if failures else 3 if doubts else 0)


@pytest.mark.parametrize("codes", [*itertools.permutations(WORST_FIRST, 2)])
def test_several_verdicts_are_the_worst_of_them(codes: tuple[int, int]) -> None:
    assert WORST_FIRST.index(worst(codes)) == min(map(WORST_FIRST.index, codes))
    assert worst(iter(codes[:1])) == codes[0]
