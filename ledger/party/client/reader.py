"""What a ledger shows and says, read and not believed: `LedgerReader`, which says nothing of its own.

Every receipt is verified against the policy, every entry compared with what was asked for, every tree head checked
against the newest one remembered, before anything is returned. What comes back as a `State` or a list is the operator's
word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self, TypeVar

from ledger.core.checkpoint import Checkpoint, TreeHead
from ledger.core.dsse import HISTORY_TYPE
from ledger.core.encoding import Json, b64decode, canonical
from ledger.core.errors import FormatError
from ledger.core.keys import PublicKey, Signer
from ledger.core.merkle import Node
from ledger.core.policy import Policy
from ledger.core.receipt import parse_receipt
from ledger.core.tiles import TILE_HEIGHT, TILE_WIDTH, Tile, format_tile_path, node_in_tile, tile_of
from ledger.party.answers.identity import LedgerIdentity, identify
from ledger.party.answers.recorded import Recorded, open_recorded
from ledger.party.answers.replies import (
    ClaimState,
    ConsistencyReply,
    FindingsPage,
    LicenseState,
    ListingState,
    Page,
    PartyState,
    RecordedReply,
    Reply,
    RulesReply,
    TransferState,
    read_reply,
)
from ledger.party.answers.transport import Query, Transport, segment
from ledger.party.audit.audit import Audit
from ledger.party.audit.history import History, read_history
from ledger.party.audit.memory import Memory
from ledger.party.errors import Problem, ReceiptInvalid, ReplyInvalid, Unfit
from ledger.party.vault.disclosures import Disclosure
from ledger.party.vault.vault import Vault
from ledger.statements.parse import NEWEST_RULES

_NOT_FOUND = 404
_ItemT = TypeVar("_ItemT", bound=Reply)


class LedgerReader:
    """One ledger, as its policy's log; an async context manager.

    Without a vault nothing is kept: checkpoints are remembered as long as this object lives.
    """

    def __init__(
        self,
        url: str,
        policy: Policy,
        vault: Vault | None = None,
        *,
        origin: str | None = None,
        backoff_s: float = 0.5,
        mirrors: Sequence[str] = (),
    ) -> None:
        """`origin` picks one of several logs in `policy`; `backoff_s` is the first wait when the ledger is busy.

        Where the ledger does not answer, `mirrors` (URLs) are asked for what a mirror can prove; what they show is
        checked against what the ledger has shown, and the other way round.
        """
        self.policy = policy
        self.origin = origin if origin is not None else _only_origin(policy)
        self.backoff_s = backoff_s
        self._vault = vault
        self._transport = Transport(url, backoff_s=backoff_s, mirrors=mirrors)
        self._memory = Memory(policy, self.origin, self.consistency, self.node, vault)
        self._audit = Audit(self, self._memory, policy, self.origin, vault)
        self._identity: LedgerIdentity | None = None

    async def __aenter__(self) -> Self:
        """Open connections."""
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close connections."""
        await self._transport.__aexit__(kind, error, trace)

    # Which ledger, and what it has shown

    async def identity(self) -> LedgerIdentity:
        """Return the ledger's id and keys, from entry 0 with its verified receipt; fetched once per vault."""
        if self._identity is None:
            kept = self._vault.created(self.origin) if self._vault is not None else None
            if kept is not None:
                recorded = open_recorded(*kept, self.policy, self.origin)
            else:
                recorded = await self._recorded("/v1/entries/0")
            self._identity = identify(recorded, self.policy, self.origin)
            if self._vault is not None and kept is None:
                self._vault.keep_created(self.origin, recorded.entry.raw, recorded.receipt)
        return self._identity

    async def checkpoint(self) -> Checkpoint:
        """Return the newest checkpoint, verified and consistent with all before; see that promises were kept.

        Raises ForkDetected, FraudProven.
        """
        checkpoint = await self._memory.remember(await self._transport.get("/checkpoint"))
        await self._audit.check_promises()
        return checkpoint

    async def seen(self) -> TreeHead:
        """Return the newest verified tree head, for a statement's `seen`."""
        await self.checkpoint()
        newest = self._memory.newest()
        if newest is None:
            raise AssertionError("a checkpoint was just remembered")
        return newest[0].head

    def remembered(self) -> tuple[Checkpoint, bytes] | None:
        """Return the newest verified checkpoint that was shown, and its signed bytes; asks nobody."""
        return self._memory.newest()

    async def check_promises(self) -> None:
        """See what became of the promises that the vault holds; raise FraudProven for one that was broken."""
        await self._audit.check_promises()

    async def check_seen(self, head: TreeHead, signed: bytes) -> None:
        """Raise ForkDetected unless a tree head that somebody else saw is part of the log that we see.

        `signed` is what says so, and becomes the evidence.
        """
        newest = await self.seen()
        if head.size > newest.size:
            raise Unfit(f"it refers to a log of {head.size} entries; this ledger has {newest.size}")
        await self._memory.check(head, signed)

    async def consistency(self, old_size: int, new_size: int) -> list[bytes]:
        """Return the consistency path between two sizes, unverified."""
        query = [("from", str(old_size)), ("to", str(new_size))]
        return _hashes(read_reply(ConsistencyReply, await self._transport.get_json("/v1/consistency", query)).path)

    async def resource(self, path: str) -> bytes:
        """Return a file of the public log (docs/format.md §10) such as `/tile/0/000`, unverified."""
        return await self._transport.get(path)

    async def node(self, node: Node, size: int) -> bytes:
        """Return a node of the tree of `size`, by its tile, unverified; raise IndexError for a short tile."""
        level, position = tile_of(node)
        width = min(TILE_WIDTH, (size >> (TILE_HEIGHT * level)) - TILE_WIDTH * position)
        return node_in_tile(node, await self.resource(f"/tile/{format_tile_path(Tile(level, position, width))}"))

    async def keep(self, results: Sequence[Recorded]) -> list[Recorded]:
        """Keep what we rely on, our own entries and those of others: the operator may be gone when it matters."""
        if self._vault is None or not results:
            return list(results)
        items = [(item.statement_id, item.entry.raw, item.receipt) for item in results]
        paths = await asyncio.to_thread(self._vault.keep_entries, items)
        return [replace(item, kept=path) for item, path in zip(results, paths, strict=True)]

    async def keep_disclosures(
        self, key: Signer, others: Sequence[PublicKey], disclosures: Sequence[Disclosure]
    ) -> None:
        """Keep what opens sealed places, before they are sent; `others` of the party's keys can open it too.

        Raises Unfit without a vault.
        """
        if not disclosures:
            return
        vault = self._vault
        if vault is None:
            raise Unfit("there is no vault to keep what would open the sealed places")
        await asyncio.to_thread(lambda: vault.locker(key, others).keep(disclosures))

    # What was recorded, proved

    async def entry(self, index: int) -> Recorded:
        """Return an entry with its verified receipt."""
        recorded = await self._recorded(f"/v1/entries/{index}")
        if recorded.index != index:
            raise ReceiptInvalid(f"asked for entry {index}, got entry {recorded.index}")
        return recorded

    async def statement(self, statement_id: str) -> Recorded:
        """Return the entry of a statement with its verified receipt."""
        recorded = await self._recorded(f"/v1/statements/{segment(statement_id)}")
        if recorded.statement_id != statement_id:
            raise ReceiptInvalid(f"asked for the statement {statement_id}, got {recorded.statement_id}")
        return recorded

    async def history(self, subjects: Sequence[str]) -> History:
        """Return every entry that concerns the subjects, by the operator's signed word; it is kept in the vault."""
        identity = await self.identity()
        wanted = sorted(set(subjects))
        document = await self._transport.get_json("/v1/history", [("subject", subject) for subject in wanted])
        history = read_history(identity.open_service(document, HISTORY_TYPE), wanted)
        await self.checkpoint()
        await self._memory.check(history.head, canonical(document))
        kept = self._vault.keep_history(document) if self._vault is not None else None
        history = replace(history, signed=document, kept=kept)
        await self._audit.check_histories()
        return history

    # What the operator says. Where it says it of a shorter log than before, that is noticed.

    async def party(self, name: str) -> PartyState:
        """Return a party and its keys, by the operator's word."""
        return await self._state(PartyState, "parties", name)

    async def public_keys(self, names: Iterable[str]) -> dict[str, PublicKey]:
        """Return the parties' keys. The operator cannot substitute one: a keyid is the hash of its key (§3.2)."""
        try:
            return {state.keyid: state.key for name in names for state in (await self.party(name)).keys}
        except FormatError as error:
            raise ReplyInvalid(f"the ledger names a key that is none: {error}") from error

    async def listing(self, statement_id: str) -> ListingState:
        """Return a listing, by the operator's word."""
        return await self._state(ListingState, "listings", statement_id)

    async def license(self, statement_id: str) -> LicenseState:
        """Return a license, by the operator's word."""
        return await self._state(LicenseState, "licenses", statement_id)

    async def transfer(self, statement_id: str) -> TransferState:
        """Return a hand-off, by the operator's word."""
        return await self._state(TransferState, "transfers", statement_id)

    async def listings(self, query: Query = ()) -> Page[ListingState]:
        """Return a page of listings; `query`: party, cursor, limit."""
        return read_reply(Page[ListingState], await self.said("/v1/listings", query))

    async def licenses(self, query: Query = ()) -> Page[LicenseState]:
        """Return a page of licenses; `query`: party, cursor, limit."""
        return read_reply(Page[LicenseState], await self.said("/v1/licenses", query))

    async def transfers(self, query: Query = ()) -> Page[TransferState]:
        """Return a page of hand-offs; `query`: party, cursor, limit."""
        return read_reply(Page[TransferState], await self.said("/v1/transfers", query))

    async def claim(self, statement_id: str) -> ClaimState:
        """Return a claim, by the operator's word."""
        return await self._state(ClaimState, "claims", statement_id)

    async def claims(self, query: Query = ()) -> Page[ClaimState]:
        """Return a page of claims; `query`: party, cursor, limit."""
        return read_reply(Page[ClaimState], await self.said("/v1/claims", query))

    async def findings(self, query: Query = ()) -> FindingsPage:
        """Return what parties did wrong, by the operator's judgement; `query`: party, cursor, limit.

        A verifier's replay finds the same, and believes nobody.
        """
        return read_reply(FindingsPage, await self.said("/v1/findings", query))

    async def rules(self) -> int:
        """Return the version of the rules that statements are made under now.

        A ledger that began under the newest version says so in entry 0; of an older one, it is the
        operator's word: were it false, the ledger would refuse what we say.
        """
        begun = (await self.identity()).created.rules
        if begun >= NEWEST_RULES:
            return begun
        try:
            return read_reply(RulesReply, await self.said("/v1/rules")).rules
        except Problem as problem:
            if problem.status != _NOT_FOUND:
                raise
            return begun  # software that knows one version only has no such call

    async def _state(self, model: type[_ItemT], kind: str, name: str) -> _ItemT:
        return read_reply(model, await self.said(f"/v1/{kind}/{segment(name)}"))

    async def said(self, path: str, query: Query = ()) -> Json:
        """Return an answer by the operator's word, of a log that is not shorter than the one it showed us before.

        Where it is shorter, its checkpoint tells whether the log was rolled back: raises what `checkpoint` raises, and
        ReplyInvalid where the log may be sound and the answer is old.
        """
        before = self._memory.newest()
        document = await self._transport.get_json(path, query)
        size = document.get("size") if isinstance(document, dict) else None
        if before is not None and isinstance(size, int) and size < before[0].head.size:
            await self.checkpoint()
            raise ReplyInvalid(f"the ledger answers of {size} entries; it showed {before[0].head.size} before")
        return document

    async def _recorded(self, path: str) -> Recorded:
        recorded = self.open(read_reply(RecordedReply, await self._transport.get_json(path)))
        self._audit.check_entry(recorded)
        await self._memory.remember(parse_receipt(recorded.receipt).checkpoint)
        kept = (await self.keep([recorded]))[0]
        await self._audit.check_promises()
        return kept

    def open(self, reply: RecordedReply) -> Recorded:
        """Return the entry of an answer; raise ReplyInvalid, ReceiptInvalid, or QuorumError where witnesses lack."""
        try:
            raw = b64decode(reply.entry, "/entry")
        except FormatError as error:
            raise ReplyInvalid(f"the ledger's answer cannot be understood: {error}") from error
        try:
            recorded = open_recorded(raw, reply.receipt.encode(), self.policy, self.origin)
        except ReceiptInvalid:
            self._audit.check_misplaced(raw, reply.receipt.encode())
            raise
        if (recorded.statement_id, recorded.index) != (reply.statement_id, reply.index):
            raise ReceiptInvalid("the answer names another entry than the one that it proves")
        return replace(recorded, state=reply.state)


def _only_origin(policy: Policy) -> str:
    origins = {key.name for key in policy.logs}
    if len(origins) != 1:
        raise Unfit(f"the policy trusts {len(origins)} logs; say which one is meant")
    return origins.pop()


def _hashes(texts: Sequence[str]) -> list[bytes]:
    try:
        return [b64decode(text, "/path") for text in texts]
    except FormatError as error:
        raise ReplyInvalid(f"the ledger's answer cannot be understood: {error}") from error
