"""`ledger license draft` and `license amend`: what two parties are asked to sign."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.kit.home import knowing, run
from ledger.cli.kit.moments import MOMENT, parse_moment_or_none
from ledger.cli.kit.options import DEFAULT_HOME as HOME
from ledger.cli.kit.options import Home, JsonOutput
from ledger.cli.kit.saying import Seal, pointers
from ledger.cli.kit.words import as_json, say
from ledger.cli.party.terms import (
    Actions,
    Count,
    DeleteWithin,
    Prohibited,
    Purposes,
    Regions,
    TermsFile,
    legal_text,
    marking_of,
    rules_of,
    show_draft,
    wishes_of,
)
from ledger.party.acts import licensing
from ledger.party.acts.licensing import Deal, Reviewed
from ledger.party.speaking.drafts import Draft, write_draft

_PANEL = "Beside the terms"

Out = Annotated[Path, typer.Option("--out", help="The draft to write.")]
Text = Annotated[
    Path | None,
    typer.Option(
        "--text",
        help="The contract in words; its digest is signed.",
        exists=True,
        dir_okay=False,
        rich_help_panel=_PANEL,
    ),
]
Law = Annotated[str | None, typer.Option("--governing-law", help="Which law governs it.", rich_help_panel=_PANEL)]
Forum = Annotated[str | None, typer.Option("--forum", help="Which court or tribunal decides.", rich_help_panel=_PANEL)]
MarkingConsent = Annotated[
    bool | None,
    typer.Option(
        "--marking-consent/--no-marking-consent",
        help="The licensee agrees, or does not, that its copies are marked.",
        rich_help_panel=_PANEL,
    ),
]
Marking = Annotated[
    str | None,
    typer.Option(
        "--marking",
        metavar="METHOD:RECIPIENTS:BOUND",
        help="How copies are marked, with consent to that: the method and the figures of 'ledger transfer prepare', as "
        "in canary:20:0.000001. A court reads then that both of you agreed to the bound before anything leaked.",
        rich_help_panel=_PANEL,
    ),
]
OtherKey = Annotated[
    str | None, typer.Option("--other-key", help="The keyid that the other side will sign with, if not its newest.")
]


def draft(
    *,
    listing: Annotated[str, typer.Option("--listing", help="The listing's id.")],
    licensee: Annotated[str, typer.Option("--licensee", help="Who may use it: a party's name.")],
    valid_from: Annotated[str, typer.Option("--from", help=f"From this moment on: {MOMENT}.")],
    valid_until: Annotated[str, typer.Option("--until", help="Until just before this moment, written alike.")],
    out: Out,
    purpose: Purposes = None,
    region: Regions = None,
    count: Count = None,
    action: Actions = None,
    prohibit: Prohibited = None,
    delete_within: DeleteWithin = None,
    terms: TermsFile = None,
    text: Text = None,
    governing_law: Law = None,
    forum: Forum = None,
    marking_consent: MarkingConsent = None,
    marking: Marking = None,
    parent: Annotated[
        str | None,
        typer.Option(
            "--parent",
            help="The license's id that this one is a sub-license of: you pass on what you were permitted to.",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    dsp_agreement: Annotated[
        str | None,
        typer.Option("--dsp-agreement", help="The agreement's id in the Dataspace Protocol.", rich_help_panel=_PANEL),
    ] = None,
    seal: Seal = None,
    other_key: OtherKey = None,
    home: Home = HOME,
    json_output: JsonOutput = False,
) -> None:
    """Write a draft that nobody has signed yet, and show its terms. It can be signed for 30 days.

    Example: ledger license draft --listing sha256:… --licensee beta.example --from 2026-01-01 --until 2027-01-01
    --purpose AcademicResearch --region EU --prohibit train --delete-within P30D --out draft.json

    A value that only the two of you shall know is sealed by its place, as in
    --seal /terms/permission/0/constraint/0/rightOperand: the draft shows it to the other side, the ledger to nobody.
    """
    wishes = wishes_of(
        purposes=purpose,
        regions=region,
        count=count,
        actions=action,
        prohibited=prohibit,
        delete_within=delete_within,
    )
    rules, how = rules_of(terms, wishes), marking_of(marking, consent=marking_consent)
    if wishes is None and rules is None:
        raise typer.BadParameter("say what is agreed: --purpose, --action and the like, or --terms FILE")
    deal = Deal(
        valid_from_ms=parse_moment_or_none(valid_from, "--from"),
        valid_until_ms=parse_moment_or_none(valid_until, "--until"),
        wishes=wishes,
        rules=rules,
        text=legal_text(text) if text is not None else None,
        governing_law=governing_law,
        forum=forum,
        marking_consent=True if how is not None else marking_consent,
        marking=how,
        parent=parent,
        dsp={"agreement": dsp_agreement} if dsp_agreement is not None else None,
    )

    async def work() -> tuple[Draft, Reviewed]:
        async with knowing(home) as member:
            drafted = await licensing.draft(member, listing, licensee, deal, other_keyid=other_key, seal=pointers(seal))
            return drafted, await licensing.review(member, drafted)

    _write(out, *run(work()), text, json_output=json_output)


def amend(
    license_id: Annotated[str, typer.Argument(metavar="ID", help="The license's statement id, sha256:…")],
    *,
    out: Out,
    valid_from: Annotated[str | None, typer.Option("--from", help=f"Another beginning: {MOMENT}.")] = None,
    valid_until: Annotated[str | None, typer.Option("--until", help="Another end, written alike.")] = None,
    purpose: Purposes = None,
    region: Regions = None,
    count: Count = None,
    action: Actions = None,
    prohibit: Prohibited = None,
    delete_within: DeleteWithin = None,
    terms: TermsFile = None,
    text: Text = None,
    governing_law: Law = None,
    forum: Forum = None,
    marking_consent: MarkingConsent = None,
    marking: Marking = None,
    seal: Seal = None,
    other_key: OtherKey = None,
    home: Home = HOME,
    json_output: JsonOutput = False,
) -> None:
    """Write a draft that changes a license; both sides sign it, as they signed the license.

    What you give replaces what was agreed, all else stays. The terms are replaced as a whole: who gives --region alone
    takes back every purpose, prohibition and duty that was agreed before.

    Example: ledger license amend sha256:… --until 2028-01-01 --out longer.json
    """
    wishes = wishes_of(
        purposes=purpose,
        regions=region,
        count=count,
        actions=action,
        prohibited=prohibit,
        delete_within=delete_within,
    )
    how = marking_of(marking, consent=marking_consent)
    deal = Deal(
        valid_from_ms=parse_moment_or_none(valid_from, "--from"),
        valid_until_ms=parse_moment_or_none(valid_until, "--until"),
        wishes=wishes,
        rules=rules_of(terms, wishes),
        text=legal_text(text) if text is not None else None,
        governing_law=governing_law,
        forum=forum,
        marking_consent=True if how is not None else marking_consent,
        marking=how,
    )
    if deal == Deal():
        raise typer.BadParameter("say what changes: --until, --purpose, --terms FILE, --forum, …")

    async def work() -> tuple[Draft, Reviewed]:
        async with knowing(home) as member:
            drafted = await licensing.amend(member, license_id, deal, other_keyid=other_key, seal=pointers(seal))
            return drafted, await licensing.review(member, drafted)

    _write(out, *run(work()), text, json_output=json_output)


def _write(out: Path, drafted: Draft, reviewed: Reviewed, text: Path | None, *, json_output: bool) -> None:
    write_draft(out, drafted, new=True)
    if json_output:
        document = {"draft": str(out), "missing": drafted.missing, "statement_id": drafted.envelope.id}
        as_json(document | {"sealed": drafted.sealed})
        return
    show_draft(reviewed, drafted, text, err=False)
    say(f"Drafted in {out}. Nobody has signed it yet: run 'ledger license sign {out}'.", "bold green")
