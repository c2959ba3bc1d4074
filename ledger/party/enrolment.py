"""Becoming a party, and changing one's keys (docs/statements.md §2)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ledger.core.checkpoint import TreeHead
from ledger.core.encoding import Json
from ledger.core.keys import PublicKey, Signer
from ledger.party.certificates import Certified
from ledger.party.client import LedgerClient
from ledger.party.composing import DRAFT_LIFETIME_MS, Frame, sign_statement
from ledger.party.disclosures import Disclosure
from ledger.party.drafts import Draft, new_draft
from ledger.party.errors import Problem, ReceiptInvalid, Unfit
from ledger.party.identity import wrong_signatures
from ledger.party.recorded import Recorded
from ledger.party.sealing import Opening
from ledger.party.speaker import Clock
from ledger.statements import version_1
from ledger.statements.party import SIGNING, PartyRegistered

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

    def identity(self, frame: Frame, key: Signer) -> dict[str, Json] | None:
        """Return the field `identity` of a registration with this signing key; None where nothing is said."""
        if self.certified is None:
            return dict(self.said) or None
        self.certified.check_valid(frame.issued_ms)
        evidence = self.certified.evidence(frame.ledger, frame.issuer, [key.public.keyid])
        return {**self.said, "certificates": evidence}


NOTHING_CLAIMED = Claimed()


async def register(
    client: LedgerClient,
    name: str,
    key: Signer,
    recovery_key: Signer,
    clock: Clock,
    *,
    claimed: Claimed = NOTHING_CLAIMED,
) -> Recorded:
    """Register a new party; where the name is this party's already, by the same keys, return that entry.

    What opens the sealed places of its identity is kept in the client's vault first. Raises Unfit where the operator
    has to countersign (then draft it), or where there is no vault to keep that in.
    """
    found = await find_registration(client, name, key, recovery_key)
    if found is not None:
        return found
    identity = await client.identity()
    if identity.created.admission != "open":
        raise Unfit("this ledger's operator admits parties: write a draft for its signature")
    frame = Frame.fresh(identity.id, name, clock(), await client.seen(), rules=await client.rules())
    statement, openings = _registration(frame, key, recovery_key, [], claimed)
    envelope = sign_statement(statement, [key, recovery_key])
    await _keep(client, key, [recovery_key.public], [opening.disclosure(envelope.id) for opening in openings])
    return await client.submit(envelope)


async def find_registration(client: LedgerClient, name: str, key: Signer, recovery_key: Signer) -> Recorded | None:
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
    ours = {key.public.keyid, recovery_key.public.keyid}
    if statement.issuer != name or statement.introduced.keys() != ours:
        return None
    keys = {item.public.keyid: item.public for item in (key, recovery_key)}
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
    claimed: Claimed = NOTHING_CLAIMED,
) -> Draft:
    """Return a registration signed by the new party, for the operator to countersign."""
    identity = await client.identity()
    operator_keys = (await client.party(identity.created.issuer)).active(SIGNING)
    if not operator_keys:
        raise Unfit("the operator has no key that signs")
    rules = await client.rules()
    frame = Frame.fresh(identity.id, name, clock(), await client.seen(), DRAFT_LIFETIME_MS, rules=rules)
    drafted = new_draft(*_registration(frame, key, recovery_key, [operator_keys[0].keyid], claimed))
    await _keep(client, key, [recovery_key.public], drafted.disclosures)
    return drafted.signed(key).signed(recovery_key)


async def review(client: LedgerClient, drafted: Draft, keyid: str, clock: Clock) -> AnyRegistration:
    """Check a drafted registration before the operator signs it with the key `keyid`; return it, open, to be shown.

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
    if set(statement.signers) != {*keys, keyid}:
        raise Unfit(f"the draft does not ask for signatures of the new keys and of {keyid} alone")
    if statement.seen is not None:
        head = TreeHead(statement.seen.size, bytes.fromhex(statement.seen.root))
        await client.check_seen(head, drafted.envelope.recorded)
    return statement


async def admit(client: LedgerClient, drafted: Draft, operator_key: Signer, clock: Clock) -> Recorded:
    """Countersign a registration as the operator, and have it recorded."""
    await review(client, drafted, operator_key.public.keyid, clock)
    return await client.submit(drafted.signed(operator_key).envelope)


async def add_key(
    client: LedgerClient, name: str, new: Signer, recovery_key: Signer, clock: Clock, *, use: str
) -> Recorded:
    """Add a key to a party; the new key signs, which proves that we hold it."""
    frame = await _frame(client, name, clock)
    keys = [new, recovery_key]
    signers = [key.public.keyid for key in keys]
    statement = frame.statement("party.key_added", signers, key=new.public.document(), use=use)
    return await client.submit(sign_statement(statement, keys))


async def revoke_key(
    client: LedgerClient,
    name: str,
    keyid: str,
    by: Signer,
    clock: Clock,
    *,
    compromised_since_ms: int | None = None,
    reason: str | None = None,
    seal: Collection[str] = (),
) -> Recorded:
    """End a key: `by` is a recovery key, or the key itself."""
    frame = await _frame(client, name, clock)
    fields: dict[str, Json] = {"keyid": keyid, "compromised_since_ms": compromised_since_ms, "reason": reason}
    statement, openings = frame.sealed("party.key_revoked", [by.public.keyid], seal, **fields)
    envelope = sign_statement(statement, [by])
    await _keep(client, by, [], [opening.disclosure(envelope.id) for opening in openings])
    return await client.submit(envelope)


async def _frame(client: LedgerClient, name: str, clock: Clock) -> Frame:
    ledger, seen = (await client.identity()).id, await client.seen()
    return Frame.fresh(ledger, name, clock(), seen, rules=await client.rules())


async def _keep(
    client: LedgerClient, key: Signer, others: Sequence[PublicKey], disclosures: Sequence[Disclosure]
) -> None:
    """Keep what opens sealed places, before they are sent; `others` of the party's keys can open it, too."""
    if not disclosures:
        return
    vault = client.vault
    if vault is None:
        raise Unfit("there is no vault to keep what would open the sealed places")
    await asyncio.to_thread(lambda: vault.locker(key, others).keep(disclosures))


def _registration(
    frame: Frame, key: Signer, recovery_key: Signer, other_keyids: list[str], claimed: Claimed
) -> tuple[dict[str, Json], tuple[Opening, ...]]:
    signers = [key.public.keyid, recovery_key.public.keyid, *other_keyids]
    return frame.sealed(
        "party.registered",
        signers,
        claimed.seal,
        keys=[key.public.document()],
        recovery_keys=[recovery_key.public.document()],
        identity=claimed.identity(frame, key),
    )
