"""`ledger claim`: disputes, from the claim to how it ended."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.kit.home import page_query, reading, run
from ledger.cli.kit.moments import MOMENT, parse_moment_or_none
from ledger.cli.kit.options import DEFAULT_HOME as HOME
from ledger.cli.kit.options import Cursor, Home, JsonOutput, Limit, PartyFilter, PassphraseFile
from ledger.cli.kit.saying import Seal, exactly_one, pointers, spoken, stated
from ledger.cli.kit.words import as_json, entry_document, fields, say, tell, tell_page, when
from ledger.core.encoding import Json
from ledger.party.acts import claims
from ledger.party.acts.claims import Story
from ledger.party.answers.recorded import Recorded
from ledger.party.answers.replies import ClaimState, Page
from ledger.party.digests import document
from ledger.party.errors import Unfit
from ledger.party.speaking.speaker import Speaker
from ledger.statements.claim import ClaimAnswered, ClaimDetermined, ClaimOpened

app = typer.Typer(
    name="claim",
    no_args_is_help=True,
    help=(
        "Claims: one party says that another broke a license or a hand-off; the other answers.\n\n"
        "open → answer → determine, by the tribunal that the claim names or by withdrawing it; or settle → sign → sign "
        "→ submit, by both. The ledger judges no claim: it keeps who said what, and when."
    ),
)
ClaimId = Annotated[str, typer.Argument(metavar="ID", help="The claim's statement id, sha256:…")]


class Position(StrEnum):
    """How a respondent stands to a claim."""

    ADMITTED = "admitted"
    DENIED = "denied"
    PARTLY_ADMITTED = "partly-admitted"


class Outcome(StrEnum):
    """How a claim ends."""

    DISMISSED = "dismissed"
    PARTLY_UPHELD = "partly-upheld"
    SETTLED = "settled"
    UPHELD = "upheld"
    WITHDRAWN = "withdrawn"


@app.command("open")
def open_(
    *,
    against: Annotated[str, typer.Option("--against", help="The respondent: a party's name.")],
    clause: Annotated[str, typer.Option("--clause", help="What was broken, in a line.")],
    license_id: Annotated[str | None, typer.Option("--license", help="The license it is about: its id.")] = None,
    transfer: Annotated[str | None, typer.Option("--transfer", help="The same for a hand-off.")] = None,
    demand: Annotated[str | None, typer.Option("--demand", help="What you demand.")] = None,
    evidence: Annotated[
        Path | None,
        typer.Option(
            "--evidence",
            help="What 'ledger trace' wrote, trace.json, or any other file. Its digest is told, which fixes it; the "
            "file stays here. Keep it as it is: 'ledger evidence build' puts it into the bundle.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    answer_by: Annotated[
        str | None, typer.Option("--answer-by", help=f"No answer by then is a finding: {MOMENT}.")
    ] = None,
    legal_hold: Annotated[
        bool, typer.Option("--legal-hold", help="Nothing that it is about may be erased until the claim ends.")
    ] = False,
    tribunal: Annotated[
        str | None, typer.Option("--tribunal", help="A third party that may decide it: its name.")
    ] = None,
    seal: Seal = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Claim that another party broke a license or a hand-off that you are a party to.

    With --seal /evidence nobody sees that there is a trace until you build the bundle, which opens it.

    Example: ledger claim open --transfer sha256:… --against beta.example --clause "No onward transfer" --answer-by P14D
    --legal-hold --evidence trace.json --seal /evidence
    """
    exactly_one(license=license_id, transfer=transfer)
    answer_by_ms = parse_moment_or_none(answer_by, "--answer-by")
    places = pointers(seal)

    async def act(speaker: Speaker) -> Recorded:
        return await claims.open_claim(
            speaker,
            respondent=against,
            clause=clause,
            license_id=license_id,
            transfer=transfer,
            demand=demand,
            evidence=await asyncio.to_thread(document, evidence),
            answer_by_ms=answer_by_ms,
            legal_hold=legal_hold,
            tribunal=tribunal,
            seal=places,
        )

    recorded = spoken(home, passphrase_file, act)
    words = f"The claim against {against} is open."
    tell(recorded, words, json_output=json_output, claim=recorded.statement_id)


