"""Becoming a party, and changing one's keys (docs/statements.md §2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ledger.core.checkpoint import TreeHead
from ledger.core.encoding import Json
from ledger.core.keys import Signer
from ledger.party.answers.identity import wrong_signatures
from ledger.party.answers.recorded import Recorded
from ledger.party.client.client import LedgerClient
from ledger.party.errors import Problem, ReceiptInvalid, Unfit
from ledger.party.keys.certificates import Certified
from ledger.party.speaking.composing import DRAFT_LIFETIME_MS, Frame, sign_statement
from ledger.party.speaking.countersigning import likely_keyids
from ledger.party.speaking.drafts import Draft, new_draft
from ledger.party.speaking.speaker import Clock
from ledger.party.vault.sealing import Opening
from ledger.statements import version_1
from ledger.statements.party import PartyRegistered

AnyRegistration = PartyRegistered | version_1.PartyRegistered

_NOT_FOUND = 404


@dataclass(frozen=True)
class Claimed:
    """What a party says of itself beside its name (docs/statements.md §2), and which of it is `seal`ed: all optional.

    A party that says nothing is pseudonymous. `said` has the members of `identity` but the certificates.
    """

    said: Mapping[str, Json] = field(default_factory=dict)
    certified: Certified | None = None
    seal: Collection[str] = ()

    def identity(self, frame: Frame, keys: Sequence[Signer]) -> dict[str, Json] | None:
        """Return the field `identity` of a registration with these signing keys; None where nothing is said."""
        if self.certified is None:
            return dict(self.said) or None
        self.certified.check_valid(frame.issued_ms)
        evidence = self.certified.evidence(frame.ledger, frame.issuer, [key.public.keyid for key in keys])
        return {**self.said, "certificates": evidence}


NOTHING_CLAIMED = Claimed()


@dataclass(frozen=True)
class Lasting:
    """The ML-DSA-44 keys that a new party has beside its Ed25519 keys: breaking one algorithm then forges nothing.

    Both uses or none: with recovery keys of Ed25519 alone, whoever breaks that replaces the other keys.
    """

    key: Signer
    recovery_key: Signer


@dataclass(frozen=True)
class _Keys:
    """The keys of a new party."""

    signing: list[Signer]
    recovery: list[Signer]

    @classmethod
    def of(cls, key: Signer, recovery_key: Signer, lasting: Lasting | None) -> _Keys:
        if lasting is None:
            return cls([key], [recovery_key])
        return cls([key, lasting.key], [recovery_key, lasting.recovery_key])

    @property
    def all(self) -> list[Signer]:
        return [*self.signing, *self.recovery]


async def register(
    client: LedgerClient,
    name: str,
    key: Signer,
    recovery_key: Signer,
    clock: Clock,
    *,
    lasting: Lasting | None = None,
    claimed: Claimed = NOTHING_CLAIMED,
) -> Recorded:
    """Register a new party; where the name is this party's already, by the same keys, return that entry.

    What opens the sealed places of its identity is kept in the client's vault first. Raises Unfit where the operator
    has to countersign (then draft it), or if there is no vault to keep that in.
    """
    keys = _Keys.of(key, recovery_key, lasting)
    found = await _find_registration(client, name, keys)
    if found is not None:
        return found
    identity = await client.identity()
    if identity.created.admission != "open":
        raise Unfit("this ledger's operator admits parties: write a draft for its signature")
    frame = Frame.fresh(identity.id, name, clock(), await client.seen(), rules=await client.rules())
    statement, openings = _registration(frame, keys, [], claimed)
    envelope = sign_statement(statement, keys.all)
    await client.keep_disclosures(key, [recovery_key.public], [opening.disclosure(envelope.id) for opening in openings])
    return await client.submit(envelope)


async def _find_registration(client: LedgerClient, name: str, own: _Keys) -> Recorded | None:
    """Return the entry that registered `name` with exactly these keys; None if nobody, or somebody else, holds it.

    An answer that was lost, an operator that countersigned, the operator's own party: all are found here.
    """
    try:
        state = await client.party(name)
    except Problem as problem:
        if problem.status != _NOT_FOUND:
            raise
        return None
    recorded = await client.entry(state.index)
    statement = recorded.statement
    keys = {item.public.keyid: item.public for item in own.all}
    if statement.issuer != name or statement.introduced.keys() != keys.keys():
        return None
    if wrong_signatures(recorded.entry.envelope, keys):
        raise ReceiptInvalid(f"entry {recorded.index} holds a signature of our key that we never made")
    return replace(recorded, duplicate=True)


async def draft(
    client: LedgerClient,
    name: str,
    key: Signer,
    recovery_key: Signer,
    clock: Clock,
    *,
    lasting: Lasting | None = None,
    claimed: Claimed = NOTHING_CLAIMED,
) -> Draft:
    """Return a registration signed by the new party, for the operator to countersign."""
    identity = await client.identity()
    operator = await likely_keyids(client, identity.created.issuer)
    keys = _Keys.of(key, recovery_key, lasting)
    rules = await client.rules()
    frame = Frame.fresh(identity.id, name, clock(), await client.seen(), DRAFT_LIFETIME_MS, rules=rules)
    drafted = new_draft(*_registration(frame, keys, operator, claimed))
    await client.keep_disclosures(key, [recovery_key.public], drafted.disclosures)
    for own in keys.all:
        drafted = drafted.signed(own)
    return drafted


async def review(client: LedgerClient, drafted: Draft, operator: Collection[str], clock: Clock) -> AnyRegistration:
    """Check a drafted registration before the operator signs it with its keys `operator`; return it, open, to be shown.

    Raises Unfit for a draft of another ledger or type, an expired one, one that asks for another key's signature, or
    one that lacks a good signature of a new key; ForkDetected where it refers to a log that is not ours.
    """
    statement = drafted.opened
    if not isinstance(statement, AnyRegistration):
        raise Unfit(f"the draft is a {statement.type}, not a registration")
    keys = {keyid: key for keyid, (key, _) in statement.introduced.items()}
    drafted.check((await client.identity()).id, clock(), keys)
    if not keys.keys() <= dict(drafted.envelope.signatures).keys():
        raise Unfit("the draft lacks a signature of one of the new keys")
    if set(statement.signers) != {*keys, *operator}:
        raise Unfit(f"the draft does not ask for signatures of the new keys and of {' and '.join(operator)} alone")
    if statement.seen is not None:
        head = TreeHead(statement.seen.size, bytes.fromhex(statement.seen.root))
        await client.check_seen(head, drafted.envelope.recorded)
    return statement


async def admit(client: LedgerClient, drafted: Draft, operator: Sequence[Signer], clock: Clock) -> Recorded:
    """Countersign a registration as the operator, and have it recorded."""
    await review(client, drafted, [key.public.keyid for key in operator], clock)
    for key in operator:
        drafted = drafted.signed(key)
    return await client.submit(drafted.envelope)


async def add_key(
    client: LedgerClient, name: str, new: Signer, recovery_keys: Sequence[Signer], clock: Clock, *, use: str
) -> Recorded:
    """Add a key to a party, by a recovery key of each algorithm; the new key signs: this proves that we hold it."""
    frame = await _frame(client, name, clock)
    keys = [new, *recovery_keys]
    signers = [key.public.keyid for key in keys]
    statement = frame.statement("party.key_added", signers, key=new.public.document(), use=use)
    return await client.submit(sign_statement(statement, keys))


async def revoke_key(
    client: LedgerClient,
    name: str,
    keyid: str,
    by: Sequence[Signer],
    clock: Clock,
    *,
    compromised_since_ms: int | None = None,
    reason: str | None = None,
    seal: Collection[str] = (),
) -> Recorded:
    """End a key: `by` are a recovery key of each algorithm, or the key itself."""
    frame = await _frame(client, name, clock)
    fields: dict[str, Json] = {"keyid": keyid, "compromised_since_ms": compromised_since_ms, "reason": reason}
    statement, openings = frame.sealed("party.key_revoked", [key.public.keyid for key in by], seal, **fields)
    envelope = sign_statement(statement, by)
    await client.keep_disclosures(by[0], [], [opening.disclosure(envelope.id) for opening in openings])
    return await client.submit(envelope)


async def _frame(client: LedgerClient, name: str, clock: Clock) -> Frame:
    ledger, seen = (await client.identity()).id, await client.seen()
    return Frame.fresh(ledger, name, clock(), seen, rules=await client.rules())


def _registration(
    frame: Frame, keys: _Keys, other_keyids: Collection[str], claimed: Claimed
) -> tuple[dict[str, Json], tuple[Opening, ...]]:
    signers = [*(key.public.keyid for key in keys.all), *other_keyids]
    return frame.sealed(
        "party.registered",
        signers,
        claimed.seal,
        keys=[key.public.document() for key in keys.signing],
        recovery_keys=[key.public.document() for key in keys.recovery],
        identity=claimed.identity(frame, keys.signing),
    )
