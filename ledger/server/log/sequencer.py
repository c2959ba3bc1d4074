"""The sequencer: the only writer of the log.

A statement goes: `submit` queues its bytes → `_check` takes what waits and has it checked (`checking.py`, on all cores)
→ `_sequence` accepts in order, chains, hashes, signs one checkpoint over the batch, stores all of it in one
transaction, and only then answers. The two stages overlap, so that one batch's signatures are checked while the one
before is written; nothing else runs at the same time as the second. Where so much waits that a statement finds no room,
it is promised between two batches (`promising.py`), and is the first of the next.

A statement is read by the rules in force at its index. Stage one reads by those that are in force when it looks; where
a `ledger.rules_changed` comes between, stage two has what follows read again, and judges that.

If the process dies before the transaction ends, nothing of the batch was acknowledged, and the checkpoint over it was
shown to nobody. If it dies after, the entries are there, and resubmitting returns them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from ledger.core.checkpoint import TreeHead
from ledger.core.entry import Entry
from ledger.core.errors import FormatError
from ledger.core.merkle import consistency_ranges, inclusion_ranges, nodes_of, prove
from ledger.registry.acceptance import Duplicate
from ledger.registry.facts import LEDGER_KEY, View
from ledger.registry.refusal import Refused
from ledger.server.log import promising
from ledger.server.log.drafting import Draft, Drafting
from ledger.server.log.intake.answers import Faulty, Posted, Published, Read, Recorded, Waiting, fail
from ledger.server.log.intake.checking import Checker
from ledger.server.log.intake.workers import Workers
from ledger.server.log.recovery.outside import Outside, compare
from ledger.server.log.recovery.rebuilding import rebuild_if_needed
from ledger.server.log.recovery.recovery import own_keys, recover, require_keys
from ledger.server.log.refusing import Refusals
from ledger.server.log.showing import Showing
from ledger.server.log.state.errors import BusyError, UnavailableError
from ledger.server.log.state.identity import Identity
from ledger.server.log.state.tail import Tail
from ledger.server.log.witnesses.panel import Panel
from ledger.server.store.contract import Batch, Store, StoredCheckpoint

MAX_WAITING = 4096
"""Statements that may wait to be sequenced; past that `submit` gets a promise and `submit_waiting` waits."""

MAX_BATCH = 512
MIN_FREE_BYTES = 64 * 1024 * 1024
_MAX_CHECKED = 8
_TOO_MANY = "more statements are waiting than may wait"

__all__ = ["MAX_WAITING", "Log", "Published", "Recorded"]
_logger = logging.getLogger(__name__)


class Log:
    """One log. `start` it, `submit` to it, `stop` it; `published` is what readers may see."""

    def __init__(
        self,
        store: Store,
        identity: Identity,
        workers: Workers,
        clock: Callable[[], int],
        outside: Outside | None = None,
        *,
        panel: Panel | None = None,
    ) -> None:
        """`clock` returns Unix milliseconds; a clock that jumps back does not make the log's time go back.

        `outside` keeps what was shown where a restored database does not reach; `panel` says which witnesses are asked
        to cosign, and whether answers wait for them.
        """
        self.store = store
        self.identity = identity
        self.ledger_id = ""
        self.published: Published | None = None
        """The newest durable state."""
        self.failure: Exception | None = None
        self._checker = Checker(store, workers)
        self._clock = clock
        self._outside = outside
        self.showing = Showing(store, panel, self._prove_growth, clock)
        self._drafting = Drafting(store, identity)
        self.promising = promising.Promising(self._drafting)
        self._said_ms = 0
        """The time of the newest promise or refusal: a clock that jumps back does not make an entry contradict it."""
        self._tail = Tail()
        self._waiting: asyncio.Queue[Posted] = asyncio.Queue(MAX_WAITING)
        self._surplus: list[Posted] = []
        """What found no room among those that wait: it is promised between two batches."""
        self._checked: asyncio.Queue[list[Read]] = asyncio.Queue(_MAX_CHECKED)
        self.in_force = View().in_force
        self._changes_under_way = 0
        """How many statements that may change the rules are read and not sequenced yet."""

        self._tasks: list[asyncio.Task[None]] = []
        self.stopping = False

    async def start(self) -> None:
        """Recover the stored log and begin to take statements; raise IntegrityError if it does not check."""
        await self._recover()
        if await rebuild_if_needed(self.store, self._tail.size):
            await self._recover()
        ledger = (await self.store.view([LEDGER_KEY], [])).ledger
        if ledger is not None:
            require_keys(self.identity, ledger)
        await self.showing.start()
        self._said_ms = await self.promising.load(self._read)
        work = (self._check_forever(), self._sequence_forever(), self._keep_promises())
        self._tasks = [asyncio.create_task(one) for one in work]

    async def stop(self) -> None:
        """Take no more work, finish what waits, and end."""
        self.stopping = True
        await self._waiting.join()
        await self._checked.join()
        fail(self._surplus, UnavailableError("the ledger is stopping"))
        await self.showing.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def waiting_count(self) -> int:
        """How many statements wait."""
        return self._waiting.qsize()

    async def submit(self, raw: bytes) -> Recorded:
        """Record one posted envelope and return when it is durable.

        Raises FormatError, Refused, SignedRefusalError, UnavailableError; PromisedError if it is not in the log yet,
        and will be; BusyError where too much waits, and it cannot be promised.
        """
        posted = self._posted(raw)
        try:
            self._waiting.put_nowait(posted)
        except asyncio.QueueFull as error:
            if len(self._surplus) + len(self.promising.waiting) >= promising.MAX_PROMISED:
                raise BusyError(_TOO_MANY) from error
            self._surplus.append(posted)
        return await posted.answer

    async def submit_waiting(self, raw: bytes) -> asyncio.Future[Recorded]:
        """Queue one posted envelope, waiting for room, and return its answer to come; raise UnavailableError."""
        posted = self._posted(raw)
        await self._waiting.put(posted)
        return posted.answer

    @property
    def shown(self) -> Published | None:
        """What readers are shown: the newest durable state or, with witnesses, the newest that they cosigned."""
        return self.showing.shown

    async def path(self, index: int, size: int) -> list[bytes]:
        """Return the inclusion path of an entry in the published tree of `size`: one read a tile, no linear work."""
        ranges = inclusion_ranges(index, size)
        return prove(ranges, await self.store.nodes(nodes_of(ranges)))

    async def _prove_growth(self, old: int, new: int) -> list[bytes]:
        ranges = consistency_ranges(old, new)
        return prove(ranges, await self.store.nodes(nodes_of(ranges)))

    def _posted(self, raw: bytes) -> Posted:
        if self.stopping:
            raise UnavailableError("the ledger is stopping")
        if self.failure is not None:
            raise UnavailableError("the ledger cannot write; its operator has to look at it")
        return Posted(raw, asyncio.get_running_loop().create_future())

    async def _check_forever(self) -> None:
        while True:
            group = [await self._waiting.get()]
            while len(group) < MAX_BATCH and not self._waiting.empty():
                group.append(self._waiting.get_nowait())
            try:
                checked = await self._check(group)
            except Exception as error:  # noqa: BLE001 - whatever failed, those who wait must hear of it
                fail(group, error)
            else:
                await self._checked.put(checked)
            for _ in group:
                self._waiting.task_done()

    async def _check(self, group: list[Posted]) -> list[Read]:
        """Read and check a group; answer at once what is wrong under rules that nothing before it may change."""
        found = []
        for item in await self._read(group):
            is_changing = self._changes_under_way or self.promising.changes_rules
            if isinstance(item, Faulty) and not is_changing and item.in_force == self.in_force:
                fail([item.posted], item.fault)
                continue
            self._changes_under_way += item.may_change_rules
            found.append(item)
        return found

    async def _read(self, group: Sequence[Posted]) -> list[Read]:
        in_force = self.in_force
        return [
            Faulty(posted, in_force, result) if isinstance(result, FormatError) else Waiting(posted, in_force, result)
            for posted, result in zip(
                group, await self._checker.check([posted.raw for posted in group], in_force), strict=True
            )
        ]

    async def _sequence_forever(self) -> None:
        while True:
            group = await self._checked.get()
            groups = 1
            while not self._checked.empty():
                group = group + self._checked.get_nowait()
                groups += 1
            try:
                await self._sequence(group)
            except Exception as error:
                _logger.exception("a batch of %d statements failed", len(group))
                await self._after_failure(error)
                why = "storing failed; whether the statement is recorded is not known; resubmit"
                await self._put_off(group, UnavailableError(why))
            self._changes_under_way -= sum(item.may_change_rules for item in group)
            await self._promise_surplus()
            for _ in range(groups):
                self._checked.task_done()

    async def _sequence(self, group: list[Read]) -> None:
        """Sequence a group; what comes after a change of the rules is read again, and sequenced after it."""
        if self.failure is not None:
            raise UnavailableError(str(self.failure))
        if await self.store.free_bytes() < MIN_FREE_BYTES:
            await self._put_off(group, UnavailableError("the ledger's disk is nearly full"))
            return
        await self._sequence_all([*self.promising.waiting, *group])
        await self.promising.settle()
        self.promising.goes_on()

    async def _keep_promises(self) -> None:
        """See to what was promised, or is to be, as soon as that is possible, whether or not anything else comes."""
        while True:
            if (self.promising.waiting or self._surplus) and self._checked.empty() and not self.stopping:
                await self._checked.put([])
            await asyncio.sleep(promising.RETRY_S)

    async def _put_off(self, group: list[Read], why: UnavailableError) -> None:
        """Answer what cannot be recorded now: with a promise where this has lasted, else with `why`."""
        if self.promising.stalls():
            await self._promise(group)
        fail([item.posted for item in group], why)

    async def _promise_surplus(self) -> None:
        """Promise what found no room, and turn away the rest of it."""
        surplus, self._surplus = self._surplus, []
        if surplus:
            try:
                await self._promise(await self._read(surplus))
            except Exception:
                _logger.exception("%d statements beyond the queue cannot be read", len(surplus))
            fail(surplus, BusyError(_TOO_MANY))

    async def _promise(self, group: list[Read]) -> None:
        """Promise what can be promised; the rest stays unanswered."""
        good = [item for item in group if isinstance(item, Waiting) and not item.answer.done()]
        good = [item for item in good if item.in_force == self.in_force]
        if self.failure is not None:
            return
        try:
            self._said_ms = self._now(self._tail)
            await self.promising.promise(good, self.ledger_id, self._tail, self._said_ms)
        except Exception:
            _logger.exception("nothing can be promised")

    def _now(self, tail: Tail) -> int:
        """Return the time of what is recorded or signed now, never below that of anything recorded or signed before."""
        return max(self._clock(), tail.time_ms, self._said_ms)

    async def _sequence_all(self, group: list[Read]) -> None:
        while group:
            old = [item.posted for item in group if item.in_force != self.in_force]
            if old:
                again = iter(await self._read(old))
                group = [item if item.in_force == self.in_force else next(again) for item in group]
            group = group[await self._sequence_part(group) :]

    async def _sequence_part(self, group: list[Read]) -> int:
        """Sequence up to and including what changes the rules; return how many were sequenced."""
        waiting = [item for item in group if isinstance(item, Waiting)]
        draft = await self._drafting.begin(self._tail, waiting, self._now(self._tail))
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
            self.showing.answer(accepted, self._tail.nodes)
        if refusals.tell(self.identity, self.ledger_id, draft.time_ms):
            self._said_ms = draft.time_ms
        for item in faulty:
            fail([item.posted], item.fault)
        if duplicates:
            await self.showing.answer_again(duplicates)
        return count

    async def _commit(self, draft: Draft) -> None:
        tail, view = draft.tail, draft.view
        stored = StoredCheckpoint(tail.size, tail.time_ms, self._sign(tail.head, tail.time_ms, view))
        tiles = tail.tiles_since(self._tail.size)
        await self.store.append(Batch(draft.entries, list(view.changed.values()), tiles, stored, view.findings))
        if self._outside is not None:
            await self._outside.keep(stored.note)
        # A crash up to here leaves the log as it was; from here on the batch is durable and may be shown.
        self.showing.publish(self._publish(tail, stored))
        self._know(view)

    def _sign(self, head: TreeHead, time_ms: int, view: View) -> bytes:
        in_force = view.ledger.log_keys_in_force if view.ledger is not None else ()
        return self.identity.checkpoint(head, in_force, max(time_ms, self._clock()) // 1000)

    async def _recover(self) -> None:
        tail, checkpoint = await recover(self.store, self.identity)
        if self._outside is not None:
            await compare(self.store, await own_keys(self.store, self.identity), tail.size, await self._outside.shown())
        if checkpoint is not None:
            if self._outside is not None:
                await self._outside.keep(checkpoint.note)
            self.showing.begin(self._publish(tail, checkpoint), tail.nodes)
        self._know(await self.store.view([LEDGER_KEY], []))

    async def _after_failure(self, error: Exception) -> None:
        """Learn from the store itself whether the batch is in it: the same path as at start-up."""
        try:
            await self._recover()
        except Exception as cause:  # noqa: BLE001 - if this task ended, those who wait would wait for ever
            _logger.critical("the log stops writing: %s", cause)
            self.failure = error

    def _know(self, view: View) -> None:
        """Take over which ledger this is, and the rules in force on it."""
        self.ledger_id = view.ledger.id if view.ledger is not None else ""
        self.in_force = view.in_force

    def _publish(self, tail: Tail, checkpoint: StoredCheckpoint) -> Published:
        self._tail = tail
        self.published = Published(tail.head, tail.time_ms, checkpoint.note)
        return self.published
