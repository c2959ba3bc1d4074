"""RFC 3161 time-stamp tokens over a checkpoint: taken as they are, if they are of that very checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256, sha384, sha512
from pathlib import Path

from ledger.core.note import parse_note
from ledger.party.evidence.errors import NotOfThisCase

_MAX_BYTES = 1 << 20
_SEQUENCE = 0x30


def read_tokens(paths: Sequence[Path], note: bytes) -> list[bytes]:
    """Return the tokens' bytes; raise NotOfThisCase for one that is not over the checkpoint `note`.

    Who signed a token, and whether rightly, is for those to judge who trust its authority.
    """
    stamped = (note, parse_note(note).text)  # docs/format.md §21.1: logs have the text stamped, people the file
    digests = [hashed(raw).digest() for raw in stamped for hashed in (sha256, sha384, sha512)]
    tokens = []
    for path in paths:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
        if not raw or raw[0] != _SEQUENCE or len(raw) > _MAX_BYTES:
            raise NotOfThisCase(f"{path.name} is no RFC 3161 token (DER)", "give the authority's answer as it came")
        if not any(digest in raw for digest in digests):
            raise NotOfThisCase(
                f"{path.name} is over something else than the checkpoint of this bundle",
                "have the file 'checkpoint' of a mirror time-stamped, and build with --mirror",
            )
        tokens.append(raw)
    return tokens
