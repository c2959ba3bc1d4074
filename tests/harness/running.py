"""Ledgers that run: a log in this process, alone or behind HTTP, and the command in a process of its own."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ledger.core.checkpoint import Checkpoint
from ledger.core.dsse import Envelope
from ledger.core.encoding import Json
from ledger.core.entry import Entry, parse_entry
from ledger.core.policy import Policy
from ledger.core.receipt import open_receipt
from ledger.server.log.intake.submission import Recorded
from ledger.server.log.intake.workers import Workers
from ledger.server.log.log import Log
from ledger.server.log.state.identity import Identity
from ledger.server.service.listener import serve
from ledger.server.store.contract import Store
from tests.harness.people import Person, key, person
from tests.harness.speech import START_MS, Speech, created, signed
from tests.harness.waiting import PATIENCE_S

ORIGIN = "ledger.example/log"
START_S = PATIENCE_S
_READY = re.compile(r"Serving (http://127\.0\.0\.1:\d+)")


class Clock:
    """A clock that tests move."""

    def __init__(self, now_ms: int = START_MS) -> None:
        """Stand still at `now_ms`."""
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms


class House:
    """One ledger's operator and keys, entry 0 to be submitted, and ways to say things on it."""

    def __init__(self, label: str = "served", **fields: Json) -> None:
        """`fields` change `ledger.created`."""
        self.operator = person("operator", f"{label} operator")
        log, service = key(f"{label} log"), key(f"{label} service")
        self.identity = Identity(ORIGIN, log, service)
        self.created = signed(created(self.operator, ORIGIN, log, service, **fields), *self.operator.all_keys)
        self.speech = Speech(self.created.id)
        self.policy = Policy(logs=[self.identity.note_key], quorum="none")

    def registration(self, who: Person) -> Envelope:
        """Register a party."""
        return signed(self.speech.party_registered(who), *who.all_keys)

    def listings(self, who: Person, count: int) -> list[Envelope]:
        """Offer `count` datasets."""
        return [signed(self.speech.listing_registered(who, f"Dataset {at}"), who.key) for at in range(count)]

    def story(self, sender: Person, recipient: Person) -> list[Envelope]:
        """Both register; a listing, its license, an offer and its acknowledgement: each refers to those before."""
        speech = self.speech
        listing = signed(speech.listing_registered(sender), sender.key)
        agreed = signed(speech.license_agreed(sender, recipient, listing.id), sender.key, recipient.key)
        offer = signed(speech.transfer_offered(sender, recipient, listing.id, agreed.id), sender.key)
        decision = signed(speech.transfer_acknowledged(recipient, offer.id), recipient.key)
        return [self.registration(sender), self.registration(recipient), listing, agreed, offer, decision]

    def open(self, receipt: bytes, raw: bytes) -> tuple[Entry, Checkpoint]:
        """Verify a receipt; return the entry and the checkpoint."""
        proof, checkpoint = open_receipt(receipt, raw, self.policy)
        entry = parse_entry(raw)
        assert entry.index == proof.index
        return entry, checkpoint


@asynccontextmanager
async def running(store: Store, house: House, workers: Workers, clock: Clock | None = None) -> AsyncIterator[Log]:
    """Run a log over a store that stays open."""
    log = Log(store, house.identity, workers, clock or Clock())
    await log.start()
    try:
        yield log
    finally:
        await log.stop()


async def submit_all(log: Log, envelopes: list[Envelope]) -> list[Recorded]:
    """Submit in order, as many as there is room for at once, and return what was recorded."""
    answers = [await log.submit_waiting(envelope.recorded) for envelope in envelopes]
    return [await answer for answer in answers]


@dataclass(frozen=True)
class Served:
    """A log behind HTTP."""

    log: Log
    host: str
    port: int
    stop: asyncio.Event
    task: asyncio.Task[None]

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


@asynccontextmanager
async def serving(log: Log) -> AsyncIterator[Served]:
    """Serve a log on the loopback until the end, or until the test sets `stop`."""
    stop = asyncio.Event()
    ready: asyncio.Future[tuple[str, int]] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(log, "127.0.0.1", 0, stop, lambda host, port: ready.set_result((host, port))))
    host, port = await asyncio.wait_for(ready, START_S)
    try:
        yield Served(log, host, port, stop, task)
    finally:
        stop.set()
        await task


def post_head(kind: str, length: int, version: str = "1.1") -> bytes:
    """Return the head of a submission, for clients that write their own HTTP."""
    lines = [
        f"POST /v1/statements HTTP/{version}",
        "Host: ledger",
        f"Content-Type: {kind}",
        f"Content-Length: {length}",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


class ServerProcess:
    """`ledger serve` as a process in a session of its own; everything that it says is in `said`."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        """Start it on a free port."""
        self._log = directory / "serve.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ledger", "serve", str(directory), "--port", "0"],
                env=environment | {"PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        """Leave it running."""
        return self

    def __exit__(self, *_: object) -> None:
        """Kill it, whatever became of the test."""
        self.process.kill()
        self.process.wait()

    @property
    def said(self) -> str:
        return self._log.read_text()

    def wait_ready(self) -> str:
        """Return its address once it takes connections."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            found = _READY.search(self.said)
            if found:
                return found[1]
            assert self.process.poll() is None, self.said
            time.sleep(0.02)
        raise AssertionError(f"the ledger did not start: {self.said}")

    def signal(self, number: int, *, whole_group: bool = False) -> None:
        """Send a signal to it alone, or as a terminal does to it and its workers."""
        if whole_group:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)

    def outlived(self, deadline_s: float = 2.0) -> list[int]:
        """Return the processes of its session that still run when the deadline is over: there must be none."""
        deadline = time.monotonic() + deadline_s
        while (left := self._session_members()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left

    def _session_members(self) -> list[int]:
        """Return the processes of its session that still run, itself included."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(session) == self.process.pid and state != "Z":
                found.append(int(stat.parent.name))
        return found
