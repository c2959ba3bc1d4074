"""A mirror that is served: every reader works on it, and the ledger is gone."""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import pytest

from tests.harness.tsa import Authority
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.verifier.builder import statement_name
from tests.verifier.replay.test_replay import MANY
from tests.verifier.sources.test_remembered import early, forked
from verifier.core.policy import parse_policy
from verifier.core.tree import verify_consistency
from verifier.replay.receipt import verify_receipt

SIZE = len(MANY.entries)
_READY = re.compile(r"Serving the mirror at (http://127\.0\.0\.1:\d+)/checkpoint")
START_S = PATIENCE_S


class Mirror:
    """`verifier mirror … --serve` as a process."""

    def __init__(self, tmp_path: Path, *arguments: object) -> None:
        policy = tmp_path / "policy.txt"
        policy.write_text(MANY.policy())
        self.said = tmp_path / "said"
        options = ["--serve", "--port", "0", "--policy", str(policy), "--quiet", "--interval", "0.2"]
        with self.said.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "verifier", "mirror", *map(str, arguments), *options],
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )

    def __enter__(self) -> Self:
        """Wait until it answers."""
        deadline = time.monotonic() + START_S
        while not (found := _READY.search(self.said.read_text())):
            assert self.process.poll() is None, self.said.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        self.url = found[1]
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it, which it does in order."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=START_S) == 0

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"{self.url}/{path}") as response:
            return bytes(response.read())

    def status(self, path: str) -> int:
        try:
            self.get(path)
        except urllib.error.HTTPError as error:
            return error.code
        return 200

    def wait_for(self, size: int) -> None:
        deadline = time.monotonic() + START_S
        while self.get("checkpoint").split(b"\n")[1] != b"%d" % size:
            assert time.monotonic() < deadline, self.said.read_text()
            time.sleep(0.05)


def verifier(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "verifier", *map(str, arguments)], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Serve a mirror without any source: the ledger is gone."""
    place = tmp_path_factory.mktemp("served")
    MANY.write(place / "mirror")
    stamps = place / "mirror" / "timestamps"
    stamps.mkdir()
    note = early(300).note()
    token = Authority(place / "tsa", kind="ec").stamp(note.rpartition(b"\n\n")[0] + b"\n")
    (stamps / "sizes").write_bytes(b"300\n%d\n" % (SIZE + 1))
    for size in (300, SIZE + 1):
        (stamps / f"{size}.tsr").write_bytes(token)
        (stamps / f"{size}.checkpoint").write_bytes(note)
    with Mirror(place, place / "mirror") as mirror:
        yield mirror


def test_a_served_mirror_is_the_log_byte_for_byte(served: Mirror, tmp_path: Path) -> None:
    """Every file, partial tiles of older sizes too; a replay and a mirror of it verify."""
    for path, raw in MANY.files().items():
        assert served.get(path) == raw
    for path, raw in early(300).files().items():
        if path != "checkpoint":
            assert served.get(path) == raw
    policy = tmp_path / "policy.txt"
    policy.write_text(MANY.policy())
    for command in (("replay", served.url), ("mirror", served.url, tmp_path / "again")):
        ended = verifier(*command, "--policy", policy)
        assert ended.returncode == 0, ended.stdout


def test_receipts_entries_and_consistency_are_made_of_tiles(served: Mirror) -> None:
    """They verify as the ledger's own do."""
    policy = parse_policy(MANY.policy().encode())
    for index in (0, 255, 256, 511, 512, SIZE - 1):
        receipt = served.get(f"v1/receipts/{index}")
        assert verify_receipt(receipt, MANY.entries[index], policy, policy.logs[0]).failures == []
        entry = json.loads(served.get(f"v1/entries/{index}"))
        assert base64.b64decode(entry["entry"]) == MANY.entries[index]
        assert entry["receipt"].encode() == receipt
        payload = base64.b64decode(json.loads(MANY.entries[index])["statement"]["payload"])
        assert entry["statement"] == json.loads(payload)
        assert entry["statement_id"] == statement_name(payload)
        assert json.loads(served.get(f"v1/statements/{entry['statement_id']}")) == entry
    path = json.loads(served.get(f"v1/consistency?from=300&to={SIZE}"))["path"]
    verify_consistency(300, MANY.root(300), SIZE, MANY.root(), [base64.b64decode(item) for item in path])


