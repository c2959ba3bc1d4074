"""The ZIP and its manifest (docs/bundle.md §1): the same members give the same bytes."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from hashlib import sha256
from struct import Struct

from ledger.core.encoding import Json, canonical
from ledger.core.entry import Entry
from ledger.party.evidence.parts.errors import TooLarge

MANIFEST = "manifest.json"
MAX_MEMBERS = 10_000
MAX_BYTES = 1 << 30
_PATH = re.compile(r"[a-z0-9._-]+(?:/[a-z0-9._-]+)*", re.ASCII)
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a ZIP can say: that of the making stands in the manifest, once."""

_REGULAR_FILE = 0o100644 << 16
_UNIX = 3
_HEAD = Struct(">QH")
"""Index of an entry, and how many bytes it has."""


def as_json(document: Json) -> bytes:
    """Return the bytes of a JSON file of a bundle: canonical JSON and LF."""
    return canonical(document) + b"\n"


def pack_entries(entries: Iterable[Entry]) -> bytes:
    """Return `entries.bin` of entries, ascending by index (docs/bundle.md §2.2)."""
    return b"".join(_HEAD.pack(entry.index, len(entry.raw)) + entry.raw for entry in entries)


def manifest_of(members: Mapping[str, bytes], made: Mapping[str, Json]) -> bytes:
    """Return the manifest of these members; `made` is `{"at_ms", "by", "program"}`."""
    files = [
        {"bytes": len(data), "path": path, "sha256": sha256(data).hexdigest()} for path, data in sorted(members.items())
    ]
    return as_json({"files": files, "made": dict(made), "type": "provenance-ledger.bundle/v2"})


def zip_members(members: Mapping[str, bytes], made: Mapping[str, Json]) -> bytes:
    """Return the ZIP of these members, the manifest first; raise TooLarge past docs/bundle.md §1."""
    total = sum(map(len, members.values()))
    if len(members) + 1 > MAX_MEMBERS or total > MAX_BYTES:
        raise TooLarge(
            f"the bundle would have {len(members) + 1} members of {total} bytes: at most {MAX_MEMBERS} and {MAX_BYTES}",
            "leave out the found file (--without-found-file: 'verifier bundle --found' can be given it) or --whole-log",
        )
    for path in members:
        if not _PATH.fullmatch(path) or {"", ".", ".."} & set(path.split("/")) or path == MANIFEST:
            raise AssertionError(f"no path of a bundle: {path!a}")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, allowZip64=False) as archive:
        for path, data in [(MANIFEST, manifest_of(members, made)), *sorted(members.items())]:
            info = zipfile.ZipInfo(path, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = _REGULAR_FILE
            info.create_system = _UNIX
            archive.writestr(info, data, compresslevel=9)
    return out.getvalue()
