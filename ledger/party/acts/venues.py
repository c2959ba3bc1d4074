"""Exchanges on which data are listed: whether they operate, announced or observed (docs/statements.md §7)."""

from __future__ import annotations

from collections.abc import Collection

from ledger.party.answers.recorded import Recorded
from ledger.party.speaking.speaker import Speaker


async def announce(speaker: Speaker, status: str, note: str | None = None, *, seal: Collection[str] = ()) -> Recorded:
    """Say of ourselves whether we operate. What is agreed or offered after `closed` is a finding against who does."""
    return await speaker.say("venue.status", seal=seal, venue=speaker.name, status=status, note=note)


async def observe(
    speaker: Speaker, venue: str, status: str, note: str | None = None, *, seal: Collection[str] = ()
) -> Recorded:
    """Say what we saw of another party's venue. It is evidence, and changes nothing on its own."""
    return await speaker.say("venue.status", seal=seal, venue=venue, status=status, note=note)
