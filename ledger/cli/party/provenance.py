"""`ledger provenance`: what the chain tells in the field's own languages, and what they say, for the ledger."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.kit.home import reading, run, vault_at
from ledger.cli.kit.options import DEFAULT_HOME as HOME
from ledger.cli.kit.options import Home, JsonOutput, Mirror, MirrorPolicy
from ledger.cli.kit.words import as_json, fields, say
from ledger.core.encoding import Json
from ledger.core.policy import parse_policy
from ledger.party.chain.gathering import Story, gather, story_of
from ledger.party.chain.mirror import read_mirror
from ledger.party.errors import AlreadyThere
from ledger.party.extras import MissingTool
from ledger.party.interop.errors import NotUnderstood
from ledger.party.interop.exporting import Format, export
from ledger.party.interop.foreign import Left, read_foreign
from ledger.party.interop.forms import read_listing
from ledger.party.interop.odrl import import_rules, import_terms

app = typer.Typer(
    name="provenance",
    no_args_is_help=True,
    help=(
        "Provenance: what the chain tells, in the field's own languages, and from them.\n\n"
        "Exports are W3C PROV (prov-json, prov-n), a drawing of it (svg, or dot: its source for Graphviz), DCAT 3 and "
        "ODRL 2.2. Imports read DCAT, Croissant and ODRL, and write the files that 'listing register --from' and "
        "'license draft --terms' take."
    ),
)
StatementId = Annotated[
    str, typer.Argument(metavar="STATEMENT_ID", help="A listing, license, transfer or claim, or what is about one.")
]
Out = Annotated[Path, typer.Option("--out", help="The file to write. An older one is never overwritten.")]
Document = Annotated[Path, typer.Argument(metavar="FILE", help="The document.", exists=True, dir_okay=False)]


@app.command("export")
def export_(
    statement_id: StatementId,
    *,
    form: Annotated[Format, typer.Option("--format", help="In which language.")],
    out: Out,
    mirror: Mirror = None,
    policy: MirrorPolicy = None,
    home: Home = HOME,
    json_output: JsonOutput = False,
) -> None:
    """Write the provenance of a listing, license or transfer, from entries with verified receipts.

    What is sealed stays sealed: a commitment stands in its place.

    Example: ledger provenance export sha256:… --format svg --out story.svg
    """
    _check_new(out)
    story = _from_mirror(mirror, policy, home, statement_id) if mirror is not None else _from_ledger(home, statement_id)
    try:
        written = export(story, form)
    except MissingTool as missing:
        form, out = Format.DOT, out.with_suffix(".dot")
        say(f"No picture: {missing}. Its source is written instead: dot -Tsvg {out}", "yellow", err=True)
        _check_new(out)
        written = export(story, form)
    out.write_bytes(written)
    if json_output:
        as_json({"format": form.value, "out": str(out), "statements": len(story.statements), "subject": story.subject})
        return
    say(f"Written: {out}", "bold green")
    fields([("about", story.subject), ("from", f"{len(story.statements)} statements")])


@app.command("import-listing")
def import_listing(
    file: Document,
    *,
    out: Out,
    dataset: Annotated[
        str | None, typer.Option("--dataset", help="Which one, if it describes several: IRI, identifier or title.")
    ] = None,
    language: Annotated[str, typer.Option("--language", help="Whose texts to take, if there are several.")] = "en",
    json_output: JsonOutput = False,
) -> None:
    """Read what DCAT, Croissant or schema.org says of a dataset, for 'ledger listing register --from'.

    What a listing has no place for, or what does not fit, is left out and named.
    """
    listing = read_listing(file, dataset=dataset, language=language)
    _write(out, listing.fields)
    _tell(out, listing.left, json_output=json_output, fields=sorted(listing.fields))


@app.command("import-terms")
def import_terms_(
    file: Document,
    *,
    out: Out,
    listing: Annotated[str | None, typer.Option("--listing", help="Write whole terms: about this listing,")] = None,
    licensor: Annotated[str | None, typer.Option("--licensor", help="from this party,")] = None,
    licensee: Annotated[str | None, typer.Option("--licensee", help="to this party.")] = None,
    json_output: JsonOutput = False,
) -> None:
    """Read an ODRL 2.2 policy, for 'ledger license draft --terms'.

    A clause that no verifier could judge is refused, by its place in the file; nothing of a rule is left out.
    """
    document = read_foreign(file)
    if listing is not None and licensor is not None and licensee is not None:
        imported = import_terms(document, listing=listing, licensor=licensor, licensee=licensee)
    elif listing is None and licensor is None and licensee is None:
        imported = import_rules(document)
    else:
        raise typer.BadParameter("give all three of --listing, --licensor and --licensee, or none")
    _write(out, imported.terms)
    _tell(out, imported.notes, json_output=json_output)


def _from_ledger(home: Path, statement_id: str) -> Story:
    async def work() -> Story:
        async with reading(home) as client:
            return await gather(client, statement_id)

    return run(work())


def _from_mirror(directory: Path, policy: Path | None, home: Path, statement_id: str) -> Story:
    text = policy.read_text("utf-8") if policy is not None else vault_at(home).config().policy
    try:
        return story_of(read_mirror(directory, parse_policy(text)), statement_id)
    except KeyError as error:
        raise NotUnderstood(f"no statement in {directory} has the id {statement_id}") from error


def _check_new(out: Path) -> None:
    if out.exists():
        raise AlreadyThere(out)


def _write(out: Path, document: Json) -> None:
    _check_new(out)
    out.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", "utf-8")


def _tell(out: Path, left: Sequence[Left], *, json_output: bool, **more: Json) -> None:
    if json_output:
        items = [item._asdict() for item in left]
        as_json({"left_out": items, "out": str(out)} | more)
        return
    say(f"Written: {out}", "bold green")
    for item in left:
        say(f"Not as it was: {item}", "yellow")
