"""Bits of evidence, and how they are rounded (docs/marks.md §4, §5): s bits say "a chance of at most 2^−s"."""

from __future__ import annotations

import math

MAX_MILLIBITS = 2**31
_SLACK = 1e-6
"""Logarithms differ in their last digits from machine to machine: nobody shall be accused, or not, by that."""


def millibits(bits: float) -> int:
    """Return a score of `bits` ≥ 0 (infinity too) in thousandths, rounded down: 0 … 2^31."""
    scaled = 1000 * bits + _SLACK
    return MAX_MILLIBITS if scaled >= MAX_MILLIBITS else math.floor(scaled)


def share_millibits(recipients: int, bound: str) -> int:
    """Return what each of `recipients` has to reach so that together they are accused falsely at most by `bound`.

    `bound` is a decimal between 0 and 1. That is Bonferroni's correction: every one gets an equal share of the bound.
    """
    return math.ceil(1000 * (math.log2(recipients) - math.log2(float(bound))) - _SLACK)


def needed_millibits(threshold_millibits: int, recipients: int, bound: str, seals: int) -> int:
    """Return the score that is enough, `seals` ≥ 1 being how many the claimant could choose from (docs/marks.md §5)."""
    share = max(threshold_millibits, share_millibits(recipients, bound))
    return share + math.ceil(1000 * math.log2(seals) - _SLACK)
