"""A bundle's entries from a mirror, when the ledger is gone: every entry of it is read, and none left out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path

from ledger.core.checkpoint import TreeHead
from ledger.core.dsse import HISTORY_TYPE
from ledger.core.encoding import Json, parse_json
from ledger.core.errors import LedgerError
from ledger.core.policy import Policy
from ledger.party.answers.identity import LedgerIdentity
from ledger.party.audit.history import History, read_history
from ledger.party.errors import ReceiptInvalid
from ledger.party.evidence.parts.errors import Missing
from ledger.party.evidence.parts.sources import (
    LOG_KEYS,
    MAX_LISTED,
    Progress,
    ledger_identity,
    no_progress,
    statement_of,
    without_crowds,
)
from ledger.party.evidence.parts.tiles import Tree
from ledger.party.vault.vault import Vault
from ledger.registry.concerning import PARTIES_ONLY, Followed
from ledger.statements import version_1 as v1
from ledger.statements.common import Statement
from ledger.statements.ledger import LedgerCreated
from ledger.statements.party import PartyKeyAdded, PartyKeyRevoked, PartyRegistered

_CHANGED = {
    **dict.fromkeys(("listing.amended", "listing.withdrawn", "classification.changed"), "listing"),
    **dict.fromkeys(("license.amended", "license.ended"), "license"),
    **dict.fromkeys(("transfer.acknowledged", "transfer.refused"), "transfer"),
    **dict.fromkeys(("claim.answered", "claim.determined"), "claim"),
    "transfer.requested": "prepared",
}
"""Types that change what they name, and the field that names it."""


@dataclass
class MirrorSource:
    """A copy of the ledger, made by `verifier mirror`: every entry of it is read, and none left out."""

    tree: Tree
    listing: str
    histories: list[Json] = field(default_factory=list)
    _indexes: dict[str, int] = field(default_factory=dict)
    _keys: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    _changes: dict[str, list[int]] = field(default_factory=dict)
    _rules: list[int] = field(default_factory=list)
    _listed: list[int] = field(default_factory=list)
    _own: list[int] = field(default_factory=list)
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
        return without_crowds(self._listed, self._own)

    async def changes(self, kind: str, statement_id: str) -> list[int]:  # noqa: ARG002 (a mirror knows them by the id)
        """Return those that were found."""
        return self._changes.get(statement_id, [])

    async def index_of(self, statement_id: str) -> int:
        """Look it up."""
        if statement_id not in self._indexes:
            raise Missing(f"the mirror holds no statement {statement_id}", "check the id, or copy the ledger again")
        return self._indexes[statement_id]

    async def keys_of(self, party: str) -> dict[str, list[int]]:
        """Look them up."""
        return self._keys.get(party, {})

    async def rules_changes(self) -> list[int]:
        """Return those that were found."""
        return self._rules

    async def history_of(self, party: str) -> History | None:
        """Look for one in the vault."""
        return next((history for history in self._kept if party in history.subjects), None)

    async def _scan(self, progress: Progress) -> None:
        """Walk once through the log."""
        listed, own = [], []
        followed, by_parties = Followed(self.listing), Followed(self.listing)
        for index in range(self.tree.head.size):
            progress(index, self.tree.head.size)
            entry = await self.tree.parsed(index)
            envelope = entry.envelope
            self._indexes[envelope.id] = index
            statement = statement_of(entry)
            for keyid in _changed_keys(statement):
                self._keys.setdefault(statement.issuer, {}).setdefault(keyid, []).append(index)
            if (changed := _CHANGED.get(statement.type)) is not None:
                self._changes.setdefault(getattr(statement, changed), []).append(index)
            if statement.type in {"ledger.rules_changed", *LOG_KEYS}:
                self._rules.append(index)
            if followed.take(statement, envelope.id, PARTIES_ONLY - 1):
                listed.append(index)
            if by_parties.take(statement, envelope.id, PARTIES_ONLY):
                own.append(index)
        self._listed, self._own = listed, own


def _changed_keys(statement: Statement) -> list[str]:
    """Return the keyids that a statement adds or revokes, and the empty one if it registers its issuer."""
    match statement:
        case LedgerCreated() | PartyRegistered() | v1.PartyRegistered():
            return [*statement.introduced, ""]
        case PartyKeyAdded():
            return list(statement.introduced)
        case PartyKeyRevoked() | v1.PartyKeyRevoked():
            return [statement.keyid]
    return []


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
        if history.head == head and len(history.indexes) <= MAX_LISTED:
            found.append(replace(history, signed=document))
    return found


def _subjects(payload: dict[str, Json]) -> list[str]:
    subjects = payload.get("subjects")
    return subjects if isinstance(subjects, list) else []
