"""Checkpoints: signed tree heads (docs/format.md §10.4; C2SP tlog-checkpoint v1.0.0)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ledger.core.encoding import MAX_INTEGER, b64decode, b64encode
from ledger.core.errors import FormatError, NoteError
from ledger.core.hashing import EMPTY_ROOT, HASH_BYTES
from ledger.core.keys import Signer
from ledger.core.note import sign_note

_SIZE = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
_MIN_LINES = 3


@dataclass(frozen=True)
class TreeHead:
    """An unsigned tree head: `size` entries, `root` of 32 bytes."""

    size: int
    root: bytes


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint's text says; verified only where `ledger.core.policy` returned it."""

    origin: str
    head: TreeHead


def format_checkpoint(origin: str, head: TreeHead) -> bytes:
    """Return the text of a checkpoint, ending in LF."""
    return f"{origin}\n{head.size}\n{b64encode(head.root)}\n".encode()


def sign_checkpoint(origin: str, head: TreeHead, *keys: Signer, time_s: int = 0) -> bytes:
    """Return the checkpoint as a note signed by the log's keys, whose name is the origin, at a time (Unix seconds)."""
    return sign_note(format_checkpoint(origin, head), origin, *keys, time_s=time_s)


def parse_checkpoint(text: bytes) -> Checkpoint:
    """Parse a note's text as a checkpoint; raise NoteError."""
    try:
        lines = text.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise NoteError("a checkpoint is UTF-8") from error
    if lines.pop() != "" or len(lines) < _MIN_LINES or not all(lines):
        raise NoteError("a checkpoint has an origin, a size, a root hash, and no empty line")
    origin, size, root = lines[:_MIN_LINES]
    if not _SIZE.fullmatch(size) or int(size) > MAX_INTEGER:
        raise NoteError("a checkpoint's size is a decimal number of at most 2^53 − 1, without leading zeros")
    try:
        root_hash = b64decode(root)
    except FormatError as error:
        raise NoteError("a checkpoint's root hash is base64") from error
    if len(root_hash) != HASH_BYTES or (int(size) == 0 and root_hash != EMPTY_ROOT):
        raise NoteError(f"a checkpoint's root hash has {HASH_BYTES} bytes, and is SHA-256 of nothing at size 0")
    return Checkpoint(origin, TreeHead(int(size), root_hash))
