"""A progress bar on standard error, where that is a terminal."""

from __future__ import annotations

import sys
import time

_WIDTH_CHARS = 30
_EVERY_S = 0.1


class ProgressBar:
    """Shows how much is done; silent unless standard error is a terminal and nobody asked for quiet."""

    def __init__(self, what: str, *, is_quiet: bool) -> None:
        self._what = what
        self._shows = not is_quiet and sys.stderr.isatty()
        self._drawn_s = 0.0

    def update(self, done: int, total: int) -> None:
        """Show `done` of `total`, at most ten times a second."""
        now_s = time.monotonic()
        if not self._shows or (now_s - self._drawn_s < _EVERY_S and done < total):
            return
        self._drawn_s = now_s
        filled = _WIDTH_CHARS * done // max(total, 1)
        bar = "#" * filled + "-" * (_WIDTH_CHARS - filled)
        sys.stderr.write(f"\r{self._what} [{bar}] {done:,} of {total:,}")
        sys.stderr.flush()

    def close(self) -> None:
        """Clear the line."""
        if self._shows and self._drawn_s:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
