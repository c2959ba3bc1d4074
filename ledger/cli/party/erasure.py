"""`ledger erasure`: destroying data, asked for and attested."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from ledger.cli.kit.moments import MOMENT, parse_moment
from ledger.cli.kit.options import DEFAULT_HOME as HOME
from ledger.cli.kit.options import Home, JsonOutput, PassphraseFile
from ledger.cli.kit.saying import Seal, exactly_one, pointers, spoken
from ledger.cli.kit.words import tell, when
from ledger.cli.party.disclose import Basis
from ledger.party.acts import erasure

app = typer.Typer(
    name="erasure",
    no_args_is_help=True,
    help=(
        "Erasure: who gave data asks for their destruction; who had them says what is gone, and on what basis.\n\n"
        "A claim with a legal hold forbids it: nothing is attested until the claim has ended."
    ),
)


class Destroyed(StrEnum):
    """What was destroyed."""

    DATA = "data"
    DERIVATIVES = "derivatives"
    KEYS = "keys"
    SALTS = "salts"


BasisOption = Annotated[Basis, typer.Option("--basis", help="What it rests on.")]


@app.command()
def request(
    *,
    license_id: Annotated[
        str | None, typer.Option("--license", help="For every copy under this license of yours: its id.")
    ] = None,
    transfer: Annotated[
        str | None, typer.Option("--transfer", help="For this hand-off of yours alone: its id.")
    ] = None,
    basis: BasisOption,
    by: Annotated[str, typer.Option("--by", help=f"Until when: {MOMENT}.")],
    authority: Annotated[str | None, typer.Option("--authority", help="Who ordered it, if somebody did.")] = None,
    scope: Annotated[str | None, typer.Option("--scope", help="What is to be destroyed, if not all.")] = None,
    seal: Seal = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Ask the licensee, or the recipient of one hand-off, to destroy what it holds. Not done by then is a finding.

    Example: ledger erasure request --license sha256:… --basis gdpr-17 --by P30D
    """
    exactly_one(license=license_id, transfer=transfer)
    erase_by_ms = parse_moment(by, "--by")
    places = pointers(seal)
    recorded = spoken(
        home,
        passphrase_file,
        lambda speaker: erasure.request(
            speaker,
            basis=basis.value,
            erase_by_ms=erase_by_ms,
            license_id=license_id,
            transfer=transfer,
            authority=authority,
            scope=scope,
            seal=places,
        ),
    )
    tell(recorded, f"Erasure is requested until {when(erase_by_ms)}.", json_output=json_output)


@app.command()
def attest(
    *,
    license_id: Annotated[
        str | None, typer.Option("--license", help="Of every copy held under this license: its id.")
    ] = None,
    transfer: Annotated[str | None, typer.Option("--transfer", help="Of what this hand-off brought: its id.")] = None,
    statement: Annotated[
        str | None, typer.Option("--statement", help="Of what opens sealed places of this statement of yours: its id.")
    ] = None,
    place: Annotated[
        list[str] | None,
        typer.Option("--pointer", help="With --statement: which place, like /title; may be given several times."),
    ] = None,
    basis: BasisOption,
    destroyed: Annotated[
        list[Destroyed] | None,
        typer.Option("--destroyed", help="What is gone; may be given several times. With --statement: salts."),
    ] = None,
    request_id: Annotated[str | None, typer.Option("--request", help="The request that this answers: its id.")] = None,
    method: Annotated[str | None, typer.Option("--method", help="How it was destroyed.")] = None,
    seal: Seal = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Say, signed, what you have destroyed. It destroys nothing itself: do that first.

    For places that you sealed, 'ledger erase' destroys and attests in one.

    Example: ledger erasure attest --license sha256:… --basis contract --destroyed data --destroyed derivatives
    --method "Disks shredded"
    """
    exactly_one(license=license_id, transfer=transfer, statement=statement)
    if (statement is None) != (place is None):
        raise typer.BadParameter("--statement and --pointer go together: which statement, and which of its places")
    if statement is not None and request_id is not None:
        raise typer.BadParameter("--request is for data: sealed places are nobody's request")
    gone = [item.value for item in destroyed or ()] or (["salts"] if statement is not None else [])
    if not gone:
        raise typer.BadParameter("say what is gone: --destroyed data, for instance")
    sealed_places, seals = pointers(place), pointers(seal)
    recorded = spoken(
        home,
        passphrase_file,
        lambda speaker: erasure.attest(
            speaker,
            basis=basis.value,
            destroyed=gone,
            license_id=license_id,
            transfer=transfer,
            statement=statement,
            request_id=request_id,
            method=method,
            pointers=sealed_places,
            seal=seals,
        ),
    )
    tell(recorded, f"Attested: {', '.join(sorted(set(gone)))} destroyed.", json_output=json_output)
