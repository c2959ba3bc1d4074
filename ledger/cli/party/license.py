"""`ledger license`: drafted by one side, signed by both, passed to and fro as a file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.kit.exit_codes import decline
from ledger.cli.kit.home import knowing, page_query, reading, run, speaking
from ledger.cli.kit.moments import MOMENT, parse_moment_or_none
from ledger.cli.kit.options import DEFAULT_HOME as HOME
from ledger.cli.kit.options import Cursor, Home, JsonOutput, Limit, PartyFilter, PassphraseFile
from ledger.cli.kit.saying import Seal, pointers
from ledger.cli.kit.words import as_json, entry_document, fields, say, tell, tell_page
from ledger.cli.party import license_draft
from ledger.cli.party.terms import legal_text, show_draft, show_license, text_of
from ledger.party.acts import licensing
from ledger.party.acts.licensing import AnyLicense
from ledger.party.answers.recorded import Recorded
from ledger.party.answers.replies import LicenseState, Page
from ledger.party.errors import Unfit
from ledger.party.speaking.countersigning import submit_draft
from ledger.party.speaking.drafts import Draft, read_draft, write_draft
from ledger.statements.license import LicenseAmended

app = typer.Typer(
    name="license",
    no_args_is_help=True,
    help=(
        "Licenses: who may use a listing, for what, until when.\n\n"
        "draft → sign (you) → send the file → sign (they) → submit (either). Nothing is recorded before both signed."
    ),
)


class EndCode(StrEnum):
    """Why a license ends (docs/statements.md §4)."""

    BREACH = "breach"
    CONVENIENCE = "convenience"
    EXPIRED = "expired"
    INSOLVENCY = "insolvency"
    OTHER = "other"
    REGULATORY = "regulatory"


DraftPath = Annotated[Path, typer.Argument(metavar="FILE", help="The draft.", exists=True, dir_okay=False)]
LicenseId = Annotated[str, typer.Argument(metavar="ID", help="The license's statement id, sha256:…")]
TextFile = typer.Option("--text", help="The contract in words; its digest is signed.", exists=True, dir_okay=False)


app.command()(license_draft.draft)
app.command()(license_draft.amend)


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
    """Show what a draft says, ask, and add your signature to the file: a license, or an amendment of one.

    What is shown (with --json on standard error) and what is signed are one: the file holds no second form of the
    terms, and what is sealed in it is shown open, once it was checked that it is what was sealed. A draft that was
    changed after the other side signed it, that hides something, that has expired, or that is not for you on this
    ledger, is not signed.
    """
    drafted = read_draft(file)

    async def work() -> Draft | None:
        async with speaking(home, passphrase_file) as speaker:
            reviewed = await licensing.review(speaker, drafted)
            named = text_of(reviewed.opened)
            if text is not None and legal_text(text) != named:
                raise Unfit(f"{text} is not the text that the terms name")
            # JSON goes to standard output alone; what is signed is shown all the same.
            show_draft(reviewed, drafted, text, err=json_output)
            if named is not None and text is None:
                say("You have not compared the text: --text FILE does.", "yellow", err=json_output)
            if not yes and not typer.confirm(f"Sign this as {speaker.name}?", err=True):
                return None
            return await speaker.sign_draft(drafted)

    signed = run(work())
    if signed is None:
        decline("Not signed.", err=json_output)
    write_draft(file, signed, new=False)
    if json_output:
        as_json({"draft": str(file), "missing": signed.missing, "statement_id": signed.envelope.id})
    elif signed.missing:
        say(f"Signed. Send {file} to the other side.", "bold green")
    else:
        say(f"Signed by both: run 'ledger license submit {file}'.", "bold green")


@app.command()
def submit(file: DraftPath, home: Home = HOME, json_output: JsonOutput = False) -> None:
    """Have a license, or an amendment, recorded that both sides signed."""
    drafted = read_draft(file)

    async def work() -> Recorded:
        async with knowing(home) as member:
            return await submit_draft(member, drafted, licensing.review)

    recorded = run(work())
    statement = recorded.statement
    if isinstance(statement, LicenseAmended):
        tell(recorded, "The license is amended.", json_output=json_output, license=statement.license)
    else:
        tell(recorded, "The license is agreed.", json_output=json_output, license=recorded.statement_id)


@app.command()
def end(
    license_id: LicenseId,
    *,
    code: Annotated[
        EndCode | None, typer.Option("--code", help="Why, as programs read it; 'other' if you say nothing.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", help="Why, for everybody to read unless you --seal /reason.")
    ] = None,
    effective: Annotated[
        str | None, typer.Option("--effective", help=f"It ends then, and never before it is recorded: {MOMENT}.")
    ] = None,
    notice: Annotated[
        str | None, typer.Option("--notice", help="How the other side was told: 'registered letter', an address.")
    ] = None,
    notice_sent: Annotated[
        str | None, typer.Option("--notice-sent", help="When the other side was told; with --notice.")
    ] = None,
    seal: Seal = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """End a license; either side may.

    Where copies are to be deleted then, the time for it runs from here; 'ledger erasure attest' says that it was done.

    Example: ledger license end sha256:… --code breach --notice "registered letter" --notice-sent 2026-03-01
    """
    if (notice is None) != (notice_sent is None):
        raise typer.BadParameter("give --notice and --notice-sent together")
    told = {"channel": notice, "sent_ms": parse_moment_or_none(notice_sent, "--notice-sent")}

    async def work() -> Recorded:
        async with speaking(home, passphrase_file) as speaker:
            return await licensing.end(
                speaker,
                license_id,
                reason,
                code=code.value if code is not None else None,
                effective_ms=parse_moment_or_none(effective, "--effective"),
                notice=told if notice is not None else None,
                seal=pointers(seal),
            )

    tell(run(work()), "The license is ended.", json_output=json_output)


@app.command()
def show(license_id: LicenseId, home: Home = HOME, json_output: JsonOutput = False) -> None:
    """Show a license and what amended its terms, each from its entry with the receipt verified."""

    async def work() -> tuple[Recorded, LicenseState, list[Recorded]]:
        async with reading(home) as client:
            recorded, state = await client.statement(license_id), await client.license(license_id)
            return recorded, state, await licensing.amendments(client, state)

    recorded, state, amended = run(work())
    statement = recorded.statement
    if not isinstance(statement, AnyLicense):
        raise Unfit(f"{license_id} is not a license")
    if json_output:
        document = entry_document(recorded, state.model_dump())
        as_json(document | {"amendments": [entry_document(item) for item in amended]})
        return
    say(f"{statement.issuer} lets {statement.licensee} use a dataset:", "bold")
    show_license(statement, statement.licensee)
    for item in amended:
        say(f"What follows replaces it, by entry {item.index}:", "bold")
        if isinstance(item.statement, LicenseAmended):
            show_license(item.statement, statement.licensee)
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
