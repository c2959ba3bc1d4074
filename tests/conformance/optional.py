"""The optional fields of every type of docs/statements.md, with random values, and the places that may be sealed."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from random import Random
from typing import Any

from ledger.core.encoding import Json
from tests.conformance.random_terms import TermsMaker, sealable
from tests.harness.speech import DAY_MS

_HEX = "5f" * 32
_LAST = 2**53 - 1
WORDS = [
    "Wetter",
    "气象数据集",
    "بيانات الطقس",
    "\U0001d538 data",
    "a/b~c",
    " padded ",
    '"quoted"\\',
    "\u00a0",
    "x" * 40,
]
"""Lines of text in several scripts."""

Make = Callable[[Random, TermsMaker], Json]


def _line(pick: Random, _: TermsMaker) -> Json:
    return pick.choice(WORDS)


def _text(pick: Random, _: TermsMaker) -> Json:
    return "\n".join(pick.choices(WORDS, k=pick.choice([1, 2])))


def _time(pick: Random, terms: TermsMaker) -> Json:
    return pick.choice([0, _LAST, terms.now_ms, terms.now_ms - DAY_MS])


def _lines(pick: Random, _: TermsMaker) -> Json:
    return pick.choices(WORDS, k=pick.choice([1, 1, 2, 3]))


def _size(pick: Random, _: TermsMaker) -> Json:
    return pick.choice([0, 1, _LAST])


def _some(least: int = 1, **makers: Make) -> Make:
    """Return a maker of an object that has some of these members."""

    def make(pick: Random, terms: TermsMaker) -> Json:
        names = pick.sample(sorted(makers), pick.randrange(least, len(makers) + 1))
        return {name: makers[name](pick, terms) for name in names}

    return make


def _all(**makers: Make) -> Make:
    return _some(len(makers), **makers)


def _with(needed: Make, optional: Make) -> Make:
    return lambda pick, terms: needed(pick, terms) | optional(pick, terms)


def _list(make: Make) -> Make:
    return lambda pick, terms: [make(pick, terms) for _ in range(pick.choice([1, 1, 2]))]


def _one(*values: Json) -> Make:
    return lambda pick, _: deepcopy(pick.choice(values))  # what is spoiled later must not spoil the next


def _region(pick: Random, terms: TermsMaker) -> Json:
    return terms.word("spatial") if pick.random() < 0.9 else "somewhere"


_MEDIA = _one("text/csv", "application/vnd.oasis.opendocument.spreadsheet", "a/b")
_DOCUMENT = _all(bytes=_one(1, 5000, _LAST), media_type=_MEDIA, sha256=_one(_HEX))
_CLASSIFICATION = _all(level=_line, authority=_line, as_of_ms=_time)
_DSP = _some(agreement=_line, provider_pid=_line, consumer_pid=_line)
_USE_LINES = ("classification", "consents", "copyright", "license", "patent", "privacy_enhancing", "trademark")
_USE_LISTS = (
    "intended_purpose",
    "processing_excluded",
    "processing_included",
    "storage_allowed",
    "storage_forbidden",
)
_LISTING: dict[str, Make] = {
    "description": _text, "publisher": _line, "rights_holder": _line, "keywords": _lines, "spatial": _list(_region),
    "temporal": lambda pick, terms: {"from_ms": pick.choice([0, terms.now_ms]), "until_ms": _LAST},
    "conforms_to": _lines,
    "distributions": _list(
        _with(_all(media_type=_MEDIA), _some(0, bytes=_size, title=_line, sha256=_one(_HEX), access_url=_line))
    ),
    "sources": _list(_with(_all(title=_line), _some(0, publisher=_line, uri=_line, retrieved_ms=_time))),
    "classification": _CLASSIFICATION,
    "use": _some(1, **dict.fromkeys(_USE_LINES, _line), **dict.fromkeys(_USE_LISTS, _lines)),
}  # fmt: skip
_REASON: dict[str, Make] = {"reason": _text}
OPTIONAL: dict[str, dict[str, Make]] = {
    "party.registered": {
        "identity": _some(
            legal_name=_line,
            jurisdiction=_line,
            registration=_all(authority=_line, number=_line),
            certificates=_all(chain=_one(["AAAA"], ["AAAA", "AAE="]), signature=_one("AA==", "A" * 88)),
        )
    },
    "party.key_revoked": _REASON,
    "listing.registered": _LISTING,
    "listing.amended": _LISTING,
    "listing.withdrawn": _REASON,
    "classification.changed": _REASON,
    "license.agreed": {
        "text": _DOCUMENT, "governing_law": _line, "forum": _line, "dsp": _DSP
    },
    "license.amended": {
        "text": _DOCUMENT, "governing_law": _line, "forum": _line
    },
    "license.ended": _REASON | {"notice": _all(channel=_line, sent_ms=_time)},
    "transfer.offered": {"dsp": _DSP},
    "transfer.refused": _REASON | {"content": _one({"sealed": _HEX})},
    "transfer.forwarded": {"content": _one({"sealed": _HEX})},
    "disclosure.compelled": {"scope": _text, "demanded_ms": _time},
    "usage.reported": {
        "from_ms": _time,
        "until_ms": _time,
        "derivatives": _list(_with(_all(title=_line), _some(0, sha256=_one(_HEX)))),
    },
    "venue.status": {"note": _text},
    "claim.opened": {"demand": _text, "evidence": _DOCUMENT},
    "claim.answered": {"answer": _text},
    "claim.determined": {"decision": _text, "document": _DOCUMENT},
    "erasure.requested": {"authority": _line, "scope": _text},
    "erasure.attested": {"method": _line},
}  # fmt: skip
"""The optional fields by which nothing is decided, for each type."""

_CLASSIFIED = ["/classification", "/classification/level", "/classification/authority", "/classification/as_of_ms"]
_DSP_PLACES = ["/dsp", "/dsp/agreement", "/dsp/provider_pid", "/dsp/consumer_pid"]
_LISTING_PLACES = [
    *(f"/{name}" for name in ("title", "description", "publisher", "rights_holder", "version", "temporal")),
    *(f"/{name}{item}" for name in ("keywords", "spatial", "conforms_to") for item in ("", "/*")),
    "/distributions", "/distributions/*",
    *(f"/distributions/*/{name}" for name in ("media_type", "bytes", "title", "sha256", "access_url")),
    "/sources", "/sources/*", *(f"/sources/*/{name}" for name in ("title", "publisher", "uri", "retrieved_ms")),
    *_CLASSIFIED, "/use", *(f"/use/{name}" for name in _USE_LINES),
    *(f"/use/{name}{item}" for name in _USE_LISTS for item in ("", "/*")), "/venue/name", "/venue/registration",
]  # fmt: skip


def _document(pointer: str) -> list[str]:
    return [pointer, *(f"{pointer}/{name}" for name in ("bytes", "media_type", "sha256"))]


SEALABLE: dict[str, list[str]] = {
    "party.registered": [
        "/identity", "/identity/legal_name", "/identity/jurisdiction", "/identity/registration",
        "/identity/registration/authority", "/identity/registration/number", "/identity/certificates",
    ],
    "party.key_revoked": ["/reason"],
    "listing.registered": _LISTING_PLACES,
    "listing.amended": _LISTING_PLACES,
    "listing.withdrawn": ["/reason"],
    "classification.changed": [*_CLASSIFIED, "/reason"],
    "license.agreed": [*_document("/text"), "/governing_law", "/forum", *_DSP_PLACES],
    "license.amended": [*_document("/text"), "/governing_law", "/forum"],
    "license.ended": ["/notice", "/notice/channel", "/notice/sent_ms", "/reason"],
    "transfer.offered": _DSP_PLACES,
    "transfer.refused": ["/reason"],
    "transfer.forwarded": ["/outsider", "/purpose", "/spatial"],
    "disclosure.compelled": ["/authority", "/instrument", "/scope", "/demanded_ms"],
    "usage.reported": [
        "/purpose", "/spatial", "/industry", "/product", "/recipient", "/count", "/from_ms", "/until_ms",
        "/derivatives", "/derivatives/*", "/derivatives/*/title", "/derivatives/*/sha256",
    ],
    "venue.status": ["/note"],
    "claim.opened": ["/clause", "/demand", *_document("/evidence")],
    "claim.answered": ["/answer"],
    "claim.determined": ["/decision", *_document("/document")],
    "erasure.requested": ["/authority", "/scope"],
    "erasure.attested": ["/method"],
}  # fmt: skip
"""The places marked † (docs/statements.md), `*` being any position; those of terms are found by `sealable`."""
DECIDING = ("/purpose", "/spatial", "/industry", "/product", "/recipient", "/count", "/version", "/outsider")
"""Places that decide something, beside those of terms: sealed more often than others."""


def add_optional(pick: Random, terms: TermsMaker, statement: dict[str, Json], chance: float) -> None:
    """Add each optional field of the statement's type with a chance."""
    for name, make in OPTIONAL.get(statement["type"], {}).items():
        if name not in statement and pick.random() < chance:
            statement[name] = make(pick, terms)


