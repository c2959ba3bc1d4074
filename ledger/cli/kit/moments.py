"""Moments as people write them: a date, a date and time, or a duration from now (ISO 8601)."""

from __future__ import annotations

import re

import typer

from ledger.cli.kit.home import parse_time
from ledger.core.encoding import MAX_INTEGER
from ledger.party.speaking.speaker import now_ms

MOMENT = "a date, a time (2026-12-31T12:00:00Z), or a duration from now (P30D, PT12H; -P7D is a week ago)"
"""How helps say what `parse_moment` takes."""

_SECOND_MS = 1000
_DURATION = re.compile(
    r"(?P<sign>[+-]?)P(?=[0-9T])"
    r"(?:(?P<weeks>[0-9]{1,6})W)?(?:(?P<days>[0-9]{1,6})D)?"
    r"(?:T(?=[0-9])(?:(?P<hours>[0-9]{1,6})H)?(?:(?P<minutes>[0-9]{1,6})M)?(?:(?P<seconds>[0-9]{1,6})S)?)?",
    re.ASCII,
)
_SECONDS = {"weeks": 604_800, "days": 86_400, "hours": 3600, "minutes": 60, "seconds": 1}


def parse_moment(text: str, option: str) -> int:
    """Return a moment in Unix milliseconds; raise typer.BadParameter, which says what is taken.

    Months and years have no fixed length, and are not durations here (docs/terms.md §3.1).
    """
    if not text.lstrip("+-").startswith("P"):
        return parse_time(text, option)
    match = _DURATION.fullmatch(text)
    if match is None:
        raise typer.BadParameter(f"{option}: {text!a} is not a duration like P30D, PT12H, P1DT6H or -P7D")
    seconds = sum(int(match[unit] or 0) * length for unit, length in _SECONDS.items())
    moment = now_ms() + (-seconds if match["sign"] == "-" else seconds) * _SECOND_MS
    if not 0 <= moment <= MAX_INTEGER:
        raise typer.BadParameter(f"{option}: {text!a} from now is before 1970, or later than can be written")
    return moment


def parse_moment_or_none(text: str | None, option: str) -> int | None:
    """Return the same, or None where the option was not given."""
    return parse_moment(text, option) if text is not None else None
