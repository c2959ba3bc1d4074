"""Words that every report is made of: text that is safe to print, and moments."""

from __future__ import annotations

from datetime import UTC, datetime

_MAX_TIME_S = 253_402_300_799
"""The last second of the year 9999."""


def escape(text: str) -> str:
    """Return `text` with everything that could move a cursor or reverse a line spelled out."""
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)


def quote(text: str) -> str:
    """Return what somebody wrote so that it cannot pass for words of this program."""
    return '"' + escape(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def format_time(time_ms: int | None) -> str:
    """Return Unix milliseconds in UTC, as far as the calendar goes; `?` for None."""
    if time_ms is None:
        return "?"
    if time_ms // 1000 > _MAX_TIME_S:
        return f"{time_ms} ms"
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
