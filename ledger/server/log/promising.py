"""Promises: statements that keep every rule and cannot be recorded now (docs/format.md §18).

They are on the disk before the promise is signed, and go into the log, in the order of their promises and before
anything else, as soon as it can be written again; after a restart, too.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from ledger.core.checkpoint import TreeHead
from ledger.core.dsse import Envelope
from ledger.core.encoding import canonical, parse_json
from ledger.server.log.answers import Posted, Read, Waiting, fail
from ledger.server.log.errors import PromisedError, UnavailableError
from ledger.server.log.identity import Identity
from ledger.server.store.contract import Pending, Store

STALL_S = 2.0
"""How long nothing could be written before anything is promised: what passes sooner is worth another try."""
RETRY_S = 1.0
"""How often it is tried to record what was promised."""
PROMISE_MS = 24 * 60 * 60 * 1000
"""From a promise to its deadline, unless the statement expires sooner."""
MAX_PROMISED = 1024
MIN_FREE_BYTES = 16 * 1024 * 1024
"""Free space below which nothing is promised either."""
_logger = logging.getLogger(__name__)


class Promising:
    """What was promised and is not recorded yet: `waiting`, in order."""

    def __init__(self, store: Store, identity: Identity) -> None:
        """Nothing is promised before `load`."""
        self.waiting: list[Waiting] = []
        self._store = store
        self._identity = identity
        self._signed: dict[str, Envelope] = {}
        self._stalled_at: float | None = None

    async def load(self, read: Callable[[Sequence[Posted]], Awaitable[list[Read]]]) -> None:
        """Take up what was promised before a restart; raise StoreError."""
        pending = await self._store.pending()
        loop = asyncio.get_running_loop()
        items = await read([Posted(item.raw, loop.create_future()) for item in pending])
        self.waiting = [item for item in items if isinstance(item, Waiting)]
        self._signed = {item.statement_id: self._sign(item.promise) for item in pending}

    def stalls(self) -> bool:
        """Note that nothing can be written now; tell whether that has been so for long."""
        now = time.monotonic()
        if self._stalled_at is None:
            self._stalled_at = now
        return now - self._stalled_at >= STALL_S

    def goes_on(self) -> None:
        """Note that the log can be written."""
        self._stalled_at = None

    def answers_again(self, item: Waiting) -> bool:
        """Answer a statement that is promised already with the same promise; False for another."""
        promise = self._signed.get(item.candidate.envelope.id)
        if promise is None:
            return False
        fail([item.posted], PromisedError(item.candidate.envelope.id, promise))
        return True

    async def promise(self, items: Sequence[Waiting], ledger: str, head: TreeHead, time_ms: int) -> None:
        """Keep statements that passed every check, then sign that they will be recorded; raise StoreError."""
        items = [item for item in items if item.candidate.statement.not_after_ms > time_ms]
        pending = []
        for item in items:
            envelope = item.candidate.envelope
            payload = {
                "deadline_ms": min(time_ms + PROMISE_MS, item.candidate.statement.not_after_ms),
                "ledger": ledger,
                "root": head.root.hex(),
                "size": head.size,
                "statement_id": envelope.id,
                "time": time_ms,
                "type": "provenance-ledger.promise/v1",
            }
            pending.append(Pending(envelope.id, envelope.recorded, canonical(payload)))
        await self._store.keep_pending(pending)
        for item, kept in zip(items, pending, strict=True):
            self._signed[kept.statement_id] = self._sign(kept.promise)
            self.waiting.append(_unanswered(item))
            self.answers_again(item)

    async def settle(self) -> None:
        """Forget what was recorded, and drop what was refused after all: that promise is broken. Raises StoreError."""
        left, broken = [], []
        for item in self.waiting:
            error = item.answer.exception() if item.answer.done() else None
            if isinstance(error, UnavailableError):
                left.append(_unanswered(item))
                continue
            name = item.candidate.envelope.id
            self._signed.pop(name, None)
            if error is not None:
                _logger.critical("the promise to record %s is broken: %s", name, error)
                broken.append(name)
        self.waiting = left
        if broken:
            await self._store.drop_pending(broken)

    def _sign(self, payload: bytes) -> Envelope:
        return self._identity.promise(parse_json(payload))


def _unanswered(item: Waiting) -> Waiting:
    """Return the statement with an answer of its own, which nobody waits for."""
    return replace(item, posted=Posted(item.posted.raw, asyncio.get_running_loop().create_future()))
