"""What a statement refers to, and whether its issuer may say it: step 9.14, one function a type.

docs/format.md §9.14 for version 1, docs/statements.md §2–§5 for version 2; §6–§9 of it are in verifier/rules/claims.py,
sealed pools (§5) in verifier/rules/pools.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.core.checks import Check
from verifier.core.errors import MalformedInput
from verifier.core.ids import id_bytes, id_text
from verifier.core.notes import TYPE_ED25519, parse_vkey
from verifier.rules.claims import (
    claim_answered,
    claim_determined,
    claim_opened,
    disclosure_compelled,
    erasure_attested,
    erasure_requested,
    usage_reported,
    venue_status,
)
from verifier.rules.pools import transfer_prepared, transfer_requested, verify_marked
from verifier.rules.refusal import (
    find_license,
    find_listing,
    find_transfer,
    refuse,
    refuse_unknown,
    verify_equal,
    verify_issuer,
    verify_other_party,
    verify_registered,
    verify_undecided,
)
from verifier.rules.registry import log_key_id
from verifier.schema.entries import PAYLOAD_TYPE
from verifier.schema.versions import KNOWN_RULES, STATEMENT_TYPES
from verifier.terms.terms import verify_parties

if TYPE_CHECKING:
    from collections.abc import Callable

    from verifier.rules.examine import Statement
    from verifier.rules.registry import Registry

LASTING_FORMS = 4
"""The version of the rules since which ML-DSA-44 is allowed (docs/statements.md §1.3)."""
MAX_LOG_KEYS = 8
MACHINE_TERMS = 2
"""The version of the rules since which the terms of a license are judged by machine, and may be amended."""


def _created(_registry: Registry, statement: Statement, index: int) -> None:
    if index != 0:
        refuse(Check.REFERENCE, "already-created", index, "/type", actual=statement.kind)


def _rules_changed(registry: Registry, statement: Statement, index: int) -> None:
    body = statement.body
    if statement.issuer != registry.operator:
        refuse(Check.REFERENCE, "wrong-role", index, "/issuer", registry.operator, statement.issuer)
    if body["rules"] != registry.rules + 1:
        refuse(
            Check.REFERENCE, "wrong-rules-version", index, "/rules", str(registry.rules + 1), str(body["rules"])
        )  # fmt: skip
    if body["rules"] not in KNOWN_RULES:
        return  # taken as good: what its lists may say is not known here (docs/format.md §9.14)
    forms = ["ed25519"] if body["rules"] < LASTING_FORMS else ["ed25519", "ml-dsa-44"]
    for name, allowed in (("payload_types", [PAYLOAD_TYPE]), ("signature_forms", forms)):
        if body[name] != allowed:
            refuse(Check.REFERENCE, "wrong-value", index, f"/{name}", " ".join(allowed), " ".join(body[name]))
    if unknown := set(body["statement_types"]) - STATEMENT_TYPES[body["rules"]]:
        refuse(Check.REFERENCE, "wrong-value", index, "/statement_types", actual=min(unknown))


def _log_key_added(registry: Registry, statement: Statement, index: int) -> None:
    verify_issuer(statement, index, registry.operator)
    key = parse_vkey(statement.body["log_key"])
    if key.name != registry.origin:
        refuse(Check.REFERENCE, "wrong-value", index, "/log_key", registry.origin, key.name)
    keyid = log_key_id(key)
    if keyid in registry.keys or keyid in registry.reserved_keyids:
        refuse(Check.REFERENCE, "key-taken", index, "/log_key", actual=keyid)
    if len(registry.log_vkeys) >= MAX_LOG_KEYS:
        refuse(Check.REFERENCE, "wrong-value", index, "/log_key", f"≤ {MAX_LOG_KEYS} in force")


def _log_key_retired(registry: Registry, statement: Statement, index: int) -> None:
    verify_issuer(statement, index, registry.operator)
    retired = statement.body["log_key"]
    if retired not in registry.log_vkeys:
        refuse(Check.REFERENCE, "unknown-reference", index, "/log_key", " ".join(registry.log_vkeys), retired)
    if not any(parse_vkey(vkey).kind == TYPE_ED25519 for vkey in registry.log_vkeys if vkey != retired):
        refuse(Check.REFERENCE, "wrong-value", index, "/log_key", "another key of type 0x01 in force", retired)


def _keys_free(registry: Registry, statement: Statement, index: int) -> None:
    for key in statement.introduced:
        if key.keyid in registry.keys or key.keyid in registry.reserved_keyids:
            refuse(Check.REFERENCE, "key-taken", index, actual=key.keyid)


def _party_registered(registry: Registry, statement: Statement, index: int) -> None:
    if statement.issuer in registry.parties:
        refuse(Check.REFERENCE, "name-taken", index, "/issuer", actual=statement.issuer)
    _keys_free(registry, statement, index)


def _key_revoked(registry: Registry, statement: Statement, index: int) -> None:
    keyid = statement.body["keyid"]
    key = registry.keys.get(keyid)
    if key is None or key.owner != statement.issuer:
        refuse(Check.REFERENCE, "unknown-reference", index, "/keyid", actual=keyid)
    if key.revoked_index is not None:
        refuse(Check.REFERENCE, "already-decided", index, "/keyid", actual=f"revoked at entry {key.revoked_index}")


def _listing_described(registry: Registry, statement: Statement, index: int) -> None:
    """Check what a description names: other listings, and the venue (docs/statements.md §3)."""
    for position, source in enumerate(statement.body.get("derived_from", ())):
        find_listing(registry, id_bytes(source), index, f"/derived_from/{position}")
    venue = statement.body.get("venue", {})
    if "party" in venue:
        verify_registered(registry, venue["party"], index, "/venue/party")


def _listing_changed(registry: Registry, statement: Statement, index: int) -> None:
    listing = find_listing(registry, statement.body.id("listing"), index)
    verify_issuer(statement, index, listing.issuer)
    verify_undecided(listing.withdrawn_index, index)


def _listing_amended(registry: Registry, statement: Statement, index: int) -> None:
    _listing_changed(registry, statement, index)
    _listing_described(registry, statement, index)


def _license_agreed(registry: Registry, statement: Statement, index: int) -> None:
    body = statement.body
    listing = find_listing(registry, body.id("listing"), index)
    if "parent" in body:
        parent = find_license(registry, body.id("parent"), index, "/parent")
        verify_equal(id_text(parent.listing), body["listing"], index, "/listing")
        verify_issuer(statement, index, parent.licensee)
    else:
        verify_issuer(statement, index, listing.issuer)
    verify_other_party(registry, statement, body["licensee"], index, "/licensee")


def _license_amended(registry: Registry, statement: Statement, index: int) -> None:
    body = statement.body
    terms = find_license(registry, body.id("license"), index)
    if terms.rules < MACHINE_TERMS:
        actual = f"agreed under version {terms.rules}"
        refuse(
            Check.REFERENCE, "wrong-value", index, "/license", f"agreed under version {MACHINE_TERMS} or later", actual
        )
    verify_issuer(statement, index, terms.licensor, terms.licensee)
    verify_undecided(terms.ended_index, index)
    valid_from_ms = body.get("valid_from_ms", terms.valid_from_ms)
    valid_until_ms = body.get("valid_until_ms", terms.valid_until_ms)
    if valid_until_ms <= valid_from_ms:
        where = "/valid_until_ms" if "valid_until_ms" in body else "/valid_from_ms"
        refuse(Check.REFERENCE, "wrong-value", index, where, f"until > {valid_from_ms}", f"until {valid_until_ms}")
    if "terms" in body:
        try:
            verify_parties(body["terms"], id_text(terms.listing), terms.licensor, terms.licensee)
        except MalformedInput as error:
            refuse(Check.REFERENCE, error.reason, index, f"/terms{error.detail}")


def _license_ended(registry: Registry, statement: Statement, index: int) -> None:
    terms = find_license(registry, statement.body.id("license"), index)
    verify_issuer(statement, index, terms.licensor, terms.licensee)
    verify_undecided(terms.ended_index, index)


def _transfer_offered(registry: Registry, statement: Statement, index: int) -> None:
    offer = statement.offer
    if offer.listing not in registry.listings:
        refuse_unknown(index, "/listing", offer.listing)
    if offer.license is not None and offer.license not in registry.licenses:
        refuse_unknown(index, "/license", offer.license)
    verify_other_party(registry, statement, offer.recipient, index, "/recipient")
    verify_marked(registry, statement, index)


def _transfer_acknowledged(registry: Registry, statement: Statement, index: int) -> None:
    _transfer_decided(registry, statement, index)
    opens, content = statement.body.get("opens"), registry.transfers[statement.body.id("transfer")].content
    if opens is not None and content is not None:
        verify_equal(content.hex(), opens, index, "/opens")


def _transfer_decided(registry: Registry, statement: Statement, index: int) -> None:
    transfer = find_transfer(registry, statement.body.id("transfer"), index)
    verify_issuer(statement, index, transfer.recipient)
    verify_undecided(transfer.decided_index, index)


def _transfer_forwarded(registry: Registry, statement: Statement, index: int) -> None:
    body = statement.body
    transfer = find_transfer(registry, body.id("transfer"), index)
    verify_issuer(statement, index, transfer.recipient)
    if "license" in body:
        find_license(registry, body.id("license"), index)
    if "disclosure" in body and (named := body.id("disclosure")) not in registry.disclosures:
        refuse_unknown(index, "/disclosure", named)
    if "recipient" in body:
        verify_other_party(registry, statement, body["recipient"], index, "/recipient")


_REFERENCES: dict[str, Callable[[Registry, Statement, int], None]] = {
    "ledger.created": _created,
    "ledger.rules_changed": _rules_changed,
    "ledger.log_key_added": _log_key_added,
    "ledger.log_key_retired": _log_key_retired,
    "party.registered": _party_registered,
    "party.key_added": _keys_free,
    "party.key_revoked": _key_revoked,
    "listing.registered": _listing_described,
    "listing.amended": _listing_amended,
    "listing.withdrawn": _listing_changed,
    "classification.changed": _listing_changed,
    "license.agreed": _license_agreed,
    "license.amended": _license_amended,
    "license.ended": _license_ended,
    "transfer.prepared": transfer_prepared,
    "transfer.requested": transfer_requested,
    "transfer.offered": _transfer_offered,
    "transfer.acknowledged": _transfer_acknowledged,
    "transfer.refused": _transfer_decided,
    "transfer.forwarded": _transfer_forwarded,
    "disclosure.compelled": disclosure_compelled,
    "usage.reported": usage_reported,
    "venue.status": venue_status,
    "claim.opened": claim_opened,
    "claim.answered": claim_answered,
    "claim.determined": claim_determined,
    "erasure.requested": erasure_requested,
    "erasure.attested": erasure_attested,
}


def verify_references(registry: Registry, statement: Statement, index: int) -> None:
    """Check the references and roles of a statement (docs/format.md §9.14).

    Raises `CheckFailed` with check `reference`.
    """
    _REFERENCES[statement.kind](registry, statement, index)
