"""The command line: arguments in, one call, words and an exit code out."""

from __future__ import annotations

import argparse
import gc
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from verifier.cli import bundle as cli_bundle
from verifier.cli import explain as cli_explain
from verifier.cli import fraud as cli_fraud
from verifier.cli import manual
from verifier.cli import mirror as cli_mirror
from verifier.cli import predecessor as cli_predecessor
from verifier.cli import times as cli_times
from verifier.cli import watch as cli_watch
from verifier.cli import witness as cli_witness
from verifier.cli.arguments import MAX_POLICY_BYTES, parse_processes, read_disclosures, read_file, read_pins, read_roots
from verifier.cli.progress import ProgressBar
from verifier.core.checks import Check, Doubt
from verifier.core.errors import MalformedInput, UsageError
from verifier.core.files import write_atomically
from verifier.core.moments import parse_moment
from verifier.core.policy import Policy, open_checkpoint, parse_policy
from verifier.core.receipt import MAX_RECEIPT_BYTES
from verifier.core.verdict import (
    FAILED,
    UNKNOWN,
    USAGE,
    describe_checkpoint,
    describe_doubts,
    exit_code,
    format_checkpoint,
    format_doubt,
    format_failure,
    format_json,
    format_verdict,
)
from verifier.core.version import version
from verifier.core.words import escape
from verifier.fraud.making import make_fork
from verifier.replay.convicting import FRAUD_DIR, format_kept, frauds_of_replay, keep_frauds
from verifier.replay.receipt import compare_with_replay, describe_receipt, list_unchecked, verify_receipt
from verifier.replay.replay import replay
from verifier.replay.report import describe_replay, format_replay
from verifier.replay.state import format_state, load_state
from verifier.schema.entries import MAX_ENTRY_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.core.notes import VerifierKey
    from verifier.replay.receipt import ReceiptCheck

INTERRUPTED = 130
"""What shells report for SIGINT."""
_OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""A replay makes objects by the hundred thousand and hardly a cycle: at Python's 700 it looks through them in vain."""


