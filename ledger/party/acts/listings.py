"""Datasets on offer (docs/statements.md §3)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from ledger.core.encoding import Json, parse_json
from ledger.core.errors import FormatError
from ledger.party.answers.recorded import Recorded
from ledger.party.digests import Progress, describe, measure, no_progress
from ledger.party.errors import Unfit
from ledger.party.speaking.speaker import Speaker
from ledger.statements.listing import DESCRIPTION

_MAX_FORM_BYTES = 65_536


async def register(
    speaker: Speaker,
    files: Sequence[Path],
    *,
    title: str,
    seal: Collection[str] = (),
    progress: Progress = no_progress,
    **about: Json,
) -> Recorded:
    """Offer a dataset, sealing its files as they are now; `about` are further fields of docs/statements.md §3."""
    content = await asyncio.to_thread(measure, files, describe(files), progress)
    frame = await speaker.frame()
    return await speaker.say_sealed(frame, "listing.registered", content, seal=seal, title=title, **about)


async def amend(
    speaker: Speaker,
    listing: str,
    files: Sequence[Path] = (),
    *,
    seal: Collection[str] = (),
    progress: Progress = no_progress,
    **about: Json,
) -> Recorded:
    """Say something else of a listing; each field replaces the one before. `files` are sealed anew where given."""
    if not files:
        return await speaker.say("listing.amended", seal=seal, listing=listing, **about)
    content = await asyncio.to_thread(measure, files, describe(files), progress)
    frame = await speaker.frame()
    return await speaker.say_sealed(frame, "listing.amended", content, seal=seal, listing=listing, **about)


async def withdraw(
    speaker: Speaker, listing: str, reason: str | None = None, *, seal: Collection[str] = ()
) -> Recorded:
    """Offer a listing no longer."""
    return await speaker.say("listing.withdrawn", seal=seal, listing=listing, reason=reason)


async def classify(
    speaker: Speaker,
    listing: str,
    classification: Mapping[str, Json],
    reason: str | None = None,
    *,
    seal: Collection[str] = (),
) -> Recorded:
    """Class a listing's data anew: `classification` has level, authority and as_of_ms."""
    return await speaker.say(
        "classification.changed", seal=seal, listing=listing, classification=dict(classification), reason=reason
    )


def read_form(path: Path) -> dict[str, Json]:
    """Read what is to be said of a listing from a file: a JSON object of fields of docs/statements.md §3.

    Raises Unfit for what is no such object; what its fields hold is checked when the statement is made.
    """
    with path.open("rb") as file:
        raw = file.read(_MAX_FORM_BYTES + 1)
    if len(raw) > _MAX_FORM_BYTES:
        raise Unfit(f"{path}: a listing is described in at most {_MAX_FORM_BYTES} bytes")
    try:
        form = parse_json(raw)
    except FormatError as error:
        raise Unfit(f"{path} is not JSON: {error}") from error
    known = DESCRIPTION - {"content"}
    if not isinstance(form, dict) or not form.keys() <= known:
        surplus = sorted(form.keys() - known) if isinstance(form, dict) else []
        what = f"has no field {', '.join(surplus)}" if surplus else "is an object"
        hint = "DCAT and Croissant are read by 'ledger provenance import-listing'"
        raise Unfit(f"{path}: the plain form of a listing {what}; its fields are {', '.join(sorted(known))}. {hint}")
    return form
