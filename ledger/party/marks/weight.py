"""What scores and surprises stand for, in words: chances, likelihood ratios, ENFSI's scale (docs/marks.md §5). Pure."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from decimal import Decimal

from ledger.core.encoding import Json

MAX_BOUND = Decimal("0.001")
"""A sender that is content to accuse more often falsely shows nothing (docs/marks.md §5)."""
MIN_MARKS = 3
"""Fewer different marks may travel by accident: in a support ticket, a record that was sold, a wrong merge."""
CODE_CONTROLS_MILLIBITS = 9_966
"""log2 1,000, rounded up: so much above what is needed the greatest of a code's control names may be, by chance."""
_BILLION_MILLIBITS = 29_897
"""Nothing rarer is printed: people, software and custody err more often."""
SURPRISING_MILLIBITS = 20_000
"""What happens once in a million times is said, and then no ratio is given."""
_FROM = (1_000, 3_322, 6_644, 9_966, 13_288, 19_932)
_SUPPORT = (
    "no support",
    "weak support",
    "moderate support",
    "moderately strong support",
    "strong support",
    "very strong support",
    "extremely strong support",
)
"""ENFSI, Guideline for Evaluative Reporting (2015): from a likelihood ratio of 2, 10, 100, 1,000, 10,000, 1,000,000."""


def odds(millibits: int) -> str:
    """Return the chance that a score bounds, rounded so that it never claims too much, and never below a billionth."""
    if millibits < _FROM[0]:
        return "no better than one in two"
    if millibits > _BILLION_MILLIBITS:
        return "less than one in a billion; other errors are likelier"
    return f"at most one in {rounded_down(int(2 ** (millibits / 1000))):,}"


def ratio_millibits(conclusion: Mapping[str, Json], hypotheses: list[Json]) -> int | None:
    """Return log2 of the likelihood ratio: this copy against any other, or none; None where none can be given.

    That is a lower bound: score − log2(seals) − surprise − 1, for the tail that the surprise doubles bounds the chance
    of finding at least so many marks in a part of this copy.
    """
    if not hypotheses or "score_millibits" not in conclusion:
        return None
    surprise = int(hypotheses[0]["surprise_millibits"])
    if surprise >= SURPRISING_MILLIBITS:
        return None
    seals = math.ceil(1000 * math.log2(conclusion["seals"]) - 1e-6)
    return max(0, int(conclusion["score_millibits"]) - seals - surprise - 1000)


def factor(ratio: int) -> str:
    """Return how many times as probable a ratio of so many millibits says."""
    if ratio > _BILLION_MILLIBITS:
        return "more than a billion times"
    return f"at least {rounded_down(int(2 ** (ratio / 1000))):,} times"


def support(ratio: int) -> str:
    """Return the words of ENFSI's scale for a ratio of so many millibits."""
    return _SUPPORT[bisect_right(_FROM, ratio)]


def weighed(conclusion: Mapping[str, Json], hypotheses: list[Json]) -> str | None:
    """Return one sentence about how the explanations compare, None where no ratio can be given."""
    ratio = ratio_millibits(conclusion, hypotheses)
    if ratio is None:
        return None
    return (
        f"What was found is {factor(ratio)} as probable if the file derives from that copy as if it derives from "
        f"another one, or from none: {support(ratio)} for that copy (ENFSI's scale of 2015). How probable each was "
        "before is for the court."
    )


def undistinguished(recipient: str, sender: str) -> str:
    """Return the sentence that the marks name a copy, and nobody who held it."""
    return (
        f"The marks do not distinguish {recipient} from {sender}: whichever of them let the copy out, the file is the "
        "same (a likelihood ratio of 1)."
    )


def is_shared(found: int, drawn: int, others_found: int, others: int) -> bool:
    """Tell whether rows of a pool that were not drawn are found at least half as often as those that were."""
    return 2 * others_found * drawn > found * others > 0


def as_often(marks: Mapping[str, Json], method: str, compared: int, columns: int) -> str:
    """Return why marks that speak are not enough: rows that were not drawn do so nearly as often.

    `marks` is what evidence says of marks from a pool, canary or omission; `compared` of `columns` columns are left.
    """
    found, drawn, others_found, others = (int(marks[name]) for name in ("found", "drawn", "others_found", "others"))
    left = f"in the {compared:,} of {columns:,} columns that are left" if compared < columns else "in this file"
    often = "as often" if 10 * others_found * drawn >= 9 * found * others else "more than half as often"
    many = f"all {drawn:,}" if found == drawn else f"{found:,} of {drawn:,}"
    if method == "omission":
        return (
            f"{many} rows that were left out of this copy are lacking, but {left} such rows lack {often} that were "
            f"not left out ({others_found:,} of {others:,})"
        )
    return (
        f"{many} are there, but {left} such rows that were never planted stand there {often} "
        f"({others_found:,} of {others:,})"
    )


def rounded_down(number: int) -> int:
    """Return a number with its first three digits, and zeros behind them."""
    step = int(10 ** max(0, len(str(number)) - 3))
    return number // step * step
