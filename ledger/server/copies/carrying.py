"""What a restored database takes over that no entry holds: open promises, and time-stamps (docs/format.md §20.2).

The old database may be broken, which may be why it is replaced, and a mirror may be anybody's. So what either has is
taken only if it is of the very log that was restored; what is not is left out, and said.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.x509 import Certificate

from ledger.core.checkpoint import TreeHead
from ledger.core.dsse import parse_envelope
from ledger.core.encoding import Json, parse_canonical
from ledger.core.errors import FormatError
from ledger.core.note import MAX_NOTE_BYTES, NoteKey
from ledger.server.copies.errors import CopyMissing, CopyUnreadable
from ledger.server.copies.source import Files
from ledger.server.log.recovery.published import root_at
from ledger.server.log.recovery.stamping import MAX_ANSWER_BYTES, check_stamp
from ledger.server.log.state.errors import ContradictedError
from ledger.server.store.contract import IntegrityError, Pending, Store
from ledger.server.store.sqlite_derived import id_text
from ledger.server.store.stamps import StoredStamp

MAX_LEFT_OUT = 20
"""How many useless things may turn up before a mirror is asked for no more: it may promise a million."""
_SIZES = "timestamps/sizes"
_MAX_SIZES_BYTES = 1 << 24
_is_sizes = re.compile(rb"(?:[1-9][0-9]{0,15}\n)*").fullmatch
_PROMISE = {"deadline_ms", "ledger", "root", "size", "statement_id", "time", "type"}


@dataclass
class Carried:
    """How many promised statements and time-stamps were taken over, and what was left out, why: a sentence each."""

    promises: int = 0
    stamps: int = 0
    left_out: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Restoring:
    """A store that has every entry again, its tree head, its id, and every key (public) that its log ever had."""

    store: Store
    head: TreeHead
    ledger: str
    keys: Sequence[NoteKey]


async def carry_over(new: Restoring, old: Path, files: Files, roots: Sequence[Certificate]) -> Carried:
    """Take over from the database `old`, which may be missing or broken, and of a mirror's time-stamps.

    A mirror's tokens are taken where `roots` vouch for them; the old database's were vouched for when they came.
    Raises ContradictedError where this log signed what the restored tree does not have, and StoreError.
    """
    carried = Carried()
    if old.exists():  # noqa: ASYNC240 - nothing else runs in a command
        uri = f"{old.absolute().as_uri()}?mode=ro"  # noqa: ASYNC240 - as above
        try:
            with closing(sqlite3.connect(uri, uri=True)) as database:
                await _take_promises(new, _rows(database, "pending", "statement_id, raw, promise"), old, carried)
                for row in _rows(database, "timestamps", "size, note, token"):
                    await _take_stamp(new, f"{old}, size {row[0]}", row, roots, carried)
        except (sqlite3.Error, OverflowError) as error:
            carried.left_out.append(f"what else {old} has of promises and time-stamps: {error}")
    await _take_mirrored(new, files, roots, carried)
    return carried


def _rows(database: sqlite3.Connection, table: str, columns: str) -> Iterable[tuple[Any, ...]]:
    """Return the rows of a table in order; none where a database of older software has no such table."""
    if database.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (table,)).fetchone() is None:
        return ()
    return database.execute(f"SELECT {columns} FROM {table} ORDER BY rowid")  # noqa: S608 - constants


async def _take_promises(new: Restoring, rows: Iterable[tuple[Any, ...]], old: Path, carried: Carried) -> None:
    """Keep what was promised and is not recorded, in the order of the promises: its holders can prove an omission."""
    kept: dict[str, Pending] = {}
    for row in rows:
        try:
            item, promise = _read_pending(row, new.ledger)
        except (FormatError, TypeError, ValueError) as error:
            carried.left_out.append(f"a promise in {old}: {error}")
            continue
        size = promise["size"]
        if size > new.head.size or (await root_at(new.store, size)).hex() != promise["root"]:
            raise ContradictedError(f"a promise in {old}", size, new.head.size)
        if await new.store.index_of(item.statement_id) is None:
            kept.setdefault(item.statement_id, item)
    await new.store.keep_pending(list(kept.values()))
    carried.promises = len(kept)


def _read_pending(row: tuple[Any, ...], ledger: str) -> tuple[Pending, dict[str, Json]]:
    """Return a promised statement and what was promised; raise FormatError, TypeError or ValueError if it is none."""
    name, raw, payload = row
    if not all(isinstance(value, bytes) for value in row):
        raise TypeError("it is damaged")
    envelope, promise = parse_envelope(raw), parse_canonical(payload)
    if envelope.recorded != raw or envelope.id != id_text(name):
        raise ValueError("its statement is damaged")
    if not isinstance(promise, dict) or promise.keys() != _PROMISE:
        raise ValueError("its payload is damaged")
    named = promise["type"], promise["ledger"], promise["statement_id"]
    if named != ("provenance-ledger.promise/v1", ledger, envelope.id):
        raise ValueError(f"it is not this ledger's for {envelope.id}")
    if type(promise["size"]) is not int or promise["size"] < 0:
        raise ValueError("its payload is damaged")
    return Pending(envelope.id, raw, payload), promise


async def _take_mirrored(new: Restoring, files: Files, roots: Sequence[Certificate], carried: Carried) -> None:
    """Take the mirror's time-stamps of sizes that have none yet: those of the old database stay."""
    try:
        raw = await files.read(_SIZES, _MAX_SIZES_BYTES)
    except CopyMissing:
        return
    except CopyUnreadable as error:
        carried.left_out.append(f"the mirror's time-stamps: {error}")
        return
    if not _is_sizes(raw):
        carried.left_out.append(f"the mirror's time-stamps: {files.location}/{_SIZES} is not a list of sizes")
        return
    sizes = [size for size in sorted({int(line) for line in raw.split()}) if size <= new.head.size]
    sizes = [size for size in sizes if await new.store.stamp(size) is None]
    if sizes and not roots:
        told = "its authority's certificates, in --tsa-roots, are needed to tell whose they are"
        carried.left_out.append(f"{len(sizes)} time-stamps of the mirror: {told}")
        return
    for size in sizes:
        if len(carried.left_out) >= MAX_LEFT_OUT:
            carried.left_out.append(f"the mirror's time-stamps from {size} entries on: too many before were useless")
            return
        where = f"{files.location}/timestamps/{size}"
        try:
            note = await files.read(f"timestamps/{size}.checkpoint", MAX_NOTE_BYTES)
            token = await files.read(f"timestamps/{size}.tsr", MAX_ANSWER_BYTES)
        except CopyUnreadable as error:
            carried.left_out.append(f"the time-stamp {where}: {error}")
            continue
        await _take_stamp(new, where, (size, note, token), roots, carried)


async def _take_stamp(
    new: Restoring, where: str, row: tuple[Any, ...], roots: Sequence[Certificate], carried: Carried
) -> None:
    """Keep a token over a checkpoint of the restored tree; raise ContradictedError where the log signed another."""
    try:
        stamp = _read_stamp(row)
        await check_stamp(new.store, new.keys, new.head.size, where, stamp, roots)
    except ContradictedError:
        raise
    except (IntegrityError, TypeError, ValueError) as error:
        carried.left_out.append(f"the time-stamp {where}: {error}")
        return
    await new.store.keep_stamp(stamp)
    carried.stamps += 1


def _read_stamp(row: tuple[Any, ...]) -> StoredStamp:
    """Return a row as what it should be; raise TypeError."""
    size, note, token = row
    if not isinstance(size, int) or not isinstance(note, bytes) or not isinstance(token, bytes):
        raise TypeError("it is damaged")
    return StoredStamp(size, note, token)
