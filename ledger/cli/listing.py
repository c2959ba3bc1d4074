"""`ledger listing`: datasets on offer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.home import DEFAULT_HOME as HOME
from ledger.cli.home import (
    Cursor,
    Home,
    JsonOutput,
    Limit,
    PartyFilter,
    PassphraseFile,
    page_query,
    reading,
    run,
    speaking,
)
from ledger.cli.progress import hashing
from ledger.cli.words import as_json, entry_document, fields, say, tell, tell_page
from ledger.party import listings
from ledger.party.errors import Unfit
from ledger.party.recorded import Recorded
from ledger.party.replies import ListingState, Page
from ledger.statements.listing import ListingRegistered

app = typer.Typer(name="listing", no_args_is_help=True, help="Listings: datasets that a party offers.")
ListingId = Annotated[str, typer.Argument(metavar="ID", help="The listing's statement id, sha256:…")]


@app.command()
def register(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="The dataset.", exists=True, dir_okay=False)],
    *,
    title: Annotated[str, typer.Option("--title", help="What it is called, for everybody to read.")],
    description: Annotated[str | None, typer.Option("--description", help="What it is, in a few sentences.")] = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Offer a dataset. Its files stay here: the ledger gets a sealed digest that only you can open."""

    async def work() -> Recorded:
        async with speaking(home, passphrase_file) as speaker:
            with hashing(files) as progress:
                return await listings.register(speaker, files, title=title, description=description, progress=progress)

    recorded = run(work())
    tell(recorded, f"The listing is registered: {title}", json_output=json_output, listing=recorded.statement_id)


@app.command()
def withdraw(
    listing: ListingId,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, for everybody to read.")] = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Offer a listing no longer. Licenses that were agreed before stand."""

    async def work() -> Recorded:
        async with speaking(home, passphrase_file) as speaker:
            return await listings.withdraw(speaker, listing, reason)

    tell(run(work()), "The listing is withdrawn.", json_output=json_output)


@app.command()
def show(listing: ListingId, home: Home = HOME, json_output: JsonOutput = False) -> None:
    """Show a listing from its entry, with the receipt verified."""

    async def work() -> tuple[Recorded, ListingState]:
        async with reading(home) as client:
            return await client.statement(listing), await client.listing(listing)

    recorded, state = run(work())
    statement = recorded.statement
    if not isinstance(statement, ListingRegistered):
        raise Unfit(f"{listing} is no listing")
    if json_output:
        as_json(entry_document(recorded, state.model_dump()))
        return
    say(statement.title, "bold")
    withdrawn = state.withdrawn_index
    fields(
        [
            ("offered by", statement.issuer),
            ("description", statement.description),
            ("listing", listing),
            ("index", recorded.index),
            ("state", "on offer, says the operator" if withdrawn is None else f"withdrawn by entry {withdrawn}"),
        ]
    )


@app.command("list")
def list_(
    party: PartyFilter = None,
    limit: Limit = 100,
    cursor: Cursor = None,
    home: Home = HOME,
    json_output: JsonOutput = False,
) -> None:
    """List what is on offer, by the operator's word ('listing show' proves one)."""

    async def work() -> Page[ListingState]:
        async with reading(home) as client:
            return await client.listings(page_query(party, cursor, limit))

    tell_page(run(work()), _line, json_output=json_output)


def _line(item: ListingState) -> str:
    state = "" if item.withdrawn_index is None else ", withdrawn"
    return f"{item.id}  {item.title.replace(chr(10), ' ')} ({item.issuer}{state})"
