"""Entries and receipts under one checkpoint, from tiles (docs/format.md §11.1): the same from a ledger and a mirror."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ledger.core.checkpoint import TreeHead
from ledger.core.entry import Entry, parse_entry
from ledger.core.errors import LedgerError
from ledger.core.merkle import (
    Node,
    consistency_ranges,
    inclusion_ranges,
    nodes_of,
    prove,
    shared_ranges,
    verify_consistency,
    verify_inclusion,
    verify_inclusions,
)
from ledger.core.receipt import format_receipt
from ledger.core.tiles import TILE_HEIGHT, TILE_WIDTH, Tile, format_tile_path, node_in_tile, tile_of
from ledger.party.errors import ReceiptInvalid

_KeyT = TypeVar("_KeyT")
_ValueT = TypeVar("_ValueT")
Read = Callable[[str], Awaitable[bytes]]
"""Returns the bytes at a path of a log, such as `tile/0/000` (docs/format.md §11.1, §21.4)."""

_LENGTH_BYTES = 2
_MAX_KEPT = 256
"""How many tiles, and how many entry bundles, are kept: a log may have millions of entries."""


@dataclass(frozen=True)
class Proved:
    """An entry and its receipt, which was verified under the tree's checkpoint."""

    entry: Entry
    receipt: bytes


class Tree:
    """A log of which one signed checkpoint, `note`, was verified; everything that it gives is under that root."""

    def __init__(self, note: bytes, head: TreeHead, read: Read) -> None:
        """`head` is what the verified `note` says; `read` fetches files, and is not believed."""
        self.note = note
        self.head = head
        self.read = read
        self._bundles: dict[int, list[bytes]] = {}
        self._tiles: dict[tuple[int, int], bytes] = {}

    async def entry(self, index: int) -> bytes:
        """Return an entry's bytes, unverified: what is kept is asked for again with `proved`."""
        position = index // TILE_WIDTH
        if position not in self._bundles:
            tile = Tile(None, position, self._width(0, position))
            _make_room(self._bundles)
            self._bundles[position] = _split(await self._tile(tile), tile.width)
        return self._bundles[position][index % TILE_WIDTH]

    async def parsed(self, index: int) -> Entry:
        """Return an entry, unverified until it is given to `prove`; raise ReceiptInvalid if it has not the form."""
        try:
            return parse_entry(await self.entry(index))
        except (LedgerError, IndexError) as error:
            raise ReceiptInvalid(f"entry {index} is not what the checkpoint signs: {error}") from error

    async def proved(self, index: int) -> Proved:
        """Return an entry with its receipt; raise ReceiptInvalid if it is not what the checkpoint signs."""
        try:
            raw = await self.entry(index)
            ranges = inclusion_ranges(index, self.head.size)
            path = prove(ranges, await self._nodes(nodes_of(ranges)))
            entry = parse_entry(raw)
            verify_inclusion(entry.leaf, index, self.head.size, path, self.head.root)
        except (LedgerError, IndexError) as error:
            raise ReceiptInvalid(f"entry {index} is not what the checkpoint signs: {error}") from error
        return Proved(entry, format_receipt(index, path, self.note))

    async def prove(self, entries: Sequence[Entry]) -> list[bytes]:
        """Return the hashes that prove entries, ascending, together (docs/bundle.md §2.2).

        Raises ReceiptInvalid, with the entry that is not what the checkpoint signs.
        """
        leaves = {entry.index: entry.leaf for entry in entries}
        try:
            ranges = shared_ranges(list(leaves), self.head.size)
            path = [prove([span], await self._nodes(nodes_of([span])))[0] for span in ranges]
            verify_inclusions(leaves, self.head.size, path, self.head.root)
        except (LedgerError, IndexError) as error:
            for entry in entries:
                await self.proved(entry.index)
            raise ReceiptInvalid(f"the entries are not what the checkpoint signs: {error}") from error
        return path

    async def consistency(self, old: TreeHead) -> list[bytes]:
        """Return the path from an older tree head to this tree's, verified (RFC 9162 §2.1.4); raise ProofError.

        Raises IndexError for a tile that is cut short.
        """
        ranges = consistency_ranges(old.size, self.head.size)
        path = prove(ranges, await self._nodes(nodes_of(ranges)))
        verify_consistency(old.size, old.root, self.head.size, self.head.root, path)
        return path

    async def _nodes(self, nodes: Iterable[Node]) -> dict[Node, bytes]:
        found = {}
        for node in nodes:
            level, position = tile_of(node)
            if (level, position) not in self._tiles:
                tile = Tile(level, position, self._width(level, position))
                _make_room(self._tiles)
                self._tiles[level, position] = await self._tile(tile)
            found[node] = node_in_tile(node, self._tiles[level, position])
        return found

    async def _tile(self, tile: Tile) -> bytes:
        return await self.read(f"tile/{format_tile_path(tile)}")

    def _width(self, level: int, position: int) -> int:
        return min(TILE_WIDTH, (self.head.size >> (TILE_HEIGHT * level)) - position * TILE_WIDTH)


def _make_room(kept: dict[_KeyT, _ValueT]) -> None:
    """Forget what was kept first, if there is too much."""
    if len(kept) >= _MAX_KEPT:
        del kept[next(iter(kept))]


def _split(raw: bytes, width: int) -> list[bytes]:
    """Return the entries of an entry bundle; raise ReceiptInvalid if it does not hold so many."""
    entries = []
    for _ in range(width):
        end = _LENGTH_BYTES + int.from_bytes(raw[:_LENGTH_BYTES], "big")
        if len(raw) < end:
            break
        entries.append(raw[_LENGTH_BYTES:end])
        raw = raw[end:]
    if raw or len(entries) != width:
        raise ReceiptInvalid("an entry bundle does not hold the entries that the checkpoint counts")
    return entries
