"""Terms on the command line: the options that build them, and the words in which they are shown before signing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.kit.words import fields, say, when
from ledger.core.encoding import Json, parse_json
from ledger.core.errors import FormatError
from ledger.party.acts.licensing import AnyLicense, Reviewed
from ledger.party.acts.terms import DEFAULT_ACTION, Wishes, build
from ledger.party.acts.terms_in_words import Clause, describe
from ledger.party.digests import digest_file, guess_media_type
from ledger.party.errors import Unfit
from ledger.party.speaking.drafts import Draft
from ledger.statements import version_1
from ledger.statements.fields import Sealed
from ledger.statements.license import LicenseAmended
from ledger.statements.vocabulary import COVERS

_MAX_TERMS_BYTES = 65_536
_MARKING = re.compile(
    r"(?P<method>canary|omission|tardos):(?P<recipients>[1-9][0-9]{0,9}):(?P<bound>0\.(?=0*[1-9])[0-9]{1,30})", re.ASCII
)
_METHODS = {
    "canary": "with rows that exist nowhere else",
    "omission": "by leaving rows out",
    "tardos": "with rows of a code that tells who pooled copies",
}
_PANEL = "Terms"
_ACTIONS = ", ".join(COVERS)

Purposes = Annotated[
    list[str] | None,
    typer.Option(
        "--purpose",
        help="What for: a word of docs/terms.md §4.2 (AcademicResearch), which includes what is beneath it, or words "
        "of your own. May be given several times: any of them will do.",
        rich_help_panel=_PANEL,
    ),
]
Regions = Annotated[
    list[str] | None,
    typer.Option(
        "--region",
        help="Where: EU, EEA, a country (DE) or a part of one (DE-BY). Several times.",
        rich_help_panel=_PANEL,
    ),
]
Count = Annotated[
    int | None, typer.Option("--count", min=1, help="How many uses in all, at most.", rich_help_panel=_PANEL)
]
Actions = Annotated[
    list[str] | None,
    typer.Option(
        "--action",
        help=f"What may be done, several times: {_ACTIONS}. Without it, '{DEFAULT_ACTION}', which includes most of the "
        "others, training of models and sub-licensing too: permit less, or prohibit what you do not want.",
        rich_help_panel=_PANEL,
    ),
]
Prohibited = Annotated[
    list[str] | None,
    typer.Option(
        "--prohibit", help="What must never be done, several times. It wins over --action.", rich_help_panel=_PANEL
    ),
]
DeleteWithin = Annotated[
    str | None,
    typer.Option(
        "--delete-within",
        metavar="DURATION",
        help="All copies are deleted within so long of the license's end: P30D, PT12H, P0D.",
        rich_help_panel=_PANEL,
    ),
]
TermsFile = Annotated[
    Path | None,
    typer.Option(
        "--terms",
        help="The terms as ODRL of docs/terms.md, instead of the options here; the members that its §1.1 fixes may be "
        "left out. 'ledger provenance import-terms' makes such a file of any other ODRL.",
        exists=True,
        dir_okay=False,
        rich_help_panel=_PANEL,
    ),
]


def wishes_of(
    *,
    purposes: list[str] | None,
    regions: list[str] | None,
    count: int | None,
    actions: list[str] | None,
    prohibited: list[str] | None,
    delete_within: str | None,
) -> Wishes | None:
    """Return the terms that the options ask for; None where none of them was given."""
    given = (purposes, regions, count, actions, prohibited, delete_within)
    if not any(value not in (None, []) for value in given):
        return None
    return Wishes(
        actions=actions or (DEFAULT_ACTION,),
        purposes=purposes or (),
        regions=regions or (),
        count=count,
        prohibited=prohibited or (),
        delete_within=delete_within,
    )


def rules_of(file: Path | None, wishes: Wishes | None) -> dict[str, Json] | None:
    """Return the terms of a file; raise BadParameter where options say terms too, and Unfit if it is not an object."""
    if file is None:
        return None
    if wishes is not None:
        raise typer.BadParameter("give the terms as --terms FILE or by the other options, not both")
    with file.open("rb") as stream:
        raw = stream.read(_MAX_TERMS_BYTES + 1)
    try:
        terms = parse_json(raw) if len(raw) <= _MAX_TERMS_BYTES else None
    except FormatError as error:
        raise Unfit(f"{file} is not JSON: {error}") from error
    if not isinstance(terms, dict):
        raise Unfit(f"{file} is not a JSON object of at most {_MAX_TERMS_BYTES} bytes")
    return terms


def marking_of(text: str | None, *, consent: bool | None) -> dict[str, Json] | None:
    """Return `marking` of a license (docs/statements.md §4) from METHOD:RECIPIENTS:BOUND; raise BadParameter.

    `consent` is what was said of that alone: who says how copies are marked consents to it.
    """
    if text is None:
        return None
    if consent is False:
        raise typer.BadParameter("--marking says how copies are marked, and --no-marking-consent that they are not")
    match = _MARKING.fullmatch(text)
    if match is None:
        raise typer.BadParameter(
            "--marking is a method (canary, omission, tardos), how many recipients there may be, and the chance that "
            "any of them is accused falsely: canary:20:0.000001"
        )
    return {"bound": match["bound"], "method": match["method"], "recipients": int(match["recipients"])}


def legal_text(path: Path) -> dict[str, Json]:
    """Return what the terms say of a contract's file."""
    return digest_file(path, guess_media_type(path)).model_dump(exclude_none=True)


