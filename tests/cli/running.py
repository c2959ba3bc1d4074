"""Commands as people run them: processes, a real ledger on the loopback, a terminal where one is needed."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.harness.forked import Ended, run
from tests.harness.waiting import PATIENCE_S

PASSPHRASE = "open sesame 7f3a"
_READY = re.compile(r"Serving (http://127\.0\.0\.1:\d+)")
_TIMEOUT_S = PATIENCE_S


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LEDGER_")}
    return kept | {"LEDGER_PASSPHRASE": PASSPHRASE, "COLUMNS": "200"} | more


def ledger(*arguments: object, env: dict[str, str] | None = None) -> Ended:
    """Run `ledger` without a terminal."""
    return run("ledger", arguments, environment() if env is None else env)


def verifier(*arguments: object) -> Ended:
    """Run `verifier`, which shares no line with `ledger`."""
    return run("verifier", arguments, environment())


def good(*arguments: object) -> Ended:
    """Run `ledger`, which must succeed."""
    ended = ledger(*arguments)
    assert ended.code == 0, ended
    return ended


def at_a_terminal(answers: str, *arguments: object) -> tuple[int, str]:
    """Run `ledger` at a terminal where somebody types `answers`; return its exit code and what it showed."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "ledger", *map(str, arguments)]
    with subprocess.Popen(command, env=environment(), stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        os.write(ours, answers.encode())
        shown = b""
        try:
            while chunk := os.read(ours, 4096):
                shown += chunk
        except OSError:  # Linux's way of saying that the other side of a terminal is gone
            pass
        code = process.wait(timeout=_TIMEOUT_S)
    os.close(ours)
    return code, shown.decode()


@contextmanager
def serving(
    directory: Path,
    *,
    admission: str = "open",
    fresh: bool = True,
    arguments: Sequence[str] = (),
    **secrets: str,
) -> Iterator[str]:
    """Make a ledger with the real commands if it is `fresh`, serve it with these variables, and give its address."""
    if fresh:
        names = ["--origin", "ledger.example/log", "--operator", "exchange"]
        good("init", directory, *names, "--admission", admission)
    with (
        (directory / "serve.log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "ledger", "serve", str(directory), "--port", "0", *arguments],
            env=environment(PYTHONUNBUFFERED="1", **secrets),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            yield _address(process, directory / "serve.log")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=_TIMEOUT_S)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < deadline:
        found = _READY.search(log.read_text())
        if found:
            return found[1]
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)
    raise AssertionError(f"the ledger did not start: {log.read_text()}")
