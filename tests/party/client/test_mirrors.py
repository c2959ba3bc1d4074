"""A client whose ledger is gone: mirrors answer for what can be proved, and for nothing else."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ledger.party.client.client import LedgerClient
from ledger.party.errors import ForkDetected, Unfit, Unproven, Unreachable
from ledger.party.vault.vault import Vault
from ledger.server.log.intake.workers import Workers
from tests.harness.memory_store import MemoryStore
from tests.harness.people import person
from tests.harness.running import House, running, serving, submit_all
from tests.harness.speech import signed
from verifier.core.policy import parse_policy
from verifier.mirror.mirror import mirror

GONE = "http://127.0.0.1:1"


@asynccontextmanager
async def mirrored(directory: Path, house: House, workers: Workers, count: int, label: str) -> AsyncIterator[str]:
    """Make a log of so many listings, mirror it, let it go, and serve the mirror."""
    alpha = person("alpha")
    policy = f"log {house.identity.note_key.vkey()}\nquorum none\n"
    directory.mkdir()
    (directory / "policy").write_text(policy)
    async with running(MemoryStore(), house, workers) as log:
        listings = [house.speech.listing_registered(alpha, f"{label} {number}") for number in range(count)]
        await submit_all(
            log, [house.created, house.registration(alpha), *(signed(item, alpha.key) for item in listings)]
        )
        async with serving(log) as served:
            trusted = parse_policy(policy.encode())
            copied = await asyncio.to_thread(
                mirror, served.url, directory / "mirror", trusted, trusted.logs[0], lambda *_: None
            )
            assert copied.failures == []
    arguments = ["mirror", str(directory / "mirror"), "--serve", "--port", "0", "--policy", str(directory / "policy")]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "verifier", *arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        while b"Serving" not in (line := await process.stdout.readline()):
            assert line
        yield line.decode().split()[-1].removesuffix("/checkpoint")
    finally:
        process.terminate()
        await process.communicate()


async def test_what_can_be_proved_is_read_from_a_mirror(workers: Workers, tmp_path: Path) -> None:
    """Identity, checkpoint, entries, statements; the operator's word is not to be had."""
    house = House()
    async with mirrored(tmp_path / "one", house, workers, 5, "Set") as url:
        vault = Vault(tmp_path / "vault")
        async with LedgerClient(GONE, house.policy, vault, mirrors=[GONE, url], backoff_s=0.01) as client:
            assert (await client.checkpoint()).head.size == 7
            assert (await client.identity()).id == house.created.id
            found = await client.entry(6)
            assert (await client.statement(found.statement_id)).index == 6
            with pytest.raises(Unreachable):
                await client.listings()
            with pytest.raises(Unreachable):
                await client.submit(house.created)
        async with LedgerClient(GONE, house.policy, backoff_s=0.01) as client:
            with pytest.raises(Unreachable):
                await client.checkpoint()
    with pytest.raises(Unfit):
        LedgerClient(GONE, house.policy, mirrors=["file:///etc"])


async def test_two_mirrors_of_two_histories_are_a_fork(workers: Workers, tmp_path: Path) -> None:
    """What one has shown is remembered, and the other contradicts it."""
    house, vault = House(), Vault(tmp_path / "vault")
    async with (
        mirrored(tmp_path / "one", house, workers, 5, "Set") as one,
        mirrored(tmp_path / "other", house, workers, 5, "Other") as other,
    ):
        async with LedgerClient(GONE, house.policy, vault, mirrors=[one], backoff_s=0.01) as client:
            await client.checkpoint()
        async with LedgerClient(GONE, house.policy, vault, mirrors=[other], backoff_s=0.01) as client:
            with pytest.raises((ForkDetected, Unproven)):
                await client.checkpoint()
