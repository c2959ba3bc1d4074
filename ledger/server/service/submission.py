"""`POST /v1/statements`: one signed statement as JSON, or many as JSON lines (DESIGN §4; docs/http.md).

The stream of results may be read late: a client may send all its lines before it reads the first result. What is not
taken yet waits in a file, never in memory.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from tempfile import SpooledTemporaryFile

from aiohttp import StreamReader, web

from ledger.core.dsse import MAX_ENVELOPE_BYTES
from ledger.core.encoding import Json, b64encode
from ledger.core.errors import FormatError, LedgerError
from ledger.core.receipt import format_receipt
from ledger.server.log.sequencer import Log, Recorded
from ledger.server.service.context import log_of
from ledger.server.service.problems import ProblemError, problem_of

MAX_STREAM_BYTES = 1 << 30
WINDOW = 1024
"""Lines of one stream that may be under way at once."""

BODY_DEADLINE_S = 10.0
IDLE_DEADLINE_S = 30.0
_SPOOL_MEMORY_BYTES = 1 << 20
_WRITE_BYTES = 1 << 16
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
    recorded = await log_of(request).submit(raw)
    receipt = format_receipt(recorded.entry.index, recorded.path, recorded.checkpoint)
    body = {
        "statement_id": recorded.statement_id,
        "index": recorded.entry.index,
        "entry": b64encode(recorded.entry.raw),
        "receipt": receipt.decode(),
    }
    return web.json_response(body, status=200 if recorded.duplicate else 201)


async def _submit_lines(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/jsonl"})
    await response.prepare(request)
    answers: asyncio.Queue[Answer] = asyncio.Queue(WINDOW)
    results = _Results()
    reading = asyncio.create_task(_read(request.content, log_of(request), answers))
    sending = asyncio.create_task(results.send(response))
    try:
        await _collect(answers, results)
        await reading  # raises what broke the body: then there is no `done`, and the client resubmits
        await sending
        await response.write_eof()
    finally:
        for task in (reading, sending):
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task
        results.close()
    return response


async def _read(content: StreamReader, log: Log, answers: asyncio.Queue[Answer]) -> None:
    try:
        async for line in _lines(content):
            try:
                if line is None:
                    raise FormatError("too-large", detail=f"an envelope has at most {MAX_ENVELOPE_BYTES} bytes")
                await answers.put(await log.submit_waiting(line))
            except LedgerError as error:
                await answers.put(error)
    finally:
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


async def _collect(answers: asyncio.Queue[Answer], results: _Results) -> None:
    """Write each line's result in the order of the input, under the checkpoint that it needs."""
    line = 0
    checkpoint = b""
    hashes: dict[bytes, str] = {}
    while (answer := await answers.get()) is not None:
        line += 1
        try:
            if isinstance(answer, Exception):
                raise answer
            recorded = await answer
        except LedgerError as error:
            results.add({"line": line, "problem": problem_of(error)})
            continue
        if recorded.checkpoint != checkpoint:
            checkpoint = recorded.checkpoint
            hashes.clear()
            results.add({"checkpoint": checkpoint.decode()})
        results.add(_result(line, recorded, hashes))
    results.finish({"done": line})


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


class _Results:
    """Result lines on their way out, kept in a file past 1 MiB until the client takes them."""

    def __init__(self) -> None:
        self._spool = SpooledTemporaryFile(max_size=_SPOOL_MEMORY_BYTES)  # noqa: SIM115 - closed by `close`
        self._written = 0
        self._sent = 0
        self._done = False
        self._more = asyncio.Event()

    def add(self, document: dict[str, Json]) -> None:
        """Append one line."""
        line = _ENCODER.encode(document).encode() + b"\n"
        self._spool.seek(self._written)
        self._spool.write(line)
        self._written += len(line)
        self._more.set()

    def finish(self, document: dict[str, Json]) -> None:
        """Append the last line."""
        self._done = True
        self.add(document)

    async def send(self, response: web.StreamResponse) -> None:
        """Send lines as they come, until the last; TimeoutError if the client takes nothing for 30 s."""
        while not (self._done and self._sent == self._written):
            if self._sent == self._written:
                self._more.clear()
                await self._more.wait()
            self._spool.seek(self._sent)
            chunk = self._spool.read(_WRITE_BYTES)
            async with asyncio.timeout(IDLE_DEADLINE_S):
                await response.write(chunk)
            self._sent += len(chunk)
            if self._sent == self._written:
                self._spool.seek(0)
                self._spool.truncate()
                self._sent = self._written = 0

    def close(self) -> None:
        """Drop what was not sent."""
        self._spool.close()
