"""The one place that turns errors into words, what to do next, and exit codes (README.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.text import Text

from ledger.cli.kit import answer_words
from ledger.cli.kit.answer_words import ADVICE, Words
from ledger.cli.kit.exit_codes import REFUSED, UNSURE, USAGE, NotAsTold
from ledger.cli.kit.passphrase import NoPassphrase
from ledger.cli.kit.words import console
from ledger.core.errors import FormatError, LedgerError, NoteError, PolicyError, ProofError, QuorumError, SignerError
from ledger.party.dataset.committing.errors import CountDiffers
from ledger.party.dataset.reading.errors import CopyDamaged, NotReadable, TableUnreadable
from ledger.party.errors import (
    AlreadyThere,
    ContentMismatch,
    ForkDetected,
    FraudProven,
    KeyFileError,
    NeedsRules,
    NotAKeyFile,
    NotWitnessed,
    OpenToOthers,
    Problem,
    Promised,
    ReceiptInvalid,
    ReplyInvalid,
    SourceInvalid,
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
from ledger.registry.acceptance import Duplicate
from ledger.registry.refusal import Refused
from ledger.server.copies.errors import CopyError, CopyFalse, CopyTooShort, CopyUnreadable
from ledger.server.log.state.errors import (
    BusyError,
    ContradictedError,
    NotStampedError,
    PromisedError,
    SignedRefusalError,
    UnavailableError,
)
from ledger.server.service.errors import ProblemError
from ledger.server.store.contract import IntegrityError, ReadTooLongError, StoreError, StoreLockedError

_ROWS: dict[type[Exception], Callable[[Any], Words]] = {
    EvidenceError: lambda error: Words(str(error), error.advice, UNSURE if isinstance(error, LedgerGone) else REFUSED),
    ContradictedError: lambda error: Words(
        f"The ledger does not sign: {error}. Going on from here would fork the log",
        "rebuild the database from a mirror that has all of it: 'ledger restore DIR --from MIRROR'. Where none "
        "has, what was shown is lost: begin a successor with 'ledger adopt'",
        REFUSED,
    ),
    NotStampedError: lambda error: Words(
        f"No time-stamp: {error}",
        "check the address, and that --tsa-roots is that authority's; another authority will do as well",
        UNSURE,
    ),
    CopyUnreadable: lambda error: Words(
        f"Could not read the copy: {error}", "check the path or the address, or try another", UNSURE
    ),
    CopyTooShort: lambda error: Words(
        f"The mirror is too short: {error}. Nothing was changed.", "find a mirror that has all of it", REFUSED
    ),
    CopyFalse: lambda error: Words(
        f"Not a copy of this log: {error}. Nothing was changed.",
        "check it with 'verifier replay', or give another mirror",
        REFUSED,
    ),
    Promised: answer_words.promised,
    Problem: answer_words.problem,
    FraudProven: answer_words.fraud,
    ForkDetected: answer_words.fork,
    Unproven: answer_words.unproven,
    ContentMismatch: lambda error: Words(
        f"What you received is not what was offered: {error}. Nothing was signed.",
        "ask the sender for the files again, or refuse: 'ledger transfer refuse --manifest FILE --reason …'",
        REFUSED,
    ),
    Unreachable: lambda error: Words(
        f"The ledger did not answer: {error}",
        "check the address and the network; a statement may be recorded all the same, so look with 'list' or "
        "'show' before you make it a second time",
        UNSURE,
    ),
    NotWitnessed: lambda error: Words(
        f"Recorded and not witnessed: the ledger says that {error.statement_id} is its entry {error.index}, "
        f"which too few of your policy's witnesses have cosigned: {error.detail}",
        "do not make it a second time: look with 'list' or 'show' in a minute. Where it stays so, the ledger "
        "does not ask these witnesses, or they do not answer: ask its operator",
        UNSURE,
    ),
    QuorumError: lambda error: Words(
        f"Too few witnesses vouch for the ledger's state: {error}",
        "try again in a minute; the policy asks for more witnesses than have signed",
        UNSURE,
    ),
    ReceiptInvalid: lambda error: Words(
        f"The ledger's proof does not hold: {error}",
        "do not rely on this answer; compare the policy file with the operator's, and tell the operator",
        REFUSED,
    ),
    ProofError: lambda error: Words(
        f"The ledger's proof does not hold: {error}",
        "do not rely on this answer; compare the policy file with the operator's, and tell the operator",
        REFUSED,
    ),
    NoteError: lambda error: Words(
        f"The ledger's proof does not hold: {error}",
        "do not rely on this answer; compare the policy file with the operator's, and tell the operator",
        REFUSED,
    ),
    ReplyInvalid: lambda error: Words(str(error), "check that the address is a ledger's", UNSURE),
    NeedsRules: lambda error: Words(
        f"{error}. Nothing was signed or sent.",
        "leave that out, or ask the ledger's operator to take up the newer version",
        REFUSED,
    ),
    UnderHold: lambda error: Words(
        f"{error}. Nothing was destroyed.",
        "wait until the claim is determined: 'ledger claim show' tells what became of it",
        REFUSED,
    ),
    TableUnreadable: lambda error: Words(f"{error}. Nothing was signed or sent.", error.advice, REFUSED),
    CannotMark: lambda error: Words(f"Cannot be marked: {error}. Nothing was signed or sent.", error.advice, REFUSED),
    CopyDamaged: lambda error: Words(str(error), "restore the vault from your backup", REFUSED),
    NothingToCompare: lambda error: Words(
        f"Could not tell: {error}",
        "give the vault from which the data was handed over; 'ledger transfer offer' keeps a copy there",
        UNSURE,
    ),
    TraceRunning: lambda error: Words(f"Could not tell: {error}", "wait until it has ended", UNSURE),
    FoundChanged: lambda error: Words(f"Could not tell: {error}", "copy the file, and trace the copy", UNSURE),
    FoundEmpty: lambda error: Words(str(error), "", USAGE),
    FoundTooLarge: lambda error: Words(str(error), "", USAGE),
    Unfit: lambda error: Words(f"{error}. Nothing was signed or sent.", "", REFUSED),
    VaultSealed: lambda error: Words(
        str(error),
        "use the home's signing key, or its recovery key: 'ledger key show FILE' tells which key a file holds",
        USAGE,
    ),
    VaultDamaged: lambda error: Words(
        str(error), "do not change the vault's files by hand; restore it from your backup", REFUSED
    ),
    VaultError: lambda error: Words(
        str(error), "register first: 'ledger party register', or give the right --home", USAGE
    ),
    WrongPassphrase: lambda error: Words(
        str(error), "try again; a lost passphrase cannot be recovered, a recovery key can help", USAGE
    ),
    NotAKeyFile: lambda error: Words(str(error), "make a key with 'ledger key new FILE'", USAGE),
    SignerError: lambda error: Words(
        f"The key cannot be used: {error}", "'ledger key show FILE' tells where a key is", USAGE
    ),
    AlreadyThere: lambda error: Words(str(error), "give another name, or move the file away", USAGE),
    OpenToOthers: lambda error: Words(str(error), "give another --home, or keep others out of it: chmod go-w", USAGE),
    NotUnderstood: lambda error: Words(str(error), "", USAGE),
    MissingExtra: lambda error: Words(str(error), "", USAGE),
    MissingTool: lambda error: Words(str(error), "", USAGE),
    ToolFailed: lambda error: Words(str(error), "", USAGE),
    NoPassphrase: lambda error: Words(str(error), "", USAGE),
    PolicyError: lambda error: Words(str(error), "", USAGE),
    FormatError: answer_words.malformed,
    # What stays inside a server, or inside a reading: a command that lets one through still says what to do.
    BusyError: lambda error: Words(str(error), "try again in a moment", REFUSED),
    CopyError: lambda error: Words(str(error), "check the path or the address, or try another", REFUSED),
    CountDiffers: lambda error: Words(str(error), "ask the sender for the files and the manifest again", REFUSED),
    Duplicate: lambda error: Words(str(error), "nothing: it is on the ledger", REFUSED),
    IntegrityError: lambda error: Words(
        str(error), "keep the files as they are, and rebuild from a mirror: 'ledger restore DIR --from MIRROR'", REFUSED
    ),
    KeyFileError: lambda error: Words(str(error), "give another key file, or make one with 'ledger key new'", REFUSED),
    NotAsTold: lambda error: Words(
        str(error), "look at the files that it has written; run it in a new folder", REFUSED
    ),
    NotReadable: lambda error: Words(str(error), "correct this value in the table", REFUSED),
    ProblemError: lambda error: Words(str(error), ADVICE.get(error.reason, ""), REFUSED),
    PromisedError: lambda error: Words(str(error), "nothing now: it will be recorded", REFUSED),
    ReadTooLongError: lambda error: Words(str(error), "", REFUSED),
    Refused: lambda error: Words(str(error), ADVICE.get(error.reason, ""), REFUSED),
    SignedRefusalError: lambda error: Words(str(error), ADVICE.get(error.refused.reason, ""), REFUSED),
    SourceInvalid: lambda error: Words(str(error), "give another mirror", REFUSED),
    StoreError: lambda error: Words(
        str(error), "look at the disk, and start again: what was stored is read back", REFUSED
    ),
    StoreLockedError: lambda error: Words(str(error), "end the other process first, or leave it the work", REFUSED),
    UnavailableError: lambda error: Words(
        str(error), "see what 'ledger serve' prints; submitting again is safe", REFUSED
    ),
    OSError: lambda error: Words(f"{error.filename or 'system'}: {error.strerror or error}", "", USAGE),
}
"""From errors to words: of an error whose kind has no row, the row of the nearest kind above it counts."""


def report(error: LedgerError | OSError) -> int:
    """Print an error for people, on standard error, and return the exit code."""
    words = explain(error)
    out = console(err=True)
    out.print(Text("Error: ", "bold red") + Text(plain(words.message)))
    if words.advice:
        out.print(Text("What to do: ", "bold") + Text(plain(words.advice)))
    return words.code


def explain(error: LedgerError | OSError) -> Words:
    """Return the words for an error."""
    row = row_of(type(error))
    return row(error) if row is not None else Words(str(error), "", REFUSED)


def row_of(kind: type[Exception]) -> Callable[[Any], Words] | None:
    """Return the row that counts for a kind of error; None if there is none."""
    return next((_ROWS[above] for above in kind.__mro__ if above in _ROWS), None)
