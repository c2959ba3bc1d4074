"""`ledger transfer prepare` and `request`, and the options of `offer` that mark a copy (docs/marks.md §9)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ledger.cli.kit.home import run, speaking
from ledger.cli.kit.options import DEFAULT_HOME as HOME
from ledger.cli.kit.options import Home, JsonOutput, PassphraseFile
from ledger.cli.kit.progress import hashing
from ledger.cli.kit.words import fields, say, tell
from ledger.core.encoding import Json
from ledger.party.answers.recorded import Recorded
from ledger.party.errors import Problem
from ledger.party.extras import MissingExtra
from ledger.party.marks.weight import MAX_BOUND
from ledger.party.speaking.speaker import Speaker

DEFAULT_BOUND = "0.000001"
_MAX_BOUND_CHARS = 32
_BOUND = re.compile(r"0\.0*[1-9][0-9]*", re.ASCII)


class Method(StrEnum):
    """How a copy is marked (docs/marks.md §9.1)."""

    CANARY = "canary"
    OMISSION = "omission"
    TARDOS = "tardos"


MarkedCopy = Annotated[
    Path | None,
    typer.Option(
        "--marked-copy",
        help="Mark the copy by what was drawn ('transfer prepare', 'transfer request'), write it to this file, and "
        "hand it over. Send it, not the original.",
    ),
]
Prepared = Annotated[
    str | None,
    typer.Option(
        "--prepared",
        metavar="ID",
        help="With --marked-copy: which preparation; otherwise the newest that the recipient requested.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands that come before a marked hand-off to `app`."""
    app.command()(prepare)
    app.command()(request)


def prepare(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The table that you will hand over.", exists=True, dir_okay=False)
    ],
    *,
    listing: Annotated[str, typer.Option("--listing", help="The listing's id.")],
    to: Annotated[str, typer.Option("--to", help="The recipient: a party's name.")],
    method: Annotated[
        Method,
        typer.Option(
            "--mark",
            help="'canary' adds rows that exist nowhere else; 'omission' leaves rows out, so that nothing false is in "
            "the copy; 'tardos' adds rows by a code that also tells who took part where recipients pool their copies.",
        ),
    ] = Method.CANARY,
    recipients: Annotated[int, typer.Option("--recipients", min=1, help="How many recipients there are, or may be.")],
    colluders: Annotated[
        int, typer.Option("--colluders", min=1, help="With --mark tardos: how many of them may pool their copies.")
    ] = 3,
    bound: Annotated[
        str, typer.Option("--bound", help="The greatest chance that, of all recipients, any is accused falsely.")
    ] = DEFAULT_BOUND,
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="What a CSV or TSV file is in, if it is not UTF-8.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Seal a pool of marks for a recipient, before anybody can know which of them will be drawn.

    Many rows are sealed; the draw, which follows from a coin of yours and one of the recipient's, marks the copy by a
    few of them. Should it leak, the file holds those that were drawn and not the others, and that cannot be chance.
    Nobody can choose the draw: that is why the recipient has to add its coin ('ledger transfer request') before you
    hand over ('ledger transfer offer --marked-copy'). One pool serves all later versions of the listing's table.

    What it takes is printed first. Example: ledger transfer prepare planes.csv --listing sha256:… --to beta.example
    --recipients 20
    """
    if not _BOUND.fullmatch(bound) or len(bound) > _MAX_BOUND_CHARS:
        raise typer.BadParameter(f"--bound is a decimal between 0 and 1, such as {DEFAULT_BOUND}")
    if Decimal(bound) > MAX_BOUND:
        raise typer.BadParameter(f"--bound is at most {MAX_BOUND}: with more, no verifier ever calls a leak shown")
    if not yes and not sys.stdin.isatty():
        raise typer.BadParameter("nobody is there to be asked: look at the parameters at a terminal, or give --yes")
    marking, wish_for = _rooms()
    wish = wish_for(method.value, recipients, bound, colluders)

    async def work() -> Recorded:
        async with speaking(home, passphrase_file) as speaker:
            with hashing([file]) as progress:
                planned = await marking.plan(
                    speaker, [file], wish, listing=listing, encoding=encoding, progress=progress
                )
            say(f"Copies for {to} will be marked ({wish.method}):", "bold", err=True)
            fields(marking.in_words(planned), err=True)
            if not yes:
                typer.confirm("Seal the pool?", abort=True, err=True)
            with hashing([file]) as progress:
                done: Recorded = await marking.prepare(
                    speaker, planned, listing=listing, recipient=to, progress=progress
                )
                return done

    recorded = run(work())
    words = f"Prepared for {to}. Tell {to} to run: ledger transfer request {recorded.statement_id}"
    tell(recorded, words, json_output=json_output, prepared=recorded.statement_id)


def request(
    prepared: Annotated[str, typer.Argument(metavar="ID", help="The preparation's id, sha256:…")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Ask for a marked copy that was prepared for you, and add your coin to the draw.

    You agree to the bound that is printed: the chance that anybody at all is accused falsely. Your coin is random and
    made here; with it, the sender cannot choose which rows mark your copy. A pool that is sealed after it was known
    would be worth nothing: so this is signed only over a checkpoint that has the preparation in it.
    """
    if not yes and not sys.stdin.isatty():
        raise typer.BadParameter("nobody is there to be asked: run this at a terminal, or give --yes")
    marking, _ = _rooms()

    async def work() -> Recorded:
        async with speaking(home, passphrase_file) as speaker:
            found = await marking.preparation(speaker, prepared)
            said = found.statement
            say(f"{said.issuer} will mark your copies ({said.method}):", "bold", err=True)
            words = f"at most {said.bound} of all {said.recipients} recipients together"
            fields([("listing", said.listing), ("falsely", words), ("prepared", f"entry {found.index}")], err=True)
            if not yes:
                typer.confirm("Ask for a copy that is marked so?", abort=True, err=True)
            done: Recorded = await marking.request(speaker, found)
            return done

    tell(run(work()), "Asked for. The sender can hand over now.", json_output=json_output, prepared=prepared)


async def mark(
    speaker: Speaker,
    files: Sequence[Path],
    *,
    copy: Path | None,
    prepared: str | None,
    listing: str,
    license_id: str | None,
    recipient: str,
    encoding: str | None,
) -> tuple[list[Path], Json]:
    """Return the files to hand over, and what the offer says of the marks in them, if it is to be marked."""
    if copy is None:
        return list(files), None
    marking, _ = _rooms()
    with hashing(files) as progress:
        found = await marking.design(
            speaker,
            files,
            copy=copy,
            listing=listing,
            license_id=license_id,
            recipient=recipient,
            prepared=prepared,
            encoding=encoding,
            progress=progress,
        )
    with hashing(files) as progress:
        marks = await marking.write(found, progress)
    return found.sent, marks


def _rooms() -> tuple[Any, Any]:
    """Load what needs pyarrow, which takes long; raise MissingExtra if it is not installed."""
    try:
        from ledger.party.acts import marking  # noqa: PLC0415 - see above
        from ledger.party.marks.pooling import PoolWish  # noqa: PLC0415 - same
    except ImportError as error:
        raise MissingExtra("pyarrow") from error
    return marking, PoolWish


@contextmanager
def removed_if_refused(copy: Path | None) -> Iterator[None]:
    """Remove the marked copy where the ledger refuses the offer: its marks are sealed by nothing."""
    try:
        yield
    except Problem as problem:
        if copy is not None and problem.refusal is not None:
            copy.unlink(missing_ok=True)
        raise
