"""What a bundle holds, by path (docs/bundle.md §1, §2; check `bundle-form`)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from struct import Struct
from typing import Any

from verifier.bundle.documents import (
    CASE,
    EVIDENCE,
    JUDGEMENT,
    VERSIONS,
    is_ascending,
    parse_document,
    refuse,
    verify_order,
)
from verifier.bundle.documents import MANIFEST as MANIFEST_FORM
from verifier.bundle.zip import Member, read_zip
from verifier.core.errors import MalformedInput
from verifier.core.jcs import MAX_INTEGER
from verifier.sealed.disclosures import Disclosures

MANIFEST = "manifest.json"
ENTRIES, INCLUSION = TOGETHER = ("entries.bin", "inclusion.bin")
"""All entries, and what proves them, since version 2."""
_HEAD = Struct(">QH")
"""Index of an entry, and how many bytes it has."""
_FOR_PEOPLE = frozenset(
    {
        *("report.html", "report.pdf", "declaration.html", "index.html", "how-to-verify.txt", "verify.html"),
        *("policy-hint.txt", "provenance.json", "trace.json"),
    }
)
"""Files that are not read; of the trace, the digest is."""
_READ = frozenset(
    {MANIFEST, "checkpoint.txt", "case.json", "disclosures.json", "evidence.json", "judgement.json"},
)
_REQUIRED = (MANIFEST, "checkpoint.txt", "case.json", "evidence.json", "judgement.json")
_NUMBER = "(0|[1-9][0-9]{0,15})"
_entry_path = re.compile(rf"entries/{_NUMBER}\.entry").fullmatch
_receipt_path = re.compile(rf"receipts/{_NUMBER}\.tlog-proof").fullmatch
_history_path = re.compile(rf"histories/{_NUMBER}\.json").fullmatch
_time_path = re.compile(rf"timestamps/{_NUMBER}\.(tsr|json)").fullmatch
_found_path = re.compile(r"found/[a-z0-9._-]+").fullmatch


@dataclass(slots=True)
class Bundle:
    """The files of a bundle, their form checked and nothing else."""

    note: bytes = b""
    entries: dict[int, bytes] = field(default_factory=dict)
    """By index, ascending."""
    receipts: dict[int, bytes] = field(default_factory=dict)
    """Of each entry, in version 1."""
    inclusion: bytes | None = None
    """What proves all entries together; None in version 1."""
    histories: dict[str, bytes] = field(default_factory=dict)
    """By path."""
    found: bytes | None = None
    trace: Member | None = None
    tokens: dict[int, bytes] = field(default_factory=dict)
    """By number; nothing of their form is checked."""
    older: dict[int, bytes] = field(default_factory=dict)
    """Older checkpoints by number; nor of theirs."""
    made: dict[str, Any] = field(default_factory=dict)
    case: dict[str, Any] = field(default_factory=dict)
    disclosures: Disclosures = field(default_factory=Disclosures)
    evidence: dict[str, Any] = field(default_factory=dict)
    judgement: dict[str, Any] = field(default_factory=dict)


def parse_bundle(raw: bytes) -> Bundle:
    """Return what a bundle holds, every file of the right form (docs/bundle.md §1 to §5).

    Raises `MalformedInput` with the path at fault.
    """
    files = read_zip(raw, _is_read)
    if next(iter(files), "") != MANIFEST:
        raise refuse(MANIFEST, "missing", " as the first member")
    manifest = _verify_manifest(files)
    bundle = Bundle(made=manifest["made"])
    version = VERSIONS[manifest["type"]]
    for path in (*_REQUIRED, *(() if version == 1 else TOGETHER)):
        if path not in files:
            raise refuse(path, "missing")
    founds = [path for path in files if _found_path(path)]
    for path, member in files.items():
        _place(bundle, path, member, version)
    (_pair_entries if version == 1 else _split_entries)(bundle, files)
    if 0 not in bundle.entries:
        raise refuse("entry 0", "missing")
    bundle.note = files["checkpoint.txt"].content
    bundle.case = parse_document(files["case.json"].content, "case.json", CASE)
    bundle.evidence = parse_document(files["evidence.json"].content, "evidence.json", EVIDENCE)
    bundle.judgement = parse_document(files["judgement.json"].content, "judgement.json", JUDGEMENT)
    if "disclosures.json" in files:
        try:
            bundle.disclosures.add(files["disclosures.json"].content)
        except MalformedInput as error:
            raise refuse("disclosures.json", error.reason, f" {error.detail}") from None
    verify_order(bundle.evidence)
    path = bundle.evidence["found"].get("path")
    if founds != ([] if path is None else [path]):
        raise refuse("evidence.json", "wrong-value", "/found/path: the found file that is there is not the one named")
    bundle.found = None if path is None else files[path].content
    return bundle


def _is_read(path: str) -> bool:
    return path not in _FOR_PEOPLE


def _verify_manifest(files: dict[str, Member]) -> dict[str, Any]:
    """Check that the manifest names every other member, with its size and digest, and nothing else."""
    manifest: dict[str, Any] = parse_document(files[MANIFEST].content, MANIFEST, MANIFEST_FORM)
    listed = manifest["files"]
    paths = [item["path"] for item in listed]
    if not is_ascending(paths):
        raise refuse(MANIFEST, "wrong-value", "/files: not ascending by path")
    if odd := set(paths) ^ (files.keys() - {MANIFEST}):
        raise refuse(min(odd), "not-in-manifest" if min(odd) in files else "missing")
    for item in listed:
        member = files[item["path"]]
        if (item["bytes"], item["sha256"]) != (member.size, member.sha256):
            raise refuse(item["path"], "wrong-digest", ": not what the manifest says")
    return manifest


def _pair_entries(bundle: Bundle, _files: dict[str, Member]) -> None:
    """Check that every entry has its receipt and every receipt its entry (§2.1)."""
    if bundle.entries.keys() != bundle.receipts.keys():
        odd = min(bundle.entries.keys() ^ bundle.receipts.keys())
        raise refuse(f"entries/{odd}.entry", "missing", " or its receipt")
    bundle.entries = dict(sorted(bundle.entries.items()))


def _split_entries(bundle: Bundle, files: dict[str, Member]) -> None:
    """Take the entries out of the one file that holds them, up to its very end (§2.2)."""
    raw, at, last = files[ENTRIES].content, 0, -1
    while at < len(raw):
        start = at + _HEAD.size
        if start > len(raw):
            raise refuse(ENTRIES, "malformed", f": cut off behind entry {last}")
        index, length = _HEAD.unpack_from(raw, at)
        at = start + length
        if not last < index <= MAX_INTEGER or at > len(raw):
            raise refuse(ENTRIES, "malformed", f": what stands behind entry {last}")
        bundle.entries[index] = raw[start:at]
        last = index
    bundle.inclusion = files[INCLUSION].content


def _place(bundle: Bundle, path: str, member: Member, version: int) -> None:
    if version == 1 and (match := _entry_path(path)):
        bundle.entries[_index(path, match[1])] = member.content
    elif version == 1 and (match := _receipt_path(path)):
        bundle.receipts[_index(path, match[1])] = member.content
    elif _history_path(path):
        bundle.histories[path] = member.content
    elif match := _time_path(path):
        (bundle.tokens if match[2] == "tsr" else bundle.older)[int(match[1])] = member.content
    elif path == "trace.json":
        bundle.trace = member
    elif (
        path not in _READ
        and path not in _FOR_PEOPLE
        and not _found_path(path)
        and (version == 1 or path not in TOGETHER)
    ):
        raise refuse(path, "unknown-path")


def _index(path: str, digits: str) -> int:
    if int(digits) > MAX_INTEGER:
        raise refuse(path, "unknown-path")
    return int(digits)
