"""JSON-LD as a tree of nodes whose properties have full IRIs: what the importers read, whatever the spelling was.

This is a small part of JSON-LD 1.1's expansion: contexts, prefixes, keyword aliases, typed and language-tagged values,
`@list`, `@set`, `@graph`, language maps. Nothing is fetched. What has no meaning is reported, never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from ledger.core.encoding import Json
from ledger.party.interop.contexts import RDF, Context, Term
from ledger.party.interop.errors import NotUnderstood
from ledger.party.interop.foreign import Left


@dataclass(frozen=True)
class Literal:
    """A value: text, a number or a truth value; `datatype` an IRI or empty, `language` a tag or empty."""

    value: str | int | Decimal | bool
    pointer: str
    datatype: str = ""
    language: str = ""

    @property
    def text(self) -> str:
        """The value as text."""
        return str(self.value).lower() if isinstance(self.value, bool) else str(self.value)


@dataclass
class Node:
    """A thing: `id` is its IRI or empty, `pointer` where it stands in the document."""

    id: str
    pointer: str
    types: list[str] = field(default_factory=list)
    properties: dict[str, list[Item]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """How the document spells each property."""


Item = Literal | Node


class Value(NamedTuple):
    """A property's value, and how the document spells the property."""

    item: Item
    name: str


@dataclass
class Graph:
    """A document's nodes; `left` is what had no meaning in it."""

    roots: list[Node]
    by_id: dict[str, Node]
    left: list[Left]

    def resolve(self, node: Node) -> Node:
        """Return the node that a mere reference points at, where the document has it."""
        return self.by_id.get(node.id, node) if not node.properties else node

    def nodes(self) -> Iterator[Node]:
        """Yield every node, outer ones first."""
        waiting = list(reversed(self.roots))
        while waiting:
            node = waiting.pop()
            yield node
            inner = [item for items in node.properties.values() for item in items if isinstance(item, Node)]
            waiting += reversed(inner)

    def of_type(self, *types: str) -> list[Node]:
        """Return the nodes of any of these types that say something."""
        return [node for node in self.nodes() if node.properties and any(kind in types for kind in node.types)]


def read_graph(document: Json, context: Context) -> Graph:
    """Read a JSON-LD document; `context` holds before its own. Raises NotUnderstood."""
    reader = _Reader(context)
    roots = reader.tops(document, context, "")
    by_id: dict[str, Node] = {}
    graph = Graph(roots, by_id, reader.left)
    for node in graph.nodes():
        if node.id and node.properties:
            by_id.setdefault(node.id, node)
    return graph


class _Reader:
    """Reads one document."""

    def __init__(self, context: Context) -> None:
        self.left = context.left

    def tops(self, value: Json, context: Context, pointer: str) -> list[Node]:
        if isinstance(value, list):
            return [node for at, item in enumerate(value) for node in self.tops(item, context, f"{pointer}/{at}")]
        if not isinstance(value, dict):
            raise NotUnderstood("an object was expected", pointer)
        node, inner = self.node(value, context, pointer)
        return [node, *inner] if node.properties or node.types or not inner else inner

    def node(self, value: dict[str, Json], context: Context, pointer: str) -> tuple[Node, list[Node]]:
        """Return the node of an object, and those of its `@graph`."""
        if "@context" in value:
            context = context.extended(value["@context"], pointer + "/@context")
        node, inner = Node("", pointer), list[Node]()
        for name, item in value.items():
            place = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
            if name == "@context" or item is None:
                continue
            term = context.term(name)
            if term.iri == "@id":
                node.id = context.iri(_text(item, place), vocab=False)
            elif term.iri == "@type":
                node.types += [context.iri(_text(kind, place)) or _text(kind, place) for kind in _many(item)]
            elif term.iri in {"@graph", "@included"}:
                inner += self.tops(item, context, place)
            elif term.iri == "@index":
                continue
            elif not term.iri or term.iri.startswith("@"):
                self.left.append(Left(place, name, "its context gives it no meaning"))
            else:
                scope = context.extended(term.context, place) if term.context is not None else context
                node.properties.setdefault(term.iri, []).extend(self.items(item, term, scope, place))
                node.names.setdefault(term.iri, name)
        return node, inner

    def items(self, value: Json, term: Term, context: Context, pointer: str) -> list[Item]:
        if value is None:
            return []
        if isinstance(value, list):
            return [
                found
                for at, item in enumerate(value)
                for found in self.items(item, term._replace(container=""), context, f"{pointer}/{at}")
            ]
        if isinstance(value, dict):
            return self.mapped(value, term, context, pointer)
        if isinstance(value, str) and term.kind in {"@id", "@vocab"}:
            iri = context.iri(value, vocab=term.kind == "@vocab")
            return [Node(iri or value, pointer)]
        datatype = term.kind if not term.kind.startswith("@") else ""
        return [Literal(value, pointer, datatype, context.language if isinstance(value, str) else "")]

    def mapped(self, value: dict[str, Json], term: Term, context: Context, pointer: str) -> list[Item]:
        """Return what an object in a property's place stands for."""
        keywords = {context.term(name).iri: name for name in value}
        if "@value" in keywords:
            return self.literal({iri: value[name] for iri, name in keywords.items()}, context, pointer)
        for keyword in ("@list", "@set"):
            if keyword in keywords:
                return self.items(value[keywords[keyword]], term, context, f"{pointer}/{keywords[keyword]}")
        if "@language" in term.container:
            return [
                Literal(text, f"{pointer}/{tag}", "", "" if tag == "@none" else tag)
                for tag, texts in value.items()
                for text in _many(texts)
                if isinstance(text, str)
            ]
        node, inner = self.node(value, context, pointer)
        return [node, *inner]

    def literal(self, value: dict[str, Json], context: Context, pointer: str) -> list[Item]:
        found, language, kind = value["@value"], value.get("@language", ""), value.get("@type", "")
        if found is None:
            return []
        if not isinstance(found, str | int | Decimal) or not isinstance(language, str) or not isinstance(kind, str):
            raise NotUnderstood("a value with @value, @type and @language was expected", pointer)
        return [Literal(found, pointer, context.iri(kind) or kind if kind else "", language)]


def value_of(node: Node) -> Node | Literal:
    """Return what an `rdf:value` names, or the node itself."""
    found = node.properties.get(RDF + "value", [])
    return found[0] if found else node


def _many(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


def _text(value: Json, pointer: str) -> str:
    if not isinstance(value, str):
        raise NotUnderstood("a string was expected", pointer)
    return value
