"""Serving a mirror: the log's own bytes at the log's own addresses, with proofs made of its tiles (format.md §20.3).

What only the operator can say (states, findings, histories) is not here: a mirror speaks for nobody.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from aiohttp import web

from verifier.core.b64 import encode_base64
from verifier.core.errors import CheckFailed, SourceUnavailable
from verifier.core.jcs import MAX_INTEGER
from verifier.core.notes import MAX_NOTE_BYTES
from verifier.core.receipt import HEADER
from verifier.core.verdict import format_doubt, format_failure
from verifier.core.version import version
from verifier.mirror.ids import StatementIndex
from verifier.mirror.mirror import Mirrored, mirror
from verifier.mirror.proving import MirrorFiles
from verifier.schema.entries import parse_entry, pre_authentication
from verifier.service.limits import new_application, serve, stop_on_signals
from verifier.sources.source import DirectorySource
from verifier.sources.stamps import FOLDER, read_sizes
from verifier.times.form import MAX_TOKEN_BYTES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from verifier.core.notes import VerifierKey
    from verifier.core.policy import Policy
    from verifier.core.tree import Tree
    from verifier.sources.source import Location

_IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}
_FRESH = {"Cache-Control": "public, max-age=1"}
_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
_ID = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_STAMP = re.compile(r"([1-9][0-9]{0,15})\.(tsr|checkpoint)", re.ASCII)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to serve, and what to follow meanwhile."""

    directory: Path
    sources: Location | None
    """Where the log is; None for a mirror that stays as it is."""
    policy: Policy
    log: VerifierKey
    interval_s: float
    """Between two looks at the sources."""


class _Served:
    """The newest state of the mirror; moved on only by what was verified."""

    def __init__(self, plan: Plan, first: Mirrored) -> None:
        if first.opened is None or first.tree is None:
            raise ValueError("only a mirror that was verified is served")
        self.plan = plan
        self.note = first.opened.raw
        self.tree: Tree | None = first.tree
        self.files = MirrorFiles(plan.directory, first.opened.checkpoint.size)
        self.ids = StatementIndex(plan.directory)
        self.ids.bring_up(self.files)

    def follow(self) -> None:
        """Look at the sources once; what cannot be verified changes nothing that is served."""
        plan = self.plan
        known, self.tree = self.tree, None  # after a fault, the next round reads everything again
        if plan.sources is None:
            return
        try:
            result = mirror(plan.sources, plan.directory, plan.policy, plan.log, lambda *_: None, known)
        except OSError as error:
            _LOG.error("cannot write the mirror: %s", error.strerror)
            return
        for failure in result.failures:
            _LOG.error("%s", format_failure(failure))
        for doubt in result.doubts:
            _LOG.warning("%s", format_doubt(doubt))
        if result.opened is None or result.tree is None:
            return
        self.tree = result.tree
        self.files.size = result.opened.checkpoint.size
        self.ids.bring_up(self.files)
        self.note = result.opened.raw

    async def follow_forever(self) -> None:
        """Look again and again, beside the event loop."""
        while True:
            await asyncio.sleep(self.plan.interval_s)
            try:
                await asyncio.to_thread(self.follow)
            except (SourceUnavailable, sqlite3.Error) as error:
                _LOG.error("the mirror does not follow: %s", error)


_SERVED = web.AppKey("served", _Served)


