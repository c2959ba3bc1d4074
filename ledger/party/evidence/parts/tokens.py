"""RFC 3161 time-stamp tokens over a checkpoint: taken as they are, if they are of that very checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256, sha384, sha512
from pathlib import Path

from ledger.core.note import parse_note
from ledger.party.evidence.parts.errors import NotOfThisCase

_MAX_BYTES = 1 << 20
_SEQUENCE = 0x30


def read_tokens(paths: Sequence[Path], note: bytes) -> list[bytes]:
    """Return the tokens' bytes; raise NotOfThisCase as `check_token` does."""
    tokens = []
    for path in paths:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
        check_token(raw, note, path.name)
        tokens.append(raw)
    return tokens


def check_token(raw: bytes, note: bytes, name: str) -> None:
    """Raise NotOfThisCase for a token that is not over the checkpoint `note`; `name` is what people call it.

    Who signed a token, and whether rightly, is for those to judge who trust its authority.
    """
    if not raw or raw[0] != _SEQUENCE or len(raw) > _MAX_BYTES:
        raise NotOfThisCase(f"{name} is not an RFC 3161 token (DER)", "give the authority's answer as it came")
    stamped = (note, parse_note(note).text)  # docs/format.md §21.1: logs have the text stamped, people the file
    if not any(hashed(one).digest() in raw for one in stamped for hashed in (sha256, sha384, sha512)):
        raise NotOfThisCase(
            f"{name} is over something other than its checkpoint",
            "have the file 'checkpoint' of a mirror time-stamped, and build with --mirror",
        )
