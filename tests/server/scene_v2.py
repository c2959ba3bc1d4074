"""A version-2 ledger behind HTTP with the stage's beginning on it, and ways to ask and tell it."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, redirect_stdout
from pathlib import Path

import aiohttp

from ledger.core.encoding import Json
from ledger.server.log.intake.workers import Workers
from ledger.server.store.contract import Store
from tests.harness.memory_store import MemoryStore
from tests.harness.running import Served, running, serving, submit_all
from tests.server.stage_v2 import Stage
from verifier.cli.main import main


class Scene:
    """A served version-2 ledger, the stage on it, and a client's session."""

    def __init__(self, served: Served, stage: Stage, session: aiohttp.ClientSession) -> None:
        self.served, self.stage, self.session = served, stage, session

    @property
    def size(self) -> int:
        assert self.served.log.published is not None
        return self.served.log.published.head.size

    async def post(self, statement: Json) -> tuple[int, Json]:
        """Sign a statement by its signers and post it; return status and document."""
        body = self.stage.sign(statement).recorded
        headers = {"Content-Type": "application/json"}
        async with self.session.post("/v1/statements", data=body, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def record(self, statement: Json) -> str:
        """Post a statement that must be recorded; return its id."""
        status, document = await self.post(statement)
        assert status == 201, document
        return str(document["statement_id"])

    async def post_many(self, statements: Iterable[Json]) -> list[Json]:
        """Post statements as lines of one request; return the results, one each."""
        body = b"\n".join(self.stage.sign(statement).recorded for statement in statements)
        headers = {"Content-Type": "application/jsonl"}
        async with self.session.post("/v1/statements", data=io.BytesIO(body), headers=headers) as response:
            lines = [json.loads(line) async for line in response.content]
        return [line for line in lines if "line" in line]

    async def record_many(self, statements: Iterable[Json]) -> list[str]:
        """Post statements that must all be recorded; return their ids."""
        results = await self.post_many(statements)
        problems = [result["problem"] for result in results if "problem" in result]
        assert not problems, problems[:3]
        return [str(result["statement_id"]) for result in results]

    async def get(self, path: str) -> Json:
        """Return what a call says that must succeed."""
        async with self.session.get(path) as response:
            assert response.status == 200, (path, await response.text())
            return await response.json()

    async def findings(self, party: str) -> list[tuple[str, int]]:
        """Return slug and index of all findings against a party, by the ledger."""
        found, cursor = [], ""
        while cursor is not None:
            page = await self.get(f"/v1/findings?party={party}&limit=500{cursor and f'&cursor={cursor}'}")
            found += [(item["slug"], item["index"]) for item in page["items"] if item["party"] == party]
            cursor = page["next"]
        return found

    async def replay(self, directory: Path) -> Json:
        """Return the verifier's report on this ledger, which must be sound; the findings of both must be the same."""
        policy = directory / "policy.txt"
        policy.write_text(f"log {self.stage.house.identity.note_key.vkey()}\nquorum none\n")
        words = io.StringIO()
        arguments = ["replay", self.served.url, "--policy", str(policy), "--json", "--quiet", "--processes", "1"]
        with redirect_stdout(words):
            code = await asyncio.to_thread(main, arguments)
        report = json.loads(words.getvalue())
        assert code == 0, report
        return report


@asynccontextmanager
async def staged(workers: Workers, store: Store | None = None) -> AsyncIterator[Scene]:
    """Serve a version-2 ledger, in memory if no store is given, on which the stage's beginning is recorded."""
    stage = Stage()
    async with running(store or MemoryStore(), stage.house, workers) as log:
        await submit_all(log, stage.beginning)
        async with serving(log) as served, aiohttp.ClientSession(served.url) as session:
            yield Scene(served, stage, session)
