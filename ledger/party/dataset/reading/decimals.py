"""Numbers as exact decimals, from text to text (docs/format.md §15.3, *by value*): no float ever rounds one."""

from __future__ import annotations

import re

MAX_DECIMAL = 1000
"""The most characters that a number may have in a cell: `1e999999999` must not become a gigabyte."""

_NUMBER = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?", re.ASCII)
_MAX_EXPONENT_DIGITS = 9


def exact_decimal(text: str, limit: int = MAX_DECIMAL) -> str | None:
    """Return the decimal without exponent, superfluous zeros, or a point where nothing follows it; minus zero is `0`.

    `text` is an optional sign, ASCII digits, an optional fraction and exponent. None where the result would have more
    than `limit` characters. Raises ValueError for what is not a number.
    """
    match = _NUMBER.fullmatch(text)
    if match is None or not (match[2] or match[3]):
        raise ValueError(text[:40])
    sign, whole, fraction, exponent = match[1], match[2], match[3] or "", match[4] or "0"
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return "0"
    if len(exponent.lstrip("+-").lstrip("0")) > _MAX_EXPONENT_DIGITS:
        return None
    point = len(digits) - len(fraction) + int(exponent)  # how many of the digits stand before the point; may be < 0
    digits = digits.rstrip("0")
    minus = "-" if sign == "-" else ""
    zeros = max(-point, point - len(digits), 0)
    if len(minus) + len(digits) + zeros + (2 if point <= 0 else 1 if point < len(digits) else 0) > limit:
        return None
    if point <= 0:
        return f"{minus}0.{'0' * zeros}{digits}"
    if point >= len(digits):
        return f"{minus}{digits}{'0' * zeros}"
    return f"{minus}{digits[:point]}.{digits[point:]}"
