"""Destroying data: asked for by who gave it, attested by who had it (docs/statements.md §9)."""

from __future__ import annotations

from collections.abc import Collection

from ledger.party.recorded import Recorded
from ledger.party.speaker import Speaker


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

    It destroys nothing itself. A false attestation is signed evidence against who made it.
    """
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
