"""The application: routes, limits, and the order of start and stop."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from ledger.core.dsse import MAX_ENVELOPE_BYTES
from ledger.server.log.log import Log
from ledger.server.service.context import LOG
from ledger.server.service.description import TABLE
from ledger.server.service.operations import add_metrics, count_requests
from ledger.server.service.predecessor import PREDECESSOR
from ledger.server.service.problems import answer_problems
from ledger.server.service.routes import ROUTES

SERVER = "provenance-ledger"


def make_app(log: Log, predecessor: Path | None = None) -> web.Application:
    """Return the application that serves `log`, which its caller starts and stops.

    `predecessor` is where the mirror of the ledger before it would be.
    """
    app = web.Application(middlewares=[count_requests, answer_problems], client_max_size=MAX_ENVELOPE_BYTES)
    app[LOG] = log
    app[TABLE] = ROUTES
    if predecessor is not None:
        app[PREDECESSOR] = predecessor
    add_metrics(app)
    app.on_response_prepare.append(_name_server)
    for route in ROUTES:
        if route.method == "GET":
            app.router.add_get(route.path, route.handler)  # answers HEAD, too
        else:
            app.router.add_route(route.method, route.path, route.handler)
    return app


async def _name_server(_request: web.Request, response: web.StreamResponse) -> None:
    """Say what answers, and not which version of what is below it."""
    response.headers["Server"] = SERVER
