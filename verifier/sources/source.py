"""Where a log's files come from: a directory, or an HTTP(S) server. Nothing that arrives here is trusted."""

from __future__ import annotations

import http.client
import io
import os
import socket
import ssl
import time
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from verifier.core.errors import SourceUnavailable, UsageError
from verifier.core.notes import MAX_NOTE_BYTES
from verifier.core.tree import HASH_BYTES, TILE_WIDTH, tile_path
from verifier.schema.entries import MAX_ENTRY_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from _typeshed import WriteableBuffer

MAX_BUNDLE_BYTES = TILE_WIDTH * (2 + MAX_ENTRY_BYTES)
MAX_TILE_BYTES = TILE_WIDTH * HASH_BYTES
SILENCE_S = 20.0
"""Longest wait for the next bytes of a server."""
DEADLINE_S = 120.0
"""Longest time for one file, however steadily it trickles."""
_ATTEMPTS = 3
_CHUNK_BYTES = 1 << 16
_OK, _SERVER_FAULT, _TOO_MANY = 200, 500, 429
_MISSING = (404, 410)
_GZIP, _AS_IT_IS = "gzip", "identity"


Location = str | tuple[str, ...]
"""Where a log is: a directory or a URL; or several, of which whichever answers is read."""


class Source(Protocol):
    """The files of a log, laid out as docs/format.md §11.1 says."""

    def read(self, path: str, max_bytes: int) -> bytes:
        """Return a file of at most `max_bytes`.

        Raises `SourceUnavailable` if it cannot be had.
        """

    def close(self) -> None:
        """Let go of connections."""


class DirectorySource:
    """A mirror on disk."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, path: str, max_bytes: int) -> bytes:
        """See `Source`."""
        try:
            with (self._root / path).open("rb") as file:
                size = min(os.fstat(file.fileno()).st_size, max_bytes)
                raw = file.read(size + 1)  # (no more memory is taken for it than it needs)
                if len(raw) > size:
                    raw += file.read(max_bytes + 1 - len(raw))
        except FileNotFoundError:
            raise SourceUnavailable(path, "no such file", missing=True) from None
        except OSError as error:
            raise SourceUnavailable(path, error.strerror or "unreadable") from error
        if len(raw) > max_bytes:
            raise SourceUnavailable(path, f"larger than {max_bytes} bytes")
        return raw

    def close(self) -> None:
        """Nothing is held."""


class HttpSource:
    """A server; one connection is kept alive, redirects are not followed."""

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise UsageError(f"not the URL of a log: {url}") from error
        if not parts.hostname or parts.query or parts.fragment or not url.isascii():
            raise UsageError(f"not the URL of a log: {url}")
        self._base = parts.path.rstrip("/")
        self._connection: http.client.HTTPConnection = (
            http.client.HTTPSConnection(parts.hostname, port, timeout=SILENCE_S, context=ssl.create_default_context())
            if parts.scheme == "https"
            else http.client.HTTPConnection(parts.hostname, port, timeout=SILENCE_S)
        )
        self._connection.response_class = TimedResponse

    def read(self, path: str, max_bytes: int) -> bytes:
        """See `Source`."""
        why = ""
        for attempt in range(_ATTEMPTS):
            if attempt > 1:  # the first repetition is for a kept-alive connection that had been closed
                time.sleep(attempt * 0.5)
            try:
                return self._get(path, max_bytes)
            except (OSError, http.client.HTTPException, zlib.error) as error:
                self.close()
                why = f"{type(error).__name__}: {error}"
        raise SourceUnavailable(path, why)

    def _get(self, path: str, max_bytes: int) -> bytes:
        headers = {"Accept-Encoding": _GZIP, "User-Agent": "provenance-ledger-verifier"}
        self._connection.request("GET", f"{self._base}/{path}", headers=headers)
        with self._connection.getresponse() as response:
            if response.status >= _SERVER_FAULT or response.status == _TOO_MANY:
                raise http.client.HTTPException(f"status {response.status}")
            if response.status != _OK:
                self.close()
                raise SourceUnavailable(path, f"status {response.status}", missing=response.status in _MISSING)
            encoding = response.headers.get("Content-Encoding", _AS_IT_IS).lower()
            if encoding not in (_AS_IT_IS, _GZIP):  # what it says is not known, so that it accuses nobody
                self.close()
                raise SourceUnavailable(path, "in an encoding that was not asked for")
            # A few kilobytes of gzip can unfold to gigabytes: never more than the cap is unfolded.
            unfold = zlib.decompressobj(16 + zlib.MAX_WBITS) if encoding == _GZIP else None
            body = bytearray()
            for chunk in _chunks(response):
                body += unfold.decompress(chunk, max_bytes + 1 - len(body)) if unfold else chunk
                if len(body) > max_bytes:
                    self.close()
                    raise SourceUnavailable(path, f"larger than {max_bytes} bytes")
            if unfold and not unfold.eof:
                raise http.client.HTTPException("gzip stream cut short")
            return bytes(body)

    def close(self) -> None:
        """Close the connection; the next `read` opens another."""
        with suppress(OSError):
            self._connection.close()


class _TimedReader(io.RawIOBase):
    """Reads a socket until a deadline: a server that sends a byte now and then must not hold us for good."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._held = sock.makefile("rb", buffering=0)  # keeps the socket open while this reader is
        self._deadline = time.monotonic() + DEADLINE_S

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError(f"slower than {DEADLINE_S} s")
        self._sock.settimeout(min(SILENCE_S, remaining))
        return self._sock.recv_into(buffer)

    def close(self) -> None:
        self._held.close()
        super().close()


