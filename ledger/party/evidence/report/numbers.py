"""Scores and bounds as people read them. Millibits are thousandths of a bit (docs/marks.md §2)."""

from __future__ import annotations

from decimal import Decimal

_EXACT_BITS = 50
"""Up to about 10^15; past it only the number of zeros says something."""


def bits(millibits: int) -> str:
    """Return a score in bits, with one decimal."""
    return f"{millibits / 1000:.1f}"


def odds(millibits: int) -> str:
    """Return the chance that a score stands for: `one in 1,040,000`, rounded so that it never claims too much."""
    if millibits < 1000:
        return "no better than one in two"
    whole = millibits // 1000
    if whole <= _EXACT_BITS:
        return f"less than one in {_rounded_down(int(2 ** (millibits / 1000))):,}"
    zeros = int(Decimal(millibits) / 1000 * Decimal(2).log10())
    return f"less than one in 10^{zeros} (a one followed by {zeros} zeros)"


def surprise(millibits: int) -> str:
    """Return what a surprise stands for; below three bits (one in eight) nobody is surprised."""
    return odds(millibits) if millibits >= 3000 else "not surprising"


def bound(text: str) -> str:
    """Return a false-accusation bound such as 0.000001 in words."""
    return f"one in {_rounded_down(int(1 / Decimal(text))):,} ({text})"


def milli(thousandths: int) -> str:
    """Return an expected number with at most one decimal."""
    return f"{thousandths / 1000:.1f}".removesuffix(".0")


def size(byte_count: int) -> str:
    """Return a number of bytes."""
    return f"{byte_count:,} bytes" if byte_count != 1 else "1 byte"


def _rounded_down(number: int) -> int:
    step = int(10 ** max(0, len(str(number)) - 3))
    return number // step * step
