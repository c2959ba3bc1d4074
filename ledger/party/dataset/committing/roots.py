"""The tree over millions of record leaves, in one pass and bounded memory (docs/format.md §2, §15.1).

Only the right edge of the tree is held, and the nodes that somebody asked for before: those that paths are made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

from ledger.core.merkle import Node, inclusion_ranges, nodes_of, prove, range_hash

_GROUP = 1 << 14


class RootBuilder:
    """Leaves in, root out. `wanted` are nodes whose hashes are kept for paths: see `path_nodes`.

    Memory: 16,384 leaves, one hash a level, and the wanted nodes, whatever the count.
    """

    def __init__(self, wanted: Iterable[Node] = ()) -> None:
        self.count = 0
        self._wanted: dict[int, set[int]] = {}
        for node in wanted:
            self._wanted.setdefault(node.level, set()).add(node.position)
        self._found: dict[Node, bytes] = {}
        self._edge: dict[Node, bytes] = {}
        self._waiting: list[bytes] = []

    def add(self, leaves: Sequence[bytes]) -> None:
        """Append leaves of 32 bytes each."""
        waiting = self._waiting
        waiting.extend(leaves)
        whole = len(waiting) - len(waiting) % _GROUP
        for start in range(0, whole, _GROUP):
            self._climb(waiting[start : start + _GROUP], self.count + start)
        self.count += whole
        del waiting[:whole]

    def root(self) -> bytes:
        """Return the root over all leaves so far, EMPTY_ROOT for none; nothing is added afterwards."""
        self._climb(self._waiting, self.count)
        self.count += len(self._waiting)
        self._waiting = []
        return range_hash(0, self.count, self._edge)

    def path(self, number: int) -> list[bytes]:
        """Return the inclusion path of leaf `number`, lowest first, once `root` was called.

        Raises KeyError where its `path_nodes` were not wanted, ProofError if there is no such leaf.
        """
        return prove(inclusion_ranges(number, self.count), self._found)

    def _climb(self, leaves: Sequence[bytes], start: int) -> None:
        """Take up to `_GROUP` leaves from `start`, a multiple of it, and make every perfect node they end."""
        level, position, row = 0, start, list(leaves)
        while row:
            self._keep(level, position, row)
            if (position + len(row)) % 2 == 1:
                self._edge[Node(level, position + len(row) - 1)] = row[-1]
            if position % 2 == 1:
                # The left sibling is of an older group: it waits at the edge.
                row.insert(0, self._edge.pop(Node(level, position - 1)))
                position -= 1
            pairs = iter(row)
            row = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]
            level, position = level + 1, position >> 1

    def _keep(self, level: int, position: int, row: Sequence[bytes]) -> None:
        wanted = self._wanted.get(level)
        if not wanted:
            return
        for offset, value in enumerate(row):
            if position + offset in wanted:
                self._found[Node(level, position + offset)] = value


def path_nodes(numbers: Iterable[int], count: int) -> set[Node]:
    """Return the nodes that the paths of these leaves are made of, in a tree of `count`; raise ProofError."""
    return {node for number in numbers for node in nodes_of(inclusion_ranges(number, count))}
