"""A listing as DCAT 3 in JSON-LD; what DCAT has no word for stands under names of our own and can be read back."""

from __future__ import annotations

import re
from collections.abc import Callable

from ledger.core.encoding import Json
from ledger.party.chain.told import Told
from ledger.party.interop.contexts import DCAT, DCT, FOAF, LEDGER, PROV, RDFS, SPDX, XSD
from ledger.party.interop.own import OWN, PREFIX, time_value, write_own
from ledger.statements.listing import DESCRIPTION

CONTEXT: dict[str, Json] = {
    "dcat": DCAT,
    "dct": DCT,
    "foaf": FOAF,
    "prov": PROV,
    "rdfs": RDFS,
    "spdx": SPDX,
    "xsd": XSD,
    PREFIX: OWN,
}
_MEDIA_TYPES = "https://www.iana.org/assignments/media-types/"
_SHA256 = SPDX + "checksumAlgorithm_sha256"
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+", re.ASCII)
_USES = {"license": "dct:license", "copyright": "dct:rights", "classification": "dct:accessRights"}
Write = Callable[[Json], Json]


def described(versions: list[Told]) -> dict[str, Json]:
    """Return the fields of a listing as its statements, in order, leave them (docs/statements.md §3)."""
    fields: dict[str, Json] = {}
    for told in versions:
        fields |= {name: value for name, value in told.fields.items() if name in DESCRIPTION}
    return fields


def export_listing(listing: str, versions: list[Told]) -> dict[str, Json]:
    """Return a listing as a `dcat:Dataset` in JSON-LD, from its statements in the order of the log (at least one)."""
    fields = described(versions)
    first, last = versions[0], versions[-1]
    document: dict[str, Json] = {
        "@context": CONTEXT,
        "@id": LEDGER + listing,
        "@type": "dcat:Dataset",
        "dct:issued": time_value(first.time_ms),
        "prov:wasAttributedTo": {"@id": f"{LEDGER}party:{first.issuer}"},
    }
    if last is not first:
        document["dct:modified"] = time_value(last.time_ms)
    for name, (spelt, write) in _FIELDS.items():
        if name in fields:
            document[spelt] = _unless_sealed(fields[name], write)
    use = fields.get("use")
    if isinstance(use, dict) and not _is_sealed(use):
        document |= {_USES[name]: _unless_sealed(use[name], _named) for name in _USES if name in use}
        rest = {name: value for name, value in use.items() if name not in _USES}
        document |= {f"{PREFIX}:use": write_own(rest)} if rest else {}
    elif use is not None:
        document[f"{PREFIX}:use"] = write_own(use)
    return document


def _is_sealed(value: Json) -> bool:
    return isinstance(value, dict) and value.keys() == {"sealed"}


def _unless_sealed(value: Json, write: Write) -> Json:
    return write_own(value) if _is_sealed(value) else write(value)


def _each(write: Write) -> Write:
    """Return a writer of a list, whose items may be sealed one by one."""
    return lambda values: [_unless_sealed(value, write) for value in values]


def _same(value: Json) -> Json:
    return value


def _agent(name: Json) -> Json:
    return {"@type": "foaf:Agent", "foaf:name": name}


def _named(text: Json) -> Json:
    """Return an IRI as a reference, other words as they are."""
    return {"@id": text} if _IRI.fullmatch(text) else text


def _standard(text: Json) -> Json:
    return {"@id": text} if _IRI.fullmatch(text) else {"@type": "dct:Standard", "dct:title": text}


def _place(code: Json) -> Json:
    return {"@type": "dct:Location", "dct:identifier": code}


def _period(value: Json) -> Json:
    start, end = time_value(value["from_ms"]), time_value(value["until_ms"])
    return {"@type": "dct:PeriodOfTime", "dcat:endDate": end, "dcat:startDate": start}


def _checksum(value: Json) -> Json:
    return {"@type": "spdx:Checksum", "spdx:algorithm": {"@id": _SHA256}, "spdx:checksumValue": value}


def _media_type(value: Json) -> Json:
    return {"@id": _MEDIA_TYPES + value}


def _bytes(value: Json) -> Json:
    return {"@type": "xsd:nonNegativeInteger", "@value": str(value)}


def _distribution(value: Json) -> Json:
    found = {"@type": "dcat:Distribution"}
    for name, (spelt, write) in _DISTRIBUTION.items():
        if name in value:
            found[spelt] = _unless_sealed(value[name], write)
    return found


def _source(value: Json) -> Json:
    found: dict[str, Json] = {"dct:title": _unless_sealed(value["title"], _same)}
    uri = value.get("uri")
    if isinstance(uri, str) and _IRI.fullmatch(uri):
        found["@id"] = uri
    elif uri is not None:
        found[f"{PREFIX}:uri"] = write_own(uri)
    if "publisher" in value:
        found["dct:publisher"] = _unless_sealed(value["publisher"], _agent)
    if "retrieved_ms" in value:
        found[f"{PREFIX}:retrieved"] = _unless_sealed(value["retrieved_ms"], time_value)
    return found


def _origin(listing: Json) -> Json:
    return {"@id": LEDGER + listing}


_DISTRIBUTION: dict[str, tuple[str, Write]] = {
    "access_url": ("dcat:accessURL", _named),
    "bytes": ("dcat:byteSize", _bytes),
    "media_type": ("dcat:mediaType", _media_type),
    "sha256": ("spdx:checksum", _checksum),
    "title": ("dct:title", _same),
}
_FIELDS: dict[str, tuple[str, Write]] = {
    "title": ("dct:title", _same),
    "description": ("dct:description", _same),
    "publisher": ("dct:publisher", _agent),
    "rights_holder": ("dct:rightsHolder", _agent),
    "version": ("dcat:version", _same),
    "keywords": ("dcat:keyword", _each(_same)),
    "spatial": ("dct:spatial", _each(_place)),
    "temporal": ("dct:temporal", _period),
    "conforms_to": ("dct:conformsTo", _each(_standard)),
    "distributions": ("dcat:distribution", _each(_distribution)),
    "sources": ("dct:source", _each(_source)),
    "derived_from": ("prov:wasDerivedFrom", _each(_origin)),
    "classification": (f"{PREFIX}:classification", write_own),
    "venue": (f"{PREFIX}:venue", write_own),
}
"""How each field is written, and under which name."""
