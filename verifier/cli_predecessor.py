"""`verifier replay NEW --predecessor OLD`: a successor and the ledger before it, verified and reported in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verifier.predecessor import Succession, describe_succession, format_succession, replay_predecessor
from verifier.progress import ProgressBar
from verifier.report import (
    FAILED,
    FINDINGS,
    UNKNOWN,
    VERIFIED,
    describe_replay,
    exit_code,
    format_replay,
    replay_exit_code,
)

if TYPE_CHECKING:
    import argparse

    from verifier.identity import Roots
    from verifier.parties import Pins
    from verifier.policy import Policy
    from verifier.replayed import Replay

_PRECEDENCE = (FAILED, UNKNOWN, FINDINGS, VERIFIED)


def add_option(command: argparse.ArgumentParser) -> None:
    """Add the option to `replay`."""
    command.add_argument(
        "--predecessor",
        metavar="SOURCE",
        help="the ledger that this one continues, or a mirror of it: verified too (the policy has both log lines)",
    )


def follow_back(
    arguments: argparse.Namespace, new: Replay, policy: Policy, pins: Pins, roots: Roots
) -> Succession | None:
    """Return what is known of the predecessor that the arguments name, None if they name none.

    Raises `UsageError`.
    """
    if not arguments.predecessor:
        return None
    bar = ProgressBar("replaying the predecessor", is_quiet=arguments.quiet)
    try:
        return replay_predecessor(
            new,
            arguments.predecessor,
            policy,
            pins=pins,
            roots=roots,
            processes=arguments.processes,
            progress=bar.update,
        )
    finally:
        bar.close()


def combine(code: int, before: Succession | None, *, fail_on_findings: bool) -> int:
    """Return the exit code of both together."""
    if before is None:
        return code
    codes = [code, exit_code(before.failures, before.doubts)]
    if before.old is not None:
        codes.append(replay_exit_code(before.old, fail_on_findings=fail_on_findings))
    return min(codes, key=_PRECEDENCE.index)


def describe_before(before: Succession | None, code: int) -> dict[str, Any]:
    """Return the members that a report has more."""
    if before is None:
        return {}
    replayed = describe_replay(before.old, code) if before.old is not None else None
    return {"predecessor": describe_succession(before) | {"replay": replayed}}


def format_before(before: Succession | None, *, fail_on_findings: bool) -> str:
    """Return what comes before the report of the successor, in plain language."""
    if before is None:
        return ""
    words = format_succession(before) + "\n\n"
    if before.old is not None:
        code = replay_exit_code(before.old, fail_on_findings=fail_on_findings)
        words += format_replay(before.old, code) + "\n\n"
    return words