def serve_mirror(plan: Plan, first: Mirrored, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve the mirror that `first` brought up until SIGINT or SIGTERM; `ready` gets the address.

    Raises `OSError` where the address cannot be had.
    """
    asyncio.run(_run(_Served(plan, first), host, port, ready))


async def _run(served: _Served, host: str, port: int, ready: Callable[[str], None]) -> None:
    following = asyncio.create_task(served.follow_forever()) if served.plan.sources is not None else None
    try:
        await serve(make_app(served), host, port, stop_on_signals(), ready)
    finally:
        if following is not None:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
        served.ids.close()


def make_app(served: _Served) -> web.Application:
    """Return the application."""
    app = new_application()
    app.middlewares.append(_answer_plainly)
    app[_SERVED] = served
    app.router.add_get("/checkpoint", _checkpoint)
    app.router.add_get("/tile/{path:.+}", _tile)
    app.router.add_get(f"/{FOLDER}/sizes", _stamped_sizes)
    app.router.add_get(f"/{FOLDER}/{{name}}", _stamp)
    app.router.add_get("/v1/receipts/{index}", _receipt)
    app.router.add_get("/v1/entries/{index}", _entry)
    app.router.add_get("/v1/statements/{statement_id}", _statement)
    app.router.add_get("/v1/consistency", _consistency)
    app.router.add_get("/healthz", _healthz)
    return app


async def _checkpoint(request: web.Request) -> web.Response:
    return web.Response(body=request.app[_SERVED].note, headers=_FRESH, content_type="text/plain", charset="utf-8")


async def _tile(request: web.Request) -> web.Response:
    path = request.rel_url.raw_path.removeprefix("/")  # a tile's address has one spelling, without %-escapes
    body = await asyncio.to_thread(_reading, request.app[_SERVED].files.file, path)
    if body is None:
        raise web.HTTPNotFound
    return web.Response(body=body, headers=_IMMUTABLE, content_type="application/octet-stream")


async def _stamped_sizes(request: web.Request) -> web.Response:
    served = request.app[_SERVED]
    size = note_size(served.note)  # a mirror that is being written may have newer ones already
    sizes = await asyncio.to_thread(_reading, read_sizes, DirectorySource(served.plan.directory))
    text = "".join(f"{one}\n" for one in sizes if one <= size)
    return web.Response(text=text, headers=_FRESH, content_type="text/plain")


async def _stamp(request: web.Request) -> web.Response:
    """Answer with a token, or the checkpoint that it is over, as it was copied (docs/format.md §21.4)."""
    served, match = request.app[_SERVED], _STAMP.fullmatch(request.match_info["name"])
    path = f"{FOLDER}/{match[0]}" if match is not None else ""
    if match is None or int(match[1]) > note_size(served.note) or not (served.plan.directory / path).is_file():
        raise web.HTTPNotFound(reason=f"not here; /{FOLDER}/sizes has the sizes that were stamped")
    source = DirectorySource(served.plan.directory)
    if match[2] == "tsr":
        body = await asyncio.to_thread(_reading, source.read, path, MAX_TOKEN_BYTES)
        return web.Response(body=body, headers=_IMMUTABLE, content_type="application/timestamp-reply")
    body = await asyncio.to_thread(_reading, source.read, path, MAX_NOTE_BYTES)
    return web.Response(body=body, headers=_FRESH, content_type="text/plain", charset="utf-8")


async def _receipt(request: web.Request) -> web.Response:
    served, note = request.app[_SERVED], request.app[_SERVED].note
    if _queried(request, "size", note_size(note)) != note_size(note):
        raise web.HTTPNotFound(reason="a mirror proves under its newest checkpoint only")
    index = _number(request.match_info["index"])
    return web.Response(body=await asyncio.to_thread(_format_receipt, served, note, index), content_type="text/plain")


async def _entry(request: web.Request) -> web.Response:
    return await _answer_entry(request, _number(request.match_info["index"]))


async def _statement(request: web.Request) -> web.Response:
    statement_id = request.match_info["statement_id"]
    if not _ID.fullmatch(statement_id):
        raise web.HTTPBadRequest(reason="an id is sha256: and 64 hex digits")
    index = await asyncio.to_thread(request.app[_SERVED].ids.find, bytes.fromhex(statement_id[7:]))
    if index is None:
        raise web.HTTPNotFound(reason="this mirror has no such statement")
    return await _answer_entry(request, index)


async def _answer_entry(request: web.Request, index: int) -> web.Response:
    served = request.app[_SERVED]
    note = served.note
    receipt = await asyncio.to_thread(_format_receipt, served, note, index)
    raw = await asyncio.to_thread(_reading, served.files.entry, index)
    return web.json_response(_describe_entry(raw, receipt))


async def _consistency(request: web.Request) -> web.Response:
    served = request.app[_SERVED]
    old, new = _queried(request, "from", 0), _queried(request, "to", 0)
    if not 1 <= old <= new <= note_size(served.note):
        raise web.HTTPBadRequest(reason=f"1 <= from <= to <= {note_size(served.note)}")
    path = await asyncio.to_thread(_reading, served.files.consistency_path, old, new)
    return web.json_response({"from": old, "to": new, "path": [encode_base64(digest) for digest in path]})


async def _healthz(_request: web.Request) -> web.Response:
    return web.Response(text=f"verifier {version()}: ok\n")


@web.middleware
async def _answer_plainly(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer every error in one line, without a word about our insides."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        return web.Response(status=error.status, text=f"{error.reason}\n")
    except ConnectionError:
        raise
    except Exception:  # noqa: BLE001 (whatever it is, nothing of it goes out)
        _LOG.exception("%s %s failed", request.method, request.rel_url.path)
        return web.Response(status=500, text="the fault is on this side\n")


def note_size(note: bytes) -> int:
    """Return the size in a checkpoint that was verified: its second line."""
    return int(note.split(b"\n", 2)[1])


def _format_receipt(served: _Served, note: bytes, index: int) -> bytes:
    """Return the receipt of an entry (docs/format.md §11.2)."""
    size = note_size(note)
    if index >= size:
        raise web.HTTPNotFound(reason=f"the mirror has {size} entries, the first being 0")
    path = _reading(served.files.inclusion_path, index, size)
    lines = [HEADER, f"index {index}", *(encode_base64(digest) for digest in path), "", ""]
    return "\n".join(lines).encode() + note


def _describe_entry(raw: bytes, receipt: bytes) -> dict[str, Any]:
    """Return an entry as the ledger itself describes it (docs/http.md)."""
    try:
        entry = parse_entry(raw)
        document = json.loads(raw)
        statement = json.loads(entry.payload)
    except (CheckFailed, ValueError):  # a ledger had to refuse it, and recorded it all the same: it is in the tiles
        raise web.HTTPNotFound(reason="what is recorded there is no entry that can be decoded") from None
    return {
        "statement_id": f"sha256:{sha256(pre_authentication(entry.payload)).hexdigest()}",
        "index": entry.index,
        "time": entry.time_ms,
        "previous": entry.previous.hex(),
        "statement": statement,
        "signatures": document["statement"]["signatures"],
        "entry": encode_base64(raw),
        "receipt": receipt.decode(),
    }


def _reading(read: Callable[..., Any], *arguments: Any) -> Any:  # noqa: ANN401 (whatever `read` returns)
    """Return what is read from the mirror's files; 503 where one is missing or cut short."""
    try:
        return read(*arguments)
    except (CheckFailed, SourceUnavailable) as error:
        _LOG.error("a file of the mirror cannot be read: %s", error)
        raise web.HTTPServiceUnavailable(reason="a file of this mirror is missing or damaged") from error


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text) or int(text) > MAX_INTEGER:
        raise web.HTTPBadRequest(reason="a decimal number without leading zeros")
    return int(text)


def _queried(request: web.Request, name: str, default: int) -> int:
    return _number(request.query[name]) if name in request.query else default
