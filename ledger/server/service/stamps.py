"""Time-stamped checkpoints: as a list for programs, and as the files of a mirror (docs/format.md §21.4)."""

from __future__ import annotations

import re

from aiohttp import web

from ledger.server.service.context import log_of, number, page_limit, queried, shown
from ledger.server.service.errors import ProblemError
from ledger.server.store.stamps import StoredStamp

MAX_SIZES = 1_000_000
TOKEN_TYPE = "application/timestamp-reply"  # noqa: S105 - a media type
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_FRESH = {"Cache-Control": "public, max-age=1"}
_FILE = re.compile(r"([1-9][0-9]{0,15})\.(tsr|checkpoint)", re.ASCII)


async def stamps(request: web.Request) -> web.Response:
    """Serve a page of the checkpoints that were stamped, ascending by size."""
    newest, limit = shown(request).head.size, page_limit(request)
    after = queried(request, "cursor") if "cursor" in request.query else 0
    sizes = await log_of(request).store.public.stamp_sizes(after, limit + 1)
    here = [size for size in sizes[:limit] if size <= newest]
    items = [
        {"size": size, "checkpoint": (await _note(request, await _stamp(request, size))).decode()} for size in here
    ]
    following = here[-1] if len(here) == limit and len(sizes) > limit and sizes[limit] <= newest else None
    return web.json_response({"items": items, "next": following, "size": newest})


async def token(request: web.Request) -> web.Response:
    """Serve the token over the checkpoint of a size."""
    stamp = await _stamp(request, number(request.match_info["size"], "size"))
    return web.Response(body=stamp.token, headers=_FOR_EVER, content_type=TOKEN_TYPE)


async def file(request: web.Request) -> web.Response:
    """Serve a file of a mirror's directory `timestamps`: `sizes`, `<size>.tsr`, `<size>.checkpoint`."""
    name = request.match_info["name"]
    if name == "sizes":
        newest = shown(request).head.size
        sizes = await log_of(request).store.public.stamp_sizes(0, MAX_SIZES)
        text = "".join(f"{size}\n" for size in sizes if size <= newest)
        return web.Response(text=text, headers=_FRESH, content_type="text/plain")
    match = _FILE.fullmatch(name)
    if match is None:
        raise ProblemError(404, "not-found", "timestamps/ has: sizes, <size>.tsr, <size>.checkpoint")
    stamp = await _stamp(request, number(match[1], "size"))
    if match[2] == "tsr":
        return web.Response(body=stamp.token, headers=_FOR_EVER, content_type=TOKEN_TYPE)
    note = await _note(request, stamp)
    return web.Response(body=note, headers=_FRESH, content_type="text/plain", charset="utf-8")


async def _stamp(request: web.Request, size: int) -> StoredStamp:
    stamp = await log_of(request).store.public.stamp(size) if size <= shown(request).head.size else None
    if stamp is None:
        raise ProblemError(404, "not-found", "no checkpoint of that size was stamped; see /v1/timestamps", "size")
    return stamp


async def _note(request: web.Request, stamp: StoredStamp) -> bytes:
    """Return the checkpoint as it is kept now: cosignatures may have come since it was stamped."""
    kept = await log_of(request).store.public.checkpoint(stamp.size)
    return stamp.note if kept is None else kept.note
