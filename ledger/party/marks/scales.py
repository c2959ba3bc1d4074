"""How cells that have an order are written: each a whole number, its *place*, on one of the column's lines.

Numbers, dates and serials (INV-000123) differ in how they are written, and nowhere else: gaps, neighbours and ends are
those of places. Pure.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, Protocol

NEARLY = 0.98
"""The part of a column's cells for which a rule holds that its marks keep."""
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,17})?", re.ASCII)
_SERIAL = re.compile(r"(?P<before>[^0-9]{0,16})(?P<digits>[0-9]{1,15})(?P<after>[^0-9]{0,16})", re.ASCII)
_TRIED = 50
_PER_LINE = 8
_STEPS = tuple(sorted((part * 10**power for power in range(18) for part in (1, 2, 5)), reverse=True))
_EPOCH = datetime(1, 1, 1)  # noqa: DTZ001 - in no zone: what a cell says, not when it was
_DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y%m%d")
_SHORT = ("%-d.%-m.%Y", "%-d/%-m/%Y", "%-m/%-d/%Y", "%Y/%-m/%-d", "%Y-%-m-%-d")
_NAMED = ("%b %-d %Y", "%b %d %Y", "%-d %b %Y", "%d %b %Y", "%d-%b-%Y", "%B %-d, %Y", "%-d %B %Y", "%b %-d, %Y")
_TIMES = ("%H:%M:%S", "%H:%M", "%H:%M:%SZ")
_FORMS = (*_DAYS, *_SHORT, *_NAMED, *(f"{day}{mark}{time}" for day in _DAYS for mark in " T" for time in _TIMES))


class Place(NamedTuple):
    """Where a cell stands: on which line, at which whole number; `style` is the rest of how it is written."""

    line: tuple[str, ...]
    at: int
    style: int


class Scale(Protocol):
    """One column's way of writing; a place is `unit` of what the cell says: 0.01 where numbers have two decimals."""

    unit: float

    def place(self, cell: str) -> Place | None:
        """Return the place of a cell; None for one that is written otherwise."""
        ...

    def write(self, place: Place) -> str | None:
        """Return the cell of a place; None where it cannot be written as the column's are."""
        ...

    def grid(self, style: int) -> tuple[int, int]:
        """Return step and offset of the places that cells of a style have."""
        ...


