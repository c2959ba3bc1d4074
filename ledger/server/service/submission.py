"""`POST /v1/statements`: one signed statement as JSON, or many as JSON lines (docs/http.md).

The stream of results may be read late: a client may send all its lines before it reads the first result. What is not
taken yet waits in a file, never in memory.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator

from aiohttp import StreamReader, web

from ledger.core.dsse import MAX_ENVELOPE_BYTES
from ledger.core.encoding import Json, b64encode
from ledger.core.errors import FormatError, LedgerError
from ledger.core.receipt import format_receipt
from ledger.server.log.intake.submission import Recorded
from ledger.server.log.log import Log
from ledger.server.log.state.errors import PromisedError
from ledger.server.service.context import log_of
from ledger.server.service.errors import ProblemError
from ledger.server.service.problems import problem_of
from ledger.server.service.spool import Spool

MAX_STREAM_BYTES = 1 << 30
WINDOW = 1024
"""Lines of one stream that may be under way at once."""

BODY_DEADLINE_S = 10.0
IDLE_DEADLINE_S = 30.0
STREAM_DEADLINE_S = 3600.0
_logger = logging.getLogger(__name__)
_ENCODER = json.JSONEncoder(separators=(",", ":"), check_circular=False)
Answer = asyncio.Future[Recorded] | Exception | None
"""A line's answer to come, or what was wrong with the line, or None after the last."""


async def submit(request: web.Request) -> web.StreamResponse:
    """Record one statement, or a stream of them."""
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise ProblemError(415, "unsupported-encoding", "send the body as it is, not compressed")
    match request.content_type:
        case "application/json":
            return await _submit_one(request)
        case "application/jsonl":
            return await _submit_lines(request)
        case _:
            raise ProblemError(415, "unsupported-media-type", "application/json for one, application/jsonl for many")


async def _submit_one(request: web.Request) -> web.Response:
    async with asyncio.timeout(BODY_DEADLINE_S):
        raw = await request.read()
    try:
        recorded = await log_of(request).submit(raw)
    except PromisedError as promised:
        return web.json_response(_promise(promised), status=202)
    receipt = format_receipt(recorded.entry.index, recorded.path, recorded.checkpoint)
    body = {
        "statement_id": recorded.statement_id,
        "index": recorded.entry.index,
        "entry": b64encode(recorded.entry.raw),
        "receipt": receipt.decode(),
        "state": _state(recorded),
    }
    return web.json_response(body, status=200 if recorded.duplicate else 201)


async def _submit_lines(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/jsonl"})
    await response.prepare(request)
    answers: asyncio.Queue[Answer] = asyncio.Queue(WINDOW)
    spool = Spool()
    try:
        # Whichever of the three fails ends the others, and then there is no `done`: the client resubmits.
        async with asyncio.timeout(STREAM_DEADLINE_S), asyncio.TaskGroup() as tasks:
            tasks.create_task(_read(request.content, log_of(request), answers))
            tasks.create_task(_collect(answers, spool))
            tasks.create_task(spool.send(response))
        await response.write_eof()
    except (ExceptionGroup, TimeoutError) as error:
        _logger.info("a stream broke: %r", error.exceptions if isinstance(error, ExceptionGroup) else error)
        raise ConnectionAbortedError("the stream broke") from error
    finally:
        spool.close()
    return response


async def _read(content: StreamReader, log: Log, answers: asyncio.Queue[Answer]) -> None:
    too_large = FormatError("too-large", detail=f"an envelope has at most {MAX_ENVELOPE_BYTES} bytes")
    async for line in _lines(content):
        try:
            await answers.put(too_large if line is None else await log.submit_waiting(line))
        except LedgerError as error:
            await answers.put(error)
    await answers.put(None)


async def _lines(content: StreamReader) -> AsyncIterator[bytes | None]:
    """Yield the lines of a body without their LF, and None for one that is too long to be kept."""
    pending = bytearray()
    skipping = False
    received = 0
    while True:
        async with asyncio.timeout(IDLE_DEADLINE_S):
            chunk = await content.readany()
        if not chunk:
            break
        received += len(chunk)
        if received > MAX_STREAM_BYTES:
            raise ProblemError(413, "too-large", f"a stream has at most {MAX_STREAM_BYTES} bytes")
        *complete, rest = chunk.split(b"\n")
        for line in complete:
            pending += line
            yield None if skipping or len(pending) > MAX_ENVELOPE_BYTES + 1 else bytes(pending)
            pending.clear()
            skipping = False
        pending += rest
        if len(pending) > MAX_ENVELOPE_BYTES + 1:
            pending.clear()
            skipping = True
    if pending or skipping:
        yield None if skipping else bytes(pending)


async def _collect(answers: asyncio.Queue[Answer], spool: Spool) -> None:
    """Write each line's result in the order of the input, under the checkpoint that it needs, and `done` last."""
    line = 0
    checkpoint = b""
    hashes: dict[bytes, str] = {}
    while (answer := await answers.get()) is not None:
        line += 1
        await spool.room()
        if isinstance(answer, Exception):  # not raised: one error may stand for many lines, and would keep every frame
            spool.add(_line({"line": line, "problem": problem_of(answer)}))
            continue
        try:
            recorded = await answer
        except PromisedError as promised:
            spool.add(_line({"line": line} | _promise(promised)))
            continue
        except LedgerError as error:
            spool.add(_line({"line": line, "problem": problem_of(error)}))
            continue
        if recorded.checkpoint != checkpoint:
            checkpoint = recorded.checkpoint
            hashes.clear()
            spool.add(_line({"checkpoint": checkpoint.decode(), "state": _state(recorded)}))
        spool.add(_line(_result(line, recorded, hashes)))
    spool.end(_line({"done": line}))


def _state(recorded: Recorded) -> str:
    """Say how far it got: `witnessed` where the checkpoint has the quorum that the operator asks for."""
    return "witnessed" if recorded.witnessed else "recorded"


def _promise(promised: PromisedError) -> dict[str, Json]:
    return {"statement_id": promised.statement_id, "promise": promised.promise.document()}


def _line(document: dict[str, Json]) -> bytes:
    return _ENCODER.encode(document).encode() + b"\n"


def _result(line: int, recorded: Recorded, hashes: dict[bytes, str]) -> dict[str, Json]:
    """Return a line's result; paths under one checkpoint share most hashes, so their base64 is kept in `hashes`."""
    for value in recorded.path:
        if value not in hashes:
            hashes[value] = b64encode(value)
    result: dict[str, Json] = {
        "line": line,
        "statement_id": recorded.statement_id,
        "index": recorded.entry.index,
        "previous": recorded.entry.previous,
        "time": recorded.entry.time_ms,
        "path": [hashes[value] for value in recorded.path],
    }
    if recorded.duplicate:
        result["entry"] = b64encode(recorded.entry.raw)
    return result
