"""Reading a copy, every entry verified: links, places, and in the end the signed root.

Only entry bundles are read; hash tiles follow from them. That the entries were right to be recorded is a verifier's to
tell: here it is enough that this log signed them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

from ledger.core.checkpoint import Checkpoint, TreeHead, parse_checkpoint
from ledger.core.entry import Entry, parse_entry
from ledger.core.errors import FormatError, NoteError, QuorumError
from ledger.core.note import MAX_NOTE_BYTES, parse_note
from ledger.core.policy import Policy
from ledger.core.tiles import MAX_ENTRY_BYTES, TILE_WIDTH, Tile, format_tile_path
from ledger.server.copies.errors import CopyFalse, CopyUnreadable
from ledger.server.copies.source import Files
from ledger.server.log.state.frontier import Frontier

_LENGTH_BYTES = 2
_MAX_BUNDLE_BYTES = TILE_WIDTH * (_LENGTH_BYTES + MAX_ENTRY_BYTES)


class Part(NamedTuple):
    """The entries of one bundle, and the hash tiles that they bring, as far as they go."""

    entries: list[Entry]
    tiles: dict[tuple[int, int], bytes]


async def read_checkpoint(files: Files) -> tuple[bytes, str]:
    """Return the copy's checkpoint, and the origin that it names: nothing is verified; raise CopyError."""
    note = await files.read("checkpoint", MAX_NOTE_BYTES)
    try:
        return note, parse_checkpoint(parse_note(note).text).origin
    except NoteError as error:
        raise CopyFalse(f"{files.location}/checkpoint", str(error)) from error


def open_checkpoint(files: Files, note: bytes, policy: Policy) -> Checkpoint:
    """Return a copy's checkpoint as the policy trusts it, of a log with entries; raise CopyFalse or QuorumError."""
    where = f"{files.location}/checkpoint"
    try:
        checkpoint = policy.open_checkpoint(note)
    except QuorumError:
        raise
    except NoteError as error:
        raise CopyFalse(where, str(error)) from error
    if not checkpoint.head.size:
        raise CopyFalse(where, "it is of a log without entries")
    return checkpoint


async def read_parts(files: Files, head: TreeHead) -> AsyncIterator[Part]:
    """Yield all entries below `head`, a bundle at a time; raise CopyError.

    The root is compared after the last: until then, nothing that was yielded is verified.
    """
    frontier = Frontier()
    while frontier.size < head.size:
        before, frontier = frontier.size, frontier.copy()
        raws = await _read_bundle(files, before // TILE_WIDTH, min(TILE_WIDTH, head.size - before))
        entries = [_chained(files, raw, frontier) for raw in raws]
        yield Part(entries, frontier.tiles_since(before))
    if frontier.head != head:
        signed, found = head.root.hex(), frontier.head.root.hex()
        raise CopyFalse(files.location, f"its entries have the root {found}, and its checkpoint signs {signed}")


def _chained(files: Files, raw: bytes, frontier: Frontier) -> Entry:
    """Return an entry that stands in its place behind `frontier`, and grow that by it."""
    index = frontier.size
    try:
        entry = parse_entry(raw)
    except FormatError as error:
        raise CopyFalse(files.location, f"entry {index} does not parse: {error}") from error
    if (entry.index, entry.previous) != (index, frontier.previous) or entry.time_ms < frontier.time_ms:
        raise CopyFalse(files.location, f"entry {index} does not follow the one before")
    frontier.grow(entry.leaf)
    frontier.previous, frontier.time_ms = entry.leaf.hex(), entry.time_ms
    return entry


async def _read_bundle(files: Files, position: int, width: int) -> list[bytes]:
    """Return the first `width` entries of a bundle; a partial one may have made way for the full one."""
    path = f"tile/{format_tile_path(Tile(None, position, width))}"
    count = width
    try:
        raw = await files.read(path, _MAX_BUNDLE_BYTES)
    except CopyUnreadable:
        if width == TILE_WIDTH:
            raise
        path, count = f"tile/{format_tile_path(Tile(None, position, TILE_WIDTH))}", TILE_WIDTH
        raw = await files.read(path, _MAX_BUNDLE_BYTES)
    entries, at = [], 0
    for _ in range(count):
        end = at + _LENGTH_BYTES + int.from_bytes(raw[at : at + _LENGTH_BYTES], "big")
        entries.append(raw[at + _LENGTH_BYTES : end])
        at = end
    if at != len(raw):
        raise CopyFalse(f"{files.location}/{path}", f"it does not hold exactly {count} entries")
    return entries[:width]
