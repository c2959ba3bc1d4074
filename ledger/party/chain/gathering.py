"""Collecting what the chain tells: from a ledger, every entry with its verified receipt."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from typing import NamedTuple

from ledger.party.chain.told import NAMING, Told, parties_of, select, subject_of, told
from ledger.party.client.reader import LedgerReader
from ledger.party.errors import Problem, ReceiptInvalid

MAX_ORIGINS = 200
_AT_ONCE = 8
_NOT_FOUND = 404


class Story(NamedTuple):
    """All that the chain tells of a subject, in the order of the log, and who the parties said they are."""

    subject: str
    statements: list[Told]
    parties: dict[str, Told]


async def gather(client: LedgerReader, statement_id: str) -> Story:
    """Return the story of the listing, license, transfer or claim that a statement makes or is about.

    Every entry comes with a verified receipt; that there are no others is the operator's signed word (docs/format.md
    §12.2). Of more than 200 listings that data were derived from, the rest are named and not followed.
    """
    return await _Gathering(client).story(statement_id)


class _Gathering:
    """A heap of statements that grows by what is asked for."""

    def __init__(self, client: LedgerReader) -> None:
        self.client = client
        self.heap: dict[str, Told] = {}
        self.indexes: set[int] = set()
        self.asked: set[str] = set()
        self.gate = asyncio.Semaphore(_AT_ONCE)

    async def story(self, statement_id: str) -> Story:
        start = await self.statement(statement_id)
        subject = subject_of(start)
        subjects = await self.over(subject)
        await self.history([subject, *subjects])
        await self.origins()
        statements = select(self.heap.values(), subject)
        names = sorted({name for statement in statements for name in parties_of(statement)})
        found = await asyncio.gather(*(self.party(name) for name in names))
        return Story(subject, statements, {one.issuer: one for one in found if one is not None})

    async def statement(self, statement_id: str) -> Told:
        if statement_id not in self.heap:
            async with self.gate:
                recorded = await self.client.statement(statement_id)
            self._keep(told(recorded.entry))
        return self.heap[statement_id]

    async def over(self, subject: str) -> list[str]:
        """Return the listing that a subject is about: its history has all licenses and transfers of it."""
        waiting, listings, seen = [subject], list[str](), set[str]()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            statement = await self.statement(name)
            if statement.type == "listing.registered":
                listings.append(name)
            waiting += [found for field in NAMING[:5] if (found := statement.name(field)) is not None]
        return listings

    async def history(self, subjects: Collection[str]) -> None:
        """Add every entry that concerns any of the subjects."""
        self.asked |= set(subjects)
        history = await self.client.history(sorted(set(subjects)))
        await asyncio.gather(*(self.entry(index) for index in history.indexes if index not in self.indexes))

    async def entry(self, index: int) -> Told:
        async with self.gate:
            recorded = await self.client.entry(index)
        return self._keep(told(recorded.entry))

    async def origins(self) -> None:
        """Add the histories of the listings that data were derived from, and of theirs, as far as 200 go."""
        start = len(self.asked)
        while len(self.asked) - start < MAX_ORIGINS:
            named = {
                source
                for statement in self.heap.values()
                if statement.type.startswith("listing.")
                for source in statement.fields.get("derived_from", ())
            }
            more = sorted(named - self.asked)[: MAX_ORIGINS - len(self.asked) + start]
            if not more:
                return
            await self.history(more)

    async def party(self, name: str) -> Told | None:
        """Return a party's registration; its place is the operator's word, its content is proved."""
        try:
            state = await self.client.party(name)
        except Problem as problem:
            if problem.status == _NOT_FOUND:
                return None
            raise
        registration = await self.entry(state.index)
        if registration.type not in {"party.registered", "ledger.created"} or registration.issuer != name:
            raise ReceiptInvalid(f"entry {state.index} is not the registration of {name}")
        return registration

    def _keep(self, statement: Told) -> Told:
        self.heap[statement.id] = statement
        self.indexes.add(statement.index)
        return statement


def story_of(statements: Iterable[Told], statement_id: str) -> Story:
    """Return the story from all statements of a log, as a mirror holds them; KeyError for an unknown statement."""
    heap = {statement.id: statement for statement in statements}
    subject = subject_of(heap[statement_id])
    chosen = select(heap.values(), subject)
    names = {name for statement in chosen for name in parties_of(statement)}
    registrations = (s for s in heap.values() if s.type in {"party.registered", "ledger.created"} and s.issuer in names)
    parties: dict[str, Told] = {}
    for registration in registrations:
        parties.setdefault(registration.issuer, registration)
    return Story(subject, chosen, parties)
