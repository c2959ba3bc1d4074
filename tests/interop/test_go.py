"""Foreign programs in Go: golang.org/x/mod/sumdb, filippo.io/torchwood and its witness, litewitness.

They are built once into Go's own cache.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.core.encoding import b64encode
from ledger.core.hashing import EMPTY_ROOT
from ledger.core.note import COSIGNATURE_TYPE, NoteKey
from ledger.server.log.intake.workers import Workers
from ledger.server.log.log import Log
from ledger.server.log.witnesses import asking
from ledger.server.log.witnesses.policy import read_witness_policy
from tests.harness.memory_store import MemoryStore
from tests.harness.needs import do_without, need
from tests.harness.people import key, person
from tests.harness.running import Clock, House, serving, submit_all
from tests.harness.witness import LastingWitness, Witness
from tests.harness.witnesses import BareLog, WitnessProcess

GO = Path(__file__).parent / "go"
BUILD_S = 300
HOUSE = House("interop")
ALPHA = person("alpha.example", "interop alpha")


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where `peer` and `litewitness` are."""
    go = need("go")
    place = tmp_path_factory.mktemp("go")
    command = [go, "build", "-mod=mod", "-o", f"{place}/", ".", "filippo.io/torchwood/cmd/litewitness"]
    module = place / "module"
    shutil.copytree(GO, module)  # -mod=mod writes beside the sources
    done = subprocess.run(command, cwd=module, capture_output=True, text=True, timeout=BUILD_S, check=False)
    if done.returncode and re.search(r"proxy\.golang\.org|dial tcp|lookup |requires go|toolchain", done.stderr):
        do_without(f"the foreign programs cannot be had: {done.stderr.strip()[-300:]}")
    assert done.returncode == 0, done.stderr
    return place


def peer(programs: Path, *arguments: str, note: bytes | None = None) -> str:
    """Run the foreign client, and return what it prints."""
    done = subprocess.run([programs / "peer", *arguments], input=note, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_our_notes_are_read_by_sumdb(programs: Path) -> None:
    log, witness, lasting = BareLog(), Witness("w.example/w"), LastingWitness("lasting.example")
    raw = lasting.cosign(witness.cosign(log.note(7)))
    vkeys = [log.note_key.vkey(), witness.note_key.vkey()]
    assert peer(programs, "note", *vkeys, note=raw).split() == [log.origin, "w.example/w"]
    for spoilt in (raw.replace(b"\n7\n", b"\n8\n"), raw[:-1], raw.replace(b"w.example/w ", b"w.example/x ")):
        done = subprocess.run([programs / "peer", "note", *vkeys], input=spoilt, capture_output=True, check=False)
        names = done.stdout.split()
        assert done.returncode == 1 or names == [log.origin.encode()]


async def test_our_tiles_are_read_and_our_witness_is_fed_by_torchwood(
    programs: Path, workers: Workers, tmp_path: Path
) -> None:
    vkey = HOUSE.identity.note_key.vkey()
    log = Log(MemoryStore(), HOUSE.identity, workers, Clock())
    await log.start()
    await submit_all(log, [HOUSE.created])
    with WitnessProcess(tmp_path / "w", f"log {vkey}\nquorum none\n", "w.example/w", lasting=True) as witness:
        url = witness.wait_ready()
        async with serving(log) as served:
            before = 0
            for envelopes in ([HOUSE.registration(ALPHA)], HOUSE.listings(ALPHA, 600)):
                await submit_all(log, envelopes)
                size = log.published.head.size if log.published else 0
                entries = await log.store.entries(0, size)
                read = await asyncio.to_thread(peer, programs, "read", served.url, vkey)
                assert read.split() == [str(size), sha256(b"".join(entries)).hexdigest()]
                fed = await asyncio.to_thread(peer, programs, "feed", served.url, vkey, url, witness.vkeys[0])
                assert fed.split() == [str(before), str(size)]
                before = size


def _answers(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def litewitness(programs: Path, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Run litewitness for our log; give its URL and its vkey."""
    seed = key("litewitness")
    place = tmp_path / "s"
    agent = subprocess.Popen([programs / "peer", "agent", place, seed.seed.hex()], stdout=subprocess.PIPE, text=True)
    assert agent.stdout is not None
    fingerprint = agent.stdout.readline().strip()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command: list[str | Path] = [
        programs / "litewitness",
        "-name",
        "lite.example/w",
        "-db",
        tmp_path / "lite.db",
        "-ssh-agent",
        place,
    ]
    command += ["-key", fingerprint, "-listen", f"127.0.0.1:{port}"]
    with (tmp_path / "said").open("wb") as said:
        witness = subprocess.Popen(command, stdout=said, stderr=said)
    try:
        deadline = time.monotonic() + 20
        while not _answers(port):
            assert witness.poll() is None, (tmp_path / "said").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with closing(sqlite3.connect(tmp_path / "lite.db")) as database, database:
            origin = HOUSE.identity.origin
            root = b64encode(EMPTY_ROOT)
            database.execute("INSERT INTO log (origin, tree_size, tree_hash) VALUES (?, 0, ?)", (origin, root))
            database.execute("INSERT INTO key (origin, key) VALUES (?, ?)", (origin, HOUSE.identity.note_key.vkey()))
        vkey = NoteKey("lite.example/w", COSIGNATURE_TYPE, seed.public.raw).vkey()
        assert vkey in (tmp_path / "said").read_text()
        yield f"http://127.0.0.1:{port}/", vkey
    finally:
        for process in (witness, agent):
            process.kill()
            process.wait()
        agent.stdout.close()


async def test_our_log_is_witnessed_by_litewitness(
    litewitness: tuple[str, str], workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MAX_CLOCK_DIFFERENCE_S", 10**10)  # the log's clock here stands still
    url, vkey = litewitness
    text = f"log {HOUSE.identity.note_key.vkey()}\nwitness lite {vkey} {url}\nquorum lite\n"
    witness_policy = read_witness_policy(text, [HOUSE.identity.note_key], must_await=True)
    store = MemoryStore()
    first = Log(store, HOUSE.identity, workers, Clock())
    await first.start()
    await submit_all(first, [HOUSE.created, HOUSE.registration(ALPHA)])
    await first.stop()
    log = Log(store, HOUSE.identity, workers, Clock(), witness_policy=witness_policy)
    await log.start()
    try:
        for count in (1, 30, 300):
            recorded = await submit_all(log, HOUSE.listings(ALPHA, count))
            assert {item.witnessed for item in recorded} == {True}
            assert witness_policy.policy.open_checkpoint(recorded[-1].checkpoint).head.size > recorded[-1].entry.index
    finally:
        await log.stop()
