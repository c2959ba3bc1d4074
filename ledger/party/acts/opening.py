"""What opens an acknowledgement: handed back by the recipient, checked and kept by the sender (docs/format.md §8.6)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from ledger.core.encoding import Json
from ledger.party.acts import disclosing
from ledger.party.answers.recorded import AnyOffer, Recorded
from ledger.party.errors import Unfit
from ledger.party.speaking.speaker import Speaker
from ledger.party.vault.disclosures import MAX_FILE_BYTES, Disclosure, parse_disclosures
from ledger.party.vault.sealing import check_opens
from ledger.statements.content import POINTER
from ledger.statements.version_5 import TransferAcknowledged

OPENING_NAME = "acknowledgement-opening.json"


@dataclass(frozen=True)
class KeptOpening:
    """What a recipient signed for, now in our vault; `is_same`: it is what we handed over, by our own opening of it."""

    acknowledged: Recorded
    transfer: str
    recipient: str
    is_same: bool


def opening_path(manifest: Path, transfer: str) -> Path:
    """Return where an opening is written, if nobody says where: beside the manifest, never over another one."""
    path = manifest.with_name(OPENING_NAME)
    return path.with_stem(f"{path.stem}-{transfer.removeprefix('sha256:')[:12]}") if path.exists() else path


async def hand_back(speaker: Speaker, acknowledged: Recorded, *, sender: str, path: Path) -> None:
    """Write what opens our acknowledgement, for the sender alone. Raises AlreadyThere."""
    await disclosing.hand_out(speaker, acknowledged.statement_id, [POINTER], whom=sender, path=path)


async def keep(speaker: Speaker, path: Path) -> KeptOpening:
    """Check an opening of an acknowledgement of ours against its entry, and keep it for evidence.

    Raises Unfit for a file that opens anything else, or an acknowledgement of somebody else's hand-off.
    """
    item = await asyncio.to_thread(_read, path)
    acknowledged = await speaker.client.statement(item.statement_id)
    statement = acknowledged.statement
    if not isinstance(statement, TransferAcknowledged):
        raise Unfit(f"{item.statement_id} does not acknowledge a hand-off")
    offered = await speaker.client.statement(statement.transfer)
    if not isinstance(offered.statement, AnyOffer) or offered.statement.issuer != speaker.name:
        raise Unfit(f"what {statement.issuer} acknowledged there was not handed over by {speaker.name}")
    await speaker.client.check_speaker(acknowledged)
    check_opens(statement.model_dump(exclude_none=True), item.statement_id, [item])
    await speaker.client.keep([acknowledged])
    await speaker.keep_disclosures([item])
    return KeptOpening(
        acknowledged,
        statement.transfer,
        statement.issuer,
        is_same=item.value == await asyncio.to_thread(_content, speaker, statement.transfer),
    )


def _read(path: Path) -> Disclosure:
    with path.open("rb") as file:
        raw = file.read(MAX_FILE_BYTES + 1)
    opened = parse_disclosures(raw)
    if [item.pointer for item in opened] != [POINTER]:
        raise Unfit(f"{path} does not open what one acknowledgement is for: 'ledger transfer acknowledge' writes that")
    return opened[0]


def _content(speaker: Speaker, transfer: str) -> Json:
    opened = {item.pointer: item.value for item in speaker.locker.disclosures(transfer)}
    return opened.get(POINTER)
