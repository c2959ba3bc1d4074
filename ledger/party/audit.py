"""What the operator signed, held against what we hold: where the two contradict each other, a fraud proof is kept.

A refusal, a promise and a history each say something that our own entries, with their receipts, can give the lie to
(docs/format.md §12, §18, §19).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ledger.core.dsse import PROMISE_TYPE, Envelope
from ledger.core.encoding import Json, canonical
from ledger.core.errors import FormatError, LedgerError
from ledger.party.errors import FraudProven, Problem, Promised, Refusal, Unreachable
from ledger.party.frauds import prove_left_out, prove_omission, prove_refusal
from ledger.party.history import History
from ledger.party.promises import Promise, read_promise
from ledger.party.recorded import Recorded, open_recorded
from ledger.party.versions import read_statement
from ledger.registry.acceptance import MAX_AHEAD_MS
from ledger.statements.common import Statement

if TYPE_CHECKING:
    from ledger.party.client import LedgerClient
    from ledger.party.vault import Vault

_LOG = logging.getLogger(__name__)
_NOT_FOUND = 404


class Audit:
    """The checks of one client; without a vault there is nothing to hold anything against."""

    def __init__(self, client: LedgerClient, vault: Vault | None) -> None:
        """Hold what `client` is told against what `vault` keeps."""
        self._client = client
        self._vault = vault
        self._is_looking = False
        self._looked_at: int | None = None
        """The size of the log when it was last looked whether promises were kept."""

    # Histories

    async def check_history(self, history: History) -> None:
        """Raise FraudProven if a signed history leaves out an entry that we hold, and that concerns its subjects."""
        if self._vault is None:
            return
        entries = await asyncio.to_thread(lambda vault: list(self._entries(vault)), self._vault)
        found = find_left_out(history, entries)
        if found is not None:
            left_out, links = found
            pairs = [self._created(), *(_pair(entry) for entry in (*links, left_out))]
            proof = prove_left_out(self._client.origin, canonical(history.signed), pairs, left_out.index)
            raise self._keep(proof, f"the signed history leaves out entry {left_out.index}, which you hold")

    def _entries(self, vault: Vault) -> Iterator[Recorded]:
        """Yield the entries of this log that the vault keeps, receipts verified, ascending by index."""
        found = []
        for raw, receipt in vault.entries():
            try:
                found.append(open_recorded(raw, receipt, self._client.policy, self._client.origin))
            except LedgerError as error:  # of another log, or damaged: it proves nothing
                _LOG.info("a kept entry is of no use: %s", error)
        yield from sorted(found, key=lambda entry: entry.index)

    # Refusals

    def check_refusal(self, refusal: Refusal, envelope: Envelope, served: Json) -> None:
        """Raise FraudProven if a verified refusal contradicts the log, or itself, by what we hold."""
        if self._vault is None:
            return
        size, reason, time_ms = (refusal.document[name] for name in ("size", "reason", "time"))
        kept = self._vault.entry(envelope.id)
        if kept is not None and open_recorded(*kept, self._client.policy, self._client.origin).index < _int(size):
            proof = prove_refusal(self._client.origin, canonical(served), [self._created(), kept], None)
            raise self._keep(proof, "it refused a statement that it had recorded, as you hold")
        try:
            statement = read_statement(envelope.payload)
        except FormatError:
            return
        if _denies_itself(str(reason), statement, _int(time_ms)):
            proof = prove_refusal(self._client.origin, canonical(served), [self._created()], envelope.recorded)
            raise self._keep(proof, f"it refused a statement as {reason}, which by the refusal's own time it was not")

    # Promises

    async def take_promise(self, document: Json, envelope: Envelope) -> Promised:
        """Verify and keep a promise, and return what to raise; raise ReceiptInvalid for a false one."""
        payload = (await self._client.identity()).open_service(document, PROMISE_TYPE)
        promise = read_promise(payload, envelope.id)
        kept = self._vault.keep_promise(envelope.id, document) if self._vault is not None else None
        return Promised(promise.statement_id, promise.deadline_ms, payload, kept)

    async def check_promises(self) -> None:
        """See what became of every promise that is kept; raise FraudProven for one that was broken.

        One that was kept gives way to the entry and its receipt. One of which nothing can be told yet is left. Called
        whenever the ledger shows where it stands; nothing is asked twice of a log that has not grown.
        """
        newest = self._client.memory.newest()
        size = newest[0].head.size if newest is not None else 0
        if self._vault is None or self._is_looking or size == self._looked_at:
            return
        self._is_looking, self._looked_at = True, size
        try:
            await self._check_each(self._vault, time.time_ns() // 1_000_000)
        finally:
            self._is_looking = False

    async def _check_each(self, vault: Vault, now_ms: int) -> None:
        for statement_id, document in vault.promises():
            identity = await self._client.identity()
            try:
                promise = read_promise(identity.open_service(document, PROMISE_TYPE), statement_id)
                await self._check_promise(promise, document, now_ms)
            except FraudProven:
                vault.drop_promise(statement_id)
                raise
            except LedgerError as error:
                _LOG.info("what became of the promise to record %s cannot be told: %s", statement_id, error)
                if isinstance(error, Unreachable):
                    return  # it will not answer of the others either

    async def _check_promise(self, promise: Promise, document: Json, now_ms: int) -> None:
        if self._vault is None:
            return
        try:
            recorded = await self._client.statement(promise.statement_id)
        except Problem as problem:
            if problem.status != _NOT_FOUND or now_ms <= promise.deadline_ms:
                raise
            await self._prove_omission(promise, document)
            return
        if recorded.entry.time_ms > promise.deadline_ms:
            pairs = [self._created(), _pair(recorded)]
            proof = prove_omission(self._client.origin, canonical(document), [], pairs)
            raise self._keep(proof, f"it recorded {promise.statement_id} after the deadline that it had promised")
        self._vault.drop_promise(promise.statement_id)

    async def _prove_omission(self, promise: Promise, document: Json) -> None:
        """Ask for the operator's signed word that the statement is not there, and for an entry after the deadline."""
        history = await self._client.history([promise.statement_id])
        newest = await self._client.entry(history.head.size - 1)
        if history.indexes or newest.entry.time_ms <= promise.deadline_ms:
            return
        pairs = [self._created(), _pair(newest)]
        heads = [canonical(history.signed)]
        proof = prove_omission(self._client.origin, canonical(document), heads, pairs)
        raise self._keep(proof, f"it promised to record {promise.statement_id}, and did not")

    def _created(self) -> tuple[bytes, bytes]:
        created = self._vault.created(self._client.origin) if self._vault is not None else None
        if created is None:
            raise AssertionError("what the service key signed was opened by entry 0, which the vault keeps")
        return created

    def _keep(self, proof: dict[str, Json], detail: str) -> FraudProven:
        kept = self._vault.keep_evidence(proof) if self._vault is not None else None
        return FraudProven(self._client.origin, str(proof["kind"]), detail, kept)


