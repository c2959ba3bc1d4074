"""A description of a dataset from a file, whatever it is written in: DCAT, Croissant, schema.org, or the plain form.

The plain form is a JSON object of the fields of `listing.registered` (docs/statements.md §3). A time may be written as
a date or in RFC 3339, under the field's name with or without `_ms`.
"""

from __future__ import annotations

from pathlib import Path

from ledger.core.encoding import Json
from ledger.party.interop.catalogue import import_listing
from ledger.party.interop.errors import NotUnderstood
from ledger.party.interop.fitting import FIELDS, Listing, ListingDraft, fit
from ledger.party.interop.foreign import read_foreign
from ledger.party.interop.values import moment_ms

_TIMES = {"as_of": "as_of_ms", "from": "from_ms", "retrieved": "retrieved_ms", "until": "until_ms"}
_TIMED = ("classification", "sources", "temporal")


def read_listing(path: Path, *, dataset: str | None = None, language: str = "en") -> Listing:
    """Return the fields of the dataset that a file describes, and what did not fit; raise NotUnderstood.

    `dataset` (IRI, identifier or title) picks one of several, `language` (a tag) one of several texts.
    """
    document = read_foreign(path)
    if not isinstance(document, dict | list):
        raise NotUnderstood("an object or a list was expected")
    if isinstance(document, list) or any(name.startswith("@") or ":" in name for name in document):
        return import_listing(document, dataset=dataset, language=language)
    return from_plain(document)


def from_plain(document: dict[str, Json]) -> Listing:
    """Return the fields of a plain form, and what is not a field or does not fit one."""
    draft = ListingDraft()
    for name, value in document.items():
        place = f"/{name}"
        if name not in FIELDS:
            draft.leave(place, name, "a listing has no such field")
            continue
        draft.put(name, _timed(value, place, draft) if name in _TIMED else value, place)
    return fit(draft)


def _timed(value: Json, place: str, draft: ListingDraft) -> Json:
    """Return a value with its times as Unix milliseconds."""
    if isinstance(value, list):
        return [_timed(item, f"{place}/{at}", draft) for at, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    found: dict[str, Json] = {}
    for name, item in value.items():
        member = str(_TIMES.get(name, name))
        if member not in _TIMES.values() or not isinstance(item, str):
            found[name] = item
            continue
        try:
            found[member] = moment_ms(item, is_end=member == "until_ms")
        except ValueError as error:
            draft.leave(f"{place}/{name}", name, str(error))
    return found
