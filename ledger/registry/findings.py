"""What an entry shows about what parties did, at once (docs/statements.md §10); `overdue.py` has what waits."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.core.encoding import Json
from ledger.registry.erasing import late_erasures
from ledger.registry.facts import LicenseFact, ListingFact, PreparationFact, TransferFact, View
from ledger.registry.finding import Finding, Moment
from ledger.registry.judging import judged, judged_chain, sealed_places, stated, version_of
from ledger.registry.lookup import chain, standing
from ledger.registry.terms import SEALED_COUNT, Count, Request, Truth, decide, is_wider
from ledger.registry.things import DisclosureFact, GrantFact, VenueFact, grant_key, venue_key
from ledger.statements import version_1 as v1
from ledger.statements import version_5 as v5
from ledger.statements.common import Statement
from ledger.statements.erasure import ErasureAttested
from ledger.statements.fields import Sealed
from ledger.statements.license import LicenseAgreed, LicenseAmended
from ledger.statements.listing import ListingAmended, ListingRegistered
from ledger.statements.party import PartyKeyRevoked
from ledger.statements.transfer import TransferForwarded, TransferOffered, TransferRefused
from ledger.statements.usage import UsageReported


def found(  # noqa: C901, PLR0912 - one case a type
    view: View, statement: Statement, moment: Moment, changed: LicenseFact | None
) -> Iterator[Finding]:
    """Yield what the entry shows; `view` is as of before it, `changed` the license that it makes or amends."""
    match statement:
        case v1.TransferOffered():
            yield from _offered(view, statement, moment)
            if isinstance(statement, v5.TransferOffered | TransferOffered) and statement.marks is not None:
                yield from _marked(view, statement, moment)
            yield from _listed(view, statement.listing, statement.issuer, moment)
        case LicenseAgreed() | v1.LicenseAgreed():
            yield from _listed(view, statement.listing, statement.issuer, moment)
            if changed is not None and changed.parent is not None:
                yield from _wider(view, changed, moment)
        case LicenseAmended():
            bounds = (statement.terms, statement.valid_from_ms, statement.valid_until_ms)
            if changed is not None and changed.parent is not None and any(value is not None for value in bounds):
                yield from _wider(view, changed, moment)
        case ListingRegistered() | ListingAmended():
            for part, source in enumerate(statement.derived_from or []):
                yield from _derived(view, source, statement.issuer, moment, part)
        case UsageReported():
            yield from _used(view, statement, moment)
        case TransferForwarded():
            yield from _forwarded(view, statement, moment)
        case TransferRefused(code="digest-mismatch"):
            transfer = view.get(TransferFact, statement.transfer)
            if transfer is not None:
                yield moment.finding("digest-mismatch", transfer.sender, [transfer.index])
        case ErasureAttested():
            for basis in late_erasures(view, statement, moment.time_ms):
                yield moment.finding("erasure-late", statement.issuer, basis)
        case (
            PartyKeyRevoked(compromised_since_ms=int(since_ms)) | v1.PartyKeyRevoked(compromised_since_ms=int(since_ms))
        ):
            place, time_ms = moment.index, moment.time_ms
            yield Finding("key-compromised", place, statement.issuer, [place], since_ms, time_ms, keyid=statement.keyid)


def _offered(view: View, offer: v1.TransferOffered, moment: Moment) -> Iterator[Finding]:
    agreed = view.get(LicenseFact, offer.license)
    if agreed is None or agreed.listing != offer.listing:
        named = [] if agreed is None else [agreed.index]
        yield moment.finding("transfer-without-license", offer.issuer, named)
        return
    lapsed = next((each for each in chain(view, agreed.id) if not each.is_in_force(moment.time_ms)), None)
    if lapsed is not None:
        yield moment.finding("transfer-outside-term", offer.issuer, lapsed.basis)
    if offer.recipient != agreed.licensee:
        yield moment.finding("transfer-wrong-recipient", offer.issuer, [agreed.index])
    if offer.issuer != agreed.licensor:
        yield moment.finding("transfer-wrong-sender", offer.issuer, [agreed.index])


def _marked(view: View, offer: v5.TransferOffered | TransferOffered, moment: Moment) -> Iterator[Finding]:
    """Yield what is wrong with a marked copy: its license, of whatever listing, does not consent to (such) marks."""
    agreed = view.get(LicenseFact, offer.license)
    if agreed is None:
        yield moment.finding("marked-without-consent", offer.issuer)
    elif not agreed.consents_to_marks:
        basis = [agreed.index] if agreed.consent_index is None else [agreed.index, agreed.consent_index]
        yield moment.finding("marked-without-consent", offer.issuer, basis)
    elif agreed.listing != offer.listing:
        return  # it says how copies of another listing are marked
    elif isinstance(offer, TransferOffered) and offer.marks is not None and agreed.marking is not None:
        prepared = view.get(PreparationFact, offer.marks.prepared)
        if prepared is not None and agreed.marking != {
            "bound": prepared.bound,
            "method": prepared.method,
            "recipients": prepared.recipients,
        }:
            decided = [] if agreed.consent_index is None else [agreed.consent_index]
            basis = [prepared.index, agreed.index, *decided]
            yield moment.finding("marked-otherwise-than-agreed", offer.issuer, basis)


def _listed(view: View, name: str, issuer: str, moment: Moment) -> Iterator[Finding]:
    """Yield what is wrong with offering or licensing this listing now."""
    listing = view.get(ListingFact, name)
    if listing is None:
        return
    if listing.withdrawn_index is not None:
        yield moment.finding("listing-withdrawn", issuer, [listing.withdrawn_index])
    venue = view.get(VenueFact, venue_key(listing.venue)) if listing.venue is not None else None
    if venue is not None and venue.status == "closed":
        yield moment.finding("venue-closed", issuer, [venue.announced_index])


def _wider(view: View, child: LicenseFact, moment: Moment) -> Iterator[Finding]:
    above = chain(view, child.parent)
    listing = view.get(ListingFact, child.listing)
    own = judged(child, standing(view, child.id))
    width = is_wider(own, judged_chain(view, above), child.licensee, moment.time_ms, version_of(listing))
    slug, basis = "sublicense-wider-than-parent", above[0].basis
    if width.is_wider is Truth.TRUE:
        yield moment.finding(slug, child.licensor, basis)
    elif width.is_wider is Truth.UNKNOWN:
        places = sealed_places(width.places, [child, *above], moment.index, listing)
        yield moment.finding(slug, child.licensor, basis, places)


def _derived(view: View, source: str, party: str, moment: Moment, part: int) -> Iterator[Finding]:
    """Yield what is wrong with deriving from a listing of another party: no license on it permits that."""
    listing = view.get(ListingFact, source)
    if listing is None or listing.issuer == party:
        return
    grant = view.get(GrantFact, grant_key(source, party))
    request = Request("derive", moment.time_ms, version_of(listing))
    places: list[dict[str, Json]] = []
    is_undetermined = False
    for name in grant.licenses if grant is not None else []:
        licenses = chain(view, name)
        decision = decide(judged_chain(view, licenses), request)
        if decision.state == "permitted":
            return
        if decision.state == "undetermined":
            is_undetermined = True
            places += sealed_places(decision.places, licenses, moment.index, listing)
    distinct = sorted(
        {(place["index"], place["pointer"]): place for place in places}.values(),
        key=lambda place: (place["index"], place["pointer"]),
    )
    shown = distinct if is_undetermined else None
    yield moment.finding("derived-from-unlicensed", party, [listing.index], shown, part)


def _used(view: View, usage: UsageReported, moment: Moment) -> Iterator[Finding]:
    licenses = chain(view, usage.license)
    listing = view.get(ListingFact, licenses[0].listing)
    count = usage.count
    request = Request(
        usage.action,
        moment.time_ms,
        version_of(listing),
        stated(
            purpose=usage.purpose,
            spatial=usage.spatial,
            industry=usage.industry,
            product=usage.product,
            recipient=usage.recipient,
        ),
        SEALED_COUNT if isinstance(count, Sealed) else Count(1 if count is None else count),
    )
    decision = decide(judged_chain(view, licenses, met_by(usage, moment.time_ms)), request)
    if decision.deciding is None:
        return
    basis = licenses[decision.deciding].basis
    if decision.state == "undetermined":
        places = sealed_places(decision.places, licenses, moment.index, listing)
        yield moment.finding("usage-prohibited", usage.issuer, basis, places)
    else:
        slug = "usage-beyond-count" if decision.is_only_count else "usage-prohibited"
        yield moment.finding(slug, usage.issuer, basis)


def met_by(usage: UsageReported, time_ms: int) -> dict[str, int]:
    """Return the duties that a use meets; an obligation to delete asks for more (docs/terms.md §7.1)."""
    return dict.fromkeys({usage.action, *(usage.fulfils or [])}, time_ms)


def _forwarded(view: View, statement: TransferForwarded, moment: Moment) -> Iterator[Finding]:
    transfer = view.get(TransferFact, statement.transfer)
    if transfer is None or _is_compelled(view, statement, transfer):
        return
    if _is_sublicensed(view, statement, transfer, moment.time_ms):
        return
    licenses = chain(view, transfer.license)
    entries = [transfer.index, *(licenses[0].basis if licenses else [])]
    places = None
    if licenses and licenses[0].licensee == statement.issuer:
        listing = view.get(ListingFact, licenses[0].listing)
        to = statement.recipient if statement.recipient is not None else statement.outsider
        said = stated(recipient=to, purpose=statement.purpose, spatial=statement.spatial)
        request = Request("distribute", moment.time_ms, version_of(listing), said)
        decision = decide(judged_chain(view, licenses), request)
        if decision.state == "permitted":
            return
        if decision.state == "undetermined":
            names = {"/recipient": "/outsider"} if statement.outsider is not None else {}
            places = sealed_places(decision.places, licenses, moment.index, listing, names=names)
    yield moment.finding("onward-without-permission", statement.issuer, entries, places)


def _is_compelled(view: View, statement: TransferForwarded, transfer: TransferFact) -> bool:
    """Tell whether the forwarder had said that an authority demanded these data."""
    disclosure = view.get(DisclosureFact, statement.disclosure)
    if disclosure is None or disclosure.issuer != statement.issuer:
        return False
    return disclosure.transfer == transfer.id or disclosure.listing == transfer.listing


def _is_sublicensed(view: View, statement: TransferForwarded, transfer: TransferFact, time_ms: int) -> bool:
    """Tell whether it is forwarded under a sub-license in force of the license that it was received under."""
    licenses = chain(view, statement.license)
    if not licenses or statement.recipient is None:
        return False
    first = licenses[0]
    return (
        (first.licensor, first.licensee, first.listing) == (statement.issuer, statement.recipient, transfer.listing)
        and transfer.license in {each.id for each in licenses}
        and all(each.is_in_force(time_ms) for each in licenses)
    )
