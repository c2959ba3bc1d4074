"""What a statement refers to, changes and concerns (docs/format.md §9.14, §12.3)."""

from __future__ import annotations

from typing import TypeVar

from ledger.core.encoding import b64encode
from ledger.registry.facts import (
    KeyFact,
    LedgerFact,
    LicenseFact,
    ListingFact,
    PartyFact,
    Thing,
    TransferFact,
    View,
    key_key,
    party_key,
)
from ledger.registry.refusal import Refused
from ledger.statements.common import Statement
from ledger.statements.ledger import LedgerCreated, LedgerRulesChanged
from ledger.statements.license import LicenseAgreed, LicenseEnded
from ledger.statements.listing import ListingRegistered, ListingWithdrawn
from ledger.statements.party import PartyKeyAdded, PartyKeyRevoked, PartyRegistered
from ledger.statements.transfer import TransferAcknowledged, TransferOffered, TransferRefused

KNOWN_RULES = frozenset({1})
"""The versions of the rules that this software can enforce (docs/format.md §6.2)."""

_ThingT = TypeVar("_ThingT", bound=Thing)


def check_references(view: View, statement: Statement) -> None:  # noqa: C901, PLR0912 - one case a type, as in §9.14
    """Step 9.14: raise Refused unless what the statement names exists and the issuer has the role for it."""
    issuer = statement.issuer
    match statement:
        case LedgerCreated():
            if view.ledger is not None:
                raise Refused("already-created", "/type", f"this ledger is {view.ledger.id}")
            _check_rules(statement.rules)
        case LedgerRulesChanged():
            ledger = _ledger(view)
            _check_role(issuer, [ledger.operator])
            if statement.rules != ledger.rules + 1:
                raise Refused("wrong-rules-version", "/rules", f"the version in force is {ledger.rules}")
            _check_rules(statement.rules)
        case PartyRegistered():
            if view.get(PartyFact, party_key(issuer)) is not None:
                raise Refused("name-taken", "/issuer", issuer)
            _check_keys_free(view, statement)
        case PartyKeyAdded():
            _check_keys_free(view, statement)
        case PartyKeyRevoked():
            key = view.get(KeyFact, key_key(statement.keyid))
            if key is None or key.party != issuer:
                raise Refused("unknown-reference", "/keyid", f"not a key of {issuer}")
            _check_open(key.revoked_index, "/keyid")
        case ListingWithdrawn():
            listing = _find(view, ListingFact, statement.listing, "/listing")
            _check_role(issuer, [listing.issuer])
            _check_open(listing.withdrawn_index, "/listing")
        case LicenseAgreed():
            listing = _find(view, ListingFact, statement.listing, "/listing")
            _check_role(issuer, [listing.issuer])
            _check_other_party(view, issuer, statement.licensee, "/licensee")
        case LicenseEnded():
            agreed = _find(view, LicenseFact, statement.license, "/license")
            _check_role(issuer, [agreed.licensor, agreed.licensee])
            _check_open(agreed.ended_index, "/license")
        case TransferOffered():
            _find(view, ListingFact, statement.listing, "/listing")
            if statement.license is not None:
                _find(view, LicenseFact, statement.license, "/license")
            _check_other_party(view, issuer, statement.recipient, "/recipient")
        case TransferAcknowledged() | TransferRefused():
            transfer = _find(view, TransferFact, statement.transfer, "/transfer")
            _check_role(issuer, [transfer.recipient])
            _check_open(transfer.decided_index, "/transfer")


def concerns(view: View, statement: Statement, statement_id: str) -> list[str]:
    """Return the subjects that the statement's entry concerns, sorted (docs/format.md §12.3)."""
    subjects = {statement_id, statement.issuer, *statement.named_parties, *statement.named_ids}
    for keyid in statement.signers:
        key = view.get(KeyFact, key_key(keyid))
        if key is not None:
            subjects.add(key.party)
    for name in statement.named_ids:
        thing = view.get(Thing, name)
        if thing is not None:
            subjects.update(thing.subjects)
    return sorted(subjects)


def apply(  # noqa: C901, PLR0912 - one case a type
    view: View, statement: Statement, statement_id: str, index: int, subjects: list[str]
) -> None:
    """Change the view by a statement that `check_references` let through."""
    issuer = statement.issuer
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
                )
            )
            view.put(PartyFact(index, issuer, list(statement.introduced)))
        case LedgerRulesChanged():
            view.change(_ledger(view), rules=statement.rules)
        case PartyRegistered():
            view.put(PartyFact(index, issuer, list(statement.introduced)))
        case PartyKeyAdded():
            party = view.get(PartyFact, party_key(issuer))
            if party is not None:
                view.change(party, keyids=[*party.keyids, *statement.introduced])
        case PartyKeyRevoked():
            key = view.get(KeyFact, key_key(statement.keyid))
            if key is not None:
                view.change(key, revoked_index=index, compromised_since_ms=statement.compromised_since_ms)
        case ListingRegistered():
            view.put(ListingFact(index, statement_id, subjects, issuer, statement.title))
        case ListingWithdrawn():
            view.change(_find(view, ListingFact, statement.listing, "/listing"), withdrawn_index=index)
        case LicenseAgreed():
            terms = statement.terms.model_dump(exclude_none=True)
            view.put(LicenseFact(index, statement_id, subjects, statement.listing, issuer, statement.licensee, terms))
        case LicenseEnded():
            view.change(_find(view, LicenseFact, statement.license, "/license"), ended_index=index)
        case TransferOffered():
            listing, agreed, recipient = statement.listing, statement.license, statement.recipient
            view.put(TransferFact(index, statement_id, subjects, listing, agreed, issuer, recipient))
        case TransferAcknowledged() | TransferRefused():
            state = "acknowledged" if isinstance(statement, TransferAcknowledged) else "refused"
            transfer = _find(view, TransferFact, statement.transfer, "/transfer")
            view.change(transfer, state=state, decided_index=index)
    for keyid, (public, use) in statement.introduced.items():
        view.put(KeyFact(index, keyid, public.alg, b64encode(public.raw), issuer, use))


def _ledger(view: View) -> LedgerFact:
    if view.ledger is None:
        raise Refused("not-created", "/type", "entry 0 is ledger.created")
    return view.ledger


def _find(view: View, kind: type[_ThingT], name: str, field: str) -> _ThingT:
    thing = view.get(kind, name)
    if thing is None:
        raise Refused("unknown-reference", field, f"no {kind.kind} {name} on this ledger")
    return thing


def _check_role(issuer: str, allowed: list[str]) -> None:
    if issuer not in allowed:
        raise Refused("wrong-role", "/issuer", f"this is for {' or '.join(allowed)}, not for {issuer}")


def _check_open(index: int | None, field: str) -> None:
    if index is not None:
        raise Refused("already-decided", field, f"by entry {index}")


def _check_other_party(view: View, issuer: str, name: str, field: str) -> None:
    if view.get(PartyFact, party_key(name)) is None:
        raise Refused("unknown-party", field, name)
    if name == issuer:
        raise Refused("same-party", field, "the other side is another party")


def _check_keys_free(view: View, statement: Statement) -> None:
    for keyid in statement.introduced:
        if view.get(KeyFact, key_key(keyid)) is not None or keyid in _ledger(view).reserved_keyids:
            raise Refused("key-taken", "/keys", keyid)


def _check_rules(version: int) -> None:
    if version not in KNOWN_RULES:
        raise Refused("unknown-rules", "/rules", f"this software enforces versions {sorted(KNOWN_RULES)} only")
