"""What finding rows of a pool says, in bits (docs/marks.md §9.3, §9.4). Pure: from what was found to numbers.

Nothing is estimated: of the rows of a pool, those that were drawn and those that were not are alike in everything but
the draw, so that whatever stands in a file for another reason stands there for both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.party.marks.bits import share_millibits


def log2_of(number: int) -> float:
    """Return log2 of a positive integer of any size."""
    shift = max(0, number.bit_length() - 64)
    return math.log2(number >> shift) + shift


def tail_bits(drawn: int, others: int, drawn_hit: int, others_hit: int) -> float:
    """Return −log2 of the chance that of all that are hit, `drawn_hit` or more are drawn ones: ≥ 0.

    `drawn` and `others` are how many there are of each. Exact, in integers, up to the last logarithm.
    """
    hit, ways = drawn_hit + others_hit, 0
    term = math.comb(drawn, drawn_hit) * math.comb(others, others_hit)
    for count in range(drawn_hit, min(drawn, hit) + 1):
        ways += term
        # Each from the one before, exactly: with thousands of rows, binomials made anew would take minutes.
        term = term * (drawn - count) * (hit - count) // ((count + 1) * (others - hit + count + 1))
    return max(0.0, log2_of(math.comb(drawn + others, hit)) - log2_of(ways))


def paid_bits(alternatives: Sequence[int]) -> float:
    """Return what the choice of a mapping costs; `alternatives` are how many there were for each column."""
    return math.fsum(math.log2(1 + count) for count in alternatives)


@dataclass(frozen=True)
class DrawScores:
    """Bits of one hand-off's pool: before and after the mapping is paid for, and what was counted.

    `hit` of `drawn` marks, `others_hit` of `others` that were not drawn; of a code, `seen` positions and the greatest
    word of a control name.
    """

    bits: float
    paid: float
    drawn: int
    hit: int
    others: int = 0
    others_hit: int = 0
    seen: int = 0
    control: float | None = None

    @property
    def score(self) -> float:
        """The score, in bits."""
        return max(0.0, self.bits - self.paid)


def needed_for(recipients: int, bound: str, tries: int) -> int:
    """Return the score that is enough, in millibits (docs/marks.md §9.4)."""
    return share_millibits(recipients, bound) + math.ceil(1000 * math.log2(tries) - 1e-6)
