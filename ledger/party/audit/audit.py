"""What the operator shows and signs, held against what we hold: where they contradict each other, a proof is kept.

An entry may convict the operator on its own, or beside others; a refusal, a promise and a history each say something
that entries with their receipts can contradict (docs/format.md §12, §18, §19). What is said is compared with what
is held, and what is held with all that was said before.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol

from ledger.core.checkpoint import TreeHead
from ledger.core.dsse import PROMISE_TYPE, REFUSAL_TYPE, Envelope
from ledger.core.encoding import Json, canonical
from ledger.core.entry import parse_entry
from ledger.core.errors import FormatError, LedgerError
from ledger.core.keys import PublicKey
from ledger.core.policy import Policy
from ledger.core.receipt import open_receipt, parse_receipt
from ledger.party.answers.identity import LedgerIdentity
from ledger.party.answers.recorded import Recorded, open_recorded
from ledger.party.audit.frauds import Charge, prove, prove_fork
from ledger.party.audit.held import (
    MAX_WORDS,
    Held,
    Word,
    charge_fork,
    charge_left_out,
    cosigned_early,
    pair_of,
    read_words,
    rolled_back,
    taken_back,
)
from ledger.party.audit.history import History
from ledger.party.audit.memory import Memory
from ledger.party.audit.promises import Promise, read_promise
from ledger.party.audit.refusals import contradict
from ledger.party.errors import FraudProven, Problem, Promised, Refusal, Unreachable
from ledger.party.vault.vault import Vault

_LOG = logging.getLogger(__name__)
_NOT_FOUND = 404
_OMISSION = "omission-after-promise"
_SHOWN_BY_ENTRIES = ("unknown-party", "seen-mismatch")
"""Reasons of refusals that entries, or the heads over them, may contradict."""


class Asking(Protocol):
    """What is asked of a ledger to judge what it said: four calls, each of which verifies what it returns."""

    async def identity(self) -> LedgerIdentity:
        """Return the ledger's id and keys."""
        ...

    async def entry(self, index: int) -> Recorded:
        """Return an entry."""
        ...

    async def statement(self, statement_id: str) -> Recorded:
        """Return the entry of a statement."""
        ...

    async def history(self, subjects: Sequence[str]) -> History:
        """Return every entry that concerns the subjects, by the operator's signed word."""
        ...