class Numbers:
    """Plain decimal numbers; `style` is how many decimals a cell has."""

    def __init__(self, cells: Sequence[str]) -> None:
        """Learn decimals and grid from cells that nearly all are numbers."""
        numbers = [cell for cell in cells if _NUMBER.fullmatch(cell)]
        decimals = Counter(len(cell.partition(".")[2]) for cell in numbers)
        self._decimals = max(decimals)
        self.unit = 10.0**-self._decimals
        self._is_even = len(decimals) == 1
        self._no_zeros = not self._is_even and not any("." in cell and cell.endswith("0") for cell in numbers)
        self._step, self._offset = _grid([self._at(cell) for cell in numbers]) if self._is_even else (1, 0)

    def place(self, cell: str) -> Place | None:
        """Return the place of a number."""
        return Place((), self._at(cell), len(cell.partition(".")[2])) if _NUMBER.fullmatch(cell) else None

    def write(self, place: Place) -> str | None:
        """Return the number, with as many decimals as `style` says; None where it would end in a zero as none does."""
        unit = 10 ** (self._decimals - place.style) if place.style <= self._decimals else 1
        if place.at % unit or (self._no_zeros and place.style and place.at // unit % 10 == 0):
            return None
        written = f"{Decimal(place.at).scaleb(-self._decimals):.{place.style}f}"
        return written if _NUMBER.fullmatch(written) and not (written.startswith("-") and not place.at) else None

    def grid(self, style: int) -> tuple[int, int]:
        """Return the column's grid, or, where decimals differ, that of its style."""
        return (self._step, self._offset) if self._is_even else (10 ** max(0, self._decimals - style), 0)

    def _at(self, cell: str) -> int:
        return int(Decimal(cell).scaleb(self._decimals))


class Dates:
    """Dates, with or without a time, all written in one form: places are months, days or seconds."""

    unit = 1.0

    def __init__(self, cells: Sequence[str], form: str) -> None:
        """Learn the grid of cells that nearly all are of a form."""
        self._form, self._reading = form, form.replace("%-", "%")
        moments = [moment for cell in cells if (moment := self._moment(cell)) is not None]
        midnight = all(moment.time() == _EPOCH.time() for moment in moments)
        self._unit = "month" if midnight and all(moment.day == 1 for moment in moments) else "day"
        self._unit = self._unit if midnight else "second"
        self._step, self._offset = _grid([self._at(moment) for moment in moments])

    def place(self, cell: str) -> Place | None:
        """Return the place of a date of the form."""
        moment = self._moment(cell)
        return None if moment is None else Place((), self._at(moment), 0)

    def write(self, place: Place) -> str | None:
        """Return the date in the column's form; None outside the years 1000 to 9999."""
        if not self._at(datetime(1000, 1, 1)) <= place.at <= self._at(datetime(9999, 12, 31)):  # noqa: DTZ001 - see above
            return None
        if self._unit == "month":
            moment = datetime(place.at // 12, place.at % 12 + 1, 1)  # noqa: DTZ001 - same
        else:
            moment = _EPOCH + (timedelta(days=place.at) if self._unit == "day" else timedelta(seconds=place.at))
        return moment.strftime(self._form)

    def grid(self, style: int) -> tuple[int, int]:  # noqa: ARG002 - all are written alike
        """Return the grid: a week has a step of seven days."""
        return self._step, self._offset

    def _moment(self, cell: str) -> datetime | None:
        try:
            moment = datetime.strptime(cell, self._reading)  # noqa: DTZ007 - in no zone, as it stands there
        except ValueError:
            return None
        return moment if moment.strftime(self._form) == cell else None

    def _at(self, moment: datetime) -> int:
        if self._unit == "month":
            return moment.year * 12 + moment.month - 1
        since = moment - _EPOCH
        return since.days if self._unit == "day" else since.days * 86_400 + since.seconds


class Serials:
    """Numbers with something fixed before or after, such as INV-000123: one line for each of these."""

    unit = 1.0

    def __init__(self, cells: Sequence[str]) -> None:
        """Learn which lines fill their numbers up with zeros."""
        self._widths: dict[tuple[str, ...], int] = {}
        for cell in cells:
            match = _SERIAL.fullmatch(cell)
            if match is not None and match["digits"].startswith("0") and len(match["digits"]) > 1:
                line = (match["before"], match["after"])
                self._widths[line] = max(len(match["digits"]), self._widths.get(line, 0))

    def place(self, cell: str) -> Place | None:
        """Return the place of a serial."""
        match = _SERIAL.fullmatch(cell)
        return None if match is None else Place((match["before"], match["after"]), int(match["digits"]), 0)

    def write(self, place: Place) -> str | None:
        """Return the serial; None where it needs more digits than its line's zeros leave."""
        before, after = place.line
        digits, width = str(place.at), self._widths.get(place.line, 0)
        return f"{before}{digits:0>{width}}{after}" if place.at >= 0 and (not width or len(digits) <= width) else None

    def grid(self, style: int) -> tuple[int, int]:  # noqa: ARG002 - all are written alike
        """Return the grid of whole numbers."""
        return 1, 0


def scale_of(cells: Sequence[str]) -> Scale | None:
    """Return how a column's cells are ordered and written; None where they have no order."""
    if not cells:
        return None
    if sum(_NUMBER.fullmatch(cell) is not None for cell in cells) >= NEARLY * len(cells):
        return Numbers(cells)
    dates = next((Dates(cells, form) for form in _FORMS if _is_of(cells, form)), None)
    if dates is not None:
        return dates
    serials = [match for cell in cells if (match := _SERIAL.fullmatch(cell)) is not None]
    lines = {(match["before"], match["after"]) for match in serials}
    is_serial = len(serials) >= NEARLY * len(cells) and len(lines) <= max(1, len(cells) // _PER_LINE)
    return Serials(cells) if is_serial else None


def _is_of(cells: Sequence[str], form: str) -> bool:
    reading = form.replace("%-", "%")

    def fits(cell: str) -> bool:
        try:
            return datetime.strptime(cell, reading).strftime(form) == cell  # noqa: DTZ007 - see above
        except ValueError:
            return False

    # Nearly every column fails at the first few cells.
    return all(map(fits, cells[:3])) and all(
        sum(map(fits, some)) >= NEARLY * len(some) for some in (cells[:_TRIED], cells)
    )


def _grid(places: Sequence[int]) -> tuple[int, int]:
    """Return the widest step, and its offset, on which nearly all places are."""
    first = places[0]
    step = math.gcd(*(place - first for place in places))
    if step > 1:
        return step, first % step
    for step in _STEPS:
        if sum(place % step == 0 for place in places) >= NEARLY * len(places):
            return step, 0
    return 1, 0
