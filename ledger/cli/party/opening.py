"""`ledger transfer keep-opening`, and what `acknowledge` writes for it: the sender's proof of what was signed for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.kit.home import run, speaking
from ledger.cli.kit.options import DEFAULT_HOME as HOME
from ledger.cli.kit.options import Home, JsonOutput, PassphraseFile
from ledger.cli.kit.words import as_json, fields, say
from ledger.party.acts import opening
from ledger.party.acts.opening import KeptOpening

OpeningFile = Annotated[
    Path | None,
    typer.Option(
        "--opening",
        help="Where to write what opens your acknowledgement, for the sender alone; otherwise "
        f"{opening.OPENING_NAME} beside the manifest.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(keep_opening)


def keep_opening(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What the recipient sent you.", exists=True, dir_okay=False)
    ],
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Check what opens the acknowledgement of a hand-off of yours, and keep it in your vault for evidence.

    The recipient's 'ledger transfer acknowledge' wrote the file. From then on 'ledger evidence build' puts it into
    every bundle about that hand-off: anybody can read there what the recipient signed for.
    """

    async def work() -> KeptOpening:
        async with speaking(home, passphrase_file) as speaker:
            return await opening.keep(speaker, file)

    kept = run(work())
    if json_output:
        document = {"acknowledged": kept.acknowledged.statement_id, "is_same": kept.is_same, "transfer": kept.transfer}
        as_json(document | {"index": kept.acknowledged.index, "recipient": kept.recipient})
        return
    if kept.is_same:
        say(f"Kept: {kept.recipient} signed for exactly what you handed over.", "bold green")
    else:
        say(f"Kept: {kept.recipient} signed for something other than you handed over.", "bold red")
    fields([("transfer", kept.transfer), ("acknowledged", f"entry {kept.acknowledged.index}")])