class Audit:
    """The checks of one client; without a vault there is nothing to hold anything against, and nowhere to keep proofs.

    Every check raises FraudProven, with the proof in the vault, and nothing else of its own.
    """

    def __init__(self, ledger: Asking, memory: Memory, policy: Policy, origin: str, vault: Vault | None) -> None:
        """Hold what the log `origin` says against what `memory` and `vault` keep; `ledger` is asked for more."""
        self._ledger = ledger
        self._memory = memory
        self._policy = policy
        self._origin = origin
        self._vault = vault
        self._held: Held | None = None
        self._is_looking = False
        self._looked_at: int | None = None
        """The size of the log when it was last looked whether promises were kept."""

    # Entries

    def check_entry(self, entry: Recorded, *, is_ours: bool = False) -> None:
        """See whether an entry with a verified receipt convicts the operator, on its own or beside what we hold.

        `is_ours` says that it holds, signature by signature, what we sent.
        """
        held = self._holding()
        if held is None:
            return
        kept = self._kept(entry.statement_id)
        if kept is not None and kept.entry.raw != entry.entry.raw:
            held.add(kept)
        charge = held.charge(entry) or cosigned_early(entry, self._policy)
        newest = self._memory.newest() if charge is not None else None
        if newest is not None:
            charge = taken_back(entry, *newest) or charge
        if charge is None and not is_ours:
            charge = held.charge_signatures(entry)
        self._bring(charge or held.left_out(entry))
        held.add(entry)

    def check_signatures(self, entry: Recorded, keys: dict[str, PublicKey]) -> None:
        """See whether an entry bears a wrong signature of one of these keys: its keyid certifies each."""
        held = self._holding()
        if held is not None:
            self._bring(held.charge_signatures(entry, keys))

    def check_misplaced(self, raw: bytes, receipt: bytes) -> None:
        """See whether bytes that a receipt proves to be in the log are not an entry, or the entry of another place."""
        if self._holding() is None:
            return
        try:
            opened, _ = open_receipt(receipt, raw, self._policy)
        except LedgerError:
            return
        try:
            is_there = parse_entry(raw).index == opened.index
        except FormatError:
            is_there = False
        if not is_there:
            detail = f"it recorded as entry {opened.index} what is none, or stands elsewhere by its own word"
            self._bring(Charge("unlawful-entry", detail, [(raw, receipt)], index=opened.index))

    # Histories

    async def check_histories(self) -> None:
        """Hold every signed history that is kept, and every other signed word, against every entry that is kept."""
        if self._vault is None:
            return
        entries = await asyncio.to_thread(self._entries, self._vault)
        held = self._held = self._fresh()
        for entry in entries:
            self._bring(held.charge(entry) or held.charge_signatures(entry))
            held.add(entry)
        for history in held.histories():
            self._bring(charge_left_out(history, entries))
        heads = charge_fork(entries, held.words)
        if heads is not None:
            proof = prove_fork(self._origin, *heads, None, self._created())
            raise self._keep(proof, "fork", "it signed two trees of one size")

    # Refusals and promises

    async def check_refusal(self, refusal: Refusal, envelope: Envelope, served: Json, *, is_alone: bool) -> None:
        """See whether a verified refusal contradicts the log, or itself, by what we hold.

        If it is not alone but one of many, what the vault holds is not read again for each.
        """
        held = self._holding()
        if held is None:
            return
        word = Word(REFUSAL_TYPE, refusal.document, served)
        held.hear(word)
        kept = self._kept(envelope.id)
        self._bring(held.charge(kept) if kept is not None else None)
        entries = await self._those_that_matter(word) if is_alone else held.taught
        self._bring(contradict(word, envelope, entries, self._heads(held, entries)))

    def _heads(self, held: Held, entries: Iterable[Recorded]) -> Iterator[tuple[TreeHead, bytes]]:
        """Yield every head that we hold with what was signed of it."""
        newest = self._memory.newest()
        if newest is not None:
            yield newest[0].head, newest[1]
        yield from ((entry.checkpoint.head, parse_receipt(entry.receipt).checkpoint) for entry in entries)
        yield from ((word.head, word.signed) for word in held.words)

    async def take_promise(self, document: Json, envelope: Envelope, *, is_alone: bool) -> Promised:
        """Verify and keep a promise, and return what to raise; raise ReceiptInvalid for a false one.

        `is_alone` as in `check_refusal`.
        """
        payload = (await self._ledger.identity()).open_service(document, PROMISE_TYPE)
        promise = read_promise(payload, envelope.id)
        kept = self._vault.keep_promise(envelope.id, document) if self._vault is not None else None
        held = self._holding()
        if held is not None:
            word = Word(PROMISE_TYPE, payload, document)
            held.hear(word)
            if is_alone:
                await self._those_that_matter(word)
        return Promised(promise.statement_id, promise.deadline_ms, payload, kept)

    async def _those_that_matter(self, word: Word) -> list[Recorded]:
        """Return our entries, if it may be that one of them contradicts a refusal or promise; see whether one is older.

        An honest one is of the log as it stands: then there is no entry behind it, and nothing is read.
        """
        newest = self._memory.newest()
        is_of_the_past = newest is not None and word.size < newest[0].head.size
        if self._vault is None or not (is_of_the_past or word.payload.get("reason") in _SHOWN_BY_ENTRIES):
            return []
        entries = await asyncio.to_thread(self._entries, self._vault)
        for entry in entries:
            self._bring(rolled_back(entry, word))
        return entries

    async def check_promises(self) -> None:
        """See what became of every promise that is kept; raise FraudProven for one that was broken.

        One that was kept gives way to the entry and its receipt. One of which nothing can be told yet is left. Called
        whenever the ledger shows where it stands; nothing is asked twice of a log that has not grown.
        """
        newest = self._memory.newest()
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
            identity = await self._ledger.identity()
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
            recorded = await self._ledger.statement(promise.statement_id)
        except Problem as problem:
            if problem.status != _NOT_FOUND or now_ms <= promise.deadline_ms:
                raise
            await self._prove_omission(promise, document)
            return
        if recorded.entry.time_ms > promise.deadline_ms:
            detail = f"it recorded {promise.statement_id} after the deadline that it had promised"
            self._bring(Charge(_OMISSION, detail, [pair_of(recorded)], [canonical(document)]))
        self._vault.drop_promise(promise.statement_id)

    async def _prove_omission(self, promise: Promise, document: Json) -> None:
        """Ask for the operator's signed word that the statement is not there, and that the deadline has passed.

        An entry tells that it has; where the ledger lets none in, a refusal or another promise that it signed does.
        """
        history = await self._ledger.history([promise.statement_id])
        newest = await self._ledger.entry(history.head.size - 1)
        held = self._holding()
        if history.indexes or held is None:
            return
        heads = [canonical(document), canonical(history.signed)]
        detail = f"it promised to record {promise.statement_id}, and did not"
        if newest.entry.time_ms > promise.deadline_ms:
            self._bring(Charge(_OMISSION, detail, [pair_of(newest)], heads))
        for word in held.words:
            if word.time_ms > promise.deadline_ms and word.size <= history.head.size:
                self._bring(Charge(_OMISSION, detail, heads=[*heads, word.signed]))

    # What is held

    def _holding(self) -> Held | None:
        """Return what is held of this log; None without a vault, and before entry 0 is known."""
        if self._held is None and self._vault is not None and self._vault.created(self._origin) is not None:
            self._held = self._fresh()
        return self._held

    def _fresh(self) -> Held:
        created = self._open(self._created())
        words = self._vault.signed_words() if self._vault is not None else ()
        return Held(created, islice(read_words(words, created.statement_id), MAX_WORDS))

    def _kept(self, statement_id: str) -> Recorded | None:
        pair = self._vault.entry(statement_id) if self._vault is not None else None
        try:
            return self._open(pair) if pair is not None else None
        except LedgerError as error:  # of another log, or damaged: it proves nothing
            _LOG.info("the kept entry of %s is of no use: %s", statement_id, error)
            return None

    def _open(self, pair: tuple[bytes, bytes]) -> Recorded:
        return open_recorded(*pair, self._policy, self._origin)

    def _entries(self, vault: Vault) -> list[Recorded]:
        """Return the entries of this log that the vault keeps, receipts verified, ascending by index; entry 0 first."""
        found = [self._open(self._created())]
        for pair in vault.entries():
            try:
                found.append(self._open(pair))
            except LedgerError as error:  # of another log, or damaged: it proves nothing
                _LOG.info("a kept entry is of no use: %s", error)
        return sorted(found, key=lambda entry: entry.index)

    def _created(self) -> tuple[bytes, bytes]:
        created = self._vault.created(self._origin) if self._vault is not None else None
        if created is None:
            raise AssertionError("what the service key signed was opened by entry 0, which the vault keeps")
        return created

    def _bring(self, charge: Charge | None) -> None:
        """Raise FraudProven for a charge, once its proof is kept."""
        if charge is not None:
            raise self._keep(prove(self._origin, self._created(), charge), charge.kind, charge.detail)

    def _keep(self, proof: dict[str, Json] | None, kind: str, detail: str) -> FraudProven:
        kept = self._vault.keep_evidence(proof) if self._vault is not None and proof is not None else None
        return FraudProven(self._origin, kind, detail, kept)
