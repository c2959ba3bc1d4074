"""`ledger evidence`: from a trace to one file that a court can check when the ledger is gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ledger.cli.kit.home import parse_time, run, speaking
from ledger.cli.kit.options import DEFAULT_HOME as HOME
from ledger.cli.kit.options import Home, JsonOutput, Mirror, MirrorPolicy, PassphraseFile
from ledger.cli.kit.words import as_json, console, fields, say
from ledger.party.errors import AlreadyThere
from ledger.party.evidence.building import MAX_OPENED, BundleRequest, build
from ledger.party.evidence.finishing import Built
from ledger.party.evidence.parts.choices import read_choice
from ledger.party.evidence.parts.gathering import Scope
from ledger.party.evidence.parts.sources import Progress as Told
from ledger.party.files import create_file

app = typer.Typer(
    name="evidence",
    no_args_is_help=True,
    help=(
        "Evidence: one file that anybody can check offline, with two independent programs, when the ledger is gone.\n\n"
        "trace → claim open --evidence trace.json → evidence build. Nobody has to believe what a bundle says: it holds "
        "the signed entries, their receipts, the opened records and marks, from which 'verifier bundle' computes "
        "everything again."
    ),
)


@app.callback()
def _group() -> None:
    """Keep `build` a command of its own: with one command alone, typer would make it the group."""


@app.command("build")
def build_(
    *,
    trace: Annotated[
        Path, typer.Option("--trace", help="What 'ledger trace' wrote.", exists=True, dir_okay=False, metavar="JSON")
    ],
    out: Annotated[Path, typer.Option("--out", help="The ZIP to write; its report goes beside it, as a PDF.")],
    claim: Annotated[
        str | None, typer.Option("--claim", metavar="ID", help="Your claim: 'ledger claim open --evidence trace.json'.")
    ] = None,
    transfer: Annotated[
        str | None,
        typer.Option(
            "--transfer", metavar="ID", help="The hand-off, where neither the claim nor the trace leaves just one."
        ),
    ] = None,
    act: Annotated[
        list[str] | None,
        typer.Option(
            "--act",
            metavar="ACT@TIME",
            help="An act that you allege, to be judged by the license as it stood then: "
            "'train,purpose=Marketing@2026-03-01T12:00:00Z'. May be given several times.",
        ),
    ] = None,
    disclose: Annotated[
        list[str] | None,
        typer.Option(
            "--disclose",
            metavar="ID:POINTER",
            help="A further sealed place to open for everybody who gets the bundle, as in sha256:…:/purpose.",
        ),
    ] = None,
    withhold: Annotated[
        list[str] | None,
        typer.Option(
            "--withhold",
            metavar="ID",
            help="Keep the marks of this other hand-off sealed. By default every seal of the dataset that you can open "
            "is opened: that is what controls are computed from, and who reads the bundle then knows those marks.",
        ),
    ] = None,
    open_: Annotated[
        int,
        typer.Option("--open", min=0, max=MAX_OPENED, help="Open at most so many matching records, beside the marks."),
    ] = 1_000,
    found: Annotated[
        Path | None,
        typer.Option(
            "--found",
            help="The file that was found, as it was traced. It goes into the bundle: then a verifier reads it itself, "
            "and nobody has to be believed that the rows shown are in it. CSV, TSV and JSON Lines, unpacked; together "
            "with all else at most 1 GiB.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    without_found_file: Annotated[
        bool,
        typer.Option(
            "--without-found-file",
            help="Leave the found file out, where not everybody who gets the bundle may read it, or it is too large. "
            "The verdict is then CONDITIONAL (exit code 3) until somebody gives the file to the verifier "
            "('verifier bundle --found').",
        ),
    ] = False,
    timestamp: Annotated[
        list[Path] | None,
        typer.Option(
            "--timestamp",
            metavar="TSR",
            help="A further RFC 3161 token over the checkpoint, beside those that the ledger or the mirror has: have "
            "the file 'checkpoint' of a mirror stamped, and give --mirror.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    whole_log: Annotated[
        bool, typer.Option("--whole-log", help="Put in every entry of the ledger: then nothing can be left out.")
    ] = False,
    case_only: Annotated[
        bool,
        typer.Option(
            "--case-only",
            help="Put in the case's own entries only, to which nobody else can add: the bundle says that others are "
            "possible.",
        ),
    ] = False,
    mirror: Mirror = None,
    policy: MirrorPolicy = None,
    single_file: Annotated[
        bool, typer.Option("--single-file", help="Also write one HTML page that holds the bundle and a verifier.")
    ] = False,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Make an evidence bundle: entries, receipts, opened records and marks, judgement, report, and how to check it.

    Disclosed are: what the traced hand-off sealed (digests and roots, not the data), the matching records, the marks
    of the dataset's hand-offs, the claim's sealed evidence, and what you name with --disclose. Nothing else leaves
    the vault, but for the found file, which you give. It cannot be taken back from whoever has the bundle.

    Example: ledger evidence build --trace trace.json --claim sha256:… --found leak.csv --out bundle.zip
    """
    targets = _targets(out, single_file=single_file)
    request = BundleRequest(
        trace=trace,
        transfer=transfer,
        claim=claim,
        acts=[_act(text) for text in act or ()],
        chosen=[read_choice(text) for text in disclose or ()],
        withheld=frozenset(withhold or ()),
        open_count=open_,
        found=found,
        is_found_included=not without_found_file,
        tokens=timestamp or (),
        scope=_scope(whole_log=whole_log, case_only=case_only),
        mirror=mirror,
        policy=policy.read_text("utf-8") if policy is not None else None,
    )

    async def work() -> Built:
        async with speaking(home, passphrase_file) as speaker:
            with _showing() as progress:
                return await build(speaker, request, progress)

    built = run(work())
    for path, data in zip(targets, (built.archive, built.report, built.page), strict=False):
        create_file(path, data)
    _tell(built, targets, json_output=json_output)


