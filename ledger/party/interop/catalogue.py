"""DCAT 3, Croissant 1.0/1.1 and schema.org descriptions of a dataset, as fields of a listing (docs/statements.md §3).

The vocabularies do not clash, so one table of properties reads them all. What it has no place for is reported by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

from ledger.core.encoding import Json
from ledger.party.interop.contexts import CROISSANT, DCAT, DCT, FOAF, OWL, PROV, RAI, SCHEMA, base_context
from ledger.party.interop.distributions import DISTRIBUTIONS, read_distribution
from ledger.party.interop.errors import NotUnderstood
from ledger.party.interop.fitting import Listing, ListingDraft, fit, lines, one_line
from ledger.party.interop.jsonld import Graph, Item, Literal, Node, Value, read_graph
from ledger.party.interop.operands import region
from ledger.party.interop.own import OWN, is_sealed, read_own
from ledger.party.interop.values import LABELS, choose, label, moment_ms

_DATASETS = (DCAT + "Dataset", DCAT + "DatasetSeries", SCHEMA + "Dataset")
_STATEMENT = re.compile(r"urn:provenance-ledger:(sha256:[0-9a-f]{64})", re.ASCII)
_STARTS = (DCAT + "startDate", SCHEMA + "startDate")
_ENDS = (DCAT + "endDate", SCHEMA + "endDate")
_REASONS = {
    CROISSANT + "recordSet": "the structure of the data is not told to the ledger",
    DCT + "identifier": "a listing is named by its statement id",
    DCT + "issued": "a listing has the time of its entry",
    PROV + "wasAttributedTo": "a listing is its issuer's",
}


def import_listing(document: Json, *, dataset: str | None = None, language: str = "en") -> Listing:
    """Return the fields of the dataset that a DCAT or Croissant document describes, and what did not fit.

    `dataset` (IRI, identifier or title) picks one of several. Raises NotUnderstood if there is not just one.
    """
    graph = read_graph(document, base_context())
    found = {node.id or node.pointer: node for node in graph.of_type(*_DATASETS)}
    if dataset is not None:
        found = {name: node for name, node in found.items() if dataset in _names(node, graph, language)}
    if len(found) != 1:
        names = ", ".join(label(node, graph, language) or node.pointer for node in list(found.values())[:20])
        raise NotUnderstood(f"{len(found)} datasets in the document; name one{': ' if names else ''}{names}")
    return _Reader(graph, language).read(next(iter(found.values())))


def _names(node: Node, graph: Graph, language: str) -> set[str]:
    identifiers = [*node.properties.get(DCT + "identifier", []), *node.properties.get(SCHEMA + "identifier", [])]
    return {node.id, label(node, graph, language), *(label(item, graph, language) for item in identifiers)}


class _Reader:
    """Reads one dataset into a draft, row by row of `_TABLE`."""

    def __init__(self, graph: Graph, language: str) -> None:
        self.graph = graph
        self.language = language
        self.draft = ListingDraft(left=graph.left)

    def read(self, node: Node) -> Listing:
        done: set[str] = set()
        for names, read in _TABLE:
            done.update(names)
            found = [Value(item, node.names[name]) for name in names for item in node.properties.get(name, [])]
            values = [value for value in found if not is_sealed(value.item)]
            for value in found:
                if is_sealed(value.item):
                    self.draft.leave(value.item.pointer, value.name, "sealed in another statement")
            if values:
                read(self, values)
        for iri, items in node.properties.items():
            if iri not in done and items:
                self.draft.leave(items[0].pointer, node.names[iri], _REASONS.get(iri, "a listing has no such field"))
        return fit(self.draft)

    def one(self, values: Sequence[Value]) -> tuple[Value, str] | None:
        """Return the value in the wanted language with its text; report the others."""
        first = [value for value in values if value.name == values[0].name]
        best, _ = choose([value.item for value in first], self.language)
        chosen = next(value for value in first if value.item is best)
        text = label(chosen.item, self.graph, self.language)
        for other in values:
            said = label(other.item, self.graph, self.language)
            if other is not chosen and said != text:
                self.draft.leave(other.item.pointer, other.name, f"another value was taken: {said[:100]!r} is left out")
        if not text:
            self.draft.leave(chosen.item.pointer, chosen.name, "it has no name")
            return None
        self.rest(chosen)
        return chosen, text

    def rest(self, value: Value, *used: str) -> None:
        """Report what a thing says beside its name and `used`."""
        node = self.graph.resolve(value.item) if isinstance(value.item, Node) else None
        for iri, items in node.properties.items() if node is not None else ():
            if iri not in LABELS and iri not in used and items:
                name = f"{value.name}/{node.names[iri] if node else iri}"
                self.draft.leave(items[0].pointer, name, "a listing has no such field")

    def text(self, values: Sequence[Value], field: str, shape: Callable[[str], str] = one_line) -> None:
        if (found := self.one(values)) is not None:
            self.draft.put(field, shape(found[1]), found[0].item.pointer, found[0].name)

    def use(self, values: Sequence[Value], member: str) -> None:
        if (found := self.one(values)) is not None:
            self.draft.put_in("use", member, one_line(found[1]), found[0].item.pointer, found[0].name)

    def purposes(self, values: Sequence[Value]) -> None:
        texts = [one_line(label(value.item, self.graph, self.language)) for value in values]
        self.draft.put_in("use", "intended_purpose", texts, values[0].item.pointer, values[0].name)

    def keywords(self, values: Sequence[Value]) -> None:
        for value in values:
            text = label(value.item, self.graph, self.language)
            # schema.org allows one text with commas; DCAT's keywords are one each, and may hold one.
            for word in text.split(",") if value.name.endswith("keywords") else [text]:
                if one_line(word):
                    self.draft.add("keywords", one_line(word), value.item.pointer, value.name)

    def regions(self, values: Sequence[Value]) -> None:
        for value in values:
            node = self.graph.resolve(value.item) if isinstance(value.item, Node) else None
            code = region(node.id) if node is not None else ""
            text = code if code and code != (node.id if node else "") else label(value.item, self.graph, self.language)
            self.rest(value)
            if text:
                self.draft.add("spatial", one_line(region(text)), value.item.pointer, value.name)
            else:
                self.draft.leave(value.item.pointer, value.name, "a place without a name or a code")

    def period(self, values: Sequence[Value]) -> None:
        for value in values:
            try:
                start, end = self._bounds(value.item)
                period = {"from_ms": moment_ms(start), "until_ms": moment_ms(end, is_end=True)}
            except (ValueError, OverflowError) as error:
                self.draft.leave(value.item.pointer, value.name, f"no period with a start and an end: {error}")
            else:
                self.draft.put("temporal", period, value.item.pointer, value.name)
                self.rest(value, *_STARTS, *_ENDS)

    def _bounds(self, item: Item) -> tuple[str, str]:
        if isinstance(item, Literal):
            start, _, end = item.text.partition("/")
            return start, end or start
        node = self.graph.resolve(item)

        def bound(names: Sequence[str]) -> str:
            return next((label(item, self.graph, "") for name in names for item in node.properties.get(name, [])), "")

        return bound(_STARTS), bound(_ENDS)

    def standards(self, values: Sequence[Value]) -> None:
        for value in values:
            text = value.item.id if isinstance(value.item, Node) else value.item.text
            text = text if text and not text.startswith("_:") else label(value.item, self.graph, self.language)
            if text.startswith(CROISSANT):
                self.draft.leave(value.item.pointer, value.name, "this is what the description conforms to")
                continue
            self.draft.add("conforms_to", one_line(text), value.item.pointer, value.name)

    def distributions(self, values: Sequence[Value]) -> None:
        for value in values:
            found = read_distribution(value.item, self.graph, self.language, self.draft)
            if found is not None:
                self.draft.add("distributions", found, value.item.pointer, value.name)

    def sources(self, values: Sequence[Value]) -> None:
        for value in values:
            item, draft = value.item, self.draft
            iri = item.id if isinstance(item, Node) else item.text
            if (known := _STATEMENT.fullmatch(iri)) is not None:
                draft.add("derived_from", known[1], item.pointer, value.name)
                continue
            title = one_line(label(item, self.graph, self.language))
            source: dict[str, Json] = {"title": title} if title else {}
            if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", iri):
                source["uri"] = iri
            node = self.graph.resolve(item) if isinstance(item, Node) else Node("", item.pointer)
            publisher = next((v for n in (DCT, SCHEMA) for v in node.properties.get(n + "publisher", [])), None)
            if publisher is not None:
                source["publisher"] = one_line(label(publisher, self.graph, self.language))
            for retrieved in node.properties.get(OWN + "retrieved", []):
                try:
                    source["retrieved_ms"] = moment_ms(label(retrieved, self.graph, ""))
                except ValueError as error:
                    draft.leave(retrieved.pointer, "retrieved", str(error))
            self.rest(value, DCT + "publisher", SCHEMA + "publisher", OWN + "retrieved")
            draft.add("sources", source, item.pointer, value.name)

    def own(self, values: Sequence[Value], field: str) -> None:
        for value in values:
            if isinstance(value.item, Node):
                read_own(self.draft, field, self.graph.resolve(value.item))
            else:
                self.draft.leave(value.item.pointer, value.name, "an object was expected")


_TABLE: list[tuple[tuple[str, ...], Callable[[_Reader, Sequence[Value]], None]]] = [
    ((DCT + "title", SCHEMA + "name"), partial(_Reader.text, field="title")),
    ((DCT + "description", SCHEMA + "description"), partial(_Reader.text, field="description", shape=lines)),
    (
        (DCT + "publisher", SCHEMA + "publisher", DCT + "creator", SCHEMA + "creator", FOAF + "maker"),
        partial(_Reader.text, field="publisher"),
    ),
    ((DCT + "rightsHolder", SCHEMA + "copyrightHolder"), partial(_Reader.text, field="rights_holder")),
    ((DCAT + "version", OWL + "versionInfo", SCHEMA + "version"), partial(_Reader.text, field="version")),
    ((DCAT + "keyword", SCHEMA + "keywords"), _Reader.keywords),
    ((DCT + "spatial", SCHEMA + "spatialCoverage"), _Reader.regions),
    ((DCT + "temporal", SCHEMA + "temporalCoverage"), _Reader.period),
    ((DCT + "conformsTo", SCHEMA + "conformsTo"), _Reader.standards),
    (
        (PROV + "hadPrimarySource", DCT + "source", SCHEMA + "isBasedOn", PROV + "wasDerivedFrom"),
        _Reader.sources,
    ),
    ((DCT + "license", SCHEMA + "license"), partial(_Reader.use, member="license")),
    (DISTRIBUTIONS, _Reader.distributions),
    ((DCT + "rights", SCHEMA + "copyrightNotice"), partial(_Reader.use, member="copyright")),
    ((DCT + "accessRights", SCHEMA + "conditionsOfAccess"), partial(_Reader.use, member="classification")),
    ((RAI + "dataUseCases",), _Reader.purposes),
    ((OWN + "use",), partial(_Reader.own, field="use")),
    ((OWN + "classification",), partial(_Reader.own, field="classification")),
    ((OWN + "venue",), partial(_Reader.own, field="venue")),
]
"""Which properties, the best first, are read by what."""
