"""`ledger venue`: whether an exchange operates."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from ledger.cli.kit.options import DEFAULT_HOME as HOME
from ledger.cli.kit.options import Home, JsonOutput, PassphraseFile
from ledger.cli.kit.saying import Seal, pointers, spoken
from ledger.cli.kit.words import tell
from ledger.party.acts import venues

app = typer.Typer(
    name="venue",
    no_args_is_help=True,
    help=(
        "Venues: the exchanges on which data are listed, and whether they operate.\n\n"
        "A venue announces it of itself; anybody else can only say what they observed."
    ),
)


class Status(StrEnum):
    """What a venue can be."""

    OPERATING = "operating"
    SUSPENDED = "suspended"
    CLOSED = "closed"


Note = Annotated[str | None, typer.Option("--note", help="A few words on it, for everybody to read.")]


@app.command()
def announce(
    status: Annotated[Status, typer.Argument(help="What you are from now on.")],
    *,
    note: Note = None,
    seal: Seal = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Announce, as a venue, whether you operate.

    Licenses and hand-offs made after you announced that you closed, of listings that name you as their venue, are
    found by every replay. Announce 'operating' to open again.

    Example: ledger venue announce closed --note "Insolvent since March."
    """
    places = pointers(seal)
    recorded = spoken(home, passphrase_file, lambda speaker: venues.announce(speaker, status.value, note, seal=places))
    tell(recorded, f"{recorded.statement.issuer} announced: {status.value}.", json_output=json_output)


@app.command()
def observe(
    venue: Annotated[str, typer.Argument(help="The venue: a party's name.")],
    status: Annotated[Status, typer.Argument(help="What it is, as you saw it.")],
    *,
    note: Note = None,
    seal: Seal = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Say what you saw of another party's venue. It is dated evidence; only the venue itself changes its status.

    Example: ledger venue observe exchange.example closed --note "Its site answers no longer."
    """
    places = pointers(seal)
    recorded = spoken(
        home, passphrase_file, lambda speaker: venues.observe(speaker, venue, status.value, note, seal=places)
    )
    tell(recorded, f"Observed: {venue} is {status.value}.", json_output=json_output)
