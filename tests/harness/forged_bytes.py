"""Forged bundles that lie in their ZIP, their manifest or the form of a file: `bundle-form` has to catch them all."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from struct import pack

from tests.harness.bundles import Files, good, with_manifest, zipped
from tests.harness.forged_bundles import edited, lie, repacked, rewritten

FORM = "bundle-form"
Entry = tuple[bytes, bytes, int]
"""Name, content, external attributes."""


def raw_zip(
    entries: list[Entry], *, sizes: dict[bytes, int] | None = None, flags: int = 0, extra: bytes = b""
) -> bytes:
    """Return a ZIP file of these members, byte by byte; `sizes` are the sizes that some of them claim to have."""
    body, directory = b"", b""
    for name, content, attributes in entries:
        deflater = zlib.compressobj(wbits=-15)
        packed = deflater.compress(content) + deflater.flush()
        size = (sizes or {}).get(name, len(content))
        common = pack("<5H3L2H", 20, flags, 8, 0, 33, zlib.crc32(content), len(packed), size, len(name), len(extra))
        directory += b"PK\x01\x02" + pack("<H", 0x0314) + common + pack("<3H2L", 0, 0, 0, attributes, len(body))
        directory += name + extra
        body += b"PK\x03\x04" + common + name + extra + packed
    return (
        body
        + directory
        + pack("<4s4H2LH", b"PK\x05\x06", 0, 0, len(entries), len(entries), len(directory), len(body), 0)
    )


def _entries(files: Files) -> list[Entry]:
    return [(path.encode(), content, 0o100600 << 16) for path, content in files.items()]


def zip_lie(name: str, make: Callable[[Files], bytes]) -> None:
    """Add a lie that is told by the ZIP file around good members."""

    def build() -> tuple[bytes, str]:
        maker = good()
        return make(maker.files()), maker.story.policy()

    lie(name, FORM, build)


def _linked(files: Files) -> bytes:
    return raw_zip(
        [(name, raw, (0o120777 << 16) if name == b"report.html" else at) for name, raw, at in _entries(files)]
    )


def _bomb(files: Files) -> bytes:
    files["report.html"] = bytes(1 << 26)
    return raw_zip(_entries(with_manifest(files)), sizes={b"report.html": 40})


def _huge(files: Files) -> bytes:
    return raw_zip(_entries(files), sizes={b"report.html": (1 << 31) - 1})


def _crowd(files: Files) -> bytes:
    return raw_zip(_entries(files) + [(b"found/%d" % number, b"", 0) for number in range(10_001)])


def _wrong_checksum(files: Files) -> bytes:
    raw = bytearray(zipped(files, 0))
    at = raw.index(files["report.html"])
    raw[at + 30] ^= 1
    return bytes(raw)


zip_lie("zip-with-trailing-data", lambda files: zipped(files) + b"\n")
zip_lie("zip-with-data-before-it", lambda files: b"#!/bin/sh\n" + zipped(files))
zip_lie("zip-with-a-name-twice", lambda files: raw_zip([*_entries(files), (b"case.json", files["case.json"], 0)]))
zip_lie("zip-with-a-path-above", lambda files: raw_zip([*_entries(files), (b"../case.json", b"", 0)]))
zip_lie("zip-with-an-absolute-path", lambda files: raw_zip([*_entries(files), (b"/etc/passwd", b"", 0)]))
zip_lie("zip-with-a-directory", lambda files: raw_zip([*_entries(files), (b"found/", b"", 0x10)]))
zip_lie("zip-with-a-link", _linked)
zip_lie("zip-with-a-bomb", _bomb)
zip_lie("zip-that-claims-two-gigabytes", _huge)
zip_lie("zip-with-too-many-members", _crowd)
zip_lie("zip-that-is-encrypted", lambda files: raw_zip(_entries(files), flags=1))
zip_lie("zip-with-an-extra-field", lambda files: raw_zip(_entries(files), extra=b"\x75\x70\x02\x00hi"))
zip_lie("zip-with-a-wrong-checksum", _wrong_checksum)
zip_lie("zip-cut-off", lambda files: zipped(files)[:-7])
zip_lie("zip-of-nothing", lambda _files: b"")
zip_lie("manifest-not-first", lambda files: zipped(dict(reversed(files.items()))))
zip_lie(
    "manifest-left-out", lambda files: zipped({path: raw for path, raw in files.items() if path != "manifest.json"})
)
zip_lie("manifest-digest-wrong", lambda files: zipped(files | {"report.html": b"<p>Everything is proved.</p>"}))
zip_lie("file-not-in-the-manifest", lambda files: zipped(files | {"found/more.csv": b"a,b\n"}))
zip_lie(
    "file-of-the-manifest-left-out", lambda files: zipped({p: raw for p, raw in files.items() if p != "report.html"})
)


def _replaced(path: str, old: bytes, new: bytes) -> Callable[[Files], object]:
    return lambda files: files.update({path: files[path].replace(old, new, 1)})


edited("file-that-has-no-place", FORM, lambda files: files.update({"notes.txt": b"Believe this."}))
edited("found-file-that-nobody-names", FORM, lambda files: files.update({"found/leak.csv": b"a,b\n"}),
       includes_found=False)  # fmt: skip
edited("receipt-left-out", FORM, lambda files: files.pop("receipts/5.tlog-proof"), version=1)
edited(
    "entry-0-left-out-in-version-1",
    FORM,
    lambda files: (files.pop("entries/0.entry"), files.pop("receipts/0.tlog-proof")),
    version=1,
)
edited("entry-0-left-out", FORM, repacked(lambda entries: entries.pop(0)))
edited("entries-left-out", FORM, lambda files: files.pop("entries.bin"))
edited("inclusion-left-out", FORM, lambda files: files.pop("inclusion.bin"))
edited("entries-out-of-order", FORM, repacked(lambda entries: entries.update({5: entries.pop(5)})))
edited("entry-twice", FORM, lambda files: files.update({"entries.bin": files["entries.bin"] + files["entries.bin"]}))
edited("entries-cut-off", FORM, lambda files: files.update({"entries.bin": files["entries.bin"][:-1]}))
edited(
    "entries-with-bytes-behind-them", FORM, lambda files: files.update({"entries.bin": files["entries.bin"] + b"{}"})
)
edited("entry-past-2-to-the-53", FORM, repacked(lambda entries: entries.update({2**53: entries[9]})))
edited("entry-of-the-other-version", FORM, lambda files: files.update({"entries/9.entry": b"{}"}))
edited("entries-of-the-other-version", FORM, lambda files: files.update({"entries.bin": b""}), version=1)
edited("judgement-left-out", FORM, lambda files: files.pop("judgement.json"))
edited("json-without-its-line-feed", FORM, lambda files: files.update({"case.json": files["case.json"][:-1]}))
edited("json-not-canonical", FORM, lambda files: files.update({"case.json": b" " + files["case.json"]}))
edited("json-with-a-name-twice", FORM, _replaced("case.json", b"{", b'{"acts":[],'))
edited("json-with-a-fraction", FORM, _replaced("evidence.json", b'"count":49', b'"count":49.5'))
rewritten(
    "evidence-of-another-version", FORM, "evidence.json", lambda v: v.update(type="provenance-ledger.evidence/v3")
)
rewritten("evidence-with-an-unknown-member", FORM, "evidence.json", lambda v: v.update(verdict="proved"))
rewritten("found-rows-out-of-order", FORM, "evidence.json", lambda v: v["found_rows"].reverse())
rewritten("mapping-with-a-column-twice", FORM, "evidence.json", lambda v: v["mapping"][0].update(found=0))
