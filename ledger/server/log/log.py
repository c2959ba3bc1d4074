"""One log: what is taken in, what is sequenced, and what readers are shown.

A statement goes: `Intake` queues its bytes, and has what waits checked on all cores → `Sequencer` accepts in order,
chains, hashes, signs one checkpoint over the batch, stores all of it in one transaction, and only then answers →
`Publisher` shows the new state. The two stages overlap, so that one batch's signatures are checked while the one before
is written; nothing else runs at the same time as the second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from ledger.registry.facts import LEDGER_KEY
from ledger.server.log import promising
from ledger.server.log.drafting import Drafting
from ledger.server.log.intake.checking import Checker
from ledger.server.log.intake.intake import Intake
from ledger.server.log.intake.submission import Published, Recorded, fail
from ledger.server.log.intake.workers import Workers
from ledger.server.log.proofs import consistency_path
from ledger.server.log.publisher import Publisher
from ledger.server.log.recovery.published import PublishedCheckpoints
from ledger.server.log.recovery.rebuilding import rebuild_if_needed
from ledger.server.log.recovery.recovery import require_keys
from ledger.server.log.sequencer import Sequencer
from ledger.server.log.state.errors import UnavailableError
from ledger.server.log.state.identity import Identity
from ledger.server.log.state.standing import Standing
from ledger.server.log.witnesses.policy import WitnessPolicy
from ledger.server.store.contract import Store


class Log:
    """`start` it, `submit` to it, `stop` it; `published` is its newest durable state, `shown` what readers may see."""

    def __init__(
        self,
        store: Store,
        identity: Identity,
        workers: Workers,
        clock: Callable[[], int],
        elsewhere: PublishedCheckpoints | None = None,
        *,
        witness_policy: WitnessPolicy | None = None,
    ) -> None:
        """`clock` returns Unix milliseconds; a clock that jumps back does not make the log's time go back.

        `elsewhere` keeps what was shown where a restored database does not reach; `witness_policy` says which witnesses
        are asked to cosign, and whether answers wait for them.
        """
        self.store = store
        self.identity = identity
        self.standing = Standing()
        self.publisher = Publisher(store, witness_policy, partial(consistency_path, store), clock)
        promises = promising.Promising(Drafting(store, identity))
        self.intake = Intake(Checker(store, workers), self.standing, promises.room)
        self.sequencer = Sequencer(self.standing, self.intake, promises, self.publisher, clock, elsewhere)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Recover the stored log and begin to take statements; raise IntegrityError if it does not check."""
        await self.sequencer.recover()
        if await rebuild_if_needed(self.store, self.sequencer.size):
            await self.sequencer.recover()
        ledger = (await self.store.view([LEDGER_KEY], [])).ledger
        if ledger is not None:
            require_keys(self.identity, ledger)
        await self.publisher.start()
        await self.sequencer.take_up_promises()
        work = (self.intake.run(), self.sequencer.run(), self.sequencer.keep_promises())
        self._tasks = [asyncio.create_task(one) for one in work]

    async def stop(self) -> None:
        """Take no more work, finish what waits, and end."""
        self.standing.is_stopping = True
        await self.intake.drain()
        fail(self.intake.take_surplus(), UnavailableError("the ledger is stopping"))
        await self.publisher.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def published(self) -> Published | None:
        """The newest durable state; None before entry 0."""
        return self.sequencer.published

    @property
    def shown(self) -> Published | None:
        """What readers are shown: the newest durable state or, with witnesses, the newest that they cosigned."""
        return self.publisher.shown

    async def submit(self, raw: bytes) -> Recorded:
        """Record one posted envelope and return when it is durable.

        Raises FormatError, Refused, SignedRefusalError, UnavailableError; PromisedError if it is not in the log yet,
        and will be; BusyError where too much waits, and it cannot be promised.
        """
        return await self.intake.submit(raw)

    async def submit_waiting(self, raw: bytes) -> asyncio.Future[Recorded]:
        """Queue one posted envelope, waiting for room, and return its answer to come; raise UnavailableError."""
        return await self.intake.submit_waiting(raw)
