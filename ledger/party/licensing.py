"""Licenses: drafted by one side, signed by both, ended by either (docs/format.md §6.8, §6.9)."""

from __future__ import annotations

from ledger.core.checkpoint import TreeHead
from ledger.core.encoding import Json
from ledger.party.composing import DRAFT_LIFETIME_MS
from ledger.party.drafts import Draft, new_draft
from ledger.party.errors import Unfit
from ledger.party.recorded import Recorded
from ledger.party.speaker import Member, Speaker
from ledger.statements.license import LicenseAgreed, Terms
from ledger.statements.listing import ListingRegistered
from ledger.statements.party import SIGNING


async def draft(member: Member, listing: str, licensee: str, terms: Terms, *, other_keyid: str | None = None) -> Draft:
    """Return an unsigned license between the listing's issuer and `licensee`, one of whom is the member.

    `other_keyid` says with which of its keys the other side will sign; by default with its newest.
    """
    licensor = (await _listing(member, listing)).issuer
    if member.name not in {licensor, licensee}:
        raise Unfit(f"the listing is {licensor}'s: {member.name} is neither licensor nor licensee")
    other = licensee if member.name == licensor else licensor
    keyid = other_keyid or await _newest_keyid(member, other)
    frame = await member.frame(DRAFT_LIFETIME_MS, issuer=licensor)
    fields: dict[str, Json] = {
        "licensee": licensee,
        "listing": listing,
        "terms": terms.model_dump(exclude_none=True),
    }
    return new_draft(frame.statement("license.agreed", {member.keyid, keyid}, **fields))


async def review(member: Member, drafted: Draft) -> tuple[LicenseAgreed, ListingRegistered]:
    """Check everything about a draft that can be checked before signing; return it with its listing, to be shown.

    Raises Unfit for a draft of another ledger or type, an expired one, one that does not name this party or its key,
    one whose licensor does not own the listing, or one that was changed after the other side signed it; ForkDetected
    where it refers to a log that is not ours.
    """
    statement = drafted.statement
    if not isinstance(statement, LicenseAgreed):
        raise Unfit(f"the draft is a {statement.type}, not a license")
    if member.name not in {statement.issuer, statement.licensee}:
        raise Unfit(f"the draft is between {statement.issuer} and {statement.licensee}, not for {member.name}")
    if member.keyid not in statement.signers:
        raise Unfit(f"the draft asks for another key of {member.name} than the one in use here")
    keys = await member.client.public_keys([statement.issuer, statement.licensee])
    drafted.check((await member.client.identity()).id, member.clock(), keys)
    listing = await _listing(member, statement.listing)
    if listing.issuer != statement.issuer:
        raise Unfit(f"the listing is {listing.issuer}'s, not the licensor's")
    if statement.seen is not None:
        # Signing says that we verified this tree head: so verify it. A fork shown to the other side surfaces here.
        head = TreeHead(statement.seen.size, bytes.fromhex(statement.seen.root))
        await member.client.check_seen(head, drafted.envelope.recorded)
    return statement, listing


async def submit(member: Member, drafted: Draft) -> Recorded:
    """Have a license recorded that both sides signed; raise Unfit where a signature is missing."""
    await review(member, drafted)
    if drafted.missing:
        raise Unfit(f"not signed yet by {', '.join(drafted.missing)}")
    return await member.client.submit(drafted.envelope)


async def end(speaker: Speaker, license_id: str, reason: str | None = None) -> Recorded:
    """End a license."""
    return await speaker.say("license.ended", license=license_id, reason=reason)


async def _listing(member: Member, listing: str) -> ListingRegistered:
    statement = (await member.client.statement(listing)).statement
    if not isinstance(statement, ListingRegistered):
        raise Unfit(f"{listing} is no listing")
    return statement


async def _newest_keyid(member: Member, name: str) -> str:
    keys = (await member.client.party(name)).active(SIGNING)
    if not keys:
        raise Unfit(f"{name} has no key that signs")
    return keys[0].keyid
