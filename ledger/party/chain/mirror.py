"""A mirror's directory (docs/format.md §11.1) as what it tells: all of it, if it is what its checkpoint signs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ledger.core.entry import parse_entry
from ledger.core.errors import LedgerError
from ledger.core.hashing import leaf_hash
from ledger.core.merkle import Node, grow, range_hash
from ledger.core.policy import Policy
from ledger.core.tiles import TILE_WIDTH, Tile, format_tile_path
from ledger.party.chain.told import Told, told
from ledger.party.errors import SourceInvalid

_LENGTH_BYTES = 2


def read_mirror(directory: Path, policy: Policy) -> list[Told]:
    """Return every statement below a mirror's checkpoint, whose signature and root are verified; raise SourceInvalid.

    Whether the ledger had to refuse one of them is not judged here: that is what a replay is for.
    """
    try:
        head = policy.open_checkpoint((directory / "checkpoint").read_bytes()).head
        entries = list(_entries(directory, head.size))
        hashes: dict[Node, bytes] = {}
        grow(hashes, 0, (leaf_hash(raw) for raw in entries))
        if range_hash(0, head.size, hashes) != head.root:
            raise SourceInvalid(directory, "its entries are not those that its checkpoint signs")
        return [told(parse_entry(raw)) for raw in entries]
    except (LedgerError, OSError, KeyError) as error:
        if isinstance(error, SourceInvalid):
            raise
        raise SourceInvalid(directory, str(error)) from error


def _entries(directory: Path, size: int) -> Iterator[bytes]:
    for position in range(-(-size // TILE_WIDTH)):
        width = min(TILE_WIDTH, size - position * TILE_WIDTH)
        raw = (directory / "tile" / format_tile_path(Tile(None, position, width))).read_bytes()
        for _ in range(width):
            end = _LENGTH_BYTES + int.from_bytes(raw[:_LENGTH_BYTES], "big")
            yield raw[_LENGTH_BYTES:end]
            raw = raw[end:]
        if raw:
            raise SourceInvalid(directory, f"bundle {position} holds more than {width} entries")
