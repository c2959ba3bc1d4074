"""How long random tests run: PROVENANCE_TEST_EFFORT multiplies their rounds (1 by default)."""

from __future__ import annotations

import os

EFFORT = float(os.environ.get("PROVENANCE_TEST_EFFORT", "1"))


def rounds(count: int) -> int:
    """Return how many rounds to make of something of which `count` are enough for every day."""
    return max(1, round(count * EFFORT))
