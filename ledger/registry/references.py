"""What a statement refers to, and whether its issuer may: step 9.14 of docs/format.md, docs/statements.md."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ledger.core.commitment import Place, commit
from ledger.core.dsse import STATEMENT_TYPE
from ledger.core.note import ED25519_TYPE, parse_vkey
from ledger.registry.disputes import is_held
from ledger.registry.facts import (
    KeyFact,
    LicenseFact,
    ListingFact,
    PartyFact,
    PreparationFact,
    TransferFact,
    View,
    key_key,
    party_key,
)
from ledger.registry.lookup import find, ledger_of, thing_of
from ledger.registry.refusal import Refused
from ledger.registry.things import ClaimFact, DisclosureFact, ErasureFact
from ledger.statements import version_1 as v1
from ledger.statements import version_5 as v5
from ledger.statements.claim import ClaimAnswered, ClaimDetermined, ClaimOpened
from ledger.statements.common import Statement
from ledger.statements.erasure import ErasureAttested, ErasureRequested
from ledger.statements.ledger import (
    MAX_LOG_KEYS,
    LedgerCreated,
    LedgerLogKeyAdded,
    LedgerLogKeyRetired,
    LedgerRulesChanged,
    public_of_vkey,
)
from ledger.statements.license import LicenseAgreed, LicenseAmended, LicenseEnded
from ledger.statements.listing import ClassificationChanged, ListingAmended, ListingRegistered, ListingWithdrawn
from ledger.statements.parse import SIGNATURE_FORMS, STATEMENTS
from ledger.statements.party import PartyKeyAdded, PartyKeyRevoked, PartyRegistered
from ledger.statements.transfer import (
    DisclosureCompelled,
    Marks,
    TransferAcknowledged,
    TransferForwarded,
    TransferOffered,
    TransferPrepared,
    TransferRefused,
    TransferRequested,
)
from ledger.statements.usage import UsageReported
from ledger.statements.venue import VenueStatus


def check_references(view: View, statement: Statement) -> None:  # noqa: C901, PLR0912, PLR0915 - one case a type
    """Raise Refused unless what the statement names exists and the issuer has the role for it."""
    issuer = statement.issuer
    match statement:
        case LedgerCreated():
            if view.ledger is not None:
                raise Refused("already-created", "/type", f"this ledger is {view.ledger.id}")
            _check_rules(statement.rules)
        case LedgerRulesChanged():
            _check_rules_changed(view, statement)
        case LedgerLogKeyAdded():
            _check_log_key_added(view, statement)
        case LedgerLogKeyRetired():
            _check_log_key_retired(view, statement)
        case PartyRegistered() | v1.PartyRegistered():
            if view.get(PartyFact, party_key(issuer)) is not None:
                raise Refused("name-taken", "/issuer", issuer)
            _check_keys_free(view, statement)
        case PartyKeyAdded():
            _check_keys_free(view, statement)
        case PartyKeyRevoked() | v1.PartyKeyRevoked():
            key = view.get(KeyFact, key_key(statement.keyid))
            if key is None or key.party != issuer:
                raise Refused("unknown-reference", "/keyid", f"not a key of {issuer}")
            _check_open(key.revoked_index, "/keyid")
        case ListingRegistered():
            _check_description(view, statement)
        case ListingAmended() | ClassificationChanged() | ListingWithdrawn() | v1.ListingWithdrawn():
            listing = find(view, ListingFact, statement.listing, "/listing")
            _check_role(issuer, [listing.issuer])
            _check_open(listing.withdrawn_index, "/listing")
            if isinstance(statement, ListingAmended):
                _check_description(view, statement)
        case LicenseAgreed() | v1.LicenseAgreed():
            _check_agreed(view, statement)
        case LicenseAmended():
            _check_amended(view, statement)
        case LicenseEnded() | v1.LicenseEnded():
            agreed = find(view, LicenseFact, statement.license, "/license")
            _check_role(issuer, [agreed.licensor, agreed.licensee])
            _check_open(agreed.ended_index, "/license")
        case v1.TransferOffered():
            find(view, ListingFact, statement.listing, "/listing")
            if statement.license is not None:
                find(view, LicenseFact, statement.license, "/license")
            _check_other_party(view, [issuer], statement.recipient, "/recipient")
            if isinstance(statement, TransferOffered) and statement.marks is not None:
                _check_marks(view, statement, statement.marks)
        case TransferPrepared():
            find(view, ListingFact, statement.listing, "/listing")
            _check_other_party(view, [issuer], statement.recipient, "/recipient")
        case TransferRequested():
            _check_requested(view, statement)
        case v5.TransferAcknowledged() | TransferRefused() | v1.TransferRefused():
            transfer = find(view, TransferFact, statement.transfer, "/transfer")
            _check_role(issuer, [transfer.recipient])
            _check_open(transfer.decided_index, "/transfer")
            if isinstance(statement, TransferAcknowledged) and statement.opens != transfer.content:
                raise Refused("wrong-value", "/opens", f"the offer's content is sealed as {transfer.content}")
        case TransferForwarded():
            _check_forwarded(view, statement)
        case DisclosureCompelled():
            _check_role(issuer, _compelled(view, statement))
        case UsageReported():
            _check_role(issuer, [find(view, LicenseFact, statement.license, "/license").licensee])
            if statement.transfer is not None:
                _check_role(issuer, [find(view, TransferFact, statement.transfer, "/transfer").recipient])
        case VenueStatus():
            _check_party(view, statement.venue, "/venue")
        case ClaimOpened():
            _check_role(issuer, _parties(view, statement))
            _check_other_party(view, [issuer], statement.respondent, "/respondent")
            if statement.tribunal is not None:
                _check_other_party(view, [issuer, statement.respondent], statement.tribunal, "/tribunal")
        case ClaimAnswered():
            claim = find(view, ClaimFact, statement.claim, "/claim")
            _check_role(issuer, [claim.respondent])
            _check_open(claim.answered_index, "/claim")
            _check_open(claim.determined_index, "/claim")
        case ClaimDetermined():
            _check_determined(view, statement)
        case ErasureRequested():
            _check_role(issuer, _parties(view, statement)[:1])
        case ErasureAttested():
            _check_attested(view, statement)


def _check_rules(version: int) -> None:
    if version not in STATEMENTS:
        raise Refused("unknown-rules", "/rules", f"this software enforces versions {sorted(STATEMENTS)} only")


def _check_rules_changed(view: View, statement: LedgerRulesChanged) -> None:
    ledger = ledger_of(view)
    _check_role(statement.issuer, [ledger.operator])
    if statement.rules != ledger.rules + 1:
        raise Refused("wrong-rules-version", "/rules", f"the version in force is {ledger.rules}")
    _check_rules(statement.rules)
    if statement.payload_types != [STATEMENT_TYPE]:
        raise Refused("wrong-value", "/payload_types", f"exactly {STATEMENT_TYPE}")
    unknown = [kind for kind in statement.statement_types if kind not in STATEMENTS[statement.rules]]
    if unknown:
        raise Refused("wrong-value", "/statement_types", f"version {statement.rules} has no type {unknown[0]}")
    forms = SIGNATURE_FORMS[statement.rules]
    if statement.signature_forms != forms:
        raise Refused("wrong-value", "/signature_forms", f"exactly {', '.join(forms)}")


def _check_log_key_added(view: View, statement: LedgerLogKeyAdded) -> None:
    ledger = ledger_of(view)
    _check_role(statement.issuer, [ledger.operator])
    if parse_vkey(statement.log_key).name != ledger.origin:
        raise Refused("wrong-value", "/log_key", f"the name of a log key is {ledger.origin}")
    keyid = public_of_vkey(statement.log_key).keyid
    if view.get(KeyFact, key_key(keyid)) is not None or keyid in ledger.reserved_keyids:
        raise Refused("key-taken", "/log_key", keyid)
    if len(ledger.log_keys_in_force) >= MAX_LOG_KEYS:
        raise Refused("wrong-value", "/log_key", f"{MAX_LOG_KEYS} log keys are in force: retire one first")


def _check_log_key_retired(view: View, statement: LedgerLogKeyRetired) -> None:
    ledger = ledger_of(view)
    _check_role(statement.issuer, [ledger.operator])
    if statement.log_key not in ledger.log_keys_in_force:
        raise Refused("unknown-reference", "/log_key", "this is not a log key in force")
    left = [vkey for vkey in ledger.log_keys_in_force if vkey != statement.log_key]
    if all(parse_vkey(vkey).type != ED25519_TYPE for vkey in left):
        raise Refused("wrong-value", "/log_key", "one log key of type 0x01 stays: add its successor first")


def _check_description(view: View, statement: ListingRegistered | ListingAmended) -> None:
    for source in statement.derived_from or []:
        find(view, ListingFact, source, "/derived_from")
    for name in statement.named_parties:
        _check_party(view, name, "/venue/party")


def _check_agreed(view: View, statement: LicenseAgreed | v1.LicenseAgreed) -> None:
    listing = find(view, ListingFact, statement.listing, "/listing")
    if isinstance(statement, LicenseAgreed) and statement.parent is not None:
        parent = find(view, LicenseFact, statement.parent, "/parent")
        if parent.listing != statement.listing:
            raise Refused("wrong-value", "/parent", "the parent is a license of another listing")
        _check_role(statement.issuer, [parent.licensee])
    else:
        _check_role(statement.issuer, [listing.issuer])
    _check_other_party(view, [statement.issuer], statement.licensee, "/licensee")


def _check_amended(view: View, statement: LicenseAmended) -> None:
    agreed = find(view, LicenseFact, statement.license, "/license")
    if agreed.is_version_1:
        raise Refused("wrong-value", "/license", "it was agreed under version 1, whose terms cannot be amended")
    _check_role(statement.issuer, [agreed.licensor, agreed.licensee])
    _check_open(agreed.ended_index, "/license")
    valid_from_ms = agreed.valid_from_ms if statement.valid_from_ms is None else statement.valid_from_ms
    valid_until_ms = agreed.valid_until_ms if statement.valid_until_ms is None else statement.valid_until_ms
    if valid_from_ms >= valid_until_ms:
        raise Refused("wrong-value", "/valid_until_ms", "the term that results does not begin before it ends")
    if statement.terms is not None:
        misnamed = statement.terms.misnamed(agreed.listing, agreed.licensor, agreed.licensee)
        if misnamed is not None:
            raise Refused("wrong-value", f"/terms{misnamed}", "the terms are of another license")


def _check_forwarded(view: View, statement: TransferForwarded) -> None:
    transfer = find(view, TransferFact, statement.transfer, "/transfer")
    _check_role(statement.issuer, [transfer.recipient])
    if statement.license is not None:
        find(view, LicenseFact, statement.license, "/license")
    if statement.disclosure is not None:
        find(view, DisclosureFact, statement.disclosure, "/disclosure")
    if statement.recipient is not None:
        _check_other_party(view, [statement.issuer], statement.recipient, "/recipient")


def _check_marks(view: View, offer: TransferOffered, marks: Marks) -> None:
    """Refuse marks from a pool of another hand-off, from one that nobody drew from yet, and another coin."""
    prepared = find(view, PreparationFact, marks.prepared, "/marks/prepared")
    if (prepared.sender, prepared.listing, prepared.recipient) != (offer.issuer, offer.listing, offer.recipient):
        raise Refused("wrong-value", "/marks/prepared", "it was prepared for another hand-off")
    if prepared.request is None:
        raise Refused("wrong-value", "/marks/prepared", f"{prepared.recipient} has not requested it yet")
    place = Place("coin", offer.ledger, prepared.sender, prepared.nonce, "/coin")
    if commit(place, marks.coin.salt, marks.coin.value) != prepared.coin:
        raise Refused("wrong-value", "/marks/coin", "it does not open the coin of the preparation")


def _check_requested(view: View, statement: TransferRequested) -> None:
    prepared = find(view, PreparationFact, statement.prepared, "/prepared")
    _check_role(statement.issuer, [prepared.recipient])
    _check_open(prepared.requested_index, "/prepared")
    if statement.seen is None or statement.seen.size <= prepared.index:
        # Whoever adds its coin before the seal is in a tree that it holds lets the seal follow from the coin.
        raise Refused(
            "wrong-value", "/seen", f"a checkpoint of more than {prepared.index} entries: over the preparation"
        )


def _compelled(view: View, statement: DisclosureCompelled) -> list[str]:
    """Return who may say that data were demanded: sender and recipient, or the listing's issuer."""
    if statement.transfer is not None:
        transfer = find(view, TransferFact, statement.transfer, "/transfer")
        return [transfer.sender, transfer.recipient]
    return [find(view, ListingFact, statement.listing or "", "/listing").issuer]


