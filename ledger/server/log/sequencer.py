"""Stage two of the log, the only writer of it: accepts in order, chains, signs one checkpoint a batch, stores, answers.

Where so much waits that a statement finds no room, it is promised between two batches (`promising.py`), and is the
first of the next. A statement is read by the rules in force at its index: where a `ledger.rules_changed` comes between,
what follows it is read again, and judged by that.

If the process dies before the transaction ends, nothing of the batch was acknowledged, and the checkpoint over it was
shown to nobody. If it dies after, the entries are there, and resubmitting returns them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ledger.core.checkpoint import TreeHead
from ledger.core.entry import Entry
from ledger.registry.acceptance import Duplicate
from ledger.registry.facts import LEDGER_KEY, View
from ledger.registry.refusal import Refused
from ledger.server.log import promising
from ledger.server.log.drafting import Draft
from ledger.server.log.intake.intake import TOO_MANY, Intake
from ledger.server.log.intake.submission import Faulty, Inspected, Published, Waiting, fail
from ledger.server.log.promising import Promising
from ledger.server.log.publisher import Publisher
from ledger.server.log.recovery.published import PublishedCheckpoints, compare
from ledger.server.log.recovery.recovery import own_keys, recover
from ledger.server.log.refusing import Refusals
from ledger.server.log.state.errors import BusyError, UnavailableError
from ledger.server.log.state.frontier import Frontier
from ledger.server.log.state.standing import Standing
from ledger.server.store.contract import Batch, StoredCheckpoint, StoreError

MIN_FREE_BYTES = 64 * 1024 * 1024
_logger = logging.getLogger(__name__)


class Sequencer:
    """Its own state: the frontier of the tree, the newest durable state, and the greatest time that it signed."""

    def __init__(  # noqa: PLR0917 - the parts of one log, each once
        self,
        standing: Standing,
        intake: Intake,
        promises: Promising,
        publisher: Publisher,
        clock: Callable[[], int],
        elsewhere: PublishedCheckpoints | None,
    ) -> None:
        """Take from `intake`, and say in `standing` how the log stands; see `Log`."""
        self._standing = standing
        self._intake = intake
        self._promises = promises
        self._drafting = promises.drafting
        self._store = promises.drafting.store
        self._identity = promises.drafting.identity
        self._publisher = publisher
        self._clock = clock
        self._elsewhere = elsewhere
        self._frontier = Frontier()
        self.published: Published | None = None
        """The newest durable state."""
        self._said_ms = 0
        """The time of the newest promise or refusal: a clock that jumps back does not make an entry contradict it.

        It is durable, and no word of a later one may leave.
        """

    @property
    def size(self) -> int:
        """How many entries the log has."""
        return self._frontier.size

    async def recover(self) -> None:
        """Learn from the store itself how the log stands; raise IntegrityError if it does not check."""
        frontier, checkpoint = await recover(self._store, self._identity)
        if self._elsewhere is not None:
            keys = await own_keys(self._store, self._identity)
            await compare(self._store, keys, frontier.size, await self._elsewhere.shown())
        if checkpoint is not None:
            if self._elsewhere is not None:
                await self._elsewhere.keep(checkpoint.note)
            self._publisher.begin(self._publish(frontier, checkpoint), frontier.nodes)
        self._know(await self._store.view([LEDGER_KEY], []))

    async def take_up_promises(self) -> None:
        """Take up what was promised before a restart; raise StoreError."""
        self._said_ms = await self._store.signed_time_ms()
        await self._keep_said(await self._promises.load(self._intake.inspect))
        self._note_promises()

    async def run(self) -> None:
        """Sequence what is checked, batch by batch, for as long as the log runs."""
        while True:
            group = await self._intake.checked.get()
            groups = 1
            while not self._intake.checked.empty():
                group = group + self._intake.checked.get_nowait()
                groups += 1
            try:
                await self._sequence(group)
            except Exception as error:
                _logger.exception("a batch of %d statements failed", len(group))
                await self._after_failure(error)
                why = "storing failed; whether the statement is recorded is not known; resubmit"
                await self._put_off(group, UnavailableError(why))
            self._intake.forget(group)
            await self._promise_surplus()
            for _ in range(groups):
                self._intake.checked.task_done()

    async def keep_promises(self) -> None:
        """See to what was promised, or is to be, as soon as that is possible, whether or not anything else comes."""
        while True:
            is_due = self._promises.waiting or self._intake.surplus
            if is_due and self._intake.checked.empty() and not self._standing.is_stopping:
                await self._intake.checked.put([])
            await asyncio.sleep(promising.RETRY_S)

    async def _sequence(self, group: list[Inspected]) -> None:
        """Sequence a group; what comes after a change of the rules is read again, and sequenced after it."""
        if self._standing.failure is not None:
            raise UnavailableError(str(self._standing.failure))
        if await self._store.free_bytes() < MIN_FREE_BYTES:
            await self._put_off(group, UnavailableError("the ledger's disk is nearly full"))
            return
        await self._sequence_all([*self._promises.waiting, *group])
        await self._promises.settle()
        self._note_promises()
        self._promises.goes_on()

    async def _put_off(self, group: list[Inspected], why: UnavailableError) -> None:
        """Answer what cannot be recorded now: with a promise where this has lasted, else with `why`."""
        if self._promises.stalls():
            await self._promise(group)
        fail([item.posted for item in group], why)

    async def _promise_surplus(self) -> None:
        """Promise what found no room, and turn away the rest of it."""
        surplus = self._intake.take_surplus()
        if surplus:
            try:
                await self._promise(await self._intake.inspect(surplus))
            except Exception:
                _logger.exception("%d statements beyond the queue cannot be read", len(surplus))
            fail(surplus, BusyError(TOO_MANY))

    async def _promise(self, group: list[Inspected]) -> None:
        """Promise what can be promised; the rest stays unanswered."""
        good = [item for item in group if isinstance(item, Waiting) and not item.answer.done()]
        good = [item for item in good if item.in_force == self._standing.in_force]
        if self._standing.failure is not None:
            return
        try:
            time_ms = self._now(self._frontier)
            await self._keep_said(time_ms)
            await self._promises.promise(good, self._standing.ledger_id, self._frontier, time_ms)
            self._note_promises()
        except Exception:
            _logger.exception("nothing can be promised")

    def _now(self, frontier: Frontier) -> int:
        """Return the time of what is recorded or signed now, never below that of anything recorded or signed before."""
        return max(self._clock(), frontier.time_ms, self._said_ms)

    async def _sequence_all(self, group: list[Inspected]) -> None:
        while group:
            old = [item.posted for item in group if item.in_force != self._standing.in_force]
            if old:
                again = iter(await self._intake.inspect(old))
                group = [item if item.in_force == self._standing.in_force else next(again) for item in group]
            group = group[await self._sequence_part(group) :]

    async def _sequence_part(self, group: list[Inspected]) -> int:
        """Sequence up to and including what changes the rules; return how many were sequenced."""
        waiting = [item for item in group if isinstance(item, Waiting)]
        draft = await self._drafting.begin(self._frontier, waiting, self._now(self._frontier))
        accepted: list[tuple[Waiting, Entry]] = []
        duplicates: list[tuple[Waiting, int]] = []
        refusals = Refusals()
        faulty: list[Faulty] = []
        count = 0
        for item in group:
            if draft.changes_ledger:
                break
            count += 1
            if isinstance(item, Faulty):
                faulty.append(item)
                continue
            try:
                accepted.append((item, await draft.take(item)))
            except Duplicate as duplicate:
                duplicates.append((item, duplicate.index))
            except (Refused, UnavailableError) as error:
                refusals.take(item, error, draft)
        if accepted:
            await self._commit(draft)
            self._publisher.answer(accepted, self._frontier.nodes)
        await self._refuse(refusals, draft.time_ms)
        for item in faulty:
            fail([item.posted], item.fault)
        if duplicates:
            await self._publisher.answer_again(duplicates)
        return count

    async def _refuse(self, refusals: Refusals, time_ms: int) -> None:
        """Answer with refusals, the signed ones only once their time is durable."""
        try:
            if refusals.are_signed(self._standing.ledger_id):
                await self._keep_said(time_ms)
        except StoreError as error:
            _logger.warning("nothing can be refused: %s", error)
            refusals.give_up(UnavailableError("storing failed; resubmit"))
        refusals.tell(self._identity, self._standing.ledger_id, time_ms)

    async def _keep_said(self, time_ms: int) -> None:
        """Make durable that a word of this time may leave; raise StoreError.

        A clock that is ahead once, and right after a restart, would otherwise date an entry before a word that was
        signed already: it would convict an honest operator.
        """
        if time_ms > self._said_ms:
            await self._store.keep_signed_time(time_ms)
            self._said_ms = time_ms

    async def _commit(self, draft: Draft) -> None:
        frontier, view = draft.frontier, draft.view
        stored = StoredCheckpoint(frontier.size, frontier.time_ms, self._sign(frontier.head, frontier.time_ms, view))
        tiles = frontier.tiles_since(self._frontier.size)
        await self._store.append(Batch(draft.entries, list(view.changed.values()), tiles, stored, view.findings))
        if self._elsewhere is not None:
            await self._elsewhere.keep(stored.note)
        # A crash up to here leaves the log as it was; from here on the batch is durable and may be shown.
        self._publisher.publish(self._publish(frontier, stored))
        self._know(view)

    def _sign(self, head: TreeHead, time_ms: int, view: View) -> bytes:
        in_force = view.ledger.log_keys_in_force if view.ledger is not None else ()
        return self._identity.checkpoint(head, in_force, time_ms // 1000)

    async def _after_failure(self, error: Exception) -> None:
        """Learn from the store itself whether the batch is in it: the same path as at start-up."""
        try:
            await self.recover()
        except Exception as cause:  # noqa: BLE001 - if this task ended, those who wait would wait for ever
            _logger.critical("the log stops writing: %s", cause)
            self._standing.failure = error

    def _note_promises(self) -> None:
        self._standing.promises_changes = self._promises.changes_rules

    def _know(self, view: View) -> None:
        """Take over which ledger this is, and the rules in force on it."""
        self._standing.ledger_id = view.ledger.id if view.ledger is not None else ""
        self._standing.in_force = view.in_force

    def _publish(self, frontier: Frontier, checkpoint: StoredCheckpoint) -> Published:
        self._frontier = frontier
        self.published = Published(frontier.head, frontier.time_ms, checkpoint.note)
        return self.published
