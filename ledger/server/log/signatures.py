"""Ed25519 checks on all cores, off the event loop.

Processes and not threads: a check takes about 50 µs in C, and a thread that returns from it would wait up to 5 ms for
the interpreter lock whenever the event loop is busy, which is when it matters.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from ledger.core.keys import verify_ed25519
from ledger.server.log.errors import UnavailableError

Check = tuple[bytes, bytes, bytes]
"""Public key (32 bytes), message, signature (64 bytes)."""

_MIN_CHUNK = 16


class SignatureChecker:
    """A pool of worker processes, one a core; made anew if one of them dies."""

    def __init__(self) -> None:
        self._workers = os.cpu_count() or 1
        self._pool = self._make()

    async def check(self, checks: Sequence[Check]) -> list[bool]:
        """Return the verdicts in order; UnavailableError if the pool broke."""
        if not checks:
            return []
        size = max(_MIN_CHUNK, -(-len(checks) // self._workers))
        chunks = [checks[start : start + size] for start in range(0, len(checks), size)]
        loop = asyncio.get_running_loop()
        try:
            done = await asyncio.gather(*(loop.run_in_executor(self._pool, check_all, chunk) for chunk in chunks))
        except BrokenProcessPool as error:
            self._pool = self._make()
            raise UnavailableError("a signature worker died; resubmit") from error
        return [verdict for chunk in done for verdict in chunk]

    def close(self) -> None:
        """Stop the workers."""
        self._pool.shutdown()

    def _make(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._workers, context, initializer=_die_with, initargs=(os.getpid(),))


def check_all(checks: Sequence[Check]) -> list[bool]:
    """Return the verdict of each check (docs/format.md §3.4)."""
    return [verify_ed25519(raw, message, signature) for raw, message, signature in checks]


def _die_with(parent: int) -> None:
    """End this worker when its server was killed: an orphan would wait for work for ever."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
