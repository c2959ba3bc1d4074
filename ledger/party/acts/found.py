"""What was found, registered on the ledger the day it was found (docs/bundle.md §4.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ledger.core.encoding import Json
from ledger.core.errors import FormatError
from ledger.party.answers.recorded import Recorded
from ledger.party.digests import Progress, digest_file, no_progress, total_bytes
from ledger.party.errors import Unfit
from ledger.party.speaking.speaker import Speaker
from ledger.party.text import plain
from ledger.party.trace.registered import KINDS, MAX_RECORDS, Link, Registered, find, keep, link_bytes
from ledger.statements.content import Content, FileDigest
from ledger.statements.reading import read_model

MAX_RECORD_BYTES = 1 << 30
_MEDIA_TYPE = "application/json"
_MAX_NAME = 255


@dataclass(frozen=True)
class Finding:
    """How a file was found: `where` and `how` in words, who says so, who else was there, and files that show it.

    `records` are (kind, path), of the kinds of bundle.md §4.1.
    """

    where: str
    how: str
    who: str
    second: str | None = None
    records: Sequence[tuple[str, Path]] = ()


@dataclass(frozen=True)
class FileRegistered:
    """What was registered, the entry that committed to it, and where the vault keeps it."""

    registered: Registered
    recorded: Recorded
    kept: Path


async def register_found(
    speaker: Speaker, path: Path, finding: Finding, progress: Progress = no_progress
) -> FileRegistered:
    """Seal a found file's size and digest, and how it was found, on the ledger, under a listing that offers nothing.

    Neither the file nor its digest leaves this machine. Raises Unfit for what has no place in a registration, and where
    the file is registered already.
    """
    vault = speaker.vault
    link, raws = await asyncio.to_thread(_measure, path, finding, speaker.clock(), progress)
    earlier = find(vault.directory, link.file.sha256)
    if earlier is not None and vault.entry(earlier.statement) is not None:
        raise Unfit(f"this file is registered already, by {earlier.statement}: the first registration is what counts")
    raw = link_bytes(link.document())
    content = Content(files=[FileDigest(bytes=len(raw), media_type=_MEDIA_TYPE, sha256=sha256(raw).hexdigest())])

    def before(statement: str, _salt: str) -> None:
        # Kept before it is sent: what only the ledger knew, nobody could open.
        keep(vault.directory, Registered(link, statement), raws)

    frame = await speaker.frame()
    recorded = await speaker.say_sealed(
        frame, "listing.registered", content, before, seal=["/title"], title="A file that was found"
    )
    await speaker.say("listing.withdrawn", listing=recorded.statement_id)
    kept = vault.directory / "registrations" / link.file.sha256
    return FileRegistered(Registered(link, recorded.statement_id), recorded, kept)


def _measure(path: Path, finding: Finding, at_ms: int, progress: Progress) -> tuple[Link, list[bytes]]:
    """Return the first link, and the bytes of the files beside it; raise Unfit or OSError."""
    if len(finding.records) > MAX_RECORDS:
        raise Unfit(f"at most {MAX_RECORDS} files tell how another was found, not {len(finding.records)}")
    beside = [one for _, one in finding.records]
    if total_bytes(beside) > MAX_RECORD_BYTES:
        raise Unfit("the files beside it have more than 1 GiB: a copy of them is kept, so give what tells the most")
    raws = [one.read_bytes() for one in beside]
    records = [
        {"bytes": len(raw), "kind": kind, "name": _name(one), "sha256": sha256(raw).hexdigest()}
        for (kind, one), raw in zip(finding.records, raws, strict=True)
    ]
    measured = digest_file(path, _MEDIA_TYPE, progress)
    acquisition: dict[str, Json] = {"address": finding.where, "how": finding.how, "records": records}
    if finding.second is not None:
        acquisition["second"] = finding.second
    document: dict[str, Json] = {
        "acquisition": acquisition,
        "at_ms": at_ms,
        "file": {"bytes": measured.bytes, "name": _name(path), "sha256": measured.sha256},
        "type": "provenance-ledger.custody/v1",
        "who": finding.who,
    }
    try:
        return read_model(Link, document), raws
    except FormatError as error:
        raise Unfit(f"this cannot stand in a registration: {error}; kinds are {', '.join(KINDS)}") from error


def _name(path: Path) -> str:
    return plain(path.name.replace("\n", "?"))[:_MAX_NAME]