def text_of(statement: AnyLicense | LicenseAmended) -> Json:
    """Return what a license says of its text, or None."""
    text = statement.terms.text if isinstance(statement, version_1.LicenseAgreed) else statement.text
    return text.model_dump() if text is not None else None


def show_draft(reviewed: Reviewed, drafted: Draft, compared: Path | None, *, err: bool) -> None:
    """Show everything that a draft says, with its sealed places open, before it is signed."""
    if isinstance(reviewed.opened, LicenseAmended):
        say(f"{reviewed.licensor} and {reviewed.licensee} change their license:", "bold", err=err)
        fields([("license", reviewed.opened.license)], err=err)
        say("What follows replaces what was agreed; all else stays.", err=err)
    else:
        say(f"{reviewed.licensor} lets {reviewed.licensee} use a dataset:", "bold", err=err)
    title = reviewed.listing.title
    fields([("dataset", "(its title is sealed)" if isinstance(title, Sealed) else title)], err=err)
    show_license(reviewed.opened, reviewed.licensee, compared, err=err)
    if drafted.sealed:
        say("The ledger shows a seal, and nobody else can read, what you see here of:", err=err)
        for pointer in drafted.sealed:
            say(f"  {pointer}", err=err)
        say("What opens it is in the draft, and is kept in your vault once you sign.", err=err)


def show_license(
    statement: AnyLicense | LicenseAmended, licensee: str, compared: Path | None = None, *, err: bool = False
) -> None:
    """Show what a license, or an amendment of one, says."""
    term = statement.terms if isinstance(statement, version_1.LicenseAgreed) else statement
    until = when(term.valid_until_ms)
    pairs: list[tuple[str, object]] = [
        ("listing", getattr(statement, "listing", None)),
        ("from", when(term.valid_from_ms)),
        ("until", until and f"just before {until}"),
    ]
    fields(pairs, err=err)
    if isinstance(statement, version_1.LicenseAgreed):
        _show_clauses(describe(build(Wishes(purposes=statement.terms.purposes))), licensee, err=err)
    elif statement.terms is not None:
        _show_clauses(describe(statement.terms.document()), licensee, err=err)
    text = text_of(statement)
    if isinstance(text, dict):
        pairs = [("text", f"sha256 {text['sha256']}, {text['bytes']} bytes" if "sealed" not in text else _seal(text))]
        if compared is not None:
            pairs.append(("", f"compared: it is {compared}"))
        fields(pairs, err=err)
    fields(_other_pairs(statement), err=err)


def _other_pairs(statement: LicenseAmended | AnyLicense) -> list[tuple[str, object]]:
    document = statement.model_dump(exclude_none=True)
    marked = document.get("marking_consent")
    dsp = document.get("dsp")
    return [
        ("law", _stated(document.get("governing_law"))),
        ("forum", _stated(document.get("forum"))),
        ("marks", None if marked is None else _marks(document) if marked else "copies may not be marked"),
        ("sub-license", document.get("parent") and f"of {document['parent']}"),
        ("dataspace", dsp and ", ".join(f"{name} {_stated(value)}" for name, value in dsp.items())),
    ]


def _marks(document: Mapping[str, Json]) -> str:
    """Return how copies may be marked, as the two agree."""
    how = document.get("marking")
    if how is None:
        return "copies may be marked"
    return (
        f"copies may be marked {_METHODS[how['method']]} [{how['method']}]; at most {how['bound']} of all "
        f"{how['recipients']} recipients together that any is accused falsely"
    )


def _show_clauses(clauses: list[Clause], licensee: str, *, err: bool) -> None:
    for clause in clauses:
        say(f"  {licensee} {clause.heading}", err=err)
        for condition in clause.conditions:
            say(f"      {condition}", err=err)
        for note in clause.notes:
            say(f"      ({note})", "dim", err=err)


def _stated(value: Json) -> Json:
    return _seal(value) if isinstance(value, dict) else value


def _seal(value: dict[str, Json]) -> str:
    return f"sealed ({str(value.get('sealed'))[:16]}…)"
