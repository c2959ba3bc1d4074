"""From payload bytes to a typed statement under a version of the rules, or a reason (docs/format.md §9.2, §9.3)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from ledger.core.dsse import MAX_PAYLOAD_BYTES
from ledger.core.encoding import Json, parse_canonical
from ledger.core.errors import FormatError
from ledger.core.keys import SIGNATURE_BYTES
from ledger.statements import version_1, version_2, version_4, version_5
from ledger.statements.claim import ClaimAnswered, ClaimDetermined, ClaimOpened
from ledger.statements.common import Statement
from ledger.statements.erasure import ErasureAttested, ErasureRequested
from ledger.statements.ledger import LedgerCreated, LedgerLogKeyAdded, LedgerLogKeyRetired, LedgerRulesChanged
from ledger.statements.license import LicenseAgreed, LicenseAmended, LicenseEnded
from ledger.statements.listing import ClassificationChanged, ListingAmended, ListingRegistered, ListingWithdrawn
from ledger.statements.party import PartyKeyAdded, PartyKeyRevoked, PartyRegistered
from ledger.statements.reading import read_json
from ledger.statements.transfer import (
    DisclosureCompelled,
    TransferAcknowledged,
    TransferForwarded,
    TransferOffered,
    TransferPrepared,
    TransferRefused,
    TransferRequested,
)
from ledger.statements.usage import UsageReported
from ledger.statements.venue import VenueStatus

_VERSION_1: dict[str, type[Statement]] = {
    "ledger.created": version_4.LedgerCreated,
    "ledger.rules_changed": LedgerRulesChanged,
    "license.agreed": version_1.LicenseAgreed,
    "license.ended": version_1.LicenseEnded,
    "listing.registered": version_1.ListingRegistered,
    "listing.withdrawn": version_1.ListingWithdrawn,
    "party.key_added": version_4.PartyKeyAdded,
    "party.key_revoked": version_1.PartyKeyRevoked,
    "party.registered": version_1.PartyRegistered,
    "transfer.acknowledged": version_5.TransferAcknowledged,
    "transfer.offered": version_1.TransferOffered,
    "transfer.refused": version_1.TransferRefused,
}
_VERSION_2: dict[str, type[Statement]] = {
    "claim.answered": ClaimAnswered,
    "claim.determined": ClaimDetermined,
    "claim.opened": ClaimOpened,
    "classification.changed": ClassificationChanged,
    "disclosure.compelled": DisclosureCompelled,
    "erasure.attested": ErasureAttested,
    "erasure.requested": ErasureRequested,
    "ledger.created": version_4.LedgerCreated,
    "ledger.rules_changed": LedgerRulesChanged,
    "license.agreed": version_5.LicenseAgreed,
    "license.amended": version_5.LicenseAmended,
    "license.ended": LicenseEnded,
    "listing.amended": ListingAmended,
    "listing.registered": ListingRegistered,
    "listing.withdrawn": ListingWithdrawn,
    "party.key_added": version_4.PartyKeyAdded,
    "party.key_revoked": PartyKeyRevoked,
    "party.registered": version_4.PartyRegistered,
    "transfer.acknowledged": version_5.TransferAcknowledged,
    "transfer.forwarded": TransferForwarded,
    "transfer.offered": version_2.TransferOffered,
    "transfer.refused": TransferRefused,
    "usage.reported": UsageReported,
    "venue.status": VenueStatus,
}
_VERSION_3: dict[str, type[Statement]] = _VERSION_2 | {"transfer.offered": version_5.TransferOffered}
_VERSION_4: dict[str, type[Statement]] = _VERSION_3 | {
    "ledger.log_key_added": LedgerLogKeyAdded,
    "ledger.log_key_retired": LedgerLogKeyRetired,
}
_VERSION_5: dict[str, type[Statement]] = _VERSION_4 | {
    "ledger.created": LedgerCreated,
    "party.key_added": PartyKeyAdded,
    "party.registered": PartyRegistered,
}
_VERSION_6: dict[str, type[Statement]] = _VERSION_5 | {
    "license.agreed": LicenseAgreed,
    "license.amended": LicenseAmended,
    "transfer.acknowledged": TransferAcknowledged,
    "transfer.offered": TransferOffered,
    "transfer.prepared": TransferPrepared,
    "transfer.requested": TransferRequested,
}

STATEMENTS: dict[int, dict[str, type[Statement]]] = {
    1: _VERSION_1,
    2: _VERSION_2,
    3: _VERSION_3,
    4: _VERSION_4,
    5: _VERSION_5,
    6: _VERSION_6,
}
"""Every type of each version of the rules (docs/format.md §6, docs/statements.md)."""
_FIRST_FORMS, _LASTING_FORMS = ["ed25519"], ["ed25519", "ml-dsa-44"]
SIGNATURE_FORMS = {version: _FIRST_FORMS if version < 4 else _LASTING_FORMS for version in STATEMENTS}
"""The forms of signatures that each version allows (docs/statements.md §1.3)."""
LASTING_KEYS = 5
"""The version since which parties may have keys of ML-DSA-44 (docs/format.md §3.1)."""
NEWEST_RULES = max(STATEMENTS)
"""The newest version of the rules that there is (docs/statements.md §1.3)."""


class InForce(NamedTuple):
    """What statements are read by: a version of the rules, and the types that are allowed under it."""

    version: int
    types: frozenset[str]

    @classmethod
    def of(cls, version: int, types: Collection[str] | None = None) -> InForce:
        """Return the version with these types, or with all that it has."""
        return cls(version, frozenset(STATEMENTS[version] if types is None else types))


def check_forms(signatures: Sequence[tuple[str, bytes]], rules: int) -> None:
    """Raise FormatError for a signature of a width that only a later version of the rules knows (§4.1, step 9.1)."""
    if rules >= LASTING_KEYS:
        return
    for at, (_, signature) in enumerate(signatures):
        if len(signature) != SIGNATURE_BYTES:
            raise FormatError("malformed-signature", f"/signatures/{at}/sig", f"{SIGNATURE_BYTES} bytes")


def parse_statement(payload: bytes, rules: int = NEWEST_RULES) -> Statement:
    """Parse a payload under a version of the rules; raise FormatError with the reason and the field at fault."""
    return read_statement(parse_payload(payload, STATEMENTS[rules])["type"], payload, rules)


def parse_payload(payload: bytes, allowed: Collection[str] = STATEMENTS[NEWEST_RULES]) -> dict[str, Json]:
    """Parse a payload as far as §9.2 goes: canonical JSON, an object, a type that is `allowed`; raise FormatError."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise FormatError("too-large", detail=f"a payload has at most {MAX_PAYLOAD_BYTES} bytes")
    document = parse_canonical(payload)
    if not isinstance(document, dict):
        raise FormatError("not-an-object", detail="a statement is an object")
    if "type" not in document:
        raise FormatError("missing-field", "/type")
    kind = document["type"]
    if not isinstance(kind, str):
        raise FormatError("wrong-type", "/type", "a string")
    if kind not in allowed:
        raise FormatError("unknown-type", "/type", kind[:100])
    return document


def read_statement(kind: str, payload: bytes, rules: int = NEWEST_RULES) -> Statement:
    """Read a payload that `parse_payload` let through, as a statement of its type (§9.3); raise FormatError."""
    return read_json(STATEMENTS[rules][kind], payload)
