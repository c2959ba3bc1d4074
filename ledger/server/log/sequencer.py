"""The sequencer: the only writer of the log.

A statement goes: `submit` queues its bytes → `_check` takes what waits and has it checked (`checking.py`, on all cores)
→ `_sequence` accepts in order, chains, hashes, signs one checkpoint over the batch, stores all of it in one
transaction, and only then answers. The two stages overlap, so that one batch's signatures are checked while the one
before is written; nothing else runs at the same time as the second.

A statement is read by the rules in force at its index. Stage one reads by those that are in force when it looks; where
a `ledger.rules_changed` comes between, stage two has what follows read again, and judges that.

If the process dies before the transaction ends, nothing of the batch was acknowledged, and the checkpoint over it was
shown to nobody. If it dies after, the entries are there, and resubmitting returns them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from ledger.core.checkpoint import TreeHead
from ledger.core.entry import Entry
from ledger.core.errors import FormatError
from ledger.core.merkle import consistency_ranges, inclusion_ranges, nodes_of, perfect_nodes, prove, range_hash
from ledger.registry.acceptance import Candidate, Duplicate, accept
from ledger.registry.facts import LEDGER_KEY, View
from ledger.registry.refusal import Refused
from ledger.server.log import promising
from ledger.server.log.answers import (
    Faulty,
    Posted,
    Published,
    Read,
    Recorded,
    Waiting,
    fail,
)
from ledger.server.log.checking import Checker, remember
from ledger.server.log.errors import BusyError, SignedRefusalError, UnavailableError
from ledger.server.log.identity import Identity
from ledger.server.log.outside import Outside, compare
from ledger.server.log.panel import Panel
from ledger.server.log.rebuilding import rebuild_if_needed
from ledger.server.log.recovery import own_keys, recover, require_keys
from ledger.server.log.showing import Showing
from ledger.server.log.tail import Tail
from ledger.server.log.views import complete, load
from ledger.server.log.workers import Workers
from ledger.server.store.contract import Batch, NewEntry, Store, StoredCheckpoint
from ledger.statements.common import Statement
from ledger.statements.ledger import LedgerLogKeyAdded

MAX_WAITING = 4096
"""Statements that may wait to be sequenced; past that `submit` refuses (429) and `submit_waiting` waits."""

MAX_BATCH = 512
MIN_FREE_BYTES = 64 * 1024 * 1024
_MAX_CHECKED = 8
_MAX_CACHED_ROOTS = 4_096

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
        self.promising = promising.Promising(store, identity)
        self._said_ms = 0
        """The newest time that was signed: a clock that jumps back does not make what is signed contradict itself."""
        self._tail = Tail()
        self._waiting: asyncio.Queue[Posted] = asyncio.Queue(MAX_WAITING)
        self._checked: asyncio.Queue[list[Read]] = asyncio.Queue(_MAX_CHECKED)
        self._roots: OrderedDict[int, bytes] = OrderedDict()
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
        await self.promising.load(self._read)
        work = (self._check_forever(), self._sequence_forever(), self._keep_promises())
        self._tasks = [asyncio.create_task(one) for one in work]

    async def stop(self) -> None:
        """Take no more work, finish what waits, and end."""
        self.stopping = True
        await self._waiting.join()
        await self._checked.join()
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

        Raises FormatError, Refused, SignedRefusalError, BusyError, or UnavailableError.
        """
        posted = self._posted(raw)
        try:
            self._waiting.put_nowait(posted)
        except asyncio.QueueFull as error:
            raise BusyError(f"{MAX_WAITING} statements are waiting") from error
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
            if isinstance(item, Faulty) and not self._changes_under_way and item.in_force == self.in_force:
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
        """Have what was promised recorded as soon as that is possible, whether or not anything else comes."""
        while True:
            if self.promising.waiting and self._checked.empty() and not self.stopping:
                await self._checked.put([])
            await asyncio.sleep(promising.RETRY_S)

    async def _put_off(self, group: list[Read], why: UnavailableError) -> None:
        """Answer what cannot be recorded now: with a promise where this has lasted, else with `why`."""
        if self.promising.stalls() and self.failure is None:
            try:
                if await self.store.free_bytes() >= promising.MIN_FREE_BYTES:
                    await self._promise(group)
            except Exception:
                _logger.exception("nothing can be promised")
        fail([item.posted for item in group], why)

    async def _promise(self, group: list[Read]) -> None:
        """Promise what keeps every rule on the log with all that was promised before; the rest stays unanswered."""
        fresh = [item for item in group if isinstance(item, Waiting) and not item.answer.done()]
        fresh = [item for item in fresh if item.in_force == self.in_force and not item.may_change_rules]
        fresh = [item for item in fresh if not self.promising.answers_again(item)]
        before = self.promising.waiting
        candidates = [item.candidate for item in (*before, *fresh)]
        statements = [candidate.statement for candidate in candidates]
        view = await load(self.store, statements, [candidate.envelope.id for candidate in candidates])
        roots = await self._seen_roots(candidates)
        draft, good = self._tail.copy(), list[Waiting]()
        time_ms = self._now(draft)
        for position, item in enumerate((*before, *fresh)):
            if position >= promising.MAX_PROMISED:
                break
            await complete(self.store, view, item.candidate.statement)
            try:
                accept(view, item.candidate, draft.size, time_ms, partial(_root_at, roots, draft))
            except (Duplicate, Refused):  # told when it can be: what is signed now is on the log as it stands
                continue
            draft.append(item.candidate.envelope, time_ms)
            if position >= len(before):
                good.append(item)
        await self.promising.promise(good, self.ledger_id, self._tail.head, time_ms)

    def _now(self, tail: Tail) -> int:
        """Return the time of what is recorded or signed now, never below that of anything before."""
        self._said_ms = max(self._clock(), tail.time_ms, self._said_ms)
        return self._said_ms

    async def _sequence_all(self, group: list[Read]) -> None:
        while group:
            old = [item.posted for item in group if item.in_force != self.in_force]
            if old:
                again = iter(await self._read(old))
                group = [item if item.in_force == self.in_force else next(again) for item in group]
            group = group[await self._sequence_part(group) :]

    async def _sequence_part(self, group: list[Read]) -> int:  # noqa: C901 - one loop, one case an outcome
        """Sequence up to and including what changes the rules; return how many were sequenced."""
        candidates = [item.candidate for item in group if isinstance(item, Waiting)]
        statements = [candidate.statement for candidate in candidates]
        view = await load(self.store, statements, [candidate.envelope.id for candidate in candidates])
        roots = await self._seen_roots(candidates)
        draft = self._tail.copy()
        time_ms = max(self._clock(), draft.time_ms)
        entries: list[NewEntry] = []
        accepted: list[tuple[Waiting, Entry]] = []
        duplicates: list[tuple[Waiting, int]] = []
        refused: list[tuple[Waiting, Refused | UnavailableError, TreeHead]] = []
        faulty: list[Faulty] = []
        count = 0
        for item in group:
            if LEDGER_KEY in view.changed:
                break
            count += 1
            if isinstance(item, Faulty):
                faulty.append(item)
                continue
            await complete(self.store, view, item.candidate.statement)
            try:
                self._require_key(item.candidate.statement)
                subjects = accept(view, item.candidate, draft.size, time_ms, partial(_root_at, roots, draft))
            except UnavailableError as error:
                refused.append((item, error, draft.head))
            except Duplicate as duplicate:
                duplicates.append((item, duplicate.index))
            except Refused as error:
                # A signature that was never looked at, because its key became known too late, is not called wrong.
                late = UnavailableError("a key became known while this waited; resubmit")
                refused.append((item, late if item.checked.is_late(view) else error, draft.head))
            else:
                entry = draft.append(item.candidate.envelope, time_ms)
                entries.append(NewEntry(entry.index, item.candidate.envelope.id, entry.raw, subjects))
                accepted.append((item, entry))
        if entries:
            await self._commit(draft, view, entries)
            self.showing.answer(accepted, self._tail.nodes)
        for item, reason, head in refused:
            self._refuse(item, reason, head, time_ms)
        for item in faulty:
            fail([item.posted], item.fault)
        if duplicates:
            await self.showing.answer_again(duplicates)
        return count

    async def _commit(self, draft: Tail, view: View, entries: list[NewEntry]) -> None:
        head = draft.head
        stored = StoredCheckpoint(head.size, draft.time_ms, self._sign(head, draft.time_ms, view))
        tiles = draft.tiles_since(self._tail.size)
        await self.store.append(Batch(entries, list(view.changed.values()), tiles, stored, view.findings))
        if self._outside is not None:
            await self._outside.keep(stored.note)
        # A crash up to here leaves the log as it was; from here on the batch is durable and may be shown.
        self.showing.publish(self._publish(draft, stored))
        self._know(view)

    def _refuse(self, item: Waiting, refused: Refused | UnavailableError, head: TreeHead, time_ms: int) -> None:
        if item.answer.done():
            return
        if isinstance(refused, UnavailableError) or not refused.authentic or not self.ledger_id:
            item.answer.set_exception(refused)
            return
        statement_id = item.candidate.envelope.id
        refusal = self.identity.refusal(self.ledger_id, statement_id, refused.reason, head, time_ms)
        item.answer.set_exception(SignedRefusalError(refused, refusal))

    def _sign(self, head: TreeHead, time_ms: int, view: View) -> bytes:
        in_force = view.ledger.log_keys_in_force if view.ledger is not None else ()
        return self.identity.checkpoint(head, in_force, max(time_ms, self._clock()) // 1000)

    def _require_key(self, statement: Statement) -> None:
        """Raise UnavailableError for a log key that this server does not hold: no checkpoint could follow its entry."""
        if isinstance(statement, LedgerLogKeyAdded):
            self.identity.require([statement.log_key])

    async def _seen_roots(self, candidates: list[Candidate]) -> dict[int, bytes]:
        """Return the roots at all stored sizes that a `seen` names."""
        seen = (getattr(candidate.statement, "seen", None) for candidate in candidates)
        roots = {}
        for size in {value.size for value in seen if value is not None and value.size < self._tail.size}:
            root = self._roots.get(size)
            if root is None:
                root = range_hash(0, size, await self.store.nodes(perfect_nodes(0, size)))
            remember(self._roots, size, root, _MAX_CACHED_ROOTS)
            roots[size] = root
        return roots

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


def _root_at(stored: Mapping[int, bytes], draft: Tail, size: int) -> bytes:
    return stored[size] if size in stored else draft.root_at(size)
