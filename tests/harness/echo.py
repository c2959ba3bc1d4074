"""A pytest plugin (`-p tests.harness.echo -s`) that shows what programs say while a test runs."""

from __future__ import annotations

import io
import json
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any

import pytest

import verifier.cli

MAX_LINES = 24
"""Of what one call of a program says, so many lines are shown."""
MAX_CHARACTERS = 300
_outcomes: Counter[str] = Counter()


def pytest_configure() -> None:
    """Look over the shoulder of the verifier, in this process or another, before any test takes hold of it."""
    verify, communicate = verifier.cli.main, subprocess.Popen.communicate

    def main(arguments: list[str] | None = None) -> int:
        said, code = io.StringIO(), -1
        try:
            with redirect_stdout(said):
                code = verify(arguments)
        finally:  # where it ends by SystemExit, too
            sys.stdout.write(said.getvalue())
            show(["verifier", *(arguments or [])], code, said.getvalue())
        return code

    def listen(process: subprocess.Popen[Any], *arguments: Any, **named: Any) -> tuple[Any, Any]:
        said = communicate(process, *arguments, **named)
        texts = (part.decode(errors="replace") if isinstance(part, bytes) else part or "" for part in said)
        if isinstance(process.args, Sequence) and not isinstance(process.args, str | bytes):
            show([str(word) for word in process.args], process.returncode, "".join(texts))
        return said

    patch = pytest.MonkeyPatch()
    patch.setattr(verifier.cli, "main", main)
    patch.setattr(subprocess.Popen, "communicate", listen)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count what became of each case."""
    if report.when == "call" or report.outcome != "passed":
        _outcomes[report.outcome] += 1


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything was skipped, nothing was shown: that is no success."""
    if session.exitstatus == pytest.ExitCode.OK and not _outcomes["passed"]:
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED


def show(words: list[str], code: int, said: str) -> None:
    """Print a call of a program, the beginning of what it said, and its exit code, past any redirection."""
    if words[0] == sys.executable:
        is_code = words[1] == "-c"
        words = words[3:] if is_code else words[2:]
        words = ["verifier", *words] if is_code else words
    lines = _brief(said)
    more = [f"… and {len(lines) - MAX_LINES} lines more"] if len(lines) > MAX_LINES else []
    parts = [
        f"\n    $ {shlex.join(words)}",
        *(f"      {line}" for line in lines[:MAX_LINES] + more),
        f"      exit code {code}",
    ]
    out = sys.__stdout__
    if out is not None:
        out.write("\n".join(parts) + "\n")
        out.flush()


def _brief(said: str) -> list[str]:
    """Return the lines of a text, none of them too long; of a report for programs, what it found."""
    try:
        report = json.loads(said)
    except ValueError:
        report = None
    if not isinstance(report, dict) or "failures" not in report:
        return [line if len(line) < MAX_CHARACTERS else f"{line[:MAX_CHARACTERS]}…" for line in said.splitlines()]
    found = [
        f"[{item.get('check', item.get('slug'))}] {item.get('reason', item.get('party'))} at entry {item.get('index')}"
        for kind in ("failures", "doubts", "findings")
        for item in report.get(kind, [])
    ]
    return found or ["(a report as JSON, in which nothing is false)"]
