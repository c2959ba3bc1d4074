"""What the chain says now: parties, listings, licenses, transfers, claims, and the rules in force."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from ledger.core.encoding import Json
from ledger.registry.facts import Fact, KeyFact, LicenseFact, ListingFact, PartyFact, Thing, key_key, party_key
from ledger.registry.things import StandingFact, standing_key
from ledger.server.service.context import log_of, page_limit, published, queried
from ledger.server.service.errors import ProblemError

_HIDDEN = frozenset({"subjects", "ancestors", "fields", "rules", "version_index", "erased_index"})
"""What facts hold for our own use, or in another place."""


async def rules(request: web.Request) -> web.Response:
    """Serve the version of the rules in force, and the types of statements that it allows."""
    in_force = log_of(request).standing.in_force
    return web.json_response({"rules": in_force.version, "statement_types": sorted(in_force.types)} | _size(request))


async def party(request: web.Request) -> web.Response:
    """Serve a party with all its keys, past and present."""
    name = request.match_info["name"]
    fact = (await log_of(request).store.public.view([party_key(name)], [])).get(PartyFact, party_key(name))
    if fact is None:
        raise ProblemError(404, "not-found", "no party of that name is registered")
    return web.json_response(await _party(request, fact) | _size(request))


async def thing(request: web.Request) -> web.Response:
    """Serve one listing, license, transfer or claim as it stands now."""
    kind, key = request.match_info["kind"], request.match_info["id"]
    fact = (await log_of(request).store.public.view([key], [])).get(Thing, key)
    if fact is None or f"{fact.kind}s" != kind:
        raise ProblemError(404, "not-found", f"no such {kind.removesuffix('s')} on this ledger")
    (shown,) = await _things(request, [fact])
    return web.json_response(shown | _size(request))


async def things(request: web.Request) -> web.Response:
    """Serve a page of parties, listings, licenses, transfers or claims, oldest first; `?party=`: that concern one."""
    kind = request.match_info["kind"].removesuffix("s").replace("partie", "party")
    limit = page_limit(request)
    after = queried(request, "cursor") if "cursor" in request.query else -1
    found = await log_of(request).store.public.facts(kind, request.query.get("party"), after, limit + 1)
    page, more = found[:limit], found[limit:]
    items = await _things(request, page)
    cursor = str(page[-1].index) if more else None
    return web.json_response({"items": items, "next": cursor} | _size(request))


async def _things(request: web.Request, facts: Sequence[Fact]) -> list[dict[str, Json]]:
    """Return facts as people and programs are told; one read for how all the licenses among them stand."""
    licenses = [fact.id for fact in facts if isinstance(fact, LicenseFact)]
    view = await log_of(request).store.public.view([standing_key(name) for name in licenses], [])
    told = []
    for fact in facts:
        match fact:
            case PartyFact():
                told.append(await _party(request, fact))
            case LicenseFact():
                told.append(_shown(fact) | _standing(view.get(StandingFact, standing_key(fact.id))))
            case _:
                told.append(_shown(fact))
    return told


async def _party(request: web.Request, fact: PartyFact) -> dict[str, Json]:
    view = await log_of(request).store.public.view([key_key(keyid) for keyid in fact.keyids], [])
    keys = [view.get(KeyFact, key_key(keyid)) for keyid in fact.keyids]
    shown = [{name: value for name, value in vars(key).items() if name != "party"} for key in keys if key is not None]
    told: dict[str, Json] = {"name": fact.name, "index": fact.index, "keys": shown}
    return told if fact.identity is None else told | {"identity": fact.identity}


def _shown(fact: Fact) -> dict[str, Json]:
    """Return what a fact says: version 1 has its members always, and what version 2 added stands where it is said."""
    shown = {name: value for name, value in fact.document().items() if name not in _HIDDEN}
    return shown | fact.fields if isinstance(fact, ListingFact | LicenseFact) else shown


def _standing(stands: StandingFact | None) -> dict[str, Json]:
    """Return how a license stands: uses, duties met, copies held, holds and open requests to erase."""
    if stands is None:
        return {}
    return {
        "used": {
            action: {"count": count, "is_least": sealed_at is not None}
            for action, (count, sealed_at) in stands.tallies.items()
        },
        "met": stands.met,
        "held_copies": stands.held,
        "holds": sorted({*stands.holds, *stands.transfer_holds}),
        "erasure_requests": stands.requests,
    }


def _size(request: web.Request) -> dict[str, Json]:
    return {"size": published(request).head.size}
