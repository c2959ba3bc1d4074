"""Chunks of any file, cut where its content says so (docs/format.md §15.4).

Bytes that are put in or taken out move the cuts beside them only: the other chunks of a changed file are still equal to
the committed ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from ledger.party.dataset.reading.source import HashedFile

MIN_BYTES = 2048
MAX_BYTES = 65_536
_DIVISOR = 8192
_GEAR = np.array(
    [int.from_bytes(sha256(b"provenance-ledger/gear/v1" + bytes([byte])).digest()[:4], "big") for byte in range(256)],
    np.uint32,
).astype(np.uint16)
# A byte's part of h doubles with every byte after it: modulo 8,192, nothing of it is left after 13 of them. So 16 bits
# suffice, and the sum over 16 bytes, which takes four steps, is the sum over 32.
_WINDOW = 16
_BLOCK_BYTES = 4 * 1024 * 1024


def chunks(file: HashedFile, block_bytes: int = _BLOCK_BYTES) -> Iterator[list[bytes]]:
    """Yield a file's chunks in order, some at a time, in bounded memory."""
    before, waiting = b"", b""
    while block := file.read(block_bytes):
        # What was too early to cut in what waits stays too early: only the block's own boundaries count.
        ends = len(waiting) + _boundaries(before, block)
        before = (before + block)[1 - _WINDOW :]
        cut = _cut(waiting + block, ends)
        waiting = cut.pop()
        yield cut
    *whole, last = _cut(waiting, np.zeros(0, np.int64))
    yield [*whole, last] if last else whole


def _boundaries(before: bytes, block: bytes) -> npt.NDArray[np.int64]:
    """Return the offsets in a block after which h is 0 modulo 8,192; `before` are up to 15 bytes before it."""
    total = _GEAR[np.frombuffer(before + block, np.uint8)]
    for step in (1, 2, 4, 8):
        shifted = total[:-step] << np.uint16(step)
        total = total.copy()
        total[step:] += shifted
    return np.flatnonzero(total[len(before) :] % _DIVISOR == 0) + 1


def _cut(data: bytes, ends: npt.NDArray[np.int64]) -> list[bytes]:
    """Return the chunks that end in `data`, and last what is left of it; `ends` are where one may end, ascending."""
    found: list[bytes] = []
    start = 0
    while True:
        position = int(np.searchsorted(ends, start + MIN_BYTES))
        end = min(int(ends[position]) if position < len(ends) else len(data) + 1, start + MAX_BYTES)
        if end > len(data):
            return [*found, data[start:]]
        found.append(data[start:end])
        start = end
