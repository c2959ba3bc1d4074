"""Who signed an entry: keys of its issuer, walked back to the entry that registered it (docs/format.md §6.1–6.4).

The operator says where a key was registered. Whether it was is read from the entries themselves, each with its receipt.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ledger.core.dsse import Envelope
from ledger.core.keys import PublicKey
from ledger.party.answers.identity import wrong_signatures
from ledger.party.answers.recorded import Recorded
from ledger.party.answers.replies import PartyState
from ledger.party.client.reader import LedgerReader
from ledger.party.errors import ReceiptInvalid
from ledger.statements import version_1
from ledger.statements.common import OnLedger
from ledger.statements.ledger import LedgerCreated
from ledger.statements.party import RECOVERY, SIGNING, PartyKeyAdded, PartyRegistered

MAX_DEPTH = 32
"""How many key statements may stand between a key and the registration of its party."""


async def check_speaker(reader: LedgerReader, recorded: Recorded) -> None:
    """Raise ReceiptInvalid unless signing keys of the issuer signed the entry (see `LedgerClient.check_speaker`)."""
    name = recorded.statement.issuer
    walk = _Walk(reader, await reader.party(name), (await reader.identity()).id)
    walk.check_ledger(recorded)
    keys = {}
    for keyid in recorded.statement.signers:
        if walk.claims(keyid):
            vouched = await walk.key(keyid, recorded.index)
            if vouched.use == SIGNING:
                keys[keyid] = vouched.public
    if not keys or _unsigned(recorded.entry.envelope, keys):
        raise ReceiptInvalid(f"entry {recorded.index} speaks for {name}, but no registered key of it signed")
    walk.check_algorithms(keys.values(), SIGNING, recorded.index)


@dataclass(frozen=True)
class _Vouched:
    public: PublicKey
    use: str


class _Walk:
    """Finds where keys of one party come from, by the operator's list of them; fetches each entry once."""

    def __init__(self, reader: LedgerReader, party: PartyState, ledger: str) -> None:
        self._reader = reader
        self._party = party
        self._ledger = ledger
        self._claimed = {state.keyid: state for state in party.keys}
        self._found: dict[str, _Vouched] = {}

    def claims(self, keyid: str) -> bool:
        """Tell whether the operator says that this is a key of the party."""
        return keyid in self._claimed

    def check_algorithms(self, signed: Iterable[PublicKey], use: str, index: int) -> None:
        """Raise ReceiptInvalid unless a key of each algorithm signed of which the party had a key of this use then.

        That the operator's list of its keys is whole, only a replay tells.
        """
        had = {
            state.alg
            for state in self._claimed.values()
            if state.use == use
            and state.index < index
            and (state.revoked_index is None or state.revoked_index >= index)
        }
        if lacking := had - {key.alg for key in signed}:
            name, which = self._party.name, " and ".join(sorted(lacking))
            raise ReceiptInvalid(f"entry {index} speaks for {name}, but none of its {use} keys of {which} signed")

    def check_ledger(self, recorded: Recorded) -> None:
        """Raise ReceiptInvalid for a statement that its signers made on another ledger."""
        statement = recorded.statement
        if (statement.ledger if isinstance(statement, OnLedger) else recorded.statement_id) != self._ledger:
            raise ReceiptInvalid(f"entry {recorded.index} holds a statement of another ledger")

    async def key(self, keyid: str, before: int, depth: int = MAX_DEPTH) -> _Vouched:
        """Return a key that was the party's when entry `before` was recorded; raise ReceiptInvalid."""
        state = self._claimed.get(keyid)
        if state is None or state.index >= before:
            raise self._false(keyid, f"it was not registered before entry {before}")
        if state.revoked_index is not None and state.revoked_index < before:
            raise self._false(keyid, f"it was revoked by entry {state.revoked_index}, before entry {before}")
        if keyid not in self._found:
            if not depth:
                raise self._false(keyid, f"more than {MAX_DEPTH} entries stand between it and the registration")
            registration = await self._reader.entry(state.index)
            self._found[keyid] = await self._introduced(keyid, registration, depth)
        return self._found[keyid]

    async def _introduced(self, keyid: str, registration: Recorded, depth: int) -> _Vouched:
        """Return the key as its entry introduces it, once everybody signed that who must."""
        statement, index = registration.statement, registration.index
        self.check_ledger(registration)
        if statement.issuer != self._party.name or keyid not in statement.introduced:
            raise self._false(keyid, f"entry {index} does not register it")
        keys = {item: public for item, (public, _) in statement.introduced.items()}
        if isinstance(statement, PartyKeyAdded):
            vouching = [item for item in statement.signers if item != keyid]
            for item in vouching:
                other = await self.key(item, index, depth - 1)
                if other.use != RECOVERY:
                    raise self._false(keyid, f"{item}, which vouches for it in entry {index}, is not a recovery key")
                keys[item] = other.public
            if not vouching:
                raise self._false(keyid, f"no recovery key vouches for it in entry {index}")
            self.check_algorithms([keys[item] for item in vouching], RECOVERY, index)
        elif (
            not isinstance(statement, PartyRegistered | version_1.PartyRegistered | LedgerCreated)
            or index != self._party.index
        ):
            raise self._false(keyid, f"entry {index} is not the registration of the party")
        # Where the operator admits parties, it countersigns; whether it did proves nothing to who doubts the operator.
        if _unsigned(registration.entry.envelope, keys):
            raise self._false(keyid, f"entry {index} lacks a signature that it needs, or holds a wrong one")
        public, use = statement.introduced[keyid]
        return _Vouched(public, use)

    def _false(self, keyid: str, why: str) -> ReceiptInvalid:
        return ReceiptInvalid(f"{keyid} is not a registered key of {self._party.name}: {why}")


def _unsigned(envelope: Envelope, keys: dict[str, PublicKey]) -> bool:
    """Tell whether one of `keys` did not sign."""
    return not keys.keys() <= dict(envelope.signatures).keys() or bool(wrong_signatures(envelope, keys))
