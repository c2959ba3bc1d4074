"""The RFC 6962 tree straight from its definition (§2.1): the third opinion, shared with no implementation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256


class ReferenceTree:
    """A tree over given leaf hashes; d[start:end] of the RFC is the pair (start, end)."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        """Keep the leaves; hashes of ranges are computed when asked for, and then kept."""
        self.leaves = list(leaves)
        self._mth = lru_cache(maxsize=None)(self._compute)

    def root(self, size: int) -> bytes:
        """MTH(D[size])."""
        return self._mth(0, size)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """PATH(index, D[size])."""
        return self._path(index, 0, size)

    def shared(self, indexes: Sequence[int], size: int) -> list[bytes]:
        """Return the hashes that prove several leaves together (docs/bundle.md §2.2), by the letter of it."""
        level, known, hashes = self.leaves[:size], set(indexes), list[bytes]()
        while len(level) > 1:
            siblings = {place ^ 1 for place in known} - known
            hashes += [level[place] for place in sorted(siblings) if place < len(level)]
            known = {place // 2 for place in known}
            pairs = [level[place : place + 2] for place in range(0, len(level), 2)]
            level = [sha256(b"\x01" + b"".join(pair)).digest() if len(pair) == 2 else pair[0] for pair in pairs]
        return hashes

    def consistency(self, old: int, new: int) -> list[bytes]:
        """PROOF(old, D[new])."""
        return self._subproof(old, 0, new, whole=True)

    def _compute(self, start: int, end: int) -> bytes:
        if start == end:
            return sha256(b"").digest()
        if end - start == 1:
            return self.leaves[start]
        middle = start + _split(end - start)
        return sha256(b"\x01" + self._mth(start, middle) + self._mth(middle, end)).digest()

    def _path(self, index: int, start: int, end: int) -> list[bytes]:
        if end - start == 1:
            return []
        middle = start + _split(end - start)
        if index < middle - start:
            return [*self._path(index, start, middle), self._mth(middle, end)]
        return [*self._path(index - (middle - start), middle, end), self._mth(start, middle)]

    def _subproof(self, old: int, start: int, end: int, *, whole: bool) -> list[bytes]:
        if old == end - start:
            return [] if whole else [self._mth(start, end)]
        middle = start + _split(end - start)
        if old <= middle - start:
            return [*self._subproof(old, start, middle, whole=whole), self._mth(middle, end)]
        return [*self._subproof(old - (middle - start), middle, end, whole=False), self._mth(start, middle)]


def _split(count: int) -> int:
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def entry_leaf(raw: bytes) -> bytes:
    """Return SHA-256(0x00 ‖ raw)."""
    return sha256(b"\x00" + raw).digest()
