"""Hand-offs: offered by the sender, acknowledged or refused by the recipient (docs/format.md §6.10–6.12, §8.3, §15).

The ledger holds one sealed value for all files and all their records. Its salts travel with the files, in a manifest;
digests, sizes and roots do not: the recipient computes them from what it received, opens the sender's commitment with
them, and only then signs.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

from ledger.core.encoding import Json
from ledger.party.answers.recorded import AnyOffer, Recorded
from ledger.party.answers.replies import TransferState
from ledger.party.client.client import LedgerClient
from ledger.party.dataset.committing.manifests import read_manifest
from ledger.party.digests import Progress, describe, measure, no_progress, total_bytes
from ledger.party.errors import AlreadyThere, ContentMismatch, Problem, ReceiptInvalid, Unfit
from ledger.party.extras import MissingExtra
from ledger.party.files import write_file
from ledger.party.speaking.speaker import Speaker
from ledger.statements import version_1
from ledger.statements.content import AnyManifest, Content, Manifest, ManifestV1
from ledger.statements.transfer import TransferRefused
from ledger.statements.version_5 import TransferAcknowledged

AnyRefusal = TransferRefused | version_1.TransferRefused
AnyDecision = TransferAcknowledged | AnyRefusal
MANIFEST_NAME = "transfer-manifest.json"
OPENING_RULES = 6
"""The version of the rules since which an acknowledgement names the commitment that it opens."""


@dataclass(frozen=True)
class Received:
    """A hand-off addressed to us whose content is, bit for bit, what its sender sealed; `manifest` is its file."""

    manifest: Path
    offered: Recorded
    content: Content


async def offer(
    speaker: Speaker,
    files: Sequence[Path],
    *,
    listing: str,
    license_id: str | None,
    recipient: str,
    manifest_path: Path,
    encoding: str | None = None,
    redactable: bool = False,
    marks: Json = None,
    acknowledge_by_ms: int | None = None,
    dsp: Json = None,
    seal: Collection[str] = (),
    progress: Progress = no_progress,
) -> Recorded:
    """Commit to the files and every record of them, have the offer recorded, and write the manifest to send along.

    `encoding` is what CSV and TSV files are in, where that is not UTF-8, or UTF-16 with its mark; `redactable`: single
    cells of tables can be opened later. `marks` say what the files are marked by already (`marking.write`).

    Raises AlreadyThere, before anything is done, where `manifest_path` exists; TableUnreadable for a table that is
    none. Manifest and kept copy are in the vault before the offer is sent; where the ledger refuses, they are removed.
    """
    if await asyncio.to_thread(manifest_path.exists):
        raise AlreadyThere(manifest_path)
    described = describe(files)
    total_bytes(files)
    parcels = _parcels()
    ways = await asyncio.to_thread(lambda: parcels.plan(files, encoding, redactable=redactable))
    with parcels.CopyWriter(await asyncio.to_thread(speaker.vault.copies)) as copy:
        parcel = await asyncio.to_thread(
            lambda: parcels.pack(files, described, ways, copy, progress, redactable=redactable)
        )
        frame = await speaker.frame()

        def keep(statement_id: str, salt: str) -> None:
            head = Manifest(
                files=parcel.described,
                issuer=frame.issuer,
                ledger=frame.ledger,
                nonce=frame.nonce,
                salt=salt,
                transfer=statement_id,
            )
            kept = speaker.vault.keep_manifest(statement_id, lambda file: parcel.write_manifest(file, head))
            write_file(manifest_path, lambda file: _copy(kept, file))
            parcel.keep(statement_id)

        fields: dict[str, Json] = {
            "acknowledge_by_ms": acknowledge_by_ms,
            "dsp": dsp,
            "license": license_id,
            "listing": listing,
            "marks": marks,
            "recipient": recipient,
        }
        try:
            return await speaker.say_sealed(frame, "transfer.offered", parcel.content, keep, seal=seal, **fields)
        except Problem as problem:
            # Where the answer was lost instead, the offer may stand: then all stays, and keeps a second run away.
            await asyncio.to_thread(manifest_path.unlink, missing_ok=True)
            if problem.refusal is not None:
                await asyncio.to_thread(parcels.forget, speaker.vault, str(problem.refusal.document["statement_id"]))
            raise


async def receive(
    speaker: Speaker, manifest_path: Path, files: Sequence[Path], progress: Progress = no_progress
) -> Received:
    """Compare received files with what the ledger says their sender sealed. Signs nothing.

    Raises ContentMismatch; Unfit where the manifest is not one of a hand-off to us, or this one was decided before; and
    all that `LedgerClient` raises.
    """
    manifest = await asyncio.to_thread(read_manifest, manifest_path)
    offered = await speaker.client.statement(manifest.transfer)
    statement = offered.statement
    if not isinstance(statement, AnyOffer):
        raise Unfit(f"{manifest.transfer} is not a hand-off")
    if statement.recipient != speaker.name:
        raise Unfit(f"this hand-off is for {statement.recipient}, not for {speaker.name}")
    found = (statement.ledger, statement.issuer, statement.nonce)
    if found != (manifest.ledger, manifest.issuer, manifest.nonce):
        raise Unfit("the manifest was not made for the hand-off that it names")
    await speaker.client.check_speaker(offered)
    await _check_open(speaker.client, manifest.transfer)
    content = await _measure_named(manifest_path, manifest, files, progress)
    if content.seal(manifest.place, manifest.salt)["sealed"] != statement.content.sealed:
        raise ContentMismatch([], [], len(manifest.files), content)
    return Received(manifest_path, offered, content)


async def acknowledge(speaker: Speaker, received: Received) -> Recorded:
    """Sign that this content was received, sealed under a salt of our own."""
    transfer = received.offered.statement_id
    keep = speaker.vault.keep_manifest
    await asyncio.to_thread(keep, transfer, lambda file: _copy(received.manifest, file))
    frame = await speaker.frame()
    # What we computed opens the sender's commitment: under version 6 of the rules we say so, and name it.
    offered = received.offered.statement
    opens = offered.content.sealed if isinstance(offered, AnyOffer) and frame.rules >= OPENING_RULES else None
    return await speaker.say_sealed(frame, "transfer.acknowledged", received.content, opens=opens, transfer=transfer)


async def refuse(
    speaker: Speaker,
    transfer: str,
    reason: str | None,
    content: Content | None = None,
    *,
    code: str | None = None,
    seal: Collection[str] = (),
) -> Recorded:
    """Sign that the hand-off is refused; `content` seals what was received instead, where that was computed.

    Version 2 of the rules wants a `code` (docs/statements.md §5): `other`, if none is given. Version 1 knows none, and
    wants a reason: there, one that is not given is made of the code. Raises Unfit where it was decided before.
    """
    await _check_open(speaker.client, transfer)
    frame = await speaker.frame()
    fields: dict[str, Json] = {"transfer": transfer, "reason": reason}
    if frame.rules == 1:
        fields["reason"] = reason or (code or "other").replace("-", " ")
    else:
        fields["code"] = code or "other"
    if content is None:
        return await speaker.say("transfer.refused", seal=seal, **fields)
    return await speaker.say_sealed(frame, "transfer.refused", content, seal=seal, **fields)


def refusal_code(mismatch: ContentMismatch) -> str:
    """Return the code that says in which way what was received is not what was offered."""
    if mismatch.content is not None or mismatch.differences:
        return "digest-mismatch"
    return "not-received" if mismatch.missing else "other"


async def decision(client: LedgerClient, state: TransferState) -> Recorded | None:
    """Return the entry that decided a hand-off: the operator says which one, the entry says what."""
    if state.decided_index is None:
        return None
    decided = await client.entry(state.decided_index)
    statement = decided.statement
    if not isinstance(statement, AnyDecision) or statement.transfer != state.id:
        raise ReceiptInvalid(f"entry {state.decided_index} does not decide this hand-off")
    return decided


async def _check_open(client: LedgerClient, transfer: str) -> None:
    """Raise Unfit where an entry decides the hand-off already: what would be signed now could not be recorded."""
    try:
        state = await client.transfer(transfer)
    except Problem:
        # Then the ledger says what is wrong once it has the statement, and signs it.
        return
    decided = await decision(client, state) if state.id == transfer else None
    if decided is not None:
        what = "acknowledged" if isinstance(decided.statement, TransferAcknowledged) else "refused"
        raise Unfit(f"this hand-off was {what} before, by entry {decided.index}")


async def _measure_named(path: Path, manifest: AnyManifest, files: Sequence[Path], progress: Progress) -> Content:
    paths = {path.name: path for path in files}
    if len(paths) != len(files):
        raise Unfit("two of the files have the same name")
    names = [file.name for file in manifest.files]
    missing = [name for name in names if name not in paths or not paths[name].is_file()]
    surplus = sorted(paths.keys() - set(names))
    if missing or surplus:
        raise ContentMismatch(missing, surplus, len(names))
    named = [paths[name] for name in names]
    if isinstance(manifest, ManifestV1):
        return await asyncio.to_thread(measure, named, manifest.files, progress)
    total_bytes(named)
    content: Content = await asyncio.to_thread(_parcels().unpack, path, manifest, named, progress)
    return content


def _copy(source: Path, target: BinaryIO) -> None:
    with source.open("rb") as file:
        shutil.copyfileobj(file, target)


def _parcels() -> ModuleType:
    """Return what reads tables, which is slow to load, and not there for who never hands data over."""
    try:
        from ledger.party.dataset.committing import parcels  # noqa: PLC0415 - see above
    except ImportError as error:
        raise MissingExtra("pyarrow") from error
    return parcels
