"""One form in which a dataset is had: `dcat:Distribution`, `cr:FileObject`, schema.org's DataDownload."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ledger.core.encoding import Json
from ledger.party.interop.contexts import CROISSANT, DCAT, DCT, SCHEMA, SPDX
from ledger.party.interop.fitting import ListingDraft, one_line
from ledger.party.interop.foreign import Left
from ledger.party.interop.jsonld import Graph, Item, Literal, Node, Value
from ledger.party.interop.own import is_sealed
from ledger.party.interop.values import byte_count, choose, label, media_type

DISTRIBUTIONS = (DCAT + "distribution", SCHEMA + "distribution")
ANY_MEDIA_TYPE = "application/octet-stream"

_CHECKSUM = SPDX + "checksum"
_LICENSES = (DCT + "license", SCHEMA + "license")
_MEMBERS: dict[str, tuple[str, ...]] = {
    "media_type": (DCAT + "mediaType", SCHEMA + "encodingFormat", DCT + "format"),
    "bytes": (DCAT + "byteSize", SCHEMA + "contentSize"),
    "title": (DCT + "title", SCHEMA + "name"),
    "sha256": (SCHEMA + "sha256", CROISSANT + "sha256"),
    "access_url": (DCAT + "accessURL", DCAT + "downloadURL", SCHEMA + "contentUrl", SCHEMA + "url"),
}


def read_distribution(item: Item, graph: Graph, language: str, draft: ListingDraft) -> dict[str, Json] | None:
    """Return a distribution's members, or None for one that is not a file; report what does not fit."""
    if isinstance(item, Literal) or is_sealed(item):
        draft.leave(item.pointer, "distribution", "no object, or sealed in another statement")
        return None
    node = graph.resolve(item)
    if CROISSANT + "FileSet" in node.types:
        draft.leave(node.pointer, label(node, graph, language) or "FileSet", "a pattern of files, and no file")
        return None
    found: dict[str, Json] = {}
    done = {_CHECKSUM}
    for member, names in _MEMBERS.items():
        done.update(names)
        values = [Value(item, node.names[name]) for name in names for item in node.properties.get(name, [])]
        draft.left += [
            Left(item.pointer, name, "sealed in another statement") for item, name in values if is_sealed(item)
        ]
        _member(found, member, [value for value in values if not is_sealed(value.item)], graph, draft)
    for checksum in node.properties.get(_CHECKSUM, []):
        _checksum(found, checksum, graph, draft)
    if "media_type" not in found:
        found["media_type"] = ANY_MEDIA_TYPE
        draft.leave(node.pointer, "media_type", f"none is said: {ANY_MEDIA_TYPE} stands for it")
    for iri in _LICENSES:
        for said in node.properties.get(iri, []):
            # Many catalogues say it here and not of the dataset.
            draft.put_in("use", "license", one_line(label(said, graph, language)), said.pointer, node.names[iri])
    done.update(_LICENSES)
    for iri, items in node.properties.items():
        if iri not in done and items:
            draft.leave(items[0].pointer, node.names[iri], "a distribution of a listing has no such field")
    return found


def _member(
    found: dict[str, Json],
    member: str,
    values: Sequence[Value],
    graph: Graph,
    draft: ListingDraft,
) -> None:
    """Set a member to the first value that fits; report the others, but for the same said twice."""
    read = _READ[member]
    for item, name in values:
        text = label(item, graph, "en") if not isinstance(item, Node) or item.properties else item.id
        try:
            value = read(text)
        except ValueError as error:
            draft.leave(item.pointer, name, str(error))
            continue
        if found.setdefault(member, value) != value:
            draft.leave(item.pointer, name, f"another value was taken: {text[:100]!r} is left out")


def _sha256(text: str) -> str:
    if re.fullmatch(r"[0-9A-Fa-f]{64}", text, re.ASCII) is None:
        raise ValueError("not 64 hex digits")
    return text.lower()


_READ: dict[str, Callable[[str], Json]] = {
    "media_type": media_type,
    "bytes": byte_count,
    "title": one_line,
    "sha256": _sha256,
    "access_url": str.strip,
}


def _checksum(found: dict[str, Json], item: Item, graph: Graph, draft: ListingDraft) -> None:
    node = graph.resolve(item) if isinstance(item, Node) else Node("", item.pointer)
    algorithm, _ = choose(node.properties.get(SPDX + "algorithm", []), "")
    value, _ = choose(node.properties.get(SPDX + "checksumValue", []), "")
    name = label(algorithm, graph, "") if algorithm is not None else ""
    if value is None or not re.search(r"sha-?256$", name, re.IGNORECASE):
        draft.leave(item.pointer, "checksum", f"a listing has SHA-256 only, not {name or 'one without an algorithm'}")
        return
    _member(found, "sha256", [Value(value, "checksumValue")], graph, draft)
