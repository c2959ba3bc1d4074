"""Words of errors that depend on what a ledger answered or signed: the longer rows of `error_words`."""

from __future__ import annotations

from typing import NamedTuple

from ledger.cli.kit.exit_codes import REFUSED, UNSURE, USAGE
from ledger.cli.kit.words import when
from ledger.core.errors import FormatError
from ledger.party.errors import ForkDetected, FraudProven, Problem, Promised, Unproven

_SERVER_ERRORS = 500
_TOO_MANY = 429

ADVICE = {
    "contradictory-terms": "the rule named can never apply, or another rule takes it back: mend or remove one of them",
    "expired": "the statement was made too long ago, or this machine's clock is slow: make it again",
    "issued-in-future": "this machine's clock is more than five minutes ahead: set it, and make the statement again",
    "key-taken": "a key serves one party, once: make another with 'ledger key new'",
    "legal-hold": "a claim holds it: nothing is erased before the claim is determined, 'ledger claim list'",
    "name-taken": "names are never reused: choose another, or use the home that holds its keys",
    "not-found": "check the id or name: nothing like it is on this ledger",
    "revoked-key": "this key was revoked: add another with 'ledger party add-key --switch'",
    "already-decided": "it was decided before: 'show' of what it is about, such as 'ledger claim show', tells where",
    "unjudgeable-terms": "no program could decide by this: docs/terms.md §3 and §4 list the words that terms may use",
    "unknown-key": "the ledger does not know this key: 'ledger party show NAME' lists those it knows",
    "unknown-party": "this party is not registered: 'ledger party show NAME'",
    "unknown-reference": "check the id: nothing of this kind has it on this ledger",
    "wrong-role": "this step is for the other side",
    "wrong-signers": "a key of another party, or of another use, signed: 'ledger key show FILE' tells which key it is",
}
"""What to do about a reason for which a statement is refused, here or by a ledger."""


class Words(NamedTuple):
    """What to print, what to do next, and the exit code."""

    message: str
    advice: str
    code: int


def problem(problem: Problem) -> Words:
    """Return the words for an answer that is a problem."""
    unsure = problem.status >= _SERVER_ERRORS or problem.status == _TOO_MANY
    message = f"The ledger {'cannot answer now' if unsure else 'refused'}: {problem}"
    advice = ADVICE.get(problem.type, "try again later; sending a statement twice records it once" if unsure else "")
    if problem.refusal is not None and problem.refusal.kept is not None:
        message += f"\nIts signed refusal is kept in {problem.refusal.kept}"
    return Words(message, advice, UNSURE if unsure else REFUSED)


def promised(promised: Promised) -> Words:
    """Return the words for a promise."""
    message = f"Not recorded yet: the ledger signed that it will record {promised.statement_id} by "
    message += str(when(promised.deadline_ms))
    if promised.kept is not None:
        message += f".\nThe promise is kept in {promised.kept}"
    return Words(
        message,
        "nothing now: sent again, it gets the same promise or its receipt; whatever you do next with this ledger looks "
        "whether it was kept",
        UNSURE,
    )


def fraud(fraud: FraudProven) -> Words:
    """Return the words for a proved fraud."""
    message = f"THE LEDGER IS NOT WHAT IT SAYS. What {fraud.origin} signed is false: {fraud.detail}."
    if fraud.kept is not None:
        message += f"\nThe proof ({fraud.kind}) is kept in {fraud.kept}"
    return Words(
        message,
        "show the proof to anybody: 'verifier fraud FILE --policy POLICY' checks it, offline; sign nothing more here",
        REFUSED,
    )


def unproven(unproven: Unproven) -> Words:
    """Return the words for two states that were not shown to agree."""
    message = (
        f"Two states signed by {unproven.origin} were not shown to agree: {unproven.detail}. "
        "The ledger may have lost or hidden entries, or something on the way to it said no"
    )
    if unproven.kept is not None:
        message += f"\nBoth are kept in {unproven.kept}"
    return Words(
        message,
        "try again; if it stays so, sign nothing more on this ledger, and ask the operator for the proof",
        UNSURE,
    )


def fork(fork: ForkDetected) -> Words:
    """Return the words for a fork."""
    what = "contradict each other" if fork.certain else "do not agree, by the ledger's own proof"
    message = f"THE LEDGER IS NOT WHAT IT WAS. Two states signed by {fork.origin} {what}: {fork.detail}."
    if fork.kept is not None:
        message += f"\nBoth are kept in {fork.kept}"
    return Words(
        message,
        "sign nothing more on this ledger; show the evidence to the other parties and to the operator",
        REFUSED,
    )


def malformed(error: FormatError) -> Words:
    """Return the words for what breaks docs/format.md."""
    return Words(f"Not allowed: {error}", ADVICE.get(error.reason, ""), USAGE)
