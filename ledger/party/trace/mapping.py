"""Which column of a found file is which of a committed one (docs/format.md §15.7; docs/trace.md §2).

By values, never by names alone: columns that hold the same values are guessed to be the same; rows that agree on a
distinctive column (an anchor) are put beside each other; of the pairs of columns those stay that agree on such rows. A
column that agrees on fewer than nine rows of ten was changed by more than its format, and is not compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ledger.party.dataset.reading.normal import MappedColumn, Reading
from ledger.party.trace.cells import Numbers, among
from ledger.party.trace.found import FoundTable
from ledger.party.trace.overlap import Overlap, find_overlaps

Batches = Callable[[], Iterable[Sequence[Numbers]]]
"""Gives the numbers of all columns of a copy, batch by batch, each time from the first row on."""

_AGREES = 0.9
_LIFT = 0.6
_NEARLY_ALL = 0.98
_ANCHORS = 3
_MIN_PAIRS, _MAX_PAIRS = 500, 60_000
_MAX_CELLS = 6_000_000
_ROUNDS = 4
_Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Beside:
    """Found rows and committed rows that have the same value in an anchor's columns."""

    found: dict[tuple[int, Reading], Numbers]
    copy: list[Numbers]
    found_rows: npt.NDArray[np.int64]


def find_mapping(found: FoundTable, columns: Sequence[str], batches: Batches) -> list[MappedColumn]:
    """Return the mapping under which the found table is most like a copy with these `columns`; empty if nothing is.

    `batches` is gone through once for a first look, and once for every anchor.
    """
    by_key = {_key(item): item for item in find_overlaps(found, batches(), columns)}
    prior = {key: item.prior for key, item in by_key.items()}
    guess = _assign(prior)
    anchors = sorted((by_key[key] for key in guess), key=lambda item: item.partners / item.held)[:_ANCHORS]
    best: tuple[float, list[MappedColumn]] = (0.0, [])
    for anchor in anchors:
        weight, mapping = _settle(_put_beside(found, anchor, batches(), len(columns)), guess, prior)
        if weight > best[0]:
            best = (weight, mapping)
    return best[1]


_Key = tuple[int, Reading, int]


def _key(item: Overlap) -> _Key:
    return item.sample.column, item.sample.reading, item.column


def _assign(scores: Mapping[_Key, float]) -> list[_Key]:
    """Pair columns, best first, each once."""
    pairs: list[_Key] = []
    found, columns = set(), set()
    for key in sorted(scores, key=lambda key: (-scores[key], key)):
        if key[0] not in found and key[2] not in columns:
            pairs.append(key)
            found.add(key[0])
            columns.add(key[2])
    return pairs


def _put_beside(found: FoundTable, anchor: Overlap, copy: Iterable[Sequence[Numbers]], columns: int) -> _Beside:
    """Pair rows that share one of the anchor's values: as many values as give a bounded number of pairs."""
    bound = max(_MIN_PAIRS, min(_MAX_PAIRS, _MAX_CELLS // (len(found.columns) + columns)))
    pairs_by_value = anchor.sample.counts * anchor.in_copy
    order = np.argsort(pairs_by_value, kind="stable")
    order = order[pairs_by_value[order] > 0]
    chosen = max(1, int(np.searchsorted(np.cumsum(pairs_by_value[order]), bound, side="right")))
    values = np.sort(anchor.sample.values[order[:chosen]])
    ours = found.numbers(anchor.sample.column, anchor.sample.reading)
    rows = np.concatenate(
        [part.start + np.flatnonzero(among(np.asarray(ours[part]), values)) for part in found.parts()]
    )[:bound]
    theirs: list[list[Numbers]] = []
    kept = 0
    for batch in copy:
        here = np.flatnonzero(among(batch[anchor.column], values))[: bound - kept]
        kept += len(here)
        theirs.append([column[here] for column in batch])
    copied = [np.concatenate(parts) for parts in zip(*theirs, strict=True)]
    left, right = _pairs(np.asarray(ours[rows]), copied[anchor.column], bound)
    kinds = [(column, reading) for column, readings in enumerate(found.readings) for reading in readings]
    return _Beside(
        {kind: np.asarray(found.numbers(*kind)[rows])[left] for kind in kinds},
        [column[right] for column in copied],
        rows[left],
    )


def _pairs(ours: Numbers, theirs: Numbers, bound: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return every pair of positions of equal numbers, up to a bound."""
    order = np.argsort(theirs, kind="stable")
    first = np.searchsorted(theirs[order], ours, side="left")
    many = np.searchsorted(theirs[order], ours, side="right") - first
    many[np.cumsum(many) > 2 * bound] = 0
    left = np.repeat(np.arange(len(ours)), many)
    within = np.arange(len(left)) - np.repeat(np.cumsum(many) - many, many)
    return left, order[np.repeat(first, many) + within]


def _settle(beside: _Beside, guess: list[_Key], prior: dict[_Key, float]) -> tuple[float, list[MappedColumn]]:
    """Let rows choose columns and columns choose rows, in turn, until neither changes; return a weight of what came."""
    if not len(beside.found_rows):
        return 0.0, []
    pairs, agreed = guess, {}
    for _ in range(_ROUNDS):
        partners = _partners(beside, pairs)
        agreed = _agreement(beside, partners, prior)
        chosen = _assign({key: value + prior[key] / 100 for key, value in agreed.items()})
        if chosen == pairs:
            break
        pairs = chosen
    weight = (
        sum(_surprise(beside, key) * agreed[key] for key in pairs) * len(_partners(beside, pairs)) if pairs else 0.0
    )
    mapping = [MappedColumn(column=column, found=found, reading=reading) for found, reading, column in pairs]
    return weight, sorted(mapping, key=lambda item: item.column)


def _partners(beside: _Beside, pairs: list[_Key]) -> npt.NDArray[np.int64]:
    """Return, for every found row that has one, the pair of rows that agrees most, on half of the columns at least."""
    score = np.zeros(len(beside.found_rows))
    weights = [_surprise(beside, key) for key in pairs]
    for (found, reading, column), weight in zip(pairs, weights, strict=True):
        score += weight * (beside.found[found, reading] == beside.copy[column])
    order = np.lexsort((-score, beside.found_rows))
    best = order[np.unique(beside.found_rows[order], return_index=True)[1]]
    return best[score[best] >= sum(weights) / 2]


def _surprise(beside: _Beside, key: _Key) -> float:
    """Return how many bits it takes to say a value of the committed column: what everybody has, tells nobody apart."""
    _, counts = np.unique(beside.copy[key[2]], return_counts=True)
    shares = counts / counts.sum()
    return float(-np.log2((shares**2).sum())) + 0.01


def _agreement(beside: _Beside, partners: npt.NDArray[np.int64], prior: dict[_Key, float]) -> dict[_Key, float]:
    """Return the pairs of columns that agree on rows put beside each other, and would not on others.

    A column in which nearly every row is the same agrees on others too: it may stay where it agrees on nearly all.
    """
    result: dict[_Key, float] = {}
    if not len(partners):
        return result
    others = np.roll(partners, len(partners) // 2 + 1)
    for key in prior:
        ours, theirs = beside.found[key[0], key[1]], beside.copy[key[2]]
        share = float((ours[partners] == theirs[partners]).mean())
        by_chance = float((ours[partners] == theirs[others]).mean())
        if share >= _AGREES and (share >= _NEARLY_ALL or share - by_chance >= _LIFT * (1 - by_chance)):
            result[key] = share
    return result
