"""The growing edge of the log: all that the next entry, tile and checkpoint are made from. Pure; O(log size) memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger.core.checkpoint import TreeHead
from ledger.core.dsse import Envelope
from ledger.core.entry import ZERO_LINK, Entry
from ledger.core.hashing import HASH_BYTES
from ledger.core.merkle import Node, grow, perfect_nodes, range_hash
from ledger.core.tiles import TILE_HEIGHT, TILE_WIDTH


@dataclass
class Frontier:
    """`size` entries; `previous` the hex leaf hash of the last; `time_ms` its time.

    `nodes` hold the perfect subtrees of [0, size) and all those made since `copy`. `edge` holds the last, partial tile
    of each level.
    """

    size: int = 0
    previous: str = ZERO_LINK
    time_ms: int = 0
    nodes: dict[Node, bytes] = field(default_factory=dict)
    edge: dict[int, bytes] = field(default_factory=dict)

    def copy(self) -> Frontier:
        """Return a frontier to draft a batch on; this one stays as it is. Only the perfect nodes are carried over."""
        nodes = {node: self.nodes[node] for node in perfect_nodes(0, self.size)}
        return Frontier(self.size, self.previous, self.time_ms, nodes, dict(self.edge))

    @property
    def head(self) -> TreeHead:
        """The tree head at this size."""
        return TreeHead(self.size, self.root_at(self.size))

    def root_at(self, size: int) -> bytes:
        """Return the root at a size between that of the last `copy` and this one. KeyError for an older size."""
        return range_hash(0, size, self.nodes)

    def append(self, envelope: Envelope, time_ms: int) -> Entry:
        """Chain one more statement; `time_ms` is not below the last one's."""
        entry = Entry(self.size, self.previous, envelope, time_ms)
        self.grow(entry.leaf)
        self.previous, self.time_ms = entry.leaf.hex(), time_ms
        return entry

    def grow(self, leaf: bytes) -> None:
        """Add one leaf hash to the tree only."""
        self.size = grow(self.nodes, self.size, [leaf])

    def tiles_since(self, size: int) -> dict[tuple[int, int], bytes]:
        """Return the tiles, as far as they go, that changed since `size`, and move `edge` on to this size."""
        tiles: dict[tuple[int, int], bytes] = {}
        level = 0
        while self.size >> (TILE_HEIGHT * level):
            shift = TILE_HEIGHT * level
            hashes = bytearray(self.edge.get(level, b""))
            for position in range(size >> shift, self.size >> shift):
                hashes += self.nodes[Node(shift, position)]
                tiles[level, position // TILE_WIDTH] = bytes(hashes)
                if len(hashes) == TILE_WIDTH * HASH_BYTES:
                    hashes.clear()
            self.edge[level] = bytes(hashes)
            level += 1
        return tiles
