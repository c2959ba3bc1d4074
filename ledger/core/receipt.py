"""Receipts: an entry's inclusion proof with its checkpoint (docs/format.md §11.2; C2SP tlog-proof)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.core.checkpoint import Checkpoint
from ledger.core.encoding import MAX_INTEGER, b64decode, b64encode
from ledger.core.errors import FormatError
from ledger.core.hashing import HASH_BYTES, leaf_hash
from ledger.core.merkle import verify_inclusion
from ledger.core.policy import Policy

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PATH = 53
MAX_RECEIPT_BYTES = 131_072
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,15})", re.ASCII)


@dataclass(frozen=True)
class Receipt:
    """A parsed, unverified receipt: `checkpoint` is a signed note, verbatim."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes


def format_receipt(index: int, path: Sequence[bytes], checkpoint: bytes) -> bytes:
    """Return the text of a receipt."""
    lines = [HEADER, f"index {index}", *(b64encode(value) for value in path), "", ""]
    return "\n".join(lines).encode() + checkpoint


def parse_receipt(raw: bytes) -> Receipt:
    """Parse a receipt; raise FormatError `not-a-receipt`."""
    if len(raw) > MAX_RECEIPT_BYTES:
        raise _malformed(f"more than {MAX_RECEIPT_BYTES} bytes")
    head, separator, checkpoint = raw.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise _malformed("the proof is ASCII") from error
    if not separator or lines.pop(0) != HEADER:
        raise _malformed(f"the first line is {HEADER}")
    if lines and lines[0].startswith("extra "):
        b64decode(lines.pop(0).removeprefix("extra "), "extra")
    match = _INDEX.fullmatch(lines.pop(0)) if lines else None
    if match is None or int(match[1]) > MAX_INTEGER or len(lines) > MAX_PATH:
        raise _malformed(f"an index line and at most {MAX_PATH} hashes follow")
    path = tuple(b64decode(line, "path") for line in lines)
    if any(len(value) != HASH_BYTES for value in path):
        raise _malformed(f"a hash has {HASH_BYTES} bytes")
    return Receipt(int(match[1]), path, checkpoint)


def open_receipt(raw: bytes, entry: bytes, policy: Policy) -> tuple[Receipt, Checkpoint]:
    """Verify that `entry` is in the log that `policy` trusts; return the receipt with its verified checkpoint.

    Raises FormatError, NoteError (QuorumError), or ProofError.
    """
    receipt = parse_receipt(raw)
    checkpoint = policy.open_checkpoint(receipt.checkpoint)
    verify_inclusion(leaf_hash(entry), receipt.index, checkpoint.head.size, receipt.path, checkpoint.head.root)
    return receipt, checkpoint


def _malformed(detail: str) -> FormatError:
    return FormatError("not-a-receipt", detail=detail)
