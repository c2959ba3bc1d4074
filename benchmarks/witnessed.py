"""Submission that waits for two of three witnesses on the same machine, against one that does not; a witness.

`python -m benchmarks.witnessed` runs this alone.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path

import aiohttp

from benchmarks.workload import PASSPHRASE, make_scene, offers, serving
from ledger.core.checkpoint import TreeHead, sign_checkpoint
from ledger.core.encoding import b64encode
from ledger.core.keys import SigningKey
from ledger.core.merkle import Node, consistency_ranges, grow, nodes_of, prove, range_hash
from ledger.core.note import ED25519_TYPE, NoteKey

WITNESSES = 3
QUORUM = 2
ROUNDS = 3
LOGS = 8
"""Logs that one witness is asked for at once, each over a connection of its own."""


@contextmanager
def witnessing(home: Path, name: str, policy: Path, *, lasting: bool = False) -> Iterator[str]:
    """Run a witness; yield its line of a policy, with its URL."""
    environment = {"VERIFIER_PASSPHRASE": PASSPHRASE, "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "verifier", "witness"]
    more = ["--ml-dsa-44"] if lasting else []
    make = [*command, "key", "new", str(home / f"{name}.json"), "--name", name, *more]
    line = subprocess.run(make, env=environment, check=True, capture_output=True, text=True).stdout.splitlines()[0]
    serve = [*command, "serve", "--policy", str(policy), "--key", str(home / f"{name}.json"), "--port", "0"]
    serve += ["--state", str(home / name)]
    with subprocess.Popen(serve, env=environment, stdout=subprocess.PIPE, text=True) as process:
        ready = process.stdout.readline() if process.stdout is not None else ""
        if "http" not in ready:
            raise RuntimeError("the witness did not start")
        try:
            yield f"{line} {ready.split()[-1]}"
        finally:
            process.terminate()
            process.wait()


def submission(home: Path, scale: int) -> tuple[float, float]:
    """Return statements per second without and with witnesses: the same lines, in turns."""
    count = 30_000 // scale
    with ExitStack() as stack:

        def options(directory: Path) -> list[str]:
            log = (directory / "policy.txt").read_text().splitlines()[1]
            policy = directory / "logs.txt"
            policy.write_text(f"{log}\nquorum none\n")
            names = [f"w{number}.example" for number in range(WITNESSES)]
            lines = [stack.enter_context(witnessing(directory, name, policy)) for name in names]
            group = f"group g {QUORUM} {' '.join(names)}\nquorum g\n"
            (directory / "witnesses.txt").write_text("\n".join([log, *lines, group]))
            return ["--witnesses", str(directory / "witnesses.txt"), "--await", "witnessed"]

        urls = [
            stack.enter_context(serving(home / "unwitnessed")),
            stack.enter_context(serving(home / "witnessed", options)),
        ]
        elapsed = [0.0, 0.0]
        scenes = [make_scene(url) for url in urls]
        for _ in range(ROUNDS):
            for which, (url, scene) in enumerate(zip(urls, scenes, strict=True)):
                lines = home / "lines"
                lines.write_bytes(b"\n".join(offers(scene, count)))
                command = [sys.executable, "-m", "benchmarks.submission", "stream", url, str(lines)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                elapsed[which] += count / float(done.stdout)
    return ROUNDS * count / elapsed[0], ROUNDS * count / elapsed[1]


def requests(origin: str, key: SigningKey, count: int) -> list[bytes]:
    """Return add-checkpoint bodies that grow a log by one entry each."""
    nodes: dict[Node, bytes] = {}
    grow(nodes, 0, [sha256(b"%d" % at).digest() for at in range(count)])
    bodies = []
    for size in range(1, count + 1):
        path = []
        if size > 1:
            ranges = consistency_ranges(size - 1, size)
            path = prove(ranges, {node: nodes[node] for node in nodes_of(ranges)})
        lines = "".join(b64encode(value) + "\n" for value in path)
        note = sign_checkpoint(origin, TreeHead(size, range_hash(0, size, nodes)), key)
        bodies.append(f"old {size - 1}\n{lines}\n".encode() + note)
    return bodies


async def _ask(url: str, bodies: list[list[bytes]]) -> float:
    async with aiohttp.ClientSession() as session:

        async def one(log: list[bytes]) -> None:
            for body in log:
                async with session.post(f"{url}/add-checkpoint", data=body) as response:
                    if response.status != 200:
                        raise RuntimeError(f"status {response.status}")
                    await response.read()

        start = time.perf_counter()
        await asyncio.gather(*(one(log) for log in bodies))
        return time.perf_counter() - start


def witness(home: Path, scale: int, *, lasting: bool) -> float:
    """Return cosigned checkpoints per second, durable, of `LOGS` logs; the client shares the machine."""
    count = 400 // scale
    keys = {f"log{number}.example": SigningKey.generate() for number in range(LOGS)}
    policy = home / "many.txt"
    lines = [f"log {NoteKey(origin, ED25519_TYPE, key.public.raw).vkey()}" for origin, key in keys.items()]
    policy.write_text("\n".join([*lines, "quorum none\n"]))
    bodies = [requests(origin, key, count) for origin, key in keys.items()]
    name = "both.example" if lasting else "one.example"
    with witnessing(home, name, policy, lasting=lasting) as line:
        return LOGS * count / asyncio.run(_ask(line.split()[-1], bodies))


def measure(home: Path, scale: int) -> None:
    """Measure and print."""
    plain, cosigned = submission(home, scale)
    words = f"statements/s, JSON lines, {QUORUM} of {WITNESSES} witnesses"
    print(f"{words:<44} {cosigned:>12,.0f} {plain:>12,.0f} {cosigned / plain:>8.2f}   ≥ 0.50", flush=True)
    for lasting, kind in ((False, "Ed25519"), (True, "Ed25519 and ML-DSA-44")):
        rate = witness(home, scale, lasting=lasting)
        print(f"{f'add-checkpoint/s, {kind}':<44} {rate:>12,.0f} {500:>12} {rate / 500:>8.2f}   ≥ 1", flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as place:
        measure(Path(place), 1)
