"""A found file traced, from its digest to the document: every step in order (docs/trace.md §1)."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from ledger.core.encoding import Json, canonical
from ledger.party.dataset.committing.chunks import chunks
from ledger.party.dataset.reading.errors import TableUnreadable
from ledger.party.dataset.reading.source import HashedFile
from ledger.party.extras import MissingExtra
from ledger.party.trace import comparing, report
from ledger.party.trace.comparing import Compared, Progress
from ledger.party.trace.errors import FoundChanged, NothingToCompare
from ledger.party.trace.found import FoundTable, read_found
from ledger.party.trace.handoffs import hand_offs
from ledger.party.trace.near import Lead, NearRows
from ledger.party.trace.registered import find, first_handled_ms, hang
from ledger.party.trace.tally import examined_count, keep_listings
from ledger.party.trace.work import Work
from ledger.party.trace.wrapping import FoundFile, formats, hash_found, is_packed, unpack
from ledger.party.vault.locker import Locker
from ledger.party.vault.vault import Vault

_TOOLS = ("provenance-ledger", "pyarrow", "numpy", "datasketch")
_MAX_NAME = 255
_MAX_WORDS = 2000
_TELLING = 10


@dataclass(frozen=True)
class Examination:
    """Who traces, when (Unix milliseconds), by which command, and where the file was obtained, in words."""

    who: str
    at_ms: int
    command: str
    obtained: str | None = None


@dataclass(frozen=True)
class Traced:
    """The outcome: the document, its bytes (canonical JSON and LF), and where the vault keeps them."""

    document: dict[str, Json]
    raw: bytes
    kept: Path


def trace(path: Path, vault: Vault, locker: Locker | None, examination: Examination, progress: Progress) -> Traced:
    """Compare a found file with everything handed off from this vault; without a `locker`, without marks.

    Offline. An interruption (KeyboardInterrupt) leaves what was done in the vault, and the next call goes on from it.
    Raises FoundEmpty, FoundTooLarge, FoundChanged, NothingToCompare, TraceRunning, VaultError or OSError.
    """
    found_hand_offs, notes = hand_offs(vault, locker)
    compared = [Compared(item) for item in found_hand_offs]
    _check_some(vault.directory, compared)
    if locker is None:
        notes.append("the vault's seals were not opened: neither marks nor sealed content could be checked")
    progress.start("Reading the found file", path.stat().st_size)
    found = hash_found(path, _name(path), progress.advance)
    with Work(vault.directory, found.sha256) as work:
        inner = _unpacked(found, work, progress)
        custody = work.add_custody(_custody(found, inner, examination))
        comparing.compare_digests({found.sha256, inner.sha256}, compared)
        story = _story(vault, found, inner, custody)
        examined_ms = first_handled_ms(story["custody"], story.get("registration", {}).get("link")) or 0
        document = _compared(inner, compared, work, notes, progress, examined_ms=examined_ms) | story
        raw = canonical(document) + b"\n"
        kept = work.keep_trace(raw)
        work.finish()
    return Traced(document, raw, kept)


def _story(vault: Vault, found: FoundFile, inner: FoundFile, custody: list[Json]) -> dict[str, Json]:
    """Return the custody, hung on the file's registration if the ledger has one (docs/bundle.md §4.1)."""
    registered = find(vault.directory, found.sha256, inner.sha256)
    if registered is None or vault.entry(registered.statement) is None:
        return {"custody": custody}
    return {"custody": hang(custody, registered.link, inner.sha256), "registration": registered.document()}


def _compared(
    found: FoundFile, compared: list[Compared], work: Work, notes: list[str], progress: Progress, *, examined_ms: int
) -> dict[str, Json]:
    table = _table(found, work, compared, notes, progress)
    digests = _chunks(found, compared, progress)
    if table is not None and table.count:
        comparing.compare_rows(table, compared, work, progress)
    comparing.compare_chunks(digests or [], compared)
    _check_some(work.vault, compared)
    leads = _leads(table, compared, notes, progress)
    chunk_count = None if digests is None else len(digests)
    facts = _facts(found, table, digests)
    listings = {item.hand_off.offer.listing for item in compared if item.is_compared}
    keep_listings(work.directory, listings)
    examined = {listing: examined_count(work.vault, listing) for listing in listings}
    return report.build(report.Inputs(facts, table, chunk_count, compared, leads, examined_ms, examined, notes))


def _check_some(vault: Path, compared: Sequence[Compared]) -> None:
    if not any(item.is_compared for item in compared):
        reasons = [f"{item.hand_off.transfer}: {problem}" for item in compared for problem in item.hand_off.problems]
        raise NothingToCompare(vault, reasons)


