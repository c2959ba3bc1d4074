"""SIGKILL to the real server at random moments under load, again and again, on one database."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import aiohttp
import pytest

from ledger.core.checkpoint import TreeHead
from ledger.core.dsse import Envelope
from ledger.core.encoding import Json, b64decode
from ledger.core.entry import Entry
from ledger.core.merkle import verify_consistency, verify_inclusion
from ledger.core.policy import Policy, parse_policy
from ledger.core.receipt import open_receipt
from tests.cli.running import environment, good
from tests.harness.people import Person, person
from tests.harness.running import ServerProcess
from tests.harness.speech import Speech, signed
from tests.harness.waiting import PATIENCE_S

KILLS = 13
"""Of each of the `SEEDS`."""
ORPHAN_DEADLINE_S = 2.0
SINGLES = 4
LINES_A_STEP = 20
STEP_S = 0.01
SEEDS = (20240229, 20240301)


@dataclass
class Memory:
    """What the clients were told: it must hold for ever."""

    policy: Policy
    speech: Speech
    who: Person
    acknowledged: dict[int, bytes] = field(default_factory=dict)
    """Entry bytes by index."""
    heads: dict[bytes, TreeHead] = field(default_factory=dict)
    """Every checkpoint seen."""
    doubtful: list[Envelope] = field(default_factory=list)
    """Statements without an answer: to be submitted again."""

    def next_statement(self) -> Envelope:
        """Return a statement to be submitted, again where the answer never came; doubtful from now on."""
        return self.doubtful.pop() if self.doubtful else signed(self.speech.listing_registered(self.who), self.who.key)

    def see(self, checkpoint: bytes) -> TreeHead:
        head = self.policy.open_checkpoint(checkpoint).head
        self.heads[checkpoint] = head
        return head

    def keep(self, index: int, raw: bytes) -> None:
        assert self.acknowledged.setdefault(index, raw) == raw, "two entries were acknowledged at one index"


async def submit_one_by_one(memory: Memory, session: aiohttp.ClientSession) -> None:
    """Submit a statement a request, until the server is gone."""
    while True:
        envelope = memory.next_statement()
        try:
            async with session.post("/v1/statements", json=envelope.document()) as response:
                document = await response.json()
        except aiohttp.ClientError:
            memory.doubtful.append(envelope)
            return
        assert response.status in {200, 201}, document
        raw = b64decode(document["entry"])
        receipt, checkpoint = open_receipt(document["receipt"].encode(), raw, memory.policy)
        memory.heads[receipt.checkpoint] = checkpoint.head
        memory.keep(receipt.index, raw)


async def submit_lines(memory: Memory, session: aiohttp.ClientSession) -> None:
    """Submit a stream, until the server is gone."""
    sent: list[Envelope] = []
    answered = 0

    async def body() -> AsyncIterator[bytes]:
        while True:
            step = [memory.next_statement() for _ in range(LINES_A_STEP)]
            sent.extend(step)
            yield b"".join(envelope.recorded + b"\n" for envelope in step)
            await asyncio.sleep(STEP_S)

    head = TreeHead(0, b"")
    headers = {"Content-Type": "application/jsonl"}
    try:
        async with session.post("/v1/statements", data=body(), headers=headers) as response:
            async for line in response.content:
                if not line.endswith(b"\n"):
                    break
                document = json.loads(line)
                if "checkpoint" in document:
                    head = memory.see(document["checkpoint"].encode())
                    continue
                answered += 1
                assert document["line"] == answered
                _keep_line(memory, sent[answered - 1], document, head)
    except aiohttp.ClientError:
        pass
    memory.doubtful += sent[answered:]


def _keep_line(memory: Memory, envelope: Envelope, document: Json, head: TreeHead) -> None:
    """Rebuild the entry from a result line, prove that it is in the tree, and keep it."""
    assert "problem" not in document, document
    entry = Entry(document["index"], document["previous"], envelope, document["time"])
    path = [b64decode(value) for value in document["path"]]
    verify_inclusion(entry.leaf, entry.index, head.size, path, head.root)
    memory.keep(entry.index, entry.raw)


async def check_memory(memory: Memory, session: aiohttp.ClientSession, start: int) -> int:
    """Check what was acknowledged from index `start` on, and every checkpoint not below; return the size."""
    async with session.get("/checkpoint") as response:
        newest = memory.see(await response.read())
    assert max(memory.acknowledged, default=0) < newest.size
    for head in {head for head in memory.heads.values() if head.size >= start}:
        assert head.size <= newest.size, "a checkpoint was signed and shown before it was durable"
        async with session.get(f"/v1/consistency?from={head.size}&to={newest.size}") as response:
            path = [b64decode(value) for value in (await response.json())["path"]]
        verify_consistency(head.size, head.root, newest.size, newest.root, path)
    entries = await read_entries(session, start - start % 256, newest.size)
    for index, raw in memory.acknowledged.items():
        assert index < start or entries[index] == raw
    return newest.size


async def read_entries(session: aiohttp.ClientSession, start: int, size: int) -> dict[int, bytes]:
    """Read entries from their bundles; `start` is a multiple of 256."""
    entries: dict[int, bytes] = {}
    for first in range(start, size, 256):
        width = min(256, size - first)
        number = first // 256
        partial = "" if width == 256 else f".p/{width}"
        async with session.get(f"/tile/entries/{number:03d}{partial}") as response:
            assert response.status == 200
            bundle = await response.read()
        at = 0
        for index in range(first, first + width):
            length = int.from_bytes(bundle[at : at + 2], "big")
            entries[index] = bundle[at + 2 : at + 2 + length]
            at += 2 + length
        assert at == len(bundle)
    return entries


def replay(url: str, directory: Path, *arguments: object) -> Json:
    """Run the verifier, which must say 0; return its report."""
    command = [sys.executable, "-m", "verifier", "replay", url, "--policy", str(directory / "policy.txt"), "--json"]
    done = subprocess.run(
        [*command, "--quiet", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def kill(server: ServerProcess) -> None:
    """Kill the server alone; its workers must end by themselves."""
    server.process.kill()
    server.process.wait()
    assert server.outlived(ORPHAN_DEADLINE_S) == [], "worker processes outlive their server"


async def remember(url: str, directory: Path) -> Memory:
    """Return a memory that knows the ledger, with one party registered."""
    async with aiohttp.ClientSession(url) as session:
        async with session.get("/v1/entries/0") as response:
            ledger = (await response.json())["statement_id"]
        policy = parse_policy((directory / "policy.txt").read_text())
        memory = Memory(policy, Speech(ledger, time.time_ns() // 1_000_000), person("alpha"))
        registration = signed(memory.speech.party_registered(memory.who), *memory.who.all_keys)
        async with session.post("/v1/statements", json=registration.document()) as response:
            assert response.status == 201
    return memory


async def load_and_kill(memory: Memory, session: aiohttp.ClientSession, server: ServerProcess, after_s: float) -> None:
    """Submit from all sides, and kill the server some time after its first answer."""
    before = len(memory.acknowledged)
    load = [asyncio.create_task(submit_lines(memory, session))]
    load += [asyncio.create_task(submit_one_by_one(memory, session)) for _ in range(SINGLES)]
    async with asyncio.timeout(PATIENCE_S):
        while len(memory.acknowledged) == before:
            await asyncio.sleep(0.01)
            assert not any(task.done() for task in load), server.said
    await asyncio.sleep(after_s)
    await asyncio.to_thread(kill, server)
    await asyncio.wait_for(asyncio.gather(*load), PATIENCE_S)


@pytest.mark.parametrize("seed", SEEDS)
async def test_nothing_acknowledged_is_lost_and_nothing_signed_is_contradicted(tmp_path: Path, seed: int) -> None:
    good("init", tmp_path, "--origin", "ledger.example/log", "--operator", "exchange")
    random = Random(seed)
    memory: Memory | None = None
    size = 0
    for round_number in range(KILLS):
        if round_number % 4 == 2:  # also while it starts
            with ServerProcess(tmp_path, environment()) as server:
                await asyncio.sleep(random.uniform(0.1, 0.9))
                await asyncio.to_thread(kill, server)
        with ServerProcess(tmp_path, environment()) as server:
            url = await asyncio.to_thread(server.wait_ready)
            memory = memory or await remember(url, tmp_path)
            async with aiohttp.ClientSession(url) as session:
                size = await check_memory(memory, session, size)
                if round_number % 4 == 3:
                    await asyncio.to_thread(replay, url, tmp_path, "--state", tmp_path / "state.json")
                await load_and_kill(memory, session, server, random.uniform(0, 0.5))

    assert memory is not None
    with ServerProcess(tmp_path, environment()) as server:
        url = await asyncio.to_thread(server.wait_ready)
        async with aiohttp.ClientSession(url) as session:
            size = await check_memory(memory, session, 0)
        await asyncio.to_thread(replay, url, tmp_path, "--state", tmp_path / "state.json")
        report = await asyncio.to_thread(replay, url, tmp_path)
        assert report["checkpoint"]["size"] == size
        assert len(memory.acknowledged) > KILLS
        server.process.terminate()
        assert await asyncio.to_thread(server.process.wait, 20) == 0
        assert "Traceback" not in server.said
