"""What a store keeps of time-stamps (docs/format.md §21): a token for a checkpoint, the first that came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class StoredStamp:
    """A time-stamping authority's answer over the text of a checkpoint of `size`, and that checkpoint, verbatim."""

    size: int
    note: bytes
    token: bytes


class Stamps(Protocol):
    """Part of the contract of a store; all methods raise StoreError where the medium fails."""

    async def keep_stamp(self, stamp: StoredStamp) -> None:
        """Keep a token, durably; of a size that has one, the older stays: it bounds more closely."""

    async def stamp(self, size: int) -> StoredStamp | None:
        """Return the token over the checkpoint of exactly `size`."""

    async def stamp_sizes(self, after: int, limit: int) -> list[int]:
        """Return up to `limit` sizes above `after` that have a token, ascending."""
