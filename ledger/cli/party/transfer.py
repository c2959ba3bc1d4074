"""`ledger transfer`: hand-offs, told by the sender and answered by the recipient."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.kit.error_words import report
from ledger.cli.kit.home import page_query, reading, run, speaking
from ledger.cli.kit.moments import MOMENT, parse_moment_or_none
from ledger.cli.kit.options import DEFAULT_HOME as HOME
from ledger.cli.kit.options import Cursor, Home, JsonOutput, Limit, PartyFilter, PassphraseFile
from ledger.cli.kit.progress import hashing
from ledger.cli.kit.saying import Seal, pointers, stated
from ledger.cli.kit.words import as_json, entry_document, fields, say, tell, tell_page, when
from ledger.cli.party import marking
from ledger.cli.party import opening as openings
from ledger.cli.party.marking import MarkedCopy, Prepared, mark, removed_if_refused
from ledger.cli.party.opening import OpeningFile
from ledger.core.encoding import Json
from ledger.party.acts import handoff
from ledger.party.acts.handoff import MANIFEST_NAME
from ledger.party.acts.opening import hand_back, opening_path
from ledger.party.answers.recorded import AnyOffer, Recorded
from ledger.party.answers.replies import Page, TransferState
from ledger.party.dataset.committing.manifests import read_manifest
from ledger.party.errors import AlreadyThere, ContentMismatch, Unfit
from ledger.party.speaking.speaker import Speaker
from ledger.statements.content import AnyManifest
from ledger.statements.version_5 import TransferAcknowledged

app = typer.Typer(
    name="transfer",
    no_args_is_help=True,
    help=(
        "Hand-offs: the sender offers; the recipient acknowledges what it computed from what it received, or "
        "refuses.\n\n"
        "The files travel your own way, with a small manifest beside them; the ledger never sees either."
    ),
)
marking.register(app)
openings.register(app)


class RefusalCode(StrEnum):
    """Why a hand-off is refused (docs/statements.md §5)."""

    DIGEST_MISMATCH = "digest-mismatch"
    NOT_RECEIVED = "not-received"
    NOT_WANTED = "not-wanted"
    OTHER = "other"


TransferId = Annotated[str, typer.Argument(metavar="ID", help="The hand-off's statement id, sha256:…")]


@app.command()
def offer(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="What you hand over.", exists=True, dir_okay=False)
    ],
    *,
    listing: Annotated[str, typer.Option("--listing", help="The listing's id.")],
    to: Annotated[str, typer.Option("--to", help="The recipient: a party's name.")],
    license_id: Annotated[
        str | None, typer.Option("--license", help="The license's id. A hand-off without one is recorded, and flagged.")
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option("--manifest", help=f"The manifest to write; otherwise {MANIFEST_NAME} beside the first file."),
    ] = None,
    acknowledge_by: Annotated[
        str | None, typer.Option("--acknowledge-by", help=f"Until when you expect an answer: {MOMENT}.")
    ] = None,
    redactable: Annotated[
        bool,
        typer.Option(
            "--redactable",
            help="Commit to every cell of tables too: single columns of single rows can be shown later. Takes longer.",
        ),
    ] = False,
    encoding: Annotated[
        str | None,
        typer.Option(
            "--encoding", help="What CSV or TSV files are in, such as windows-1252 or gb18030, if it is not UTF-8."
        ),
    ] = None,
    dsp_agreement: Annotated[
        str | None, typer.Option("--dsp-agreement", help="The agreement's id in the Dataspace Protocol.")
    ] = None,
    dsp_provider: Annotated[
        str | None, typer.Option("--dsp-provider-pid", help="The transfer process's id at the provider, there.")
    ] = None,
    dsp_consumer: Annotated[
        str | None, typer.Option("--dsp-consumer-pid", help="The transfer process's id at the consumer, there.")
    ] = None,
    seal: Seal = None,
    marked_copy: MarkedCopy = None,
    prepared: Prepared = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Commit to files and to every record in them, say on the ledger that you hand them over, and write the manifest.

    Tables (.csv, .tsv, .jsonl, .parquet, .arrow) are read row by row, any other file by chunks: if some of it turns up
    where it should not be, you can prove which hand-off it is from, and show no other row. Your vault keeps a copy.

    The ledger gets one sealed value: neither digests nor sizes nor names. Send the manifest with the files, and to
    nobody else: it holds what is needed to recognise them.

    Example: ledger transfer offer flights.csv --listing sha256:… --license sha256:… --to beta.example
    --acknowledge-by P7D

    With --marked-copy, a copy for this recipient is marked by what was drawn from the pool that you sealed before
    ('ledger transfer prepare'): should it leak, that tells whose copy it was. Example: … --marked-copy
    for-beta/flights.csv
    """
    if prepared is not None and marked_copy is None:
        raise typer.BadParameter("say with --marked-copy where to write the marked copy")
    given = {"agreement": dsp_agreement, "provider_pid": dsp_provider, "consumer_pid": dsp_consumer}
    dsp = {name: value for name, value in given.items() if value is not None}
    path = manifest if manifest is not None else (marked_copy or files[0]).parent / MANIFEST_NAME

    async def work() -> Recorded:
        async with speaking(home, passphrase_file) as speaker:
            sent, marks = await mark(
                speaker,
                files,
                copy=marked_copy,
                prepared=prepared,
                listing=listing,
                license_id=license_id,
                recipient=to,
                encoding=encoding,
            )
            with hashing(sent) as progress, removed_if_refused(marked_copy):
                return await handoff.offer(
                    speaker,
                    sent,
                    listing=listing,
                    license_id=license_id,
                    recipient=to,
                    manifest_path=path,
                    encoding=encoding,
                    redactable=redactable,
                    marks=marks,
                    acknowledge_by_ms=parse_moment_or_none(acknowledge_by, "--acknowledge-by"),
                    dsp=dsp or None,
                    seal=pointers(seal),
                    progress=progress,
                )

    recorded = run(work())
    what = "the files" if marked_copy is None else f"{marked_copy}, never the original,"
    words = f"Offered to {to}. Send {what} together with {path}."
    tell(recorded, words, json_output=json_output, transfer=recorded.statement_id, manifest=str(path))


