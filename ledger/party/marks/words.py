"""Words: which row of each position a recipient's copy holds (docs/marks.md §3).

A word follows from the sealed key and the recipient's name alone: it can neither be chosen nor be changed later.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence

UNIT = 2**32
"""A bias is a probability in units of 2^−32."""
CONTROL_NAMES = tuple(f"control/{number}" for number in range(1000))
"""Names that no party can have: whoever's score is as good as theirs, is not accused."""
_DIGEST = "sha256"
_PER_DIGEST = 8


def word_bits(key: bytes, name: str, positions: Iterable[int], biases: Sequence[int]) -> list[int]:
    """Return the bits of `name` at these positions, 0 or 1 each; `biases` are those of all positions, of 2^32."""
    prefix = b"word\n" + name.encode() + b"\n"
    digests: dict[int, bytes] = {}
    bits = []
    for position in positions:
        block, slot = divmod(position, _PER_DIGEST)
        digest = digests.get(block)
        if digest is None:
            digest = digests[block] = hmac.digest(key, prefix + str(block).encode(), _DIGEST)
        bits.append(int(int.from_bytes(digest[4 * slot : 4 * slot + 4], "big") < biases[position]))
    return bits
