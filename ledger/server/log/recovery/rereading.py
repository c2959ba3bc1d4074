"""Entries read back as bytes: a bit that flipped in one of them is found before anything is signed over it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from ledger.core.entry import ZERO_LINK, Entry, parse_entry
from ledger.core.errors import FormatError
from ledger.core.merkle import Node
from ledger.server.store.contract import IntegrityError, Store

_CHUNK = 512


async def reread(store: Store, start: int, size: int) -> AsyncIterator[list[Entry]]:
    """Yield the entries from `start` to the end of a log of `size` entries, a few hundred at a time.

    Each is held against its leaf hash, its predecessor and its time; raise IntegrityError for the first that differs,
    is missing, or is beyond the end.
    """
    previous = ZERO_LINK if start == 0 else (await store.nodes([Node(0, start - 1)]))[Node(0, start - 1)].hex()
    time_ms = 0
    for first in range(start, size, _CHUNK):
        end = min(first + _CHUNK, size)
        entries = [_parse(index, raw) for index, raw in enumerate(await store.entries(first, end), first)]
        nodes = await store.nodes([Node(0, index) for index in range(first, end)])
        for index, entry in enumerate(entries, first):
            is_next = (entry.index, entry.previous) == (index, previous) and entry.time_ms >= time_ms
            if not is_next or entry.leaf != nodes[Node(0, index)]:
                raise IntegrityError(f"entry {index} is not the one that was signed")
            previous, time_ms = entry.leaf.hex(), entry.time_ms
        if len(entries) != end - first:
            raise IntegrityError(f"entry {first + len(entries)} is missing")
        yield entries
    if await store.entries(size, size + 1):
        raise IntegrityError(f"an entry {size} is stored, and {size} entries are signed")


def _parse(index: int, raw: bytes) -> Entry:
    try:
        return parse_entry(raw)
    except FormatError as error:
        raise IntegrityError(f"entry {index} does not parse: {error}") from error
