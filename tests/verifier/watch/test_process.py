"""`verifier watch` as a process: killed at any moment, and between hostile sources, webhooks and commands."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.harness.waiting import PATIENCE_S, wait_until
from tests.verifier.builder import Builder, small_ledger
from tests.verifier.cli.test_cli import verifier
from verifier.core.errors import SourceUnavailable, UsageError
from verifier.sources import source
from verifier.sources.source import HttpSource
from verifier.watch.sinks import append_line, parse_webhook, run_command

ALARM = {"id": "a" * 32, "kind": "names-me"}
WAIT_S = PATIENCE_S


@contextmanager
def answering(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """Serve whatever `answer` writes, to GET and to POST."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer(self)

        def do_POST(self) -> None:
            answer(self)

        def finish(self) -> None:
            with suppress(OSError):  # whoever gave up on us does not wait for the rest
                super().finish()

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        httpd.daemon_threads = True
        threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}).start()
        try:
            yield f"http://127.0.0.1:{httpd.server_port}"
        finally:
            httpd.shutdown()


def reply(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def put(log: Builder, directory: Path) -> None:
    """Write the log, its checkpoint last, as a mirror does."""
    files = log.files()
    note = files.pop("checkpoint")
    for path, raw in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(raw)
    (directory / "new").write_bytes(note)
    (directory / "new").replace(directory / "checkpoint")


def test_killed_again_and_again_it_tells_everything_once(tmp_path: Path) -> None:
    """Kill -9 at many moments while the log grows: each entry that concerns me is told once, and none is left out."""
    log = small_ledger()
    put(log, tmp_path / "log")
    (tmp_path / "policy").write_text(log.policy())
    alarms = tmp_path / "alarms"
    arguments = [tmp_path / "log", "--policy", tmp_path / "policy", "--state", tmp_path / "state", "--quiet"]
    arguments += ["--party", "acme", "--alarms", alarms, "--interval", "0.1", "--processes", "1"]
    verifier("watch", *arguments, "--once", code=0)
    wanted = set()
    for round_number in range(8):
        process = subprocess.Popen([sys.executable, "-m", "verifier", "watch", *map(str, arguments)])
        for number in range(3):
            wanted.add(len(log.entries))
            log.list_dataset("acme", title=f"{round_number} {number}")
            put(log, tmp_path / "log")
            time.sleep(0.03 * round_number)
        time.sleep(0.12 * (round_number % 4))
        process.send_signal(signal.SIGKILL)
        process.wait()
    verifier("watch", *arguments, "--once", code=0)
    told = [json.loads(line) for line in alarms.read_text().splitlines()]
    assert sorted(alarm["index"] for alarm in told if alarm["kind"] == "key-used") == sorted(wanted)
    assert len({alarm["id"] for alarm in told}) == len(told)


def test_it_stops_when_asked_and_says_by_its_exit_code(tmp_path: Path) -> None:
    """0, 1, 2, 3; metrics; and SIGTERM."""
    log = small_ledger()
    put(log, tmp_path / "log")
    (tmp_path / "policy").write_text(log.policy())
    common = ["--policy", tmp_path / "policy", "--state", tmp_path / "state", "--quiet", "--metrics", tmp_path / "m"]
    started = json.loads(verifier("watch", tmp_path / "log", *common, "--once", code=0))
    assert (started["kind"], started["size"]) == ("started", len(log.entries))
    assert "provenance_watch_sources_up 1\n" in (tmp_path / "m").read_text()
    verifier("watch", tmp_path / "nowhere", *common, "--once", code=3)
    verifier("watch", tmp_path / "log", *common, "--webhook", "ftp://x/", "--once", code=2)
    verifier("watch", tmp_path / "log", *common, "--own", tmp_path / "nowhere", "--once", code=2)
    (tmp_path / "log/checkpoint").write_bytes(log.note(root=bytes(32)))
    assert "false" in verifier("watch", tmp_path / "log", *common, "--once", code=1)
    put(log, tmp_path / "log")
    (tmp_path / "m").unlink()
    process = subprocess.Popen([sys.executable, "-m", "verifier", "watch", *map(str, [tmp_path / "log", *common])])
    wait_until((tmp_path / "m").exists)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=WAIT_S) == 0


