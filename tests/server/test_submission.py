"""POST /v1/statements: one, or a stream; what a client can check of the answer."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import NamedTuple

import aiohttp
import pytest

from ledger.core.checkpoint import TreeHead
from ledger.core.dsse import Envelope
from ledger.core.encoding import Json, b64decode
from ledger.core.entry import Entry, parse_entry
from ledger.core.merkle import verify_inclusion
from ledger.server.service import submission
from tests.harness.people import Person, person
from tests.harness.running import House, Served, post_head, submit_all
from tests.harness.waiting import PATIENCE_S

MANY = 10_000
CHUNK_BYTES = 50_000
LINES = {"Content-Type": "application/jsonl"}


class Answered(NamedTuple):
    """The results of a stream: recorded entries by line, problems by line, the count of `done` (None: cut)."""

    entries: dict[int, Entry]
    problems: dict[int, Json]
    duplicates: set[int]
    done: int | None


def read_results(house: House, sent: list[Envelope | None], text: bytes) -> Answered:
    """Do what a client does: take results in order, each under the last checkpoint, rebuild and prove each entry."""
    answered = Answered({}, {}, set(), None)
    head: TreeHead | None = None
    number = 0
    for line in text.splitlines():
        assert answered.done is None, "nothing follows `done`"
        document = json.loads(line)
        if "checkpoint" in document:
            head = house.policy.open_checkpoint(document["checkpoint"].encode()).head
        elif "done" in document:
            answered = answered._replace(done=document["done"])
        else:
            number += 1
            assert document["line"] == number, "in the order of the input"
            if "problem" in document:
                answered.problems[number] = document["problem"]
                continue
            envelope = sent[number - 1]
            assert head is not None, "a checkpoint comes before its use"
            assert envelope is not None
            answered.entries[number] = _rebuild(envelope, document, head)
            if "entry" in document:
                answered.duplicates.add(number)
    return answered


def _rebuild(envelope: Envelope, document: Json, head: TreeHead) -> Entry:
    entry = Entry(document["index"], document["previous"], envelope, document["time"])
    if "entry" in document:
        assert parse_entry(b64decode(document["entry"])) == entry
    assert document["statement_id"] == envelope.id
    path = [b64decode(value) for value in document["path"]]
    verify_inclusion(entry.leaf, entry.index, head.size, path, head.root)
    return entry


def joined(lines: list[Envelope | None]) -> bytes:
    """Return a body; None is a bad line."""
    return b"".join((line.recorded if line is not None else b"{bad") + b"\n" for line in lines)


async def stream(session: aiohttp.ClientSession, house: House, lines: list[Envelope | None]) -> Answered:
    async with session.post("/v1/statements", data=_chunks(joined(lines)), headers=LINES) as response:
        assert response.status == 200
        assert response.content_type == "application/jsonl"
        return read_results(house, lines, await response.read())


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(body), CHUNK_BYTES):
        yield body[at : at + CHUNK_BYTES]


async def test_one_statement(session: aiohttp.ClientSession, house: House, alpha: Person) -> None:
    (envelope,) = house.listings(alpha, 1)
    spelled = json.dumps(envelope.document(), indent=1)  # white space and order of members are free
    answers = []
    for body in (spelled, envelope.recorded):
        headers = {"Content-Type": "application/json; charset=utf-8"}
        async with session.post("/v1/statements", data=body, headers=headers) as response:
            assert response.content_type == "application/json"
            answers.append((response.status, await response.json()))
    (first_status, first), (second_status, second) = answers
    assert (first_status, second_status) == (201, 200)
    assert first == second, "the same receipt content"
    assert set(first) == {"statement_id", "index", "entry", "receipt", "state"}
    assert first["state"] == "recorded"
    entry, checkpoint = house.open(first["receipt"].encode(), b64decode(first["entry"]))
    assert (first["statement_id"], first["index"]) == (envelope.id, entry.index) == (entry.envelope.id, 2)
    assert checkpoint.head.size == 3


async def test_a_stream_may_refer_to_its_own_lines(
    served: Served, session: aiohttp.ClientSession, house: House
) -> None:
    story: list[Envelope | None] = list(house.story(person("beta"), person("gamma")))
    answered = await stream(session, house, story)
    assert [entry.index for entry in answered.entries.values()] == [2, 3, 4, 5, 6, 7]
    assert answered.problems == {}
    assert answered.done == len(story)
    assert served.log.published is not None
    assert served.log.published.head.size == 8


async def test_duplicates_come_with_their_entry(session: aiohttp.ClientSession, house: House, alpha: Person) -> None:
    one, two, three = house.listings(alpha, 3)
    await stream(session, house, [one])
    answered = await stream(session, house, [one, two, one, two, three])
    assert answered.duplicates == {1, 3, 4}
    assert [entry.index for entry in answered.entries.values()] == [2, 3, 2, 3, 4]
    assert answered.done == 5


async def test_one_bad_line_among_ten_thousand(
    served: Served, session: aiohttp.ClientSession, house: House, alpha: Person
) -> None:
    lines: list[Envelope | None] = [*house.listings(alpha, MANY)]
    lines[6_543] = None
    answered = await stream(session, house, lines)
    assert list(answered.problems) == [6_544]
    assert answered.problems[6_544]["type"] == "not-json"
    assert answered.done == MANY
    assert [entry.index for entry in answered.entries.values()] == list(range(2, MANY + 1))
    assert answered.duplicates == set()
    assert served.log.published is not None
    assert served.log.published.head.size == MANY + 1


async def test_all_lines_may_be_sent_before_the_first_result_is_read(
    served: Served, house: House, alpha: Person
) -> None:
    lines: list[Envelope | None] = [*house.listings(alpha, MANY)]
    body = joined(lines)

    def send_then_read() -> bytes:
        with socket.create_connection((served.host, served.port), timeout=PATIENCE_S) as client:
            client.sendall(post_head("application/jsonl", len(body), "1.0") + body)
            return b"".join(iter(lambda: client.recv(1 << 16), b""))

    header, _, results = (await asyncio.to_thread(send_then_read)).partition(b"\r\n\r\n")
    assert b" 200 " in header.splitlines()[0]
    answered = read_results(house, lines, results)
    assert len(answered.entries) == answered.done == MANY


@pytest.mark.parametrize("last", [b"", b"\n"], ids=["no final newline", "final newline"])
async def test_odd_lines(session: aiohttp.ClientSession, house: House, alpha: Person, last: bytes) -> None:
    lines: list[Envelope | None] = list(house.listings(alpha, 3))
    good = [line.recorded for line in lines if line is not None]
    longest = good[0] + b" " * (65_535 - len(good[0]))
    # However the pieces of an over-long line arrive: its end, which is a good statement, must not pass for a line.
    padded = [b" " * (70_000 + 15_000 * at) + good[1] for at in range(10)]
    body = b"\n".join([longest, b"", b" " * 65_536, *padded, good[1] + b"\r", good[2]]) + last
    async with session.post("/v1/statements", data=_chunks(body), headers=LINES) as response:
        results = await response.read()
    answered = read_results(house, [lines[0], *[None] * 12, lines[1], lines[2]], results)
    too_large = dict.fromkeys(range(3, 14), "too-large")
    assert {number: problem["type"] for number, problem in answered.problems.items()} == {2: "not-json"} | too_large
    assert list(answered.entries) == [1, 14, 15]
    assert answered.duplicates == set()
    assert answered.done == 15


async def test_an_empty_stream_is_done(session: aiohttp.ClientSession, house: House) -> None:
    assert await stream(session, house, []) == Answered({}, {}, set(), 0)


@pytest.mark.parametrize("ending", ["fin", "reset"])
async def test_a_stream_cut_in_the_middle_records_whole_lines_only(
    served: Served, house: House, alpha: Person, ending: str
) -> None:
    envelopes = house.listings(alpha, 40)
    body = joined([*envelopes])
    cut = body.index(envelopes[30].recorded) + 200
    reader, writer = await asyncio.open_connection(served.host, served.port)
    writer.write(post_head("application/jsonl", len(body)) + body[:cut])
    said = await asyncio.wait_for(reader.readuntil(b'"line":30,'), PATIENCE_S)
    if ending == "fin":
        writer.write_eof()
        said += await asyncio.wait_for(reader.read(), PATIENCE_S)
    else:
        writer.transport.abort()
    writer.close()
    assert b'"done"' not in said
    assert said.count(b"HTTP/1.1") == 1
    assert served.log.published is not None
    assert served.log.published.head.size == 32
    assert [await served.log.store.index_of(item.id) for item in envelopes] == [*range(2, 32), *[None] * 10]
    again = await submit_all(served.log, envelopes)
    assert [recorded.duplicate for recorded in again] == [True] * 30 + [False] * 10


async def test_a_stream_longer_than_allowed_just_ends(
    served: Served, house: House, alpha: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submission, "MAX_STREAM_BYTES", 100_000)
    lines: list[Envelope | None] = [*house.listings(alpha, 500)]
    body = joined(lines)
    reader, writer = await asyncio.open_connection(served.host, served.port)
    writer.write(post_head("application/jsonl", len(body)) + body)
    said = await asyncio.wait_for(reader.read(), PATIENCE_S)
    writer.close()
    assert said.count(b"HTTP/1.1") == 1
    assert b'"done"' not in said
