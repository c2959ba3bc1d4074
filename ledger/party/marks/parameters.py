"""How many marks it takes (docs/marks.md §7): computed before anything is drawn, from bounds that hold for every case.

Detection is promised at 99 %: for a random tenth of one copy's rows, and for whole copies that up to `colluders`
recipients pool, whatever they do with the marks that they can tell apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ledger.party.marks.bits import needed_millibits, share_millibits
from ledger.party.marks.errors import CannotMark, TooLittleRoom
from ledger.party.marks.score import MIN_BITS, Sighting, chance_bits
from ledger.party.marks.value import MAX_BIAS, MAX_POSITIONS, MAX_ROWS, MIN_BIAS
from ledger.party.marks.weight import MIN_MARKS
from ledger.party.marks.words import UNIT

Method = Literal["canary", "tardos"]
MISS = 0.01
"""How often, at most, a leak is not detected."""
PART = 0.1
"""The part of one copy's rows that must be enough."""
SEALS = 4
"""How many hand-offs of a listing to one recipient are allowed for: each doubling costs a bit (docs/marks.md §5)."""
MAX_COLLUDERS = 8
Floats = NDArray[np.float64]
_LAMBDAS = np.arange(1, 257) / 64
_EXPONENTS = np.exp(np.linspace(math.log(0.01), math.log(10), 100))[:, None]


@dataclass(frozen=True)
class Room:
    """What a table offers: `rows` in number, and how many bits a drawn row has in each column."""

    rows: int
    bits: tuple[int, ...]

    @property
    def row_bits(self) -> int:
        """The bits of a whole row."""
        return sum(self.bits)


@dataclass(frozen=True)
class Parameters:
    """What marking will do: `marks` rows are added to each copy; a leak is attributed at `threshold_millibits`."""

    method: Method
    recipients: int
    colluders: int
    bound: str
    threshold_millibits: int
    marks: int
    room: Room


