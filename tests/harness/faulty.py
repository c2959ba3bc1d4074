"""Stores whose calls fail, or wait, when a test says so."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import Any

from ledger.server.store.contract import Store, StoreError


class Fault(Enum):
    """What happens to one call."""

    NONE = "it works"
    BEFORE = "it fails, and did nothing"
    AFTER = "it did its work, and fails: nobody can know"
    FOREIGN = "it fails with an error that is none of ours"
    HELD = "it waits until `gate` is set, and works"


class Faults:
    """Takes the place of one method of a store, here and now; past the end of `plan` every call works."""

    def __init__(self, store: Store, method: str = "append", plan: list[Fault] | None = None) -> None:
        """Plan the next calls of `method`."""
        self.plan = plan or []
        self.gate = asyncio.Event()
        self.called = asyncio.Event()
        self.done: list[Fault] = []
        self._call = getattr(store, method)
        setattr(store, method, self._faulty)

    async def _faulty(self, *arguments: Any) -> Any:
        fault = self.plan.pop(0) if self.plan else Fault.NONE
        self.done.append(fault)
        self.called.set()
        if fault is Fault.BEFORE:
            raise StoreError("planned")
        if fault is Fault.FOREIGN:
            raise ValueError("planned")
        if fault is Fault.HELD:
            await self.gate.wait()
        done = await self._call(*arguments)
        if fault is Fault.AFTER:
            raise StoreError("planned")
        return done