def test_time_stamps_are_as_the_ledger_has_them(served: Mirror, tmp_path: Path) -> None:
    """Another mirror takes them over; those of a larger tree than what is served were copied a moment too early."""
    (tmp_path / "policy.txt").write_text(MANY.policy())
    assert verifier("mirror", served.url, tmp_path / "again", "--policy", tmp_path / "policy.txt").returncode == 0
    names = ("sizes", "300.tsr", "300.checkpoint")
    found = {name: served.get(f"timestamps/{name}") for name in names}
    assert found["sizes"] == b"300\n"
    assert found["300.checkpoint"] == early(300).note()
    assert found == {name: (tmp_path / "again" / "timestamps" / name).read_bytes() for name in names}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"timestamps/{SIZE + 1}.tsr", 404),
        ("timestamps/4.tsr", 404),
        ("timestamps/03.tsr", 404),
        ("timestamps/..%2fcheckpoint", 404),
        (f"v1/receipts/{SIZE}", 404),
        ("v1/receipts/9007199254740993", 400),
        ("v1/receipts/9223372036854775808", 400),
        ("v1/receipts/01", 400),
        ("v1/receipts/0?size=3", 404),
        ("v1/entries/-1", 400),
        ("v1/statements/sha256:" + "0" * 64, 404),
        ("v1/statements/nothing", 400),
        ("v1/consistency?from=0&to=3", 400),
        (f"v1/consistency?from=1&to={SIZE + 1}", 400),
        ("v1/consistency", 400),
        ("tile/0/000%2ep/3", 404),
        ("tile/0/../../policy.txt", 404),
        ("tile/0/..%2f..%2f..%2fpolicy.txt", 404),
        ("tile/9/000", 404),
        (".statements", 404),
        ("v1/parties", 404),
    ],
)
def test_bad_requests_get_a_clear_answer(path: str, status: int, served: Mirror) -> None:
    assert served.status(path) == status


def test_garbage_and_silence_do_not_stop_it(served: Mirror) -> None:
    """What is no HTTP is answered or cut, and the next request is served."""
    port = int(served.url.rpartition(":")[2])
    for raw in (b"\x00" * 100, b"GET / HTTP/1.1\r\n" + b"a: " + b"b" * 20_000 + b"\r\n\r\n", b"GET"):
        with socket.create_connection(("127.0.0.1", port)) as silent:
            silent.sendall(raw)
    with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        connection.request("POST", "/checkpoint", body=b"x")
        response = connection.getresponse()
        assert response.status == 405
        assert b"Python" not in response.read() + str(response.headers).encode()
    assert served.status("checkpoint") == 200


def test_it_follows_what_can_be_verified_and_nothing_else(tmp_path: Path) -> None:
    """The source grows, then forks: what is served stays with what was verified."""
    source = early(300).write(tmp_path / "log")
    with Mirror(tmp_path, source, tmp_path / "mirror") as mirror:
        mirror.wait_for(300)
        MANY.write(source)
        mirror.wait_for(SIZE)
        name = json.loads(mirror.get(f"v1/entries/{SIZE - 1}"))["statement_id"]
        assert mirror.status(f"v1/statements/{name}") == 200
        forked(3).write(source)
        wait_until(lambda: "fork" in mirror.said.read_text())
        assert mirror.get("checkpoint") == MANY.note()
        MANY.write(source)


def test_it_serves_what_it_has_where_the_source_is_gone(tmp_path: Path) -> None:
    """A restart without the ledger is what a mirror is for; a source that lies at the start is not served over it."""
    MANY.write(tmp_path / "mirror")
    with Mirror(tmp_path, "http://127.0.0.1:1", tmp_path / "mirror") as mirror:
        assert mirror.get("checkpoint") == MANY.note()
    policy = tmp_path / "policy.txt"
    lie = forked(3).write(tmp_path / "lie")
    ended = verifier("mirror", lie, tmp_path / "mirror", "--serve", "--port", "0", "--policy", policy)
    assert ended.returncode == 1
    assert "fork" in ended.stdout
    assert verifier("mirror", tmp_path / "mirror", "--policy", policy).returncode == 2
