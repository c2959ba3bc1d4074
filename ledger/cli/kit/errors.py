"""The one place that turns errors into words, what to do next, and exit codes (DESIGN §5)."""

from __future__ import annotations

from typing import NamedTuple

from rich.text import Text

from ledger.cli.kit.passphrase import NoPassphrase
from ledger.cli.kit.words import console, when
from ledger.core.errors import FormatError, LedgerError, NoteError, PolicyError, ProofError, QuorumError, SignerError
from ledger.party.dataset.reading.errors import CopyDamaged, TableUnreadable
from ledger.party.errors import (
    AlreadyThere,
    ContentMismatch,
    ForkDetected,
    FraudProven,
    NeedsRules,
    NotAKeyFile,
    NotWitnessed,
    OpenToOthers,
    Problem,
    Promised,
    ReceiptInvalid,
    ReplyInvalid,
    UnderHold,
    Unfit,
    Unproven,
    Unreachable,
    VaultDamaged,
    VaultError,
    VaultSealed,
    WrongPassphrase,
)
from ledger.party.evidence.parts.errors import EvidenceError, LedgerGone
from ledger.party.extras import MissingExtra, MissingTool, ToolFailed
from ledger.party.interop.errors import NotUnderstood
from ledger.party.marks.errors import CannotMark
from ledger.party.text import plain
from ledger.party.trace.errors import FoundChanged, FoundEmpty, FoundTooLarge, NothingToCompare, TraceRunning
from ledger.server.copies.errors import CopyFalse, CopyTooShort, CopyUnreadable
from ledger.server.log.state.errors import ContradictedError, NotStampedError

REFUSED = 1
USAGE = 2
UNSURE = 3
_SERVER_ERRORS = 500
_TOO_MANY = 429

