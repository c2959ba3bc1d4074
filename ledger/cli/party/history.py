"""`ledger party history`: every entry that concerns somebody or something, by the operator's signed word."""

from __future__ import annotations

from typing import Annotated

import typer

from ledger.cli.kit.home import reading, run
from ledger.cli.kit.options import DEFAULT_HOME as HOME
from ledger.cli.kit.options import Home, JsonOutput
from ledger.cli.kit.words import as_json, fields, recorded_document, say, when
from ledger.party.answers.recorded import Recorded
from ledger.party.audit.history import History


def register(app: typer.Typer) -> None:
    """Add the command to the group of parties."""
    app.command()(history)


def history(
    subjects: Annotated[
        list[str],
        typer.Argument(metavar="SUBJECT", help="A party's name, or the id of a listing, license, hand-off or claim."),
    ],
    *,
    newest: Annotated[
        int, typer.Option("--newest", min=0, max=1000, help="Fetch and show so many of the newest entries.")
    ] = 20,
    home: Home = HOME,
    json_output: JsonOutput = False,
) -> None:
    """Show which entries concern some subjects. The operator signs that these are all; the file is kept.

    An entry that is missing in it, and of which you hold a receipt, convicts the operator. Each entry shown is fetched
    with its receipt, and that is verified.

    Example: ledger party history alpha.example sha256:… --newest 5
    """

    async def work() -> tuple[History, list[Recorded]]:
        async with reading(home) as client:
            found = await client.history(subjects)
            wanted = found.indexes[len(found.indexes) - newest :] if newest < len(found.indexes) else found.indexes
            return found, [await client.entry(index) for index in wanted]

    found, entries = run(work())
    if json_output:
        as_json(
            {
                "entries": [recorded_document(entry) for entry in entries],
                "indexes": list(found.indexes),
                "kept": str(found.kept) if found.kept is not None else None,
                "root": found.head.root.hex(),
                "size": found.head.size,
                "subjects": list(found.subjects),
            }
        )
        return
    count = len(found.indexes)
    say(f"{count} {'entry concerns' if count == 1 else 'entries concern'} {', '.join(found.subjects)}", "bold")
    for entry in entries:
        line = f"{entry.index:>8}  {when(entry.entry.time_ms)}  {entry.statement.type} by {entry.statement.issuer}"
        say(f"{line}  {entry.statement_id}")
    if len(entries) < count:
        say(f"These are the newest {len(entries)}; --newest shows more.", "dim")
    fields([("of entries", found.head.size), ("signed", found.kept)])
