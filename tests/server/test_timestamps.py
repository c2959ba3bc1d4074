"""Time-stamps of a real authority (`openssl ts`) for the log's checkpoints; and authorities that lie, stall or talk."""

from __future__ import annotations

import asyncio
import logging
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from cryptography.x509 import load_pem_x509_certificates

from ledger.core.note import parse_note
from ledger.server.log.intake.workers import Workers
from ledger.server.log.recovery import stamping
from ledger.server.log.recovery.stamping import stamp_forever, stamp_newest
from ledger.server.log.state.errors import NotStampedError
from ledger.server.node import DATABASE, stamp
from ledger.server.store.contract import StoreError, StoreLockedError
from ledger.server.store.sqlite import SQLiteStore
from tests.harness.memory_store import MemoryStore
from tests.harness.people import person
from tests.harness.running import House, Served, running, serving, submit_all
from tests.harness.tsa import REPLY, Authority, Server, serving_tsa
from tests.harness.verify import run_verifier
from tests.harness.waiting import until

ALPHA = person("alpha")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa") / "ec", kind="ec")


@pytest.fixture
def tsa(authority: Authority) -> Iterator[Server]:
    with serving_tsa(authority) as server:
        yield server


def client(server: Server, deadline_s: float = 20.0) -> stamping.Authority:
    return stamping.Authority(server.url, load_pem_x509_certificates(server.authority.root), deadline_s)


@pytest.fixture
async def served(workers: Workers) -> AsyncIterator[Served]:
    house = House()
    async with running(MemoryStore(), house, workers) as log:
        await submit_all(log, [house.created, house.registration(ALPHA)])
        async with serving(log) as served:
            yield served


async def keep(served: Served, server: Server) -> int | None:
    """Have the newest checkpoint stamped; return its size."""
    store = served.log.store
    kept = await stamp_newest(store, store.checkpoint, client(server))
    return None if kept is None else kept.size


async def test_a_checkpoint_is_stamped_kept_and_served(served: Served, tsa: Server, tmp_path: Path) -> None:
    """Once a size; openssl verifies what is served, over the text that anybody can write."""
    assert await keep(served, tsa) == 2
    assert await keep(served, tsa) is None
    assert (len(tsa.asked), tsa.content_types) == (1, ["application/timestamp-query"])
    async with aiohttp.ClientSession(served.url) as session:
        async with session.get("/v1/timestamps") as answer:
            page = await answer.json()
        async with session.get("/v1/timestamps/2") as answer:
            token, kind = await answer.read(), answer.content_type
        files = {}
        for name in ("sizes", "2.tsr", "2.checkpoint"):
            async with session.get(f"/timestamps/{name}") as answer:
                files[name] = await answer.read()
        for path in (
            "/v1/timestamps/1",
            "/v1/timestamps/3",
            "/timestamps/1.tsr",
            "/timestamps/02.tsr",
            "/timestamps/x",
        ):
            async with session.get(path) as answer:
                assert (answer.status, (await answer.json())["type"]) == (404, "not-found")
        async with session.get("/v1/timestamps/x") as answer:
            assert answer.status == 400
    assert (page["next"], page["size"], [item["size"] for item in page["items"]]) == (None, 2, [2])
    assert kind == REPLY
    assert files == {"sizes": b"2\n", "2.tsr": token, "2.checkpoint": page["items"][0]["checkpoint"].encode()}
    (tmp_path / "text").write_bytes(parse_note(files["2.checkpoint"]).text)
    (tmp_path / "token").write_bytes(token)
    (tmp_path / "root").write_bytes(tsa.authority.root)
    command = ["openssl", "ts", "-verify", "-data", "text", "-in", "token", "-CAfile", "root"]
    assert b"Verification: OK" in subprocess.run(command, cwd=tmp_path, check=True, capture_output=True).stdout


async def test_pages(served: Served, tsa: Server) -> None:
    """Ascending, with a cursor; what is newer than what readers are shown is not there yet."""
    house = House()
    sizes = [2, 3, 4]
    await keep(served, tsa)
    for _ in range(2):
        await submit_all(served.log, house.listings(ALPHA, 1))
        await keep(served, tsa)
    async with aiohttp.ClientSession(served.url) as session:
        found: list[int] = []
        cursor: int | None = 0
        while cursor is not None:
            async with session.get(f"/v1/timestamps?limit=1&cursor={cursor}") as answer:
                page = await answer.json()
            found += [item["size"] for item in page["items"]]
            cursor = page["next"]
        assert found == sizes
        async with session.get("/v1/timestamps?limit=0") as answer:
            assert answer.status == 400


async def test_a_stranger_dates_the_log_from_its_address(served: Served, tsa: Server, tmp_path: Path) -> None:
    """`verifier replay URL --tsa-roots`: what the log serves is enough."""
    await keep(served, tsa)
    policy, roots = tmp_path / "policy.txt", tmp_path / "roots.pem"
    policy.write_text(f"log {served.log.identity.note_key.vkey()}\nquorum none\n")
    roots.write_bytes(tsa.authority.root)
    arguments = [served.url, "--policy", str(policy), "--tsa-roots", str(roots), "--quiet", "--processes", "1"]
    verdict = await asyncio.to_thread(partial(run_verifier, "replay", *arguments))
    [dated] = verdict.report["times"]["dated"]
    assert (verdict.exit_code, dated["size"], dated["by"]) == (0, 2, "CN=Clock,O=Test")


