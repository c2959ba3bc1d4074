"""`ledger transfer forward` and `transfer compelled`: where data went from the one who received them."""

from __future__ import annotations

from typing import Annotated

import typer

from ledger.cli.kit.moments import MOMENT, parse_moment_or_none
from ledger.cli.kit.options import DEFAULT_HOME as HOME
from ledger.cli.kit.options import Home, JsonOutput, PassphraseFile
from ledger.cli.kit.saying import Seal, exactly_one, pointers, spoken
from ledger.cli.kit.words import tell
from ledger.party.acts import onward


def register(app: typer.Typer) -> None:
    """Add the two commands to the group of hand-offs."""
    app.command()(forward)
    app.command()(compelled)


def forward(
    transfer: Annotated[str, typer.Argument(metavar="ID", help="The hand-off that brought you the data, sha256:…")],
    *,
    to: Annotated[str | None, typer.Option("--to", help="Who got it: a party's name.")] = None,
    outsider: Annotated[
        str | None, typer.Option("--outsider", help="Who got it, in words, if it is not a party of this ledger.")
    ] = None,
    license_id: Annotated[
        str | None, typer.Option("--license", help="The sub-license under which you handed it on: its id.")
    ] = None,
    disclosure: Annotated[
        str | None, typer.Option("--disclosure", help="Why you had to: the id that 'transfer compelled' gave.")
    ] = None,
    purpose: Annotated[str | None, typer.Option("--purpose", help="What for: a word of docs/terms.md §4.2.")] = None,
    region: Annotated[str | None, typer.Option("--region", help="Where to: DE, EU, … It stands at /spatial.")] = None,
    seal: Seal = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Declare that you handed on what you had received.

    It is a finding against you, unless a sub-license, your own license or a disclosure that you were compelled to make
    allows it: name the one that does.

    Example: ledger transfer forward sha256:… --to gamma.example --license sha256:… --purpose ResearchAndDevelopment
    """
    exactly_one(to=to, outsider=outsider)
    places = pointers(seal)
    recorded = spoken(
        home,
        passphrase_file,
        lambda speaker: onward.forward(
            speaker,
            transfer,
            recipient=to,
            outsider=outsider,
            license_id=license_id,
            disclosure=disclosure,
            purpose=purpose,
            spatial=region,
            seal=places,
        ),
    )
    whom = to if to is not None else "somebody who is not a party"
    tell(recorded, f"Declared: handed on to {whom}.", json_output=json_output, transfer=transfer)


def compelled(
    *,
    authority: Annotated[str, typer.Option("--authority", help="Who demanded it.")],
    instrument: Annotated[str, typer.Option("--instrument", help="By what: the law, the order, its file number.")],
    transfer: Annotated[
        str | None, typer.Option("--transfer", help="The hand-off of which data were demanded: its id.")
    ] = None,
    listing: Annotated[
        str | None, typer.Option("--listing", help="The same for data of your own: the listing's id.")
    ] = None,
    scope: Annotated[str | None, typer.Option("--scope", help="What was demanded.")] = None,
    demanded: Annotated[str | None, typer.Option("--demanded", help=f"When it was demanded: {MOMENT}.")] = None,
    seal: Seal = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Say that an authority demanded data that you hold. Do it before 'transfer forward', which names it.

    Where you may not say who or why, seal it: --seal /authority --seal /instrument dates it all the same.

    Example: ledger transfer compelled --transfer sha256:… --authority "Amtsgericht Ulm" --instrument "2 C 118/27"
    --seal /instrument
    """
    exactly_one(transfer=transfer, listing=listing)
    demanded_ms = parse_moment_or_none(demanded, "--demanded")
    places = pointers(seal)
    recorded = spoken(
        home,
        passphrase_file,
        lambda speaker: onward.compelled(
            speaker,
            authority=authority,
            instrument=instrument,
            transfer=transfer,
            listing=listing,
            scope=scope,
            demanded_ms=demanded_ms,
            seal=places,
        ),
    )
    words = "The demand is on the ledger. If you comply, name it: 'ledger transfer forward ID --disclosure STATEMENT'."
    tell(recorded, words, json_output=json_output)
