"""What a newly signed root says about a prefix that was verified before: whether it is still there.

Called only where the remembered leaves and the new ones do not fold to the new root. That alone proves nothing against
the log: the new bytes are not signed, and whoever serves or stores them can have damaged them. A fork is proved only
where the source itself shows leaves that fold to the new signed root, and differ from those under the older one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.core.checks import Check, Failure
from verifier.core.errors import CheckFailed
from verifier.core.tree import HASH_BYTES, TILE_WIDTH, Tree, tile_path
from verifier.sources.source import Source, read_tile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from verifier.core.notes import Checkpoint


def read_hashes(source: Source, level: int, number: int, width: int) -> bytes:
    """Return the first `width` hashes of a tile.

    Raises `CheckFailed` for a tile of the wrong length, and `SourceUnavailable`.
    """
    path, hashes = read_tile(source, level, number, width)
    wanted = TILE_WIDTH if path == tile_path(level, number, TILE_WIDTH) else width
    if len(hashes) != wanted * HASH_BYTES:
        lengths = f"{wanted * HASH_BYTES} bytes", f"{len(hashes)} bytes"
        raise CheckFailed(Failure(Check.TILE, "wrong-length", None, path, *lengths))
    return hashes[: width * HASH_BYTES]


def find_fork(source: Source, before: Checkpoint, head: Checkpoint, tails: Iterable[bytes]) -> Failure | None:
    """Return the fork if the source shows one: a tree of the signed head that lacks the tree signed before.

    `before.size` is below `head.size`; `tails` are rows of leaf hashes, any of which may complete the source's level-0
    tiles that are full at `before`. Raises `SourceUnavailable` and `CheckFailed` where those tiles cannot be had.
    """
    old = b"".join(read_hashes(source, 0, number, TILE_WIDTH) for number in range(before.size // TILE_WIDTH))
    for tail in tails:
        tree = Tree(old + tail)
        if tree.size == head.size and tree.root(head.size) == head.root:
            return compare_roots(before, tree.root(before.size))
    return None


def compare_shorter(tree: Tree, head: Checkpoint) -> Failure:
    """Return what a checkpoint is that is smaller than the tree remembered: its beginning, or a fork of it."""
    if head.size and tree.root(head.size) != head.root:
        where = f"the root at size {head.size}, of the remembered tree and of the checkpoint"
        return Failure(Check.REMEMBERED, "fork", None, where, tree.root(head.size).hex(), head.root.hex())
    return Failure(Check.REMEMBERED, "rollback", None, "checkpoint", f"size ≥ {tree.size}", f"size {head.size}")


def compare_roots(before: Checkpoint, root: bytes) -> Failure | None:
    """Return the fork if a newer signed tree has another root at the size of the checkpoint `before`."""
    if root == before.root:
        return None
    where = f"the root at size {before.size}, of the remembered checkpoint and of the new one"
    return Failure(Check.REMEMBERED, "fork", None, where, before.root.hex(), root.hex())
