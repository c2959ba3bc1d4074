"""A ledger over HTTP, honest unless told to lie: the test harness's ledger behind docs/http.md's addresses."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer
from aiohttp.typedefs import Handler

from ledger.core.checkpoint import TreeHead, sign_checkpoint
from ledger.core.dsse import HISTORY_TYPE, PROMISE_TYPE, REFUSAL_TYPE, Envelope, parse_envelope, sign
from ledger.core.encoding import Json, b64encode
from ledger.core.entry import parse_entry
from ledger.core.errors import FormatError
from ledger.core.merkle import consistency_ranges, inclusion_ranges, nodes_of, prove
from ledger.core.policy import Policy, parse_policy
from ledger.core.receipt import format_receipt
from ledger.registry.acceptance import Duplicate
from ledger.registry.facts import Fact, KeyFact, PartyFact, TransferFact, key_key, party_key
from ledger.registry.refusal import Refused
from tests.harness.builder import LedgerBuilder
from verifier.core.policy import parse_policy as parse_their_policy
from verifier.fraud.fraud import verify_fraud

Lie = Callable[[str, Json], Json]


class Liar:
    """Serves `builder`; every JSON answer goes through `lie(path, answer)` first."""

    def __init__(self, builder: LedgerBuilder) -> None:
        self.builder = builder
        self.lie: Lie = lambda _path, answer: answer
        self.fail: dict[str, int] = {}
        self.busy_count = 0
        self.refuse = ""
        """Refuse everything for this reason, signed."""
        self.deadline_ms = 0
        """Promise everything by then, signed, and record nothing."""
        self.cut_after: int | None = None
        self.posted = 0
        self.url = ""

    @property
    def policy(self) -> Policy:
        return parse_policy(self.builder.policy())

    def history_payload(self, subjects: list[str]) -> Json:
        head = self.builder.head()
        return {
            "indexes": [0],
            "ledger": self.builder.id,
            "root": head.root.hex(),
            "size": head.size,
            "subjects": subjects,
            "type": "provenance-ledger.history/v1",
        }

    def recorded(self, index: int) -> Json:
        """Return the answer for an entry."""
        builder = self.builder
        raw = builder.entries[index]
        ranges = inclusion_ranges(index, builder.size)
        path = prove(ranges, {node: builder._hashes[node] for node in nodes_of(ranges)})
        receipt = format_receipt(index, path, builder.checkpoint())
        try:
            name = parse_entry(raw).envelope.id
        except FormatError:  # it records what is no entry
            name = self.builder.id
        return {
            "statement_id": name,
            "index": index,
            "entry": b64encode(raw),
            "receipt": receipt.decode(),
        }

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._gate])
        app.router.add_post("/v1/statements", self._post)
        app.router.add_get("/v1/statements/{id}", self._statement)
        app.router.add_get("/v1/entries/{index}", self._entry)
        app.router.add_get("/v1/parties/{name}", self._party)
        app.router.add_get("/v1/transfers/{id}", self._transfer)
        for kind in ("listings", "licenses", "transfers"):
            app.router.add_get(f"/v1/{kind}", self._list)
        app.router.add_get("/v1/consistency", self._consistency)
        app.router.add_get("/v1/history", self._history)
        app.router.add_get("/checkpoint", self._checkpoint)
        app.router.add_get("/tile/{path:.+}", self._tile)
        return app

    @web.middleware
    async def _gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer as a proxy would that lets nothing through, where `fail` says so."""
        status = self.fail.get(request.path)
        return await handler(request) if status is None else web.Response(status=status, text="No.")

    def _answer(self, request: web.Request, document: Json, status: int = 200) -> web.Response:
        return web.json_response(self.lie(request.path, document), status=status)

    def _promise(self, statement_id: str) -> Json:
        payload = self._state("promise") | {"deadline_ms": self.deadline_ms, "statement_id": statement_id}
        return sign(payload | {"time": self.builder.now_ms}, [self.builder.service_key], PROMISE_TYPE).document()

    def _state(self, kind: str) -> dict[str, Json]:
        head = self.builder.head()
        own = {"root": head.root.hex(), "size": head.size, "type": f"provenance-ledger.{kind}/v1"}
        return own | {"ledger": self.builder.id}

    def _record(self, raw: bytes) -> tuple[int, Json]:
        if self.refuse:
            refusal = self._refusal(parse_envelope(raw), self.refuse)
            return 422, {"type": self.refuse, "refusal": refusal}
        try:
            statement_id = self.builder.record(raw)
            return 201, self.recorded(self.builder.view.recorded[statement_id])
        except Duplicate as duplicate:
            return 200, self.recorded(duplicate.index)
        except (Refused, FormatError) as error:
            problem = {"type": error.reason, "status": 422, "title": error.reason, "detail": error.detail}
            if isinstance(error, Refused) and error.authentic:
                problem |= {"field": error.field, "refusal": self._refusal(parse_envelope(raw), error.reason)}
            return 422, problem

    def _refusal(self, envelope: Envelope, reason: str) -> Json:
        head = self.builder.head()
        payload = {
            "ledger": self.builder.id,
            "reason": reason,
            "root": head.root.hex(),
            "size": head.size,
            "statement_id": envelope.id,
            "time": self.builder.now_ms,
            "type": "provenance-ledger.refusal/v1",
        }
        return sign(payload, [self.builder.service_key], REFUSAL_TYPE).document()

    async def _post(self, request: web.Request) -> web.StreamResponse:
        self.posted += 1
        if self.busy_count:
            self.busy_count -= 1
            return web.json_response({"type": "busy"}, status=503, headers={"Retry-After": "0"})
        if request.content_type == "application/jsonl":
            return await self._post_lines(request)
        raw = await request.read()
        if self.deadline_ms:
            name = parse_envelope(raw).id
            return self._answer(request, {"statement_id": name, "promise": self._promise(name)}, 202)
        status, document = self._record(raw)
        return self._answer(request, document, status)

    async def _post_lines(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)

        async def write(document: Json) -> None:
            answer = self.lie("/v1/statements", document)
            await response.write(json.dumps(answer).encode() + b"\n")

        lines = (await request.read()).splitlines()
        for number, line in enumerate(lines, 1):
            if number == self.cut_after:
                return response
            if self.deadline_ms:
                name = parse_envelope(line).id
                await write({"line": number, "statement_id": name, "promise": self._promise(name)})
                continue
            status, document = self._record(line)
            if status == 422:
                await write({"line": number, "problem": document})
                continue
            entry = parse_entry(self.builder.entries[document["index"]])
            _, _, receipt = document["receipt"].partition("index ")
            head, _, checkpoint = receipt.partition("\n\n")
            await write({"checkpoint": checkpoint})
            result = {
                "line": number,
                "statement_id": document["statement_id"],
                "index": entry.index,
                "previous": entry.previous,
                "time": entry.time_ms,
                "path": head.split("\n")[1:],
            }
            if status == 200:
                result["entry"] = document["entry"]
            await write(result)
        await write({"done": len(lines)})
        return response

    async def _statement(self, request: web.Request) -> web.Response:
        index = self.builder.view.recorded.get(request.match_info["id"])
        if index is None:
            return web.json_response({"type": "not-found"}, status=404)
        return self._answer(request, self.recorded(index))

    async def _entry(self, request: web.Request) -> web.Response:
        return self._answer(request, self.recorded(int(request.match_info["index"])))

    def _fact(self, kind: type[Fact], name: str) -> Fact:
        fact = self.builder.view.get(kind, name)
        if fact is None:
            raise web.HTTPNotFound
        return fact

    async def _party(self, request: web.Request) -> web.Response:
        party = self._fact(PartyFact, party_key(request.match_info["name"]))
        assert isinstance(party, PartyFact)
        keys = [self._fact(KeyFact, key_key(keyid)).document() for keyid in party.keyids]
        return self._answer(
            request, {"name": party.name, "index": party.index, "keys": keys, "size": self.builder.size}
        )

    async def _transfer(self, request: web.Request) -> web.Response:
        document = self._fact(TransferFact, request.match_info["id"]).document()
        return self._answer(request, document | {"size": self.builder.size})

    async def _list(self, request: web.Request) -> web.Response:
        return self._answer(request, {"items": [], "next": None, "size": self.builder.size})

    async def _consistency(self, request: web.Request) -> web.Response:
        old, new = int(request.query["from"]), int(request.query["to"])
        if new > self.builder.size:
            return web.json_response({"type": "not-found", "status": 404}, status=404)
        ranges = consistency_ranges(old, new)
        path = prove(ranges, {node: self.builder._hashes[node] for node in nodes_of(ranges)})
        return self._answer(request, {"from": old, "to": new, "path": [b64encode(value) for value in path]})

    async def _history(self, request: web.Request) -> web.Response:
        payload = self.history_payload(request.query.getall("subject"))
        return self._answer(request, sign(payload, [self.builder.service_key], HISTORY_TYPE).document())

    async def _checkpoint(self, _request: web.Request) -> web.Response:
        return web.Response(body=self.builder.checkpoint())

    async def _tile(self, request: web.Request) -> web.Response:
        return web.Response(body=self.builder.files()[request.path.removeprefix("/")])


def convicts(file: Path, policy: str) -> str:
    """Return the kind of fraud that a file of evidence proves, as the verifier says, and fail if it proves none."""
    parsed = parse_their_policy(policy.encode())
    verdict = verify_fraud(file.read_bytes(), parsed, parsed.pick_log(None))
    assert verdict.exit_code == 0, verdict
    return verdict.kind


@asynccontextmanager
async def serving(builder: LedgerBuilder) -> AsyncIterator[Liar]:
    """Serve a builder on the loopback."""
    liar = Liar(builder)
    server = TestServer(liar.app())
    await server.start_server()
    liar.url = str(server.make_url("/")).rstrip("/")
    try:
        yield liar
    finally:
        await server.close()


def forked(builder: LedgerBuilder) -> LedgerBuilder:
    """Return a second history of the same ledger: the same entry 0 and keys, and nothing else."""
    other = LedgerBuilder("first", builder.origin)
    assert other.id == builder.id
    return other


def foreign_checkpoint(builder: LedgerBuilder, size: int) -> bytes:
    """Return a checkpoint that the log's key signed over a tree that never was."""
    return sign_checkpoint(builder.origin, TreeHead(size, bytes(32)), builder.log_key)
