"""`verifier replay NEW --predecessor OLD`: a successor and the ledgers before it, verified and reported in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verifier.cli.progress import ProgressBar
from verifier.core.verdict import VERIFIED, exit_code, worst
from verifier.replay.predecessor import (
    Succession,
    describe_succession,
    format_succession,
    replay_predecessor,
    unreached,
)
from verifier.replay.report import describe_replay, format_replay

if TYPE_CHECKING:
    import argparse

    from verifier.core.policy import Policy
    from verifier.judgement.identity import Roots
    from verifier.judgement.pins import Pins
    from verifier.replay.result import Replay


def add_option(command: argparse.ArgumentParser) -> None:
    """Add the option to `replay`."""
    command.add_argument(
        "--predecessor",
        metavar="SOURCE",
        action="append",
        default=[],
        help="the ledger that this one continues, or a mirror of it: verified too (the policy has both log lines); "
        "again for the one that that one continues, and so on",
    )


def follow_back(
    arguments: argparse.Namespace, new: Replay, policy: Policy, pins: Pins, roots: Roots
) -> list[Succession]:
    """Return what is known of the predecessors that the arguments name, the newest first.

    Behind one that does not verify nothing is looked at: what its first entry names would prove nothing. Raises
    `UsageError`.
    """
    bar = ProgressBar("replaying the predecessor", is_quiet=arguments.quiet)
    before: list[Succession] = []
    try:
        for location in arguments.predecessor:
            found = replay_predecessor(
                new,
                location,
                policy,
                pins=pins,
                roots=roots,
                processes=arguments.processes,
                progress=bar.update,
            )
            before.append(found)
            if found.old is None or _code(found, fail_on_findings=False) != VERIFIED:
                break
            new = found.old
    finally:
        bar.close()
    return before + [unreached(location) for location in arguments.predecessor[len(before) :]]


def combine(code: int, before: list[Succession], *, fail_on_findings: bool) -> int:
    """Return the exit code of all together."""
    return worst([code, *(_code(one, fail_on_findings=fail_on_findings) for one in before)])


def _code(one: Succession, *, fail_on_findings: bool) -> int:
    code = exit_code(one.failures, one.doubts)
    return code if one.old is None else worst([code, one.old.exit_code(fail_on_findings=fail_on_findings)])


def describe_before(before: list[Succession], code: int) -> dict[str, Any]:
    """Return the members that a report has more: each predecessor within the one that continues it."""
    described: dict[str, Any] = {}
    for one in reversed(before):
        replayed = describe_replay(one.old, code) if one.old is not None else None
        described = {"predecessor": describe_succession(one) | {"replay": replayed} | described}
    return described


def format_before(before: list[Succession], *, fail_on_findings: bool) -> str:
    """Return what comes before the report of the successor, in plain language, the oldest first."""
    words = ""
    for one in reversed(before):
        words += format_succession(one) + "\n\n"
        if one.old is not None:
            words += format_replay(one.old, one.old.exit_code(fail_on_findings=fail_on_findings)) + "\n\n"
    return words