_ADVICE = {
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


class Words(NamedTuple):
    """What to print, what to do next, and the exit code."""

    message: str
    advice: str
    code: int


def report(error: LedgerError | OSError) -> int:
    """Print an error for people, on standard error, and return the exit code."""
    words = explain(error)
    out = console(err=True)
    out.print(Text("Error: ", "bold red") + Text(plain(words.message)))
    if words.advice:
        out.print(Text("What to do: ", "bold") + Text(plain(words.advice)))
    return words.code


def explain(error: LedgerError | OSError) -> Words:  # noqa: C901, PLR0911, PLR0912 - one table from errors to words
    """Return the words for an error; more special types come first."""
    match error:
        case EvidenceError():
            return Words(str(error), error.advice, UNSURE if isinstance(error, LedgerGone) else REFUSED)
        case ContradictedError():
            return Words(
                f"The ledger does not sign: {error}. Going on from here would fork the log",
                "rebuild the database from a mirror that has all of it: 'ledger restore DIR --from MIRROR'. Where none "
                "has, what was shown is lost: begin a successor with 'ledger adopt'",
                REFUSED,
            )
        case NotStampedError():
            return Words(
                f"No time-stamp: {error}",
                "check the address, and that --tsa-roots is that authority's; another authority will do as well",
                UNSURE,
            )
        case CopyUnreadable():
            return Words(f"Could not read the copy: {error}", "check the path or the address, or try another", UNSURE)
        case CopyTooShort():
            return Words(
                f"The mirror is too short: {error}. Nothing was changed.", "find a mirror that has all of it", REFUSED
            )
        case CopyFalse():
            return Words(
                f"Not a copy of this log: {error}. Nothing was changed.",
                "check it with 'verifier replay', or give another mirror",
                REFUSED,
            )
        case Promised():
            return _promised(error)
        case Problem():
            return _problem(error)
        case FraudProven():
            return _fraud(error)
        case ForkDetected():
            return _fork(error)
        case Unproven():
            return _unproven(error)
        case ContentMismatch():
            return Words(
                f"What you received is not what was offered: {error}. Nothing was signed.",
                "ask the sender for the files again, or refuse: 'ledger transfer refuse --manifest FILE --reason …'",
                REFUSED,
            )
        case Unreachable():
            return Words(
                f"The ledger did not answer: {error}",
                "check the address and the network; a statement may be recorded all the same, so look with 'list' or "
                "'show' before you make it a second time",
                UNSURE,
            )
        case NotWitnessed():
            return Words(
                f"Recorded and not witnessed: the ledger says that {error.statement_id} is its entry {error.index}, "
                f"which too few of your policy's witnesses have cosigned: {error.detail}",
                "do not make it a second time: look with 'list' or 'show' in a minute. Where it stays so, the ledger "
                "does not ask these witnesses, or they do not answer: ask its operator",
                UNSURE,
            )
        case QuorumError():
            return Words(
                f"Too few witnesses vouch for the ledger's state: {error}",
                "try again in a minute; the policy asks for more witnesses than have signed",
                UNSURE,
            )
        case ReceiptInvalid() | ProofError() | NoteError():
            return Words(
                f"The ledger's proof does not hold: {error}",
                "do not rely on this answer; compare the policy file with the operator's, and tell the operator",
                REFUSED,
            )
        case ReplyInvalid():
            return Words(str(error), "check that the address is a ledger's", UNSURE)
        case NeedsRules():
            return Words(
                f"{error}. Nothing was signed or sent.",
                "leave that out, or ask the ledger's operator to take up the newer version",
                REFUSED,
            )
        case UnderHold():
            return Words(
                f"{error}. Nothing was destroyed.",
                "wait until the claim is determined: 'ledger claim show' tells what became of it",
                REFUSED,
            )
        case TableUnreadable():
            return Words(f"{error}. Nothing was signed or sent.", error.advice, REFUSED)
        case CannotMark():
            return Words(f"Cannot be marked: {error}. Nothing was signed or sent.", error.advice, REFUSED)
        case CopyDamaged():
            return Words(str(error), "restore the vault from your backup", REFUSED)
        case NothingToCompare():
            return Words(
                f"Could not tell: {error}",
                "give the vault from which the data was handed over; 'ledger transfer offer' keeps a copy there",
                UNSURE,
            )
        case TraceRunning():
            return Words(f"Could not tell: {error}", "wait until it has ended", UNSURE)
        case FoundChanged():
            return Words(f"Could not tell: {error}", "copy the file, and trace the copy", UNSURE)
        case FoundEmpty() | FoundTooLarge():
            return Words(str(error), "", USAGE)
        case Unfit():
            return Words(f"{error}. Nothing was signed or sent.", "", REFUSED)
        case VaultSealed():
            return Words(
                str(error),
                "use the home's signing key, or its recovery key: 'ledger key show FILE' tells which key a file holds",
                USAGE,
            )
        case VaultDamaged():
            return Words(str(error), "do not change the vault's files by hand; restore it from your backup", REFUSED)
        case VaultError():
            return Words(str(error), "register first: 'ledger party register', or give the right --home", USAGE)
        case WrongPassphrase():
            return Words(str(error), "try again; a lost passphrase cannot be recovered, a recovery key can help", USAGE)
        case NotAKeyFile():
            return Words(str(error), "make a key with 'ledger key new FILE'", USAGE)
        case SignerError():
            return Words(f"The key cannot be used: {error}", "'ledger key show FILE' tells where a key is", USAGE)
        case AlreadyThere():
            return Words(str(error), "give another name, or move the file away", USAGE)
        case OpenToOthers():
            return Words(str(error), "give another --home, or keep others out of it: chmod go-w", USAGE)
        case NotUnderstood() | MissingExtra() | MissingTool() | ToolFailed():
            return Words(str(error), "", USAGE)
        case NoPassphrase() | PolicyError():
            return Words(str(error), "", USAGE)
        case FormatError():
            return Words(f"Not allowed: {error}", _ADVICE.get(error.reason, ""), USAGE)
        case OSError():
            return Words(f"{error.filename or 'system'}: {error.strerror or error}", "", USAGE)
        case _:
            return Words(str(error), "", REFUSED)


def _problem(problem: Problem) -> Words:
    unsure = problem.status >= _SERVER_ERRORS or problem.status == _TOO_MANY
    message = f"The ledger {'cannot answer now' if unsure else 'refused'}: {problem}"
    advice = _ADVICE.get(problem.type, "try again later; sending a statement twice records it once" if unsure else "")
    if problem.refusal is not None and problem.refusal.kept is not None:
        message += f"\nIts signed refusal is kept in {problem.refusal.kept}"
    return Words(message, advice, UNSURE if unsure else REFUSED)


def _promised(promised: Promised) -> Words:
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


def _fraud(fraud: FraudProven) -> Words:
    message = f"THE LEDGER IS NOT WHAT IT SAYS. What {fraud.origin} signed is false: {fraud.detail}."
    if fraud.kept is not None:
        message += f"\nThe proof ({fraud.kind}) is kept in {fraud.kept}"
    return Words(
        message,
        "show the proof to anybody: 'verifier fraud FILE --policy POLICY' checks it, offline; sign nothing more here",
        REFUSED,
    )


def _unproven(unproven: Unproven) -> Words:
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


def _fork(fork: ForkDetected) -> Words:
    what = "contradict each other" if fork.certain else "do not agree, by the ledger's own proof"
    message = f"THE LEDGER IS NOT WHAT IT WAS. Two states signed by {fork.origin} {what}: {fork.detail}."
    if fork.kept is not None:
        message += f"\nBoth are kept in {fork.kept}"
    return Words(
        message,
        "sign nothing more on this ledger; show the evidence to the other parties and to the operator",
        REFUSED,
    )