def test_a_webhook_gets_alarms_and_leads_nowhere() -> None:
    """Only the address that was configured is asked: no redirect, no answer that is read, no time without end."""
    asked: list[tuple[str, Any]] = []

    def take(handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        asked.append((handler.path, json.loads(body)))
        if handler.path == "/moved":
            reply(handler, 307, Location="/elsewhere")
        elif handler.path == "/large":
            reply(handler, 200, bytes(10 << 20))
        else:
            reply(handler, 200 if handler.path == "/hook?x=1" else 500)

    with answering(take) as url:
        assert parse_webhook(f"{url}/hook?x=1").send(ALARM) == ""
        assert parse_webhook(f"{url}/moved").send(ALARM) == "status 307"
        assert parse_webhook(f"{url}/large").send(ALARM) == ""
        assert parse_webhook(f"{url}/broken").send(ALARM) == "status 500"
    assert [path for path, _ in asked] == ["/hook?x=1", "/moved", "/large", "/broken"]
    assert all(body == ALARM for _, body in asked)
    assert "Error" in parse_webhook("http://127.0.0.1:1/").send(ALARM)
    for url in (
        "file:///etc/passwd",
        "http://",
        "http://me:secret@x/",
        "http://x:99999/",
        "http://x/\r\nHost: y",
        "x",
        "",
    ):
        with pytest.raises(UsageError):
            parse_webhook(url)


def test_a_silent_webhook_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never an answer, or one byte a second."""
    monkeypatch.setattr("verifier.watch.sinks.WEBHOOK_S", 0.2)
    monkeypatch.setattr(source, "SILENCE_S", 0.2)
    monkeypatch.setattr(source, "DEADLINE_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert "Timeout" in parse_webhook(f"http://127.0.0.1:{silent.getsockname()[1]}/").send(ALARM)

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        for byte in itertools.cycle(b"HTTP/1.1 200 OK\r\n"):  # until whoever asked is gone
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(0.1)

    with answering(trickle) as url:
        assert "Timeout" in parse_webhook(url).send(ALARM)


def test_a_command_gets_the_alarm_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument list, no shell; what fails or hangs is told."""
    out = tmp_path / "out; touch pwned"
    script = f"import sys; open({str(out)!r}, 'w').write(sys.stdin.read())"
    assert run_command([sys.executable, "-c", script], ALARM) == ""
    assert json.loads(out.read_text()) == ALARM
    assert run_command([sys.executable, "-c", "raise SystemExit(3)"], ALARM) == "exit code 3"
    assert "FileNotFound" in run_command([str(tmp_path / "none")], ALARM)
    monkeypatch.setattr("verifier.watch.sinks.COMMAND_S", 0.2)
    assert "Timeout" in run_command([sys.executable, "-c", "import time; time.sleep(60)"], ALARM)


def test_a_line_is_appended_once(tmp_path: Path) -> None:
    """Even behind a line that a crash has cut."""
    path = tmp_path / "alarms"
    for _ in range(2):
        assert append_line(path, ALARM) == ""
    path.write_bytes(path.read_bytes() + b'{"id": "b')
    assert append_line(path, {"id": "c" * 32}) == ""
    lines = path.read_text().splitlines()
    assert [json.loads(lines[0]), json.loads(lines[2])] == [ALARM, {"id": "c" * 32}]
    assert append_line(tmp_path, ALARM) != ""
    assert os.stat(path).st_mode & 0o077 == 0  # noqa: PTH116


def send(handler: BaseHTTPRequestHandler, raw: bytes) -> None:
    """Send these bytes, and no more."""
    handler.close_connection = True
    handler.wfile.write(raw)


HOSTILE: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {
    "10 MB": lambda handler: reply(handler, 200, bytes(10 << 20)),
    "a bomb": lambda handler: reply(handler, 200, gzip.compress(bytes(1 << 26)), Content_Encoding="gzip"),
    "gzip that is none": lambda handler: reply(handler, 200, b"plain", Content_Encoding="gzip"),
    "an encoding that nobody asked for": lambda handler: reply(handler, 200, b"\x1b" * 9, Content_Encoding="br"),
    "a redirect": lambda handler: reply(handler, 302, Location="http://127.0.0.1:1/"),
    "cut short": lambda handler: send(handler, b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nabc"),
    "no HTTP": lambda handler: send(handler, bytes(99)),
}


@pytest.mark.parametrize("answer", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_source_beside_an_honest_one_changes_nothing(
    answer: Callable[[BaseHTTPRequestHandler], None], tmp_path: Path
) -> None:
    """Alone it is told to be no source; beside an honest one, that is read."""
    log = small_ledger()
    put(log, tmp_path / "log")
    (tmp_path / "policy").write_text(log.policy())
    with answering(answer) as url:
        common = ["--policy", tmp_path / "policy", "--state", tmp_path / "state", "--quiet", "--once"]
        done = subprocess.run(
            [sys.executable, "-m", "verifier", "watch", *map(str, [url, tmp_path / "log", *common])],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode in (0, 1), done.stderr
    kinds = [json.loads(line)["kind"] for line in done.stdout.splitlines()]
    assert kinds[-1] == "started"
    assert set(kinds) <= {"false", "started"}
    assert "Traceback" not in done.stderr


def test_a_source_that_trickles_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte now and then, under a length that never comes."""
    monkeypatch.setattr(source, "DEADLINE_S", 0.3)

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
        for _ in range(9999):  # a quarter of an hour, unless whoever asked is gone
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.1)

    with answering(trickle) as url, pytest.raises(SourceUnavailable, match="Timeout"):
        HttpSource(url).read("checkpoint", 1 << 16)
