"""What keeps a score from showing where a file comes from (docs/marks.md §5, §9.4).

Pure: numbers in, the names of what is lacking out.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from verifier.bundle.score import CODE_CONTROLS_MILLIBITS

if TYPE_CHECKING:
    from verifier.bundle.marks import Seal
    from verifier.bundle.pool import PoolMarks

MAX_BOUND = Fraction(1, 1000)
"""Whoever is content to accuse more often falsely shows nothing."""
MIN_MARKS = 3
"""Fewer different marks travel by accident: in a support ticket, a single record that was sold, a wrong merge."""
NOT_OPENED, TOO_LOW, CONTROL, BEFORE = "marks-not-opened", "score-too-low", "controls-score-too", "examined-before"
BOUND_TOO_HIGH, TOO_FEW = "bound-too-high", "too-few-marks"
SINCE = frozenset({BOUND_TOO_HIGH, TOO_FEW})
"""What programs before this rule did not ask for: their evidence may call enough what lacks nothing else."""


def shortcomings(
    conclusion: dict[str, Any], controls: dict[str, Any], marks: Seal | PoolMarks, *, is_before: bool
) -> tuple[str, ...]:
    """Return what the marks of the hand-off are lacking, in order.

    `is_before`: the file was examined before the marks were sealed.
    """
    needed = conclusion["needed_millibits"]
    allowed = needed + (CODE_CONTROLS_MILLIBITS if marks.is_code else 0)
    asked = (
        (TOO_LOW, conclusion["score_millibits"] < needed),
        (CONTROL, controls.get("greatest_millibits", -1) >= allowed),
        (BEFORE, is_before),
        (BOUND_TOO_HIGH, Fraction(marks.bound) > MAX_BOUND),
        (TOO_FEW, marks.different < MIN_MARKS),
    )
    return tuple(name for name, is_lacking in asked if is_lacking)
