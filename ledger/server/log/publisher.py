"""What readers are shown of the log, and when submitters are answered: at once, or when witnesses have cosigned.

Without witnesses the newest durable checkpoint is shown, and answered with. With witnesses the newest one that their
quorum cosigned is shown; what is shown never gets smaller. Where answers wait for the quorum, they wait for `AWAIT_S`
at most: then the statement, which is durable long since, is answered as recorded and not as witnessed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from ledger.core.entry import Entry
from ledger.core.errors import LedgerError
from ledger.core.merkle import Node, inclusion_paths
from ledger.server.log.intake.submission import Published, Recorded, Waiting, answer, answer_again, fail
from ledger.server.log.witnesses.asking import Prove
from ledger.server.log.witnesses.policy import WitnessPolicy
from ledger.server.log.witnesses.unwitnessed import Unwitnessed
from ledger.server.log.witnesses.witnessing import Witnessing
from ledger.server.store.contract import Store, StoredCheckpoint

AWAIT_S = 10.0
"""How long an answer waits for the quorum."""
_LOOK_S = 0.1
Duplicates = list[tuple[Waiting, int]]


class Publisher:
    """`shown` is what readers may see; `witnessing` asks the witnesses, if there are any."""

    def __init__(
        self, store: Store, witness_policy: WitnessPolicy | None, prove: Prove, clock: Callable[[], int]
    ) -> None:
        """`clock` returns Unix milliseconds."""
        self.shown: Published | None = None
        self.witnessing = Witnessing(witness_policy, prove, self._show, clock) if witness_policy is not None else None
        self._awaits = witness_policy is not None and witness_policy.must_await
        self._store = store
        self._newest: Published | None = None
        self._unwitnessed = Unwitnessed()
        self._duplicates: list[tuple[float, Duplicates]] = []
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to ask the witnesses, if there are any; raise StoreError."""
        if self.witnessing is not None and self._newest is not None:
            await self.witnessing.start(self._newest)
        if self._awaits:
            self._task = asyncio.create_task(self._answer_overdue())

    async def stop(self) -> None:
        """Wait until everybody is answered, then ask nobody any more."""
        self._stopping = True
        if self._task is not None:
            await self._task
        if self.witnessing is not None:
            await self.witnessing.stop()

    def begin(self, newest: Published, nodes: Mapping[Node, bytes]) -> None:
        """Take over what recovery found; `nodes` hold the perfect nodes of that tree."""
        if self._newest is not None:
            self._unwitnessed.answer_below(self._newest.head.size, self._newest)
        self._unwitnessed.begin(newest.head.size, nodes)
        self.publish(newest)

    def publish(self, newest: Published) -> None:
        """Take over a newer durable state."""
        self._newest = newest
        if self.witnessing is None or self.shown is None:
            self.shown = newest
        if self.witnessing is not None:
            self.witnessing.offer(newest)

    def answer(self, accepted: Sequence[tuple[Waiting, Entry]], nodes: Mapping[Node, bytes]) -> None:
        """Answer the newest entries, now or when they are witnessed; `nodes` are all made since before them."""
        if self._awaits:
            self._unwitnessed.hold(accepted, time.monotonic() + AWAIT_S)
            return
        if self._newest is None:
            raise RuntimeError("entries are published before they are answered")
        paths = inclusion_paths(accepted[0][1].index, self._newest.head.size, nodes)
        for (item, entry), path in zip(accepted, paths, strict=True):
            name = item.candidate.envelope.id
            answer(item, Recorded(name, entry, path, self._newest.checkpoint, duplicate=False))

    async def answer_again(self, duplicates: Duplicates) -> None:
        """Answer duplicates under what is shown, as far as that goes; the others now, or when they are witnessed."""
        if self._newest is None or self.shown is None:
            raise RuntimeError("a duplicate has an entry")
        shown = [one for one in duplicates if one[1] < self.shown.head.size]
        others = [one for one in duplicates if one[1] >= self.shown.head.size]
        await self._answer_duplicates(shown, self.shown)
        if others and self._awaits:
            self._duplicates.append((time.monotonic() + AWAIT_S, others))
        else:
            await self._answer_duplicates(others, self._newest)

    async def _answer_duplicates(self, duplicates: Duplicates, published: Published) -> None:
        if not duplicates:
            return
        try:
            await answer_again(self._store, published, duplicates)
        except LedgerError as error:  # whatever failed, those who wait must hear of it
            fail([item.posted for item, _ in duplicates], error)

    async def _show(self, published: Published, is_cosigned: bool) -> None:  # noqa: FBT001 - what `Show` is called with
        """Keep a checkpoint with its cosignatures, durably, and only then show it and answer with it."""
        if is_cosigned:
            stored = StoredCheckpoint(published.head.size, published.time_ms, published.checkpoint)
            await self._store.keep_cosigned(stored)
        self.shown = published
        if not published.witnessed:
            return
        self._unwitnessed.answer_below(published.head.size, published)
        waiting, self._duplicates = self._duplicates, []
        for _, duplicates in waiting:
            await self.answer_again(duplicates)

    async def _answer_overdue(self) -> None:
        while self._unwitnessed or self._duplicates or not self._stopping:
            await asyncio.sleep(_LOOK_S)
            now, newest = time.monotonic(), self._newest
            if newest is None:
                continue
            self._unwitnessed.answer_overdue(now, newest)
            overdue = [duplicates for until, duplicates in self._duplicates if until <= now]
            self._duplicates = [waiting for waiting in self._duplicates if waiting[0] > now]
            for duplicates in overdue:
                await self._answer_duplicates(duplicates, newest)
