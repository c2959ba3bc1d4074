"""`verifier fraud`: one fraud proof, checked offline."""

from __future__ import annotations

import argparse
import sys
import textwrap
from typing import TYPE_CHECKING, Any

from verifier.cli.arguments import read_file
from verifier.core.verdict import UNKNOWN, format_code, format_json
from verifier.core.words import escape
from verifier.fraud.form import MAX_FRAUD_BYTES
from verifier.fraud.fraud import Verdict, verify_fraud

if TYPE_CHECKING:
    from verifier.core.notes import VerifierKey
    from verifier.core.policy import Policy

MANUAL = """\
a fraud proof is a file that shows, by the operator's own signatures, that it did what
no honest operator does: fork, rewrite or roll back its log, break a promise, leave an
entry out of a history that it signed, refuse what its log allows, let time go back,
record what a rule forbids or what nobody signed (docs/format.md §19):
  verifier fraud 3f2a….json --policy policy.txt

replay, mirror and others write such files (--fraud-dir), and so does a company's own
client, into its vault. Give one to anybody: no network, no ledger, nobody's word.

exit codes: 0 the file proves what it claims; 1 it does not, and says why; 2 usage;
3 could not tell: of a kind, version or rules that this program does not know
"""
_WIDTH = 100


def add_parser(commands: Any, parents: list[argparse.ArgumentParser]) -> None:  # noqa: ANN401 (argparse hides the type)
    """Add the command to those of the verifier."""
    what = "check a file that convicts a log's operator, offline"
    raw = argparse.RawDescriptionHelpFormatter
    command = commands.add_parser(
        "fraud", parents=parents, help=what, description=f"{what}.", epilog=MANUAL, formatter_class=raw
    )
    command.add_argument("fraud", metavar="FILE", help="the fraud proof")


def run(arguments: argparse.Namespace, policy: Policy, log: VerifierKey) -> int:
    """Check the file that the arguments name, report, and return the exit code.

    Raises `UsageError` for one that cannot be read.
    """
    verdict = verify_fraud(read_file(arguments.fraud, MAX_FRAUD_BYTES), policy, log)
    words = format_json(describe(verdict, log.name)) if arguments.json else format_text(verdict, log.name)
    sys.stdout.write(words + "\n")
    return verdict.exit_code


def describe(verdict: Verdict, origin: str) -> dict[str, Any]:
    """Return a verdict as a JSON value."""
    proof = verdict.proof
    return {
        "type": "provenance-ledger.fraud-report/v1",
        "exit_code": verdict.exit_code,
        "origin": origin,
        "kind": verdict.kind or None,
        "what": proof.what if proof else None,
        "when": proof.when if proof else None,
        "sure": proof.sure if proof else None,
        "log_keys": list(proof.log_vkeys) if proof else None,
        "reason": verdict.reason or None,
        "where": verdict.where or None,
    }


def format_text(verdict: Verdict, origin: str) -> str:
    """Return a verdict in one paragraph, and a last line."""
    if verdict.proof is not None:
        proof = verdict.proof
        told = f"The operator of {escape(origin)} {proof.what}. When: {proof.when}. How sure: {proof.sure}."
        end = f"PROVEN: {verdict.kind} (exit {verdict.exit_code})"
    else:
        where = f" ({escape(verdict.where)})" if verdict.where else ""
        told = f"[{escape(verdict.kind or 'unread')}] {escape(verdict.reason)}{where}"
        end = f"NOT PROVEN: the file does not show what it claims (exit {verdict.exit_code})"
        if verdict.exit_code == UNKNOWN:
            end = format_code(UNKNOWN, "")
    return "\n".join([*textwrap.wrap(told, _WIDTH, break_long_words=False, break_on_hyphens=False), "", end])
