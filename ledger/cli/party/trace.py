"""`ledger trace`: from a found file to the hand-off it came from, on this machine alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from ledger.cli.kit.error_words import report
from ledger.cli.kit.home import vault_at
from ledger.cli.kit.options import DEFAULT_HOME as HOME
from ledger.cli.kit.options import JsonOutput, PassphraseFile
from ledger.cli.kit.passphrase import NoPassphrase
from ledger.cli.kit.signing import open_key
from ledger.cli.kit.words import as_json, console, fields, say
from ledger.core.errors import SignerError
from ledger.party.errors import KeyFileError, VaultDamaged, VaultSealed
from ledger.party.extras import MissingExtra
from ledger.party.files import create_file
from ledger.party.speaking.speaker import now_ms
from ledger.party.text import plain
from ledger.party.trace.words import summary
from ledger.party.vault.locker import Locker
from ledger.party.vault.vault import Vault

_MAX_WORDS = 1000


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(trace)


def trace(
    found: Annotated[
        Path, typer.Argument(metavar="FOUND", help="The file that was found.", exists=True, dir_okay=False)
    ],
    *,
    home: Annotated[
        Path,
        typer.Option("--vault", "--home", envvar="LEDGER_HOME", help="The vault of the company whose data it may be."),
    ] = HOME,
    out: Annotated[Path | None, typer.Option("--out", help="Also write the trace to this new file.")] = None,
    examiner: Annotated[
        str | None, typer.Option("--examiner", help="Who examines the file: it stands in the trace. Else the company.")
    ] = None,
    obtained: Annotated[
        str | None, typer.Option("--obtained", help="Where, when and from whom the file was obtained, in words.")
    ] = None,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Find out which hand-off a file came from, and how sure that is. Nothing leaves this machine.

    The file (CSV, TSV, JSON Lines, Parquet, Arrow, or any other; also .gz) is compared with the copies that the vault
    keeps of everything handed off: records word for word, then rewritten ones (other order, other or fewer columns,
    other number and date formats, letter case). Marks that were sealed into a copy before the hand-off are looked for,
    by the same test for every recipient. It says ENOUGH only where the sealed bound on false accusations holds.

    Ctrl-C loses nothing: the same command goes on where it stopped. The trace is kept in the vault, below traces/.

    Example: ledger trace leak.csv --obtained "downloaded by J. Doe from example.org/forum, 2026-11-20" --out trace.json
    """
    # Its libraries are heavy, and an extra: no other command shall wait for them.
    try:
        from ledger.party.trace.tracing import Examination  # noqa: PLC0415
        from ledger.party.trace.tracing import trace as traced  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name)) from error

    vault = vault_at(home)
    config = vault.config()
    if out is not None and out.exists():
        raise typer.BadParameter(f"{out} exists, and is never overwritten")
    who, where = _line(examiner, "--examiner") or config.party, _line(obtained, "--obtained")
    locker = _locker(vault, Path(config.key), passphrase_file)
    # The file's name alone: paths would tell every reader of the evidence where the vault is, and whose home.
    examination = Examination(who, now_ms(), f"ledger trace {plain(found.name)}"[:_MAX_WORDS], where)
    try:
        with _showing() as bar:
            done = traced(found, vault, locker, examination, bar)
    except KeyboardInterrupt:
        say("Stopped. What was done is kept: the same command goes on from there.", err=True)
        raise
    if out is not None:
        create_file(out, done.raw)
    if json_output:
        as_json(done.document)
        return
    for line in summary(done.document):
        say(line)
    fields([("trace", out if out is not None else done.kept)])


def _locker(vault: Vault, path: Path, passphrase_file: Path | None) -> Locker | None:
    """Open what opens our seals; where that fails, say so, and go on without: records can be compared all the same."""
    try:
        return vault.locker(open_key(path, passphrase_file))
    except (KeyFileError, NoPassphrase, SignerError, VaultSealed, VaultDamaged, FileNotFoundError) as error:
        report(error)
        say("Going on without: records are compared, marks cannot be opened.", "yellow", err=True)
        return None


def _line(text: str | None, option: str) -> str | None:
    if text is not None and (not text.strip() or len(text) > _MAX_WORDS or not text.isprintable()):
        raise typer.BadParameter(f"{option}: one line of at most {_MAX_WORDS} characters")
    return text


class _Shown:
    """One bar, which every step starts anew."""

    def __init__(self, bar: Bar, task: TaskID) -> None:
        self._bar = bar
        self._task = task

    def start(self, what: str, total: int) -> None:
        self._bar.reset(self._task, total=total, description=what)

    def advance(self, count: int) -> None:
        self._bar.advance(self._task, count)


@contextmanager
def _showing() -> Iterator[_Shown]:
    out = console(err=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Bar(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
        yield _Shown(bar, bar.add_task("Starting", total=None))
