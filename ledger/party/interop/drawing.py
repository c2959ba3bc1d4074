"""A PROV document as a drawing: the shapes and arrows of the W3C's own figures, laid out by Graphviz.

Keys and signatures are left out: they are in the document, and would hide what it is about. Who did what is said in the
activity itself, and drawn in grey; that a thing is its maker's own is not drawn again.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import textwrap
from collections.abc import Iterable, Iterator

from prov.constants import PROV_LABEL
from prov.identifier import QualifiedName
from prov.model import (
    ProvActivity,
    ProvAgent,
    ProvAlternate,
    ProvAssociation,
    ProvAttribution,
    ProvCommunication,
    ProvDelegation,
    ProvDerivation,
    ProvDocument,
    ProvElement,
    ProvEntity,
    ProvGeneration,
    ProvInfluence,
    ProvInvalidation,
    ProvRelation,
    ProvUsage,
)

from ledger.party.extras import MissingTool, ToolFailed
from ledger.party.interop.prov_frame import KEY, PARTY, VOCABULARY

MAX_DRAWN = 2000
"""More shapes than these nobody could read, and laying them out takes hours."""

_TIMEOUT_S = 300
_WIDTH = 28
_FRAME = """digraph provenance {
  graph [rankdir=RL, nodesep=0.35, ranksep=0.7, fontname="Helvetica", bgcolor="white", margin=0.3, pad=0.2];
  node [fontname="Helvetica", fontsize=11, margin="0.22,0.12", style=filled, color="#555555"];
  edge [fontname="Helvetica", fontsize=9, color="#555555", fontcolor="#333333", arrowsize=0.7];
"""
_SHAPES: list[tuple[type[ProvElement], str]] = [
    (ProvEntity, 'shape=box, style="filled,rounded", fillcolor="#fffaca"'),
    (ProvActivity, 'shape=box, fillcolor="#cfd3fb"'),
    (ProvAgent, 'shape=house, fillcolor="#fdd2a0"'),
]
_ARROWS: dict[type[ProvRelation], str] = {
    ProvAlternate: "same as",
    ProvAssociation: "by",
    ProvAttribution: "of",
    ProvCommunication: "after",
    ProvDelegation: "for",
    ProvDerivation: "derived from",
    ProvGeneration: "made by",
    ProvInfluence: "about",
    ProvInvalidation: "ended by",
    ProvUsage: "used",
}
_STYLES: list[tuple[type[ProvRelation], str]] = [
    (ProvInvalidation, 'style=dashed, color="#b00000"'),
    (ProvInfluence, "style=dashed"),
    (ProvAssociation, 'color="#c8c8c8"'),
    (ProvRelation, "style=solid"),
]
_SUBTYPES = {"Revision": "revision of", "PrimarySource": "source"}


def draw(document: ProvDocument) -> bytes:
    """Return an SVG, the same for the same document and version of Graphviz.

    Raises MissingTool where the program dot is not installed, ToolFailed where it fails or there is too much to draw.
    """
    program = shutil.which("dot")
    if program is None:
        raise MissingTool("dot", "graphviz")
    try:
        done = subprocess.run(
            [program, "-Tsvg"], input=dot_source(document).encode(), capture_output=True, timeout=_TIMEOUT_S, check=True
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise ToolFailed(f"Graphviz did not draw it: {error}") from error
    # The comments name the version of the program.
    return re.sub(rb"<!--.*?-->\n?", b"", done.stdout, flags=re.DOTALL)


def dot_source(document: ProvDocument) -> str:
    """Return the drawing in Graphviz' own language; raise ToolFailed for more than 2,000 shapes."""
    records = document.get_records()
    drawn = {
        record.identifier: record
        for record in records
        if isinstance(record, ProvElement) and record.identifier is not None and record.identifier.namespace != KEY
    }
    if len(drawn) > MAX_DRAWN:
        raise ToolFailed(f"{len(drawn)} things are more than can be drawn: ask for one license or transfer of them")
    names = {name: f"n{at}" for at, name in enumerate(drawn)}
    relations = [record for record in records if isinstance(record, ProvRelation)]
    roles = _roles(relations)
    lines = [
        f"  {names[name]} [{_shape(record)}, label={_label(record, roles.get(name, []))}];"
        for name, record in drawn.items()
    ]
    arrows = dict.fromkeys(arrow for record in relations for arrow in _arrows(record, names))
    return _FRAME + "\n".join([*lines, *arrows]) + "\n}\n"


def _shape(record: ProvElement) -> str:
    return next(shape for kind, shape in _SHAPES if isinstance(record, kind))


def _roles(relations: Iterable[ProvRelation]) -> dict[QualifiedName, list[str]]:
    """Return, of each activity, who took part in it and as what."""
    found: dict[QualifiedName, list[str]] = {}
    for record in relations:
        if isinstance(record, ProvAssociation):
            activity, agent = record.args[:2]
            if isinstance(activity, QualifiedName) and isinstance(agent, QualifiedName) and agent.namespace == PARTY:
                words = " ".join([*_locals(record.get_attribute("prov:role")), agent.localpart])
                found.setdefault(activity, []).append(words.removeprefix("issuer "))
    return found


def _label(record: ProvElement, roles: list[str]) -> str:
    """Return what a thing is called, who took part in it, and the index of its entry, in quotes."""
    words = next(iter(record.get_attribute(PROV_LABEL)), record.identifier.localpart if record.identifier else "")
    index = next(iter(record.get_attribute(VOCABULARY["index"])), None)
    lines = [wrapped for line in [*str(words).splitlines(), *roles] for wrapped in textwrap.wrap(line, _WIDTH)[:4]]
    return _quoted([*lines, f"entry {index}"] if index is not None else lines)


def _arrows(record: ProvRelation, names: dict[QualifiedName, str]) -> Iterator[str]:
    """Yield the arrows of a relation between things that are drawn; a plan gets one of its own."""
    ends = [value for value in record.args if isinstance(value, QualifiedName)]
    if len(ends) < 2 or any(end not in names for end in ends[:2]):
        return
    if isinstance(record, ProvAttribution) and ends[1].namespace == PARTY:
        return
    words = next((said for kind, said in _ARROWS.items() if isinstance(record, kind)), "")
    words = next((_SUBTYPES[name] for name in _locals(record.get_asserted_types()) if name in _SUBTYPES), words)
    style = next((said for kind, said in _STYLES if isinstance(record, kind)), "")
    is_party = isinstance(record, ProvAssociation) and ends[1].namespace == PARTY
    roles = _locals(record.get_attribute("prov:role"))
    label = "" if is_party else f", label={_quoted(roles or [words])}"
    yield f"  {names[ends[0]]} -> {names[ends[1]]} [{style}{label}];"
    if isinstance(record, ProvAssociation) and len(ends) > 2 and ends[2] in names:
        yield f'  {names[ends[0]]} -> {names[ends[2]]} [label="under", style=dotted, color="#333333"];'


def _locals(values: Iterable[object]) -> list[str]:
    return sorted(value.localpart for value in values if isinstance(value, QualifiedName))


def _quoted(lines: list[str]) -> str:
    escaped = (line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(escaped) + '"'
