"""The log against a model that is a list: random batches, duplicates, refusals, failing stores, clocks and restarts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from ledger.core.dsse import Envelope
from ledger.core.encoding import parse_canonical
from ledger.core.entry import parse_entry
from ledger.registry.refusal import Refused
from ledger.server.log.intake.submission import Recorded
from ledger.server.log.intake.workers import Workers
from ledger.server.log.log import Log
from ledger.server.log.state.errors import SignedRefusalError, UnavailableError
from tests.harness.faulty import Fault, Faults
from tests.harness.memory_store import MemoryStore
from tests.harness.people import person
from tests.harness.reference import ReferenceTree, entry_leaf
from tests.harness.running import Clock, House
from tests.harness.speech import START_MS, signed

NAMES = ("alpha", "beta", "gamma")
PEOPLE = {name: person(name) for name in NAMES}


class Said(NamedTuple):
    """A statement, and what the model must know of it."""

    envelope: Envelope
    kind: str
    name: str
    listing: str = ""


@dataclass
class Model:
    """What a ledger is, in three collections and a number."""

    log: list[Said] = field(default_factory=list)
    parties: set[str] = field(default_factory=set)
    owners: dict[str, str] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)
    time_ms: int = 0
    """Of the newest entry, or of a later refusal: what was signed holds time up as long as the process lives."""

    def index_of(self, said: Said) -> int | None:
        ids = [other.envelope.id for other in self.log]
        return ids.index(said.envelope.id) if said.envelope.id in ids else None

    def judge(self, said: Said) -> str:
        """Return the reason to refuse, or nothing."""
        if said.kind == "register":
            return "name-taken" if said.name in self.parties else ""
        if said.name not in self.parties:
            return "unknown-key"
        if said.kind == "forge":
            return "wrong-signature"
        return self._judge_withdrawal(said) if said.kind == "withdraw" else ""

    def _judge_withdrawal(self, said: Said) -> str:
        if said.listing not in self.owners:
            return "unknown-reference"
        if self.owners[said.listing] != said.name:
            return "wrong-role"
        return "already-decided" if said.listing in self.withdrawn else ""

    def record(self, said: Said, now_ms: int) -> None:
        self.log.append(said)
        self.time_ms = now_ms
        match said.kind:
            case "register":
                self.parties.add(said.name)
            case "list":
                self.owners[said.envelope.id] = said.name
            case "withdraw":
                self.withdrawn.add(said.listing)


class LogMachine(RuleBasedStateMachine):
    """Drives a log over a store in memory, and the model beside it."""

    workers: Workers

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.house, self.store, self.clock, self.model = House("model"), MemoryStore(), Clock(), Model()
        self.log: Log | None = None
        self.said: list[Said] = []
        self.checkpoints: dict[bytes, None] = {}

    @initialize()
    def found(self) -> None:
        self.faults = self.runner.run(self._plan())
        self.restart()
        created = Said(self.house.created, "create", "operator")
        self._expect([created], [self.runner.run(self._submit_all([created]))[0]])

    async def _plan(self) -> Faults:
        return Faults(self.store)

    @rule()
    def restart(self) -> None:
        async def again() -> Log:
            if self.log is not None:
                await self.log.stop()
            log = Log(self.store, self.house.identity, self.workers, self.clock)
            await log.start()
            return log

        self.log = self.runner.run(again())
        self.model.time_ms = max((parse_entry(raw).time_ms for raw in self.store._entries), default=0)

    @rule(by_ms=st.integers(-5000, 5000))
    def move_clock(self, by_ms: int) -> None:
        self.clock.now_ms = max(START_MS, self.clock.now_ms + by_ms)

    @rule(data=st.data(), fault=st.sampled_from([Fault.NONE, Fault.NONE, Fault.BEFORE, Fault.AFTER]))
    def submit(self, data: st.DataObject, fault: Fault) -> None:
        batch = [
            data.draw(st.sampled_from(("register", "list", "list", "withdraw", "forge", "again"))) for _ in range(5)
        ]
        saids = [self._say(data, kind) for kind in batch[: data.draw(st.integers(1, 5))]]
        self.faults.plan[:] = [fault]
        answers = self.runner.run(self._submit_all(saids))
        appended = not self.faults.plan
        self.faults.plan.clear()
        if fault is not Fault.NONE and appended:
            assert all(isinstance(answer, UnavailableError) for answer in answers)
            if fault is Fault.AFTER:
                self._take(saids)
            return
        self._expect(saids, answers)

    def _say(self, data: st.DataObject, kind: str) -> Said:
        if kind == "again" and self.said:
            return data.draw(st.sampled_from(self.said))
        name = data.draw(st.sampled_from(NAMES))
        who, speech = PEOPLE[name], self.house.speech
        speech.now_ms = self.clock.now_ms
        match kind:
            case "register":
                said = Said(self.house.registration(who), "register", name)
            case "withdraw":
                listed = [said.envelope.id for said in self.said if said.kind in {"list", "forge"}]
                listing = data.draw(st.sampled_from(listed)) if listed else self.house.created.id
                said = Said(signed(speech.listing_withdrawn(who, listing), who.key), kind, name, listing)
            case "forge":
                envelope = signed(speech.listing_registered(who), who.key)
                said = Said(envelope.with_signatures([(who.key.public.keyid, bytes(64))]), "forge", name)
            case _:
                said = Said(signed(speech.listing_registered(who), who.key), "list", name)
        self.said.append(said)
        return said

    async def _submit_all(self, saids: list[Said]) -> list[Recorded | BaseException]:
        assert self.log is not None
        answers = [await self.log.submit_waiting(said.envelope.recorded) for said in saids]
        return await asyncio.gather(*answers, return_exceptions=True)

    def _take(self, saids: list[Said]) -> None:
        for said in saids:
            if self.model.index_of(said) is None and not self.model.judge(said):
                self.model.record(said, self._now_ms)

    def _expect(self, saids: list[Said], answers: list[Recorded | BaseException]) -> None:
        for said, answer in zip(saids, answers, strict=True):
            index = self.model.index_of(said)
            reason = "" if index is not None or said.kind == "create" else self.model.judge(said)
            if reason:
                self._expect_refusal(said, answer, reason)
                continue
            assert isinstance(answer, Recorded), answer
            assert answer.duplicate is (index is not None)
            if index is None:
                index = len(self.model.log)
                self.model.record(said, self._now_ms)
                assert answer.entry.time_ms == self._now_ms
            assert (answer.statement_id, answer.entry.index) == (said.envelope.id, index)
            assert answer.entry.envelope == self.model.log[index].envelope
            self.checkpoints[answer.checkpoint] = None
            size = self.house.policy.open_checkpoint(answer.checkpoint).head.size
            assert answer.path == self._tree().inclusion(index, size)

    def _expect_refusal(self, said: Said, answer: Recorded | BaseException, reason: str) -> None:
        if reason in {"unknown-key", "wrong-signature"}:
            assert isinstance(answer, Refused)
            assert answer.reason == reason
            return
        assert isinstance(answer, SignedRefusalError)
        payload = parse_canonical(answer.refusal.payload)
        size = len(self.model.log)
        assert (payload["reason"], payload["size"], payload["statement_id"]) == (reason, size, said.envelope.id)
        assert payload["root"] == self._tree().root(size).hex()
        assert payload["time"] == self._now_ms
        self.model.time_ms = payload["time"]

    @property
    def _now_ms(self) -> int:
        """The log's time: that of the clock, where it did not go back."""
        return max(self.model.time_ms, self.clock.now_ms)

    def _tree(self) -> ReferenceTree:
        return ReferenceTree([entry_leaf(raw) for raw in self.store._entries])

    @invariant()
    def the_log_is_the_list(self) -> None:
        if self.log is None or self.log.published is None:
            return
        entries = [parse_entry(raw) for raw in self.store._entries]
        assert [entry.envelope for entry in entries] == [said.envelope for said in self.model.log]
        links = ["0" * 64, *(entry_leaf(entry.raw).hex() for entry in entries)]
        assert [entry.previous for entry in entries] == links[:-1]
        assert [entry.time_ms for entry in entries] == sorted(entry.time_ms for entry in entries)
        tree = self._tree()
        self.checkpoints[self.log.published.checkpoint] = None
        for note in self.checkpoints:
            head = self.house.policy.open_checkpoint(note).head
            assert head.root == tree.root(head.size)
        assert self.log.published.head.size == len(entries)
        listings = self.runner.run(self.store.facts("listing", None, -1, 10_000))
        found = {fact.key: fact.document()["withdrawn_index"] is not None for fact in listings}
        assert found == {name: name in self.model.withdrawn for name in self.model.owners}

    def teardown(self) -> None:
        if self.log is not None:
            self.runner.run(self.log.stop())
        self.runner.close()


def test_the_log_is_a_list_of_what_was_accepted(workers: Workers) -> None:
    LogMachine.workers = workers
    run_state_machine_as_test(LogMachine, settings=settings(max_examples=60, stateful_step_count=15, deadline=None))
