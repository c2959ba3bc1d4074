"""The mirror of the ledger that this one continues, below /predecessor/: read-only, as it was adopted."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

from ledger.core.errors import FormatError
from ledger.core.tiles import parse_tile_path
from ledger.server.service.errors import ProblemError

PREDECESSOR: web.AppKey[Path] = web.AppKey("predecessor", Path)
_IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}
_NOT_THERE = "this ledger continues no other, or that one's log has no such file: checkpoint, tile/<L>/<N>[.p/<W>]"


async def file(request: web.Request) -> web.Response:
    """Serve the old log's checkpoint, a hash tile or an entry bundle (C2SP tlog-tiles)."""
    path = request.match_info["path"]
    # Only the spellings of a checkpoint and of tiles are paths: nothing else in the directory can be asked for.
    directory = request.app.get(PREDECESSOR)
    if directory is None or request.rel_url.raw_path != request.path or not _is_of_a_log(path):
        raise ProblemError(404, "not-found", _NOT_THERE)
    raw = await asyncio.to_thread(_read, directory / path)
    if path == "checkpoint":
        return web.Response(body=raw, headers=_IMMUTABLE, content_type="text/plain", charset="utf-8")
    return web.Response(body=raw, headers=_IMMUTABLE, content_type="application/octet-stream")


def _is_of_a_log(path: str) -> bool:
    if path == "checkpoint":
        return True
    try:
        parse_tile_path(path.removeprefix("tile/"))
    except FormatError:
        return False
    return path.startswith("tile/")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise ProblemError(404, "not-found", _NOT_THERE) from None
