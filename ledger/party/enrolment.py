"""Becoming a party, and changing one's keys (docs/format.md §6.3–6.5)."""

from __future__ import annotations

from dataclasses import replace

from ledger.core.checkpoint import TreeHead
from ledger.core.encoding import Json
from ledger.core.keys import SigningKey
from ledger.party.client import LedgerClient
from ledger.party.composing import DRAFT_LIFETIME_MS, Frame, sign_statement
from ledger.party.drafts import Draft, new_draft
from ledger.party.errors import Problem, ReceiptInvalid, Unfit
from ledger.party.identity import wrong_signatures
from ledger.party.recorded import Recorded
from ledger.party.speaker import Clock
from ledger.statements.party import SIGNING, PartyRegistered

_NOT_FOUND = 404


async def register(
    client: LedgerClient, name: str, key: SigningKey, recovery_key: SigningKey, clock: Clock
) -> Recorded:
    """Register a new party; where the name is this party's already, by the same keys, return that entry.

    Raises Unfit where the operator has to countersign (then draft it).
    """
    found = await find_registration(client, name, key, recovery_key)
    if found is not None:
        return found
    identity = await client.identity()
    if identity.created.admission != "open":
        raise Unfit("this ledger's operator admits parties: write a draft for its signature")
    frame = Frame.fresh(identity.id, name, clock(), await client.seen())
    return await client.submit(sign_statement(_registration(frame, key, recovery_key, []), [key, recovery_key]))


async def find_registration(
    client: LedgerClient, name: str, key: SigningKey, recovery_key: SigningKey
) -> Recorded | None:
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


async def draft(client: LedgerClient, name: str, key: SigningKey, recovery_key: SigningKey, clock: Clock) -> Draft:
    """Return a registration signed by the new party, for the operator to countersign."""
    identity = await client.identity()
    operator_keys = (await client.party(identity.created.issuer)).active(SIGNING)
    if not operator_keys:
        raise Unfit("the operator has no key that signs")
    frame = Frame.fresh(identity.id, name, clock(), await client.seen(), DRAFT_LIFETIME_MS)
    statement = _registration(frame, key, recovery_key, [operator_keys[0].keyid])
    return new_draft(statement).signed(key).signed(recovery_key)


async def review(client: LedgerClient, drafted: Draft, keyid: str, clock: Clock) -> PartyRegistered:
    """Check a drafted registration before the operator signs it with the key `keyid`; return it, to be shown.

    Raises Unfit for a draft of another ledger or type, an expired one, one that asks for another key's signature, or
    one that lacks a good signature of a new key; ForkDetected where it refers to a log that is not ours.
    """
    statement = drafted.statement
    if not isinstance(statement, PartyRegistered):
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


async def admit(client: LedgerClient, drafted: Draft, operator_key: SigningKey, clock: Clock) -> Recorded:
    """Countersign a registration as the operator, and have it recorded."""
    await review(client, drafted, operator_key.public.keyid, clock)
    return await client.submit(drafted.signed(operator_key).envelope)


async def add_key(
    client: LedgerClient, name: str, new: SigningKey, recovery_key: SigningKey, clock: Clock, *, use: str
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
    by: SigningKey,
    clock: Clock,
    *,
    compromised_since_ms: int | None = None,
    reason: str | None = None,
) -> Recorded:
    """End a key: `by` is a recovery key, or the key itself."""
    frame = await _frame(client, name, clock)
    fields: dict[str, Json] = {"keyid": keyid, "compromised_since_ms": compromised_since_ms, "reason": reason}
    statement = frame.statement("party.key_revoked", [by.public.keyid], **fields)
    return await client.submit(sign_statement(statement, [by]))


async def _frame(client: LedgerClient, name: str, clock: Clock) -> Frame:
    return Frame.fresh((await client.identity()).id, name, clock(), await client.seen())


def _registration(frame: Frame, key: SigningKey, recovery_key: SigningKey, other_keyids: list[str]) -> dict[str, Json]:
    signers = [key.public.keyid, recovery_key.public.keyid, *other_keyids]
    keys, recovery_keys = [key.public.document()], [recovery_key.public.document()]
    return frame.statement("party.registered", signers, keys=keys, recovery_keys=recovery_keys)
