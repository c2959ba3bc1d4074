"""What a statement that entered changes (docs/statements.md)."""

from __future__ import annotations

from dataclasses import replace

from ledger.core.encoding import Json, b64encode
from ledger.core.keys import ED25519
from ledger.registry.disputes import answer_claim, determine_claim, open_claim
from ledger.registry.erasing import attest_erasure, keep_copy, request_erasure
from ledger.registry.facts import (
    KeyFact,
    LedgerFact,
    LicenseFact,
    ListingFact,
    PartyFact,
    PreparationFact,
    TransferFact,
    View,
    key_key,
    party_key,
)
from ledger.registry.finding import Moment, place_of
from ledger.registry.licensing import end_license, forward, grant, use
from ledger.registry.lookup import find, ledger_of
from ledger.registry.overdue import refresh, unacknowledged
from ledger.registry.things import DisclosureFact, VenueFact, venue_key
from ledger.statements import version_1 as v1
from ledger.statements import version_2 as v2
from ledger.statements.claim import ClaimAnswered, ClaimDetermined, ClaimOpened
from ledger.statements.common import Statement
from ledger.statements.erasure import ErasureAttested, ErasureRequested
from ledger.statements.ledger import (
    LedgerCreated,
    LedgerLogKeyAdded,
    LedgerLogKeyRetired,
    LedgerRulesChanged,
    public_of_vkey,
)
from ledger.statements.license import LicenseAgreed, LicenseAmended, LicenseEnded
from ledger.statements.listing import ClassificationChanged, ListingAmended, ListingRegistered, ListingWithdrawn
from ledger.statements.party import PartyKeyAdded, PartyKeyRevoked, PartyRegistered
from ledger.statements.transfer import (
    DisclosureCompelled,
    TransferForwarded,
    TransferPrepared,
    TransferRefused,
    TransferRequested,
)
from ledger.statements.usage import UsageReported
from ledger.statements.venue import VenueStatus
from ledger.statements.version_5 import TransferAcknowledged


def apply(  # noqa: C901, PLR0912, PLR0915 - one case a type
    view: View, statement: Statement, moment: Moment, subjects: list[str], changed: LicenseFact | None
) -> None:
    """Change the view by a statement that was let through; `changed` is the license that it makes or amends."""
    issuer, index, statement_id = statement.issuer, moment.index, moment.statement_id
    match statement:
        case LedgerCreated():
            view.put(
                LedgerFact(
                    index=index,
                    id=statement_id,
                    origin=statement.origin,
                    operator=issuer,
                    admission=statement.admission,
                    rules=statement.rules,
                    reserved_keyids=statement.reserved_keyids,
                    log_keys={vkey: [index] for vkey in statement.log_keys},
                )
            )
            view.put(PartyFact(index, issuer, list(statement.introduced)))
        case LedgerRulesChanged():
            view.change(ledger_of(view), rules=statement.rules, types=list(statement.statement_types))
        case LedgerLogKeyAdded() | LedgerLogKeyRetired():
            _rotate(view, statement, index)
        case PartyRegistered() | v1.PartyRegistered():
            view.put(PartyFact(index, issuer, list(statement.introduced), _identity(statement)))
        case PartyKeyAdded():
            party = view.get(PartyFact, party_key(issuer))
            if party is not None:
                view.change(party, keyids=[*party.keyids, *statement.introduced])
        case PartyKeyRevoked() | v1.PartyKeyRevoked():
            key = view.get(KeyFact, key_key(statement.keyid))
            if key is not None:
                view.change(key, revoked_index=index, compromised_since_ms=statement.compromised_since_ms)
        case v1.ListingRegistered():
            view.put(ListingFact(index, statement_id, subjects, issuer, statement.title))
        case ListingRegistered():
            listing = ListingFact(index, statement_id, subjects, issuer, "")
            view.put(_described(listing, statement.described, index))
        case ListingAmended():
            listing = find(view, ListingFact, statement.listing, "/listing")
            view.put(_described(listing, statement.described, index))
        case ClassificationChanged():
            listing = find(view, ListingFact, statement.listing, "/listing")
            said = statement.model_dump(include={"classification"}, exclude_unset=True)
            view.put(_described(listing, said, index))
        case ListingWithdrawn() | v1.ListingWithdrawn():
            view.change(find(view, ListingFact, statement.listing, "/listing"), withdrawn_index=index)
        case LicenseAgreed() | v1.LicenseAgreed() | LicenseAmended():
            if changed is not None:
                view.put(changed)
                grant(view, changed)
                refresh(view, changed.id)
        case LicenseEnded() | v1.LicenseEnded():
            end_license(view, statement, index, moment.time_ms)
        case v1.TransferOffered():
            _offer(view, statement, statement_id, index, subjects)
        case TransferPrepared():
            view.put(_preparation(statement, statement_id, index, subjects))
        case TransferRequested():
            prepared = find(view, PreparationFact, statement.prepared, "/prepared")
            view.change(prepared, request=statement_id, requested_index=index)
        case TransferAcknowledged() | TransferRefused() | v1.TransferRefused():
            _decide(view, statement, index, moment.time_ms)
        case TransferForwarded():
            forward(view, statement)
        case DisclosureCompelled():
            view.put(DisclosureFact(index, statement_id, subjects, issuer, statement.transfer, statement.listing))
        case UsageReported():
            use(view, statement, index, moment.time_ms)
        case VenueStatus(venue=name) if name == issuer:
            known = view.get(VenueFact, venue_key(name))
            view.put(VenueFact(index if known is None else known.index, name, statement.status, index))
        case ClaimOpened():
            open_claim(view, statement, moment, subjects)
        case ClaimAnswered():
            answer_claim(view, statement, index, moment.time_ms)
        case ClaimDetermined():
            determine_claim(view, statement, index, moment.time_ms)
        case ErasureRequested():
            request_erasure(view, statement, statement_id, index, subjects)
        case ErasureAttested():
            attest_erasure(view, statement, index, moment.time_ms)
    for keyid, (public, used) in statement.introduced.items():
        view.put(KeyFact(index, keyid, public.alg, b64encode(public.raw), issuer, used))
    if statement.introduced or isinstance(statement, PartyKeyRevoked | v1.PartyKeyRevoked):
        _note_algorithms(view, issuer)


