"""Statements that are recorded, and whose submitters wait for the witnesses. Pure.

What is held covers the log without a gap from `start` on, so that the paths under any later checkpoint follow from the
leaves at hand, one hash a leaf, and nothing is read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ledger.core.entry import Entry
from ledger.core.merkle import Node, grow, inclusion_paths, perfect_nodes
from ledger.server.log.intake.submission import Published, Recorded, Waiting, answer


@dataclass(frozen=True)
class _Held:
    item: Waiting
    entry: Entry
    until: float


class Unwitnessed:
    """In the order of their indexes; `until` is a moment on any one clock."""

    def __init__(self) -> None:
        self._start = 0
        self._nodes: dict[Node, bytes] = {}
        self._held: deque[_Held] = deque()

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._held)

    def begin(self, size: int, nodes: Mapping[Node, bytes]) -> None:
        """Begin anew after the first `size` entries, whose perfect nodes are among `nodes`."""
        self._start = size
        self._nodes = {node: nodes[node] for node in perfect_nodes(0, size)}
        self._held.clear()

    def hold(self, accepted: Sequence[tuple[Waiting, Entry]], until: float) -> None:
        """Hold the next entries."""
        self._held.extend(_Held(item, entry, until) for item, entry in accepted)

    def answer_below(self, size: int, published: Published) -> None:
        """Answer those that a checkpoint covers."""
        self._answer(min(len(self._held), max(0, size - self._start)), published)

    def answer_overdue(self, now: float, published: Published) -> None:
        """Answer those that have waited long enough, under the newest checkpoint, which covers all."""
        self._answer(sum(held.until <= now for held in self._held), published)

    def _answer(self, count: int, published: Published) -> None:
        if not count:
            return
        nodes = dict(self._nodes)
        size = published.head.size
        grow(nodes, self._start, (held.entry.leaf for held in list(self._held)[: size - self._start]))
        for path in inclusion_paths(self._start, size, nodes)[:count]:
            held = self._held.popleft()
            name = held.item.candidate.envelope.id
            answer(
                held.item,
                Recorded(name, held.entry, path, published.checkpoint, duplicate=False, witnessed=published.witnessed),
            )
        self._start += count
        self._nodes = {node: nodes[node] for node in perfect_nodes(0, self._start)}
