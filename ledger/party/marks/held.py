"""What other columns say of the places of an identifier: a birthday within it, a digit that is odd for men. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ledger.party.dataset.reading.cells import Cell
from ledger.party.marks.scales import NEARLY

_FEW = 64
_SHORTEST, _DATE = 2, 8
_FEWEST_ROWS = 20
_LONGEST = 64
_MOST_ROWS = 2000
_YEARS = range(1900, 2101)


@dataclass(frozen=True)
class Held:
    """Of identifiers of one `length`: places that are not drawn, characters that are alike, and columns that say so.

    `alike` gives for a place, and for a character that stands there, those that may stand there instead.
    """

    length: int = 0
    closed: frozenset[int] = frozenset()
    alike: Mapping[int, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    columns: frozenset[int] = frozenset()


NOTHING_HELD = Held()


def held(cells: Sequence[Cell], others: Mapping[int, Sequence[Cell]]) -> Held:
    """Learn from identifiers and, row by row, the cells of other columns."""
    length = Counter(len(cell) for cell in cells if cell).most_common(1)[0][0] if any(cells) else 0
    rows = [number for number, cell in enumerate(cells) if cell and len(cell) == length][:_MOST_ROWS]
    if len(rows) < max(_FEWEST_ROWS, NEARLY * min(len(cells), _MOST_ROWS)) or length > _LONGEST:
        return NOTHING_HELD
    texts = [str(cells[number]) for number in rows]
    letters = [[text[place] for text in texts] for place in range(length)]
    closed, columns = _dated(texts), set[int]()
    signs: list[dict[str, tuple[str, ...]]] = [dict.fromkeys(some, ()) for some in letters]
    for column, other in others.items():
        there = [other[number] or "" for number in rows]
        span = _span(texts, ["".join(filter(str.isalnum, cell)) for cell in there])
        if span or not 1 < len(set(there)) <= _FEW:
            closed |= span
            columns |= {column} if span else set()
            continue
        for place, some in enumerate(letters):
            if _decided(there, some) is not None:
                closed.add(place)
                columns.add(column)
            elif (means := _decided(some, there)) is not None:
                signs[place] = {letter: (*sign, means[letter]) for letter, sign in signs[place].items()}
                columns.add(column)
    alike = {
        place: {letter: [other for other in sign if sign[other] == sign[letter]] for letter in sign}
        for place, sign in enumerate(signs)
        if any(sign.values())
    }
    return Held(length, frozenset(closed), alike, frozenset(columns))


def _span(texts: Sequence[str], parts: Sequence[str]) -> set[int]:
    """Return where cells of another column stand in nearly all texts: always at one place."""
    starts = Counter(
        (text.find(part), len(part)) for text, part in zip(texts, parts, strict=True) if len(part) >= _SHORTEST
    )
    (start, size), times = starts.most_common(1)[0] if starts else ((-1, 0), 0)
    return set(range(start, start + size)) if start >= 0 and times >= NEARLY * len(texts) else set()


def _dated(texts: Sequence[str]) -> set[int]:
    """Return the places of eight digits that nearly always are a day: 19850312."""
    for start in range(len(texts[0]) - _DATE + 1):
        if sum(_is_day(text[start : start + _DATE]) for text in texts) >= NEARLY * len(texts):
            return set(range(start, start + _DATE))
    return set()


def _is_day(digits: str) -> bool:
    if not (digits.isascii() and digits.isdigit()) or int(digits[:4]) not in _YEARS:
        return False
    try:
        datetime(int(digits[:4]), int(digits[4:6]), int(digits[6:]))  # noqa: DTZ001 - whether there is such a day
    except ValueError:
        return False
    return True


def _decided(one: Sequence[str], two: Sequence[str]) -> dict[str, str] | None:
    """Return what each value of one goes with, where that nearly always holds and two has several; else None."""
    groups: dict[str, Counter[str]] = {}
    for mine, other in zip(one, two, strict=True):
        groups.setdefault(mine, Counter())[other] += 1
    commonest = {mine: counts.most_common(1)[0] for mine, counts in groups.items()}
    is_varied = Counter(two).most_common(1)[0][1] < 0.95 * len(two)
    holds = sum(times for _, times in commonest.values()) >= NEARLY * len(one)
    return {mine: other for mine, (other, _) in commonest.items()} if is_varied and holds else None
