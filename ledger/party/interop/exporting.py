"""One story, in the language that was asked for."""

from __future__ import annotations

import json
from enum import StrEnum

from ledger.core.encoding import Json
from ledger.party.chain.gathering import Story
from ledger.party.chain.told import Told
from ledger.party.interop.dcat_export import export_listing
from ledger.party.interop.errors import NotUnderstood


class Format(StrEnum):
    """What can be written."""

    PROV_JSON = "prov-json"
    PROV_N = "prov-n"
    SVG = "svg"
    DOT = "dot"
    DCAT = "dcat"
    ODRL = "odrl"


def export(story: Story, form: Format) -> bytes:
    """Return a story in a language: the same bytes for the same story.

    Raises MissingExtra (without the library for PROV), MissingTool (svg, without Graphviz), ToolFailed (drawings),
    NotUnderstood (a listing or license if there is none).
    """
    if form is Format.DCAT:
        return _json(export_listing(*_listing(story)))
    if form is Format.ODRL:
        return _json(_terms(story))
    # Only here, so that all else works without the library.
    from ledger.party.interop import drawing, provenance  # noqa: PLC0415 - see above

    document = provenance.provenance(story)
    if form is Format.SVG:
        return drawing.draw(document)
    if form is Format.DOT:
        return drawing.dot_source(document).encode()
    if form is Format.PROV_N:
        return (document.get_provn() + "\n").encode()
    text = document.serialize(format="json", indent=2)
    return f"{text}\n".encode()


def _listing(story: Story) -> tuple[str, list[Told]]:
    """Return the story's listing and what made its versions."""
    by_id = {told.id: told for told in story.statements}
    subject = by_id[story.subject]
    while subject.type != "listing.registered":
        over = next((by_id[name] for field in _OVER if (name := subject.name(field)) in by_id), None)
        if over is None:
            raise NotUnderstood(f"{story.subject} is about no listing")
        subject = over
    versions = [told for told in story.statements if told.id == subject.id or _changes(told, subject.id)]
    return subject.id, versions


def _terms(story: Story) -> Json:
    """Return the terms of the story's license as they stand now: they are ODRL as they are stored."""
    by_id = {told.id: told for told in story.statements}
    subject = by_id[story.subject]
    license_id = subject.id if subject.type == "license.agreed" else subject.name("license")
    found = [
        told.fields["terms"]
        for told in story.statements
        if "terms" in told.fields
        and (told.id == license_id or (told.type == "license.amended" and told.name("license") == license_id))
    ]
    if not found or "@type" not in found[-1]:
        raise NotUnderstood(f"{story.subject} is about no license whose terms are ODRL")
    return found[-1]


def _changes(told: Told, listing: str) -> bool:
    return told.name("listing") == listing and told.type in {"classification.changed", "listing.amended"}


def _json(document: Json) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()


_OVER = ("listing", "license", "transfer", "claim", "prepared")
