"""The report as PDF/A-3 by Typst, an attachment included. All words reach it as data, and are never its markup."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from ledger.party.evidence.parts.errors import EvidenceError
from ledger.party.evidence.report.rendering import TEMPLATES, shown
from ledger.party.extras import MissingExtra

_ARCHIVAL: Literal["a-3a"] = "a-3a"
"""PDF/A-3, accessible: what courts archive, and what may carry attachments. It asks for a glyph of every character."""
_MAX_TIME_S = 253_402_300_799  # the end of the year 9999


def report_pdf(story: Mapping[str, Any], attachment: bytes | None = None) -> bytes:
    """Return the report; `attachment` is the bundle, carried as `bundle.zip`.

    The same bytes for the same story, fonts and version of Typst. Where no installed font has a character of the story,
    the file is an ordinary PDF, and shows boxes there. Raises MissingExtra, EvidenceError.
    """
    with tempfile.TemporaryDirectory() as name:  # owner-only, and gone when this is left
        root = Path(name)
        (root / "report.typ").write_bytes((TEMPLATES / "report.typ").read_bytes())
        data = shown({**story, "verdict": vars(story["verdict"]), "has_bundle": attachment is not None})
        (root / "story.json").write_text(json.dumps(data), "utf-8")
        if attachment is not None:
            (root / "bundle.zip").write_bytes(attachment)
        return _compile(root, min(story["made"]["at_ms"] // 1000, _MAX_TIME_S))


def _compile(root: Path, made_s: int) -> bytes:
    try:
        import typst  # noqa: PLC0415 - only reports need it
    except ImportError as error:
        raise MissingExtra("typst", "reports") from error
    source = root / "report.typ"
    try:
        return typst.compile(source, root=root, format="pdf", timestamp=made_s, pdf_standards=_ARCHIVAL)
    except typst.TypstError:
        pass
    try:
        return typst.compile(source, root=root, format="pdf", timestamp=made_s)
    except typst.TypstError as error:
        raise EvidenceError(f"the report could not be set: {error.message}") from error
