"""Right operands of other people's ODRL, as the texts that docs/terms.md §3.1 has for the same thing.

What has a fixed meaning there under another spelling is respelt (a date, an offset from UTC, weeks, the IRI of a
vocabulary). What has none is refused: guessing what two companies agreed on is not an import.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from ledger.core.encoding import MAX_INTEGER, Json
from ledger.party.interop.contexts import LEDGER, XSD
from ledger.party.interop.errors import Unjudgeable
from ledger.party.interop.jsonld import Item, Literal

SETS = frozenset({"isAllOf", "isAnyOf", "isNoneOf"})
ORDERS = frozenset({"eq", "neq", "lt", "lteq", "gt", "gteq"})
OPERATORS = SETS | ORDERS | {"isA", "isPartOf"}
LEFT_OPERANDS = frozenset(
    {"count", "dateTime", "elapsedTime", "industry", "product", "purpose", "recipient", "spatial", "version"}
)
_DAY = timedelta(days=1)
_DPV = re.compile(r"(?:https?://(?:www\.)?(?:w3id\.org/dpv|w3\.org/ns/dpv)(?:/owl)?[#/]|dpv:)([A-Za-z]+)")
_PARTY = LEDGER + "party:"
_COUNTRY = re.compile(r"https?://publications\.europa\.eu/resource/authority/country/([A-Z]{3})")
_ALPHA_3 = (
    "AUT:AT BEL:BE BGR:BG CYP:CY CZE:CZ DEU:DE DNK:DK EST:EE ESP:ES FIN:FI FRA:FR GRC:GR HRV:HR HUN:HU IRL:IE ITA:IT "
    "LTU:LT LUX:LU LVA:LV MLT:MT NLD:NL POL:PL PRT:PT ROU:RO SWE:SE SVN:SI SVK:SK ISL:IS LIE:LI NOR:NO GBR:GB USA:US "
    "CHE:CH CHN:CN JPN:JP CAN:CA AUS:AU"
)
COUNTRIES = dict(pair.split(":") for pair in _ALPHA_3.split())
_ISO_REGION = re.compile(r"https?://www\.iso\.org/obp/ui/#iso:code:3166:([A-Z]{2}(?:-[A-Z0-9]{1,3})?)")
_DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII)


class Operand(NamedTuple):
    """What a right operand becomes: the operator may change with it; `notes` say what was read how."""

    operator: str
    value: Json
    notes: list[str]


def read_operand(left: str, operator: str, items: Sequence[Item], datatype: str, pointer: str) -> Operand:
    """Return the right operand of a constraint; raise Unjudgeable. `datatype` is an IRI or empty."""
    if not items:
        raise Unjudgeable("it has no right operand", pointer)
    if left == "dateTime":
        return _moment(operator, _one(items, pointer), datatype)
    notes: list[str] = []
    values = [_value(left, item, datatype, notes) for item in items]
    if operator in SETS:
        return Operand(operator, values, notes)
    if len(values) != 1:
        raise Unjudgeable(f"{operator} takes one right operand, not {len(values)}", pointer)
    return Operand(operator, values[0], notes)


def region(text: str) -> str:
    """Return the code of a region that a vocabulary's IRI names, or the text as it is."""
    country, iso = _COUNTRY.fullmatch(text), _ISO_REGION.fullmatch(text)
    if country is not None:
        return COUNTRIES.get(country[1], text)
    return iso[1] if iso is not None else text


def parse_moment(text: str) -> tuple[datetime, bool]:
    """Return an RFC 3339 moment or date as UTC, and whether the text said its offset; raise ValueError."""
    moment = datetime.fromisoformat(text)
    said = moment.tzinfo is not None
    return (moment.astimezone(UTC) if said else moment.replace(tzinfo=UTC)), said


def _one(items: Sequence[Item], pointer: str) -> Literal:
    if len(items) != 1 or not isinstance(items[0], Literal):
        raise Unjudgeable("one value was expected as right operand", pointer)
    return items[0]


def _moment(operator: str, literal: Literal, datatype: str) -> Operand:
    text, kind = literal.text.strip(), literal.datatype or datatype
    try:
        moment, said = parse_moment(text)
    except (ValueError, OverflowError) as error:
        raise Unjudgeable(f"{text[:60]!r} is not a dateTime", literal.pointer) from error
    if moment.year < 1970 or moment.microsecond % 1000:
        raise Unjudgeable("a moment from 1970 on, to the millisecond at most", literal.pointer)
    notes = [] if said else [f"{text} says no time zone: read as UTC"]
    if kind == XSD + "date" or re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        # A day is not a moment: "until the day" includes it, "after the day" begins with the next.
        if operator not in {"lt", "lteq", "gt", "gteq"}:
            raise Unjudgeable(f"{operator} a whole day has no moment that it could be compared with", literal.pointer)
        if operator in {"lteq", "gt"}:
            operator, moment = {"lteq": "lt", "gt": "gteq"}[operator], moment + _DAY
        notes = [f"the day {text} is read as a day of UTC"]
    return Operand(operator, {"@type": "xsd:dateTime", "@value": format_moment(moment)}, notes)


def format_moment(moment: datetime) -> str:
    """Return a moment of UTC as docs/terms.md §3.1 writes it."""
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")


def _value(left: str, item: Item, datatype: str, notes: list[str]) -> Json:
    text = (item.text if isinstance(item, Literal) else item.id).strip()
    if not text or (not isinstance(item, Literal) and item.properties):
        raise Unjudgeable("a plain value was expected as right operand", item.pointer)
    if left == "count":
        return _count(text, item.pointer)
    if left == "elapsedTime":
        return {"@type": "xsd:duration", "@value": _duration(text, item.pointer)}
    found = _word(left, text)
    if found == text and ("://" in text or not isinstance(item, Literal)):
        notes.append(f"{text} is kept as a word of its own: no table here has it")
    if isinstance(item, Literal) and item.language:
        notes.append(f"the language tag {item.language} of {text!r} is not kept")
    if datatype and datatype not in {XSD + "string", XSD + "anyURI"}:
        notes.append(f"the data type {datatype} of {text!r} is not kept")
    return found


def _word(left: str, text: str) -> str:
    if left == "purpose" and (known := _DPV.fullmatch(text)) is not None:
        return known[1]
    if left == "spatial":
        return region(text)
    return text.removeprefix(_PARTY) if left == "recipient" else text


def _count(text: str, pointer: str) -> int:
    digits = re.fullmatch(r"\+?0*(\d{1,16})(?:\.0*)?", text, re.ASCII)
    if digits is None or int(digits[1]) > MAX_INTEGER:
        raise Unjudgeable(f"{text[:60]!r} is not a count", pointer)
    return int(digits[1])


def _duration(text: str, pointer: str) -> str:
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()) or text.endswith("T"):
        raise Unjudgeable(
            f"{text[:60]!r} is not a length in days, hours, minutes and whole seconds (a year and a month have none)",
            pointer,
        )
    weeks, days, hours, minutes, seconds = (int(part) if part else 0 for part in found.groups())
    parts = {"D": days + 7 * weeks, "H": hours, "M": minutes, "S": seconds}
    if any(number > 999_999 for number in parts.values()):
        raise Unjudgeable("each number of a duration has at most six digits", pointer)
    if not any(parts.values()):
        return "PT0S"
    day = f"{parts['D']}D" if parts["D"] else ""
    clock = "".join(f"{number}{unit}" for unit, number in parts.items() if number and unit != "D")
    return f"P{day}{'T' + clock if clock else ''}"
