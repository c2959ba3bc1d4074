"""Hand-offs: offered by the sender, acknowledged or refused by the recipient (docs/format.md §6.10–6.12, §8.3).

The ledger holds one sealed value for all files. Its salt travels with the files, in a manifest; digests and sizes do
not: the recipient computes them from what it received, opens the sender's commitment with them, and only then signs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.core.encoding import Json, canonical, parse_json
from ledger.core.errors import FormatError
from ledger.party.client import LedgerClient
from ledger.party.digests import Progress, describe, measure, no_progress
from ledger.party.errors import AlreadyThere, ContentMismatch, Problem, ReceiptInvalid, Unfit
from ledger.party.files import create_file
from ledger.party.recorded import Recorded
from ledger.party.replies import TransferState
from ledger.party.speaker import Speaker
from ledger.statements import version_1
from ledger.statements.content import Content
from ledger.statements.content import ManifestV1 as Manifest
from ledger.statements.parse import read_model
from ledger.statements.transfer import TransferAcknowledged, TransferOffered, TransferRefused

AnyOffer = TransferOffered | version_1.TransferOffered
AnyRefusal = TransferRefused | version_1.TransferRefused
AnyDecision = TransferAcknowledged | AnyRefusal
MANIFEST_NAME = "transfer-manifest.json"
_MAX_MANIFEST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Received:
    """A hand-off addressed to us whose content is, bit for bit, what its sender sealed."""

    manifest: Manifest
    offered: Recorded
    content: Content


def format_manifest(manifest: Manifest) -> bytes:
    """Return the bytes of a manifest file: canonical JSON and LF."""
    return canonical(manifest.model_dump(exclude_none=True)) + b"\n"


def read_manifest(path: Path) -> Manifest:
    """Read a manifest, which comes from another company; raise Unfit or OSError."""
    with path.open("rb") as file:
        raw = file.read(_MAX_MANIFEST_BYTES + 1)
    if len(raw) > _MAX_MANIFEST_BYTES:
        raise Unfit(f"{path}: a manifest has at most {_MAX_MANIFEST_BYTES} bytes")
    try:
        manifest = read_model(Manifest, parse_json(raw))
    except FormatError as error:
        raise Unfit(f"{path} is not a manifest: {error}") from error
    names = [file.name for file in manifest.files]
    if len(set(names)) != len(names) or any("/" in name or "\0" in name or name in {".", ".."} for name in names):
        # A name like ../../.ssh/id_ed25519 would make us read, and vouch for, files that were never sent.
        raise Unfit(f"{path} names files twice, or outside its directory")
    return manifest


async def offer(
    speaker: Speaker,
    files: Sequence[Path],
    *,
    listing: str,
    license_id: str | None,
    recipient: str,
    manifest_path: Path,
    acknowledge_by_ms: int | None = None,
    dsp: Json = None,
    seal: Collection[str] = (),
    progress: Progress = no_progress,
) -> Recorded:
    """Seal the files, have the offer recorded, and write the manifest that must travel with them.

    Raises AlreadyThere, before anything is done, where `manifest_path` exists. The manifest is written, and kept in the
    vault, before the offer is sent; where the ledger refuses, the written one is removed.
    """
    if await asyncio.to_thread(manifest_path.exists):
        raise AlreadyThere(manifest_path)
    described = describe(files)
    content = await measure(files, described, progress)
    frame = await speaker.frame()

    def keep(statement_id: str, salt: str) -> None:
        manifest = Manifest(
            files=described,
            issuer=frame.issuer,
            ledger=frame.ledger,
            nonce=frame.nonce,
            salt=salt,
            transfer=statement_id,
        )
        speaker.vault.keep_manifest(manifest)
        create_file(manifest_path, format_manifest(manifest))

    fields: dict[str, Json] = {
        "acknowledge_by_ms": acknowledge_by_ms,
        "dsp": dsp,
        "license": license_id,
        "listing": listing,
        "recipient": recipient,
    }
    try:
        return await speaker.say_sealed(frame, "transfer.offered", content, keep, seal=seal, **fields)
    except Problem:
        # Where the answer was lost instead, the offer may stand: then the manifest stays, and keeps a second run away.
        await asyncio.to_thread(manifest_path.unlink, missing_ok=True)
        raise


async def receive(
    speaker: Speaker, manifest: Manifest, files: Sequence[Path], progress: Progress = no_progress
) -> Received:
    """Compare received files with what the ledger says their sender sealed. Signs nothing.

    Raises ContentMismatch; Unfit where the manifest is not one of a hand-off to us, or this one was decided before; and
    all that `LedgerClient` raises.
    """
    offered = await speaker.client.statement(manifest.transfer)
    statement = offered.statement
    if not isinstance(statement, AnyOffer):
        raise Unfit(f"{manifest.transfer} is no hand-off")
    if statement.recipient != speaker.name:
        raise Unfit(f"this hand-off is for {statement.recipient}, not for {speaker.name}")
    found = (statement.ledger, statement.issuer, statement.nonce)
    if found != (manifest.ledger, manifest.issuer, manifest.nonce):
        raise Unfit("the manifest was not made for the hand-off that it names")
    await speaker.client.check_speaker(offered)
    await _check_open(speaker.client, manifest.transfer)
    content = await _measure_named(manifest, files, progress)
    if content.seal(manifest.place, manifest.salt)["sealed"] != statement.content.sealed:
        raise ContentMismatch([], [], len(manifest.files), content)
    return Received(manifest, offered, content)


async def acknowledge(speaker: Speaker, received: Received) -> Recorded:
    """Sign that this content was received, sealed under a salt of our own."""
    speaker.vault.keep_manifest(received.manifest)
    frame = await speaker.frame()
    transfer = received.offered.statement_id
    return await speaker.say_sealed(frame, "transfer.acknowledged", received.content, transfer=transfer)


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
    if mismatch.content is not None:
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


async def _measure_named(manifest: Manifest, files: Sequence[Path], progress: Progress) -> Content:
    paths = {path.name: path for path in files}
    if len(paths) != len(files):
        raise Unfit("two of the files have the same name")
    names = [file.name for file in manifest.files]
    missing = [name for name in names if name not in paths or not paths[name].is_file()]
    surplus = sorted(paths.keys() - set(names))
    if missing or surplus:
        raise ContentMismatch(missing, surplus, len(names))
    return await measure([paths[name] for name in names], manifest.files, progress)
