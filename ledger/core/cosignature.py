"""What a cosigner signs of a checkpoint (docs/format.md §10.2; C2SP tlog-cosignature v1.1.0, types 0x04 and 0x06)."""

from __future__ import annotations

import re

from ledger.core.encoding import b64decode
from ledger.core.errors import FormatError, NoteError
from ledger.core.hashing import HASH_BYTES

MAX_TIME_S = 2**63 - 1
MAX_CLOCK_DIFFERENCE_S = 300
"""How far clocks of a log, of witnesses and of submitters may be apart (docs/format.md §9, §10.6, §17.3, §18.4)."""
_MAX_NAME_BYTES = 255
_HEAD = re.compile(rb"([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/=]+)\n")


def timed_message(text: bytes, time_s: int) -> bytes:
    """Return what a cosignature of type 0x04 signs: a time (Unix seconds) and the whole text."""
    return b"cosignature/v1\ntime %d\n" % time_s + text


def tree_message(name: str, text: bytes, time_s: int) -> bytes:
    """Return what a cosignature of type 0x06 by `name` signs of a checkpoint's text: origin, size and root.

    Raises NoteError where the text is not a checkpoint, or a name has more than 255 bytes.
    """
    head = _HEAD.match(text)
    if head is None:
        raise NoteError("a cosignature is over a checkpoint")
    try:
        root = b64decode(head[3].decode())
    except FormatError as error:
        raise NoteError("a checkpoint's root hash is base64") from error
    if len(root) != HASH_BYTES:
        raise NoteError(f"a checkpoint's root hash has {HASH_BYTES} bytes")
    start = bytes(8)
    return b"".join(
        [
            b"subtree/v1\n\0",
            _counted(name.encode()),
            time_s.to_bytes(8, "big"),
            _counted(head[1]),
            start,
            int(head[2]).to_bytes(8, "big"),
            root,
        ]
    )


def _counted(name: bytes) -> bytes:
    if not 1 <= len(name) <= _MAX_NAME_BYTES:
        raise NoteError(f"a cosigned name has 1 to {_MAX_NAME_BYTES} bytes")
    return bytes([len(name)]) + name
