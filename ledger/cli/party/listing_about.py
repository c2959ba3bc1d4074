"""The options that say what a dataset is, and the fields of docs/statements.md §3 that they become."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.kit.home import parse_time
from ledger.core.encoding import Json
from ledger.party.acts.listings import read_form

_PANEL = "What it is"
_ORIGIN = "Where it comes from and where it is offered"

Form = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="FILE.json",
        help="Take what is said from a JSON object of the fields of docs/statements.md §3; options win over it.",
        exists=True,
        dir_okay=False,
        rich_help_panel=_PANEL,
    ),
]
Description = Annotated[
    str | None, typer.Option("--description", help="What it is, in a few sentences.", rich_help_panel=_PANEL)
]
Publisher = Annotated[str | None, typer.Option("--publisher", help="Who publishes it.", rich_help_panel=_PANEL)]
Version = Annotated[
    str | None,
    typer.Option("--version", help="Its version; 1.2.0 can be compared by licenses.", rich_help_panel=_PANEL),
]
RightsHolder = Annotated[
    str | None, typer.Option("--rights-holder", help="Who holds the rights in it.", rich_help_panel=_PANEL)
]
Keywords = Annotated[
    list[str] | None, typer.Option("--keyword", help="A word to find it by; several times.", rich_help_panel=_PANEL)
]
Spatial = Annotated[
    list[str] | None,
    typer.Option("--region", help="Which place it is about: DE, EU, DE-BY; several times.", rich_help_panel=_PANEL),
]
Level = Annotated[
    str | None,
    typer.Option(
        "--classification",
        help="How its data are classed ('important data'); with --classified-by and --classified-as-of.",
        rich_help_panel=_PANEL,
    ),
]
ClassifiedBy = Annotated[str | None, typer.Option("--classified-by", help="Who classes it so.", rich_help_panel=_PANEL)]
ClassifiedAsOf = Annotated[
    str | None, typer.Option("--classified-as-of", help="Since when: a date or time.", rich_help_panel=_PANEL)
]
Sources = Annotated[
    list[str] | None,
    typer.Option(
        "--derived-from",
        metavar="ID",
        help="A listing of this ledger that it was made from; several times.",
        rich_help_panel=_ORIGIN,
    ),
]
VenueParty = Annotated[
    str | None,
    typer.Option("--venue", help="The exchange it is offered on, a party of this ledger.", rich_help_panel=_ORIGIN),
]
VenueName = Annotated[
    str | None,
    typer.Option("--venue-name", help="The same in words, if it is not a party.", rich_help_panel=_ORIGIN),
]
VenueRegistration = Annotated[
    str | None, typer.Option("--venue-registration", help="Its number there.", rich_help_panel=_ORIGIN)
]


def about(form: Path | None, **given: Json) -> dict[str, Json]:
    """Return what is said of a dataset: the form's fields, and over them the options that were given."""
    said = read_form(form) if form is not None else {}
    for name, value in given.items():
        stated = {key: item for key, item in value.items() if item is not None} if isinstance(value, dict) else value
        if stated not in (None, {}, []):
            said[name] = stated
    return said


def classification_of(level: str | None, authority: str | None, as_of: str | None) -> dict[str, Json] | None:
    """Return a classification, or None where no part of it was given; raise BadParameter where one is missing."""
    parts = (level, authority, as_of)
    if all(part is None for part in parts):
        return None
    if level is None or authority is None or as_of is None:
        raise typer.BadParameter("a classification has a level, who says so, and since when: give all three")
    return {"level": level, "authority": authority, "as_of_ms": parse_time(as_of, "--classified-as-of")}
