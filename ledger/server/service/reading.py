"""Entries, receipts, proofs, histories, and what the chain says now. Every answer names the size it is of."""

from __future__ import annotations

import asyncio
import json
import re

from aiohttp import web

from ledger.core.encoding import Json, b64encode
from ledger.core.entry import parse_entry
from ledger.core.merkle import consistency_ranges, nodes_of, prove
from ledger.core.receipt import format_receipt
from ledger.registry.facts import Fact, KeyFact, PartyFact, Thing, key_key, party_key
from ledger.server.log.sequencer import Published
from ledger.server.service.context import log_of, number, published, queried
from ledger.server.service.problems import ProblemError
from ledger.statements.fields import is_name

MAX_PAGE = 500
DEFAULT_PAGE = 100
MAX_SUBJECTS = 32
_ID = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


async def entry(request: web.Request) -> web.Response:
    """Serve the entry at an index, decoded, with its receipt."""
    return await _entry(request, number(request.match_info["index"], "index"))


async def statement(request: web.Request) -> web.Response:
    """Serve the entry of a statement, decoded, with its receipt."""
    statement_id = request.match_info["statement_id"]
    if not _ID.fullmatch(statement_id):
        raise ProblemError(400, "wrong-value", "sha256: and 64 hex digits", "statement_id")
    index = await log_of(request).store.index_of(statement_id)
    if index is None or index >= published(request).head.size:
        raise ProblemError(404, "not-found", "this ledger has not recorded that statement")
    return await _entry(request, index)


async def receipt(request: web.Request) -> web.Response:
    """Serve the receipt of an index, against the newest checkpoint or the retained one of `?size=`."""
    index = number(request.match_info["index"], "index")
    size, note = published(request).head.size, published(request).checkpoint
    if "size" in request.query:
        kept = await log_of(request).store.checkpoint(queried(request, "size"))
        if kept is None or kept.size > size:
            raise ProblemError(404, "not-found", "no checkpoint of that size is retained", "size")
        size, note = kept.size, kept.note
    return web.Response(text=(await _receipt(request, index, size, note)).decode(), content_type="text/plain")


async def consistency(request: web.Request) -> web.Response:
    """Serve the consistency path between two sizes of the published tree."""
    old, new = queried(request, "from"), queried(request, "to")
    if not 1 <= old <= new <= published(request).head.size:
        raise ProblemError(400, "wrong-value", f"1 ≤ from ≤ to ≤ {published(request).head.size}")
    ranges = consistency_ranges(old, new)
    path = prove(ranges, await log_of(request).store.nodes(nodes_of(ranges)))
    return web.json_response({"from": old, "to": new, "path": [b64encode(value) for value in path]})


async def history(request: web.Request) -> web.Response:
    """Serve the signed history of up to 32 subjects: ids, or names of parties."""
    log, state = log_of(request), published(request)
    subjects = sorted(set(request.query.getall("subject", [])))
    if not 1 <= len(subjects) <= MAX_SUBJECTS or not all(_ID.fullmatch(item) or is_name(item) for item in subjects):
        raise ProblemError(
            400, "wrong-value", f"1 to {MAX_SUBJECTS} times subject=, an id or a party's name", "subject"
        )
    indexes = [index for index in await log.store.history(subjects) if index < state.head.size]
    # A busy party's history can be long: it is written and signed beside the event loop.
    signed = await asyncio.to_thread(log.identity.history, log.ledger_id, subjects, indexes, state.head)
    return web.json_response(signed.document())


async def party(request: web.Request) -> web.Response:
    """Serve a party with all its keys, past and present."""
    name = request.match_info["name"]
    fact = (await log_of(request).store.view([party_key(name)], [])).get(PartyFact, party_key(name))
    if fact is None:
        raise ProblemError(404, "not-found", "no party of that name is registered")
    return web.json_response(await _party(request, fact) | _size(request))


async def thing(request: web.Request) -> web.Response:
    """Serve one listing, license or transfer as it stands now."""
    kind, key = request.match_info["kind"], request.match_info["id"]
    fact = (await log_of(request).store.view([key], [])).get(Thing, key)
    if fact is None or f"{fact.kind}s" != kind:
        raise ProblemError(404, "not-found", f"no such {kind.removesuffix('s')} on this ledger")
    return web.json_response(_thing(fact) | _size(request))


async def things(request: web.Request) -> web.Response:
    """Serve a page of listings, licenses, transfers or parties, oldest first; `?party=` for those that concern one."""
    kind = request.match_info["kind"].removesuffix("s").replace("partie", "party")
    limit = queried(request, "limit") if "limit" in request.query else DEFAULT_PAGE
    if not 1 <= limit <= MAX_PAGE:
        raise ProblemError(400, "wrong-value", f"1 to {MAX_PAGE}", "limit")
    after = queried(request, "cursor") if "cursor" in request.query else -1
    found = await log_of(request).store.facts(kind, request.query.get("party"), after, limit + 1)
    page, more = found[:limit], found[limit:]
    items = [await _party(request, fact) if isinstance(fact, PartyFact) else _thing(fact) for fact in page]
    cursor = str(page[-1].index) if more else None
    return web.json_response({"items": items, "next": cursor} | _size(request))


async def _entry(request: web.Request, index: int) -> web.Response:
    state: Published = published(request)
    proof = await _receipt(request, index, state.head.size, state.checkpoint)
    (raw,) = await log_of(request).store.entries(index, index + 1)
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
    path = await log_of(request).path(index, size)
    return format_receipt(index, path, note)


async def _party(request: web.Request, fact: PartyFact) -> dict[str, Json]:
    view = await log_of(request).store.view([key_key(keyid) for keyid in fact.keyids], [])
    keys = [view.get(KeyFact, key_key(keyid)) for keyid in fact.keyids]
    shown = [{name: value for name, value in vars(key).items() if name != "party"} for key in keys if key is not None]
    return {"name": fact.name, "index": fact.index, "keys": shown}


def _thing(fact: Fact) -> dict[str, Json]:
    return {name: value for name, value in fact.document().items() if name != "subjects"}


def _size(request: web.Request) -> dict[str, Json]:
    return {"size": published(request).head.size}
