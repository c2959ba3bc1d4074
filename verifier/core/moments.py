"""Moments: those that the command line names, and how far the clocks of those who sign may differ."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

from verifier.core.errors import UsageError
from verifier.core.jcs import MAX_INTEGER

MAX_CLOCK_DIFFERENCE_S = 300
"""How far a cosignature may be behind the newest entry (docs/format.md §10.6)."""
MAX_CLOCK_DIFFERENCE_MS = 1000 * MAX_CLOCK_DIFFERENCE_S
"""The same for times in milliseconds: how far ahead of its entry a statement may be issued (§9.12)."""
_FORM = "a moment like 2027-01-31, 2027-01-31T12:00:00Z, 1801396800000 (Unix milliseconds) or now"


def parse_moment(text: str) -> int:
    """Return a moment in Unix milliseconds: ISO 8601 with its time zone, a day (its first moment, UTC), or `now`.

    Raises `UsageError`.
    """
    if text == "now":
        return time.time_ns() // 1_000_000
    if re.fullmatch("[0-9]{5,16}", text):
        return _bounded(int(text), text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--as-of {text!a} is not {_FORM}") from None
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        moment = moment.replace(tzinfo=UTC)
    if moment.tzinfo is None:
        raise UsageError(f"--as-of {text!a} does not say in which time zone: write {text}Z for UTC")
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return _bounded((since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000, text)


def _bounded(time_ms: int, text: str) -> int:
    if not 0 <= time_ms <= MAX_INTEGER:
        raise UsageError(f"--as-of {text!a} is not between 1970 and the last moment that a ledger can name")
    return time_ms