def _unpacked(found: FoundFile, work: Work, progress: Progress) -> FoundFile:
    """Return what a gzip file holds, or the file itself where it is none."""
    if not is_packed(found.path):
        return found
    inside = work.unpacked(found.name.removesuffix(".gz") or "unpacked")
    progress.start("Unpacking the found file", found.bytes)
    if not unpack(found.path, inside):
        return found
    return hash_found(inside, inside.name)


def _table(
    found: FoundFile, work: Work, compared: Sequence[Compared], notes: list[str], progress: Progress
) -> FoundTable | None:
    """Read the found file as a table, or note why it is none; it need be none if nothing handed off is one."""
    if not comparing.has_tables(compared):
        return None
    first: TableUnreadable | None = None
    for how in formats(found.path):
        progress.start("Reading the found file's rows", found.bytes)
        try:
            return read_found(found.path, how, found.sha256, work.table, progress.advance)
        except TableUnreadable as error:
            first = first or error
    if first is not None:
        notes.append(
            f"the found file cannot be read as a table, so no rows were compared: {first.place}: {first.detail}. "
            "If it is one that was cut or damaged, keep it as it is, trace a copy without the bad lines, "
            "and say so in --obtained"
        )
    return None


def _chunks(found: FoundFile, compared: Sequence[Compared], progress: Progress) -> list[bytes] | None:
    if not comparing.has_chunks(compared):
        return None
    progress.start("Cutting the found file into chunks", found.bytes)
    with HashedFile(found.path, progress.advance) as file:
        digests = [sha256(chunk).digest() for some in chunks(file) for chunk in some]
    if file.sha256 != found.sha256:
        raise FoundChanged(found.path, found.sha256, file.sha256)
    return digests


def _leads(
    table: FoundTable | None, compared: Sequence[Compared], notes: list[str], progress: Progress
) -> dict[str, Lead]:
    """Look for rows that are only alike, where most of the found rows are not rows of any copy."""
    if table is None or not table.count:
        return {}
    matched = np.zeros(table.count, bool)
    for rows in (rows for item in compared for rows in item.rows):
        # What rows mixed at random match nearly as well, is no match that would spare us the look.
        if _TELLING * rows.hits.random <= len(rows.hits.records):
            rows.lookup.mark_rows(rows.hits.places, matched)
    unmatched = np.flatnonzero(~matched)
    if 2 * len(unmatched) <= table.count:
        return {}
    try:
        near = NearRows(table, unmatched)
    except MissingExtra as error:
        notes.append(f"rows that are only alike were not looked for: {error}")
        return {}
    leads: dict[str, Lead] = {}
    tables = [(item, file) for item in compared for file in item.hand_off.files if file.how is not None]
    progress.start("Looking for rows that are only alike", len(tables))
    for item, file in tables:
        lead = near.look(file)
        known = leads.get(item.hand_off.transfer)
        if known is None or known.alike < lead.alike:
            leads[item.hand_off.transfer] = lead
        progress.advance(1)
    return leads


def _facts(found: FoundFile, table: FoundTable | None, digests: Sequence[bytes] | None) -> dict[str, Json]:
    facts: dict[str, Json] = {"bytes": found.bytes, "name": found.name, "sha256": found.sha256}
    if table is None:
        return facts | {"count": len(digests or []), "format": "chunks"}
    how = table.how
    facts |= {"columns": list(table.columns), "count": table.count, "format": how.format}
    return facts | {name: value for name, value in (("delimiter", how.delimiter), ("encoding", how.encoding)) if value}


def _custody(found: FoundFile, inner: FoundFile, examination: Examination) -> Json:
    lines = [f"Examined {found.name}, {found.bytes} bytes, SHA-256 {found.sha256}, by: {examination.command}"]
    if inner is not found:
        lines.append(f"Unpacked from it (gzip): {inner.name}, {inner.bytes} bytes, SHA-256 {inner.sha256}")
    if examination.obtained:
        lines.insert(0, f"Obtained, as the examiner says: {examination.obtained}")
    what = "\n".join(lines)
    return {
        "at_ms": examination.at_ms,
        "tools": [*(f"{name} {_version(name)}" for name in _TOOLS), f"Python {platform.python_version()}"],
        "what": what[:_MAX_WORDS],
        "who": examination.who,
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"


def _name(path: Path) -> str:
    """Return the file's name as it may stand in a document: names come from strangers too."""
    return "".join(character if character.isprintable() else "?" for character in path.name)[:_MAX_NAME]
