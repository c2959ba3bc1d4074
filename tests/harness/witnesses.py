"""Witnesses that run as processes of their own, and a log of bare hashes to be witnessed."""

from __future__ import annotations

import http.client
import re
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from ledger.core.checkpoint import TreeHead, sign_checkpoint
from ledger.core.encoding import b64encode
from ledger.core.merkle import Node, consistency_ranges, grow, nodes_of, prove, range_hash
from ledger.core.note import ED25519_TYPE, NoteKey
from tests.harness.people import key
from tests.harness.waiting import PATIENCE_S

START_S = PATIENCE_S
PASSPHRASE = "a witness's passphrase"
_READY = re.compile(r"Witnessing \d+ logs on (http://127\.0\.0\.1:\d+)")


class BareLog:
    """A log of leaf hashes; `branch` makes another history from `fork_at` on."""

    def __init__(self, origin: str = "ledger.example/log", size: int = 300, *, fork_at: int | None = None) -> None:
        """Grow it to `size`."""
        self.origin = origin
        self.key = key(f"log {origin}")
        self.note_key = NoteKey(origin, ED25519_TYPE, self.key.public.raw)
        self._nodes: dict[Node, bytes] = {}
        branch = size if fork_at is None else fork_at
        leaves = [sha256(b"%d%s" % (at, b"" if at < branch else b" other")).digest() for at in range(size)]
        grow(self._nodes, 0, leaves)

    @property
    def policy(self) -> str:
        return f"log {self.note_key.vkey()}\nquorum none\n"

    def head(self, size: int) -> TreeHead:
        return TreeHead(size, range_hash(0, size, self._nodes) if size else sha256().digest())

    def note(self, size: int) -> bytes:
        return sign_checkpoint(self.origin, self.head(size), self.key)

    def path(self, old: int, new: int) -> list[bytes]:
        ranges = consistency_ranges(old, new)
        return prove(ranges, {node: self._nodes[node] for node in nodes_of(ranges)})

    def request(self, old: int, new: int, note: bytes | None = None, path: list[bytes] | None = None) -> bytes:
        """Return the body of an add-checkpoint."""
        if path is None:
            path = self.path(old, new) if 0 < old <= new else []
        lines = "".join(b64encode(value) + "\n" for value in path)
        return f"old {old}\n{lines}\n".encode() + (self.note(new) if note is None else note)


class Answer(NamedTuple):
    """What a witness said."""

    status: int
    content_type: str
    body: bytes


def ask(url: str, method: str, path: str, body: bytes | None = None) -> Answer:
    """Ask a witness over a connection of its own."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_S)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return Answer(response.status, response.headers.get_content_type(), response.read())
    finally:
        connection.close()


class WitnessProcess:
    """`verifier witness serve` as a process, with its key and state below a directory; `vkeys` are its public keys."""

    def __init__(self, directory: Path, policy: str, name: str = "w1.example", *, lasting: bool = False) -> None:
        """Make the key where there is none, and start the witness."""
        directory.mkdir(exist_ok=True)
        self.directory = directory
        self.name = name
        self.key_file = directory / "key.json"
        (directory / "passphrase").write_text(PASSPHRASE)
        (directory / "policy.txt").write_text(policy)
        if not self.key_file.exists():
            more = ["--ml-dsa-44"] if lasting else []
            done = self._command("key", "new", str(self.key_file), "--name", name, *more)
            (directory / "vkeys").write_text(done.stdout)
        self.lines = (directory / "vkeys").read_text().splitlines()
        self.vkeys = [line.split()[2] for line in self.lines]
        self.process = self.start()

    def _command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "verifier", "witness", *arguments]
        return subprocess.run(
            [*words, "--passphrase-file", str(self.directory / "passphrase")],
            check=True,
            capture_output=True,
            text=True,
        )

    def start(self, port: int = 0) -> subprocess.Popen[bytes]:
        """Start it, without waiting."""
        words = [sys.executable, "-m", "verifier", "witness", "serve", "--port", str(port)]
        for option, name in (("policy", "policy.txt"), ("key", "key.json"), ("state", "state")):
            words += [f"--{option}", str(self.directory / name)]
        words += ["--passphrase-file", str(self.directory / "passphrase")]
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT)
        return self.process

    @property
    def _said(self) -> Path:
        return self.directory / "said"

    @property
    def said(self) -> str:
        return self._said.read_text()

    def wait_ready(self) -> str:
        """Return its address once it takes connections."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if found := _READY.search(self.said):
                return found[1]
            assert self.process.poll() is None, self.said
            time.sleep(0.02)
        raise AssertionError(f"the witness did not start: {self.said}")

    def __enter__(self) -> Self:
        """Leave it running."""
        return self

    def __exit__(self, *_: object) -> None:
        """Kill it, whatever became of the test."""
        self.process.kill()
        self.process.wait()