@dataclass(frozen=True)
class Code:
    """How the biases of a code's positions are drawn: one of `biases`, of 2^32, by its weight."""

    biases: tuple[int, ...]
    weights: tuple[float, ...]

    @classmethod
    def against(cls, colluders: int) -> Code:
        """Return the biases of Nuida et al.: roots of a Legendre polynomial, so that mixed positions tell nothing."""
        roots, weights = np.polynomial.legendre.leggauss((colluders + 1) // 2)
        chances = (roots + 1) / 2
        weights = weights / np.sqrt(chances * (1 - chances))
        biases = (min(max(round(float(chance) * UNIT), MIN_BIAS), MAX_BIAS) for chance in chances)
        return cls(tuple(biases), tuple(float(weight) for weight in weights / weights.sum()))


def canary_parameters(room: Room, recipients: int, bound: str) -> Parameters:
    """Return how many canary rows a copy needs; raise TooLittleRoom."""
    needed = _needed(recipients, bound)

    def misses(count: int) -> float:
        sighting = Sighting(math.ceil(PART * (room.rows + count)), len(room.bits), _all(room))
        return _misses(count, PART, of=count, needed=needed, room=room, sighting=sighting)

    count = _smallest(misses, 1, MAX_ROWS, MISS, room)
    return Parameters("canary", recipients, 1, bound, share_millibits(recipients, bound), count, room)


def brought_parameters(room: Room, recipients: int, bound: str, count: int) -> Parameters:
    """Return what `count` rows of the company's own do; raise TooLittleRoom or CannotMark for too few."""
    if count < MIN_MARKS:
        raise CannotMark(
            f"{count} rows of your own are too few: so few can travel by accident, and show nothing",
            f"give at least {MIN_MARKS}",
        )
    whole = Sighting(room.rows + count, len(room.bits), _all(room))
    if chance_bits(count, count, room.bits, whole) < _needed(recipients, bound):
        raise TooLittleRoom(room.row_bits, f"all {count:,} of them together do not tell a leak from chance")
    return Parameters("canary", recipients, 1, bound, share_millibits(recipients, bound), count, room)


def leak_detected(parameters: Parameters) -> float:
    """Return how often, at least, chance alone leaves PART of a copy's rows to be attributed: a probability."""
    room, count = parameters.room, parameters.marks
    of = count if parameters.method == "canary" else 2 * count
    sighting = Sighting(math.ceil(PART * (room.rows + count)), len(room.bits), _all(room))
    needed = _needed(parameters.recipients, parameters.bound)
    return 1 - _misses(count, PART, of=of, needed=needed, room=room, sighting=sighting)


def tardos_parameters(room: Room, recipients: int, colluders: int, bound: str) -> Parameters:
    """Return how many positions a code needs; raise TooLittleRoom, or CannotMark for too many colluders."""
    needed = _needed(recipients, bound)
    length, code = code_length(colluders, recipients, needed), Code.against(colluders)
    shown = min(_unanimous(code, count) for count in range(1, colluders + 1))

    def misses(count: int) -> float:
        leaked = Sighting(math.ceil(PART * (room.rows + count)), len(room.bits), _all(room))
        pooled = Sighting(colluders * (room.rows + count), len(room.bits), _all(room))
        return max(
            _misses(count, PART, of=2 * count, needed=needed, room=room, sighting=leaked),
            _misses(count, shown, of=2 * count, needed=needed, room=room, sighting=pooled),
        )

    count = _smallest(misses, length, MAX_POSITIONS, MISS / 2, room)
    return Parameters("tardos", recipients, colluders, bound, share_millibits(recipients, bound), count, room)


def code_length(colluders: int, recipients: int, needed: float) -> int:
    """Return how many positions a code takes whose word alone has to reach `needed` bits (docs/marks.md §7, §9.5).

    Raises CannotMark for too many colluders.
    """
    if not 1 <= colluders <= min(MAX_COLLUDERS, recipients):
        raise CannotMark(
            f"a code against {colluders} colluders among {recipients} recipients is not made",
            f"give --colluders from 1 to {MAX_COLLUDERS}, and no more than --recipients",
        )
    code = Code.against(colluders)
    pooled = (_length(_pooled(code, count), needed) for count in range(1, colluders + 1))
    return max(_length(_leaked(code), needed), *pooled)


def _needed(recipients: int, bound: str) -> float:
    threshold = share_millibits(recipients, bound)
    return needed_millibits(threshold, recipients, bound, SEALS) / 1000


def _all(room: Room) -> frozenset[int]:
    return frozenset(range(len(room.bits)))


def _misses(planted: int, part: float, *, of: int, needed: float, room: Room, sighting: Sighting) -> float:
    """Return how often chance stays below `needed` bits, where each planted mark is found with probability `part`."""
    whole, yes, no = math.lgamma(planted + 1), math.log(part), math.log1p(-part) if part < 1 else 0.0
    total = 0.0
    for found in range(planted + 1):
        log = whole - math.lgamma(found + 1) - math.lgamma(planted - found + 1) + found * yes + (planted - found) * no
        if (part < 1 or found == planted) and log > -50 and chance_bits(found, of, room.bits, sighting) < needed:
            total += math.exp(log)
    return total


def _smallest(misses: Callable[[int], float], low: int, high: int, allowed: float, room: Room) -> int:
    """Return the smallest count from `low` that misses no oftener than `allowed`, by doubling and halving."""
    if room.row_bits < MIN_BITS:
        raise TooLittleRoom(room.row_bits, f"at least {MIN_BITS} are needed")
    count = low
    while misses(count) > allowed:
        if count >= high:
            raise TooLittleRoom(
                room.row_bits, f"not even {high:,} of them tell a leak from chance, with the bound given"
            )
        low, count = count + 1, min(2 * count, high)
    while low < count:
        middle = (low + count) // 2
        low, count = (low, middle) if misses(middle) <= allowed else (middle + 1, count)
    return count


def _length(shrinks: Floats, needed: float) -> int:
    """Return the positions after which the word is below `needed` bits at most half as often as a miss is allowed.

    `shrinks` is E[exp(−t·Z)] of one position for each t and λ; Markov's inequality on its product does the rest.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        lengths = (math.log(2 / MISS) + _EXPONENTS * needed) / -np.log(shrinks)
    return math.ceil(float(lengths[shrinks < 1 - 1e-12].min()))


def _leaked(code: Code) -> Floats:
    """Return `shrinks` of a position of one copy, of which each row is shown with probability PART."""
    return 1 - PART + PART * _pooled(code, 1)


def _pooled(code: Code, colluders: int) -> Floats:
    """Return `shrinks` of a position of pooled copies, in the worst case.

    Z is the mean over the colluders of what the position adds to their words. Where all hold the same row, that row
    is shown. Where they differ, they show what they like, or nothing: whatever is worst for us.
    """
    total = np.zeros((len(_EXPONENTS), len(_LAMBDAS)))
    for ones in range(colluders + 1):
        shown = [bit for bit in (0, 1) if ones == bit * colluders or 0 < ones < colluders]
        choices = [_expected(code, colluders, ones, bit) for bit in shown]
        if len(shown) == 2:
            choices.append(np.full_like(total, sum(_held(code, colluders, ones))))
        total += np.maximum.reduce(choices)
    return total


def _expected(code: Code, colluders: int, ones: int, bit: int) -> Floats:
    total = np.zeros((len(_EXPONENTS), len(_LAMBDAS)))
    for bias, held in zip(code.biases, _held(code, colluders, ones), strict=True):
        chance = bias / UNIT
        agree = math.sqrt((1 - chance) / chance if bit else chance / (1 - chance))
        at_one, at_zero = (agree, -1 / agree) if bit else (-1 / agree, agree)
        mean = (ones * at_one + (colluders - ones) * at_zero) / colluders
        cost = np.log2(chance * np.exp(_LAMBDAS * at_one) + (1 - chance) * np.exp(_LAMBDAS * at_zero))
        total += held * np.exp(-_EXPONENTS * (_LAMBDAS * mean * math.log2(math.e) - cost))
    return total


def _held(code: Code, colluders: int, ones: int) -> list[float]:
    """Return, for each bias, the chance that it is drawn and `ones` of the colluders hold the row for 1."""
    return [
        weight * math.comb(colluders, ones) * (bias / UNIT) ** ones * (1 - bias / UNIT) ** (colluders - ones)
        for bias, weight in zip(code.biases, code.weights, strict=True)
    ]


def _unanimous(code: Code, colluders: int) -> float:
    """Return how often all colluders hold the same row."""
    return sum(_held(code, colluders, 0)) + sum(_held(code, colluders, colluders)) if colluders > 1 else 1.0
