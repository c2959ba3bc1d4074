"""Tiles, entry bundles and their paths (docs/format.md §11.1; C2SP tlog-tiles)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from ledger.core.errors import FormatError
from ledger.core.hashing import HASH_BYTES, node_hash
from ledger.core.merkle import Node

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
MAX_ENTRY_BYTES = 65_535
MAX_TILE_LEVEL = 63

_PATH = re.compile(r"(0|[1-9][0-9]?|entries)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)


class Tile(NamedTuple):
    """A tile's address: `level` 0 … 63 (None for an entry bundle), `position`, and `width` 1 … 256 (256: full)."""

    level: int | None
    position: int
    width: int


def parse_tile_path(path: str) -> Tile:
    """Parse what follows `tile/`; raise FormatError unless it is the one spelling of a tile's address."""
    match = _PATH.fullmatch(path)
    if match is None:
        raise FormatError("wrong-value", detail="not a tile path")
    level = None if match[1] == "entries" else int(match[1])
    position = int(match[2].replace("/", "").replace("x", ""))
    width = TILE_WIDTH if match[3] is None else int(match[3])
    tile = Tile(level, position, width)
    partial = match[3] is not None
    if (level or 0) > MAX_TILE_LEVEL or (partial and width >= TILE_WIDTH) or format_tile_path(tile) != path:
        raise FormatError("wrong-value", detail="not a tile path")
    return tile


def format_tile_path(tile: Tile) -> str:
    """Return the path of `tile`, without the leading `tile/`."""
    groups = [f"{tile.position % 1000:03d}"]
    rest = tile.position // 1000
    while rest:
        groups.insert(0, f"x{rest % 1000:03d}")
        rest //= 1000
    level = "entries" if tile.level is None else str(tile.level)
    partial = "" if tile.width == TILE_WIDTH else f".p/{tile.width}"
    return f"{level}/{'/'.join(groups)}{partial}"


def format_bundle(entries: Iterable[bytes]) -> bytes:
    """Return the concatenation of `u16 big-endian length ‖ entry`; each entry has at most 65,535 bytes."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def tile_of(node: Node) -> tuple[int, int]:
    """Return (level, position) of the tile that a stored node lies in or is computed from."""
    height = node.level % TILE_HEIGHT
    return node.level // TILE_HEIGHT, (node.position << height) // TILE_WIDTH


def node_in_tile(node: Node, tile: bytes) -> bytes:
    """Compute `node` from its tile's hashes (see `tile_of`), at most 127 hashes of work; IndexError if too short."""
    height = node.level % TILE_HEIGHT
    first = ((node.position << height) % TILE_WIDTH) * HASH_BYTES
    hashes = tile[first : first + (HASH_BYTES << height)]
    if len(hashes) != HASH_BYTES << height:
        raise IndexError(node)
    row = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]
