"""Destroying data: asked for by who gave it, attested by who had it (docs/statements.md §9)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from ledger.party.answers.recorded import Recorded
from ledger.party.errors import Unfit
from ledger.party.speaking.speaker import Speaker


async def request(
    speaker: Speaker,
    *,
    basis: str,
    erase_by_ms: int,
    license_id: str | None = None,
    transfer: str | None = None,
    authority: str | None = None,
    scope: str | None = None,
    seal: Collection[str] = (),
) -> Recorded:
    """Ask the licensee, or the recipient of one hand-off, to destroy what it holds by `erase_by_ms`."""
    return await speaker.say(
        "erasure.requested",
        seal=seal,
        license=license_id,
        transfer=transfer,
        basis=basis,
        erase_by_ms=erase_by_ms,
        authority=authority,
        scope=scope,
    )


async def attest(
    speaker: Speaker,
    *,
    basis: str,
    destroyed: Collection[str],
    license_id: str | None = None,
    transfer: str | None = None,
    statement: str | None = None,
    request_id: str | None = None,
    method: str | None = None,
    pointers: Collection[str] = (),
    seal: Collection[str] = (),
) -> Recorded:
    """Say what we destroyed: data, derivatives, keys, or the salts of sealed places (`statement` and `pointers`).

    It destroys nothing itself. A false attestation is signed evidence against who made it: raises Unfit where our own
    vault still holds what opens one of these places.
    """
    if statement is not None:
        held = await asyncio.to_thread(_still_held, speaker, statement, pointers)
        if held:
            raise Unfit(
                f"this vault still holds what opens {', '.join(held)}: 'ledger erase' destroys that, and attests it"
            )
    return await speaker.say(
        "erasure.attested",
        seal=seal,
        license=license_id,
        transfer=transfer,
        statement=statement,
        request=request_id,
        basis=basis,
        destroyed=sorted(set(destroyed)),
        method=method,
        pointers=sorted(set(pointers)) or None,
    )


def _still_held(speaker: Speaker, statement: str, pointers: Collection[str]) -> list[str]:
    """Return those of the places that the vault can open; waits for the disk."""
    places = speaker.locker.places(statement)
    return [place.pointer for place in places if place.erased_ms is None and place.pointer in pointers]
