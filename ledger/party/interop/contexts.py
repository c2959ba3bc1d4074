"""JSON-LD contexts: what a name in a document means. Known ones are built in; nothing is ever fetched.

Terms of contexts that are published elsewhere are written down here as facts of their vocabularies, as far as this
package reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ledger.core.encoding import Json
from ledger.party.interop.foreign import Left

ODRL = "http://www.w3.org/ns/odrl/2/"
DCAT = "http://www.w3.org/ns/dcat#"
DCT = "http://purl.org/dc/terms/"
FOAF = "http://xmlns.com/foaf/0.1/"
VCARD = "http://www.w3.org/2006/vcard/ns#"
PROV = "http://www.w3.org/ns/prov#"
SPDX = "http://spdx.org/rdf/terms#"
OWL = "http://www.w3.org/2002/07/owl#"
XSD = "http://www.w3.org/2001/XMLSchema#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
SCHEMA = "https://schema.org/"
CROISSANT = "http://mlcommons.org/croissant/"
RAI = "http://mlcommons.org/croissant/RAI/"
LEDGER = "urn:provenance-ledger:"

PREFIXES: dict[str, str] = {
    "adms": "http://www.w3.org/ns/adms#",
    "cr": CROISSANT,
    "dcat": DCAT,
    "dct": DCT,
    "dcterms": DCT,
    "foaf": FOAF,
    "odrl": ODRL,
    "owl": OWL,
    "prov": PROV,
    "rai": RAI,
    "rdf": RDF,
    "rdfs": RDFS,
    "sc": SCHEMA,
    "schema": SCHEMA,
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": SPDX,
    "vcard": VCARD,
    "xsd": XSD,
}
"""The prefixes that everybody writes, for documents that do not say what they mean."""


class Term(NamedTuple):
    """What a name means: an IRI or a keyword; `kind` is `@id`, `@vocab`, a datatype's IRI or empty."""

    iri: str
    kind: str = ""
    container: str = ""
    context: Json = None
    is_prefix: bool = True


@dataclass(frozen=True)
class Context:
    """The names in force at one place of a document."""

    terms: Mapping[str, Term | None]
    vocab: str = ""
    language: str = ""
    left: list[Left] = field(default_factory=list)

    def extended(self, more: Json, pointer: str) -> Context:
        """Return this context with an `@context` on top; what it names and nobody here knows is added to `left`."""
        if more is None:
            return replace(self, terms={}, vocab="", language="")
        if isinstance(more, list):
            context = self
            for position, item in enumerate(more):
                context = context.extended(item, f"{pointer}/{position}")
            return context
        if isinstance(more, str):
            known = KNOWN.get(more.removesuffix("/").removesuffix("#"))
            if known is None:
                self.left.append(Left(pointer, more[:200], "a context that is not known here; nothing is fetched"))
                return self
            return self.extended(known, pointer)
        if not isinstance(more, dict):
            self.left.append(Left(pointer, "@context", "neither an address nor an object"))
            return self
        return self._with(more)

    def iri(self, name: str, *, vocab: bool = True) -> str:
        """Return what `name` stands for: an IRI, a keyword, or '' for a name without meaning."""
        if name.startswith("@"):
            return name
        if vocab and name in self.terms:
            term = self.terms[name]
            return term.iri if term is not None else ""
        if ":" in name:
            prefix, rest = name.split(":", 1)
            found = self.terms.get(prefix)
            is_compact = found is not None and not rest.startswith("//") and found.is_prefix
            return _one_schema(found.iri + rest if found is not None and is_compact else name)
        if not vocab:
            return name
        return self.vocab + name if self.vocab else ""

    def term(self, name: str) -> Term:
        """Return the definition of a member's name; its IRI is empty for a name without meaning."""
        found = self.terms.get(name)
        return found if found is not None else Term(self.iri(name))

    def _with(self, more: dict[str, Json]) -> Context:
        vocab, language = more.get("@vocab", self.vocab), more.get("@language", self.language)
        draft = replace(
            self,
            terms=dict(self.terms),
            vocab=_one_schema(vocab) if isinstance(vocab, str) else "",
            language=language if isinstance(language, str) else "",
        )
        names = [name for name in more if not name.startswith("@")]
        # A definition may use another one of the same object, in either order: so two rounds.
        for _ in range(2):
            terms = dict(draft.terms)
            for name in names:
                terms[name] = draft.defined(name, more[name])
            draft = replace(draft, terms=terms)
        return draft

    def defined(self, name: str, value: Json) -> Term | None:
        """Return what a context's member defines; None for a name that it takes away."""
        if value is None:
            return None
        if isinstance(value, str):
            return Term(self._target(name, value))
        if not isinstance(value, dict):
            return None
        kind, container = value.get("@type", ""), value.get("@container", "")
        kinds = kind if isinstance(kind, str) else ""
        containers = container if isinstance(container, str) else " ".join(str(item) for item in container or ())
        target = value.get("@id", name)
        return Term(
            self._target(name, target) if isinstance(target, str) else "",
            kinds if kinds.startswith("@") or not kinds else self.iri(kinds),
            containers,
            value.get("@context"),
            is_prefix=bool(value.get("@prefix", True)),
        )

    def _target(self, name: str, value: str) -> str:
        if value == name and ":" not in value:
            return self.vocab + name if self.vocab else ""
        return self.iri(value) or value


