"""What finding marks says, in bits (docs/marks.md §4, §5). Pure: from what was found to numbers.

Both scores are bounds, not estimates. A word's is Chernoff's bound on the chance that a name which had no part in it is
as close to what was seen: given the biases and what was seen, its bits are independent coins, whatever the pirates did.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ledger.party.marks.bits import millibits
from ledger.party.marks.value import CanaryMarks, MarksValue, TardosMarks
from ledger.party.marks.words import CONTROL_NAMES, UNIT, word_bits

MIN_BITS = 8
"""With fewer bits a row, in the columns that are left, a mark is not told from other rows."""
_READINGS = 4
_LAMBDAS = [step / 64 for step in range(1, 257)]
_LOG2_E = math.log2(math.e)
_CACHED = 65_536


@dataclass(frozen=True)
class Sighting:
    """A found file: how many rows and columns it has, and which committed columns were mapped to one of them."""

    rows: int
    columns: int
    mapped: frozenset[int]


@dataclass(frozen=True)
class Scores:
    """What was found of one transfer's marks: `found` of `of`, and scores in millibits.

    `words` is of every name asked for (tardos), `control` the greatest score of what must not score.
    """

    found: int
    of: int
    chance: int
    words: dict[str, int]
    control: int | None

    def score(self, name: str) -> int:
        """Return the score of the recipient `name`, in millibits."""
        return min(self.words[name], self.chance) if self.words else self.chance


def row_bits(bits: Sequence[int], mapped: Collection[int]) -> int:
    """Return B: how many bits a mark has in the columns that were mapped."""
    return sum(count for column, count in enumerate(bits) if column in mapped)


def chance_bits(found: int, of: int, bits: Sequence[int], sighting: Sighting) -> float:
    """Return the bits that say: a file which owes nothing to marked copies holds `found` of `of` marks.

    The chance is bounded over every choice of marks, of columns to compare, and of how to read them.
    """
    row = row_bits(bits, sighting.mapped)
    if not found or row < MIN_BITS:
        return 0.0
    with_bits = [column for column, count in enumerate(bits) if count]
    mapped = sum(column in sighting.mapped for column in with_bits)
    # Whoever compares picks the columns, the readings and the marks afterwards: each choice costs its bits.
    choices = mapped * math.log2(_READINGS * sighting.columns) + len(with_bits)
    return max(0.0, found * (row - math.log2(sighting.rows)) - _log2_choose(of, found) - choices)


def seen(marks: TardosMarks, found: Collection[bytes]) -> list[tuple[int, int]]:
    """Return the positions of which just one row was found, ascending, each with that row's bit."""
    sights = []
    for number, position in enumerate(marks.positions):
        zero, one = (record in found for record in position.records)
        if zero != one:
            sights.append((number, int(one)))
    return sights


class WordScorer:
    """Scores the words of many names against what was seen: `sights` are positions, each with the bit that was seen."""

    def __init__(self, key: bytes, biases: Sequence[int], sights: Sequence[tuple[int, int]]) -> None:
        """Compute what all names have in common: for each λ, the logarithm of what an innocent expects."""
        self._key = key
        self._biases = biases
        self._sights = sights
        kinds = Counter((biases[position], bit) for position, bit in sights)
        self._costs = [sum(count * _log2_mean(kind, at) for kind, count in kinds.items()) for at in _LAMBDAS]

    def bits(self, name: str) -> float:
        """Return the bits of this name's word: at least 0."""
        word = word_bits(self._key, name, (position for position, _ in self._sights), self._biases)
        total = math.fsum(
            _weight(self._biases[position], bit, x) for (position, bit), x in zip(self._sights, word, strict=True)
        )
        return max(0.0, *(at * total * _LOG2_E - cost for at, cost in zip(_LAMBDAS, self._costs, strict=True)))


def score_marks(marks: MarksValue, found: Collection[bytes], sighting: Sighting, names: Iterable[str]) -> Scores:
    """Return the scores of opened marks; `found` holds canonical records of marks and controls that are in the file.

    `names` are recipients, for a code: whose words to compare.
    """
    count = sum(record in found for record in marks.all_marks)
    of = len(marks.all_marks)
    chance = millibits(chance_bits(count, of, marks.bits, sighting))
    if isinstance(marks, CanaryMarks):
        drawn = marks.control_records
        bits = chance_bits(sum(record in found for record in drawn), len(drawn), marks.bits, sighting)
        return Scores(count, of, chance, {}, millibits(bits) if drawn else None)
    scorer = WordScorer(marks.key_bytes, marks.biases, seen(marks, found))
    words = {name: millibits(scorer.bits(name)) for name in names}
    control = max(millibits(scorer.bits(name)) for name in CONTROL_NAMES)
    return Scores(count, of, chance, words, min(control, chance))


class CodeScores:
    """Scores of all hand-offs beside one found file: a code that many copies carry is scored once, for all `names`."""

    def __init__(self, names: Iterable[str]) -> None:
        """Keep the names, whose words are compared under every code."""
        self._names = tuple(names)
        self._known: dict[tuple[bytes, frozenset[bytes], Sighting], Scores] = {}

    def of(self, marks: MarksValue, found: Collection[bytes], sighting: Sighting) -> Scores:
        """Return what `score_marks` does."""
        if isinstance(marks, CanaryMarks):
            return score_marks(marks, found, sighting, self._names)
        what = (marks.code_digest, frozenset(found), sighting)
        if what not in self._known:
            self._known[what] = score_marks(marks, found, sighting, self._names)
        return self._known[what]


@lru_cache(_CACHED)
def surprise_millibits(found: int, planted: int, records_found: int, records: int) -> int:
    """Return how surprising it is to find `found` of `planted` marks where `records_found` of `records` are found.

    If the file was cut from the copy without regard to the marks, it has the same part of both. Two-sided.
    """
    share = records_found / records
    low = _log2_tail(planted, share, range(found + 1))
    high = _log2_tail(planted, share, range(found, planted + 1))
    return millibits(max(0.0, -1 - min(low, high)))


def _log2_choose(of: int, found: int) -> float:
    return (math.lgamma(of + 1) - math.lgamma(found + 1) - math.lgamma(of - found + 1)) * _LOG2_E


def _weight(bias: int, bit: int, x: int) -> float:
    """Return g(x, y) of the symmetric score: how much agreeing or differing at a position counts."""
    probability = bias / UNIT
    odds = math.sqrt((1 - probability) / probability) if bit else math.sqrt(probability / (1 - probability))
    return odds if x == bit else -1 / odds


def _log2_mean(kind: tuple[int, int], at: float) -> float:
    """Return log2 of the mean of exp(λ·g) over an innocent's bit."""
    bias, bit = kind
    probability = bias / UNIT
    one, zero = (math.exp(at * _weight(bias, bit, x)) for x in (1, 0))
    return math.log2(probability * one + (1 - probability) * zero)


def _log2_tail(planted: int, share: float, counts: range) -> float:
    """Return the logarithm of the probability that a binomial variable is one of `counts`."""
    if share in {0.0, 1.0}:
        return 0.0 if (planted if share else 0) in counts else -math.inf
    yes, no = math.log2(share), math.log1p(-share) * _LOG2_E
    terms = [_log2_choose(planted, k) + k * yes + (planted - k) * no for k in counts]
    # Powers of the greatest: alone, they would be too small for a float.
    greatest = max(terms)
    return greatest + math.log2(math.fsum(2 ** (term - greatest) for term in terms))