@app.command()
def acknowledge(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help="What you received.", exists=True, dir_okay=False)
    ] = None,
    *,
    manifest: Annotated[
        Path | None, typer.Option("--manifest", help="The manifest that came along.", exists=True, dir_okay=False)
    ] = None,
    directory: Annotated[
        Path | None,
        typer.Option(
            "--dir", help="Where files and manifest are, instead of naming each.", exists=True, file_okay=False
        ),
    ] = None,
    opening: OpeningFile = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Hash what you received, every record of it, compare with what the sender sealed, and sign if it is the same.

    On a difference nothing is acknowledged. At a terminal you are asked whether to refuse the hand-off on the ledger,
    and why; without one, nothing is signed or sent: refuse with 'ledger transfer refuse'.

    What opens your acknowledgement is written beside the manifest. Send it to the sender, and nobody can doubt what
    you signed for ('ledger transfer keep-opening').

    Exit codes: 0 acknowledged, 1 not acknowledged (a difference, refused or not; decided before; the ledger refused, or
    what it says is false), 2 usage, 3 could not reach the ledger or could not tell.
    """
    path, described, paths = _received(files or [], manifest, directory)
    if opening is not None and opening.exists():  # what was signed could not be handed back then
        raise AlreadyThere(opening)
    out = opening or opening_path(path, described.transfer)

    async def work() -> Recorded:
        async with speaking(home, passphrase_file) as speaker:
            try:
                with hashing(paths) as progress:
                    received = await handoff.receive(speaker, path, paths, progress)
            except ContentMismatch as mismatch:
                await _offer_to_refuse(speaker, described, mismatch)
                raise
            acknowledged = await handoff.acknowledge(speaker, received)
            await hand_back(speaker, acknowledged, sender=described.issuer, path=out)
            return acknowledged

    words = (
        f"Acknowledged: what you received is what {described.issuer} offered. Send {out} to {described.issuer}: with "
        "it, nobody can doubt what you signed for."
    )
    tell(run(work()), words, json_output=json_output, transfer=described.transfer, opening=str(out))


@app.command()
def refuse(
    *,
    code: Annotated[
        RefusalCode | None, typer.Option("--code", help="Why, as programs read it; 'other' if you say nothing.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", help="Why, for everybody to read unless you --seal /reason.")
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option("--manifest", help="The manifest that came along.", exists=True, dir_okay=False)
    ] = None,
    transfer: Annotated[
        str | None, typer.Option("--transfer", help="The hand-off's id, where no manifest came.")
    ] = None,
    seal: Seal = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Say on the ledger that you do not accept a hand-off.

    'digest-mismatch' says that what came is not what was offered: every replay lists it as a finding about the sender.

    Example: ledger transfer refuse --manifest transfer-manifest.json --code not-wanted --reason "Ordered once only."
    """
    if (manifest is None) == (transfer is None):
        raise typer.BadParameter("give either --manifest or --transfer")
    if code is None and reason is None:
        raise typer.BadParameter("say why: --code, --reason or both")
    transfer_id = read_manifest(manifest).transfer if manifest is not None else str(transfer)

    async def work() -> Recorded:
        async with speaking(home, passphrase_file) as speaker:
            said = code.value if code is not None else None
            return await handoff.refuse(speaker, transfer_id, reason, code=said, seal=pointers(seal))

    tell(run(work()), "The hand-off is refused.", json_output=json_output, transfer=transfer_id)


