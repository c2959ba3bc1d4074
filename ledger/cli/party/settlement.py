"""`ledger claim settle`, `claim sign` and `claim submit`: how two parties end a claim together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.kit.exit_codes import decline
from ledger.cli.kit.home import knowing, run, speaking
from ledger.cli.kit.options import DEFAULT_HOME as HOME
from ledger.cli.kit.options import Home, JsonOutput, PassphraseFile
from ledger.cli.kit.saying import Seal, pointers, stated
from ledger.cli.kit.words import as_json, fields, say, tell
from ledger.cli.party.claim import ClaimId, show_claim
from ledger.party.acts import claims
from ledger.party.answers.recorded import Recorded
from ledger.party.digests import document
from ledger.party.errors import Unfit
from ledger.party.speaking.countersigning import submit_draft
from ledger.party.speaking.drafts import Draft, read_draft, write_draft
from ledger.statements.claim import ClaimDetermined

DraftPath = Annotated[Path, typer.Argument(metavar="FILE", help="The draft.", exists=True, dir_okay=False)]


def register(app: typer.Typer) -> None:
    """Add the three commands to the group of claims."""
    for command in (settle, sign, submit):
        app.command()(command)


def settle(
    claim: ClaimId,
    *,
    out: Annotated[Path, typer.Option("--out", help="The draft to write.")],
    decision: Annotated[str | None, typer.Option("--decision", help="What you agreed, for everybody to read.")] = None,
    paper: Annotated[
        Path | None,
        typer.Option("--document", help="The settlement as a file; its digest is told.", exists=True, dir_okay=False),
    ] = None,
    other_key: Annotated[
        str | None, typer.Option("--other-key", help="The keyid that the other side will sign with, if not its newest.")
    ] = None,
    seal: Seal = None,
    home: Home = HOME,
    json_output: JsonOutput = False,
) -> None:
    """Write a draft that ends a claim by settlement; claimant and respondent sign it. It can be signed for 30 days.

    Example: ledger claim settle sha256:… --document settlement.pdf --out settlement.json; then each side
    'ledger claim sign settlement.json'; then either 'ledger claim submit settlement.json'.
    """

    async def work() -> Draft:
        async with knowing(home) as member:
            return await claims.draft_settlement(
                member,
                claim,
                decision=decision,
                document=await asyncio.to_thread(document, paper),
                other_keyid=other_key,
                seal=pointers(seal),
            )

    drafted = run(work())
    write_draft(out, drafted, new=True)
    if json_output:
        as_json({"draft": str(out), "missing": drafted.missing, "statement_id": drafted.envelope.id})
        return
    say(f"Drafted in {out}. Nobody has signed it yet: run 'ledger claim sign {out}'.", "bold green")


def sign(
    file: DraftPath,
    *,
    paper: Annotated[
        Path | None,
        typer.Option("--document", help="Compare this file with the one that the draft names.", exists=True),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Sign without asking.")] = False,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Show a settlement and the claim that it ends, ask, and add your signature to the file.

    Example: ledger claim sign settlement.json --document settlement.pdf
    """
    drafted = read_draft(file)

    async def work() -> Draft | None:
        async with speaking(home, passphrase_file) as speaker:
            statement, claim = await claims.review(speaker, drafted)
            if paper is not None and await asyncio.to_thread(document, paper) != _digest(statement):
                raise Unfit(f"{paper} is not the document that the draft names")
            # JSON goes to standard output alone; what is signed is shown all the same.
            show_claim(claim, err=json_output)
            _show_settlement(statement, paper, drafted.sealed, err=json_output)
            if not yes and not typer.confirm(f"End this claim, as {speaker.name}?", err=True):
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
        say(f"Signed by both: run 'ledger claim submit {file}'.", "bold green")


def submit(file: DraftPath, home: Home = HOME, json_output: JsonOutput = False) -> None:
    """Have a settlement recorded that both sides signed.

    Example: ledger claim submit settlement.json
    """
    drafted = read_draft(file)

    async def work() -> Recorded:
        async with knowing(home) as member:
            return await submit_draft(member, drafted, claims.review)

    tell(run(work()), "The claim is settled.", json_output=json_output)


def _digest(statement: ClaimDetermined) -> object:
    return statement.document.model_dump() if statement.document is not None else None


def _show_settlement(statement: ClaimDetermined, compared: Path | None, sealed: Sequence[str], *, err: bool) -> None:
    say("It ends by this settlement:", "bold", err=err)
    pairs: list[tuple[str, object]] = [
        ("decision", stated(statement.decision)),
        ("document", stated(statement.document)),
    ]
    if compared is not None:
        pairs.append(("", f"compared: it is {compared}"))
    pairs += [("sealed", place) for place in sealed]
    fields(pairs, err=err)
    if statement.document is not None and compared is None:
        say("You have not compared the document: --document FILE does.", "yellow", err=err)
