"""Records and marks by the letter of docs/format.md §15 and docs/marks.md §3–§5: slow, exact where it can be."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import lru_cache
from hashlib import sha256
from math import ceil, comb, exp, floor, inf, log2, sqrt
from math import e as euler

Cells = Sequence[str | None]


def canonical_record(cells: Cells) -> bytes:
    """Return the canonical record of these cells, which are in NFC and without CR (§15.3)."""
    return json.dumps(list(cells), ensure_ascii=False, separators=(",", ":")).encode()


def canonical_cell(cell: str | None) -> bytes:
    return json.dumps(cell, ensure_ascii=False).encode()


def cell_salt(salt: bytes, number: int) -> bytes:
    """Return s(k) (§15.2)."""
    return hmac.digest(salt, number.to_bytes(4, "big"), "sha256")[:16]


def salted_leaf(salt: bytes, value: bytes) -> bytes:
    return sha256(b"\x00" + salt + value).digest()


def word_bit(key: bytes, name: str, position: int, bias: int) -> int:
    """Return the bit of a name at a position (marks.md §3)."""
    digest = hmac.digest(key, f"word\n{name}\n{position // 8}".encode(), "sha256")
    start = 4 * (position % 8)
    return int(int.from_bytes(digest[start : start + 4], "big") < bias)


def chance_bits(  # noqa: PLR0917 - the letters of the formula, in its order
    planted: int, found: int, bits: Sequence[int], mapped: Iterable[int], rows: int, columns: int
) -> float:
    """Return the chance (marks.md §4); K, k, bits, mapped columns, N, F."""
    chosen = list(mapped)
    total = sum(bits[column] for column in chosen)
    if found == 0 or total < 8:
        return 0.0
    drawn, mapped_count = sum(b > 0 for b in bits), sum(bits[column] > 0 for column in chosen)
    paid = found * log2(rows) + log2(comb(planted, found)) + mapped_count * log2(4 * columns) + drawn
    return max(0.0, total * found - paid)


def word_bits(seen: Sequence[tuple[int, int, int]]) -> float:
    """Return the word score of a name; `seen` has bias, bit seen and bit of the name, a seen position each."""
    total = sum(_agreement(bias / 2**32, x, y) for bias, y, x in seen)
    costs = _costs(tuple((bias, y) for bias, y, _ in seen))
    return max(0.0, *(step / 64 * total * log2(euler) - cost for step, cost in enumerate(costs, start=1)))


@lru_cache(maxsize=8)
def _costs(seen: tuple[tuple[int, int], ...]) -> list[float]:
    """Return what every strength 1/64 … 256/64 costs: the same for every name."""
    shares = [(bias / 2**32, y) for bias, y in seen]
    return [
        sum(
            log2(p * exp(strength * _agreement(p, 1, y)) + (1 - p) * exp(strength * _agreement(p, 0, y)))
            for p, y in shares
        )
        for strength in (step / 64 for step in range(1, 257))
    ]


def _agreement(p: float, x: int, y: int) -> float:
    if x == y:
        return sqrt((1 - p) / p) if y else sqrt(p / (1 - p))
    return -sqrt(p / (1 - p)) if y else -sqrt((1 - p) / p)


def surprise_bits(planted: int, found: int, share: Fraction) -> float:
    """Return how surprising it is to find so many marks of a copy of which this share was found (marks.md §5)."""
    terms = [comb(planted, i) * share**i * (1 - share) ** (planted - i) for i in range(planted + 1)]
    tail = min(Fraction(1), 2 * min(sum(terms[: found + 1]), sum(terms[found:])))
    return log2(tail.denominator) - log2(tail.numerator) if tail else inf


def millibits(bits: float) -> int:
    return 2**31 if bits >= 2**31 / 1000 else floor(1000 * bits + 1e-6)


def needed_millibits(threshold: int, recipients: int, bound: str, seals: int) -> int:
    """Return what a score must reach."""
    for_bound = ceil(1000 * log2(recipients / Fraction(bound)) - 1e-6)
    return max(threshold, for_bound) + ceil(1000 * log2(seals) - 1e-6)
