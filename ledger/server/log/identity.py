"""Who this log is: its origin and the two keys of the operator's that run on the server, and what they sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.core.checkpoint import TreeHead, sign_checkpoint
from ledger.core.dsse import HISTORY_TYPE, PROMISE_TYPE, REFUSAL_TYPE, Envelope, sign
from ledger.core.encoding import Json
from ledger.core.keys import Signer
from ledger.core.note import ED25519_TYPE, NoteKey


@dataclass(frozen=True)
class Identity:
    """`log_key` signs checkpoints and nothing else; `service_key` signs all else, never checkpoints."""

    origin: str
    log_key: Signer
    service_key: Signer

    @property
    def note_key(self) -> NoteKey:
        """The log's public key as checkpoints name it."""
        return NoteKey(self.origin, ED25519_TYPE, self.log_key.public.raw)

    def checkpoint(self, head: TreeHead) -> bytes:
        """Sign a tree head."""
        return sign_checkpoint(self.origin, head, self.log_key)

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
