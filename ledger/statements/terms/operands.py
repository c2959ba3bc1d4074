"""Right operands, read as what they are compared by (docs/terms.md §3.1, §5.1).

`unjudgeable-terms` says that a value has not the form that its left operand asks for; `wrong-value`, that a list or a
text is out of its bounds (§3.2). Pointers are relative to the right operand.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from ledger.core.encoding import MAX_INTEGER, Json
from ledger.core.errors import FormatError

MAX_WORDS = 200
MAX_WORD = 200

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATE_TIME = re.compile(r"(19[7-9][0-9]|[2-9][0-9]{3})-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3})?Z")
_NUMBER = "([0-9]{1,6})"
_DURATION = re.compile(rf"P(?:{_NUMBER}D)?(T(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?")
_VERSION = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,3}")


def date_time_ms(value: Json) -> int:
    """Return the Unix milliseconds of an `xsd:dateTime`, 1970 to 9999; raise FormatError."""
    text = _typed(value, "xsd:dateTime")
    if not _DATE_TIME.fullmatch(text):
        _unjudgeable("a dateTime is YYYY-MM-DDThh:mm:ss(.sss)?Z, from 1970 on", "/@value")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        _unjudgeable("there is no such moment", "/@value")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def duration_ms(value: Json) -> int:
    """Return the milliseconds of an `xsd:duration` of days, hours, minutes and seconds; raise FormatError."""
    match = _DURATION.fullmatch(_typed(value, "xsd:duration"))
    days, clock, *parts = match.groups() if match else (None, "T")
    if clock == "T" or (days is None and clock is None):
        _unjudgeable("a duration is P(nD)?(T(nH)?(nM)?(nS)?)?, with 1 to 6 digits and at least one part", "/@value")
    hours, minutes, seconds = (int(part or 0) for part in parts)
    return 1000 * (((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + seconds)


def size(value: Json) -> int:
    """Return an integer of 0 … 2^53 − 1; raise FormatError."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_INTEGER:
        _unjudgeable("an integer of 0 … 2^53 − 1")
    return value


def word(value: Json) -> str:
    """Return one *line(200)*; raise FormatError."""
    if not isinstance(value, str):
        _unjudgeable("one text")
    if not 1 <= len(value) <= MAX_WORD or "\n" in value:
        raise FormatError("wrong-value", detail=f"one line of 1 to {MAX_WORD} characters")
    return value


def words(value: Json) -> frozenset[str]:
    """Return a list of 1 to 200 lines as a set; raise FormatError."""
    if not isinstance(value, list):
        _unjudgeable("a list of texts")
    if not 1 <= len(value) <= MAX_WORDS:
        raise FormatError("wrong-value", detail=f"1 to {MAX_WORDS} texts")
    found = set()
    for position, item in enumerate(value):
        try:
            found.add(word(item))
        except FormatError as error:
            raise FormatError(error.reason, f"/{position}", error.detail) from error
    return frozenset(found)


def version_numbers(text: str) -> tuple[int, ...] | None:
    """Return the numbers of a version, without zeros at the end, which order it; None where it has not that form."""
    if not _VERSION.fullmatch(text):
        return None
    numbers = [int(number) for number in text.split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def ordered_version(value: Json) -> tuple[int, ...]:
    """Return the numbers of a right operand that versions are ordered by; raise FormatError."""
    numbers = version_numbers(word(value))
    if numbers is None:
        _unjudgeable("1 to 4 numbers of 1 to 9 digits, joined by dots")
    return numbers


def _typed(value: Json, kind: str) -> str:
    """Return the text of a JSON-LD typed value."""
    if not isinstance(value, dict) or value.keys() != {"@type", "@value"}:
        _unjudgeable(f'{{"@type": "{kind}", "@value": …}}')
    if value["@type"] != kind:
        _unjudgeable(kind, "/@type")
    text = value["@value"]
    if not isinstance(text, str):
        _unjudgeable("a text", "/@value")
    return text


def _unjudgeable(detail: str, field: str = "") -> NoReturn:
    raise FormatError("unjudgeable-terms", field, detail)
