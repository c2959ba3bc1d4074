"""How much what was found weighs: chances, a likelihood ratio, and the words for them (docs/marks.md §5).

Pure, and from numbers as the evidence writes them, so that every program says the same.
"""

from __future__ import annotations

from math import ceil, log2
from typing import Any

MOST_MILLIBITS = 29_897
"""log2 of a billion: nothing rarer is printed, for people, software and custody err more often."""
SURPRISING_MILLIBITS = 20_000
"""What happens once in a million times is said, and no ratio is given."""
SCALE = (
    (19_932, "extremely strong support"),
    (13_288, "very strong support"),
    (9_966, "strong support"),
    (6_644, "moderately strong support"),
    (3_322, "moderate support"),
    (1_000, "weak support"),
    (0, "no support"),
)
"""For likelihood ratios from 1,000,000, 10,000, 1,000, 100, 10 and 2 on: ENFSI, evaluative reporting, 2015."""


def odds(millibits: int) -> str:
    """Return the chance that a score bounds, in words: never rarer than one in a billion."""
    if millibits < SCALE[-2][0]:
        return "no better than one in two"
    if millibits > MOST_MILLIBITS:
        return "less than one in a billion; other errors are likelier"
    return f"at most one in {_rounded_down(int(2 ** (millibits / 1000))):,}"


def ratio_millibits(evidence: dict[str, Any]) -> int | None:
    """Return log2 of the likelihood ratio, this copy against another or none; None where none can be given.

    At least so much: the chance of finding so many marks in a part of this copy is at least half of what the surprise
    of `recipient` says, and a file that owes nothing to this copy scores so high with a chance of at most 2^-score.
    """
    ended, first = evidence["conclusion"], evidence["hypotheses"][:1]
    if not first or first[0]["surprise_millibits"] >= SURPRISING_MILLIBITS:
        return None
    picked = ceil(1000 * log2(ended["seals"]) - 1e-6)
    return max(0, int(ended["score_millibits"]) - picked - int(first[0]["surprise_millibits"]) - 1000)


def factor(ratio: int) -> str:
    """Return how many times as probable a ratio of so many millibits says, in words: never more than a billion."""
    if ratio > MOST_MILLIBITS:
        return "more than a billion times"
    return f"at least {_rounded_down(int(2 ** (ratio / 1000))):,} times"


def support(ratio: int) -> str:
    """Return the words of ENFSI's scale for a ratio of so many millibits."""
    return next(words for least, words in SCALE if ratio >= least)


def _rounded_down(number: int) -> int:
    step = int(10 ** max(0, len(str(number)) - 3))
    return number // step * step
