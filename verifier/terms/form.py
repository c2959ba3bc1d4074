"""The form of right operands, and the integers that they stand for (docs/terms.md §3.1, §5.1)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from verifier.core.jcs import MAX_INTEGER, Json
from verifier.terms.vocabulary import OF_SETS, ORDERINGS

MAX_LINE_CHARS = 200
MAX_OPERANDS = 200
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_MS_PER_UNIT = (86_400_000, 3_600_000, 60_000, 1000)

_date_time = re.compile(
    "([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\\.([0-9]{3}))?Z"
).fullmatch
_duration = re.compile(
    "P(?:([0-9]{1,6})D)?(?:T(?=[0-9])(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,6})S)?)?"
).fullmatch
_version = re.compile("[0-9]{1,9}(?:\\.[0-9]{1,9}){0,3}").fullmatch


class OutOfBounds(Exception):
    """A list or a text is too short or too long: `wrong-value`, as everywhere (docs/terms.md §3.2)."""


def parse_date_time(text: str) -> int | None:
    """Return Unix milliseconds, 1970 to 9999, of `YYYY-MM-DDThh:mm:ss(.sss)?Z`; None for anything else."""
    match = _date_time(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    try:
        moment = datetime(year, month, day, hour, minute, second, int(match[7] or 0) * 1000, tzinfo=UTC)
    except ValueError:  # a day that does not exist, a leap second
        return None
    return (moment - EPOCH) // _MS if year >= EPOCH.year else None


def parse_duration(text: str) -> int | None:
    """Return the milliseconds of `P(nD)?(T(nH)?(nM)?(nS)?)?`; None for anything else."""
    match = _duration(text)
    if match is None or not any(match.groups()):
        return None
    return sum(int(part or 0) * unit_ms for part, unit_ms in zip(match.groups(), _MS_PER_UNIT, strict=True))


def parse_version(text: str) -> tuple[int, int, int, int] | None:
    """Return the four numbers of a version that has an order, missing ones being 0; None if it has none."""
    if not _version(text):
        return None
    first, second, third, fourth, *_ = [*map(int, text.split(".")), 0, 0, 0]
    return first, second, third, fourth


def _parse_typed(value: Json, kind: str) -> str | None:
    if type(value) is not dict or value.keys() != {"@type", "@value"} or value["@type"] != kind:
        return None
    text = value["@value"]
    return text if type(text) is str else None


def _parse_one(operand: str, operator: str, value: Json) -> str | int | None:
    if operand == "dateTime":
        text = _parse_typed(value, "xsd:dateTime")
        return None if text is None else parse_date_time(text)
    if operand == "elapsedTime":
        text = _parse_typed(value, "xsd:duration")
        return None if text is None else parse_duration(text)
    if operand == "count":
        return value if type(value) is int and 0 <= value <= MAX_INTEGER else None
    if type(value) is not str:
        return None
    if not 1 <= len(value) <= MAX_LINE_CHARS or "\n" in value:
        raise OutOfBounds
    if operand == "version" and operator in ORDERINGS and parse_version(value) is None:
        return None
    return value


def parse_operand(operand: str, operator: str, value: Json) -> tuple[str | int, ...] | None:
    """Return the values of a right operand, integers as §5.1 says; None if it is not of the form that §3.1 gives.

    Raises `OutOfBounds` for a list or a text of that form that is too short or too long.
    """
    if operator not in OF_SETS:
        single = _parse_one(operand, operator, value)
        return None if single is None else (single,)
    if type(value) is not list:
        return None
    if not 1 <= len(value) <= MAX_OPERANDS:
        raise OutOfBounds
    values = tuple(_parse_one(operand, operator, item) for item in value)
    return tuple(item for item in values if item is not None) if None not in values else None
