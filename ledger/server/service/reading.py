"""Entries, receipts, proofs and histories. Every answer names the size it is of."""

from __future__ import annotations

import asyncio
import json
import re

from aiohttp import web

from ledger.core.encoding import b64encode
from ledger.core.entry import parse_entry
from ledger.core.receipt import format_receipt
from ledger.server.log.intake.submission import Published
from ledger.server.log.proofs import consistency_path, inclusion_path
from ledger.server.service.context import log_of, number, published, queried, shown
from ledger.server.service.errors import ProblemError
from ledger.statements.fields import is_name

MAX_SUBJECTS = 32
ID = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


async def entry(request: web.Request) -> web.Response:
    """Serve the entry at an index, decoded, with its receipt."""
    return await _entry(request, number(request.match_info["index"], "index"))


async def statement(request: web.Request) -> web.Response:
    """Serve the entry of a statement, decoded, with its receipt."""
    statement_id = request.match_info["statement_id"]
    if not ID.fullmatch(statement_id):
        raise ProblemError(400, "wrong-value", "sha256: and 64 hex digits", "statement_id")
    index = await log_of(request).store.public.index_of(statement_id)
    if index is None or index >= published(request).head.size:
        raise ProblemError(404, "not-found", "this ledger has not recorded that statement")
    return await _entry(request, index)


async def receipt(request: web.Request) -> web.Response:
    """Serve the receipt of an index, against the newest checkpoint or the retained one of `?size=`."""
    index = number(request.match_info["index"], "index")
    state = _covering(request, index)
    size, note = state.head.size, state.checkpoint
    if "size" in request.query:
        kept = await log_of(request).store.public.checkpoint(queried(request, "size"))
        if kept is None or kept.size > published(request).head.size:
            raise ProblemError(404, "not-found", "no checkpoint of that size is retained", "size")
        size, note = kept.size, kept.note
    return web.Response(text=(await _receipt(request, index, size, note)).decode(), content_type="text/plain")


async def consistency(request: web.Request) -> web.Response:
    """Serve the consistency path between two sizes of the published tree."""
    old, new = queried(request, "from"), queried(request, "to")
    if not 1 <= old <= new <= published(request).head.size:
        raise ProblemError(400, "wrong-value", f"1 ≤ from ≤ to ≤ {published(request).head.size}")
    path = await consistency_path(log_of(request).store.public, old, new)
    return web.json_response({"from": old, "to": new, "path": [b64encode(value) for value in path]})


async def history(request: web.Request) -> web.Response:
    """Serve the signed history of up to 32 subjects: ids, or names of parties."""
    log, state = log_of(request), published(request)
    subjects = sorted(set(request.query.getall("subject", [])))
    if not 1 <= len(subjects) <= MAX_SUBJECTS or not all(ID.fullmatch(item) or is_name(item) for item in subjects):
        raise ProblemError(
            400, "wrong-value", f"1 to {MAX_SUBJECTS} times subject=, an id or a party's name", "subject"
        )
    indexes = [index for index in await log.store.public.history(subjects) if index < state.head.size]
    # A busy party's history can be long: it is written and signed beside the event loop.
    signed = await asyncio.to_thread(log.identity.history, log.standing.ledger_id, subjects, indexes, state.head)
    return web.json_response(signed.document())


def _covering(request: web.Request, index: int) -> Published:
    """Return what readers are shown or, where only that covers an index, the newest state, not cosigned yet."""
    state = shown(request)
    return state if index < state.head.size else published(request)


async def _entry(request: web.Request, index: int) -> web.Response:
    state = _covering(request, index)
    proof = await _receipt(request, index, state.head.size, state.checkpoint)
    (raw,) = await log_of(request).store.public.entries(index, index + 1)
    recorded = parse_entry(raw)
    document = recorded.envelope.document()
    body = {
        "statement_id": recorded.envelope.id,
        "index": index,
        "time": recorded.time_ms,
        "previous": recorded.previous,
        "statement": json.loads(recorded.envelope.payload),
        "signatures": document["signatures"],
        "entry": b64encode(raw),
        "receipt": proof.decode(),
    }
    return web.json_response(body)


async def _receipt(request: web.Request, index: int, size: int, note: bytes) -> bytes:
    if index >= size:
        raise ProblemError(404, "not-found", f"the log has {size} entries, the first being 0", "index")
    path = await inclusion_path(log_of(request).store.public, index, size)
    return format_receipt(index, path, note)
