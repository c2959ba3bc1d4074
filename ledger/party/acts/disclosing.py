"""Showing what we sealed to whom we choose, and destroying what would open it (docs/format.md §8.6, §8.7)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.core.dsse import Envelope
from ledger.core.encoding import Json, parse_json
from ledger.core.entry import parse_entry
from ledger.core.errors import FormatError
from ledger.party.answers.recorded import Recorded
from ledger.party.errors import AlreadyThere, NeedsRules, Problem, UnderHold, Unfit, Unreachable, VaultDamaged
from ledger.party.files import create_file
from ledger.party.speaking.speaker import Speaker
from ledger.party.vault.disclosures import Disclosure, format_disclosures
from ledger.party.vault.locker import Handed, Kept
from ledger.party.vault.sealing import check_opens
from ledger.statements.content import POINTER

_NOT_FOUND = 404


@dataclass(frozen=True)
class SealedPlace:
    """One place that we sealed: `value` is what stands there, unless it was erased; `handed`: to whom it was shown."""

    kept: Kept
    value: Json
    handed: tuple[Handed, ...]


async def sealed_statements(speaker: Speaker) -> dict[str, list[Kept]]:
    """Return every statement in which we sealed something, with its places; nothing is opened."""

    def read() -> list[Kept]:
        return speaker.locker.places()  # opening the locker waits for the disk, too

    found: dict[str, list[Kept]] = {}
    for place in await asyncio.to_thread(read):
        found.setdefault(place.statement_id, []).append(place)
    return found


async def places(speaker: Speaker, statement_id: str) -> list[SealedPlace]:
    """Return the places of one statement, opened; raise Unfit where we sealed nothing in it."""

    def read() -> list[SealedPlace]:
        locker = speaker.locker
        values = {item.pointer: item.value for item in locker.disclosures(statement_id)}
        handed = locker.handed(statement_id)
        return [
            SealedPlace(kept, values.get(kept.pointer), tuple(item for item in handed if item.pointer == kept.pointer))
            for kept in locker.places(statement_id)
        ]

    found = await asyncio.to_thread(read)
    if not found:
        raise Unfit(
            f"this vault holds nothing that opens a place of {statement_id}: 'ledger disclose' lists what it holds"
        )
    return found


async def hand_out(
    speaker: Speaker, statement_id: str, pointers: Collection[str], *, whom: str, path: Path
) -> list[Disclosure]:
    """Write a file that opens these places (all of the statement's, if none are named) for somebody; remember it.

    Each is first checked against the entry: what does not open its place is not handed out. Raises AlreadyThere,
    before anything is done, where the file exists; Unfit for a place that we did not seal or that was erased.
    """
    if await asyncio.to_thread(path.exists):
        raise AlreadyThere(path)
    known = {place.kept.pointer: place for place in await places(speaker, statement_id)}
    wanted = list(dict.fromkeys(pointers)) or [name for name, place in known.items() if place.kept.erased_ms is None]
    for pointer in wanted:
        if pointer not in known:
            raise Unfit(f"nothing of ours is sealed at {pointer}: there is {', '.join(known)}")
        if known[pointer].kept.erased_ms is not None:
            raise Unfit(f"{pointer} was erased: nobody can open it any more")
    if not wanted:
        raise Unfit("everything that was sealed in it was erased")
    held = {item.pointer: item for item in await asyncio.to_thread(lambda: speaker.locker.disclosures(statement_id))}
    chosen = [held[pointer] for pointer in wanted]
    raw = format_disclosures(chosen, whom)
    statement = await _statement(speaker, statement_id)
    try:
        check_opens(statement, statement_id, chosen)
    except Unfit as error:
        raise VaultDamaged(speaker.vault.directory / "disclosures.db", str(error)) from error

    def write() -> None:
        # Remembered first: that something was shown must not be forgotten because the machine stopped in between.
        speaker.locker.remember_handed(chosen, whom, speaker.clock())
        create_file(path, raw)

    await asyncio.to_thread(write)
    return chosen


async def erase(
    speaker: Speaker,
    statement_id: str,
    pointers: Sequence[str],
    *,
    basis: str,
    method: str | None = None,
    attest: bool = True,
) -> Recorded | None:
    """Destroy what opens these places, here and for good, and say so on the ledger where we are the issuer.

    Returns the attestation's entry, and None without one. What was destroyed before can be attested again, if the
    attestation was not recorded then. Before anything is destroyed, raises NeedsRules where it could not be attested,
    and UnderHold where a claim orders that it be kept. Without an attestation the ledger need not be there to ask.
    """
    try:
        claims = await _holding(speaker, statement_id)
    except Unreachable:
        if attest:
            raise
        claims = []
    if claims:
        raise UnderHold(statement_id, claims)
    ours = attest and await issuer(speaker, statement_id) == speaker.name
    if ours and await speaker.client.rules() == 1:
        raise NeedsRules("erasure.attested", "", 1, 2)

    def destroy() -> None:
        speaker.locker.erase(statement_id, pointers, speaker.clock())
        if POINTER in pointers:
            speaker.vault.drop_manifest(statement_id)

    await asyncio.to_thread(destroy)
    if not ours:
        return None
    return await speaker.say(
        "erasure.attested",
        statement=statement_id,
        basis=basis,
        destroyed=["salts"],
        method=method,
        pointers=sorted(set(pointers)),
    )


async def _holding(speaker: Speaker, statement_id: str) -> list[str]:
    """Return the claims whose legal hold is on the license or hand-off that a statement makes or is about."""
    statement, client = await _statement(speaker, statement_id), speaker.client
    kind = statement.get("type")
    transfer = statement_id if kind == "transfer.offered" else statement.get("transfer")
    if transfer is None:
        agreed = statement_id if kind == "license.agreed" else statement.get("license")
        return [] if agreed is None else (await client.license(agreed)).holds
    offered = await client.transfer(transfer)
    under = [] if offered.license is None else (await client.license(offered.license)).holds
    # Claims on other hand-offs under the same license hold that license, and not this hand-off.
    claims = [await client.claim(name) for name in under]
    return sorted({*offered.holds, *(claim.id for claim in claims if claim.license == offered.license)})


async def issuer(speaker: Speaker, statement_id: str) -> str:
    """Return who issued a statement."""
    return str((await _statement(speaker, statement_id)).get("issuer"))


async def _statement(speaker: Speaker, statement_id: str) -> dict[str, Json]:
    """Return a statement from our own copy of its entry, so that no network is needed; else from the ledger."""
    kept = speaker.vault.entry(statement_id)
    try:
        raw = parse_entry(kept[0]).envelope if kept is not None else await _fetched(speaker, statement_id)
        statement = parse_json(raw.payload)
    except FormatError as error:
        raise VaultDamaged(speaker.vault.directory / "entries", f"{statement_id}: {error}") from error
    if raw.id != statement_id:
        raise VaultDamaged(speaker.vault.directory / "entries", f"{statement_id} holds another statement")
    return dict(statement)


async def _fetched(speaker: Speaker, statement_id: str) -> Envelope:
    try:
        return (await speaker.client.statement(statement_id)).entry.envelope
    except Problem as problem:
        if problem.status != _NOT_FOUND:
            raise
        raise Unfit(f"{statement_id} is not on the ledger: there is nothing to disclose") from problem
