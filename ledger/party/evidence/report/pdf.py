"""The report as PDF/A-3 by Typst, an attachment included. All words reach it as data, and are never its markup."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ledger.party.evidence.parts.errors import EvidenceError
from ledger.party.evidence.report.rendering import TEMPLATES, shown
from ledger.party.extras import MissingExtra
from ledger.party.text import MAX_TIME_MS

_ARCHIVAL: Literal["a-3a"] = "a-3a"
"""PDF/A-3, accessible: what courts archive, and what may carry attachments. It asks for a glyph of every character."""
_NOT_SHOWN = re.compile(r'the text `"(.+?)"` could not be displayed')
"""How Typst names what no font has."""


class Paper(NamedTuple):
    """A report's PDF, and the characters, sorted, that no font here has: they stand in it as codes, never as boxes."""

    pdf: bytes
    absent: str


def report_pdf(story: Mapping[str, Any], attachment: bytes | None = None) -> Paper:
    """Return the report; `attachment` is the bundle, carried as `bundle.zip`.

    The same bytes for the same story, fonts and version of Typst. Raises MissingExtra, EvidenceError.
    """
    with tempfile.TemporaryDirectory() as name:  # owner-only, and gone when this is left
        root = Path(name)
        (root / "report.typ").write_bytes((TEMPLATES / "report.typ").read_bytes())
        data = shown({**story, "verdict": vars(story["verdict"]), "has_bundle": attachment is not None})
        if attachment is not None:
            (root / "bundle.zip").write_bytes(attachment)
        return _compile(root, data, min(story["made"]["at_ms"] // 1000, MAX_TIME_MS // 1000))


def _compile(root: Path, data: object, made_s: int) -> Paper:
    try:
        import typst  # noqa: PLC0415 - only reports need it
    except ImportError as error:
        raise MissingExtra("typst") from error
    source, words, absent = root / "report.typ", json.dumps(data, ensure_ascii=False), ""
    while True:
        (root / "story.json").write_text(_spelled(words, absent), "utf-8")
        try:
            pdf = typst.compile(source, root=root, format="pdf", timestamp=made_s, pdf_standards=_ARCHIVAL)
            return Paper(pdf, absent)
        except typst.TypstError as error:
            named = {character for text in _NOT_SHOWN.findall(error.diagnostic) for character in text}
        more = {character for character in named if not character.isascii()}.difference(absent)
        if not more:  # it fails for another reason, and is no PDF/A then
            break
        absent = "".join(sorted(more.union(absent)))
    try:
        return Paper(typst.compile(source, root=root, format="pdf", timestamp=made_s), absent)
    except typst.TypstError as error:
        raise EvidenceError(f"the report could not be set: {error.message}") from error


def _spelled(words: str, absent: str) -> str:
    """Return JSON with its code in the place of each of these characters."""
    codes = {ord(character): json.dumps(character.encode("unicode_escape").decode())[1:-1] for character in absent}
    return words.translate(codes)
