"""The files of a mirror: a directory, or an HTTP(S) address, laid out as docs/format.md §11.1 says.

Nothing that arrives here is trusted, and nothing is taken without bounds on its bytes and its time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp

from ledger.server.copies.errors import CopyMissing, CopyUnreadable

TOTAL_S = 60.0
SILENCE_S = 20.0
_OK, _NOT_FOUND = 200, 404
_CHUNK_BYTES = 1 << 16


class Files(Protocol):
    """The files of one copy."""

    location: str

    async def read(self, path: str, max_bytes: int) -> bytes:
        """Return a file of at most `max_bytes`; raise CopyUnreadable, CopyMissing if there is none."""


class DirectoryFiles:
    """A mirror on disk."""

    def __init__(self, directory: Path) -> None:
        self.location = str(directory)
        self._directory = directory

    async def read(self, path: str, max_bytes: int) -> bytes:
        """See `Files`."""
        return await asyncio.to_thread(self._read, path, max_bytes)

    def _read(self, path: str, max_bytes: int) -> bytes:
        try:
            with (self._directory / path).open("rb") as file:
                raw = file.read(max_bytes + 1)
        except FileNotFoundError as error:
            raise CopyMissing(f"{self._directory / path}", "no such file") from error
        except OSError as error:
            raise CopyUnreadable(f"{self._directory / path}", error.strerror or "unreadable") from error
        return _bounded(f"{self._directory / path}", raw, max_bytes)


class HttpFiles:
    """A mirror that somebody serves."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.location = url.rstrip("/")
        self._session = session

    async def read(self, path: str, max_bytes: int) -> bytes:
        """See `Files`; redirects are not followed."""
        address = f"{self.location}/{path}"
        body = bytearray()
        try:
            async with self._session.get(address, allow_redirects=False) as response:
                if response.status == _NOT_FOUND:
                    raise CopyMissing(address, "no such file")
                if response.status != _OK:
                    raise CopyUnreadable(address, f"status {response.status}")
                async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                    body += chunk
                    if len(body) > max_bytes:
                        break
        except TimeoutError as error:
            raise CopyUnreadable(address, "no answer in time") from error
        except (aiohttp.ClientError, OSError) as error:
            raise CopyUnreadable(address, str(error) or type(error).__name__) from error
        return _bounded(address, bytes(body), max_bytes)


@asynccontextmanager
async def open_files(location: str) -> AsyncIterator[Files]:
    """Give the files at a URL (`http:`, `https:`) or in a directory; raise CopyUnreadable for anything else."""
    parts = urlsplit(location)
    if parts.scheme in {"http", "https"} and parts.hostname and not parts.query and not parts.fragment:
        timeout = aiohttp.ClientTimeout(total=TOTAL_S, sock_connect=SILENCE_S, sock_read=SILENCE_S)
        # Nothing is decompressed: a small answer that unfolds into a large one would pass the bound on its bytes.
        headers = {"Accept-Encoding": "identity"}
        async with aiohttp.ClientSession(timeout=timeout, headers=headers, auto_decompress=False) as session:
            yield HttpFiles(location, session)
    elif Path(location).is_dir():  # noqa: ASYNC240 - once
        yield DirectoryFiles(Path(location))
    else:
        raise CopyUnreadable(location, "neither a directory nor an http(s) address")


def _bounded(where: str, raw: bytes, max_bytes: int) -> bytes:
    if len(raw) > max_bytes:
        raise CopyUnreadable(where, f"larger than {max_bytes} bytes")
    return raw