@cache
def _pattern(kind: str) -> re.Pattern[str]:
    alternatives = [re.escape(place).replace(r"\*", r"\d+") for place in SEALABLE.get(kind, [])]
    return re.compile("|".join(alternatives) if alternatives else "(?!)")


def sealable_places(statement: dict[str, Json]) -> list[str]:
    """Return the pointers of all places in a statement that may be sealed."""
    pattern = _pattern(statement["type"])
    found = [pointer for pointer in _pointers(statement, "") if pattern.fullmatch(pointer)]
    if statement["type"] in {"license.agreed", "license.amended"} and isinstance(statement.get("terms"), dict):
        found += [f"/terms{pointer}" for pointer in sealable(statement["terms"])]
    return found


def _pointers(value: Any, at: str) -> list[str]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = []
    for name, child in items:
        pointer = f"{at}/{str(name).replace('~', '~0').replace('/', '~1')}"
        found += [pointer, *_pointers(child, pointer)]
    return found


def choose_seals(pick: Random, statement: dict[str, Json], chance: float) -> list[str]:
    """Choose places to seal, none within another."""
    chosen: list[str] = []
    for pointer in sealable_places(statement):
        is_deciding = pointer.startswith("/terms/") or pointer in DECIDING
        is_chosen = pick.random() < (chance if is_deciding else chance / 3)
        if is_chosen and not any(pointer.startswith(f"{other}/") for other in chosen):
            chosen.append(pointer)
    return chosen
