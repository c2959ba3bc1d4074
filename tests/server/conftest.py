"""A ledger behind HTTP, and a client's session with it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from ledger.server.log.intake.workers import Workers
from tests.harness.memory_store import MemoryStore
from tests.harness.people import Person, person
from tests.harness.running import Clock, House, Served, running, serving, submit_all


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def alpha() -> Person:
    return person("alpha")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def served(house: House, alpha: Person, workers: Workers, clock: Clock) -> AsyncIterator[Served]:
    """Serve a ledger in memory, on which alpha is registered."""
    async with running(MemoryStore(), house, workers, clock) as log:
        await submit_all(log, [house.created, house.registration(alpha)])
        async with serving(log) as served:
            yield served


@pytest.fixture
async def session(served: Served) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(served.url) as session:
        yield session
