"""Entries: a signed statement with its index, time and link (docs/format.md §7)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from ledger.core.dsse import Envelope, members, read_envelope
from ledger.core.encoding import MAX_INTEGER, parse_canonical
from ledger.core.errors import FormatError
from ledger.core.hashing import leaf_hash
from ledger.core.tiles import MAX_ENTRY_BYTES

ZERO_LINK = "0" * 64
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_FRAME_BYTES = len('{"index":,"previous":"","statement":,"time":}') + 64 + 16 + 16


@dataclass(frozen=True)
class Entry:
    """One entry: `previous` is the hex leaf hash of the entry before, `time_ms` Unix milliseconds."""

    index: int
    previous: str
    envelope: Envelope
    time_ms: int

    @cached_property
    def raw(self) -> bytes:
        """The canonical bytes, which are hashed."""
        return b'{"index":%d,"previous":"%s","statement":%s,"time":%d}' % (
            self.index,
            self.previous.encode("ascii"),
            self.envelope.recorded,
            self.time_ms,
        )

    @cached_property
    def leaf(self) -> bytes:
        """The leaf hash, 32 bytes."""
        return leaf_hash(self.raw)


def fits(envelope: Envelope) -> bool:
    """Tell whether an entry of this statement stays within 65,535 bytes at any index and time (§7.1)."""
    return _FRAME_BYTES + len(envelope.recorded) <= MAX_ENTRY_BYTES


def parse_entry(raw: bytes) -> Entry:
    """Parse an entry's bytes, which must be canonical; raise FormatError. Nothing is verified."""
    if len(raw) > MAX_ENTRY_BYTES:
        raise FormatError("too-large", detail=f"an entry has at most {MAX_ENTRY_BYTES} bytes")
    document = parse_canonical(raw)
    members(document, ("index", "previous", "statement", "time"))
    for name in ("index", "time"):
        if type(document[name]) is not int or not 0 <= document[name] <= MAX_INTEGER:
            raise FormatError("wrong-value", f"/{name}", "an integer of at least 0")
    if not isinstance(document["previous"], str) or not _HEX.fullmatch(document["previous"]):
        raise FormatError("wrong-value", "/previous", "64 lower-case hex digits")
    entry = Entry(document["index"], document["previous"], read_envelope(document["statement"]), document["time"])
    if entry.raw != raw:
        raise FormatError("non-canonical", "/statement/signatures", "signatures are sorted by keyid")
    return entry
