"""Which ledger this is: entry 0, and what it says about keys (docs/format.md §6.1)."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.core.dsse import Envelope, read_envelope
from ledger.core.encoding import Json, parse_canonical
from ledger.core.errors import FormatError
from ledger.core.keys import PublicKey
from ledger.core.policy import Policy
from ledger.party.answers.recorded import Recorded
from ledger.party.errors import ReceiptInvalid
from ledger.registry.acceptance import Candidate, accept
from ledger.registry.facts import View
from ledger.registry.refusal import Refused
from ledger.statements.ledger import LedgerCreated


@dataclass(frozen=True)
class LedgerIdentity:
    """A ledger: its id, and the verified statement that made it."""

    id: str
    created: LedgerCreated

    @property
    def service_key(self) -> PublicKey:
        """The key that signs refusals and histories."""
        return self.created.service_key.key

    def open_service(self, document: Json, payload_type: str) -> dict[str, Json]:
        """Return the payload that the service key signed (docs/format.md §12); raise ReceiptInvalid."""
        try:
            envelope = read_envelope(document, payload_type)
            payload = parse_canonical(envelope.payload)
        except FormatError as error:
            raise ReceiptInvalid(f"what the service key should have signed is malformed: {error}") from error
        key = self.service_key
        signature = dict(envelope.signatures).get(key.keyid, b"")
        if len(envelope.signatures) != 1 or not key.verify(envelope.signed_bytes, signature):
            raise ReceiptInvalid("not signed by the ledger's service key")
        if not isinstance(payload, dict) or payload.get("ledger") != self.id:
            raise ReceiptInvalid("the service key signed this for another ledger")
        return payload


def identify(recorded: Recorded, policy: Policy, origin: str) -> LedgerIdentity:
    """Return the ledger that entry 0 makes.

    Raises ReceiptInvalid unless it is a good `ledger.created` of this origin that names the policy's log key.
    """
    statement = recorded.statement
    if recorded.index != 0 or not isinstance(statement, LedgerCreated) or statement.origin != origin:
        raise ReceiptInvalid(f"entry 0 is not a ledger.created of {origin}")
    named = {key.raw for key in statement.log_public_keys}
    if not any(key.raw in named for key in policy.log_keys(origin)):
        raise ReceiptInvalid(
            "entry 0 names no log key of the policy; after a rotation, keep the first key's line beside the new"
        )
    envelope = recorded.entry.envelope
    keys = {keyid: key for keyid, (key, _) in statement.introduced.items()}
    candidate = Candidate(statement, envelope, wrong_signatures(envelope, keys))
    try:
        accept(View(), candidate, 0, recorded.entry.time_ms, _no_root)
    except Refused as error:
        raise ReceiptInvalid(f"entry 0 had to be refused: {error}") from error
    return LedgerIdentity(envelope.id, statement)


def wrong_signatures(envelope: Envelope, keys: dict[str, PublicKey]) -> list[str]:
    """Return the keyids among `keys` whose signature in the envelope does not verify."""
    return [
        keyid
        for keyid, signature in envelope.signatures
        if keyid in keys and not keys[keyid].verify(envelope.signed_bytes, signature)
    ]


def _no_root(size: int) -> bytes:
    raise AssertionError(f"entry 0 has seen nothing, let alone a tree of size {size}")
