"""Against loss: `backup` copies a database, `restore` rebuilds it from a mirror, `adopt` continues an ended ledger."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ledger.cli.kit.options import PassphraseFile
from ledger.cli.kit.words import console, fields, say
from ledger.cli.operating.founding import RECOVERY_KEY, Admission, Plan, found
from ledger.cli.operating.log_keys import log_key_paths
from ledger.cli.operating.timestamp import TsaRoots, read_tsa_roots
from ledger.core.policy import parse_policy
from ledger.party.errors import Unfit
from ledger.party.files import create_file
from ledger.party.keys.signers import read_public
from ledger.server.copies.adopting import PREDECESSOR, Adopted
from ledger.server.copies.adopting import adopt as adopt_mirror
from ledger.server.copies.backup import backup as make_backup
from ledger.server.copies.backup import check_copy
from ledger.server.copies.checking import Progress as Told
from ledger.server.copies.restoring import Restored
from ledger.server.copies.restoring import restore as restore_database
from ledger.server.copies.source import open_files
from ledger.server.log.recovery.published import PUBLISHED, PublishedFile
from ledger.server.node import DATABASE

MAX_SAID = 20
"""How many things left out are named, of as many as a hostile mirror may make up."""
Directory = Annotated[
    Path, typer.Argument(metavar="DIR", help="What `ledger init` made.", exists=True, file_okay=False)
]


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    app.command()(backup)
    app.command()(check)
    app.command()(restore)
    app.command()(adopt)


def backup(
    directory: Directory,
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write; there must be none yet.")],
) -> None:
    """Copy the database to OUT while the ledger runs, and check the copy.

    The copy is of one moment. Every entry of it is read back and held against the signed tree before it appears. Keys
    are not in it: keep DIR/keys elsewhere too. A backup is old from the next entry on: after loading one, let a mirror
    bring it up to date with 'ledger restore'; the server refuses to sign on from what is older than what it has shown.
    """
    with counting("Copying pages") as told:
        head = asyncio.run(make_backup(directory / DATABASE, target, told))
    say(f"A backup of {head.size} entries, checked:", "bold green")
    fields({"file": target, "root": head.root.hex()})


def check(directory: Directory) -> None:
    """Check the database at leisure, while the ledger runs or not: every entry, every index, all that is derived.

    A start re-reads the newest entries only, and bits rot in old ones too. It works on copies in DIR, which take twice
    the space of the database while it runs. Exit code 1, with the place, if something is damaged: 'ledger restore DIR
    --from MIRROR' mends it.
    """
    with tempfile.TemporaryDirectory(prefix=".check-", dir=directory) as work, counting("Checking") as told:
        head, is_compared = asyncio.run(check_copy(directory / DATABASE, Path(work), told))
    say(f"{head.size} entries, every one of them as it was signed.", "bold green")
    if not is_compared:
        say("What is derived from them was derived by other software: the next start derives it again.")
    fields({"root": head.root.hex()})


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
    tsa_roots: TsaRoots = None,
) -> None:
    """Rebuild the database from a mirror, after a loss or from an old backup; stop the server first.

    Every entry is verified against the mirror's checkpoint, which must be signed by a key of this log
    (DIR/keys/log*.json) and contain everything that DIR/published says was shown. The database that was there is kept
    beside the new one. From it come what was promised and is not among the entries yet, and the time-stamps that it
    has; with --tsa-roots, as for 'ledger serve', also those that the mirror has. Each is checked to be of this log, and
    what is left out is said. Without the old database, open promises are lost, and their holders can prove an omission:
    if it still exists, let it stand at DIR/ledger.db, broken or not, rather than an older backup.
    """

    async def work(told: Told) -> Restored:
        async with open_files(mirror) as files:
            log_keys = [read_public(path) for path in log_key_paths(directory)]
            published = PublishedFile(directory / PUBLISHED)
            return await restore_database(directory / DATABASE, files, log_keys, published, told, tsa_roots=roots)

    roots = read_tsa_roots(tsa_roots) if tsa_roots is not None else []
    with counting("Restoring entries") as told:
        restored = asyncio.run(work(told))
    say(f"The database has {restored.head.size} entries again:", "bold green")
    carried = restored.carried
    taken = f"{carried.promises} promised statements, {carried.stamps} time-stamps"
    fields({"root": restored.head.root.hex(), "old database": restored.before, "taken over": taken})
    if restored.before is None:
        say("There was no old database: what it had promised, and is not among the entries, is lost.", "bold yellow")
    for what in carried.left_out[:MAX_SAID]:
        say(f"Left out: {what}", "bold yellow")
    if len(carried.left_out) > MAX_SAID:
        say(f"Left out: {len(carried.left_out) - MAX_SAID} more", "bold yellow")
    say(f"Next: run 'ledger serve {directory}'.")


def adopt(
    mirror: Annotated[
        str, typer.Argument(metavar="MIRROR", help="What 'verifier mirror' wrote, or its URL where it is served.")
    ],
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where the new ledger will live; made if missing.")],
    *,
    policy: Annotated[
        Path,
        typer.Option(help="The policy of the old ledger: its log key, and who must have cosigned.", dir_okay=False),
    ],
    origin: Annotated[str, typer.Option(help="The new log's permanent name; another one than the old log's.")],
    operator: Annotated[str, typer.Option(help="The new operator's party name.")],
    relation: Annotated[
        str, typer.Option(help="How the operator stands to the parties; recorded, and part of every report.")
    ] = "The operator continues a ledger that has ended, and is not a party to the hand-offs on it.",
    admission: Annotated[
        Admission, typer.Option(help="open: anybody registers; operator: the operator countersigns each registration.")
    ] = Admission.OPEN,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Start a successor of a ledger that has ended, under a new name and new keys.

    Its first entry commits to the old ledger's last checkpoint, as the mirror has it and the policy trusts it. The
    mirror is verified, copied to DIR/predecessor, and served read-only at /predecessor/. What was proved of the old
    ledger stays proved; parties register again. DIR/policy-both.txt names both logs, for
    'verifier replay URL --predecessor URL/predecessor --policy policy-both.txt --origin ORIGIN'.
    """
    trusted = policy.read_text()

    async def work(told: Told) -> Adopted:
        async with open_files(mirror) as files:
            return await adopt_mirror(files, directory / PREDECESSOR, parse_policy(trusted), told)

    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with counting("Adopting entries") as told:
        old = asyncio.run(work(told))
    try:
        _refuse_same(old.origin, origin)
        named = {"ledger": old.ledger, "root": old.head.root.hex(), "size": old.head.size}
        plan = Plan(directory, origin, operator, relation, admission)
        made = found(plan, None, None, passphrase_file=passphrase_file, predecessor=named)
    except BaseException:
        shutil.rmtree(directory / PREDECESSOR)  # it can be adopted again
        raise
    both = directory / "policy-both.txt"
    create_file(both, f"{trusted.rstrip()}\nlog {made['log key']}\n".encode())
    say(f"A new ledger, {origin}, which continues {old.origin} at size {old.head.size}:", "bold")
    fields(made | {"policy of both": both})
    say(f"Next: move {directory / 'keys' / RECOVERY_KEY} to an offline place, then run 'ledger serve {directory}'.")


def _refuse_same(old: str, new: str) -> None:
    if old == new:
        raise Unfit(f"{new} is the old log's name; a successor has another")


@contextmanager
def counting(what: str) -> Iterator[Told]:
    """Show how much is done on standard error, where that is a terminal."""
    out = console(err=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
