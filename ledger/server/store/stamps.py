"""What a store keeps of time-stamps (docs/format.md §21): a token for a checkpoint, the first that came."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StoredStamp:
    """A time-stamping authority's answer over the text of a checkpoint of `size`, and that checkpoint, verbatim."""

    size: int
    note: bytes
    token: bytes
