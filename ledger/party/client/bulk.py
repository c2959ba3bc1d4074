"""Many statements in one request, as JSON lines both ways (docs/http.md).

The ledger answers with what it alone knows (index, previous, time, path); entry and receipt are rebuilt here from the
statement that was sent, so that an answer for anything else cannot verify.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from dataclasses import replace

from ledger.core.checkpoint import Checkpoint
from ledger.core.dsse import Envelope
from ledger.core.encoding import Json, b64decode
from ledger.core.entry import Entry, parse_entry
from ledger.core.errors import FormatError, NoteError, ProofError, QuorumError
from ledger.core.merkle import verify_inclusion
from ledger.core.policy import NO_QUORUM
from ledger.core.receipt import format_receipt
from ledger.party.answers.recorded import Recorded
from ledger.party.answers.replies import CheckpointReply, LineReply, read_reply
from ledger.party.answers.transport import Transport, read_problem
from ledger.party.audit.audit import Audit
from ledger.party.audit.memory import Memory
from ledger.party.client.reader import LedgerReader
from ledger.party.client.submitting import Submitter
from ledger.party.errors import Problem, ReceiptInvalid, ReplyInvalid, Unreachable

_PATH = "/v1/statements"
_REFUSED = 422
_WINDOW = 8192
_WRITE_BYTES = 65_536
_GROUP = 256


class Stream:
    """Submits many statements in one request."""

    def __init__(
        self, reader: LedgerReader, submitter: Submitter, transport: Transport, memory: Memory, audit: Audit
    ) -> None:
        """Verify single answers as `submitter` does; the others are what it was made of."""
        self._reader = reader
        self._submitter = submitter
        self._transport = transport
        self._memory = memory
        self._audit = audit

    async def submit_many(self, envelopes: Iterable[Envelope]) -> AsyncIterator[Recorded | Problem]:
        """Yield the result of each statement in the order sent: its entry with a verified receipt, or its problem.

        Raises Unreachable where the stream ended before its last line, and Problem where the ledger was too busy to
        begin: submit all again, each is recorded once. Raises ReceiptInvalid, ReplyInvalid and ForkDetected at once;
        what was yielded before stands, and is kept.
        """
        await self._reader.identity()
        await self._audit.check_promises()
        lines = _Lines(envelopes)
        checkpoint: Checkpoint | None = None
        note, under = b"", CheckpointReply(checkpoint="")
        is_quorate = self._reader.policy.quorum != NO_QUORUM
        answered = 0
        group: list[Recorded | Problem] = []
        async with aclosing(self._transport.post_lines(_PATH, lines.send())) as answers:
            async for answer in answers:
                if not isinstance(answer, dict):
                    raise ReplyInvalid("a line of the ledger's answer is not an object")
                if len(group) >= _GROUP or "checkpoint" in answer or "done" in answer:
                    for result in await self._keep(group):
                        yield result
                    group = []
                if "checkpoint" in answer:
                    under = read_reply(CheckpointReply, answer)
                    note = under.checkpoint.encode()
                    checkpoint = await self._remember(note)
                elif "done" in answer:
                    if answer["done"] != answered or answered != lines.sent_count:
                        raise ReplyInvalid(
                            f"the ledger says {answer['done']!r} statements, {lines.sent_count} were sent"
                        )
                    return
                else:
                    answered += 1
                    envelope = lines.take(answer.get("line"), answered)
                    if "promise" in answer:
                        group.append(await self._audit.take_promise(answer["promise"], envelope, is_alone=False))
                    elif "problem" in answer:
                        group.append(await self._problem(envelope, answer["problem"]))
                    else:
                        recorded = _open(read_reply(LineReply, answer), envelope, checkpoint, note)
                        is_ours = recorded.entry.envelope.signatures == envelope.signatures
                        self._audit.check_entry(recorded, is_ours=is_ours)
                        await self._submitter.confirm(recorded, envelope)
                        group.append(replace(recorded, is_quorate=is_quorate, state=under.state))
        raise Unreachable(self._transport.url + _PATH, "the answer was cut before its last line")

    async def _keep(self, group: list[Recorded | Problem]) -> list[Recorded | Problem]:
        """Keep the entries of a group, which waits for the disk once, not once a statement."""
        kept = iter(await self._reader.keep([result for result in group if isinstance(result, Recorded)]))
        return [next(kept) if isinstance(result, Recorded) else result for result in group]

    async def _remember(self, note: bytes) -> Checkpoint:
        try:
            return await self._memory.remember(note)
        except QuorumError:
            raise
        except NoteError as error:
            raise ReceiptInvalid(f"the ledger's checkpoint is none: {error}") from error

    async def _problem(self, envelope: Envelope, document: Json) -> Problem:
        status = document.get("status") if isinstance(document, dict) else None
        problem = read_problem(status if isinstance(status, int) else _REFUSED, document)
        await self._submitter.take_refusal(problem, envelope, is_alone=False)
        return problem


class _Lines:
    """Sends statements and holds those that were not answered yet: at most a window of them, however many come."""

    def __init__(self, envelopes: Iterable[Envelope]) -> None:
        self._envelopes = envelopes
        self._waiting: dict[int, Envelope] = {}
        self._room = asyncio.Event()
        self.sent_count = 0

    async def send(self) -> AsyncIterator[bytes]:
        buffer = bytearray()
        for number, envelope in enumerate(self._envelopes, 1):
            if len(self._waiting) >= _WINDOW:
                self._room.clear()
                yield bytes(buffer)
                buffer.clear()
                await self._room.wait()
            self._waiting[number] = envelope
            self.sent_count = number
            buffer += envelope.recorded + b"\n"
            if len(buffer) >= _WRITE_BYTES:
                yield bytes(buffer)
                buffer.clear()
        if buffer:
            yield bytes(buffer)

    def take(self, line: Json, expected: int) -> Envelope:
        envelope = self._waiting.pop(expected, None)
        if line != expected or envelope is None:
            raise ReplyInvalid(f"the ledger answers line {line!r} where line {expected} is next")
        if len(self._waiting) < _WINDOW // 2:
            self._room.set()
        return envelope


def _open(reply: LineReply, envelope: Envelope, checkpoint: Checkpoint | None, note: bytes) -> Recorded:
    """Return the entry that the line is about; raise ReceiptInvalid unless it is in the tree of the last checkpoint."""
    if checkpoint is None:
        raise ReplyInvalid("the ledger answers a statement before any checkpoint")
    try:
        path = [b64decode(text, "/path") for text in reply.path]
        entry = Entry(reply.index, reply.previous, envelope, reply.time)
        if reply.entry is not None:
            entry = parse_entry(b64decode(reply.entry, "/entry"))
    except FormatError as error:
        raise ReplyInvalid(f"the ledger's answer cannot be understood: {error}") from error
    head = checkpoint.head
    try:
        verify_inclusion(entry.leaf, entry.index, head.size, path, head.root)
    except ProofError as error:
        raise ReceiptInvalid(f"the receipt proves nothing: {error}") from error
    receipt = format_receipt(entry.index, path, note)
    return Recorded(entry, receipt, checkpoint, duplicate=reply.entry is not None)
