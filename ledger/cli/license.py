"""`ledger license`: drafted by one side, signed by both, passed to and fro as a file."""

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
    knowing,
    page_query,
    parse_time,
    reading,
    run,
    speaking,
)
from ledger.cli.words import as_json, entry_document, fields, say, tell, tell_page, when
from ledger.party import licensing
from ledger.party.digests import digest_file, guess_media_type
from ledger.party.drafts import Draft, read_draft, write_draft
from ledger.party.errors import Unfit
from ledger.party.recorded import Recorded
from ledger.party.replies import LicenseState, Page
from ledger.statements.license import LegalText, LicenseAgreed, Terms
from ledger.statements.parse import read_model

app = typer.Typer(
    name="license",
    no_args_is_help=True,
    help=(
        "Licenses: who may use a listing, for what, until when.\n\n"
        "draft → sign (you) → send the file → sign (they) → submit (either). Nothing is recorded before both signed."
    ),
)
DraftPath = Annotated[Path, typer.Argument(metavar="FILE", help="The draft.", exists=True, dir_okay=False)]
LicenseId = Annotated[str, typer.Argument(metavar="ID", help="The license's statement id, sha256:…")]
TextFile = typer.Option("--text", help="The contract in words; its digest is signed.", exists=True, dir_okay=False)


@app.command()
def draft(
    *,
    listing: Annotated[str, typer.Option("--listing", help="The listing's id.")],
    licensee: Annotated[str, typer.Option("--licensee", help="Who may use it: a party's name.")],
    purpose: Annotated[list[str], typer.Option("--purpose", help="What for, in words; may be given several times.")],
    valid_from: Annotated[str, typer.Option("--from", help="From this date or time on (2026-01-31, RFC 3339).")],
    valid_until: Annotated[str, typer.Option("--until", help="Until just before this date or time.")],
    out: Annotated[Path, typer.Option("--out", help="The draft to write.")],
    text: Annotated[Path | None, TextFile] = None,
    other_key: Annotated[
        str | None, typer.Option("--other-key", help="The keyid that the other side will sign with, if not its newest.")
    ] = None,
    home: Home = HOME,
    json_output: JsonOutput = False,
) -> None:
    """Write a draft that nobody has signed yet. It can be signed for 30 days."""
    terms = {
        "purposes": purpose,
        "valid_from_ms": parse_time(valid_from, "--from"),
        "valid_until_ms": parse_time(valid_until, "--until"),
    }
    if text is not None:
        terms["text"] = legal_text(text).model_dump()

    async def work() -> Draft:
        async with knowing(home) as member:
            return await licensing.draft(member, listing, licensee, read_model(Terms, terms), other_keyid=other_key)

    drafted = run(work())
    write_draft(out, drafted, new=True)
    if json_output:
        as_json({"draft": str(out), "missing": drafted.missing, "statement_id": drafted.envelope.id})
        return
    say(f"Drafted in {out}. Nobody has signed it yet: run 'ledger license sign {out}'.", "bold green")


@app.command()
def sign(
    file: DraftPath,
    *,
    text: Annotated[Path | None, TextFile] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Sign without asking.")] = False,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Show a draft's terms, ask, and add your signature to the file.

    What is shown (with --json on standard error) and what is signed are one: the file holds no second form of the
    terms. A draft that was changed after
    the other side signed it, that has expired, or that is not for you on this ledger, is not signed.
    """
    drafted = read_draft(file)

    async def work() -> Draft | None:
        async with speaking(home, passphrase_file) as speaker:
            statement, listing = await licensing.review(speaker, drafted)
            if text is not None and legal_text(text) != statement.terms.text:
                raise Unfit(f"{text} is not the text that the terms name")
            # JSON goes to standard output alone; what is signed is shown all the same.
            _show_terms(statement, listing.title, compared=text, err=json_output)
            if statement.terms.text is not None and text is None:
                say("You have not compared the text: --text FILE does.", "yellow", err=json_output)
            if not yes and not typer.confirm(f"Sign this as {speaker.name}?", err=True):
                return None
            return drafted.signed(speaker.key)

    signed = run(work())
    if signed is None:
        say("Not signed.", err=json_output)
        raise typer.Exit(1)
    write_draft(file, signed, new=False)
    if json_output:
        as_json({"draft": str(file), "missing": signed.missing, "statement_id": signed.envelope.id})
    elif signed.missing:
        say(f"Signed. Send {file} to the other side.", "bold green")
    else:
        say(f"Signed by both: run 'ledger license submit {file}'.", "bold green")


@app.command()
def submit(file: DraftPath, home: Home = HOME, json_output: JsonOutput = False) -> None:
    """Have a license recorded that both sides signed."""
    drafted = read_draft(file)

    async def work() -> Recorded:
        async with knowing(home) as member:
            return await licensing.submit(member, drafted)

    recorded = run(work())
    tell(recorded, "The license is agreed.", json_output=json_output, license=recorded.statement_id)


@app.command()
def end(
    license_id: LicenseId,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, for everybody to read.")] = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """End a license; either side may."""

    async def work() -> Recorded:
        async with speaking(home, passphrase_file) as speaker:
            return await licensing.end(speaker, license_id, reason)

    tell(run(work()), "The license is ended.", json_output=json_output)


@app.command()
def show(license_id: LicenseId, home: Home = HOME, json_output: JsonOutput = False) -> None:
    """Show a license from its entry, with the receipt verified."""

    async def work() -> tuple[Recorded, LicenseState]:
        async with reading(home) as client:
            return await client.statement(license_id), await client.license(license_id)

    recorded, state = run(work())
    statement = recorded.statement
    if not isinstance(statement, LicenseAgreed):
        raise Unfit(f"{license_id} is no license")
    if json_output:
        as_json(entry_document(recorded, state.model_dump()))
        return
    _show_terms(statement, None, compared=None)
    ended = "not ended, says the operator" if state.ended_index is None else f"ended by entry {state.ended_index}"
    fields([("license", license_id), ("index", recorded.index), ("state", ended)])


@app.command("list")
def list_(
    party: PartyFilter = None,
    limit: Limit = 100,
    cursor: Cursor = None,
    home: Home = HOME,
    json_output: JsonOutput = False,
) -> None:
    """List licenses, by the operator's word ('license show' proves one)."""

    async def work() -> Page[LicenseState]:
        async with reading(home) as client:
            return await client.licenses(page_query(party, cursor, limit))

    tell_page(run(work()), _line, json_output=json_output)


def _line(item: LicenseState) -> str:
    return f"{item.id}  {item.licensor} → {item.licensee}{'' if item.ended_index is None else ', ended'}"


def legal_text(path: Path) -> LegalText:
    """Return what the terms say of a contract's file."""
    digest = digest_file(path, guess_media_type(path))
    return read_model(LegalText, digest.model_dump())


def _show_terms(statement: LicenseAgreed, title: str | None, *, compared: Path | None, err: bool = False) -> None:
    terms = statement.terms
    say(f"{statement.issuer} lets {statement.licensee} use a dataset:", "bold", err=err)
    pairs = [("dataset", title), ("listing", statement.listing)]
    pairs += [("for", purpose) for purpose in terms.purposes]
    pairs += [("from", when(terms.valid_from_ms)), ("until", f"just before {when(terms.valid_until_ms)}")]
    if terms.text is not None:
        pairs.append(("text", f"sha256 {terms.text.sha256}, {terms.text.bytes} bytes"))
        if compared is not None:
            pairs.append(("", f"compared: it is {compared}"))
    fields(pairs, err=err)
