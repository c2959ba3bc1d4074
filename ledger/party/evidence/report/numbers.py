"""Scores and bounds as people read them. Millibits are thousandths of a bit (docs/marks.md §2)."""

from __future__ import annotations

from decimal import Decimal

from ledger.party.marks.weight import odds, rounded_down


def bits(millibits: int) -> str:
    """Return a score in bits, with one decimal."""
    return f"{millibits / 1000:.1f}"


def surprise(millibits: int) -> str:
    """Return what a surprise stands for; below three bits (one in eight) nobody is surprised."""
    return odds(millibits) if millibits >= 3000 else "not surprising"


def bound(text: str) -> str:
    """Return a false-accusation bound such as 0.000001 in words."""
    return f"one in {rounded_down(int(1 / Decimal(text))):,} ({text})"


def milli(thousandths: int) -> str:
    """Return an expected number with at most one decimal."""
    return f"{thousandths / 1000:.1f}".removesuffix(".0")


def size(byte_count: int) -> str:
    """Return a number of bytes."""
    return f"{byte_count:,} bytes" if byte_count != 1 else "1 byte"
