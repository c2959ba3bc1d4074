"""Health and metrics."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from ledger.server.log.log import Log
from ledger.server.service.context import LOG, log_of
from ledger.server.service.errors import ProblemError
from ledger.server.service.problems import Handler

VERSION = metadata.version("provenance-ledger")
REGISTRY: web.AppKey[CollectorRegistry] = web.AppKey("registry", CollectorRegistry)
REQUESTS: web.AppKey[Counter] = web.AppKey("requests", Counter)


def add_metrics(app: web.Application) -> None:
    """Register what /metrics shows: numbers only, no name and no id of anybody's."""
    log = app[LOG]
    registry = CollectorRegistry()
    size = Gauge("ledger_size_entries", "Entries in the published tree", registry=registry)
    size.set_function(lambda: log.published.head.size if log.published else 0)
    newest = Gauge("ledger_newest_entry_time_seconds", "Unix time of the newest entry", registry=registry)
    newest.set_function(lambda: log.published.time_ms / 1000 if log.published else 0)
    waiting = Gauge("ledger_waiting_statements", "Statements waiting to be sequenced", registry=registry)
    waiting.set_function(log.intake.waiting.qsize)
    if log.publisher.witnessing is not None:
        registry.register(_WitnessMetrics(log))
    app[REGISTRY] = registry
    app[REQUESTS] = Counter("ledger_http_requests", "Answers by call and status", ["call", "status"], registry=registry)


class _WitnessMetrics(Collector):
    """How the operator's witnesses do, by the names that its own file gives them."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def collect(self) -> Iterator[Metric]:
        """Yield the figures of the moment."""
        shown = self._log.shown
        yield GaugeMetricFamily(
            "ledger_shown_size_entries", "Entries in the tree that readers are shown", shown.head.size if shown else 0
        )
        answers = CounterMetricFamily(
            "ledger_witness_answers", "What came of asking a witness", labels=["witness", "outcome"]
        )
        sizes = GaugeMetricFamily(
            "ledger_witness_size_entries", "Entries in the newest tree that a witness cosigned", labels=["witness"]
        )
        for witness in self._log.publisher.witnessing.witnesses if self._log.publisher.witnessing else ():
            sizes.add_metric([witness.label], witness.cosigned_size)
            for outcome, count in witness.outcomes.items():
                answers.add_metric([witness.label, outcome], count)
        yield answers
        yield sizes


@web.middleware
async def count_requests(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count the answer under its route, never under its address: addresses hold ids."""
    response = await handler(request)
    resource = request.match_info.route.resource
    call = resource.canonical if resource is not None else "other"
    request.app[REQUESTS].labels(f"{request.method} {call}", str(response.status)).inc()
    return response


async def healthz(_request: web.Request) -> web.Response:
    """Say that the process lives, and of which version it is."""
    return web.Response(text=f"ledger {VERSION} is alive\n")


async def readyz(request: web.Request) -> web.Response:
    """Say whether statements are taken."""
    log = log_of(request)
    if log.standing.failure is not None or log.standing.is_stopping or log.published is None:
        raise ProblemError(503, "unavailable", "no statements are taken now")
    return web.Response(text=f"ready at size {log.published.head.size}\n")


async def metrics(request: web.Request) -> web.Response:
    """Serve the metrics."""
    return web.Response(body=generate_latest(request.app[REGISTRY]), content_type="text/plain", charset="utf-8")
