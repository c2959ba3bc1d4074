"""What parties did wrong, as of the newest entry (docs/statements.md §10), in the order in which it came to be so.

A compromised key stands in the store once, with its revocation: the entries that it signed are looked for here, in its
owner's history, a bounded number a page.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from dataclasses import dataclass, field

from aiohttp import web

from ledger.core.encoding import Json
from ledger.registry.facts import KeyFact, key_key
from ledger.registry.finding import Finding
from ledger.server.service.context import log_of, number, page_limit, published
from ledger.server.service.errors import ProblemError
from ledger.server.store.contract import Reads
from ledger.statements.fields import is_name

MAX_ENTRIES_READ = 2_000
"""How many entries one page looks at for those that a compromised key signed."""

_CHUNK = 256
_START = (-1, -1, -1)
_CURSOR_PARTS = 4


@dataclass
class _Page:
    """What a page has so far; `cursor` is where the next one goes on, None at the end."""

    limit: int
    as_of_ms: int
    items: list[dict[str, Json]] = field(default_factory=list)
    undetermined: list[dict[str, Json]] = field(default_factory=list)
    entries_read: int = 0
    cursor: tuple[int, int, int, int] | None = None

    @property
    def room(self) -> int:
        return self.limit - len(self.items) - len(self.undetermined)


async def findings(request: web.Request) -> web.Response:
    """Serve a page of findings, and of what could not be determined; `?party=` for one party's."""
    state, store = published(request), log_of(request).store.public
    party = request.query.get("party")
    if party is not None and not is_name(party):
        raise ProblemError(400, "wrong-value", "a party's name", "party")
    after, resume = _cursor(request)
    page = _Page(page_limit(request), state.time_ms)
    rows = await store.findings(party, page.as_of_ms, after, page.limit + 1)
    for row in rows:
        if not page.room:
            page.cursor = (*_before(row), 0)
            break
        if row.keyid:
            await _signed_by(store, page, row, resume)
            if page.cursor is not None:
                break
        else:
            (page.items if row.places is None else page.undetermined).append(row.document())
        resume = 0
    else:
        if len(rows) > page.limit:
            page.cursor = (*rows[-1].order, 0)
    body = {
        "items": page.items,
        "undetermined": page.undetermined,
        "as_of_ms": page.as_of_ms,
        "next": None if page.cursor is None else "-".join(str(part + 1) for part in page.cursor),
        "size": state.head.size,
    }
    return web.json_response(body)


def _cursor(request: web.Request) -> tuple[tuple[int, int, int], int]:
    """Read a cursor: after which place to go on, and from which entry on at the next."""
    if "cursor" not in request.query:
        return _START, 0
    parts = [number(part, "cursor") - 1 for part in request.query["cursor"].split("-")]
    if len(parts) != _CURSOR_PARTS:
        raise ProblemError(400, "wrong-value", "`next` of the page before", "cursor")
    from_ms, index, at, resume = parts
    return (from_ms, index, at), resume


def _before(row: Finding) -> tuple[int, int, int]:
    """Return the place right before a finding."""
    from_ms, index, at = row.order
    return from_ms, index, at - 1


async def _signed_by(store: Reads, page: _Page, row: Finding, resume: int) -> None:
    """Add a finding for each entry, from `resume` on, that a compromised key signed."""
    key = (await store.view([key_key(row.keyid)], [])).get(KeyFact, key_key(row.keyid))
    if key is None:
        return
    indexes = await store.history([row.party])
    start = bisect_left(indexes, max(resume, key.index))
    end = bisect_left(indexes, row.index + 1)
    for at in range(start, end, _CHUNK):
        for index in indexes[at : min(at + _CHUNK, end)]:
            if not page.room or page.entries_read >= MAX_ENTRIES_READ:
                page.cursor = (*_before(row), index)
                return
            page.entries_read += 1
            await _add_signed(store, page, row, index)


async def _add_signed(store: Reads, page: _Page, row: Finding, index: int) -> None:
    ((raw),) = await store.entries(index, index + 1)
    entry = json.loads(raw)
    keyids = [signature["keyid"] for signature in entry["statement"]["signatures"]]
    if row.keyid not in keyids or entry["time"] < row.since_ms:
        return
    view = await store.view([key_key(keyid) for keyid in keyids], [])
    keys = [key for keyid in keyids if (key := view.get(KeyFact, key_key(keyid))) is not None]
    compromised = [
        (key.party, key.revoked_index or 0, key.keyid)
        for key in keys
        if key.compromised_since_ms is not None and key.compromised_since_ms <= entry["time"]
    ]
    if min(compromised)[2] != row.keyid:  # one finding an entry: of the first owner's first revocation
        return
    found = Finding("key-compromised", index, row.party, sorted({index, row.index}), entry["time"], row.from_ms)
    page.items.append(found.document())
