"""`ledger found`: what was found, registered before anything is made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.kit.home import run, speaking
from ledger.cli.kit.options import DEFAULT_HOME as HOME
from ledger.cli.kit.options import Home, JsonOutput, PassphraseFile
from ledger.cli.kit.progress import hashing
from ledger.cli.kit.words import as_json, fields, say, when
from ledger.party.acts.found import FileRegistered, Finding, register_found

app = typer.Typer(
    name="found",
    no_args_is_help=True,
    help=(
        "Found files: register one the day you find it, before you trace it.\n\n"
        "found register → trace → claim open --evidence trace.json → evidence build. What you say of a find months "
        "later is your word. What you registered that day is fixed, and dated: the bundle shows it, and every step of "
        "custody since hangs on it."
    ),
)
_RECORD = "Its SHA-256 is sealed with the file's, and a copy is kept in the vault. May be given several times."


@app.callback()
def _group() -> None:
    """Keep `register` a command of its own: with one command alone, typer would make it the group."""


@app.command()
def register(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The file, as it was found.", exists=True, dir_okay=False)
    ],
    *,
    where: Annotated[str, typer.Option("--where", help="Where it was found: the address, or the place in words.")],
    how: Annotated[
        str, typer.Option("--how", help="How you got it, in words: by whom, with which program, paid or not.")
    ],
    who: Annotated[str | None, typer.Option("--who", help="Who found it, by name. Else the company.")] = None,
    second: Annotated[
        str | None, typer.Option("--second", help="A second person who was there and saw it: name and office.")
    ] = None,
    headers: Annotated[
        list[Path] | None,
        typer.Option(
            "--headers", help=f"What the server answered ('curl --dump-header'). {_RECORD}", exists=True, dir_okay=False
        ),
    ] = None,
    capture: Annotated[
        list[Path] | None,
        typer.Option(
            "--capture", help="A picture of the page or the screen. As --headers.", exists=True, dir_okay=False
        ),
    ] = None,
    archive: Annotated[
        list[Path] | None,
        typer.Option("--archive", help="A web archive (WARC) of the page. As --headers.", exists=True, dir_okay=False),
    ] = None,
    other: Annotated[
        list[Path] | None,
        typer.Option(
            "--record",
            help="Anything else that shows it: a deed, a statement. As --headers.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Commit to a found file, and to how you found it, so that nobody can say later that either was made up since.

    The ledger learns neither the file nor its digest, nor any of these words: it gets a sealed commitment, under a
    listing without a title that is withdrawn at once. The entry dates it: by the operator's word, by witnesses, and by
    whatever time-stamps the ledger gets. A file that was registered before a copy was marked is never said to derive
    from that copy; one that was registered after it is shown to have been in hand by then.

    Keep FILE itself where you keep evidence: what is in the vault is its digest, and copies of what you give beside it.

    Example: ledger found register leak.csv --where https://forum.example/t/1 --how "downloaded by J. Doe, curl 8.5"
    --headers answer.txt --capture page.png --second "B. Roe, notary"
    """
    kinds = {"headers": headers, "capture": capture, "archive": archive, "other": other}
    records = [(kind, path) for kind, paths in kinds.items() for path in paths or ()]

    async def work() -> FileRegistered:
        async with speaking(home, passphrase_file) as speaker:
            finding = Finding(where, how, who or speaker.name, second, records)
            with hashing([file]) as progress:
                return await register_found(speaker, file, finding, progress)

    done = run(work())
    entry, link = done.recorded.entry, done.registered.link
    if json_output:
        as_json(done.registered.document() | {"index": entry.index, "time_ms": entry.time_ms, "kept": str(done.kept)})
        return
    say(f"Registered: {link.file.name} was in hand when entry {entry.index} was recorded.", "bold green")
    fields(
        [
            ("statement", done.registered.statement),
            ("sha256", f"{link.file.sha256} (sealed: the ledger does not know it)"),
            ("recorded", when(entry.time_ms)),
            ("kept", done.kept),
        ]
    )
    say(f"Go on: ledger trace {file.name}", "dim")
