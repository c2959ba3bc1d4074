"""Which facts a statement may need, so that a store can load those of many statements at once."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.registry.facts import KeyFact, LicenseFact, ListingFact, PartyFact, TransferFact, View, key_key, party_key
from ledger.registry.lookup import root, standing_of, thing_of
from ledger.registry.things import ClaimFact, GrantFact, grant_key, standing_key, venue_key
from ledger.statements import version_1 as v1
from ledger.statements.claim import ClaimAnswered, ClaimDetermined, ClaimOpened
from ledger.statements.common import Statement
from ledger.statements.erasure import ErasureAttested, ErasureRequested
from ledger.statements.ledger import LedgerLogKeyAdded, public_of_vkey
from ledger.statements.license import LicenseAgreed, LicenseAmended, LicenseEnded
from ledger.statements.listing import ListingAmended, ListingRegistered
from ledger.statements.party import PartyKeyAdded, PartyKeyRevoked
from ledger.statements.transfer import Marks, TransferForwarded, TransferOffered, TransferPrepared
from ledger.statements.usage import UsageReported
from ledger.statements.venue import VenueStatus
from ledger.statements.version_5 import TransferAcknowledged


def needed_facts(statement: Statement) -> set[str]:
    """Return the keys of the facts that acceptance asks for, as far as the statement itself tells."""
    keys = {"ledger", party_key(statement.issuer)}
    keys.update(key_key(keyid) for keyid in statement.signers)
    keys.update(key_key(keyid) for keyid in statement.introduced)
    keys.update(party_key(name) for name in statement.named_parties)
    keys.update(statement.named_ids)
    match statement:
        case PartyKeyRevoked() | v1.PartyKeyRevoked():
            keys.add(key_key(statement.keyid))
        case LedgerLogKeyAdded():
            keys.add(key_key(public_of_vkey(statement.log_key).keyid))
        case LicenseAgreed() | v1.LicenseAgreed():
            keys.add(grant_key(statement.listing, statement.licensee))
        case VenueStatus():
            keys.add(venue_key(statement.venue))
        case TransferOffered(marks=Marks(prepared=prepared)):
            keys.add(prepared)
    keys.update(statement.mentioned_ids)
    return keys


def needed_ids(statement: Statement) -> list[str]:
    """Return the statement ids of which acceptance asks whether they are recorded, beside the statement's own."""
    return [statement.statement] if isinstance(statement, ErasureAttested) and statement.statement is not None else []


def further_facts(view: View, statement: Statement) -> set[str]:
    """Return the keys of facts that follow from what is loaded, and are not asked for yet.

    To be called until it returns none: a chain of licenses takes one more load for each 64 of it.
    """
    return view.missing(_further(view, statement) | _signing(view, statement))


def _signing(view: View, statement: Statement) -> set[str]:
    """Return the keys of the parties that sign, whose algorithms decide whether enough of their keys do."""
    found = (view.get(KeyFact, key_key(keyid)) for keyid in statement.signers)
    return {party_key(key.party) for key in found if key is not None}


def _further(view: View, statement: Statement) -> set[str]:  # noqa: C901, PLR0911, PLR0912 - one case a type
    match statement:
        case PartyKeyAdded() | PartyKeyRevoked() | v1.PartyKeyRevoked():
            party = view.get(PartyFact, party_key(statement.issuer))
            return set(map(key_key, party.keyids)) if party is not None else set()
        case v1.TransferOffered():
            own = _offering(view, statement.listing, statement.issuer)
            return own | _venue(view, statement.listing) | _chain(view, statement.license)
        case TransferPrepared():
            return _offering(view, statement.listing, statement.issuer)
        case TransferAcknowledged():
            transfer = view.get(TransferFact, statement.transfer)
            name = transfer.license if transfer is not None else None
            return {name, standing_key(name)} if name is not None else set()
        case LicenseAgreed():
            return _venue(view, statement.listing) | _standings(_chain(view, statement.parent))
        case v1.LicenseAgreed():
            return _venue(view, statement.listing)
        case LicenseAmended():
            agreed = view.get(LicenseFact, statement.license)
            granted = {grant_key(agreed.listing, agreed.licensee)} if agreed is not None else set()
            return _standings(_chain(view, statement.license)) | _listing(view, statement.license) | granted
        case LicenseEnded() | v1.LicenseEnded():
            agreed = view.get(LicenseFact, statement.license)
            return (
                {standing_key(agreed.id), grant_key(agreed.listing, agreed.licensee)} if agreed is not None else set()
            )
        case UsageReported():
            agreed = view.get(LicenseFact, statement.license)
            granted = {grant_key(agreed.listing, agreed.licensee)} if agreed is not None else set()
            return _standings(_chain(view, statement.license)) | _listing(view, statement.license) | granted
        case TransferForwarded():
            return _forwarded(view, statement)
        case ListingRegistered() | ListingAmended():
            return _granted(view, statement.issuer, statement.derived_from or [])
        case ErasureAttested(statement=str(name)):
            return _held(view, *thing_of(view, name))
        case ClaimOpened() | ErasureRequested() | ErasureAttested():
            return _held(view, statement.license, statement.transfer)
        case ClaimAnswered() | ClaimDetermined():
            claim = view.get(ClaimFact, statement.claim)
            return _held(view, claim.license, claim.transfer) if claim is not None else set()
    return set()


def _venue(view: View, listing: str) -> set[str]:
    fact = view.get(ListingFact, listing)
    return {venue_key(fact.venue)} if fact is not None and fact.venue is not None else set()


def _offering(view: View, listing: str, party: str) -> set[str]:
    """Return what tells whether a party is one of a listing (docs/format.md §12.4)."""
    fact = view.get(ListingFact, listing)
    return {grant_key(listing, party)} if fact is not None and fact.issuer != party else set()


def _listing(view: View, agreed: str | None) -> set[str]:
    fact = view.get(LicenseFact, agreed)
    return {fact.listing} if fact is not None else set()


def _chain(view: View, name: str | None) -> set[str]:
    """Return the ids of a license and of those above it, as far as what is loaded names them."""
    found: set[str] = set()
    while name is not None:
        found.add(name)
        fact = view.get(LicenseFact, name)
        above = fact.ancestors if fact is not None else []
        found.update(above)
        name = above[-1] if above else None
    return found


def _standings(names: Iterable[str]) -> set[str]:
    """Return the keys of licenses and of how they stand."""
    return {key for name in names for key in (name, standing_key(name))}


def _forwarded(view: View, statement: TransferForwarded) -> set[str]:
    transfer = view.get(TransferFact, statement.transfer)
    if transfer is None:
        return _chain(view, statement.license)
    own = _standings(_chain(view, transfer.license))
    return own | _chain(view, statement.license) | {transfer.listing}


def _granted(view: View, party: str, sources: Iterable[str]) -> set[str]:
    """Return what tells whether a party may derive from these listings."""
    found: set[str] = set()
    for source in sources:
        listing = view.get(ListingFact, source)
        if listing is None or listing.issuer == party:
            continue
        key = grant_key(source, party)
        found.add(key)
        grant = view.get(GrantFact, key)
        for name in grant.licenses if grant is not None else []:
            found |= _standings(_chain(view, name))
    return found


def _held(view: View, license_: str | None, transfer: str | None) -> set[str]:
    """Return what a hold, or its end, or an erasure may change."""
    name = root(view, license_, transfer)
    if not name:
        return set()
    return {name, standing_key(name), *standing_of(view, name).requests} | (
        {transfer} if transfer is not None else set()
    )
