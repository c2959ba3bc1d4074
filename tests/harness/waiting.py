"""Waiting for what a test needs to happen, however slow the machine is; never for time to pass."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

PATIENCE_S = 120.0
"""After so long it will not happen any more: no test takes a hundredth of it on a quiet machine."""
_LOOK_EVERY_S = 0.01


def wait_until(holds: Callable[[], object]) -> None:
    """Return when it holds; fail where it never does."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(_LOOK_EVERY_S)


async def until(holds: Callable[[], object | Awaitable[object]]) -> None:
    """Do the same on an event loop; what holds may be asked for by awaiting it."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        held = holds()
        if await held if isinstance(held, Awaitable) else held:
            return
        assert time.monotonic() < deadline, "it never came to that"
        await asyncio.sleep(_LOOK_EVERY_S)
