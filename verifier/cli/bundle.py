"""`verifier bundle`: one evidence bundle, checked offline."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from verifier.bundle.bundle import verify_bundle
from verifier.bundle.facts import read_facts
from verifier.bundle.mine import demands, mine_lines, score_mine
from verifier.bundle.report import Section, describe, format_html, format_text
from verifier.bundle.zip import MAX_BYTES
from verifier.cli import times as cli_times
from verifier.cli.arguments import read_file, read_pins
from verifier.core.errors import UsageError
from verifier.core.files import write_atomically
from verifier.core.verdict import format_json

if TYPE_CHECKING:
    from verifier.bundle.bundle import Examination
    from verifier.core.notes import VerifierKey
    from verifier.core.policy import Policy

MANUAL = """\
needs nothing but the bundle and a policy: no network, no ledger, and nothing that is
in the bundle is believed because it is there (docs/bundle.md says what is checked):
  verifier bundle evidence.zip --policy policy.txt --parties parties.txt
  verifier bundle evidence.zip --policy policy.txt --found leak.csv --html report.html

it says what is proved, and by how much; whether the history is complete; who signed,
and whether you know that it was them (--parties pins them to keys); when; and what
remains open. --found takes the found file itself, where the bundle leaves it out:
else the verdict is CONDITIONAL, for that its rows are in it is somebody's word.
--tsa-roots names time-stamping authorities that you believe: then tokens in the
bundle say not after when.

--mine is for the respondent: it puts files of your own (csv, tsv, jsonl) to the same
test, prints the score of each beside what is needed, and what you may ask for. It
changes neither the verdict nor the exit code. Columns are paired by equal names, else
as the evidence pairs them:
  verifier bundle evidence.zip --policy policy.txt --mine ours-2024.csv ours-2025.csv

exit codes: 0 every part was verified (even if it is not enough to say where the file
comes from: then that is what is said); 1 something is false; 2 usage; 3 could not
tell, or only on the condition that a file that nobody showed is what it is said to be
"""


def add_parser(commands: Any, parents: list[argparse.ArgumentParser]) -> None:  # noqa: ANN401 (argparse hides the type)
    """Add the command to those of the verifier."""
    what = "check an evidence bundle, offline"
    raw = argparse.RawDescriptionHelpFormatter
    command = commands.add_parser(
        "bundle", parents=parents, help=what, description=f"{what}.", epilog=MANUAL, formatter_class=raw
    )
    command.add_argument("bundle", metavar="FILE", help="the ZIP file")
    command.add_argument("--parties", metavar="FILE", help="pins: lines `party <name> <keyid>`")
    command.add_argument("--found", metavar="FOUND", help="the found file, where you have it")
    command.add_argument(
        "--mine", metavar="MINE", nargs="+", action="extend", default=[], help="files of your own, for the same test"
    )
    cli_times.add_roots(command)
    command.add_argument("--html", metavar="OUT", help="write the report as a page too")


def run(arguments: argparse.Namespace, policy: Policy, log: VerifierKey) -> int:
    """Check the bundle that the arguments name, report, and return the exit code.

    Raises `UsageError` or `MalformedInput` for what else the user named.
    """
    raw = read_file(arguments.bundle, MAX_BYTES)
    found = read_file(arguments.found, MAX_BYTES) if arguments.found else None
    pins, tsa_roots = read_pins(arguments.parties), cli_times.read_tsa_roots(arguments)
    examination = verify_bundle(raw, policy, log, pins, found, tsa_roots)
    name, mine = Path(arguments.bundle).name, _mine(arguments, examination)
    document = describe(examination) | (mine.document if mine else {})
    more = mine.sections if mine else []
    words = format_json(document) if arguments.json else format_text(examination, name, more)
    sys.stdout.write(words + "\n")
    if arguments.html:
        try:
            write_atomically(Path(arguments.html), format_html(examination, name, more).encode())
        except OSError as error:
            raise UsageError(f"cannot write {arguments.html}: {error.strerror}") from error
    return examination.exit_code


class _Mine(NamedTuple):
    """What is said of the user's own files, for programs and for people."""

    document: dict[str, Any]
    sections: list[Section]


def _mine(arguments: argparse.Namespace, examination: Examination) -> _Mine | None:
    if not arguments.mine:
        return None
    scored = score_mine(examination, [(Path(path).name, read_file(path, MAX_BYTES)) for path in arguments.mine])
    asked = demands(read_facts(examination))
    return _Mine(
        {"mine": {"demands": asked, "files": [item.describe() for item in scored]}},
        [("Your own files, by the same test", mine_lines(scored)), ("What you may ask for", asked)],
    )