def test_of_hostile_answers_none_is_kept(authority: Authority, tmp_path: Path) -> None:
    """Wrong nonce, wrong imprint, wrong key, no grant, no token, HTML, 10 MB: each is said, and nothing is returned."""
    text = b"ledger.example/log\n2\nAAAA\n"
    stranger = Authority(tmp_path / "stranger", kind="ec")
    replayed = authority.stamp(text)  # right in everything, but an answer to another question

    async def ask(server: Server) -> str:
        with pytest.raises(NotStampedError) as caught:
            await client(server, 2.0).stamp(text)
        return caught.value.why

    def answered(status: int, kind: str, body: bytes) -> str:
        with serving_tsa(authority) as server:
            server.answer = lambda _: (status, kind, body)
            return asyncio.run(ask(server))

    assert "Nonce mismatch" in answered(200, REPLY, replayed)
    assert "does not hold" in answered(200, REPLY, authority.stamp(b"another text"))
    assert "is none" in answered(200, REPLY, b"")
    assert "is none" in answered(200, REPLY, replayed[:-1])
    assert "does not hold" in answered(200, REPLY, bytes.fromhex("30053003020102"))  # a rejection
    assert "'text/html'" in answered(200, "text/html", b"<html><body>Welcome</body></html>")
    assert "is none" in answered(200, REPLY, b"<html><body>Welcome</body></html>")
    assert "status 503" in answered(503, REPLY, replayed)
    assert "more than 65536 bytes" in answered(200, REPLY, bytes(10_000_000))
    with serving_tsa(stranger) as server:
        server.authority = authority  # asked with the roots of another
        server.answer = lambda query: (200, REPLY, stranger.reply(query))
        assert "does not hold" in asyncio.run(ask(server))
    with serving_tsa(authority) as server:
        good = server.answer
        server.answer = lambda query: (200, REPLY, good(query)[2][:-1] + b"\x00")
        assert "does not hold" in asyncio.run(ask(server))


def redirected(status: int, _query: bytes) -> tuple[int, str, bytes]:
    return status, REPLY, b""


async def test_nobody_else_is_asked(authority: Authority, tsa: Server) -> None:
    """A redirect to a machine inside is not followed."""
    with serving_tsa(authority) as inside:
        for status in (301, 302, 303, 307, 308):
            tsa.location = inside.url
            tsa.answer = partial(redirected, status)
            with pytest.raises(NotStampedError, match=f"status {status}"):
                await client(tsa).stamp(b"text\n")
        assert inside.asked == []


async def test_a_byte_now_and_then_ends_at_the_deadline(tsa: Server) -> None:
    """However steadily it trickles; and where nobody listens, that is said."""
    tsa.pace_s = 0.05  # the whole answer would take minutes
    with pytest.raises(NotStampedError, match="no whole answer in 1 s"):
        await client(tsa, 1.0).stamp(b"text\n")
    nobody = stamping.Authority("http://127.0.0.1:9/", load_pem_x509_certificates(tsa.authority.root), 5.0)
    with pytest.raises(NotStampedError):
        await nobody.stamp(b"text\n")


async def test_the_task_goes_on_after_failures(served: Served, tsa: Server, caplog: pytest.LogCaptureFixture) -> None:
    """The log itself is not touched: it records on while the authority is down, and stamps when it is back."""
    caplog.set_level(logging.INFO)
    good, tsa.answer = tsa.answer, lambda _: (500, REPLY, b"")
    store = served.log.store
    task = asyncio.create_task(stamp_forever(store, store.checkpoint, client(tsa), 0.05))
    await until(lambda: len(tsa.asked) >= 2)
    await submit_all(served.log, House().listings(ALPHA, 1))
    tsa.answer = good
    await until(lambda: "time-stamped at size 3" in caplog.text)
    task.cancel()
    assert await store.stamp_sizes(0, 10) == [3]
    assert "status 500" in caplog.text


async def test_nothing_to_stamp(tsa: Server) -> None:
    store = MemoryStore()
    with pytest.raises(NotStampedError, match="no checkpoint yet"):
        await stamp_newest(store, store.checkpoint, client(tsa))
    assert tsa.asked == []


async def test_a_ledger_that_nobody_serves(tsa: Server, tmp_path: Path, workers: Workers) -> None:
    """Durable: it is there when the file is opened again; while another process has it, nothing is asked."""
    with pytest.raises(StoreError, match="holds no ledger"):
        await stamp(tmp_path, client(tsa))
    house = House()
    store = await SQLiteStore.open(tmp_path / DATABASE)
    async with running(store, house, workers) as log:
        await submit_all(log, [house.created])
        with pytest.raises(StoreLockedError):
            await stamp(tmp_path, client(tsa))
    await store.close()
    kept = await stamp(tmp_path, client(tsa))
    assert kept is not None
    store = await SQLiteStore.open(tmp_path / DATABASE)
    assert await store.stamp(1) == kept
    await store.close()
    assert re.fullmatch(rb"ledger\.example/log\n1\n.*", parse_note(kept.note).text, re.DOTALL)
