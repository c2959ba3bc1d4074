"""Values in catalogues: texts in a language, names of parties, times, sizes, media types, checksums."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from ledger.core.encoding import MAX_INTEGER
from ledger.party.interop.contexts import DCT, FOAF, RDF, RDFS, SCHEMA, VCARD
from ledger.party.interop.jsonld import Graph, Item, Literal
from ledger.party.interop.operands import parse_moment

LABELS = (
    *(FOAF + "name", VCARD + "fn", VCARD + "organization-name", SCHEMA + "name", SCHEMA + "legalName", DCT + "title"),
    *("http://www.w3.org/2004/02/skos/core#prefLabel", RDFS + "label", DCT + "identifier", RDF + "value"),
    *(SCHEMA + "url", SCHEMA + "identifier"),
)
"""Properties that say what a thing is called, the best first."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_PAST_9999 = re.compile(r"(\d{1,16}) ms after 1970", re.ASCII)  # what `words.format_ms` writes there
_MEDIA_IRI = re.compile(r"https?://(?:www\.)?iana\.org/assignments/media-types/(.+)")
_FILE_TYPE = re.compile(r"https?://publications\.europa\.eu/resource/authority/file-type/([A-Z0-9_]+)")
_SIZE = re.compile(r"(\d{1,16})(?:\.0+)?\s*(?:B|bytes?)?", re.ASCII | re.IGNORECASE)


def choose(items: Sequence[Item], language: str) -> tuple[Item | None, list[Item]]:
    """Return the value in `language`, else without one, else the first; and the others."""
    if not items:
        return None, []

    def rank(item: Item) -> int:
        tag = item.language.lower() if isinstance(item, Literal) else ""
        wanted = language.lower()
        return 0 if tag == wanted else 1 if tag.split("-")[0] == wanted.split("-")[0] else 2 if not tag else 3

    best = min(range(len(items)), key=lambda at: (rank(items[at]), at))
    return items[best], [item for at, item in enumerate(items) if at != best]


def label(item: Item, graph: Graph, language: str) -> str:
    """Return what a thing is called: its text, a name that it has, or its IRI; empty for a thing without any."""
    if isinstance(item, Literal):
        return item.text
    node = graph.resolve(item)
    for name in LABELS:
        found, _ = choose(node.properties.get(name, []), language)
        if found is not None:
            return found.text if isinstance(found, Literal) else found.id
    return "" if node.id.startswith("_:") else node.id


def moment_ms(text: str, *, is_end: bool = False) -> int:
    """Return an RFC 3339 moment, or a date, month or year, in Unix milliseconds; raise ValueError.

    A date has no time zone: it is a day of UTC. As the end of a period it is the moment at which that day, month or
    year is over.
    """
    text = text.strip()
    if (past := _PAST_9999.fullmatch(text)) is not None:
        return int(past[1])
    if re.fullmatch(r"\d{4}", text, re.ASCII):
        start, after = datetime(int(text), 1, 1, tzinfo=UTC), datetime(int(text) + 1, 1, 1, tzinfo=UTC)
    elif re.fullmatch(r"\d{4}-\d{2}", text, re.ASCII):
        start = datetime(int(text[:4]), int(text[5:]), 1, tzinfo=UTC)
        after = (start + timedelta(days=31)).replace(day=1)
    else:
        start, said = parse_moment(text)
        is_day = re.fullmatch(r"\d{4}-\d{2}-\d{2}Z?", text, re.ASCII) is not None
        if not said and not is_day:
            raise ValueError("it says no time zone")
        after = start + timedelta(days=1) if is_day else start
    found = (after if is_end else start) - _EPOCH
    if found < timedelta(0) or found % _MILLISECOND:
        raise ValueError("not in whole milliseconds from 1970 on")
    return found // _MILLISECOND


def byte_count(text: str) -> int:
    """Return an exact number of bytes; raise ValueError for a rounded one ("1.2 MB") or none."""
    found = _SIZE.fullmatch(text.strip())
    if found is None or int(found[1]) > MAX_INTEGER:
        raise ValueError("not an exact number of bytes")
    return int(found[1])


def media_type(text: str) -> str:
    """Return a media type from itself, IANA's or the EU's IRI of it, or a suffix such as CSV; raise ValueError."""
    iri, file_type = _MEDIA_IRI.fullmatch(text), _FILE_TYPE.fullmatch(text)
    found = iri[1] if iri is not None else file_type[1] if file_type is not None else text
    found = found.strip().lower()
    if "/" in found and not found.startswith("http"):
        return found.split(";")[0].strip()
    guessed = _TYPES.get(found) or mimetypes.guess_type(f"a.{found}")[0]
    if guessed is None:
        raise ValueError("no media type")
    return guessed


_TYPES = {
    "csv": "text/csv",
    "geojson": "application/geo+json",
    "json": "application/json",
    "json_ld": "application/ld+json",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
    "rdf_turtle": "text/turtle",
    "rdf_xml": "application/rdf+xml",
    "tsv": "text/tab-separated-values",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xml": "application/xml",
    "zip": "application/zip",
}
"""Suffixes, and the local names of the EU's file types, that not every machine's own table knows."""