def _note_algorithms(view: View, name: str) -> None:
    """Note with which algorithms a party signs from now on, if its keys are not all Ed25519."""
    party = view.get(PartyFact, party_key(name))
    if party is None:
        return
    keys = [key for keyid in party.keyids if (key := view.get(KeyFact, key_key(keyid))) is not None]
    found: dict[str, set[str]] = {}
    for key in keys:
        if key.revoked_index is None:
            found.setdefault(key.use, set()).add(key.alg)
    is_short = all(algorithms == {ED25519} for algorithms in found.values())
    algorithms = {} if is_short else {use: sorted(algorithms) for use, algorithms in found.items()}
    if algorithms != party.algorithms:
        view.change(party, algorithms=algorithms)


def _rotate(view: View, statement: LedgerLogKeyAdded | LedgerLogKeyRetired, index: int) -> None:
    ledger = ledger_of(view)
    indexes = [*ledger.log_keys.get(statement.log_key, []), index]
    reserved = ledger.reserved_keyids
    if isinstance(statement, LedgerLogKeyAdded):
        reserved = [*reserved, public_of_vkey(statement.log_key).keyid]
    view.change(ledger, log_keys=ledger.log_keys | {statement.log_key: indexes}, reserved_keyids=reserved)


def _identity(statement: PartyRegistered | v1.PartyRegistered) -> Json:
    if isinstance(statement, v1.PartyRegistered):
        return None
    return statement.model_dump(include={"identity"}, exclude_unset=True).get("identity")


def _described(listing: ListingFact, said: dict[str, Json], index: int) -> ListingFact:
    """Return the listing with what was said of it by the entry `index`: each field replaces the one before."""
    title = said.get("title", listing.title)
    fields = listing.fields | {name: value for name, value in said.items() if name != "title"}
    version_index = index if "version" in said else listing.version_index
    changed_index = None if index == listing.index else index
    return replace(listing, title=title, fields=fields, changed_index=changed_index, version_index=version_index)


def _offer(view: View, offer: v1.TransferOffered, statement_id: str, index: int, subjects: list[str]) -> None:
    transfer = TransferFact(index, statement_id, subjects, offer.listing, offer.license, offer.issuer, offer.recipient)
    transfer = replace(transfer, content=offer.content.sealed)
    if isinstance(offer, v2.TransferOffered) and offer.acknowledge_by_ms is not None:
        transfer = replace(transfer, acknowledge_by_ms=offer.acknowledge_by_ms)
        view.keep_findings(unacknowledged(transfer))
    view.put(transfer)


def _preparation(said: TransferPrepared, statement_id: str, index: int, subjects: list[str]) -> PreparationFact:
    return PreparationFact(
        index=index,
        id=statement_id,
        subjects=subjects,
        listing=said.listing,
        sender=said.issuer,
        recipient=said.recipient,
        bound=said.bound,
        method=said.method,
        recipients=said.recipients,
        nonce=said.nonce,
        coin=said.coin.sealed,
    )


def _decide(
    view: View, statement: TransferAcknowledged | TransferRefused | v1.TransferRefused, index: int, time_ms: int
) -> None:
    offered = find(view, TransferFact, statement.transfer, "/transfer")
    state = "acknowledged" if isinstance(statement, TransferAcknowledged) else "refused"
    transfer = replace(offered, state=state, decided_index=index, content="")
    view.put(transfer)
    if transfer.acknowledge_by_ms is not None and time_ms <= transfer.acknowledge_by_ms:
        view.take_back([place_of("not-acknowledged-in-time", transfer.index)])
    if state == "acknowledged":
        keep_copy(view, transfer)
