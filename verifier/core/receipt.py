"""The form of a receipt (docs/format.md §11.2; C2SP tlog-proof)."""

from __future__ import annotations

from dataclasses import dataclass

from verifier.core.b64 import decode_base64
from verifier.core.errors import MalformedInput
from verifier.core.notes import MAX_NOTE_BYTES, parse_decimal
from verifier.core.tree import HASH_BYTES

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PATH = 53
MAX_RECEIPT_BYTES = 2 * MAX_NOTE_BYTES


@dataclass(frozen=True, slots=True)
class Receipt:
    """A parsed receipt; nothing about it is verified."""

    index: int
    path: tuple[bytes, ...]
    note: bytes


def parse_receipt(raw: bytes) -> Receipt:
    """Return the receipt that `raw` encodes (docs/format.md §11.2).

    Raises `MalformedInput`.
    """
    if len(raw) > MAX_RECEIPT_BYTES:
        raise MalformedInput("receipt", "too-large", f"{len(raw)} bytes")
    head, empty_line, note = raw.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise MalformedInput("receipt", "malformed", "not ASCII above the checkpoint") from None
    if not empty_line or lines.pop(0) != HEADER:
        raise MalformedInput("receipt", "malformed", "header")
    if lines and lines[0].startswith("extra ") and decode_base64(lines.pop(0).removeprefix("extra ")) is None:
        raise MalformedInput("receipt", "malformed", "extra")
    index = parse_decimal(lines.pop(0).removeprefix("index ")) if lines and lines[0].startswith("index ") else None
    if index is None:
        raise MalformedInput("receipt", "malformed", "index")
    path = [decode_base64(line) for line in lines]
    hashes = tuple(digest for digest in path if digest is not None and len(digest) == HASH_BYTES)
    if len(hashes) != len(path) or len(path) > MAX_PATH:
        raise MalformedInput("receipt", "malformed", "path")
    return Receipt(index, hashes, note)
