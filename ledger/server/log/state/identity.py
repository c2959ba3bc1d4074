"""Who this log is: its origin, the keys of the operator's that run on the server, and what they sign."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from ledger.core.checkpoint import TreeHead, sign_checkpoint
from ledger.core.dsse import HISTORY_TYPE, PROMISE_TYPE, REFUSAL_TYPE, Envelope, sign
from ledger.core.encoding import Json
from ledger.core.keys import Signer
from ledger.core.note import NoteKey, note_key_of
from ledger.server.log.state.errors import UnavailableError


@dataclass(frozen=True)
class Identity:
    """`log_key` signs checkpoints and nothing else; `service_key` signs all else, never checkpoints.

    `further_keys` are other keys of the log that are at hand. Which of all sign, the ledger's own entries say.
    """

    origin: str
    log_key: Signer
    service_key: Signer
    further_keys: tuple[Signer, ...] = ()

    @property
    def note_key(self) -> NoteKey:
        """The first of the log's public keys as checkpoints name it."""
        return note_key_of(self.origin, self.log_key.public)

    @property
    def note_keys(self) -> list[NoteKey]:
        """All of the log's public keys that are at hand, the first one first."""
        return [note_key_of(self.origin, key.public) for key in (self.log_key, *self.further_keys)]

    @cached_property
    def signers(self) -> dict[str, Signer]:
        """The log's keys that are at hand, by vkey."""
        keys = (self.log_key, *self.further_keys)
        return {note_key_of(self.origin, key.public).vkey(): key for key in keys}

    def require(self, in_force: Collection[str]) -> None:
        """Raise UnavailableError unless every one of these log keys (vkeys) is at hand."""
        missing = [vkey for vkey in in_force if vkey not in self.signers]
        if missing:
            raise UnavailableError(f"the log key {missing[0][:120]} is not at hand: see 'ledger log-key add'")

    def checkpoint(self, head: TreeHead, in_force: Collection[str], time_s: int) -> bytes:
        """Sign a tree head with every log key (vkeys) in force, at a time (Unix seconds); raise UnavailableError."""
        self.require(in_force)
        return sign_checkpoint(self.origin, head, *(self.signers[vkey] for vkey in in_force), time_s=time_s)

    def refusal(self, ledger: str, statement_id: str, reason: str, head: TreeHead, time_ms: int) -> Envelope:
        """Sign that a statement was refused on the log as it stood at `head` (docs/format.md §12.1)."""
        payload = {
            "ledger": ledger,
            "reason": reason,
            "root": head.root.hex(),
            "size": head.size,
            "statement_id": statement_id,
            "time": time_ms,
            "type": "provenance-ledger.refusal/v1",
        }
        return sign(payload, [self.service_key], REFUSAL_TYPE)

    def promise(self, payload: Json) -> Envelope:
        """Sign that a statement will be recorded (docs/format.md §18.1)."""
        return sign(payload, [self.service_key], PROMISE_TYPE)

    def history(self, ledger: str, subjects: Sequence[str], indexes: Sequence[int], head: TreeHead) -> Envelope:
        """Sign that `indexes` are all entries below `head.size` that concern the subjects (docs/format.md §12.2)."""
        payload = {
            "indexes": list(indexes),
            "ledger": ledger,
            "root": head.root.hex(),
            "size": head.size,
            "subjects": sorted(subjects),
            "type": "provenance-ledger.history/v1",
        }
        return sign(payload, [self.service_key], HISTORY_TYPE)
