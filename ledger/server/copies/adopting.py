"""Taking over a mirror of a log that ended, for a successor to serve it and to commit to it (docs/format.md §20.4)."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ledger.core.checkpoint import TreeHead
from ledger.core.encoding import parse_json
from ledger.core.errors import FormatError
from ledger.core.hashing import HASH_BYTES
from ledger.core.policy import Policy
from ledger.core.tiles import TILE_WIDTH, Tile, format_bundle, format_tile_path
from ledger.server.copies.errors import CopyFalse
from ledger.server.copies.reading import Part, open_checkpoint, read_checkpoint, read_parts
from ledger.server.copies.source import Files

PREDECESSOR = "predecessor"
"""The directory, below the successor's, that holds the old log's mirror."""
Progress = Callable[[int, int], None]
"""Told the entries done, and the entries in all."""


class Adopted(NamedTuple):
    """The old ledger: its id, its log's origin, and its last checkpoint's tree head."""

    ledger: str
    origin: str
    head: TreeHead


async def adopt(files: Files, directory: Path, policy: Policy, progress: Progress) -> Adopted:
    """Copy a mirror, every entry verified, into the new `directory`; its checkpoint must satisfy `policy`.

    Nothing stands there before all of it was verified. Raises CopyError, QuorumError, FileExistsError, OSError.
    """
    if directory.exists():  # noqa: ASYNC240 - nothing else runs in a command
        raise FileExistsError(None, "exists already: a predecessor is adopted once", str(directory))
    note, _ = await read_checkpoint(files)
    checkpoint = open_checkpoint(files, note, policy)
    temporary = directory.with_name(f".{directory.name}.{secrets.token_hex(8)}")
    try:
        ledger, done = "", 0
        edge: dict[tuple[int, int], bytes] = {}
        async for part in read_parts(files, checkpoint.head):
            ledger = ledger or _created(files, part)
            edge.update(part.tiles)
            await asyncio.to_thread(_write_part, temporary, part, edge)
            done += len(part.entries)
            progress(done, checkpoint.head.size)
        for address in list(edge):
            _write_tile(temporary, address, edge)
        _write(temporary / "checkpoint", note)
        temporary.replace(directory)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return Adopted(ledger, checkpoint.origin, checkpoint.head)


def _created(files: Files, part: Part) -> str:
    """Return the id of the ledger that the first entry makes."""
    envelope = part.entries[0].envelope
    try:
        document = parse_json(envelope.payload)
    except FormatError as error:
        raise CopyFalse(files.location, f"entry 0 cannot be read: {error}") from error
    if not isinstance(document, dict) or document.get("type") != "ledger.created":
        raise CopyFalse(files.location, "entry 0 makes no ledger")
    return envelope.id


def _write_part(directory: Path, part: Part, edge: dict[tuple[int, int], bytes]) -> None:
    """Write a bundle, and every tile that is full; those that are not yet stay in `edge`."""
    bundle = Tile(None, part.entries[0].index // TILE_WIDTH, len(part.entries))
    _write(directory / "tile" / format_tile_path(bundle), format_bundle(entry.raw for entry in part.entries))
    for address in [address for address, hashes in edge.items() if len(hashes) == TILE_WIDTH * HASH_BYTES]:
        _write_tile(directory, address, edge)


def _write_tile(directory: Path, address: tuple[int, int], edge: dict[tuple[int, int], bytes]) -> None:
    hashes = edge.pop(address)
    _write(directory / "tile" / format_tile_path(Tile(*address, len(hashes) // HASH_BYTES)), hashes)


def _write(path: Path, raw: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