class _ShowVersion(argparse.Action):
    """`--version`, which looks it up only when asked."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,  # noqa: ARG002 - argparse's signature
        values: object,  # noqa: ARG002 - same
        option_string: str | None = None,  # noqa: ARG002 - same
    ) -> NoReturn:
        """Print it and exit with 0."""
        print(f"verifier {version()}")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--policy", required=True, metavar="FILE", help="whom to trust (see verifier --help)")
    common.add_argument("--origin", help="the log to check, where the policy names several")
    common.add_argument("--json", action="store_true", help="report as JSON")
    quiet = argparse.ArgumentParser(add_help=False)
    quiet.add_argument("--quiet", action="store_true", help="no progress bar")
    parser = argparse.ArgumentParser(
        "verifier",
        description="Checks a ledger, trusting only a policy.",
        epilog=manual.PROGRAM,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, parents: list[argparse.ArgumentParser], what: str, epilog: str) -> argparse.ArgumentParser:
        raw = argparse.RawDescriptionHelpFormatter
        return commands.add_parser(
            name, parents=parents, help=what, description=f"{what}.", epilog=epilog, formatter_class=raw
        )

    command = add("replay", [common, quiet], "check every byte of a log", manual.REPLAY)
    command.add_argument("source", help="a URL or a directory laid out as C2SP tiles")
    command.add_argument(
        "--also", metavar="SOURCE", action="append", default=[], help="another source of the same log, to compare with"
    )
    cli_predecessor.add_option(command)
    command.add_argument("--parties", metavar="FILE", help="pins: lines `party <name> <keyid>`")
    command.add_argument(
        "--identity-roots", metavar="FILE", help="PEM: issuers of certificates that you know (statements.md §2)"
    )
    judging = "judged as of this moment: 2027-01-31T12:00:00Z, Unix milliseconds, or now (default: the newest entry's)"
    cli_times.add_options(command, "where the log is")
    command.add_argument("--as-of", metavar="TIME", help=judging)
    command.add_argument(
        "--disclosures", metavar="FILE", action="append", default=[], help="what opens sealed places; may be repeated"
    )
    command.add_argument("--state", metavar="FILE", help="where the last replay is remembered, to go on from it")
    command.add_argument("--fraud-dir", metavar="DIR", help=FRAUD_DIR.format(beside="--state"))
    command.add_argument("--fail-on-findings", action="store_true", help="exit 4 if parties did wrong")
    command.add_argument(
        "--processes",
        type=parse_processes,
        default=len(os.sched_getaffinity(0)),
        metavar="N",
        help="how many processes share the work, this one included (default: one a processor, here %(default)s)",
    )
    cli_explain.add_parser(commands, [common, quiet])
    cli_bundle.add_parser(commands, [common])
    cli_fraud.add_parser(commands, [common])
    cli_witness.add_parser(commands)
    command = add("receipt", [common], "check, offline, that an entry is in a log", manual.EXIT_CODES)
    command.add_argument("receipt", metavar="RECEIPT_FILE")
    command.add_argument("--entry", required=True, metavar="ENTRY_FILE", help="the exact bytes of the entry")
    command.add_argument(
        "--state",
        metavar="FILE",
        help="what `replay --state` remembers of this log: the entry is one that it judged, or the receipt a fork's",
    )
    cli_times.add_options(command, "none")
    cli_mirror.add_parser(commands, [common, quiet])
    cli_watch.add_parser(commands, [common, quiet])
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = _parser().parse_args(argv)  # exits 2 by itself
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    try:
        if arguments.command == "witness":
            return cli_witness.run(arguments)
        policy = parse_policy(read_file(arguments.policy, MAX_POLICY_BYTES))
        log = policy.pick_log(arguments.origin)
        commands = {
            "replay": _replay,
            "explain": cli_explain.run,
            "bundle": cli_bundle.run,
            "fraud": cli_fraud.run,
            "receipt": _receipt,
            "mirror": cli_mirror.run,
            "watch": cli_watch.run,
        }
        return commands[arguments.command](arguments, policy, log)
    except (UsageError, MalformedInput) as error:
        print(f"verifier: {escape(str(error))}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # nobody read the report to its end, so nobody was told
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNKNOWN
    except Exception:  # noqa: BLE001 (a fault of this program must not pass for one of the log: Python would exit 1)
        traceback.print_exc()
        return UNKNOWN


def _replay(arguments: argparse.Namespace, policy: Policy, log: VerifierKey) -> int:
    pins, roots = read_pins(arguments.parties), read_roots(arguments.identity_roots)
    tsa_roots = cli_times.read_tsa_roots(arguments)
    as_of_ms = parse_moment(arguments.as_of) if arguments.as_of is not None else None
    disclosures = read_disclosures(arguments.disclosures)
    if arguments.state and (as_of_ms is not None or disclosures is not None):
        raise UsageError(
            "--state remembers what is public, as of the newest entry; leave it out with --as-of and --disclosures"
        )
    state_path = Path(arguments.state) if arguments.state else None
    state = load_state(state_path, policy, log) if state_path else None
    bar = ProgressBar("replaying", is_quiet=arguments.quiet)
    try:
        result = replay(
            cli_mirror.gather([arguments.source, *arguments.also]),
            policy,
            log,
            pins=pins,
            roots=roots,
            state=state,
            disclosures=disclosures,
            as_of_ms=as_of_ms,
            processes=arguments.processes,
            progress=bar.update,
        )
    finally:
        bar.close()
    dating = cli_times.date_replay(result, tsa_roots, arguments.timestamps)
    must_find_none = arguments.fail_on_findings
    code = own_code = result.exit_code(fail_on_findings=must_find_none)
    before = cli_predecessor.follow_back(arguments, result, policy, pins, roots)
    code = cli_predecessor.combine(code, before, fail_on_findings=must_find_none)
    kept = keep_frauds(arguments.fraud_dir, state_path, frauds_of_replay(result))
    if arguments.json:
        more = cli_predecessor.describe_before(before, code) | cli_times.describe(dating)
        print(format_json(describe_replay(result, code) | more | {"fraud_proofs": kept}))
    else:
        words = cli_predecessor.format_before(before, fail_on_findings=must_find_none)
        print(words + format_kept(kept) + cli_times.format_replayed(dating) + format_replay(result, code))
    if state_path and own_code not in (FAILED, UNKNOWN):
        try:
            write_atomically(state_path, format_state(result.state()))
        except OSError as error:
            raise UsageError(f"cannot write the state file {state_path}: {error.strerror}") from error
    return code


def _receipt(arguments: argparse.Namespace, policy: Policy, log: VerifierKey) -> int:
    raw = read_file(arguments.receipt, MAX_RECEIPT_BYTES)
    result = verify_receipt(raw, read_file(arguments.entry, 2 * MAX_ENTRY_BYTES), policy, log)
    dating = cli_times.date_receipt(result, policy, log, cli_times.read_tsa_roots(arguments), arguments.timestamps)
    doubts, kept = _compare_receipt(arguments, result, policy, log)
    if result.opened and not result.opened.is_quorate:
        doubts.append(Doubt(Check.QUORUM, "quorum-not-reached", where=policy.quorum or ""))
    code = exit_code(result.failures, doubts)
    if arguments.json:
        report = describe_receipt(result) | {"doubts": describe_doubts(doubts), "exit_code": code}
        report |= cli_times.describe(dating) | {"fraud_proofs": kept}
        print(format_json(report | {"checkpoint": describe_checkpoint(result.opened, policy)}))
        return code
    lines = format_checkpoint(result.opened, policy) if result.opened else []
    lines += _describe_entry(result) if not result.failures else []
    lines += cli_times.format_received(dating, result.index)
    lines += [f"False       {format_failure(failure)}" for failure in result.failures]
    lines += [f"Unknown     {format_doubt(doubt)}" for doubt in doubts]
    verdict = format_verdict(code, result.failures, verified="the entry is in the log")
    print(format_kept(kept) + "\n".join([*lines, "", verdict]))
    return code


def _compare_receipt(
    arguments: argparse.Namespace, result: ReceiptCheck, policy: Policy, log: VerifierKey
) -> tuple[list[Doubt], list[str]]:
    """Compare a receipt with the replay in --state, if given; return what is not told, and proofs that were kept."""
    if arguments.state is None:
        return [], []
    path = Path(arguments.state)
    state = load_state(path, policy, log)
    if state is None:
        raise UsageError(f"no such file: {path}; `verifier replay SOURCE --policy FILE --state {path}` makes it")
    doubts = compare_with_replay(result, state)
    if result.opened is None or not any(failure.check is Check.REMEMBERED for failure in result.failures):
        return doubts, []
    proof = make_fork(result.opened, open_checkpoint(state.note, policy, log), state.tree, policy, log)
    return doubts, keep_frauds(None, path, [proof] if proof else [])


def _describe_entry(result: ReceiptCheck) -> list[str]:
    lines = [f"Entry       {result.index} is in the log, below the checkpoint's size"]
    lines += [f"            {name}: {escape(str(value))}" for name, value in (result.statement or {}).items()]
    lines += [f"Signature   valid, by a key that the statement introduces: {keyid}" for keyid in result.verified_keyids]
    if result.replayed_size is not None:
        lines.append(f"Replayed    it is among the {result.replayed_size} entries that the replay in --state judged")
    lines += [f"Not checked {words}" for words in list_unchecked(result)]
    return [*lines, "Note        a receipt proves presence and order; what was not checked needs a replay"]
