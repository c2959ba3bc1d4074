"""How the cells of one column are drawn anew: like the column's own, and uniformly (docs/marks.md §8).

Each kind learns from a sample of the column, and replaces the cell of a base row by one of at least 2^bits values, all
equally likely given that row, no two with the same normal form (docs/format.md §15.7). Some
values are not counted, since those that exist already are drawn too, and dropped.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from random import Random
from typing import Any, Protocol

from ledger.party.dataset.reading.cells import Cell
from ledger.party.dataset.reading.normal import normal_form

Rank = Callable[[str], Any]
"""A value's place in the order of a column, or None; equal places are equal normal forms."""
SPARE = 0.9
"""The part of the values that is counted: the rest may be dropped, for being real, or marks already."""
COVER = 0.6
"""The part of the column that must keep the bits that are claimed; other rows are not a base of a mark."""
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,17})?", re.ASCII)
_RUN = re.compile("A+|a+")
_MANY_RUNS = 16
_FEW_BITS = 8
_CACHED = 65_536
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:t[0-9:.]+)?", re.ASCII)


class Redraw(Protocol):
    """One column drawn anew: `bits` a cell, `is_name` if no two rows of the table may have the same cell in it."""

    bits: int
    is_name: bool

    def fits(self, cell: Cell) -> bool:
        """Tell whether a row with this cell can be the base of a mark."""
        ...

    def draw(self, cell: str, random: Random) -> str:
        """Return a new cell; one that is in the table is dropped by whoever asked, where `is_name`."""
        ...


class Template:
    """Identifiers such as N102UW: each piece one of those in its place, in cells of the same shape.

    A piece is a character; or, where digits make enough values, a run of letters, which often is a convention.
    """

    is_name = True

    def __init__(self, cells: Sequence[str], taken: int) -> None:
        """Learn the shapes; `taken` is how many values may be dropped for being taken: real cells, and other marks."""
        self.bits, self._pieces = self._learn(cells, taken, _shape)
        self._shape = _shape
        if self.bits < _FEW_BITS:
            self.bits, self._pieces = self._learn(cells, taken, _loose_shape)
            self._shape = _loose_shape

    def fits(self, cell: Cell) -> bool:
        """Tell whether the cell has a shape with enough values."""
        return cell is not None and self._shape(cell) in self._pieces

    def draw(self, cell: str, random: Random) -> str:
        """Return another identifier of the same shape."""
        while True:
            drawn = "".join(map(random.choice, self._pieces[self._shape(cell)]))
            # 12E3 and 120E2 are one number to whoever compares.
            if drawn.isdecimal() or normal_form(drawn) == drawn.lower():
                return drawn

    @staticmethod
    def _learn(cells: Sequence[str], taken: int, shape: Callable[[str], str]) -> tuple[int, dict[str, list[list[str]]]]:
        """Return the bits that most cells have, and the pieces of each shape that has as many."""
        alike: dict[str, list[str]] = {}
        for cell in cells:
            alike.setdefault(shape(cell), []).append(cell)
        pieces = {form: _pieces(form, same) for form, same in alike.items()}
        rooms = {form: _bits(SPARE * math.prod(map(_different, places)) - taken) for form, places in pieces.items()}
        common = _common({form: (len(alike[form]), bits) for form, bits in rooms.items()})
        return common, {form: places for form, places in pieces.items() if rooms[form] >= common}


class FirstWord:
    """Texts of several words: the first is replaced by the first word of another row."""

    is_name = True

    def __init__(self, cells: Sequence[str], rows: int) -> None:
        """Learn the first words, and how many of them the table's `rows` rows already have before the same rest."""
        words = {cell.split(" ", 1)[0] for cell in cells if " " in cell}
        kept = {word.lower(): word for word in words if normal_form(word) == word.lower()}
        self._words = [kept[word] for word in sorted(kept)]
        # What is taken is drawn and dropped: of 120 numbers of a street with 110 houses, ten are left, not 120.
        self._taken = Counter(_rest(cell) for cell in {cell.lower() for cell in cells} if " " in cell)
        self._share = rows / max(1, len(cells))
        rooms = Counter(self._room(cell) for cell in cells if " " in cell)
        self.bits = _common({str(bits): (times, bits) for bits, times in rooms.items()})

    def fits(self, cell: Cell) -> bool:
        """Tell whether there are two words, and enough others that may stand before the rest."""
        return cell is not None and " " in cell and self._room(cell) >= self.bits

    def draw(self, cell: str, random: Random) -> str:
        """Return the text with another first word."""
        return f"{random.choice(self._words)} {cell.split(' ', 1)[1]}"

    def _room(self, cell: str) -> int:
        return _bits(SPARE * len(self._words) - self._share * self._taken[_rest(cell.lower())])


