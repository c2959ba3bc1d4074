"""`ledger listing`: datasets on offer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.kit.home import page_query, reading, run, speaking
from ledger.cli.kit.options import DEFAULT_HOME as HOME
from ledger.cli.kit.options import Cursor, Home, JsonOutput, Limit, PartyFilter, PassphraseFile
from ledger.cli.kit.progress import hashing
from ledger.cli.kit.saying import Seal, pointers, spoken, stated
from ledger.cli.kit.words import as_json, entry_document, fields, say, tell, tell_page
from ledger.cli.party.listing_about import (
    ClassifiedAsOf,
    ClassifiedBy,
    Description,
    Form,
    Keywords,
    Level,
    Publisher,
    RightsHolder,
    Sources,
    Spatial,
    VenueName,
    VenueParty,
    VenueRegistration,
    Version,
    about,
    classification_of,
)
from ledger.core.encoding import Json
from ledger.party.acts import listings
from ledger.party.acts.licensing import AnyListing
from ledger.party.answers.recorded import Recorded
from ledger.party.answers.replies import ListingState, Page
from ledger.party.errors import Unfit
from ledger.party.speaking.speaker import Speaker
from ledger.statements.listing import DESCRIPTION

app = typer.Typer(name="listing", no_args_is_help=True, help="Listings: datasets that a party offers.")
ListingId = Annotated[str, typer.Argument(metavar="ID", help="The listing's statement id, sha256:…")]


@app.command()
def register(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="The dataset.", exists=True, dir_okay=False)],
    *,
    title: Annotated[
        str | None, typer.Option("--title", help="What it is called, for everybody to read unless you --seal /title.")
    ] = None,
    form: Form = None,
    description: Description = None,
    publisher: Publisher = None,
    version: Version = None,
    rights_holder: RightsHolder = None,
    keyword: Keywords = None,
    region: Spatial = None,
    classification: Level = None,
    classified_by: ClassifiedBy = None,
    classified_as_of: ClassifiedAsOf = None,
    derived_from: Sources = None,
    venue: VenueParty = None,
    venue_name: VenueName = None,
    venue_registration: VenueRegistration = None,
    seal: Seal = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Offer a dataset. Its files stay here: the ledger gets a sealed digest that only you can open.

    Example: ledger listing register flights.csv --title "Flights 2025" --version 1.2 --rights-holder "Alpha plc"
    --classification "important data" --classified-by "CAC" --classified-as-of 2026-01-31 --seal /rights_holder
    """
    said = about(
        form,
        title=title,
        description=description,
        publisher=publisher,
        version=version,
        rights_holder=rights_holder,
        keywords=keyword,
        spatial=region,
        classification=classification_of(classification, classified_by, classified_as_of),
        derived_from=sorted(set(derived_from)) if derived_from else None,
        venue={"party": venue, "name": venue_name, "registration": venue_registration},
    )
    if "title" not in said:
        raise typer.BadParameter("give --title, or a title in --from FILE")

    async def work() -> Recorded:
        async with speaking(home, passphrase_file) as speaker:
            with hashing(files) as progress:
                return await listings.register(speaker, files, seal=pointers(seal), progress=progress, **said)

    recorded = run(work())
    named = "a sealed title" if "/title" in pointers(seal) else said["title"]
    tell(recorded, f"The listing is registered: {named}", json_output=json_output, listing=recorded.statement_id)


