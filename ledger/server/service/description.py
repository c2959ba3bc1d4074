"""The service's description of itself, from the table of routes: /openapi.json for programs, /docs for people."""

from __future__ import annotations

import html
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from string import Template

from aiohttp import web

from ledger.core.encoding import Json
from ledger.server.service.context import log_of, published
from ledger.server.service.errors import ProblemError
from ledger.statements.schemas import schema_of, schemas

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Route:
    """One call: `path` as aiohttp spells it, `query` names with their meaning, what it `gives`."""

    method: str
    path: str
    handler: Handler
    summary: str
    gives: str
    query: tuple[tuple[str, str], ...] = ()


_COMPONENT = "#/components/schemas/{kind}/$defs/{{model}}"
TABLE: web.AppKey[Sequence[Route]] = web.AppKey("table")


async def openapi(request: web.Request) -> web.Response:
    """Serve the OpenAPI description."""
    return web.json_response(describe(request.app[TABLE]))


async def schema(request: web.Request) -> web.Response:
    """Serve the JSON Schema of a type, as the newest version of the rules has it."""
    found = schema_of(request.match_info["type"])
    if found is None:
        raise ProblemError(404, "not-found", "no type of statement of that name")
    return web.json_response(found, content_type="application/schema+json")


async def docs(request: web.Request) -> web.Response:
    """Serve the calls as a page; it works without scripts."""
    state = published(request)
    rows = "\n".join(
        f"<tr><td>{route.method}</td><td><code>{html.escape(_plain(route.path))}</code></td>"
        f"<td>{html.escape(route.summary)}</td>"
        f"<td>{'<br>'.join(f'<code>{name}</code> {html.escape(text)}' for name, text in route.query)}</td></tr>"
        for route in request.app[TABLE]
    )
    page = Template(resources.files(__package__).joinpath("pages/docs.html").read_text(encoding="utf-8")).substitute(
        origin=html.escape(log_of(request).identity.origin),
        ledger=html.escape(log_of(request).standing.ledger_id),
        vkey=html.escape(log_of(request).identity.note_key.vkey()),
        size=state.head.size,
        rows=rows,
    )
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return web.Response(text=page, content_type="text/html", headers=headers)


def describe(routes: Sequence[Route]) -> dict[str, Json]:
    """Return OpenAPI 3.1 for the table of routes, with the JSON Schema of every statement."""
    paths: dict[str, Json] = {}
    for route in routes:
        names = re.findall(r"{(\w+)", route.path)
        parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
        parameters += [
            {"name": name, "in": "query", "description": text, "schema": {"type": "string"}}
            for name, text in route.query
        ]
        operation = {
            "summary": route.summary,
            "parameters": parameters,
            "responses": {
                "200": {"description": "as asked", "content": {route.gives: {}}},
                "default": {"description": "RFC 9457 problem", "content": {"application/problem+json": {}}},
            },
        }
        if route.method == "POST":
            operation["requestBody"] = {"required": True, "content": {"application/json": {}, "application/jsonl": {}}}
        paths.setdefault(_plain(route.path), {})[route.method.lower()] = operation
    info = {
        "title": "Data provenance ledger",
        "version": "1",
        "description": "docs/format.md says what each byte means.",
    }
    return {"openapi": "3.1.0", "info": info, "paths": paths, "components": {"schemas": schemas(_COMPONENT)}}


def _plain(path: str) -> str:
    return re.sub(r"{(\w+):[^}]*}", r"{\1}", path)