def _scope(*, whole_log: bool, case_only: bool) -> Scope:
    if whole_log and case_only:
        raise typer.BadParameter("--whole-log and --case-only: choose one of them")
    return Scope.LOG if whole_log else Scope.CASE if case_only else Scope.LISTING


def _act(text: str) -> tuple[str, int]:
    words, at, moment = text.rpartition("@")
    if not at:
        raise typer.BadParameter(f"--act: say when, as in {text}@2026-03-01T12:00:00Z")
    return words, parse_time(moment, "--act")


def _targets(out: Path, *, single_file: bool) -> list[Path]:
    """Return the files to write; raise AlreadyThere, before anything is done, where one exists."""
    if out.suffix in {".pdf", ".html"}:
        raise typer.BadParameter("--out: the bundle is a ZIP; its report and page are named after it")
    targets = [out, out.with_suffix(".pdf"), *([out.with_suffix(".html")] if single_file else [])]
    for path in targets:
        if path.exists():
            raise AlreadyThere(path)
    return targets


def _tell(built: Built, targets: Sequence[Path], *, json_output: bool) -> None:
    documents, verdict = built.documents, built.verdict
    case, conclusion = documents.case, documents.evidence["conclusion"]
    if json_output:
        as_json(
            {
                "claim": case.claim,
                "completeness": documents.completeness(),
                "conclusion": conclusion,
                "conditional": verdict.is_conditional,
                "files": [str(path) for path in targets],
                "left_out": list(built.left_out),
                "timestamps": built.documents.tokens(),
                "transfer": case.transfer,
            }
        )
        return
    say(f"Written: {', '.join(map(str, targets))}", "bold green")
    say(verdict.headline, "bold")
    say(verdict.reason)
    opened = f"{len(documents.evidence['records'])} records, {len(documents.disclosures)} sealed places"
    withheld = f"{len(documents.withheld())} sealed places stay sealed"
    fields(
        [
            ("entries", f"{len(documents.gathered.entries)}, {documents.completeness()}"),
            ("opened", opened),
            ("withheld", withheld),
            ("time-stamps", f"{documents.tokens()}: 'verifier bundle --tsa-roots FILE' says not after when"),
            ("claim", case.claim or "none: 'ledger claim open --evidence' would commit to this trace"),
        ]
    )
    for sentence in built.left_out:
        say(f"Left out: {sentence}.", "yellow")
    say(f"Check it: verifier bundle {targets[0]} --policy policy.txt", "dim")


@contextmanager
def _showing() -> Iterator[Told]:
    """Show how many entries were read and proved on standard error, where that is a terminal."""
    out = console(err=True)
    columns = (TextColumn("Reading and proving entries"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
        task = bar.add_task("entries", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