def _parties(view: View, statement: ClaimOpened | ErasureRequested | ErasureAttested) -> list[str]:
    """Return the two parties to the license or transfer named, who gave first."""
    if statement.license is not None:
        agreed = find(view, LicenseFact, statement.license, "/license")
        return [agreed.licensor, agreed.licensee]
    transfer = find(view, TransferFact, statement.transfer or "", "/transfer")
    return [transfer.sender, transfer.recipient]


def _check_determined(view: View, statement: ClaimDetermined) -> None:
    claim = find(view, ClaimFact, statement.claim, "/claim")
    is_claimants = statement.outcome in {"withdrawn", "settled"}
    allowed = [claim.claimant] if is_claimants else [claim.tribunal] if claim.tribunal is not None else []
    _check_role(statement.issuer, allowed)
    _check_open(claim.determined_index, "/claim")


def _check_attested(view: View, statement: ErasureAttested) -> None:
    if statement.statement is not None:
        if statement.statement not in view.recorded:
            raise Refused("unknown-reference", "/statement", "this ledger has not recorded that statement")
        if is_held(view, *thing_of(view, statement.statement)):
            raise Refused("legal-hold", "/statement", "a claim holds it")
        return
    _check_role(statement.issuer, _parties(view, statement))
    if statement.request is not None:
        request = find(view, ErasureFact, statement.request, "/request")
        if (request.license, request.transfer) != (statement.license, statement.transfer):
            raise Refused("wrong-value", "/request", "the request is for something else")
    if is_held(view, statement.license, statement.transfer):
        raise Refused("legal-hold", "/license" if statement.license is not None else "/transfer", "a claim holds it")


def _check_role(issuer: str, allowed: Sequence[str]) -> None:
    if issuer not in allowed:
        raise Refused("wrong-role", "/issuer", f"this is for {' or '.join(allowed) or 'nobody'}, not for {issuer}")


def _check_open(index: int | None, field: str) -> None:
    if index is not None:
        raise Refused("already-decided", field, f"by entry {index}")


def _check_party(view: View, name: str, field: str) -> None:
    if view.get(PartyFact, party_key(name)) is None:
        raise Refused("unknown-party", field, name)


def _check_other_party(view: View, sides: Collection[str], name: str, field: str) -> None:
    _check_party(view, name, field)
    if name in sides:
        raise Refused("same-party", field, "the other side is another party")


def _check_keys_free(view: View, statement: Statement) -> None:
    for keyid in statement.introduced:
        if view.get(KeyFact, key_key(keyid)) is not None or keyid in ledger_of(view).reserved_keyids:
            raise Refused("key-taken", "/keys", keyid)
