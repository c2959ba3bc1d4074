"""The pages of a bundle that people read; nothing in them is read by a verifier."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ledger.party.evidence.parts.errors import Missing
from ledger.party.evidence.report.rendering import render

PAGES = ("declaration.html", "how-to-verify.txt", "index.html", "report.html")


def pages(story: Mapping[str, Any]) -> dict[str, bytes]:
    """Return declaration, instructions, index and report of a report's story, by their paths in the bundle."""
    lists = {name: [path for path in story["paths"] if path.startswith(f"{name}/")] for name in _FOLDERS.values()}
    values = {**story, **{name: lists[folder] for name, folder in _FOLDERS.items()}}
    return {page: render(page, **values).encode() for page in PAGES}


def verify_page() -> bytes:
    """Return `verify.html`, a file of this distribution; nothing of the verifier is imported. Raises Missing."""
    spec = find_spec("verifier")
    for location in (spec.submodule_search_locations or []) if spec is not None else []:
        path = Path(location) / "page" / "verify.html"
        if path.is_file():
            return path.read_bytes()
    raise Missing(
        "the page verify.html is not installed beside this program",
        "install the whole distribution: pip install --force-reinstall provenance-ledger",
    )


_FOLDERS = {"tokens": "timestamps", "histories": "histories"}
