"""Papers that a statement names by digest: they stay with the parties (docs/statements.md §1.1, *document*)."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ledger.core.encoding import Json
from ledger.party.digests import digest_file, guess_media_type, total_bytes
from ledger.party.errors import Unfit


async def document(path: Path | None) -> Json:
    """Return what a statement says of a file: size, media type and SHA-256; None for no file.

    Raises Unfit for an empty file or what is no regular one, OSError for what is not there.
    """
    if path is None:
        return None
    if not total_bytes([path]):
        raise Unfit(f"{path} is empty: there is nothing in it to point to")
    return (await asyncio.to_thread(digest_file, path, guess_media_type(path))).model_dump(exclude_none=True)
