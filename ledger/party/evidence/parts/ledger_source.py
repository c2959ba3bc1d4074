"""A bundle's entries from a ledger that answers: it shows what it likes, and of what it shows nothing is believed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ledger.core.encoding import Json, parse_json
from ledger.core.entry import parse_entry
from ledger.core.note import parse_note, parse_vkey
from ledger.party.answers.identity import LedgerIdentity
from ledger.party.audit.history import History
from ledger.party.client.reader import LedgerReader
from ledger.party.errors import Problem
from ledger.party.evidence.parts.errors import EvidenceError, Missing, TooLarge
from ledger.party.evidence.parts.sources import (
    CASE_ONLY,
    LOG_KEYS,
    MAX_ENTRIES,
    MAX_LISTED,
    statement_of,
    without_crowds,
)
from ledger.party.evidence.parts.tiles import Tree
from ledger.registry.concerning import PARTIES_ONLY, Followed

_TRIES = 5
_NOT_FOUND = 404
_MAX_READ = 10_000
"""Entries about a license that are read for the amendments among them."""


@dataclass
class LedgerSource:
    """The ledger that a client speaks with."""

    client: LedgerReader
    identity: LedgerIdentity
    tree: Tree
    listing: str
    histories: list[Json]
    _listed: list[int]

    @classmethod
    async def open(cls, client: LedgerReader, listing: str, *, case_only: bool = False) -> LedgerSource:
        """Take a checkpoint, and the signed history of the listing at its very size; with `case_only`, none.

        Raises EvidenceError where the log grows faster than it can be asked, and what the client raises.
        """
        identity = await client.identity()
        if case_only:
            head = (await client.checkpoint()).head
            newest = client.remembered()
            assert newest is not None and newest[0].head.size >= head.size  # noqa: S101, PT018 (it was just remembered)
            tree = Tree(newest[1], newest[0].head, lambda path: client.resource(f"/{path}"))
            return cls(client, identity, tree, listing, [], [])
        for _ in range(_TRIES):
            # The history first: the checkpoint that follows is of the same size unless something came in between.
            history = await client.history([listing])
            await client.checkpoint()
            newest = client.remembered()
            if newest is not None and newest[0].head == history.head:
                tree = Tree(newest[1], history.head, lambda path: client.resource(f"/{path}"))
                fits = len(history.indexes) <= MAX_LISTED
                return cls(client, identity, tree, listing, [history.signed] if fits else [], list(history.indexes))
            await asyncio.sleep(client.backoff_s)
        raise EvidenceError(
            "the ledger grew each time between its history and its checkpoint",
            "try again when it is less busy, or copy it with 'verifier mirror' and give --mirror",
        )

    async def concerning(self) -> list[int]:
        """Return what the operator signed; a bundle says that it is the operator's word."""
        if len(self._listed) > MAX_ENTRIES:
            raise TooLarge(f"{len(self._listed):,} entries concern the listing", CASE_ONLY)
        own = []
        followed = Followed(self.listing)
        for index in self._listed:
            entry = await self.tree.parsed(index)
            if followed.take(statement_of(entry), entry.envelope.id, PARTIES_ONLY):
                own.append(index)
        return without_crowds(self._listed, own)

    async def changes(self, kind: str, statement_id: str) -> list[int]:
        """Ask for the state of the thing, and of a license for its history, if that is not drowned."""
        found: list[int | None] = []
        match kind:
            case "listing.registered":
                listing = await self.client.listing(statement_id)
                found = [listing.changed_index, listing.withdrawn_index]
            case "license.agreed":
                agreed = await self.client.license(statement_id)
                found = [agreed.terms_index, agreed.bound_index, agreed.consent_index, agreed.ended_index]
                found += await self._of_type(statement_id, "license.amended")
            case "transfer.offered":
                found = [(await self.client.transfer(statement_id)).decided_index]
            case "transfer.prepared":
                found = list(await self._of_type(statement_id, "transfer.requested"))
            case "claim.opened":
                claim = await self.client.claim(statement_id)
                found = [claim.answered_index, claim.determined_index]
        return [index for index in found if index is not None and index < self.tree.head.size]

    async def _of_type(self, name: str, kind: str) -> list[int]:
        """Return every entry of a type that names a thing; none where more was said of it than is worth reading."""
        listed = [index for index in (await self.client.history([name])).indexes if index < self.tree.head.size]
        if len(listed) > _MAX_READ:
            return []
        return [index for index in listed if _type_of(await self.tree.entry(index)) == kind]

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

    async def keys_of(self, party: str) -> dict[str, list[int]]:
        """Ask for the party's keys; what the entries say is proved, that there are no more is the operator's word."""
        state, size = await self.client.party(party), self.tree.head.size
        told = {key.keyid: (key.index, key.revoked_index) for key in state.keys} | {"": (state.index, None)}
        return {keyid: [at for at in found if at is not None and at < size] for keyid, found in told.items()}

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
                if kind == "ledger.rules_changed" or (rotated and kind in LOG_KEYS):
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


def _type_of(raw: bytes) -> str:
    return str(parse_json(parse_entry(raw).envelope.payload)["type"])
