"""The normal form of a cell, and rows that are equal under a mapping (docs/format.md §15.7).

Somebody who reorders, renames or reformats what was handed over changes bytes; the normal form is what stays.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from ledger.core.encoding import MAX_INTEGER
from ledger.core.errors import FormatError
from ledger.core.unicode import has_unassigned
from ledger.party.dataset.reading.cells import Cell
from ledger.party.dataset.reading.decimals import exact_decimal
from ledger.statements.fields import Model

Reading = Literal["text", "comma", "dmy", "mdy"]
"""How a column is written: as it stands, with a decimal comma, or with the day or the month first."""
READINGS: tuple[Reading, ...] = ("text", "comma", "dmy", "mdy")
MAX_NUMBER = 100

_SPACES = re.compile("[\t-\r \x85\u1680\u2028\u2029]+")
_PLAIN = re.compile(r"[a-z][a-z0-9_-]*|0|-?[1-9][0-9]{0,80}", re.ASCII)
_NUMBER = re.compile(
    r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?(?:e[+-]?[0-9]{1,3})?"
    r"|[+-]?\.[0-9]+(?:e[+-]?[0-9]{1,3})?",
    re.ASCII,
)
# Whether a capital sigma is final depends on what stands beside it, and what these are changed after Unicode 14.0.
_SIGMA, _UNSETTLED = "\u03a3", frozenset("\u0295\U0001171e")
_SWAP = str.maketrans(".,", ",.")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTH_NUMBERS = {name: number for number, whole in enumerate(_MONTHS, 1) for name in (whole, whole[:3])}
_MONTH = "(?P<name>" + "|".join(sorted(_MONTH_NUMBERS, key=len, reverse=True)) + ")"
_TIME = (
    r"(?:[ t](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,9}))?)?"
    r"(?:z|(?P<sign>[+-])(?P<off_hour>[0-9]{2}):(?P<off_minute>[0-9]{2}))?)?"
)
_YEAR, _DAY, _NUMERIC_MONTH = "(?P<year>[0-9]{4})", "(?P<day>[0-9]{1,2})", "(?P<month>[0-9]{1,2})"
_YMD = f"{_YEAR}(?P<mark>[-/.]){_NUMERIC_MONTH}(?P=mark){_DAY}"
_NAMED = (f"{_DAY}(?P<mark>[ -]){_MONTH}(?P=mark){_YEAR}", f"{_MONTH} {_DAY},? {_YEAR}")
_ORDERED = {
    "dmy": f"{_DAY}(?P<mark>[-/.]){_NUMERIC_MONTH}(?P=mark){_YEAR}",
    "mdy": f"{_NUMERIC_MONTH}(?P<mark>[-/.]){_DAY}(?P=mark){_YEAR}",
}


def _dates(*forms: str) -> list[re.Pattern[str]]:
    return [re.compile(form + _TIME, re.ASCII) for form in (_YMD, *forms, *_NAMED)]


_DATES: dict[Reading, list[re.Pattern[str]]] = {
    "text": _dates(),
    "comma": _dates(),
    "dmy": _dates(_ORDERED["dmy"]),
    "mdy": _dates(_ORDERED["mdy"]),
}


class MappedColumn(Model):
    """That `column` of the committed table is column `found` of the found one, read as `reading`; both from 0."""

    column: Annotated[int, Field(ge=0, le=MAX_INTEGER)]
    found: Annotated[int, Field(ge=0, le=MAX_INTEGER)]
    reading: Reading


def is_comparable(cell: Cell) -> bool:
    """Tell whether a cell has a normal form, the same in every version of Unicode from 14.0 on (format.md §15.8)."""
    if cell is None or cell.isascii():
        return True
    if has_unassigned(cell):
        return False
    text = unicodedata.normalize("NFKC", cell)
    return _SIGMA not in text or _UNSETTLED.isdisjoint(text)


def normal_form(cell: Cell, reading: Reading = "text") -> str | None:
    """Return the normal form of a canonical cell, or None: for what is missing, empty, or white space alone.

    What is not comparable has none; it gets a text that two programs may write in two ways.
    """
    if cell is None:
        return None
    text = cell if cell.isascii() else unicodedata.normalize("NFKC", cell)
    text = text.lower()
    if _PLAIN.fullmatch(text):
        return text
    text = _SPACES.sub(" ", text).strip(" ")
    if not text:
        return None
    number = text.translate(_SWAP) if reading == "comma" else text
    if _NUMBER.fullmatch(number):
        return exact_decimal(number.replace(",", ""), MAX_NUMBER) or text
    return _date(text, reading) or text


def check_mapping(mapping: Sequence[MappedColumn], column_count: int, found_count: int) -> None:
    """Raise FormatError unless columns ascend, each `column` and `found` stands once, and both tables have them."""
    columns, found = [item.column for item in mapping], [item.found for item in mapping]
    if columns != sorted(set(columns)) or len(set(found)) != len(found):
        raise FormatError("wrong-value", "/mapping", "columns ascend, and each stands once")
    if any(column >= column_count for column in columns) or any(column >= found_count for column in found):
        raise FormatError("wrong-value", "/mapping", "it names a column that is not there")


def equals(record: Sequence[Cell], found: Sequence[Cell], mapping: Sequence[MappedColumn]) -> bool:
    """Tell whether a found row equals a committed record under a mapping that `check_mapping` took.

    What is not comparable equals nothing.
    """
    something = False
    for item in mapping:
        if not (is_comparable(record[item.column]) and is_comparable(found[item.found])):
            return False
        ours = normal_form(record[item.column])
        if ours != normal_form(found[item.found], item.reading):
            return False
        something = something or ours is not None
    return something


def _date(text: str, reading: Reading) -> str | None:
    if not text[-1].isdigit() and text[-1] != "z":
        return None
    for pattern in _DATES[reading]:
        match = pattern.fullmatch(text)
        if match is not None:
            return _moment(match.groupdict())
    return None


def _moment(part: dict[str, str | None]) -> str | None:
    """Return the normal form of a date with or without a time, or None if there is no such moment."""
    name = part.get("name")
    month = _MONTH_NUMBERS[name] if name else int(part["month"] or 0)
    hour, minute, second = (int(part[unit] or 0) for unit in ("hour", "minute", "second"))
    off_hour, off_minute = int(part["off_hour"] or 0), int(part["off_minute"] or 0)
    if off_minute > 59 or (off_hour, off_minute) > (14, 0):
        return None
    offset = timedelta(hours=off_hour, minutes=off_minute)
    try:
        moment = datetime(int(part["year"] or 0), month, int(part["day"] or 0), hour, minute, second)  # noqa: DTZ001 - in UTC, or in no zone at all
        moment = moment + offset if part["sign"] == "-" else moment - offset
    except (ValueError, OverflowError):
        return None
    date, time = f"{moment.year:04}-{moment.month:02}-{moment.day:02}", f"{moment:%H:%M:%S}"
    fraction = (part["fraction"] or "").rstrip("0")
    if time == "00:00:00" and not fraction:
        return date
    return f"{date}t{time}.{fraction}" if fraction else f"{date}t{time}"
