"""The mathematics of marks, from what was found alone (docs/marks.md §4, §5, §9.3).

Pure: numbers in, bits out. Sums run in one order, so that two runs agree to the last digit; two programs agree to two
thousandths of a bit.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from math import ceil, comb, exp, floor, fsum, inf, lgamma, log, log1p, log2, sqrt

MAX_MILLIBITS = 1 << 31
MIN_BITS = 8
"""Mapped columns that tell fewer bits of a mark find nothing."""
CONTROL_NAMES = tuple(f"control/{number}" for number in range(1000))
"""Names that no party can have: what an innocent one would score."""
CODE_CONTROLS_MILLIBITS = 9_966
"""log2 of how many those are, rounded up: as much more the greatest of them may score by chance (docs/marks.md §5)."""
_LOG2_E = 1 / log(2)
_STRENGTHS = [step / 64 for step in range(1, 257)]
_TINY = 1e-6


def millibits(bits: float) -> int:
    """Return thousandths of a bit, rounded down, at most 2^31."""
    return MAX_MILLIBITS if bits * 1000 >= MAX_MILLIBITS else floor(1000 * bits + _TINY)


def _log_choose(total: int, chosen: int) -> float:
    """Return ln C(total, chosen)."""
    return lgamma(total + 1) - lgamma(chosen + 1) - lgamma(total - chosen + 1)


def chance_bits(  # noqa: PLR0917 (the letters of the formula, in its order: K, k, bits, mapped columns, N, F)
    total: int, found: int, bits: Sequence[int], mapped: Sequence[int], rows: int, columns: int
) -> float:
    """Return minus log2 of a bound on the chance that `found` of `total` marks are in a file that owes them nothing.

    `bits` are those of every column, `mapped` the columns that the mapping names, `rows` and `columns` the counts of
    the found file.
    """
    if found == 0:
        return 0.0
    each = sum(bits[column] for column in mapped)
    if each < MIN_BITS:
        return 0.0
    drawn = sum(own > 0 for own in bits)
    chosen = sum(bits[column] > 0 for column in mapped)
    paid = found * log2(rows) + _log_choose(total, found) * _LOG2_E + chosen * log2(4 * columns) + drawn
    return max(0.0, each * found - paid)


def tail_bits(drawn: int, others: int, found: int, others_found: int) -> float:
    """Return minus log2 of the chance that of so many rows, chosen without regard to the draw, `found` were drawn.

    `drawn` and `others` rows are in the pool, `found` and `others_found` of them are hit. Exact, in integers: floats
    would lose what is far from the mean.
    """
    hit, least = found + others_found, max(found, found + others_found - others)
    term = comb(drawn, least) * comb(others, hit - least)
    total = term
    for count in range(least, min(drawn, hit)):
        term = term * (drawn - count) * (hit - count) // ((count + 1) * (others - hit + count + 1))
        total += term
    return max(0.0, log2(comb(drawn + others, hit)) - log2(total))


class Code:
    """A collusion-secure code, as far as the found file shows it."""

    def __init__(self, key: bytes, seen: Sequence[tuple[int, int, int]]) -> None:
        """Take the key, and number, bias (of 2^32) and bit of every position that is seen."""
        self.key = key
        self.seen = seen
        self._gains = [_gains(bias / 2**32) for _, bias, _ in seen]
        self._costs = [self._cost(strength) for strength in _STRENGTHS]

    def _cost(self, strength: float) -> float:
        """Return ln of what an innocent word of any name is expected to reach at this strength."""
        terms = []
        for (_, bias, y), gains in zip(self.seen, self._gains, strict=True):
            p = bias / 2**32
            terms.append(log(p * exp(strength * gains[1][y]) + (1 - p) * exp(strength * gains[0][y])))
        return fsum(terms)

    def word_bits(self, name: str) -> float:
        """Return the score of a name's word."""
        agreement = fsum(
            gains[word_bit(self.key, name, position, bias)][y]
            for (position, bias, y), gains in zip(self.seen, self._gains, strict=True)
        )
        best = max(strength * agreement - cost for strength, cost in zip(_STRENGTHS, self._costs, strict=True))
        return max(0.0, best * _LOG2_E)


def _gains(p: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return g(x, y) as gains[x][y]."""
    rare, common = sqrt((1 - p) / p), sqrt(p / (1 - p))
    return (common, -common), (-rare, rare)


@lru_cache(maxsize=1 << 14)
def _digest(key: bytes, name: str, block: int) -> bytes:
    return hmac.digest(key, b"word\n%s\n%d" % (name.encode(), block), "sha256")


def word_bit(key: bytes, name: str, position: int, bias: int) -> int:
    """Return the bit of a name at a position: 1 with probability bias / 2^32 (docs/marks.md §3)."""
    block, slot = divmod(position, 8)
    digest = _digest(key, name, block)
    return int(int.from_bytes(digest[4 * slot : 4 * slot + 4], "big") < bias)


def surprise_bits(planted: int, found: int, share: Fraction) -> float:
    """Return how surprising it is to find so many of the planted marks where this share of the records was found."""
    if share in {0, 1}:
        return 0.0 if found == planted * share else inf
    terms = [
        _log_choose(planted, i) + i * log(share) + (planted - i) * log1p(-float(share)) for i in range(planted + 1)
    ]
    tail = min(_log_sum(terms[: found + 1]), _log_sum(terms[found:])) + log(2)
    return max(0.0, -tail * _LOG2_E)


def _log_sum(logs: list[float]) -> float:
    """Return ln of the sum of what these are logarithms of."""
    greatest = max(logs)
    return greatest + log(fsum(exp(term - greatest) for term in logs))


def needed_millibits(threshold: int, recipients: int, bound: str, seals: int) -> int:
    """Return the score that is enough: for this many recipients, and this many seals that could have been picked."""
    for_bound = ceil(1000 * log2(recipients / Fraction(bound)) - _TINY)
    return max(threshold, for_bound) + ceil(1000 * log2(seals) - _TINY)
