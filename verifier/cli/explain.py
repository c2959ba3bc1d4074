"""`verifier explain`: the story of one statement or party, told from a complete replay."""

from __future__ import annotations

import argparse
import os
import re
import sys
from typing import TYPE_CHECKING, Any

from verifier.cli.arguments import read_disclosures, read_pins, read_roots
from verifier.cli.manual import EXIT_CODES
from verifier.cli.progress import ProgressBar
from verifier.core.errors import UsageError
from verifier.core.moments import parse_moment
from verifier.core.verdict import (
    UNKNOWN,
    VERIFIED,
    describe_checkpoint,
    describe_doubts,
    describe_failures,
    format_doubt,
    format_failure,
    format_json,
    format_verdict,
    worst,
)
from verifier.core.words import escape
from verifier.explain.story import explain
from verifier.replay.replay import replay
from verifier.replay.report import completeness
from verifier.rules.subject import Observed
from verifier.schema.checks import LABEL, MAX_NAME_CHARS
from verifier.sources.source import name_location

if TYPE_CHECKING:
    from verifier.core.notes import VerifierKey
    from verifier.core.policy import Policy
    from verifier.explain.story import Explanation
    from verifier.replay.result import Replay

_is_id = re.compile("sha256:[0-9a-f]{64}").fullmatch
_is_name = re.compile(rf"(?=.{{1,{MAX_NAME_CHARS}}}\Z){LABEL}(?:\.{LABEL})*").fullmatch
_MANUAL = f"""\
tells what happened to a listing, a license, a hand-off or a claim (or any other
statement, or a party): who is who, what was agreed, done and broken, and what is
sealed. The id and the source may stand in either order; the log is replayed whole.
  verifier explain sha256:… mirror/ --policy policy.txt
  verifier explain acme mirror/ --policy policy.txt --disclosures from-acme.json

an id that is not on the ledger is not a story: exit 3.

{EXIT_CODES}"""


def add_parser(commands: Any, parents: list[argparse.ArgumentParser]) -> None:  # noqa: ANN401 (argparse hides the type)
    """Add the command to those of the verifier."""
    what = "tell the story of one statement or party, in sentences"
    raw = argparse.RawDescriptionHelpFormatter
    command = commands.add_parser(
        "explain", parents=parents, help=what, description=f"{what}.", epilog=_MANUAL, formatter_class=raw
    )
    command.add_argument("subject", metavar="STATEMENT_ID", help="sha256:… of the statement, or a party's name")
    command.add_argument("source", help="a URL or a directory laid out as C2SP tiles")
    command.add_argument("--parties", metavar="FILE", help="pins: lines `party <name> <keyid>`")
    command.add_argument(
        "--identity-roots", metavar="FILE", help="PEM: issuers of certificates that you know (statements.md §2)"
    )
    command.add_argument("--as-of", metavar="TIME", help="as of this moment: 2027-01-31T12:00:00Z, or now")
    command.add_argument(
        "--disclosures", metavar="FILE", action="append", default=[], help="what opens sealed places; may be repeated"
    )


def _part(first: str, second: str) -> tuple[str, str]:
    """Return subject and source of the two positional arguments, which may stand in either order."""
    ids = [text for text in (first, second) if _is_id(text)]
    if len(ids) == 2:
        raise UsageError("two statement ids, and no source: name a URL or a directory")
    if ids:
        return ids[0], second if ids[0] == first else first
    if first.startswith("sha256:") or second.startswith("sha256:"):
        raise UsageError("a statement id is sha256: and 64 hex digits")
    if not _is_name(first) and _is_name(second):
        return second, first
    if not _is_name(first):
        raise UsageError("name a statement id (sha256: and 64 hex digits) or a party, and a source")
    return first, second


def run(arguments: argparse.Namespace, policy: Policy, log: VerifierKey) -> int:
    """Tell the story, and return the exit code of the replay, or 3 if there is nothing to tell.

    Raises `UsageError` or `MalformedInput`.
    """
    subject, source = _part(arguments.subject, arguments.source)
    pins, disclosures = read_pins(arguments.parties), read_disclosures(arguments.disclosures)
    as_of_ms = parse_moment(arguments.as_of) if arguments.as_of is not None else None
    observed = Observed(subject, as_of_ms)
    bar = ProgressBar("replaying", is_quiet=arguments.quiet)
    try:
        result = replay(
            source,
            policy,
            log,
            pins=pins,
            roots=read_roots(arguments.identity_roots),
            disclosures=disclosures,
            as_of_ms=as_of_ms,
            observe=observed.take,
            processes=len(os.sched_getaffinity(0)),
            progress=bar.update,
        )
    finally:
        bar.close()
    explanation = explain(result, observed)
    code = worst([result.exit_code(), VERIFIED if explanation.is_known else UNKNOWN])
    report = format_json(_describe(explanation, result, code)) if arguments.json else _format(explanation, result, code)
    sys.stdout.write(report + "\n")
    return code


def _describe(explanation: Explanation, result: Replay, code: int) -> dict[str, Any]:
    return explanation.document() | {
        "exit_code": code,
        "source": name_location(result.location),
        "completeness": completeness(result),
        "checkpoint": describe_checkpoint(result.opened, result.policy),
        "failures": describe_failures(result.failures),
        "doubts": describe_doubts(result.doubts),
    }


def _format(explanation: Explanation, result: Replay, code: int) -> str:
    lines = explanation.lines()
    lines.insert(0, f"Replay of   {escape(name_location(result.location))}; {completeness(result)}")
    lines += ["", *[f"False       {format_failure(failure)}" for failure in result.failures]] if result.failures else []
    lines += [f"Unknown     {format_doubt(doubt)}" for doubt in result.doubts]
    return "\n".join([*lines, "", format_verdict(code, result.failures, verified="the story follows from the log")])
