"""Data that goes on from the one who received it: handed on, or demanded by an authority (docs/statements.md §5)."""

from __future__ import annotations

from collections.abc import Collection

from ledger.party.answers.recorded import Recorded
from ledger.party.speaking.speaker import Speaker


async def forward(
    speaker: Speaker,
    transfer: str,
    *,
    recipient: str | None = None,
    outsider: str | None = None,
    license_id: str | None = None,
    disclosure: str | None = None,
    purpose: str | None = None,
    spatial: str | None = None,
    seal: Collection[str] = (),
) -> Recorded:
    """Declare that what `transfer` brought was handed on, to a party (`recipient`) or to somebody else (`outsider`)."""
    return await speaker.say(
        "transfer.forwarded",
        seal=seal,
        transfer=transfer,
        recipient=recipient,
        outsider=outsider,
        license=license_id,
        disclosure=disclosure,
        purpose=purpose,
        spatial=spatial,
    )


async def compelled(
    speaker: Speaker,
    *,
    authority: str,
    instrument: str,
    transfer: str | None = None,
    listing: str | None = None,
    scope: str | None = None,
    demanded_ms: int | None = None,
    seal: Collection[str] = (),
) -> Recorded:
    """Say that an authority demanded the data of a hand-off, or of a listing of our own."""
    return await speaker.say(
        "disclosure.compelled",
        seal=seal,
        transfer=transfer,
        listing=listing,
        authority=authority,
        instrument=instrument,
        scope=scope,
        demanded_ms=demanded_ms,
    )