class Nearby:
    """Values that recur, in an order: one of those next to the base's, by rank."""

    is_name = False

    def __init__(self, cells: Iterable[str], part: int, rank: Rank) -> None:
        """Learn the values that have a rank; a window holds about one `part`-th of them."""
        self._rank = rank
        ranked = {place: cell for cell in cells if (place := rank(cell)) is not None}
        self._places = sorted(ranked)
        self._cells = [ranked[place] for place in self._places]
        self.bits = _bits(len(ranked) / part)
        self._window = min(math.ceil(2**self.bits / SPARE), len(ranked))

    def fits(self, cell: Cell) -> bool:
        """Tell whether the cell has a rank."""
        return cell is not None and self._rank(cell) is not None

    def draw(self, cell: str, random: Random) -> str:
        """Return one of the nearest values."""
        place = bisect_left(self._places, self._rank(cell))
        low = min(max(place - self._window // 2, 0), len(self._cells) - self._window)
        return random.choice(self._cells[low : low + self._window])


class Between:
    """Numbers that hardly recur: any with as many decimals as the base's, between neighbours of it by rank."""

    def __init__(self, cells: Sequence[str], part: int, taken: float, *, is_name: bool) -> None:
        """Learn the values; a window holds about one `part`-th of them, for each of which `taken` may be there."""
        self.is_name = is_name
        self._values = sorted({Decimal(cell) for cell in cells})
        self._half = max(1, len(self._values) // part // 2)
        self._taken = taken * 2 * self._half if is_name else 0.0
        # Numbers that are written without trailing zeros never end in one.
        self._no_zeros = not any("." in cell and cell.endswith("0") for cell in cells)
        rooms = Counter(map(self._room, cells))
        self.bits = _common({str(bits): (times, bits) for bits, times in rooms.items()})

    def fits(self, cell: Cell) -> bool:
        """Tell whether there are enough numbers around the cell's."""
        return cell is not None and number(cell) is not None and self._room(cell) >= self.bits

    def draw(self, cell: str, random: Random) -> str:
        """Return another number, written as the base's is."""
        decimals, low, high = self._limits(cell)
        while True:
            drawn = random.randint(low, high)
            if not (decimals and self._no_zeros and drawn % 10 == 0):
                return f"{Decimal(drawn).scaleb(-decimals):.{decimals}f}"

    def _room(self, cell: str) -> int:
        decimals, low, high = self._limits(cell)
        part = SPARE * SPARE if decimals and self._no_zeros else SPARE
        return _bits(part * (high - low + 1) - self._taken)

    def _limits(self, cell: str) -> tuple[int, int, int]:
        """Return the cell's decimals, and the least and the greatest number around it, in units of the last one."""
        decimals = len(cell.partition(".")[2])
        place, last = bisect_left(self._values, Decimal(cell)), len(self._values) - 1
        low = self._values[max(0, place - self._half)].scaleb(decimals)
        high = self._values[min(last, place + self._half)].scaleb(decimals)
        return decimals, math.ceil(low), math.floor(high)


class PastTheLast:
    """Whole numbers that name rows, without gaps: numbers past the last one, for there are no others."""

    is_name = True

    def __init__(self, cells: Iterable[str], marks: int) -> None:
        """Learn the last number; `marks` rows will be drawn at most."""
        self._first = max(map(int, cells)) + 1
        self.bits = _bits(SPARE * 4 * marks - marks)
        self._count = 4 * marks

    def fits(self, cell: Cell) -> bool:
        """Tell whether it is a whole number."""
        return cell is not None and cell.isdecimal()

    def draw(self, cell: str, random: Random) -> str:  # noqa: ARG002 - any base will do
        """Return a number past the last."""
        return str(self._first + random.randrange(self._count))


@lru_cache(_CACHED)
def number(cell: str) -> Decimal | None:
    """Return the number that a cell is, where it is written plainly; equal numbers have one normal form."""
    return Decimal(cell) if _NUMBER.fullmatch(cell) else None


@lru_cache(_CACHED)
def date(cell: str) -> str | None:
    """Return the normal form of a date, or of a date and a time, which sorts as time does."""
    normal = normal_form(cell)
    return normal if normal is not None and _DATE.fullmatch(normal) else None


def _rest(cell: str) -> str:
    return cell.split(" ", 1)[1]


def _shape(cell: str) -> str:
    """Return the kinds of a cell's characters; what is neither ASCII letter nor digit stands for itself."""
    return "".join("9" if "0" <= c <= "9" else "A" if "A" <= c <= "Z" else "a" if "a" <= c <= "z" else c for c in cell)


def _loose_shape(cell: str) -> str:
    """Return where letters or digits are, of whatever kind: for identifiers of which no two have the same shape."""
    return "".join("*" if c.isascii() and c.isalnum() else c for c in cell)


def _pieces(form: str, cells: Sequence[str]) -> list[list[str]]:
    spans = [match.span() for match in _RUN.finditer(form)] if form.count("9") > 1 else []
    whole = {start: end for start, end in spans if len({cell[start:end] for cell in cells}) >= _MANY_RUNS}
    pieces, place = [], 0
    while place < len(form):
        end = whole.get(place, place + 1)
        pieces.append(sorted({cell[place:end] for cell in cells}))
        place = end
    return pieces


def _different(piece: Sequence[str]) -> float:
    """Return how many equally likely normal forms a piece has: upper and lower case are one."""
    folded = len({text.lower() for text in piece})
    return folded if folded == len(piece) else len(piece) / 2


def _bits(count: float) -> int:
    return int(math.log2(count)) if count >= 1 else 0


def _common(rooms: dict[str, tuple[int, int]]) -> int:
    """Return the most bits that COVER of the cells have; `rooms` are (cells, bits)."""
    total, covered = sum(cells for cells, _ in rooms.values()), 0
    for cells, bits in sorted(rooms.values(), key=lambda room: -room[1]):
        covered += cells
        if covered >= COVER * total:
            return bits
    return 0
