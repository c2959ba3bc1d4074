"""Licenses: drafted by one side, signed by both, amended by both, ended by either (docs/statements.md §4).

Under version 1 of the rules a license says purposes, a term and a text; what is more is refused here, before anything
is signed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import uuid4

from ledger.core.encoding import Json
from ledger.party.acts.terms import Wishes, build, complete
from ledger.party.answers.recorded import Recorded
from ledger.party.answers.replies import LicenseState
from ledger.party.client.client import LedgerClient
from ledger.party.errors import NeedsRules, ReceiptInvalid, Unfit
from ledger.party.speaking.countersigning import check_draft, likely_keyids
from ledger.party.speaking.drafts import Draft
from ledger.party.speaking.speaker import Member, Speaker
from ledger.statements import version_1
from ledger.statements.license import LicenseAgreed, LicenseAmended
from ledger.statements.listing import ListingRegistered

AnyLicense = LicenseAgreed | version_1.LicenseAgreed
AnyListing = ListingRegistered | version_1.ListingRegistered


@dataclass(frozen=True)
class Deal:
    """What a license says beside its sides; None leaves a field out. Times are Unix milliseconds.

    `wishes` are the common terms; `rules` are the terms as ODRL, in which the fixed members may be left out. One of the
    two, or neither in an amendment that leaves the terms as they are.
    """

    valid_from_ms: int | None = None
    valid_until_ms: int | None = None
    wishes: Wishes | None = None
    rules: dict[str, Json] | None = None
    text: Json = None
    governing_law: str | None = None
    forum: str | None = None
    marking_consent: bool | None = None
    marking: dict[str, Json] | None = None
    parent: str | None = None
    dsp: Json = None

    def fields(self, listing: str, licensor: str, licensee: str) -> dict[str, Json]:
        """Return the fields of a statement of version 2; those that are None are left out by whoever makes it."""
        rules = self.rules if self.rules is not None or self.wishes is None else build(self.wishes)
        uid = f"urn:uuid:{uuid4()}"
        return {
            "dsp": self.dsp,
            "forum": self.forum,
            "governing_law": self.governing_law,
            "marking": self.marking,
            "marking_consent": self.marking_consent,
            "parent": self.parent,
            "terms": rules and complete(rules, listing=listing, licensor=licensor, licensee=licensee, uid=uid),
            "text": self.text,
            "valid_from_ms": self.valid_from_ms,
            "valid_until_ms": self.valid_until_ms,
        }

    def fields_of_version_1(self) -> dict[str, Json]:
        """Return the one field of a statement of version 1; raise NeedsRules for what it could not say."""
        newer = {
            "dsp": self.dsp,
            "forum": self.forum,
            "governing_law": self.governing_law,
            "marking": self.marking,
            "marking_consent": self.marking_consent,
            "parent": self.parent,
            "terms": self.rules or (self.wishes is not None and self.wishes.needs_version_2) or None,
        }
        for name, value in newer.items():
            if value is not None:
                raise NeedsRules("license.agreed", f"/{name}", 1, 2)
        terms = {
            "purposes": list(self.wishes.purposes) if self.wishes is not None else [],
            "text": self.text,
            "valid_from_ms": self.valid_from_ms,
            "valid_until_ms": self.valid_until_ms,
        }
        return {"terms": {name: value for name, value in terms.items() if value is not None}}


@dataclass(frozen=True)
class Reviewed:
    """A draft that may be signed: what it says with its sealed places open, and what it is about.

    `agreed` is the license that an amendment changes, and None for a license.
    """

    opened: AnyLicense | LicenseAmended
    listing: AnyListing
    licensor: str
    licensee: str
    agreed: LicenseAgreed | None


async def draft(
    member: Member,
    listing: str,
    licensee: str,
    deal: Deal,
    *,
    other_keyid: str | None = None,
    seal: Collection[str] = (),
) -> Draft:
    """Return an unsigned license of a listing to `licensee`; the member is one of its two sides.

    The licensor is who offers the listing; of a sub-license, the licensee of its parent. `other_keyid` says with which
    of its keys the other side will sign; by default with its newest.
    """
    licensor = await _licensor(member, listing, deal.parent)
    signers = await _signers(member, licensor, licensee, other_keyid)
    is_old = await member.client.rules() == 1
    fields = deal.fields_of_version_1() if is_old else deal.fields(listing, licensor, licensee)
    return await member.draft(
        "license.agreed", signers, issuer=licensor, seal=seal, listing=listing, licensee=licensee, **fields
    )


async def amend(
    member: Member, license_id: str, deal: Deal, *, other_keyid: str | None = None, seal: Collection[str] = ()
) -> Draft:
    """Return an unsigned amendment of a license, which replaces what the deal says; the member is one of its sides."""
    agreed = await _agreed(member, license_id)
    signers = await _signers(member, agreed.issuer, agreed.licensee, other_keyid)
    fields = deal.fields(agreed.listing, agreed.issuer, agreed.licensee)
    if fields.pop("parent") is not None or fields.pop("dsp") is not None:
        raise Unfit("an amendment changes neither the parent of a license nor its Dataspace Protocol ids")
    return await member.draft("license.amended", signers, issuer=member.name, seal=seal, license=license_id, **fields)


async def review(member: Member, drafted: Draft) -> Reviewed:
    """Check everything about a draft that can be checked before signing; return what a person must see of it.

    Raises Unfit as `check_draft` does, and a draft that is not a license or amendment, whose licensor may not license
    the listing, or that amends another's license.
    """
    statement, opened = drafted.statement, drafted.opened
    if isinstance(statement, LicenseAmended) and isinstance(opened, LicenseAmended):
        agreed = await _agreed(member, statement.license)
        sides = (agreed.issuer, agreed.licensee)
        if statement.issuer not in sides:
            raise Unfit(f"{statement.issuer} is not a side of the license that the draft amends")
        await check_draft(member, drafted, sides)
        return Reviewed(opened, await _listing(member, agreed.listing), *sides, agreed)
    if not isinstance(statement, AnyLicense) or not isinstance(opened, AnyLicense):
        raise Unfit(f"the draft is a {statement.type}, not a license")
    await check_draft(member, drafted, (statement.issuer, statement.licensee))
    parent = statement.parent if isinstance(statement, LicenseAgreed) else None
    licensor = await _licensor(member, statement.listing, parent)
    if licensor != statement.issuer:
        raise Unfit(f"only {licensor} can license this, not {statement.issuer}")
    return Reviewed(opened, await _listing(member, statement.listing), licensor, statement.licensee, None)


async def end(
    speaker: Speaker,
    license_id: str,
    reason: str | None = None,
    *,
    code: str | None = None,
    effective_ms: int | None = None,
    notice: Json = None,
    seal: Collection[str] = (),
) -> Recorded:
    """End a license. Version 2 of the rules wants a `code` (docs/statements.md §4): `other`, if none is given."""
    if code is None and await speaker.client.rules() > 1:
        code = "other"
    return await speaker.say(
        "license.ended",
        seal=seal,
        license=license_id,
        code=code,
        effective_ms=effective_ms,
        notice=notice,
        reason=reason,
    )


async def amendments(client: LedgerClient, state: LicenseState) -> list[Recorded]:
    """Return the amendments that set terms, term and marking of a license last: the operator says which, they say what.

    Those that changed nothing else but words (text, law, forum) are in its history.
    """
    found = []
    changed = {index for index in (state.terms_index, state.bound_index, state.consent_index) if index is not None}
    for index in sorted(changed - {state.index}):
        recorded = await client.entry(index)
        statement = recorded.statement
        if not isinstance(statement, LicenseAmended) or statement.license != state.id:
            raise ReceiptInvalid(f"entry {index} does not amend this license")
        found.append(recorded)
    return found


async def consents_to_marks(client: LedgerClient, license_id: str) -> bool:
    """Tell whether the licensee agreed that its copies are marked, as the license stands.

    The operator says which amendment decided that last, if one did; the entry says what.
    """
    state = await client.license(license_id)
    agreed = await (client.statement(license_id) if state.consent_index is None else client.entry(state.consent_index))
    statement = agreed.statement
    if isinstance(statement, LicenseAmended) and statement.license != license_id:
        raise ReceiptInvalid(f"entry {agreed.index} does not amend this license")
    return isinstance(statement, LicenseAgreed | LicenseAmended) and statement.marking_consent is True


async def _licensor(member: Member, listing: str, parent: str | None) -> str:
    """Return who may license the listing: who offers it, or the licensee of the parent license."""
    offered = await _listing(member, listing)
    if parent is None:
        return offered.issuer
    above = await _agreed(member, parent)
    if above.listing != listing:
        raise Unfit("the parent license is of another listing")
    return above.licensee


async def _signers(member: Member, licensor: str, licensee: str, other_keyid: str | None) -> set[str]:
    if member.name not in {licensor, licensee}:
        raise Unfit(f"this is between {licensor} and {licensee}: {member.name} is neither licensor nor licensee")
    other = licensee if member.name == licensor else licensor
    return {*member.keyids, *await likely_keyids(member.client, other, other_keyid)}


async def _listing(member: Member, listing: str) -> AnyListing:
    statement = await _statement(member, listing)
    if not isinstance(statement, AnyListing):
        raise Unfit(f"{listing} is not a listing")
    return statement


async def _agreed(member: Member, license_id: str) -> LicenseAgreed:
    statement = await _statement(member, license_id)
    if isinstance(statement, version_1.LicenseAgreed):
        raise Unfit(f"{license_id} was agreed under version 1 of the rules: agree a new license instead")
    if not isinstance(statement, LicenseAgreed):
        raise Unfit(f"{license_id} is not a license")
    return statement


async def _statement(member: Member, statement_id: str) -> object:
    return (await member.client.statement(statement_id)).statement
