"""One statement on its way: sent, and whatever comes back verified before it is believed (see `bulk` for many)."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from ledger.core.checkpoint import TreeHead
from ledger.core.dsse import REFUSAL_TYPE, Envelope
from ledger.core.encoding import Json, canonical
from ledger.core.errors import LedgerError, QuorumError
from ledger.core.receipt import parse_receipt
from ledger.party.answers.identity import wrong_signatures
from ledger.party.answers.recorded import Recorded, check_is
from ledger.party.answers.replies import RecordedReply, read_reply
from ledger.party.answers.transport import Transport
from ledger.party.audit.audit import Audit
from ledger.party.audit.memory import Memory
from ledger.party.audit.refusals import read_refusal
from ledger.party.client.reader import LedgerReader
from ledger.party.errors import ForkDetected, NotWitnessed, Problem, ReceiptInvalid, Refusal, Unreachable
from ledger.party.vault.vault import Vault

_LOG = logging.getLogger(__name__)
_ALREADY_RECORDED = 200
_PROMISED = 202
_LOST_TRIES = 3
_WITNESS_TRIES = 5


class Submitter:
    """Submits single statements, and verifies what a ledger answers to any."""

    def __init__(
        self, reader: LedgerReader, transport: Transport, memory: Memory, audit: Audit, vault: Vault | None
    ) -> None:
        """Read by `reader`, speak over its `transport`, and hold answers against its `memory` and `audit`."""
        self._reader = reader
        self._transport = transport
        self._memory = memory
        self._audit = audit
        self._vault = vault

    async def submit(self, envelope: Envelope) -> Recorded:
        """Record one (see `LedgerClient.submit`)."""
        await self._reader.identity()
        await self._audit.check_promises()
        try:
            status, document = await self._post(envelope)
        except Problem as problem:
            await self.take_refusal(problem, envelope, is_alone=True)
            raise
        if status == _PROMISED:
            promise = document.get("promise") if isinstance(document, dict) else None
            raise await self._audit.take_promise(promise, envelope, is_alone=True)
        recorded = await self._open(read_reply(RecordedReply, document), envelope)
        self._audit.check_entry(recorded, is_ours=recorded.entry.envelope.signatures == envelope.signatures)
        await self._memory.remember(parse_receipt(recorded.receipt).checkpoint)
        recorded = replace(recorded, duplicate=status == _ALREADY_RECORDED)
        await self.confirm(recorded, envelope)
        return (await self._reader.keep([recorded]))[0]

    async def confirm(self, recorded: Recorded, envelope: Envelope) -> None:
        """Raise ReceiptInvalid unless the entry holds the statement that was submitted, signed by the same keys.

        Raises FraudProven where it shows that a signature in it was never made.
        """
        found = recorded.entry.envelope
        if found.signatures == envelope.signatures or found.id != envelope.id:
            check_is(recorded, envelope)
            return
        # That it is a duplicate is the operator's word: so is, then, that somebody signed it as it was recorded.
        statement = recorded.statement
        keys = {keyid: key for keyid, (key, _) in statement.introduced.items()}
        if not dict(found.signatures).keys() <= keys.keys():
            operator = (await self._reader.identity()).created.issuer
            keys |= await self._reader.public_keys({statement.issuer, operator, *statement.named_parties})
        self._audit.check_signatures(recorded, keys)
        check_is(recorded, envelope)
        if not dict(found.signatures).keys() <= keys.keys() or wrong_signatures(found, keys):
            raise ReceiptInvalid(f"entry {recorded.index} holds a signature that its signer never made")

    async def take_refusal(self, problem: Problem, envelope: Envelope, *, is_alone: bool) -> None:
        """Verify and keep the refusal that came with a problem; `is_alone` says that it is not one of many.

        Raises ReceiptInvalid for a false one, FraudProven for one that what we hold contradicts, and ForkDetected
        for one on a log that contradicts what we have seen. It stands where that cannot be told: it is signed, and
        kept.
        """
        if problem.served is None:
            return
        payload = (await self._reader.identity()).open_service(problem.served, REFUSAL_TYPE)
        head = read_refusal(payload, envelope.id, problem.type)
        kept = self._vault.keep_refusal(envelope.id, problem.served) if self._vault is not None else None
        problem.refusal = Refusal(payload, kept)
        await self._audit.check_refusal(problem.refusal, envelope, problem.served, is_alone=is_alone)
        try:
            await self._check_refused_on(head, canonical(problem.served))
        except ForkDetected:
            raise
        except LedgerError as error:
            _LOG.info("whether a refusal agrees with the log that we saw cannot be told: %s", error)

    async def _check_refused_on(self, head: TreeHead, signed: bytes) -> None:
        newest = self._memory.newest()
        if newest is None or newest[0].head.size < head.size:
            # Once: of a tree that is covered by a checkpoint, many refusals are compared without asking again.
            await self._reader.checkpoint()
        await self._memory.check(head, signed)

    async def _post(self, envelope: Envelope) -> tuple[int, Json]:
        """Send a statement; where the answer was lost, send the very same again: it is recorded once."""
        for left in reversed(range(_LOST_TRIES)):
            try:
                return await self._transport.post("/v1/statements", envelope.recorded)
            except Unreachable:
                if not left:
                    raise
                await asyncio.sleep(self._transport.backoff_s)
        raise AssertionError("the last try returns or raises")

    async def _open(self, reply: RecordedReply, envelope: Envelope) -> Recorded:
        """Open an answer; where our policy's quorum is late, send the statement again: its receipt is then a later one.

        A ledger may answer before it has its witnesses' cosignatures, and says so (`state`). Raises NotWitnessed.
        """
        for tried in range(_WITNESS_TRIES + 1):
            try:
                return self._reader.open(reply)
            except QuorumError as error:
                if tried == _WITNESS_TRIES:
                    raise NotWitnessed(envelope.id, reply.index, str(error)) from error
            await asyncio.sleep(self._transport.backoff_s * 2**tried)
            reply = read_reply(RecordedReply, (await self._post(envelope))[1])
        raise AssertionError("the last try returns or raises")
