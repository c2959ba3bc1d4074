"""C2SP tlog-tiles over HTTP (docs/format.md §11.1): what a mirror copies and a verifier reads."""

from __future__ import annotations

import asyncio
import gzip

from aiohttp import web

from ledger.core.errors import FormatError
from ledger.core.hashing import HASH_BYTES
from ledger.core.tiles import TILE_HEIGHT, TILE_WIDTH, Tile, format_bundle, parse_tile_path
from ledger.server.service.context import log_of, published, shown
from ledger.server.service.errors import ProblemError

_IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}
_FRESH = {"Cache-Control": "public, max-age=1"}
_GZIP_LEVEL = 3


async def checkpoint(request: web.Request) -> web.Response:
    """Serve the newest signed checkpoint; with witnesses, the newest that their quorum cosigned."""
    return web.Response(body=shown(request).checkpoint, headers=_FRESH, content_type="text/plain", charset="utf-8")


async def tile(request: web.Request) -> web.Response:
    """Serve a hash tile or an entry bundle of the published tree, full or partial."""
    if request.rel_url.raw_path != request.path:
        raise ProblemError(404, "not-found", "a tile's address has one spelling, without %-escapes")
    try:
        address = parse_tile_path(request.match_info["path"])
    except FormatError as error:
        raise ProblemError(404, "not-found", "not a tile's address: tile/<L>/<N>[.p/<W>]") from error
    count = published(request).head.size >> (TILE_HEIGHT * (address.level or 0))
    if address.position * TILE_WIDTH + address.width > count:
        raise ProblemError(404, "not-found", "the published tree has no such tile")
    return await _bundle(request, address) if address.level is None else await _hashes(request, address.level, address)


async def _hashes(request: web.Request, level: int, address: Tile) -> web.Response:
    hashes = await log_of(request).store.public.tile(level, address.position)
    body = hashes[: address.width * HASH_BYTES]
    return web.Response(body=body, headers=_IMMUTABLE, content_type="application/octet-stream")


async def _bundle(request: web.Request, address: Tile) -> web.Response:
    first = address.position * TILE_WIDTH
    body = format_bundle(await log_of(request).store.public.entries(first, first + address.width))
    headers = _IMMUTABLE | {"Vary": "Accept-Encoding"}
    if _takes_gzip(request.headers.get("Accept-Encoding", "")):
        body = await asyncio.to_thread(gzip.compress, body, _GZIP_LEVEL, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=body, headers=headers, content_type="application/octet-stream")


def _takes_gzip(accepted: str) -> bool:
    """Read an Accept-Encoding header (RFC 9110 §12.5.3): gzip is named, and not with a weight of 0."""
    weights = dict(item.replace(" ", "").lower().partition(";")[::2] for item in accepted.split(","))
    return "gzip" in weights and weights["gzip"] not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
