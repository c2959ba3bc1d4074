"""A pytest plugin (`-p tests.harness.echo -s`) that shows what happens in a test: programs and their words, errors."""

from __future__ import annotations

import io
import json
import logging
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any

import pytest

import verifier.cli.main

MAX_LINES, MAX_LINES_A_CASE, MAX_CHARACTERS = 24, 120, 300
"""Of what one call of a program says, and of what happens in one case of a test, so much is shown."""
_shown = 0
_outcomes: Counter[str] = Counter()


def pytest_configure() -> None:
    """Look over the shoulder of programs and of checks for errors, before any test takes hold of them."""
    verify, communicate, leave = verifier.cli.main.main, subprocess.Popen.communicate, pytest.RaisesExc.__exit__

    def main(arguments: list[str] | None = None) -> int:
        said, code = io.StringIO(), -1
        try:
            with redirect_stdout(said):
                code = verify(arguments)
        finally:  # where it ends by SystemExit, too
            sys.stdout.write(said.getvalue())
            show_call(["verifier", *(arguments or [])], code, said.getvalue())
        return code

    def listen(process: subprocess.Popen[Any], *arguments: Any, **named: Any) -> tuple[Any, Any]:
        said = communicate(process, *arguments, **named)
        texts = (part.decode(errors="replace") if isinstance(part, bytes) else part or "" for part in said)
        if isinstance(process.args, Sequence) and not isinstance(process.args, str | bytes):
            show_call([str(word) for word in process.args], process.returncode, "".join(texts))
        return said

    def catch(expected: pytest.RaisesExc[Any], kind: Any, error: Any, trace: Any) -> bool:
        is_caught = leave(expected, kind, error, trace)
        if is_caught:
            show([f"caught: {kind.__name__}: {error}"])
        return is_caught

    patch = pytest.MonkeyPatch()
    patch.setattr(verifier.cli.main, "main", main)
    patch.setattr(subprocess.Popen, "communicate", listen)
    patch.setattr(pytest.RaisesExc, "__exit__", catch)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)  # each request would be a line


def pytest_runtest_setup() -> None:
    """Begin a case."""
    global _shown  # noqa: PLW0603 - a plugin is a module, and pytest its only caller
    _shown = 0


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count what became of each case."""
    if report.when == "call" or report.outcome != "passed":
        _outcomes[report.outcome] += 1


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything was skipped, nothing was shown: that is no success."""
    if session.exitstatus == pytest.ExitCode.OK and not _outcomes["passed"]:
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED


def show_call(words: list[str], code: int, said: str) -> None:
    """Print a call of a program, the beginning of what it said, and its exit code."""
    if words[0] == sys.executable:
        is_code = words[1] == "-c"
        words = words[3:] if is_code else words[2:]
        words = ["verifier", *words] if is_code else words
    lines = _brief(said)
    more = [f"  … and {len(lines) - MAX_LINES} lines more"] if len(lines) > MAX_LINES else []
    show([f"$ {shlex.join(words)}", *(f"  {line}" for line in lines[:MAX_LINES]), *more, f"  exit code {code}"])


def show(lines: list[str]) -> None:
    """Print lines past any redirection, until there were many in this case."""
    global _shown  # noqa: PLW0603 - as above
    out = sys.__stdout__
    if out is None or _shown > MAX_LINES_A_CASE:
        return
    _shown += len(lines)
    if _shown > MAX_LINES_A_CASE:
        lines = [*lines, "… and more like this"]
    out.write("".join(f"\n    {line[:MAX_CHARACTERS]}" for line in lines) + "\n")
    out.flush()


def _brief(said: str) -> list[str]:
    """Return the lines of a text; of a report for programs, what it found."""
    try:
        report = json.loads(said)
    except ValueError:
        report = None
    if not isinstance(report, dict) or "failures" not in report:
        return said.splitlines()
    found = [
        f"[{item.get('check', item.get('slug'))}] {item.get('reason', item.get('party'))} at entry {item.get('index')}"
        for kind in ("failures", "doubts", "findings")
        for item in report.get(kind, [])
    ]
    return found or ["(a report as JSON, in which nothing is false)"]
