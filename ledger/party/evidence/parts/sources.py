"""Where a bundle's entries come from: a ledger that answers, or a mirror when it is gone (docs/bundle.md §2)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from ledger.core.checkpoint import TreeHead
from ledger.core.dsse import HISTORY_TYPE
from ledger.core.encoding import Json, parse_json
from ledger.core.entry import parse_entry
from ledger.core.errors import FormatError, LedgerError
from ledger.core.note import parse_note, parse_vkey
from ledger.core.policy import Policy
from ledger.party.answers.identity import LedgerIdentity, identify
from ledger.party.answers.recorded import open_recorded
from ledger.party.answers.versions import read_statement
from ledger.party.audit.history import History, read_history
from ledger.party.client.reader import LedgerReader
from ledger.party.errors import Problem, ReceiptInvalid
from ledger.party.evidence.parts.errors import EvidenceError, Missing
from ledger.party.evidence.parts.tiles import Tree
from ledger.party.vault.vault import Vault

Progress = Callable[[int, int], None]
"""Told what is done, and how much there is in all, as far as is known."""

_TRIES = 5
_LOG_KEYS = frozenset({"ledger.log_key_added", "ledger.log_key_retired"})
_NOT_FOUND = 404


def no_progress(_done: int, _all: int) -> None:
    """Show nothing."""


class EntrySource(Protocol):
    """One log at one checkpoint, and what tells which of its entries matter."""

    tree: Tree
    histories: list[Json]
    """Signed histories of the listing, at the checkpoint's size."""

    async def concerning(self) -> list[int]:
        """Return the indexes of all entries that concern the listing (docs/format.md §12.3)."""
        ...

    async def index_of(self, statement_id: str) -> int:
        """Return the index of a statement; raise Missing if there is none."""
        ...

    async def keys_of(self, party: str) -> list[int]:
        """Return the indexes of a party's registration and of everything that changed its keys."""
        ...

    async def rules_changes(self) -> list[int]:
        """Return the indexes of every `ledger.rules_changed`, and of changes of the log's keys after entry 0."""
        ...

    async def history_of(self, party: str) -> History | None:
        """Return the signed history of a party at the checkpoint's size, if it can be had."""
        ...


async def ledger_identity(tree: Tree, policy: Policy, origin: str) -> LedgerIdentity:
    """Return which ledger a tree is, from its entry 0; raise ReceiptInvalid."""
    first = await tree.proved(0)
    return identify(open_recorded(first.entry.raw, first.receipt, policy, origin), policy, origin)


@dataclass
class LedgerSource:
    """The ledger that a client speaks with."""

    client: LedgerReader
    identity: LedgerIdentity
    tree: Tree
    histories: list[Json]
    _listed: list[int]

    @classmethod
    async def open(cls, client: LedgerReader, listing: str) -> LedgerSource:
        """Take a checkpoint, and the signed history of the listing at its very size.

        Raises EvidenceError where the log grows faster than it can be asked, and what the client raises.
        """
        identity = await client.identity()
        for _ in range(_TRIES):
            # The history first: the checkpoint that follows is of the same size unless something came in between.
            history = await client.history([listing])
            await client.checkpoint()
            newest = client.remembered()
            if newest is not None and newest[0].head == history.head:
                tree = Tree(newest[1], history.head, lambda path: client.resource(f"/{path}"))
                return cls(client, identity, tree, [history.signed], list(history.indexes))
            await asyncio.sleep(client.backoff_s)
        raise EvidenceError(
            "the ledger grew each time between its history and its checkpoint",
            "try again when it is less busy, or copy it with 'verifier mirror' and give --mirror",
        )

    async def concerning(self) -> list[int]:
        """Return what the operator signed; a bundle says that it is the operator's word."""
        return self._listed

    async def index_of(self, statement_id: str) -> int:
        """Ask for the statement, whose receipt is verified."""
        try:
            return (await self.client.statement(statement_id)).index
        except Problem as problem:
            if problem.status != _NOT_FOUND:
                raise
            raise Missing(
                f"the ledger has recorded no statement {statement_id}", "check the id: 'ledger transfer list'"
            ) from problem

    async def keys_of(self, party: str) -> list[int]:
        """Ask for the party's keys; what the entries say is proved, that there are no more is the operator's word."""
        state = await self.client.party(party)
        found = {state.index} | {key.index for key in state.keys}
        found |= {key.revoked_index for key in state.keys if key.revoked_index is not None}
        return sorted(index for index in found if index < self.tree.head.size)

    async def rules_changes(self) -> list[int]:
        """Look for them among what concerns the operator: all, where the checkpoint's keys are not those of entry 0.

        Otherwise until as many changes of the rules are found as the version in force tells.
        """
        missing = await self.client.rules() - self.identity.created.rules
        rotated = self._is_rotated()
        found: list[int] = []
        if missing > 0 or rotated:
            listed = await self.client.history([self.identity.created.issuer])
            for index in reversed([index for index in listed.indexes if index < self.tree.head.size]):
                kind = _type_of(await self.tree.entry(index))
                missing -= kind == "ledger.rules_changed"
                if kind == "ledger.rules_changed" or (rotated and kind in _LOG_KEYS):
                    found.append(index)
                if missing <= 0 and not rotated:
                    break
        return found

    def _is_rotated(self) -> bool:
        """Tell whether a key of this log that entry 0 does not name signed the checkpoint."""
        named = {parse_vkey(vkey).id for vkey in self.identity.created.log_keys}
        signed = {line.key_id for line in parse_note(self.tree.note).signatures if line.name == self.client.origin}
        return not signed <= named

    async def history_of(self, party: str) -> History | None:
        """Ask for it; where the log has grown since, it is of another size, and none."""
        history = await self.client.history([party])
        return history if history.head == self.tree.head else None


