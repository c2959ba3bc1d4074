"""What of a code is seen, counted by bias and bits, and the sum and strength that its score follows from (§4)."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from ledger.core.encoding import b64decode
from ledger.party.dataset.reading.cells import parse_record
from ledger.party.dataset.reading.normal import MappedColumn, normal_form
from ledger.party.evidence.parts.documents import Documents
from ledger.party.evidence.report.examples import sealed_marks, seed_of
from ledger.party.marks.pool import CodePool, parse_pool
from ledger.party.marks.words import UNIT, word_bits

_LAMBDAS = [step / 64 for step in range(1, 257)]
Kind = tuple[float, int, int]
"""Bias p, bit x that was drawn, bit y that is found."""


@dataclass(frozen=True)
class CodeSums:
    """S, the strength λ that makes most of it, and Σ ln at that strength; `kinds`: how many positions are alike."""

    kinds: dict[Kind, int]
    agreement: float
    strength: float
    cost: float


def code_sums(documents: Documents) -> CodeSums | None:
    """Return them for a code from a pool of which something is seen; None for any other marks."""
    sealed, seed = sealed_marks(documents), seed_of(documents)
    if sealed is None or seed is None or sealed["method"] != "tardos":
        return None
    pool = parse_pool(sealed)
    kinds = _kinds(documents, pool, seed) if isinstance(pool, CodePool) else {}
    if not kinds:
        return None
    agreement = math.fsum(count * _gain(*kind) for kind, count in kinds.items())
    cost, strength = min(
        ((_cost(kinds, strength), strength) for strength in _LAMBDAS), key=lambda pair: pair[0] - pair[1] * agreement
    )
    return CodeSums(kinds, agreement, strength, cost)


def _kinds(documents: Documents, pool: CodePool, seed: str) -> dict[Kind, int]:
    evidence = documents.evidence
    mapping = [MappedColumn(**item) for item in evidence["mapping"]]
    rows = [parse_record(b64decode(item["value"])) for item in evidence["found_rows"]]
    there = {tuple(normal_form(row[item.found], item.reading) for item in mapping) for row in rows}
    offer = next(one for one in documents.gathered.told() if one.id == documents.case.transfer)
    retired = set(offer.fields["marks"].get("retired", ()))
    drawn = word_bits(pool.key_bytes, seed, range(len(pool.positions)), pool.biases)
    counted: Counter[Kind] = Counter()
    for number, (position, x) in enumerate(zip(pool.positions, drawn, strict=True)):
        cells = [parse_record(record) for record in position.records]
        zero, one = (tuple(normal_form(row[item.column]) for item in mapping) in there for row in cells)
        if zero != one and number not in retired:
            counted[position.bias / UNIT, int(x), int(one)] += 1
    return dict(sorted(counted.items()))


def _gain(p: float, x: int, y: int) -> float:
    size = math.sqrt((1 - p) / p) if x else math.sqrt(p / (1 - p))
    return size if x == y else -size


def _cost(kinds: dict[Kind, int], strength: float) -> float:
    return math.fsum(
        count * math.log(p * math.exp(strength * _gain(p, 1, y)) + (1 - p) * math.exp(strength * _gain(p, 0, y)))
        for (p, _, y), count in kinds.items()
    )