class TimedResponse(http.client.HTTPResponse):
    """A response whose status line, headers and body, all together, must be in before the deadline."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (http.client's own)
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_TimedReader(sock))


def _chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    while chunk := response.read1(_CHUNK_BYTES):
        yield chunk
    if response.length:  # `read1` ends quietly where a body is cut short
        raise http.client.IncompleteRead(b"", response.length)


class SeveralSources:
    """Sources of one log: a file comes from the first that has it, beginning with the one that answered last."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = list(sources)

    def read(self, path: str, max_bytes: int) -> bytes:
        """See `Source`."""
        errors = []
        for source in self._sources:
            try:
                raw = source.read(path, max_bytes)
            except SourceUnavailable as error:
                errors.append(error)
                continue
            if errors:  # whoever waited for a silent server once need not wait for it again with every file
                self._sources.sort(key=lambda item: item is not source)
            return raw
        why = "; ".join(dict.fromkeys(error.why for error in errors))
        raise SourceUnavailable(path, why, missing=all(error.missing for error in errors))

    def close(self) -> None:
        """Let go of all."""
        for source in self._sources:
            source.close()


def name_location(location: Location) -> str:
    """Return a location in words."""
    return location if isinstance(location, str) else ", ".join(location)


def open_source(location: Location) -> Source:
    """Return the source at a URL (`http:`, `https:`) or in a directory, or all of several.

    Raises `UsageError` for any other scheme and `SourceUnavailable` if there is no such directory; of several, one
    that is not there is left out unless none is.
    """
    if not isinstance(location, str):
        sources = []
        for item in location:
            with suppress(SourceUnavailable):
                sources.append(open_source(item))
        return SeveralSources(sources) if sources else open_source(location[0])
    if location.startswith(("http://", "https://")):
        return HttpSource(location)
    if "://" in location:
        raise UsageError(f"a source is a directory or an http(s) URL, not {location}")
    if not Path(location).is_dir():
        raise SourceUnavailable(location, "no such directory", missing=True)
    return DirectorySource(Path(location))


def read_checkpoint(source: Source) -> bytes:
    """Return the newest checkpoint's note."""
    return source.read("checkpoint", MAX_NOTE_BYTES)


def read_tile(source: Source, level: int | str, number: int, width: int) -> tuple[str, bytes]:
    """Return path and bytes of a tile, or of an entry bundle (level `entries`).

    A partial tile may have made way for the full one: then the full one is returned (C2SP tlog-tiles).
    """
    max_bytes = MAX_BUNDLE_BYTES if level == "entries" else MAX_TILE_BYTES
    path = tile_path(level, number, width)
    try:
        return path, source.read(path, max_bytes)
    except SourceUnavailable as error:
        if width == TILE_WIDTH or not error.missing:
            raise
        full = tile_path(level, number, TILE_WIDTH)
        with suppress(SourceUnavailable):
            return full, source.read(full, max_bytes)
        raise
