"""Many statements in one request, as JSON lines both ways (DESIGN §4).

The ledger answers with what it alone knows (index, previous, time, path); entry and receipt are rebuilt here from the
statement that was sent, so that an answer for anything else cannot verify.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING

from ledger.core.dsse import Envelope
from ledger.core.encoding import Json, b64decode
from ledger.core.entry import Entry
from ledger.core.errors import FormatError
from ledger.core.receipt import format_receipt
from ledger.party.errors import Problem, ReplyInvalid, Unreachable
from ledger.party.recorded import Recorded, open_recorded
from ledger.party.replies import LineReply, read_reply
from ledger.party.transport import read_problem

if TYPE_CHECKING:
    from ledger.party.client import LedgerClient

_PATH = "/v1/statements"
_REFUSED = 422


async def submit_many(client: LedgerClient, envelopes: Iterable[Envelope]) -> AsyncIterator[Recorded | Problem]:
    """Yield the result of each statement in the order sent: its entry with a verified receipt, or its problem.

    Raises Unreachable where the stream ended before its last line, and Problem where the ledger was too busy to begin:
    submit all again, each is recorded once. Raises ReceiptInvalid, ReplyInvalid and ForkDetected at once; what was
    yielded before stands.
    """
    await client.identity()
    waiting: dict[int, Envelope] = {}
    sent = 0

    async def lines() -> AsyncIterator[bytes]:
        nonlocal sent
        for sent, envelope in enumerate(envelopes, 1):
            waiting[sent] = envelope
            yield envelope.recorded + b"\n"

    checkpoint = b""
    answered = 0
    async for answer in client.transport.post_lines(_PATH, lines()):
        if not isinstance(answer, dict):
            raise ReplyInvalid("a line of the ledger's answer is no object")
        if "checkpoint" in answer:
            checkpoint = str(answer["checkpoint"]).encode()
        elif "done" in answer:
            if answer["done"] != answered or answered != sent:
                raise ReplyInvalid(f"the ledger says {answer['done']} statements, {sent} were sent")
            return
        else:
            answered += 1
            envelope = _take(waiting, answer, answered)
            yield await _result(client, envelope, answer, checkpoint)
    raise Unreachable(client.transport.url + _PATH, "the answer was cut before its last line")


async def _result(client: LedgerClient, envelope: Envelope, answer: Json, checkpoint: bytes) -> Recorded | Problem:
    if "problem" in answer:
        problem = answer["problem"]
        status = problem.get("status") if isinstance(problem, dict) else None
        error = read_problem(status if isinstance(status, int) else _REFUSED, problem)
        await client.take_refusal(error, envelope.id)
        return error
    return await client.take(_open(client, read_reply(LineReply, answer), envelope, checkpoint), envelope)


def _take(waiting: dict[int, Envelope], answer: Json, expected: int) -> Envelope:
    line = answer.get("line")
    envelope = waiting.pop(expected, None)
    if line != expected or envelope is None:
        raise ReplyInvalid(f"the ledger answers line {line!r} where line {expected} is next")
    return envelope


def _open(client: LedgerClient, reply: LineReply, envelope: Envelope, checkpoint: bytes) -> Recorded:
    try:
        path = [b64decode(text, "/path") for text in reply.path]
        if reply.entry is None:
            raw = Entry(reply.index, reply.previous, envelope, reply.time).raw
        else:
            raw = b64decode(reply.entry, "/entry")
    except FormatError as error:
        raise ReplyInvalid(f"the ledger's answer cannot be understood: {error}") from error
    receipt = format_receipt(reply.index, path, checkpoint)
    recorded = open_recorded(raw, receipt, client.policy, client.origin)
    return Recorded(recorded.entry, receipt, recorded.checkpoint, duplicate=reply.entry is not None)
