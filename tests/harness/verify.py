"""The verifier as its users see it: a directory, a policy file and maybe a state file in; an exit code and JSON out."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

from tests.harness.builder import write_files
from verifier.cli.main import main


class Verdict(NamedTuple):
    """What one replay said."""

    exit_code: int
    report: dict[str, Any]

    @property
    def failures(self) -> list[tuple[int | None, str, str]]:
        """Index, check and reason of every failure, ordered by index, those of the log as a whole first."""
        found = [(item["index"], item["check"], item["reason"]) for item in self.report["failures"]]
        return sorted(found, key=failure_order)


def failure_order(failure: tuple[int | None, str, str]) -> tuple[int, str, str]:
    """Order failures as `Verdict.failures` does."""
    index, check, reason = failure
    return (-1 if index is None else index, check, reason)


def run_verifier(*arguments: str) -> Verdict:
    """Run a command of the verifier in this process, reporting as JSON."""
    words = io.StringIO()
    with redirect_stdout(words):
        code = main([*arguments, "--json"])
    return Verdict(code, json.loads(words.getvalue()))


def replay(directory: Path, policy: str, *arguments: str, is_remembered: bool = False) -> Verdict:
    """Replay `directory/log`; the policy, and the state if there is one, are kept beside it."""
    (directory / "policy.txt").write_text(policy)
    places = [str(directory / "log"), "--policy", str(directory / "policy.txt")]
    if is_remembered:
        places += ["--state", str(directory / "state.json")]
    return run_verifier("replay", *places, "--quiet", "--processes", "1", *arguments)


def replay_files(
    directory: Path, files: dict[str, bytes], policy: str, *arguments: str, is_remembered: bool = False
) -> Verdict:
    """Write the files of a log, in place of those of an earlier call, and replay them."""
    log = directory / "log"
    if log.exists():
        log.rename(directory / f"log before {len(list(directory.iterdir()))}")
    write_files(log, files)
    return replay(directory, policy, *arguments, is_remembered=is_remembered)
