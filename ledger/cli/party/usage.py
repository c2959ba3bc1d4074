"""`ledger usage`: what a licensee did with the data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.kit.moments import MOMENT, parse_moment_or_none
from ledger.cli.kit.options import DEFAULT_HOME as HOME
from ledger.cli.kit.options import Home, JsonOutput, PassphraseFile
from ledger.cli.kit.saying import Seal, pointers, spoken
from ledger.cli.kit.words import tell
from ledger.party.acts import reporting
from ledger.party.acts.reporting import Derivative, Use
from ledger.party.digests import digest_file, guess_media_type, total_bytes

app = typer.Typer(
    name="usage",
    no_args_is_help=True,
    help=(
        "Use: what a licensee did with the data, in its own signed words.\n\n"
        "Who reports shows that it kept the rules; a use that the license does not allow is recorded all the same, and "
        "every replay of the ledger finds it."
    ),
)
_ID = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


@app.command()
def report(
    license_id: Annotated[str, typer.Argument(metavar="LICENSE", help="The license's id, sha256:…")],
    *,
    action: Annotated[
        str,
        typer.Option("--action", help="What was done: use, read, derive, train, aggregate, … (docs/terms.md §4.1)."),
    ],
    purpose: Annotated[
        str | None, typer.Option("--purpose", help="What for: a word of docs/terms.md §4.2, or your own.")
    ] = None,
    region: Annotated[
        str | None, typer.Option("--region", help="Where: DE, DE-BY, EU, … It stands at /spatial.")
    ] = None,
    industry: Annotated[str | None, typer.Option("--industry", help="In which industry: a code, like 64.19.")] = None,
    product: Annotated[str | None, typer.Option("--product", help="For which product: a code, or its name.")] = None,
    recipient: Annotated[str | None, typer.Option("--recipient", help="For whom: a party's name, or words.")] = None,
    count: Annotated[int | None, typer.Option("--count", min=1, help="How often; once if not given.")] = None,
    since: Annotated[str | None, typer.Option("--from", help=f"From when: {MOMENT}.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Until when, likewise.")] = None,
    transfer: Annotated[
        str | None, typer.Option("--transfer", help="The hand-off that brought the copy which was used: its id.")
    ] = None,
    fulfils: Annotated[
        list[str] | None,
        typer.Option("--fulfils", help="A duty that this use met, like attribute; may be given several times."),
    ] = None,
    derivative: Annotated[
        list[str] | None,
        typer.Option(
            "--derivative",
            metavar="TITLE[=WHAT]",
            help="Something that was made from the data: its title, and where it has one its listing's id, or a file "
            "of which the digest is told; may be given several times.",
        ),
    ] = None,
    seal: Seal = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Report a use under a license of which you are the licensee.

    What you do not state, you do not show: a permission for one purpose does not cover a use without one. A place that
    you seal stays undetermined until you disclose it.

    Example: ledger usage report sha256:… --action train --purpose ResearchAndDevelopment --region DE --count 3
    --fulfils attribute --derivative "Model 7" --seal /purpose
    """
    use = Use(
        action=action,
        transfer=transfer,
        purpose=purpose,
        spatial=region,
        industry=industry,
        product=product,
        recipient=recipient,
        count=count,
        from_ms=parse_moment_or_none(since, "--from"),
        until_ms=parse_moment_or_none(until, "--until"),
        fulfils=frozenset(fulfils or ()),
        derivatives=tuple(_derivative(text) for text in derivative or ()),
    )
    places = pointers(seal)
    recorded = spoken(home, passphrase_file, lambda speaker: reporting.report(speaker, license_id, use, seal=places))
    tell(recorded, f"The use is reported: {action}.", json_output=json_output, license=license_id)


def _derivative(text: str) -> Derivative:
    """Read TITLE, TITLE=ID or TITLE=FILE; a title that holds `=` is written with one more at its end."""
    title, equals, what = text.rpartition("=")
    if not equals:
        return Derivative(text)
    if not what:
        return Derivative(title)
    if _ID.fullmatch(what):
        return Derivative(title, listing=what)
    path = Path(what)
    if not path.is_file():
        raise typer.BadParameter(
            f"--derivative: {what!a} is neither a listing's id nor a file; a title with = in it is written 'a=b='"
        )
    total_bytes([path])
    return Derivative(title, sha256=digest_file(path, guess_media_type(path)).sha256)
