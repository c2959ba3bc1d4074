"""What the configured witnesses have of this log, asked at start-up (docs/format.md §20.1; C2SP tlog-witness).

A witness remembers the newest checkpoint that it cosigned. One that this log signed, and that its database lacks, stops
the log; what a witness says beside that, or does not say, harms nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from hashlib import sha256

import aiohttp

from ledger.core.errors import LedgerError
from ledger.core.note import MAX_NOTE_BYTES, NoteKey
from ledger.server.log.recovery.published import PublishedCheckpoints, Shown
from ledger.server.log.recovery.recovery import open_own

TOTAL_S = 5.0
"""Longest time for all of them: a start does not wait for who is down."""
_OK = 200
_logger = logging.getLogger(__name__)


class WitnessViews:
    """What `inner` knows, and what witnesses have of the log that signed with these `keys` (see `published`)."""

    def __init__(self, inner: PublishedCheckpoints, urls: Iterable[str], keys: Sequence[NoteKey]) -> None:
        """`urls` are those below which witnesses answer (http or https)."""
        self._inner = inner
        self._urls = [url.rstrip("/") for url in urls]
        self._keys = keys

    async def shown(self) -> list[Shown]:
        """Return what is known: witnesses that do not answer are left out."""
        timeout = aiohttp.ClientTimeout(total=TOTAL_S)
        # Nothing is decompressed: a small answer that unfolds into a large one would pass the bound on its bytes.
        async with aiohttp.ClientSession(
            timeout=timeout, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            asked = await asyncio.gather(*(self._ask(session, url) for url in self._urls))
        return [*await self._inner.shown(), *(view for view in asked if view is not None)]

    async def keep(self, note: bytes) -> None:
        """Keep a checkpoint where `inner` does."""
        await self._inner.keep(note)

    async def _ask(self, session: aiohttp.ClientSession, url: str) -> Shown | None:
        address = f"{url}/{sha256(self._keys[0].name.encode()).hexdigest()}/checkpoint"
        try:
            async with session.get(address, allow_redirects=False) as response:
                if response.status != _OK:
                    _logger.info("witness %s has no checkpoint of this log: status %d", url, response.status)
                    return None
                note = await _read(response.content)
            open_own(self._keys, note)
        except TimeoutError:
            _logger.warning("witness %s did not answer in time", url)
        except (aiohttp.ClientError, OSError, LedgerError) as error:
            _logger.warning("witness %s says nothing of this log: %s", url, error)
        else:
            return Shown(f"the witness at {url}", note)
        return None


async def _read(content: aiohttp.StreamReader) -> bytes:
    """Return an answer as far as a note can be long, and a byte more."""
    raw = bytearray()
    async for chunk in content.iter_chunked(MAX_NOTE_BYTES):
        raw += chunk
        if len(raw) > MAX_NOTE_BYTES:
            break
    return bytes(raw)