@app.command()
def amend(
    listing: ListingId,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="The dataset as it is now, if it changed.", exists=True, dir_okay=False),
    ] = None,
    *,
    title: Annotated[str | None, typer.Option("--title", help="What it is called.")] = None,
    form: Form = None,
    description: Description = None,
    publisher: Publisher = None,
    version: Version = None,
    rights_holder: RightsHolder = None,
    keyword: Keywords = None,
    region: Spatial = None,
    derived_from: Sources = None,
    venue: VenueParty = None,
    venue_name: VenueName = None,
    venue_registration: VenueRegistration = None,
    seal: Seal = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Say something else of a listing of yours. What you give replaces what was said; all else stays.

    Example: ledger listing amend sha256:… flights.csv --version 1.3
    """
    said = about(
        form,
        title=title,
        description=description,
        publisher=publisher,
        version=version,
        rights_holder=rights_holder,
        keywords=keyword,
        spatial=region,
        derived_from=sorted(set(derived_from)) if derived_from else None,
        venue={"party": venue, "name": venue_name, "registration": venue_registration},
    )
    if not said and not files:
        raise typer.BadParameter("say what changes: --title, --version, --from FILE.json, or the files as they are now")

    async def work() -> Recorded:
        async with speaking(home, passphrase_file) as speaker:
            with hashing(files or []) as progress:
                return await listings.amend(
                    speaker, listing, files or (), seal=pointers(seal), progress=progress, **said
                )

    tell(run(work()), "The listing is amended.", json_output=json_output, listing=listing)


@app.command()
def classify(
    listing: ListingId,
    *,
    level: Annotated[str, typer.Option("--level", help="How its data are classed: 'important data', 'confidential'.")],
    authority: Annotated[str, typer.Option("--by", help="Who says so: a regulator, a standard, you yourself.")],
    as_of: Annotated[str, typer.Option("--as-of", help="Since when: a date or time.")],
    reason: Annotated[str | None, typer.Option("--reason", help="Why it changed.")] = None,
    seal: Seal = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Say how the data of a listing of yours are classed from now on.

    Example: ledger listing classify sha256:… --level "important data" --by "CAC notice 12" --as-of 2026-03-01
    """
    classed = classification_of(level, authority, as_of) or {}

    async def act(speaker: Speaker) -> Recorded:
        return await listings.classify(speaker, listing, classed, reason, seal=pointers(seal))

    tell(spoken(home, passphrase_file, act), "The listing is classed anew.", json_output=json_output, listing=listing)


@app.command()
def withdraw(
    listing: ListingId,
    *,
    reason: Annotated[
        str | None, typer.Option("--reason", help="Why, for everybody to read unless you --seal /reason.")
    ] = None,
    seal: Seal = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Offer a listing no longer. Licenses that were agreed before stand."""

    async def act(speaker: Speaker) -> Recorded:
        return await listings.withdraw(speaker, listing, reason, seal=pointers(seal))

    tell(spoken(home, passphrase_file, act), "The listing is withdrawn.", json_output=json_output)


@app.command()
def show(listing: ListingId, home: Home = HOME, json_output: JsonOutput = False) -> None:
    """Show a listing as it was registered, from its entry with the receipt verified, and whether it changed."""

    async def work() -> tuple[Recorded, ListingState]:
        async with reading(home) as client:
            return await client.statement(listing), await client.listing(listing)

    recorded, state = run(work())
    statement = recorded.statement
    if not isinstance(statement, AnyListing):
        raise Unfit(f"{listing} is not a listing")
    if json_output:
        as_json(entry_document(recorded, state.model_dump()))
        return
    say(stated(statement.title) or "", "bold")
    withdrawn = state.withdrawn_index
    changed = None
    if state.changed_index not in (None, recorded.index):
        changed = f"by entry {state.changed_index}, says the operator: 'ledger party history {listing}' lists all"
    more = [
        (name.replace("_", " "), _shown(getattr(statement, name, None)))
        for name in sorted(DESCRIPTION - {"title", "content"})
    ]
    fields(
        [
            ("offered by", statement.issuer),
            *more,
            ("listing", listing),
            ("index", recorded.index),
            ("changed", changed),
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


def _shown(value: Json) -> str | None:
    return "\n".join(stated(item) or "" for item in value) if isinstance(value, list) else stated(value)


def _line(item: ListingState) -> str:
    state = "" if item.withdrawn_index is None else ", withdrawn"
    title = item.title.replace("\n", " ") if isinstance(item.title, str) else "(sealed title)"
    return f"{item.id}  {title} ({item.issuer}{state})"