@app.command()
def answer(
    claim: ClaimId,
    *,
    position: Annotated[Position, typer.Option("--position", help="How you stand to it.")],
    words: Annotated[str | None, typer.Option("--answer", help="Your answer, for everybody to read.")] = None,
    seal: Seal = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Answer a claim against you, once.

    Example: ledger claim answer sha256:… --position denied --answer "The model was trained on other data."
    """
    places = pointers(seal)
    recorded = spoken(
        home, passphrase_file, lambda speaker: claims.answer(speaker, claim, position.value, words, seal=places)
    )
    tell(recorded, f"The claim is answered: {position.value}.", json_output=json_output, claim=claim)


@app.command()
def determine(
    claim: ClaimId,
    *,
    outcome: Annotated[
        Outcome, typer.Option("--outcome", help="How it ends. For a settlement see 'ledger claim settle'.")
    ],
    decision: Annotated[str | None, typer.Option("--decision", help="The decision, for everybody to read.")] = None,
    paper: Annotated[
        Path | None,
        typer.Option("--document", help="The decision as a file; its digest is told.", exists=True, dir_okay=False),
    ] = None,
    seal: Seal = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """End a claim: withdraw your own, or decide one that names you as its tribunal. It ends any legal hold by it.

    Example: ledger claim determine sha256:… --outcome upheld --document decision.pdf
    """
    if outcome is Outcome.SETTLED:
        raise typer.BadParameter("--outcome settled: both sides sign it, so draft it with 'ledger claim settle'")
    places = pointers(seal)

    async def act(speaker: Speaker) -> Recorded:
        return await claims.determine(
            speaker,
            claim,
            outcome.value,
            decision=decision,
            document=await asyncio.to_thread(document, paper),
            seal=places,
        )

    tell(spoken(home, passphrase_file, act), f"The claim has ended: {outcome.value}.", json_output=json_output)


@app.command()
def show(claim: ClaimId, home: Home = HOME, json_output: JsonOutput = False) -> None:
    """Show a claim and what became of it, each from its entry with the receipt verified.

    Example: ledger claim show sha256:…
    """

    async def work() -> Story:
        async with reading(home) as client:
            return await claims.tell_story(client, claim)

    story = run(work())
    if json_output:
        as_json(_document(story))
        return
    show_claim(story.claim)
    statement = story.claim
    say(_state(story), "bold")
    pairs: list[tuple[str, object]] = [("claim", claim), ("opened", f"entry {story.opened.index}")]
    for label, recorded in (("answered", story.answered), ("ended", story.determined)):
        if recorded is not None:
            pairs.append((label, f"entry {recorded.index}: {_outcome(recorded)}"))
    if statement.legal_hold and story.determined is None:
        pairs.append(("legal hold", "nothing that it is about may be erased"))
    fields(pairs)


@app.command("list")
def list_(
    party: PartyFilter = None,
    limit: Limit = 100,
    cursor: Cursor = None,
    home: Home = HOME,
    json_output: JsonOutput = False,
) -> None:
    """List claims, by the operator's word ('claim show' proves one).

    Example: ledger claim list --party beta.example
    """

    async def work() -> Page[ClaimState]:
        async with reading(home) as client:
            return await client.claims(page_query(party, cursor, limit))

    tell_page(run(work()), _line, json_output=json_output)


def show_claim(claim: ClaimOpened, *, err: bool = False) -> None:
    """Print what a claim says; what is sealed is shown as that."""
    say(f"{claim.issuer} claims against {claim.respondent}:", "bold", err=err)
    pairs: list[tuple[str, object]] = [
        ("broken", stated(claim.clause)),
        ("license", claim.license),
        ("transfer", claim.transfer),
        ("demand", stated(claim.demand)),
        ("evidence", stated(claim.evidence)),
        ("answer by", when(claim.answer_by_ms)),
        ("tribunal", claim.tribunal),
    ]
    fields(pairs, err=err)


def _state(story: Story) -> str:
    if story.determined is not None:
        return "It has ended."
    if story.answered is not None:
        return "Answered; not ended, says the operator."
    return "Not answered yet, says the operator."


def _outcome(recorded: Recorded) -> str:
    match recorded.statement:
        case ClaimAnswered(position=position, answer=words):
            return _with_words(position, stated(words))
        case ClaimDetermined(outcome=outcome, decision=words):
            return _with_words(outcome, stated(words))
        case other:
            raise Unfit(f"entry {recorded.index} is a {other.type}, and neither answers nor ends a claim")


def _with_words(head: str, words: str | None) -> str:
    return head if words is None else f"{head}: {words}"


def _document(story: Story) -> Json:
    document = entry_document(story.opened)
    document["answer"] = entry_document(story.answered) if story.answered is not None else None
    document["determination"] = entry_document(story.determined) if story.determined is not None else None
    return document


def _line(item: ClaimState) -> str:
    state = "open"
    if item.determined_index is not None:
        state = f"ended by entry {item.determined_index}"
    elif item.answered_index is not None:
        state = f"answered by entry {item.answered_index}"
    return f"{item.id}  {item.claimant} against {item.respondent}: {state}"
