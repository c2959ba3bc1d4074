"""Health, metrics and the service's description of itself."""

from __future__ import annotations

import asyncio
import html
import json
import re
import signal
from importlib import metadata
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ledger.core.encoding import Json
from ledger.server.service.routes import ROUTES
from ledger.statements.parse import NEWEST_RULES, STATEMENTS
from tests.cli.running import environment, good
from tests.harness.people import Person, person
from tests.harness.running import House, Served, ServerProcess, submit_all

METHODS = {"get", "post"}


async def test_health(served: Served, session: aiohttp.ClientSession) -> None:
    async with session.get("/healthz") as response:
        said = f"ledger {metadata.version('provenance-ledger')} is alive\n"
        assert (response.status, response.content_type, await response.text()) == (200, "text/plain", said)
    async with session.get("/readyz") as response:
        assert (response.status, await response.text()) == (200, "ready at size 2\n")
    served.log.standing.failure = OSError("planned")
    async with session.get("/readyz") as response:
        assert response.status == 503
        assert "planned" not in await response.text()
    async with session.get("/healthz") as response:
        assert response.status == 200


async def test_metrics_count_and_name_nobody(
    served: Served, session: aiohttp.ClientSession, house: House, alpha: Person
) -> None:
    story = house.story(person("beta"), person("gamma"))
    await submit_all(served.log, story)
    paths = [f"/v1/statements/{story[2].id}", "/v1/parties/beta", f"/v1/listings/{story[2].id}", "/secret-path"]
    for path in [*paths, "/v1/history?subject=gamma", "/v1/transfers?party=alpha", "/tile/0/000.p/3"]:
        await (await session.get(path)).read()
    async with session.get("/metrics") as response:
        assert response.content_type == "text/plain"
        text = await response.text()
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["ledger_size_entries",] == 8
    assert samples["ledger_waiting_statements",] == 0
    assert samples["ledger_http_requests_total", "200", "GET /v1/parties/{name}"] == 1
    assert samples["ledger_http_requests_total", "404", "GET other"] == 1
    for secret in ("alpha", "beta", "gamma", "operator", "secret-path", "sha256", alpha.key.public.keyid):
        assert secret not in text
    assert not re.search("[0-9a-f]{32}", text)


async def test_openapi_lists_every_route_and_resolves(session: aiohttp.ClientSession) -> None:
    async with session.get("/openapi.json") as response:
        assert response.content_type == "application/json"
        document = await response.json()
    assert document["openapi"].startswith("3.1.")
    assert {"title", "version"} <= set(document["info"])
    listed = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert listed == {(route.method, re.sub(r"{(\w+):[^}]*}", r"{\1}", route.path)) for route in ROUTES}
    for path, item in document["paths"].items():
        assert path.startswith("/")
        for method, operation in item.items():
            assert method in METHODS
            assert operation["summary"]
            parameters = {(each["in"], each["name"]) for each in operation["parameters"]}
            assert len(parameters) == len(operation["parameters"])
            assert {name for place, name in parameters if place == "path"} == set(re.findall(r"{(\w+)}", path))
            assert all(each["schema"] for each in operation["parameters"])
            assert all(each.get("required") for each in operation["parameters"] if each["in"] == "path")
            assert all(answer["description"] for answer in operation["responses"].values())
            assert ("requestBody" in operation) is (method == "post")
    assert set(document["components"]["schemas"]) == set(STATEMENTS[NEWEST_RULES])
    _resolve_all(document, document)


def _resolve_all(document: Json, value: Json) -> None:
    """Follow every $ref."""
    if isinstance(value, list):
        for item in value:
            _resolve_all(document, item)
    if not isinstance(value, dict):
        return
    if isinstance(value.get("$ref"), str):
        target = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        assert target
    for item in value.values():
        _resolve_all(document, item)


async def test_docs_need_no_script(served: Served, session: aiohttp.ClientSession, house: House) -> None:
    async with session.get("/docs") as response:
        assert response.content_type == "text/html"
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
        page = await response.text()
    assert "<script" not in page.lower()
    assert not re.search(r"\son\w+=|javascript:|https?://", page)
    for shown in (house.created.id, house.identity.origin, house.identity.note_key.vkey()):
        assert shown in page
    for route in ROUTES:
        assert html.escape(route.summary) in page
    assert served.log.published is not None
    assert f"<dd>{served.log.published.head.size}</dd>" in page


async def test_every_answer_says_no_more_than_it_must(session: aiohttp.ClientSession) -> None:
    for path in ("/healthz", "/checkpoint", "/nothing", "/v1/entries/0", "/docs", "/openapi.json"):
        async with session.get(path) as response:
            assert response.headers["Server"] == "provenance-ledger"
            text = await response.text()
            for inside in ("aiohttp", "Traceback", "sqlite", str(Path(__file__).parents[2])):
                assert inside not in text


@pytest.mark.parametrize(("number", "whole_group"), [(signal.SIGTERM, False), (signal.SIGINT, True)])
async def test_a_signal_stops_the_real_server_after_what_waits(
    tmp_path: Path, number: signal.Signals, whole_group: bool
) -> None:
    """SIGINT comes from a terminal, to the workers as well: they must not leave before the work is done."""
    good("init", tmp_path, "--origin", "ledger.example/log", "--operator", "exchange")
    with ServerProcess(tmp_path, environment()) as server:
        url = await asyncio.to_thread(server.wait_ready)
        async with aiohttp.ClientSession(url) as session:
            lines = b"{}\n" * 3000
            async with session.post(
                "/v1/statements", data=lines, headers={"Content-Type": "application/jsonl"}
            ) as response:
                await response.content.readline()
                server.signal(number, whole_group=whole_group)
                results = [json.loads(line) for line in (await response.read()).splitlines()]
        assert results[-1] == {"done": 3000}
        assert {line["problem"]["type"] for line in results[:-1]} <= {"missing-field", "unavailable"}
        assert all("worker" not in line["problem"]["detail"] for line in results[:-1])
        assert await asyncio.to_thread(server.process.wait, 20) == 0
        assert "Traceback" not in server.said
        assert server.outlived() == []
