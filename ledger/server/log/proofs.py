"""Proofs out of the stored tree: one read a tile, no work that grows with the log."""

from __future__ import annotations

from ledger.core.merkle import consistency_ranges, inclusion_ranges, nodes_of, prove
from ledger.server.store.contract import Reads


async def inclusion_path(store: Reads, index: int, size: int) -> list[bytes]:
    """Return the inclusion path of an entry in the tree of `size`; raise ProofError unless 0 ≤ index < size."""
    ranges = inclusion_ranges(index, size)
    return prove(ranges, await store.nodes(nodes_of(ranges)))


async def consistency_path(store: Reads, old: int, new: int) -> list[bytes]:
    """Return the consistency path between two sizes, 1 ≤ old ≤ new ≤ the store's size."""
    ranges = consistency_ranges(old, new)
    return prove(ranges, await store.nodes(nodes_of(ranges)))
