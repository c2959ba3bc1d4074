"""Places that no cell of a column has: between its neighbours, or, if nothing is left there, beyond an end.

Pure but for the source of randomness.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Iterable
from random import Random
from statistics import median

from ledger.party.marks.scales import Place, Scale

_ROOM = 1.2
"""Free places for each that is asked for: with fewer, too many tries would meet what is taken."""
_WIDE = 16
"""A gap so many times the usual one stays empty: telephone numbers begin with some digits and not with others."""
_NARROW = 128
_TRIES = 24
Line = tuple[str, ...]


class Gaps:
    """The free places of a column whose cells have an order.

    If `count` new ones do not all find room between the others (numbers with few gaps, or without), the rest are drawn
    beyond an end: before the first, where later rows do not come, or past the last by as many as the table has.
    """

    def __init__(self, scale: Scale, cells: Iterable[str], count: int) -> None:
        """Learn every place that is taken, or those of a sample."""
        self._scale = scale
        taken: dict[Line, set[int]] = {}
        finest: dict[Line, Place] = {}
        for cell in cells:
            place = scale.place(cell)
            if place is not None:
                taken.setdefault(place.line, set()).add(place.at)
                finest[place.line] = min(place, finest.get(place.line, place), key=lambda one: scale.grid(one.style)[0])
        self._gaps: dict[Line, list[tuple[int, int]]] = {}
        free = 0
        for line, place in finest.items():
            places, step = sorted(taken[line]), scale.grid(place.style)[0]
            steps = [high - low for low, high in itertools.pairwise(places)]
            most = _WIDE * max(step, median(steps) if steps else 0)
            self._gaps[line] = [
                (low, low + size) for low, size in zip(places, steps, strict=False) if step < size <= most
            ]
            free += sum((high - low) // step - 1 for low, high in self._gaps[line])
        self._hidden = free / (_ROOM * count) if count else 1.0
        """The part that is drawn between the others; all of it if 1 or more."""
        self._ends = {line: self._end(place, sorted(taken[line]), count) for line, place in finest.items()}

    @property
    def is_full(self) -> bool:
        """Whether there is too little room between the others."""
        return self._hidden < 1

    def draw(self, cell: str, random: Random) -> str | None:
        """Return a new cell near a cell that is there; None where none was found."""
        place = self._scale.place(cell)
        if place is not None and place.line in self._ends and random.random() >= self._hidden:
            return self._within(self._ends[place.line], place, random)
        gaps = [] if place is None else self._gaps.get(place.line, [])
        if place is None or not gaps:
            return None
        middle, reach = bisect_left(gaps, (place.at, place.at)), max(2, len(gaps) // _NARROW)
        while True:
            near = gaps[max(0, middle - reach) : middle + reach]
            for _ in range(_TRIES):
                drawn = self._within(random.choice(near), place, random)
                if drawn is not None:
                    return drawn
            if len(near) == len(gaps):
                return None
            reach *= 4

    def _within(self, gap: tuple[int, int], place: Place, random: Random) -> str | None:
        step, offset = self._scale.grid(place.style)
        first, last = (gap[0] - offset) // step + 1, -((offset - gap[1]) // step) - 1
        return (
            self._scale.write(place._replace(at=random.randint(first, last) * step + offset)) if first <= last else None
        )

    def _end(self, place: Place, places: list[int], count: int) -> tuple[int, int]:
        """Return the gap before the first place of a full line, or, if that has negative numbers, one past the last."""
        step = self._scale.grid(place.style)[0]
        span = int(_ROOM * count + 1) * step
        before, past = places[0] - span, places[-1] + step * len(places)
        if (before > 0 or places[0] <= 0) and self._scale.write(place._replace(at=before)) is not None:
            return before, places[0]
        return past, past + span
