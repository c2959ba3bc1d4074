"""Times in text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ledger.party.text import MAX_TIME_MS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def format_ms(time_ms: int) -> str:
    """Return a time in Unix milliseconds as RFC 3339, UTC; as a number of milliseconds past the year 9999."""
    if time_ms > MAX_TIME_MS:
        return f"{time_ms} ms after 1970"
    moment = _EPOCH + timedelta(milliseconds=time_ms)
    return moment.isoformat(timespec="milliseconds" if time_ms % 1000 else "seconds").replace("+00:00", "Z")