def find_left_out(history: History, entries: Sequence[Recorded]) -> tuple[Recorded, list[Recorded]] | None:
    """Return an entry that the history had to list, and the entries by which it concerns a subject; None if none is.

    `entries` ascend by index. What can only be told by whose key signed is left to a replay.
    """
    by_id: dict[str, Recorded] = {}
    concerned: dict[str, set[str]] = {}
    for entry in entries:
        try:
            statement = entry.statement
        except LedgerError:
            continue
        by_id[entry.statement_id] = entry
        subjects = {entry.statement_id, statement.issuer, *statement.named_parties, *statement.named_ids}
        subjects.update(*(concerned.get(name, ()) for name in statement.named_ids), statement.mentioned_ids)
        concerned[entry.statement_id] = subjects
        is_listed = entry.index in history.indexes or entry.index >= history.head.size
        if not is_listed and not subjects.isdisjoint(history.subjects):
            return entry, list(_links(statement, by_id))
    return None


def _links(statement: Statement, by_id: dict[str, Recorded]) -> Iterable[Recorded]:
    """Return the kept entries that a statement names, and those that these name, each once."""
    found: dict[str, Recorded] = {}
    waiting = list(statement.named_ids)
    while waiting:
        name = waiting.pop()
        if name in by_id and name not in found:
            found[name] = by_id[name]
            waiting += by_id[name].statement.named_ids
    return (entry for entry in found.values() if entry.index)


def _denies_itself(reason: str, statement: Statement, time_ms: int) -> bool:
    is_late, is_early = time_ms > statement.not_after_ms, statement.issued_ms > time_ms + MAX_AHEAD_MS
    return (reason == "expired" and not is_late) or (reason == "issued-in-future" and not is_early)


def _pair(recorded: Recorded) -> tuple[bytes, bytes]:
    return recorded.entry.raw, recorded.receipt


def _int(value: Json) -> int:
    return value if isinstance(value, int) else 0
