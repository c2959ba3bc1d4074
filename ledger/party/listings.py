"""Datasets on offer (docs/format.md §6.6, §6.7)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ledger.party.digests import Progress, describe, measure, no_progress
from ledger.party.recorded import Recorded
from ledger.party.speaker import Speaker


async def register(
    speaker: Speaker,
    files: Sequence[Path],
    *,
    title: str,
    description: str | None = None,
    progress: Progress = no_progress,
) -> Recorded:
    """Offer a dataset, sealing its files as they are now."""
    content = await measure(files, describe(files), progress)
    frame = await speaker.frame()
    return await speaker.say_sealed(frame, "listing.registered", content, title=title, description=description)


async def withdraw(speaker: Speaker, listing: str, reason: str | None = None) -> Recorded:
    """Offer a listing no longer."""
    return await speaker.say("listing.withdrawn", listing=listing, reason=reason)
