"""The drawings of a report, as SVG that a page and a PDF show alike: a timeline, and who handed what to whom."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from ledger.party.chain.told import Told
from ledger.party.evidence.report.events import Event
from ledger.party.evidence.report.rendering import render
from ledger.party.evidence.report.sentences import stamp

_MAX_PARTIES = 24
_EVENTS_A_PICTURE = 6
_LINE = 15
_WORDS_WIDTH = 92
_COLUMN = 255
_BOX = (168, 40)
_GAP = 16
_LABEL = 13
_MAX_LABELS = 6
_FIRST_OTHER = 0x0530  # Armenian: what comes before is Latin, Greek and Cyrillic
_MAX_HEIGHT = 1_000  # what a page holds, drawn over its whole width
_NAME_WIDTH = 22
_CJK = "Noto Serif CJK SC, Noto Sans CJK SC, Source Han Serif SC, SimSun"
_FONTS = {"": "", **dict.fromkeys(("BOPOMOFO", "CJK", "HANGUL", "HIRAGANA", "KATAKANA"), _CJK)}
_OTHER_FONTS = "Noto Naskh Arabic, DejaVu Sans, Noto Sans"


class Arrow(NamedTuple):
    """One hand-off as it is drawn: from party to party, `words` beside it, `is_central` for the one in question."""

    source: str
    target: str
    words: tuple[str, ...]
    is_central: bool = False
    is_dashed: bool = False


def timelines(events: Sequence[Event]) -> list[str]:
    """Return the events drawn in order, six a picture, so that a page break never cuts one."""
    return [_timeline(events[at : at + _EVENTS_A_PICTURE]) for at in range(0, len(events), _EVENTS_A_PICTURE)]


def _timeline(events: Sequence[Event]) -> str:
    rows, top = [], 8
    for event in events:
        lines = textwrap.wrap(event.words, _fitting(event.words, _WORDS_WIDTH))[:4] or [""]
        source = "not on the ledger" if event.index is None else f"entry {event.index}"
        rows.append(
            {
                "top": top,
                "when": stamp(event.time_ms),
                "source": source,
                "lines": [_runs(line) for line in lines],
                "is_proved": event.index is not None,
                "is_central": event.is_central,
            }
        )
        top += max(2, len(lines)) * _LINE + 12
    return render("timeline.svg", rows=rows, height=top + 4, line=_LINE)


def graph(sender: str, arrows: Sequence[Arrow], found: str | None, copy: str) -> str:
    """Return who handed copies to whom; `found` is the name of the file, drawn where it is said to come from: `copy`.

    Parties stand in columns: the sender, those it handed to, those these handed to; under each, what it got. What
    does not fit on a page is counted.
    """
    columns = _columns(sender, arrows)
    notes = {name: _notes(name, arrows) for names in columns for name in names}
    boxes, places, height = [], dict[str, tuple[int, int]](), 0
    for column, names in enumerate(columns):
        y = _GAP
        for name in names:
            if y + _BOX[1] + _LABEL * len(notes[name]) > _MAX_HEIGHT:
                break
            places[name] = (20 + column * _COLUMN, y)
            kind = {"is_found": name == found, "is_copy": name == copy}
            boxes.append({"x": places[name][0], "y": y, "name": _runs(_cut(name)), "notes": notes[name], **kind})
            y += _BOX[1] + _LABEL * len(notes[name]) + _GAP
        height = max(height, y)
    merged = {(arrow.source, arrow.target): arrow for arrow in reversed(arrows)}  # the first is the one in question
    lines = [
        _line(arrow, places) for arrow in reversed(merged.values()) if arrow.source in places and arrow.target in places
    ]
    left_out = len({arrow.target for arrow in arrows} - places.keys())
    return render(
        "handoffs.svg",
        boxes=boxes,
        lines=lines,
        width=max(_COLUMN * len(columns) + 20, 3 * _COLUMN),
        height=height + _LABEL * bool(left_out),
        box=_BOX,
        label=_LABEL,
        left_out=left_out,
    )


def arrows_of(
    handoffs: Sequence[tuple[Told, Told | None]], told: Sequence[Told], labels: dict[str, str], central: str
) -> list[Arrow]:
    """Return the hand-offs of the entries as arrows, the one in question first; then what was forwarded."""
    found = []
    for offer, decided in sorted(handoffs, key=lambda pair: pair[0].id != central):
        state = decided.type.removeprefix("transfer.") if decided is not None else "not acknowledged"
        marked = ", marked" if "marks" in offer.fields else ""
        words = (f"{labels.get(offer.id, '')}, {stamp(offer.time_ms)[:10]}{marked}, {state}",)
        found.append(Arrow(offer.issuer, str(offer.fields["recipient"]), words, offer.id == central))
    for one in told:
        target = one.fields.get("recipient", one.fields.get("outsider"))
        if one.type == "transfer.forwarded" and isinstance(target, str):
            found.append(Arrow(one.issuer, target, (f"passed on, {stamp(one.time_ms)[:10]}",)))
    return found


def _notes(name: str, arrows: Sequence[Arrow]) -> list[dict[str, object]]:
    """Return what is written under a party: what it got, and from whom where several handed to it."""
    here = [arrow for arrow in arrows if arrow.target == name]
    several = len({arrow.source for arrow in here}) > 1
    notes: list[dict[str, object]] = [
        {
            "words": _runs(f"{words} (from {_cut(arrow.source)})" if several else words),
            "is_central": arrow.is_central,
        }
        for arrow in here
        for words in arrow.words
    ]
    if len(notes) > _MAX_LABELS:
        more = {"words": _runs(f"and {len(notes) - _MAX_LABELS + 1} more"), "is_central": False}
        notes = [*notes[: _MAX_LABELS - 1], more]
    return notes


def _columns(sender: str, arrows: Sequence[Arrow]) -> list[list[str]]:
    """Return the parties by how many hand-offs they are from the sender, in the order of the arrows."""
    columns, seen = [[sender]], {sender}
    while columns[-1]:
        below = [
            arrow.target for arrow in dict.fromkeys(arrows) if arrow.source in columns[-1] and arrow.target not in seen
        ]
        below = list(dict.fromkeys(below))[: _MAX_PARTIES - len(seen)]
        seen.update(below)
        columns.append(below)
    others = [name for arrow in arrows for name in (arrow.source,) if name not in seen]
    columns[0] += list(dict.fromkeys(others))[: max(0, _MAX_PARTIES - len(seen))]
    return columns[:-1]


def _line(arrow: Arrow, places: dict[str, tuple[int, int]]) -> dict[str, object]:
    (x1, y1), (x2, y2) = places[arrow.source], places[arrow.target]
    width, height = _BOX
    start: tuple[float, float] = (x1 + width, y1 + height / 2)
    end: tuple[float, float] = (x2, y2 + height / 2)
    if x2 <= x1:  # to somebody in the same or an earlier column: around below
        start, end = (x1 + width / 2, y1 + height), (x2 + width / 2, y2 + height)
    return {
        "x1": start[0],
        "y1": start[1],
        "x2": end[0],
        "y2": end[1],
        "is_central": arrow.is_central,
        "is_dashed": arrow.is_dashed,
    }


def _cut(name: str) -> str:
    width = _fitting(name, _NAME_WIDTH)
    return name if len(name) <= width else f"{name[: width - 1]}…"


def _fitting(words: str, width: int) -> int:
    """Return how many of these characters fit where `width` Latin ones do: ideographs take twice the room."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in words)
    return width * max(1, len(words)) // max(1, len(words) + wide)


def _runs(words: str) -> list[tuple[str, str]]:
    """Return the words cut where the script changes, each with the fonts that have it, or with none of its own.

    A drawing's text falls back to another font as a whole, or not at all: so each script names its own.
    """
    return [("".join(run), _FONTS.get(script, _OTHER_FONTS)) for script, run in groupby(words, _script)]


def _script(character: str) -> str:
    """Return a script's name; Latin, Greek, Cyrillic, digits and punctuation are one, as one font has them."""
    if ord(character) < _FIRST_OTHER or not character.isalpha():
        return ""
    return unicodedata.name(character, "?").partition(" ")[0]
