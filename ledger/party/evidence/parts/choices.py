"""What a bundle discloses: the evidence itself, and what its maker chose; nothing else (docs/bundle.md §2)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ledger.party.chain.told import Told
from ledger.party.errors import Unfit, VaultDamaged
from ledger.party.evidence.parts.errors import EvidenceError, Missing, NotOfThisCase
from ledger.party.evidence.parts.traced import Trace
from ledger.party.speaking.speaker import Speaker
from ledger.party.vault.disclosures import Disclosure
from ledger.party.vault.sealing import check_opens, open_fields
from ledger.statements.content import POINTER as CONTENT

MARKS, POOL = "/marks/seal", "/seal"
EVIDENCE = "/evidence"


class Choice(NamedTuple):
    """One sealed place that the claimant chose to open."""

    statement_id: str
    pointer: str


def read_choice(text: str) -> Choice:
    """Read `ID:POINTER`, as in `sha256:…:/purpose`; raise EvidenceError."""
    statement_id, colon, pointer = text.partition(":/")
    if not colon or not statement_id.startswith("sha256:"):
        raise EvidenceError(f"{text!a} is not a place", "write it as sha256:…:/purpose: an id, a colon, a pointer")
    return Choice(statement_id, f"/{pointer}")


async def disclose(
    speaker: Speaker, told: Mapping[str, Told], transfer: str, seals: Sequence[str], chosen: Sequence[Choice]
) -> list[Disclosure]:
    """Return what opens the content of `transfer`, the marks of `seals` and what was chosen, each place once.

    `told` are the entries of the bundle by id. Each is checked against its entry. Raises Missing for what this vault
    cannot open, VaultDamaged for what does not open its place.
    """
    wanted = [Choice(transfer, CONTENT), *(_seal_of(told, name) for name in seals), *chosen]
    found = []
    for choice in dict.fromkeys(wanted):
        if choice.statement_id not in told:
            raise Missing(
                f"{choice.statement_id} is not among the entries of this bundle",
                "only places of entries that the bundle holds can be opened in it: see 'ledger disclose'",
            )
        found.append(await _one(speaker, told[choice.statement_id], choice))
    return sorted(found, key=lambda item: (told[item.statement_id].index, item.pointer))


def claimed_evidence(claim: Told | None, trace: Trace, disclosures: Sequence[Disclosure]) -> bool:
    """Tell whether the claim commits to this trace; raise NotOfThisCase where it commits to another file."""
    if claim is None or "evidence" not in claim.fields:
        return False
    here = [item for item in disclosures if item.statement_id == claim.id]
    document = open_fields(dict(claim.fields), here)["evidence"]
    if not isinstance(document, dict) or not trace.is_document(document):
        raise NotOfThisCase(
            "the claim's evidence is another file than this trace: its size or digest differs",
            "give the trace.json that was given to 'ledger claim open --evidence', unchanged; or open another claim",
        )
    return True


def held_answers(speaker: Speaker, told: Mapping[str, Told], transfer: str) -> list[Choice]:
    """Return the content that the recipient signed for, where it handed back what opens it; reads the disk."""
    return [
        Choice(one.id, CONTENT)
        for one in told.values()
        if one.type == "transfer.acknowledged" and one.name("transfer") == transfer
        if any(item.pointer == CONTENT for item in speaker.locker.disclosures(one.id))
    ]


def _seal_of(told: Mapping[str, Told], transfer: str) -> Choice:
    """Return where the marks of a hand-off are sealed: in its offer, or in the preparation that it names."""
    marks = told[transfer].fields.get("marks") if transfer in told else None
    prepared = marks.get("prepared") if isinstance(marks, dict) else None
    return Choice(transfer, MARKS) if prepared is None else Choice(str(prepared), POOL)


async def _one(speaker: Speaker, told: Told, choice: Choice) -> Disclosure:
    held = await asyncio.to_thread(lambda: speaker.locker.disclosures(choice.statement_id))
    for item in held:
        if item.pointer == choice.pointer:
            try:
                check_opens(dict(told.fields), told.id, [item])
            except Unfit as error:
                raise VaultDamaged(speaker.vault.directory / "disclosures.db", str(error)) from error
            return item
    raise Missing(
        f"this vault holds nothing that opens {choice.pointer} of {choice.statement_id}",
        "use the home that sealed it; 'ledger disclose' lists what a home can open",
    )
