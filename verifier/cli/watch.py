"""`verifier watch`: follow a log for months, and tell what is wrong with it and what concerns me."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verifier.cli.arguments import parse_interval, parse_processes, parse_stall, read_pins
from verifier.cli.manual import EXIT_CODES
from verifier.cli.progress import ProgressBar
from verifier.core.errors import UsageError
from verifier.core.verdict import FAILED, UNKNOWN, VERIFIED
from verifier.replay.convicting import FRAUD_DIR
from verifier.watch.concerns import Interests
from verifier.watch.sinks import sinks
from verifier.watch.state import Store
from verifier.watch.watch import Settings, Watcher

if TYPE_CHECKING:
    from verifier.core.notes import VerifierKey
    from verifier.core.policy import Policy

MANUAL = f"""\
to begin: follow a log, and get alarms on standard output, a JSON line an alarm:
  verifier watch https://ledger.example.com --policy policy.txt --state seen

several sources are compared, and so are checkpoints that peers leave in a folder:
  verifier watch https://ledger.example.com https://mirror.example.org/ledger \\
    --peers /srv/peers --policy policy.txt --state seen

--party, --key, --listing and --license say what is mine. Every new entry that names
it and that I did not make is reported, and so is every new finding about me, overdue
acknowledgements and claims among them. What I made is what is in --own, the folder
`entries` of a vault; without it, my own acts are reported too:
  verifier watch URL --policy policy.txt --state seen --party alpha.example \\
    --own ~/.provenance-ledger/entries --webhook https://alarms.example.com/hook

--promises is the folder `promises` of a vault, where it keeps what the ledger signed
that it will record. One of which the deadline has passed without the statement is reported
with its proof, the log itself: no answer of the ledger's is needed.

the first round reports nothing of the past but how much of it concerns me: `verifier
replay` and `verifier explain` tell the rest. Nothing is reported twice, whatever happens
to the machine; a webhook or a command that fails is tried again, and gets the same
`id` if a crash came between its answer and our remembering it.

--state holds two files, FILE and FILE.given; FILE grows with the log, not with time.

kinds: false, fork (the log, or a source, is not what it claims to be); stalled, stale,
  behind and their -ended; key-used, in-my-name, key-added, key-revoked,
  claim-against-me, names-me, finding; promise-broken; started

with --once, {EXIT_CODES}"""
_DEFAULT_INTERVAL_S = 30.0
_DEFAULT_STALL_S = 86_400.0


def add_parser(commands: Any, parents: list[argparse.ArgumentParser]) -> None:  # noqa: ANN401 (argparse hides the type)
    """Add the command to those of the verifier."""
    what = "follow a log, and raise alarms"
    raw = argparse.RawDescriptionHelpFormatter
    command = commands.add_parser(
        "watch", parents=parents, help=what, description=f"{what}.", epilog=MANUAL, formatter_class=raw
    )
    command.add_argument("sources", nargs="+", metavar="SOURCE", help="URLs, or directories laid out as C2SP tiles")
    command.add_argument("--state", required=True, metavar="FILE", help="where to remember, and to go on from")
    command.add_argument(
        "--peers", metavar="DIR", help="a folder in which peers leave checkpoints that they were shown"
    )
    command.add_argument("--parties", metavar="FILE", help="pins: lines `party <name> <keyid>`")
    for name, metavar, words in (
        ("party", "NAME", "a party that is mine"),
        ("key", "KEYID", "a key that is mine"),
        ("listing", "ID", "a listing that is mine"),
        ("license", "ID", "a license that is mine"),
    ):
        command.add_argument(
            f"--{name}", metavar=metavar, action="append", default=[], help=f"{words}; may be repeated"
        )
    command.add_argument("--own", metavar="DIR", help="a vault's folder `entries`: what I said myself")
    command.add_argument("--promises", metavar="DIR", help="a vault's folder `promises`: what the ledger owes me")
    command.add_argument(
        "--interval",
        type=parse_interval,
        default=_DEFAULT_INTERVAL_S,
        metavar="SECONDS",
        help="how often to look (default: %(default)g)",
    )
    command.add_argument(
        "--stall",
        type=parse_stall,
        default=_DEFAULT_STALL_S,
        metavar="SECONDS",
        help="how long the log may not grow, or not be verifiable, before that is reported (default: %(default)g)",
    )
    command.add_argument("--alarms", metavar="FILE", help="append alarms to this file instead of printing them")
    command.add_argument("--webhook", metavar="URL", help="post each alarm there; redirects are not followed")
    command.add_argument("--command", dest="run", metavar="CMD", help="run this with each alarm as JSON on its input")
    command.add_argument("--metrics", metavar="FILE", help="write a Prometheus text file after each round")
    command.add_argument("--fraud-dir", metavar="DIR", help=FRAUD_DIR.format(beside="the state"))
    command.add_argument("--once", action="store_true", help="look once, and report by the exit code")
    command.add_argument("--processes", type=parse_processes, default=len(os.sched_getaffinity(0)), metavar="N")


def run(arguments: argparse.Namespace, policy: Policy, log: VerifierKey) -> int:
    """Watch until SIGINT or SIGTERM, or once; return the exit code.

    Raises `UsageError`.
    """
    settings = Settings(
        tuple(arguments.sources),
        policy,
        log,
        _interests(arguments),
        sinks(arguments.alarms, arguments.webhook, shlex.split(arguments.run) if arguments.run else None),
        arguments.stall,
        peers=_folder(arguments.peers),
        promises=_folder(arguments.promises),
        metrics=Path(arguments.metrics) if arguments.metrics else None,
        fraud_dir=arguments.fraud_dir,
        pins=read_pins(arguments.parties),
        processes=arguments.processes,
        waits_for_own=arguments.own is not None,
    )
    watcher = Watcher(settings, Store(Path(arguments.state)))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        while True:
            code = _look(watcher, is_quiet=arguments.quiet)
            if arguments.once:
                return code
            time.sleep(arguments.interval)
    except _Stopped:
        return VERIFIED
    finally:
        watcher.close()


class _Stopped(BaseException):
    """SIGINT or SIGTERM came."""


def _stop(_number: int, _frame: object) -> None:
    raise _Stopped


def _look(watcher: Watcher, *, is_quiet: bool) -> int:
    bar = ProgressBar("verifying", is_quiet=is_quiet)
    try:
        result = watcher.round(bar.update)
    finally:
        bar.close()
    if why := watcher.write_metrics():
        sys.stderr.write(f"verifier: cannot write the metrics: {why}\n")
    if watcher.is_false:
        return FAILED
    return result.exit_code() if result is not None else UNKNOWN


def _interests(arguments: argparse.Namespace) -> Interests:
    own = _folder(arguments.own)

    def is_own(statement_id: str) -> bool:
        return own is not None and (own / f"{statement_id.removeprefix('sha256:')}.entry").exists()

    mine = [frozenset(getattr(arguments, name)) for name in ("party", "key", "listing", "license")]
    return Interests(mine[0], mine[1], mine[2], mine[3], is_own)


def _folder(name: str | None) -> Path | None:
    if name is None:
        return None
    if not Path(name).is_dir():
        raise UsageError(f"{name} is not a directory")
    return Path(name)
