"""Promises: statements that keep every rule and cannot be recorded now (docs/format.md §18).

They are on the disk before the promise is signed, and go into the log, in the order of their promises and before
anything else, as soon as it can be written again; after a restart too. So nothing that comes in between can make one
of them refused: only their own time can run out.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from ledger.core.encoding import canonical, parse_json
from ledger.registry.acceptance import Duplicate
from ledger.registry.refusal import Refused
from ledger.server.log.drafting import Draft, Drafting
from ledger.server.log.intake.submission import Inspected, Posted, Waiting, fail
from ledger.server.log.state.errors import PromisedError, UnavailableError
from ledger.server.log.state.frontier import Frontier
from ledger.server.store.contract import Pending

STALL_S = 2.0
"""How long nothing could be written before anything is promised: what passes sooner is worth another try."""
RETRY_S = 1.0
"""How often it is tried to record what was promised."""
PROMISE_MS = 24 * 60 * 60 * 1000
"""From a promise to its deadline, unless the statement expires sooner."""
MIN_LIFE_MS = 60 * 60 * 1000
"""How long a statement must live to be promised: a stranger's that expires at once would break the promise for us."""
MARGIN_MS = 10 * 60 * 1000
"""How long it still lives at its deadline: the batch that holds it is dated no later."""
MAX_PROMISED = 1024
MIN_FREE_BYTES = 16 * 1024 * 1024
"""Free space below which nothing is promised either."""
_logger = logging.getLogger(__name__)


class Promising:
    """What was promised and is not recorded yet: `waiting`, in order."""

    def __init__(self, drafting: Drafting) -> None:
        """Nothing is promised before `load`."""
        self.waiting: list[Waiting] = []
        self.drafting = drafting
        self._store = drafting.store
        self._payloads: dict[str, bytes] = {}
        self._stalled_at: float | None = None

    async def load(self, read: Callable[[Sequence[Posted]], Awaitable[list[Inspected]]]) -> int:
        """Take up what was promised before a restart; return the time of the newest promise, 0 without one.

        Raises StoreError.
        """
        pending = await self._store.pending()
        loop = asyncio.get_running_loop()
        items = await read([Posted(item.raw, loop.create_future()) for item in pending])
        self.waiting = [item for item in items if isinstance(item, Waiting)]
        self._payloads = {item.statement_id: item.promise for item in pending}
        return max((parse_json(item.promise)["time"] for item in pending), default=0)

    def stalls(self) -> bool:
        """Note that nothing can be written now; tell whether that has been so for long."""
        now = time.monotonic()
        if self._stalled_at is None:
            self._stalled_at = now
        return now - self._stalled_at >= STALL_S

    def goes_on(self) -> None:
        """Note that the log can be written."""
        self._stalled_at = None

    def room(self) -> int:
        """Return how many more may be promised."""
        return MAX_PROMISED - len(self.waiting)

    @property
    def changes_rules(self) -> bool:
        """Tell whether a change of the rules is promised: what is read now may stand under other rules."""
        return any(item.may_change_rules for item in self.waiting)

    async def promise(self, items: Sequence[Waiting], ledger: str, frontier: Frontier, time_ms: int) -> None:
        """Keep what passes every check on the log with all that was promised before, then sign that it will be there.

        What is promised already gets the same promise; what does not pass stays unanswered. Raises StoreError,
        SignerError.
        """
        if not ledger or await self._store.free_bytes() < MIN_FREE_BYTES:
            return
        fresh = [item for item in items if not self._answers(item)]
        draft = await self.drafting.begin(frontier, [*self.waiting, *fresh], time_ms)
        for item in self.waiting:
            await _passes(draft, item)
        good: list[Waiting] = []
        for item in fresh:
            # Nobody knows yet by which rules what follows their change is to be read.
            if self.changes_rules or any(other.may_change_rules for other in good):
                break
            if len(self.waiting) + len(good) < MAX_PROMISED and await _passes(draft, item):
                good.append(item)
        payloads = {
            item.candidate.envelope.id: canonical(
                {
                    "deadline_ms": min(time_ms + PROMISE_MS, item.candidate.statement.not_after_ms - MARGIN_MS),
                    "ledger": ledger,
                    "root": frontier.head.root.hex(),
                    "size": frontier.size,
                    "statement_id": item.candidate.envelope.id,
                    "time": time_ms,
                    "type": "provenance-ledger.promise/v1",
                }
            )
            for item in good
        }
        raws = [item.candidate.envelope.recorded for item in good]
        await self._store.keep_pending(
            [Pending(name, raw, promise) for raw, (name, promise) in zip(raws, payloads.items(), strict=True)]
        )
        self._payloads |= payloads
        self.waiting += [_unanswered(item) for item in good]
        for item in fresh:
            self._answers(item)

    def _answers(self, item: Waiting) -> bool:
        """Answer a statement that is promised with its promise, each time the same; False for another."""
        payload = self._payloads.get(item.candidate.envelope.id)
        if payload is None:
            return False
        promise = self.drafting.identity.promise(parse_json(payload))
        fail([item.posted], PromisedError(item.candidate.envelope.id, promise))
        return True

    async def settle(self) -> None:
        """Forget what was recorded, and drop what was refused after all: that promise is broken. Raises StoreError."""
        left, broken = [], []
        for item in self.waiting:
            error = item.answer.exception() if item.answer.done() else None
            if isinstance(error, UnavailableError):
                left.append(_unanswered(item))
                continue
            name = item.candidate.envelope.id
            self._payloads.pop(name, None)
            if error is not None:
                _logger.critical("the promise to record %s is broken: %s", name, error)
                broken.append(name)
        self.waiting = left
        if broken:
            await self._store.drop_pending(broken)


async def _passes(draft: Draft, item: Waiting) -> bool:
    """Tell whether a statement that does not expire soon could be the next entry of the draft, and take it."""
    if item.candidate.statement.not_after_ms < draft.time_ms + MIN_LIFE_MS:
        return False
    try:
        await draft.take(item)
    except (Duplicate, Refused, UnavailableError):  # told when it can be: what is signed is on the log as it stands
        return False
    return True


def _unanswered(item: Waiting) -> Waiting:
    """Return the statement with an answer of its own, which nobody waits for."""
    return replace(item, posted=Posted(item.posted.raw, asyncio.get_running_loop().create_future()))