@app.command()
def show(transfer: TransferId, home: Home = HOME, json_output: JsonOutput = False) -> None:
    """Show a hand-off and what became of it, each from its entry with the receipt verified."""

    async def work() -> tuple[Recorded, TransferState, Recorded | None]:
        async with reading(home) as client:
            offered, state = await client.statement(transfer), await client.transfer(transfer)
            return offered, state, await handoff.decision(client, state)

    offered, state, decided = run(work())
    statement = offered.statement
    if not isinstance(statement, AnyOffer):
        raise Unfit(f"{transfer} is not a hand-off")
    if json_output:
        document = entry_document(offered, state.model_dump())
        document["decision"] = entry_document(decided) if decided is not None else None
        as_json(document)
        return
    say(f"{statement.issuer} → {statement.recipient}: {_state(decided)}", "bold")
    pairs: list[tuple[str, Json]] = [
        ("transfer", transfer),
        ("listing", statement.listing),
        ("license", statement.license or "none named"),
        ("offered", f"entry {offered.index}"),
        ("answer by", when(getattr(statement, "acknowledge_by_ms", None))),
    ]
    if decided is not None:
        pairs.append(("decided", f"entry {decided.index}"))
        pairs.append(("code", getattr(decided.statement, "code", None)))
        pairs.append(("reason", stated(getattr(decided.statement, "reason", None))))
    fields(pairs)


@app.command("list")
def list_(
    party: PartyFilter = None,
    limit: Limit = 100,
    cursor: Cursor = None,
    home: Home = HOME,
    json_output: JsonOutput = False,
) -> None:
    """List hand-offs, by the operator's word ('transfer show' proves one)."""

    async def work() -> Page[TransferState]:
        async with reading(home) as client:
            return await client.transfers(page_query(party, cursor, limit))

    tell_page(run(work()), _line, json_output=json_output)


def _line(item: TransferState) -> str:
    return f"{item.id}  {item.sender} → {item.recipient}: {item.state}"


def _received(files: list[Path], manifest: Path | None, directory: Path | None) -> tuple[Path, AnyManifest, list[Path]]:
    """Return the manifest, what it says, and the files to compare with it: those named, or its own in `directory`."""
    if bool(files) == (directory is not None):
        raise typer.BadParameter("give either the files received, or --dir")
    if directory is None:
        if manifest is None:
            raise typer.BadParameter("give --manifest: the file that came along")
        return manifest, read_manifest(manifest), files
    path = manifest if manifest is not None else directory / MANIFEST_NAME
    described = read_manifest(path)
    return path, described, [directory / file.name for file in described.files]


async def _offer_to_refuse(speaker: Speaker, manifest: AnyManifest, mismatch: ContentMismatch) -> None:
    """Ask whether to refuse, if there is somebody to ask; end the command if that was done."""
    if not sys.stdin.isatty():
        return
    code = report(mismatch)
    if not typer.confirm("Refuse this hand-off on the ledger now?", err=True):
        raise typer.Exit(code)
    reason = typer.prompt("Reason, for everybody to read", err=True)
    why = handoff.refusal_code(mismatch)
    recorded = await handoff.refuse(speaker, manifest.transfer, reason, mismatch.content, code=why)
    tell(recorded, "The hand-off is refused.", json_output=False)
    raise typer.Exit(code)


def _state(decided: Recorded | None) -> str:
    if decided is None:
        return "offered; not answered yet, says the operator"
    return "acknowledged" if isinstance(decided.statement, TransferAcknowledged) else "refused"
