"""What holds for every draft that two parties sign, whatever it says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from ledger.core.checkpoint import TreeHead
from ledger.core.errors import FormatError
from ledger.party.answers.recorded import Recorded
from ledger.party.answers.versions import check_statement
from ledger.party.client.client import LedgerClient
from ledger.party.errors import Unfit
from ledger.party.speaking.drafts import Draft
from ledger.party.speaking.speaker import Member
from ledger.statements.party import SIGNING


async def likely_keyids(client: LedgerClient, name: str, given: str | None = None) -> list[str]:
    """Return the keyids that a party most likely signs with: its newest signing key of each algorithm.

    That is by the operator's word. `given` is the one that the party said it will take, of its algorithm.
    """
    keys = (await client.party(name)).active(SIGNING)
    if not keys:
        raise Unfit(f"{name} has no key that signs")
    newest: dict[str, str] = {}
    for key in sorted(keys, key=lambda key: key.keyid != given):
        newest.setdefault(key.alg, key.keyid)
    if given is not None and given not in newest.values():
        raise Unfit(f"{given} is not a key that {name} signs with: 'ledger party show {name}' lists them")
    return list(newest.values())


async def check_draft(member: Member, drafted: Draft, sides: Sequence[str]) -> None:
    """Check what can be checked of a draft between two `sides` before the member signs it.

    Raises Unfit for a draft of another ledger or version of the rules, an expired one, one that does not name this
    party or its key, or one that was changed after the other side signed it; ForkDetected where it refers to a log that
    is not ours.
    """
    statement = drafted.statement
    if member.name not in sides:
        raise Unfit(f"the draft is between {' and '.join(sides)}, not for {member.name}")
    if not set(member.keyids) <= set(statement.signers):
        raise Unfit(f"the draft asks for another key of {member.name} than the one in use here")
    keys = await member.client.public_keys(sides)
    drafted.check((await member.client.identity()).id, member.clock(), keys)
    try:
        check_statement(drafted.envelope.payload, await member.client.rules())
    except FormatError as error:
        raise Unfit(f"the draft was made under other rules than this ledger's, draft it anew: {error}") from error
    if statement.seen is not None:
        # Signing says that we verified this tree head: so verify it. A fork shown to the other side surfaces here.
        head = TreeHead(statement.seen.size, bytes.fromhex(statement.seen.root))
        await member.client.check_seen(head, drafted.envelope.recorded)


async def submit_draft(
    member: Member, drafted: Draft, review: Callable[[Member, Draft], Awaitable[object]]
) -> Recorded:
    """Have a draft recorded that both sides signed, once `review` has taken it.

    Raises what `review` raises, and Unfit where a signature is missing.
    """
    await review(member, drafted)
    if drafted.missing:
        raise Unfit(f"not signed yet by {', '.join(drafted.missing)}")
    return await member.client.submit(drafted.envelope)
