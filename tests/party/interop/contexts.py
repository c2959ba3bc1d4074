"""Contexts for a JSON-LD processor that may fetch nothing.

ODRL's is http://www.w3.org/ns/odrl.jsonld (w3c/ns, 10 April 2025) as far as terms here use it, with its one
misspelling; the older form of it, which connectors still ship, misspells `neq`, too.
"""

from __future__ import annotations

from typing import Any

from pyld import jsonld  # type: ignore[import-untyped] # it has no types

ODRL = "http://www.w3.org/ns/odrl/2/"
URL = "http://www.w3.org/ns/odrl.jsonld"
_PREFIXES = {
    "dct": "http://purl.org/dc/terms/",
    "odrl": ODRL,
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_PLAIN = (
    "Agreement Offer Set Policy aggregate anonymize attribute delete derive distribute grantUse inform obtainConsent "
    "read reproduce sell transfer use prohibit perm invalid count dateTime elapsedTime product purpose recipient "
    "spatial version eq gt gteq lt lteq neq isA isPartOf isAllOf isAnyOf isNoneOf rightOperand or xone and andSequence"
)
_IDS = "profile target assigner assignee permission prohibition obligation duty consequence constraint refinement"
_WORDS = "conflict action operator leftOperand"

PUBLISHED: dict[str, Any] = {
    "@context": {
        **_PREFIXES,
        **{name: f"odrl:{name}" for name in _PLAIN.split()},
        **{name: {"@id": f"odrl:{name}", "@type": "@id"} for name in _IDS.split()},
        **{name: {"@id": f"odrl:{name}", "@type": "@vocab"} for name in _WORDS.split()},
        "industry": "odrl:industry:",
        "type": "@type",
        "uid": "@id",
    }
}
OLDER: dict[str, Any] = {"@context": PUBLISHED["@context"] | {"neq": "odrl:neg"}}


def processor_options(odrl: dict[str, Any] = PUBLISHED) -> dict[str, Any]:
    """Return options with which pyld knows ODRL's context, and asks nobody."""

    def load(url: str, _options: object) -> dict[str, Any]:
        if url != URL:
            raise AssertionError(f"a test fetches nothing: {url}")
        return {"contentType": "application/ld+json", "contextUrl": None, "document": odrl, "documentUrl": url}

    return {"documentLoader": load}


def expand(document: Any, odrl: dict[str, Any] = PUBLISHED) -> Any:
    """Return a document's expansion by a real JSON-LD processor."""
    return jsonld.expand(document, processor_options(odrl))


def to_quads(document: Any, odrl: dict[str, Any] = PUBLISHED) -> str:
    """Return a document's RDF as N-Quads."""
    return str(jsonld.to_rdf(document, processor_options(odrl) | {"format": "application/n-quads"}))
