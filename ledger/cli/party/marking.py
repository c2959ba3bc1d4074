"""The options of `ledger transfer offer` that mark the copy, and what is printed before anything is done."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.kit.progress import hashing
from ledger.cli.kit.words import fields, say
from ledger.party.acts.handoff import PreparedMarks
from ledger.party.errors import Problem
from ledger.party.extras import MissingExtra
from ledger.party.marks.weight import MAX_BOUND
from ledger.party.speaking.speaker import Speaker

DEFAULT_BOUND = "0.000001"
_BOUND = re.compile(r"0\.0*[1-9][0-9]*", re.ASCII)


class Method(StrEnum):
    """How a copy is marked (docs/marks.md §1)."""

    CANARY = "canary"
    TARDOS = "tardos"


Mark = Annotated[
    Method | None,
    typer.Option(
        "--mark",
        help="Mark this recipient's copy with rows that are made up for it: 'canary', rows of its own; 'tardos', a "
        "code that also tells who took part where recipients pool their copies. The license has to consent.",
    ),
]
Recipients = Annotated[
    int | None, typer.Option("--recipients", min=1, help="With --mark: how many recipients there are, or may be.")
]
Colluders = Annotated[
    int, typer.Option("--colluders", min=1, help="With --mark tardos: how many of them may pool their copies.")
]
Bound = Annotated[
    str,
    typer.Option("--bound", help="With --mark: the greatest chance that, of all recipients, any is accused falsely."),
]
Canaries = Annotated[
    Path | None,
    typer.Option("--canaries", help="With --mark canary: a table of rows of your own.", exists=True, dir_okay=False),
]
BitsPerRow = Annotated[
    int | None,
    typer.Option(
        "--bits-per-row",
        min=1,
        max=1000,
        help="With --canaries: log2 of how many rows each was chosen from, at random.",
    ),
]
MarkedCopy = Annotated[
    Path | None, typer.Option("--marked-copy", help="With --mark: the file to write. Send it, not the original.")
]
Yes = Annotated[bool, typer.Option("--yes", help="With --mark: do not ask.")]


@dataclass(frozen=True)
class MarkOptions:
    """What was asked for; nothing where `method` is None."""

    method: Method | None
    recipients: int | None
    colluders: int
    bound: str
    canaries: Path | None
    bits_per_row: int | None
    copy: Path | None
    yes: bool

    def check(self) -> None:
        """Raise BadParameter for options that do not go together."""
        if self.method is None:
            if self.copy is not None or self.recipients is not None or self.canaries is not None:
                raise typer.BadParameter("say with --mark how the copy is to be marked: canary or tardos")
            return
        if self.recipients is None or self.copy is None:
            raise typer.BadParameter("--mark needs --recipients, and --marked-copy: where to write the marked copy")
        if not _BOUND.fullmatch(self.bound) or len(self.bound) > 32:
            raise typer.BadParameter(f"--bound is a decimal between 0 and 1, such as {DEFAULT_BOUND}")
        if Decimal(self.bound) > MAX_BOUND:
            raise typer.BadParameter(f"--bound is at most {MAX_BOUND}: with more, no verifier ever calls a leak shown")
        if (self.canaries is None) != (self.bits_per_row is None):
            raise typer.BadParameter("--canaries and --bits-per-row go together")
        if not self.yes and not sys.stdin.isatty():
            raise typer.BadParameter("nobody is there to be asked: look at the parameters at a terminal, or give --yes")


async def mark(
    speaker: Speaker,
    files: Sequence[Path],
    options: MarkOptions,
    *,
    listing: str,
    license_id: str | None,
    recipient: str,
    encoding: str | None,
) -> tuple[list[Path], PreparedMarks | None]:
    """Return the files to hand over, and the marks in them; print what will be done, and ask, before it is."""
    if options.method is None or options.recipients is None or options.copy is None:
        return list(files), None
    try:
        from ledger.party.acts import marking  # noqa: PLC0415 - needs pyarrow, which takes long to load
        from ledger.party.marks.making import Wish  # noqa: PLC0415 - same
    except ImportError as error:
        raise MissingExtra("pyarrow") from error
    wish = Wish(
        options.method.value,
        options.recipients,
        options.bound,
        options.colluders,
        options.canaries,
        options.bits_per_row,
    )
    with hashing(files) as progress:
        prepared = await marking.prepare(
            speaker,
            files,
            wish,
            copy=options.copy,
            listing=listing,
            license_id=license_id,
            recipient=recipient,
            encoding=encoding,
            progress=progress,
        )
    say(f"The copy for {recipient} will be marked ({wish.method}):", "bold", err=True)
    fields(marking.in_words(prepared), err=True)
    if not options.yes:
        typer.confirm("Mark the copy, and offer it?", abort=True, err=True)
    with hashing(files) as progress:
        marks = await marking.write(speaker, prepared, progress)
    return prepared.sent, marks


@contextmanager
def removed_if_refused(copy: Path | None) -> Iterator[None]:
    """Remove the marked copy where the ledger refuses the offer: its marks are sealed by nothing."""
    try:
        yield
    except Problem as problem:
        if copy is not None and problem.refusal is not None:
            copy.unlink(missing_ok=True)
        raise
