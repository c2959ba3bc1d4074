"""Stage one: what is posted waits here, is read and checked in groups on all cores, and goes on to the sequencer.

A statement is read by the rules in force when stage one looks. Where a `ledger.rules_changed` comes between, stage two
has what follows read again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from ledger.core.errors import FormatError
from ledger.server.log.intake.checking import Checker
from ledger.server.log.intake.submission import Faulty, Inspected, Posted, Recorded, Waiting, fail
from ledger.server.log.state.errors import BusyError
from ledger.server.log.state.standing import Standing

MAX_WAITING = 4096
"""Statements that may wait to be sequenced; past that `submit` gets a promise and `submit_waiting` waits."""

MAX_GROUP = 512
_MAX_CHECKED = 8
TOO_MANY = "more statements are waiting than may wait"


class Intake:
    """Its own state: the queue of what was posted, what found no room in it, and what may change the rules."""

    def __init__(self, checker: Checker, standing: Standing, surplus_room: Callable[[], int]) -> None:
        """Check with `checker` under the rules of `standing`; `surplus_room` says how many more may be promised."""
        self._checker = checker
        self._standing = standing
        self._surplus_room = surplus_room
        self.waiting: asyncio.Queue[Posted] = asyncio.Queue(MAX_WAITING)
        self.surplus: list[Posted] = []
        """What found no room among those that wait: it is promised between two batches."""
        self.checked: asyncio.Queue[list[Inspected]] = asyncio.Queue(_MAX_CHECKED)
        """What the sequencer takes."""
        self._changes_under_way = 0
        """How many statements that may change the rules are read and not sequenced yet."""

    async def submit(self, raw: bytes) -> Recorded:
        """Queue one posted envelope, and return what becomes of it; raise BusyError if there is no room."""
        posted = self._posted(raw)
        try:
            self.waiting.put_nowait(posted)
        except asyncio.QueueFull as error:
            if len(self.surplus) >= self._surplus_room():
                raise BusyError(TOO_MANY) from error
            self.surplus.append(posted)
        return await posted.answer

    async def submit_waiting(self, raw: bytes) -> asyncio.Future[Recorded]:
        """Queue one posted envelope, waiting for room, and return its answer to come; raise UnavailableError."""
        posted = self._posted(raw)
        await self.waiting.put(posted)
        return posted.answer

    async def run(self) -> None:
        """Check what waits, group by group, for as long as the log runs."""
        while True:
            group = [await self.waiting.get()]
            while len(group) < MAX_GROUP and not self.waiting.empty():
                group.append(self.waiting.get_nowait())
            try:
                checked = await self._check(group)
            except Exception as error:  # noqa: BLE001 - whatever failed, those who wait must hear of it
                fail(group, error)
            else:
                await self.checked.put(checked)
            for _ in group:
                self.waiting.task_done()

    async def inspect(self, group: Sequence[Posted]) -> list[Inspected]:
        """Read and check statements under the rules in force now."""
        in_force = self._standing.in_force
        return [
            Faulty(posted, in_force, result) if isinstance(result, FormatError) else Waiting(posted, in_force, result)
            for posted, result in zip(
                group, await self._checker.check([posted.raw for posted in group], in_force), strict=True
            )
        ]

    def forget(self, group: Sequence[Inspected]) -> None:
        """Note that a group is sequenced: what it changed of the rules is in force."""
        self._changes_under_way -= sum(item.may_change_rules for item in group)

    def take_surplus(self) -> list[Posted]:
        """Return what found no room, once."""
        surplus, self.surplus = self.surplus, []
        return surplus

    async def drain(self) -> None:
        """Wait until everything that was taken in is sequenced."""
        await self.waiting.join()
        await self.checked.join()

    def _posted(self, raw: bytes) -> Posted:
        self._standing.require_open()
        return Posted(raw, asyncio.get_running_loop().create_future())

    async def _check(self, group: list[Posted]) -> list[Inspected]:
        """Inspect a group; answer at once what is wrong under rules that nothing before it may change."""
        found = []
        for item in await self.inspect(group):
            is_settled = not self._changes_under_way and item.in_force == self._standing.in_force
            if isinstance(item, Faulty) and is_settled and not self._standing.promises_changes:
                fail([item.posted], item.fault)
                continue
            self._changes_under_way += item.may_change_rules
            found.append(item)
        return found
