"""Whoever was configured is asked, and nobody else: no proxy that an environment names comes between."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cryptography.x509 import Certificate

from ledger.party.answers.transport import Transport
from ledger.party.errors import Unreachable
from ledger.server.copies.errors import CopyUnreadable
from ledger.server.copies.source import open_files
from ledger.server.log.intake.workers import Workers
from ledger.server.log.recovery.published import PublishedFile
from ledger.server.log.recovery.stamping import Authority
from ledger.server.log.recovery.witness_views import WitnessViews
from ledger.server.log.state.errors import NotStampedError
from tests.harness.running import House
from tests.harness.waiting import until
from tests.server.test_witnessing import Fake, policy_of, witnessed
from tests.verifier.watch.test_process import ALARM, answering, reply
from verifier.core.errors import SourceUnavailable
from verifier.sources.source import HttpSource
from verifier.watch.sinks import parse_webhook

GONE = "http://127.0.0.1:1"
"""Where nobody answers, unless a proxy did in its place."""


async def _client(_directory: Path, _workers: Workers) -> None:
    async with Transport(GONE, backoff_s=0.01) as transport:
        with pytest.raises(Unreachable):
            await transport.get("/checkpoint")


async def _restore(_directory: Path, _workers: Workers) -> None:
    async with open_files(GONE) as files:
        with pytest.raises(CopyUnreadable):
            await files.read("checkpoint", 1000)


async def _authority(_directory: Path, _workers: Workers) -> None:
    roots: list[Certificate] = []
    with pytest.raises(NotStampedError):
        await Authority(f"{GONE}/tsr", roots).stamp(b"text")


async def _witness(_directory: Path, workers: Workers) -> None:
    fake = Fake("w1")
    fake.url = f"{GONE}/w1"
    async with witnessed(workers, policy_of([fake], 1, must_await=False)) as log:
        assert log.publisher.witnessing is not None
        [seat] = log.publisher.witnessing.witnesses
        await until(lambda: seat.outcomes.total() > 0)
        assert set(seat.outcomes) == {"unreachable"}


async def _witness_at_start(directory: Path, _workers: Workers) -> None:
    views = WitnessViews(PublishedFile(directory), [GONE], House().identity.note_keys)
    assert await views.shown() == []


async def _verifier(_directory: Path, _workers: Workers) -> None:
    with pytest.raises(SourceUnavailable):
        HttpSource(GONE).read("checkpoint", 1000)


async def _webhook(_directory: Path, _workers: Workers) -> None:
    assert "Error" in parse_webhook(GONE).send(ALARM)


@pytest.mark.parametrize(
    "call",
    [_client, _restore, _authority, _witness, _witness_at_start, _verifier, _webhook],
    ids=lambda it: it.__name__,
)
async def test_no_proxy_is_asked(
    call: Callable[[Path, Workers], Awaitable[None]], tmp_path: Path, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Client, restore, time-stamps, witnesses, verifier and webhook speak with the address that they were given."""
    asked: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        reply(handler, 200, b"garbage")

    with answering(answer) as url:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, url)
        monkeypatch.setenv("no_proxy", "")
        await call(tmp_path, workers)
    assert asked == []
