"""The operator's commands against loss: `backup` copies the database, `restore` rebuilds it from a mirror."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ledger.cli.words import console, fields, say
from ledger.party.signers import read_public
from ledger.server.copies.backup import Progress as Told
from ledger.server.copies.backup import backup as make_backup
from ledger.server.copies.restoring import Restored
from ledger.server.copies.restoring import restore as restore_database
from ledger.server.copies.source import open_files
from ledger.server.log.outside import PUBLISHED, PublishedFile
from ledger.server.node import DATABASE

LOG_KEY = "log.json"
Directory = Annotated[
    Path, typer.Argument(metavar="DIR", help="What `ledger init` made.", exists=True, file_okay=False)
]


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    app.command()(backup)
    app.command()(restore)


def backup(
    directory: Directory,
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write; there must be none yet.")],
) -> None:
    """Copy the database to OUT while the ledger runs, and check the copy.

    The copy is of one moment, and its tree is re-derived from its bytes before it appears. Keys are not in it: keep
    DIR/keys elsewhere, too. A backup is old from the next entry on: after loading one, let a mirror bring it up to date
    with 'ledger restore'; the server refuses to sign on from what is older than what it has shown.
    """
    with counting("Copying pages") as told:
        head = asyncio.run(make_backup(directory / DATABASE, target, told))
    say(f"A backup of {head.size} entries, checked:", "bold green")
    fields({"file": target, "root": head.root.hex()})


def restore(
    directory: Directory,
    *,
    mirror: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="MIRROR",
            help="A directory that 'verifier mirror' wrote, or the URL of one that is served.",
        ),
    ],
) -> None:
    """Rebuild the database from a mirror, after a loss or from an old backup; stop the server first.

    Every entry is verified against the mirror's checkpoint, which must be signed by this log's key (DIR/keys/log.json)
    and contain everything that DIR/published says was shown. The database that was there is kept beside the new one.
    """

    async def work(told: Told) -> Restored:
        async with open_files(mirror) as files:
            log_key = read_public(directory / "keys" / LOG_KEY)
            published = PublishedFile(directory / PUBLISHED)
            return await restore_database(directory / DATABASE, files, log_key, published, told)

    with counting("Restoring entries") as told:
        restored = asyncio.run(work(told))
    say(f"The database has {restored.head.size} entries again:", "bold green")
    fields({"root": restored.head.root.hex(), "old database": restored.before})
    say(f"Next: run 'ledger serve {directory}'.")


@contextmanager
def counting(what: str) -> Iterator[Told]:
    """Show how much is done on standard error, where that is a terminal."""
    out = console(err=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
