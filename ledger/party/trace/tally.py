"""How many files were examined against a listing: whoever tries many files finds marks by chance in one of them."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from ledger.party.files import replace_file

_LISTINGS = "listings.json"
_TRACE = "trace.json"


def keep_listings(directory: Path, listings: Collection[str]) -> None:
    """Note in the directory of a found file (`work`) against which listings it was examined, now or before."""
    replace_file(directory / _LISTINGS, json.dumps(sorted({*listings, *_kept(directory)})).encode())


def examined_count(vault: Path, listing: str) -> int:
    """Return how many different files this vault examined against a listing."""
    return sum(listing in _kept(directory) for directory in (vault / "traces").glob("*"))


def _kept(directory: Path) -> set[str]:
    """Return the listings of one found file; of a trace by an earlier version, from what it says itself."""
    try:
        return set(json.loads((directory / _LISTINGS).read_bytes()))
    except FileNotFoundError:
        pass
    try:
        document = json.loads((directory / _TRACE).read_bytes())
    except FileNotFoundError:  # nothing came of it yet
        return set()
    return {item["listing"] for item in document["transfers"] if item["status"] == "compared"}
