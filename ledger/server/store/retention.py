"""Which checkpoints a store keeps: the newest, and the first of every minute (docs/http.md, `?size=`)."""

from __future__ import annotations

from collections.abc import Sequence

MINUTE_MS = 60_000


def superseded(newest_times_ms: Sequence[int]) -> bool:
    """Tell whether the newest of the kept checkpoints goes when a newer one comes.

    `newest_times_ms` are the times of the last two kept, oldest first. It goes if the one before is of the same minute.
    """
    minutes = [time // MINUTE_MS for time in newest_times_ms]
    return len(minutes) == 2 and minutes[0] == minutes[1]
