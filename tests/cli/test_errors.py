"""Exit codes and words: never 0 on doubt, and nothing that steers a terminal."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import ledger
from ledger.cli.kit.error_words import explain, report, row_of
from ledger.cli.kit.words import fields
from ledger.core.errors import FormatError, LedgerError, NoteError, PolicyError, QuorumError
from ledger.party.errors import (
    AlreadyThere,
    ContentMismatch,
    ForkDetected,
    OpenToOthers,
    PartyError,
    Problem,
    ReceiptInvalid,
    ReplyInvalid,
    UnderHold,
    Unfit,
    Unproven,
    Unreachable,
    VaultError,
    WrongPassphrase,
)
from ledger.party.text import plain

FORK = ForkDetected("l.example", b"one", b"two", "two roots at size 5", certain=True)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Problem(422, "wrong-role"), 1),
        (Problem(404, "not-found"), 1),
        (Problem(429, "busy"), 3),
        (Problem(503, "unavailable"), 3),
        (FORK, 1),
        (Unproven("l.example", "no proof from size 1 to size 2"), 3),
        (ContentMismatch([], [], 2), 1),
        (ReceiptInvalid("it proves nothing"), 1),
        (NoteError("not signed"), 1),
        (QuorumError("one witness of two"), 3),
        (ReplyInvalid("not JSON"), 3),
        (Unreachable("http://l.example", "no answer in time"), 3),
        (UnderHold("sha256:1", ["sha256:2"]), 1),
        (Unfit("another ledger's draft"), 1),
        (VaultError("nobody's"), 2),
        (WrongPassphrase(Path("a.key"), "wrong"), 2),
        (AlreadyThere(Path("a.key")), 2),
        (OpenToOthers(Path("/shared")), 2),
        (PolicyError("line 1"), 2),
        (FormatError("wrong-value", "/title"), 2),
        (FileNotFoundError(2, "No such file", "a.key"), 2),
        (LedgerError("anything else"), 1),
    ],
)
def test_every_error_has_its_exit_code(error: LedgerError | OSError, code: int) -> None:
    assert explain(error).code == code


def kinds(kind: type[LedgerError] = LedgerError) -> set[type[LedgerError]]:
    """Return every kind of error in the ledger, once all of it is loaded."""
    for module in pkgutil.walk_packages(ledger.__path__, "ledger."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    below = {kind for kind in kind.__subclasses__() if kind.__module__.startswith("ledger.")}
    return below.union(*map(kinds, below))


def test_every_kind_of_error_has_its_row() -> None:
    """What has none would be told without advice, and with the exit code of a refusal, whatever it is."""
    families = {PartyError}
    without = {kind.__name__ for kind in kinds() - families if row_of(kind) is None}
    assert without == set()
    assert len(kinds()) > 60
    assert row_of(LedgerError) is None
    assert row_of(PartyError) is None


def test_a_fork_is_told_loudly_with_its_evidence(capsys: pytest.CaptureFixture[str]) -> None:
    FORK.kept = Path("/home/evidence/x.json")
    assert report(FORK) == 1
    shown = capsys.readouterr().err
    assert "THE LEDGER IS NOT WHAT IT WAS" in shown
    assert "/home/evidence/x.json" in shown


def test_foreign_text_stays_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert plain("\x1b]0;owned\x07 \u202e \u2028 é 数") == "\\x1b]0;owned\\x07 \\u202e \\u2028 é 数"
    fields({"reason": "No.\n  statement   sha256:forged"})
    lines = capsys.readouterr().out.splitlines()
    assert not lines[1].startswith("  statement")
    report(Problem(422, "x\x1b[2J", "[red]detail[/red]"))
    shown = capsys.readouterr().err
    assert "\x1b" not in shown
    assert "[red]detail[/red]" in shown


def test_exit_codes_stand_in_one_place() -> None:
    """What else a command exits with, the table of error words gave it."""
    texts = {path: path.read_text(encoding="utf-8") for path in (Path(ledger.__file__).parent / "cli").rglob("*.py")}
    telling = [path.name for path, text in texts.items() if re.search(r"\b[Ee]xit\((?:code=)?(?:\d|[A-Z]+\))", text)]
    assert telling == ["exit_codes.py"]
