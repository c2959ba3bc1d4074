"""From payload bytes to a typed statement, or a reason (docs/format.md §9.2, §9.3)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ledger.core.dsse import MAX_PAYLOAD_BYTES
from ledger.core.encoding import Json, parse_canonical
from ledger.core.errors import FormatError, pointer
from ledger.statements.common import Statement
from ledger.statements.fields import Model
from ledger.statements.ledger import LedgerCreated, LedgerRulesChanged
from ledger.statements.license import LicenseAgreed, LicenseEnded
from ledger.statements.listing import ListingRegistered, ListingWithdrawn
from ledger.statements.party import PartyKeyAdded, PartyKeyRevoked, PartyRegistered
from ledger.statements.transfer import TransferAcknowledged, TransferOffered, TransferRefused

STATEMENTS: dict[str, type[Statement]] = {
    "ledger.created": LedgerCreated,
    "ledger.rules_changed": LedgerRulesChanged,
    "license.agreed": LicenseAgreed,
    "license.ended": LicenseEnded,
    "listing.registered": ListingRegistered,
    "listing.withdrawn": ListingWithdrawn,
    "party.key_added": PartyKeyAdded,
    "party.key_revoked": PartyKeyRevoked,
    "party.registered": PartyRegistered,
    "transfer.acknowledged": TransferAcknowledged,
    "transfer.offered": TransferOffered,
    "transfer.refused": TransferRefused,
}
"""Every type that version 1 of the rules allows (docs/format.md §6.2)."""

_REASONS = {"missing": "missing-field", "extra_forbidden": "unknown-field"}
_WORDS = {
    "missing": "this field is needed",
    "extra_forbidden": "a statement of this type has no such field",
    "string_pattern_mismatch": "not in the form that docs/format.md §5 gives",
}
_ModelT = TypeVar("_ModelT", bound=Model)


def parse_statement(payload: bytes) -> Statement:
    """Parse a payload; raise FormatError with the reason and the field at fault."""
    return read_statement(parse_payload(payload)["type"], payload)


def parse_payload(payload: bytes) -> dict[str, Json]:
    """Parse a payload as far as §9.2 goes: canonical JSON, an object, a known type; raise FormatError."""
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
    if kind not in STATEMENTS:
        raise FormatError("unknown-type", "/type", kind[:100])
    return document


def read_statement(kind: str, payload: bytes) -> Statement:
    """Read a payload that `parse_payload` let through, as a statement of its type (§9.3); raise FormatError.

    pydantic's own JSON reader keeps the last of two equal keys: it may read only what is known to be canonical.
    """
    return _read(partial(STATEMENTS[kind].model_validate_json, payload))


def read_model(model: type[_ModelT], document: Json) -> _ModelT:
    """Read a JSON value as `model`; raise FormatError for the first error that pydantic found."""
    return _read(partial(model.model_validate, document))


def _read(validate: Callable[[], _ModelT]) -> _ModelT:
    try:
        return validate()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = pointer(*first["loc"]) + first.get("ctx", {}).get("field", "")
        raise FormatError(_reason(first), field, _WORDS.get(first["type"], first["msg"])) from error


def _reason(error: ErrorDetails) -> str:
    kind = error["type"]
    if kind in _REASONS:
        return _REASONS[kind]
    if "-" in kind:
        return kind
    if kind == "literal_error" and not isinstance(error["input"], str):
        return "wrong-type"
    return "wrong-type" if kind.endswith("_type") else "wrong-value"