@dataclass
class MirrorSource:
    """A copy of the ledger, made by `verifier mirror`: every entry of it is read, and none left out."""

    tree: Tree
    listing: str
    histories: list[Json] = field(default_factory=list)
    _indexes: dict[str, int] = field(default_factory=dict)
    _keys: dict[str, list[int]] = field(default_factory=dict)
    _rules: list[int] = field(default_factory=list)
    _concerning: list[int] = field(default_factory=list)
    _kept: list[History] = field(default_factory=list)

    @classmethod
    async def open(
        cls,
        directory: Path,
        policy: Policy,
        listing: str,
        *,
        origin: str,
        vault: Vault | None = None,
        progress: Progress = no_progress,
    ) -> MirrorSource:
        """Read a mirror whose checkpoint the policy trusts; histories kept in `vault` are taken if they fit it."""

        async def read(path: str) -> bytes:
            return await asyncio.to_thread((directory / path).read_bytes)

        try:
            note = await read("checkpoint")
            checkpoint = policy.open_checkpoint(note)
        except OSError as error:
            raise Missing(
                f"{directory} holds no checkpoint", "give a directory that 'verifier mirror' has written"
            ) from error
        if checkpoint.origin != origin:
            raise ReceiptInvalid(f"the mirror is of the log {checkpoint.origin}, not of {origin}")
        source = cls(Tree(note, checkpoint.head, read), listing)
        try:
            await source._scan(progress)
        except OSError as error:
            raise Missing(f"the mirror is incomplete: {error}", "run 'verifier mirror' again") from error
        if vault is not None:
            identity = await ledger_identity(source.tree, policy, origin)
            source._kept = kept_histories(vault, identity, checkpoint.head)
            source.histories = [history.signed for history in source._kept if listing in history.subjects]
        return source

    async def concerning(self) -> list[int]:
        """Return those that were found."""
        return self._concerning

    async def index_of(self, statement_id: str) -> int:
        """Look it up."""
        if statement_id not in self._indexes:
            raise Missing(f"the mirror holds no statement {statement_id}", "check the id, or copy the ledger again")
        return self._indexes[statement_id]

    async def keys_of(self, party: str) -> list[int]:
        """Look them up."""
        return self._keys.get(party, [])

    async def rules_changes(self) -> list[int]:
        """Return those that were found."""
        return self._rules

    async def history_of(self, party: str) -> History | None:
        """Look for one in the vault."""
        return next((history for history in self._kept if party in history.subjects), None)

    async def _scan(self, progress: Progress) -> None:
        """Walk once through the log: an entry concerns the listing if it names it, or what concerns it, before."""
        concerned = {self.listing}
        for index in range(self.tree.head.size):
            progress(index, self.tree.head.size)
            envelope = parse_entry(await self.tree.entry(index)).envelope
            self._indexes[envelope.id] = index
            try:
                statement = read_statement(envelope.payload)
            except FormatError as error:
                raise ReceiptInvalid(f"entry {index} holds no statement that we know: {error}") from error
            if statement.type in {"ledger.created", "party.key_added", "party.key_revoked", "party.registered"}:
                self._keys.setdefault(statement.issuer, []).append(index)
            if statement.type in {"ledger.rules_changed", *_LOG_KEYS}:
                self._rules.append(index)
            named = {envelope.id, *statement.named_ids}
            if concerned.intersection(named) or self.listing in statement.mentioned_ids:
                concerned.add(envelope.id)
                self._concerning.append(index)


def kept_histories(vault: Vault, identity: LedgerIdentity, head: TreeHead) -> list[History]:
    """Return the histories in a vault that are signed by the service key at this very tree head."""
    found = []
    for path in sorted((vault.directory / "histories").glob("*.json")):
        try:
            document = parse_json(path.read_bytes())
            payload = identity.open_service(document, HISTORY_TYPE)
            history = read_history(payload, _subjects(payload))
        except (LedgerError, OSError):
            continue  # of another ledger, or damaged: it proves nothing here
        if history.head == head:
            found.append(replace(history, signed=document))
    return found


def _subjects(payload: dict[str, Json]) -> list[str]:
    subjects = payload.get("subjects")
    return subjects if isinstance(subjects, list) else []


def _type_of(raw: bytes) -> str:
    return str(parse_json(parse_entry(raw).envelope.payload)["type"])
