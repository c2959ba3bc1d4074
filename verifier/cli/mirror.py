"""`verifier mirror`: a verified copy of a log, and, with `--serve`, one that answers in the log's place."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verifier.cli.arguments import parse_interval, parse_port
from verifier.cli.manual import EXIT_CODES
from verifier.cli.progress import ProgressBar
from verifier.core.errors import UsageError
from verifier.core.verdict import (
    UNKNOWN,
    describe_checkpoint,
    describe_doubts,
    describe_failures,
    exit_code,
    format_checkpoint,
    format_doubt,
    format_failure,
    format_json,
    format_verdict,
)
from verifier.core.words import escape
from verifier.mirror.mirror import Mirrored, mirror
from verifier.replay.convicting import FRAUD_DIR, format_kept, frauds_of_mirror, keep_frauds
from verifier.sources.several import describe_views, view_words

if TYPE_CHECKING:
    from verifier.core.notes import VerifierKey
    from verifier.core.policy import Policy
    from verifier.sources.source import Location

MANUAL = f"""\
run it again to continue. The mirror's own files are read again each time: one
that is damaged is named and left alone; take it away, and the next run fetches it.
Of several sources, whichever answers is copied, and what each shows is compared:
  verifier mirror https://ledger.example.com mirror/ --policy policy.txt
  verifier mirror https://ledger.example.com https://peer.example.org mirror/ --policy policy.txt

--serve answers in the log's place, byte for byte (tiles, entries, checkpoint, and
receipts made of the tiles), and follows the sources meanwhile. Without a source it
serves what is there, which is enough when the ledger is gone:
  verifier mirror mirror/ --serve --policy policy.txt

{EXIT_CODES}"""
_DEFAULT_INTERVAL_S = 10.0


def add_parser(commands: Any, parents: list[argparse.ArgumentParser]) -> None:  # noqa: ANN401 (argparse hides the type)
    """Add the command to those of the verifier."""
    what = "copy a log, every byte of it verified, and serve the copy"
    raw = argparse.RawDescriptionHelpFormatter
    command = commands.add_parser(
        "mirror", parents=parents, help=what, description=f"{what}.", epilog=MANUAL, formatter_class=raw
    )
    command.add_argument("sources", nargs="*", metavar="SOURCE", help="URLs, or directories laid out as C2SP tiles")
    command.add_argument("directory", metavar="DIR", help="the mirror to make, to bring up to date, or to serve")
    command.add_argument("--fraud-dir", metavar="FRAUD_DIR", help=FRAUD_DIR.format(beside="the mirror"))
    command.add_argument("--serve", action="store_true", help="serve the mirror over HTTP until it is stopped")
    command.add_argument("--host", default="127.0.0.1", help="address to serve at (default: %(default)s)")
    command.add_argument(
        "--port", type=parse_port, default=8081, help="port; 0 takes a free one (default: %(default)s)"
    )
    command.add_argument(
        "--interval",
        type=parse_interval,
        default=_DEFAULT_INTERVAL_S,
        metavar="SECONDS",
        help="with --serve: how often to look at the sources (default: %(default)g)",
    )


def gather(sources: list[str]) -> Location:
    """Return one source as itself and several as one location."""
    return sources[0] if len(sources) == 1 else tuple(sources)


def run(arguments: argparse.Namespace, policy: Policy, log: VerifierKey) -> int:
    """Copy, report, serve if that was asked for, and return the exit code.

    Raises `UsageError`.
    """
    if not arguments.sources and not arguments.serve:
        raise UsageError("a mirror is a copy of something: verifier mirror SOURCE DIR; or serve one with --serve")
    directory = Path(arguments.directory)
    location = gather(arguments.sources or [arguments.directory])
    bar = ProgressBar("mirroring", is_quiet=arguments.quiet)
    try:
        result = mirror(location, directory, policy, log, bar.update)
    except OSError as error:
        raise UsageError(f"cannot write {arguments.directory}: {error.strerror}") from error
    finally:
        bar.close()
    code = exit_code(result.failures, result.doubts)
    if arguments.serve and result.tree is None and arguments.sources and code == UNKNOWN:
        # The log cannot be reached, or shows too little: what was verified before is served all the same.
        result = mirror(arguments.directory, directory, policy, log, lambda *_: None)
        code = exit_code(result.failures, result.doubts)
    kept = keep_frauds(arguments.fraud_dir, directory, frauds_of_mirror(result, location, directory, policy, log))
    _report(arguments, result, policy, code, kept)
    if arguments.serve and result.tree is not None:
        return _serve(arguments, result, policy, log)
    return code


def _report(arguments: argparse.Namespace, result: Mirrored, policy: Policy, code: int, kept: list[str]) -> None:
    if arguments.json:
        report = {
            "type": "provenance-ledger.mirror-report/v1",
            "exit_code": code,
            "views": describe_views(result.views),
            "checkpoint": describe_checkpoint(result.opened, policy),
            "size_before": result.size_before,
            "files_written": result.files_written,
            "failures": describe_failures(result.failures),
            "doubts": describe_doubts(result.doubts),
            "fraud_proofs": kept,
        }
        sys.stdout.write(format_json(report) + "\n")
        return
    lines = [f"Source      {escape(words)}" for words in view_words(result.views)]
    lines += format_checkpoint(result.opened, policy) if result.opened else []
    lines.append(f"Mirror      had {result.size_before} entries; {result.files_written} files written")
    lines += [f"False       {format_failure(failure)}" for failure in result.failures]
    lines += [f"Unknown     {format_doubt(doubt)}" for doubt in result.doubts]
    sys.stdout.write(format_kept(kept) + "\n".join([*lines, "", format_verdict(code, result.failures), ""]))


def _serve(arguments: argparse.Namespace, result: Mirrored, policy: Policy, log: VerifierKey) -> int:
    from verifier.service.mirror import Plan, serve_mirror  # noqa: PLC0415 (checking never loads aiohttp)

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    sources = gather(arguments.sources) if arguments.sources else None
    plan = Plan(Path(arguments.directory), sources, policy, log, arguments.interval)

    def ready(address: str) -> None:
        sys.stdout.write(f"Serving the mirror at {address}/checkpoint\n")
        sys.stdout.flush()

    try:
        serve_mirror(plan, result, arguments.host, arguments.port, ready)
    except OSError as error:
        raise UsageError(f"cannot serve at {arguments.host}:{arguments.port}: {error.strerror}") from error
    return 0