def base_context(*extra: Json) -> Context:
    """Return the context that a document starts from: the usual prefixes, and what `extra` adds."""
    context = Context({name: Term(iri) for name, iri in PREFIXES.items()})
    for more in extra:
        context = context.extended(more, "")
    return replace(context, left=[])


def _one_schema(iri: str) -> str:
    """Return schema.org's IRIs in one of their two spellings, and ODRL's without the colon that its context has."""
    if iri.startswith("http://schema.org/"):
        return SCHEMA + iri.removeprefix("http://schema.org/")
    return iri.removesuffix(":") if iri.startswith(ODRL) else iri


_IDS = "assignee assigner consequence constraint duty hasPolicy inheritFrom obligation permission profile prohibition"
_IDS_TOO = "refinement remedy source target"

ODRL_TERMS: dict[str, Json] = {
    "@vocab": ODRL,
    "odrl": ODRL,
    "rdf": RDF,
    "xsd": XSD,
    "uid": "@id",
    "type": "@type",
    **{name: {"@id": ODRL + name, "@type": "@id"} for name in (_IDS + " " + _IDS_TOO).split()},
    **{name: {"@id": ODRL + name, "@type": "@vocab"} for name in ("action", "conflict", "leftOperand", "operator")},
    "dataType": {"@id": ODRL + "datatype", "@type": XSD + "anyType"},
}
"""ODRL's vocabulary as its context says it; `@vocab` stands for the plain terms."""

DSP_TERMS: dict[str, Json] = {
    **{name: DCAT + name for name in ("Catalog", "DataService", "Dataset", "Distribution", "endpointURL", "keyword")},
    **{name: {"@id": DCAT + name, "@type": "@id"} for name in ("accessService", "catalog", "dataset", "distribution")},
    **{name: DCT + name for name in ("creator", "description", "format", "issued", "modified", "title")},
}
"""What the Dataspace Protocol's context adds: a catalogue in DCAT's words."""

KNOWN: dict[str, Json] = {
    "http://www.w3.org/ns/odrl.jsonld": ODRL_TERMS,
    "https://www.w3.org/ns/odrl.jsonld": ODRL_TERMS,
    "https://w3id.org/dspace/2025/1/context.jsonld": ODRL_TERMS | DSP_TERMS,
    "https://w3id.org/dspace/2025/1/odrl-profile.jsonld": ODRL_TERMS,
    "https://schema.org": {"@vocab": SCHEMA},
    "http://schema.org": {"@vocab": SCHEMA},
    "https://schema.org/docs/jsonldcontext.jsonld": {"@vocab": SCHEMA},
    "http://mlcommons.org/croissant/1.0": {"@vocab": SCHEMA, "cr": CROISSANT, "conformsTo": DCT + "conformsTo"},
    "http://mlcommons.org/croissant/1.1": {"@vocab": SCHEMA, "cr": CROISSANT, "conformsTo": DCT + "conformsTo"},
    "https://www.w3.org/ns/dcat.jsonld": {"@vocab": DCAT},
    "http://www.w3.org/ns/dcat.jsonld": {"@vocab": DCAT},
}
