"""The normal form of a cell and mappings between columns (docs/format.md §15.7): what matches when formats change."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from unicodedata import normalize

from verifier.core.code_points import are_assigned
from verifier.sealed.rows import Cell, Cells, exact_decimal

READINGS = ("comma", "dmy", "mdy", "text")
"""How a found column is read."""
_MAX_NUMBER_CHARS = 100
_spaces = re.compile("[\t-\r \x85\u1680\u2028\u2029]+")
_FINAL_OR_NOT, _CHANGED = "Σ", frozenset("ʕ\U0001171e")
"""The one letter whose small form depends on what is around it; what is something else there since Unicode 15."""
_is_number = re.compile(
    r"([+-]?)(?:([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.([0-9]*))?|()\.([0-9]+))(?:e([+-]?[0-9]{1,3}))?"
).fullmatch
_swapped = str.maketrans(".,", ",.")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_NUMBER_OF = {name[:length]: number for number, name in enumerate(_MONTHS, 1) for length in (3, len(name))}
_MONTH = f"({'|'.join(sorted(_NUMBER_OF, key=len, reverse=True))})"
_TIME = (
    r"(?:[ t]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?(?:z|([+-])([0-9]{2}):([0-9]{2}))?)?"  # one group
)
_D, _M, _Y = "(?P<d>[0-9]{1,2})", "(?P<m>[0-9]{1,2})", "(?P<y>[0-9]{4})"
_NAMED = _MONTH.replace("(", "(?P<name>", 1)
_SEPARATED = "(?P<mark>[-/.])"


def _dates(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern + _TIME) for pattern in patterns)


_EVERYWHERE = _dates(
    f"{_Y}{_SEPARATED}{_M}(?P=mark){_D}",
    f"{_D} {_NAMED} {_Y}",
    f"{_D}-{_NAMED}-{_Y}",
    f"{_NAMED} {_D},? {_Y}",
)
_DATES = {
    "text": _EVERYWHERE,
    "comma": _EVERYWHERE,
    "dmy": _EVERYWHERE + _dates(f"{_D}{_SEPARATED}{_M}(?P=mark){_Y}"),
    "mdy": _EVERYWHERE + _dates(f"{_M}{_SEPARATED}{_D}(?P=mark){_Y}"),
}


@lru_cache(maxsize=1 << 16)
def is_comparable(cell: Cell) -> bool:
    """Tell whether a cell has a normal form (docs/format.md §15.8): the same one in every version of Unicode."""
    if cell is None or cell.isascii():
        return True
    if not are_assigned(cell):
        return False
    return _CHANGED.isdisjoint(text := normalize("NFKC", cell)) or _FINAL_OR_NOT not in text


@lru_cache(maxsize=1 << 16)
def normal_form(cell: Cell, reading: str) -> Cell:
    """Return the normal form of a comparable cell under a reading, None for none."""
    if cell is None:
        return None
    text = _spaces.sub(" ", normalize("NFKC", cell).lower()).strip(" ")
    if not text:
        return None
    number = _number(text.translate(_swapped) if reading == "comma" else text)
    return number or _date(text, reading) or text


def _number(text: str) -> str | None:
    match = _is_number(text)
    if match is None:
        return None
    sign, whole, fraction, _, bare_fraction, exponent = match.groups()
    return exact_decimal(
        sign, (whole or "").replace(",", ""), fraction or bare_fraction or "", int(exponent or 0), _MAX_NUMBER_CHARS
    )


def _date(text: str, reading: str) -> str | None:
    for pattern in _DATES[reading]:
        match = pattern.fullmatch(text)
        if match is not None:
            return _moment(match)
    return None


def _moment(match: re.Match[str]) -> str | None:
    """Return a matched date, and its time unless that is midnight; None if there is no such moment."""
    named = match.groupdict()
    month = _NUMBER_OF[named["name"]] if named.get("name") else int(named["m"])
    hour, minute, second, fraction, sign, ahead_hours, ahead_minutes = match.groups()[-7:]
    try:
        day = date(int(named["y"]), month, int(named["d"]))
        if hour is None:
            return day.isoformat()
        moment = datetime(day.year, day.month, day.day, int(hour), int(minute), int(second or 0))  # noqa: DTZ001
        if sign:
            if int(ahead_minutes) > 59 or int(ahead_hours) * 60 + int(ahead_minutes) > 14 * 60:
                return None
            ahead = timedelta(hours=int(ahead_hours), minutes=int(ahead_minutes))
            moment -= ahead if sign == "+" else -ahead
    except (ValueError, OverflowError):
        return None
    rest = (fraction or "").rstrip("0")
    clock = moment.strftime("%H:%M:%S") + (f".{rest}" if rest else "")
    day_text = moment.date().isoformat()
    return day_text if clock == "00:00:00" else f"{day_text}t{clock}"


class Mapped(NamedTuple):
    """One column of a mapping."""

    column: int
    """Of the committed table, from 0."""
    found: int
    """Of the found file, from 0."""
    reading: str


class Mapping:
    """Which column of a found file is which committed one."""

    def __init__(self, columns: Sequence[Mapped]) -> None:
        self.columns = tuple(columns)

    def of_found(self, row: Cells) -> Cells | None:
        """Return what a found row is compared by; None if it lacks a column, has nothing in any, or cannot be."""
        if any(item.found >= len(row) or not is_comparable(row[item.found]) for item in self.columns):
            return None
        return _unless_empty(tuple(normal_form(row[item.found], item.reading) for item in self.columns))

    def of_record(self, record: Sequence[Cell]) -> Cells | None:
        """Return what a committed record is compared by, likewise."""
        if any(item.column >= len(record) or not is_comparable(record[item.column]) for item in self.columns):
            return None
        return _unless_empty(tuple(normal_form(record[item.column], "text") for item in self.columns))


def _unless_empty(cells: Cells) -> Cells | None:
    return None if all(cell is None for cell in cells) else cells
