"""Cosignatures on every checkpoint, from witnesses that are asked beside appending (docs/format.md §17.3).

One checkpoint at a time is the *target*: all witnesses that are free are asked for it at once. When the quorum has
cosigned it, it is stored with their lines and shown, and the newest checkpoint is the next target. A witness that is
still busy is left out of that one, so that a slow one holds up nobody; its line is added if it comes while its
checkpoint is still the one that is shown.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import aiohttp

from ledger.server.log.intake.submission import Published
from ledger.server.log.witnesses.asking import FIRST_REST_S, Prove, Unanswered, Witness
from ledger.server.log.witnesses.policy import WitnessPolicy

PATIENCE_S = 600.0
"""How long an older checkpoint with its quorum is shown before a newer one without."""
FIRST_S = 5.0
"""How long a start waits for the quorum on what is stored, before anybody is shown it without."""
PAUSE_S = 0.005
"""Shortest time between two targets: what waits meanwhile is witnessed together."""
HOLD_S = 0.5
"""Longest time for which a target is kept that needs nobody's cosignature."""
_logger = logging.getLogger(__name__)
Show = Callable[[Published, bool], Awaitable[None]]
"""Shows a checkpoint; where it has cosignatures, stores it with them before."""


@dataclass(eq=False)
class _Gathered:
    """A checkpoint, and the lines that witnesses gave for it, by their names in the policy."""

    plain: Published
    """Without those lines."""
    own: set[str]
    lines: dict[str, str]

    @property
    def size(self) -> int:
        return self.plain.head.size

    def published(self, witness_policy: WitnessPolicy) -> Published:
        """Return it with all lines, and whether they reach the quorum."""
        witnessed = witness_policy.asks_for_quorum and witness_policy.policy.is_satisfied(self.own | self.lines.keys())
        note = self.plain.checkpoint + "".join(self.lines.values()).encode()
        return replace(self.plain, checkpoint=note, witnessed=witnessed)


class Witnessing:
    """Asks; `offer` tells it of a newer checkpoint, and it shows what has been cosigned."""

    def __init__(self, witness_policy: WitnessPolicy, prove: Prove, show: Show, clock: Callable[[], int]) -> None:
        """`clock` returns Unix milliseconds."""
        self.witness_policy = witness_policy
        self.witnesses = [Witness(url, keys) for url, keys in witness_policy.addresses.items()]
        self._prove = prove
        self._show = show
        self._clock = clock
        self._busy: dict[Witness, tuple[_Gathered, asyncio.Task[None]]] = {}
        self._grown: set[_Gathered] = set()
        """What has lines that are not shown yet."""
        self._wake = asyncio.Event()
        self._witnessed = asyncio.Event()
        self._moved_at = 0.0
        """When, on the monotonic clock, what is shown was last the newest, or moved on."""
        self._target_at = 0.0
        self._newest: Published
        self._target: _Gathered
        self._shown: _Gathered
        self._session: aiohttp.ClientSession
        self._task: asyncio.Task[None] | None = None

    async def start(self, newest: Published) -> None:
        """Show the newest checkpoint, with the lines that are kept of it, and begin to ask.

        Waits for its quorum, where one is asked for, `FIRST_S` at most. Raises StoreError.
        """
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=False
        )
        self._newest = newest
        self._target = self._gather(newest)
        await self._publish(self._target)
        self._task = asyncio.create_task(self._run())
        if self.witness_policy.asks_for_quorum:
            try:
                await asyncio.wait_for(self._witnessed.wait(), FIRST_S)
            except TimeoutError:
                _logger.warning("no quorum of witnesses within %g s; going on without", FIRST_S)

    def offer(self, newest: Published) -> None:
        """Have a newer checkpoint witnessed, as soon as the target before it is done with."""
        if self._task is None:
            return
        if self._shown.size == self._newest.head.size:
            self._moved_at = time.monotonic()
        self._newest = newest
        self._wake.set()

    async def stop(self) -> None:
        """Ask nobody any more."""
        if self._task is None:
            return
        tasks = [self._task, *(task for _, task in self._busy.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._session.close()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._show_grown()
                wait_s = self._move_on()
            except Exception:  # whatever it was: the next checkpoints are to be witnessed all the same
                _logger.exception("a cosigned checkpoint could not be shown")
                wait_s = FIRST_REST_S
            try:
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            except TimeoutError:
                pass

    def _gather(self, published: Published) -> _Gathered:
        note, own, lines = self.witness_policy.split(published.checkpoint)
        return _Gathered(replace(published, checkpoint=note), own, lines)

    def _move_on(self) -> float | None:
        """Take the next target if this one is done with, and ask who is free; return when something is due, in s."""
        now, due = time.monotonic(), []
        if self._newest.head.size > self._target.size:
            is_done = self._is_done(now)
            if is_done and now >= self._target_at + PAUSE_S:
                self._target, self._target_at = self._gather(self._newest), now
                if not self.witness_policy.asks_for_quorum:  # it is shown at once, and lines are added as they come
                    self._grown.add(self._target)
                    self._wake.set()
            elif is_done:
                due.append(self._target_at + PAUSE_S)
            elif not self.witness_policy.asks_for_quorum:
                due.append(self._target_at + HOLD_S)
        for witness in self.witnesses:
            if witness in self._busy or witness.cosigned_size == self._target.size:
                continue
            if now < witness.free_at:
                due.append(witness.free_at)
            else:
                self._busy[witness] = self._target, asyncio.create_task(self._ask(witness, self._target))
        if self._target.size > self._shown.size:
            due.append(self._moved_at + PATIENCE_S)
        return max(0.0, min(due) - now) if due else None

    def _is_done(self, now: float) -> bool:
        """Tell whether nothing more is to be had for the target, or enough is."""
        is_enough = (
            self._target is self._shown if self.witness_policy.asks_for_quorum else now >= self._target_at + HOLD_S
        )
        return is_enough or all(target is not self._target for target, _ in self._busy.values())

    async def _ask(self, witness: Witness, target: _Gathered) -> None:
        try:
            lines = await witness.ask(self._session, target.plain, self._prove, self._clock())
        except Unanswered as why:
            witness.failed(why.outcome, why)
        except Exception as error:
            _logger.exception("asking witness %s failed", witness.label)
            witness.failed("failed", error)
        else:
            witness.succeeded()
            target.lines.update(lines)
            self._grown.add(target)
        finally:
            del self._busy[witness]
            self._wake.set()

    async def _show_grown(self) -> None:
        """Show what has further lines: what is shown already, and the target where it may be shown now."""
        grown, self._grown = self._grown, set()
        is_late = self._target.size > self._shown.size and time.monotonic() >= self._moved_at + PATIENCE_S
        if self._shown in grown:
            await self._publish(self._shown)
        elif is_late or (self._target in grown and self._may_show(self._target)):
            await self._publish(self._target)

    def _may_show(self, target: _Gathered) -> bool:
        return not self.witness_policy.asks_for_quorum or target.published(self.witness_policy).witnessed

    async def _publish(self, gathered: _Gathered) -> None:
        published = gathered.published(self.witness_policy)
        await self._show(published, bool(gathered.lines))
        self._shown, self._moved_at = gathered, time.monotonic()
        if published.witnessed:
            self._witnessed.set()
