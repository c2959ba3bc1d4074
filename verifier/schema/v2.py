"""The tables of fields of version 2 of the rules, one a type (docs/statements.md §2–§9).

`?` marks an optional field, `†` a place that may be sealed; `items` is a list whose items may be sealed one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verifier.core.errors import MalformedInput
from verifier.core.jcs import MAX_DEPTH, Json
from verifier.schema.checks import (
    Fault,
    base64,
    boolean,
    codes,
    count,
    hex32,
    id_,
    items,
    line,
    list_of,
    media_type,
    members,
    name,
    sealed,
    set_of,
    size,
    text,
    time,
)
from verifier.schema.v1 import OWN_FIELDS as VERSION_1
from verifier.terms.terms import verify_terms
from verifier.terms.vocabulary import ACTIONS

if TYPE_CHECKING:
    from verifier.schema.checks import Checker

region = purpose = line(200)
action = codes(*ACTIONS)
_document = members({"bytes†": count, "media_type†": media_type, "sha256†": hex32})
_dsp = members({"agreement?†": line(500), "provider_pid?†": line(500), "consumer_pid?†": line(500)}, least=1)
_basis = codes("contract", "court-order", "gdpr-17", "other", "pipl-47")
_classification = members({"level†": line(100), "authority†": line(200), "as_of_ms†": time})
_identity = members(
    {
        "legal_name?†": line(300),
        "jurisdiction?†": line(100),
        "registration?†": members({"authority†": line(300), "number†": line(100)}),
        "certificates?†": members({"chain": list_of(base64(1, 4096), 4), "signature": base64(1, 1024)}),
    },
    least=1,
)
_distribution = members(
    {
        "media_type†": media_type,
        "bytes?†": size,
        "title?†": line(300),
        "sha256?†": hex32,
        "access_url?†": line(2000),
    }
)
_source = members({"title†": line(300), "publisher?†": line(300), "uri?†": line(2000), "retrieved_ms?†": time})
_use = members(
    {
        "classification?†": line(500),
        "consents?†": line(500),
        "copyright?†": line(500),
        "license?†": line(500),
        "patent?†": line(500),
        "privacy_enhancing?†": line(500),
        "trademark?†": line(500),
        "intended_purpose?†": items(line(300), 20),
        "processing_excluded?†": items(line(300), 20),
        "processing_included?†": items(line(300), 20),
        "storage_allowed?†": items(line(300), 20),
        "storage_forbidden?†": items(line(300), 20),
    },
    least=1,
)
_described: dict[str, Checker] = {
    "description?†": text(4000),
    "publisher?†": line(300),
    "rights_holder?†": line(300),
    "version?†": line(50),
    "keywords?†": items(line(100), 20),
    "spatial?†": items(region, 20),
    "temporal?†": members({"from_ms": time, "until_ms": time}),
    "conforms_to?†": items(line(500), 20),
    "distributions?†": items(_distribution, 100),
    "sources?†": items(_source, 50),
    "derived_from?": set_of(id_, 50),
    "classification?†": _classification,
    "use?†": _use,
    "venue?": members({"party?": name, "name?†": line(300), "registration?†": line(200)}, least=1),
}
_derivative = members({"title†": line(300), "listing?": id_, "sha256?†": hex32})


def _object(value: Json) -> None:
    """Check that terms are an object; `_verify_terms` checks what is in it, and needs other fields for that."""
    if type(value) is not dict:
        raise Fault("wrong-type")


OWN_FIELDS: dict[str, dict[str, Checker]] = {
    "ledger.created": VERSION_1["ledger.created"],
    "ledger.rules_changed": VERSION_1["ledger.rules_changed"],
    "party.registered": VERSION_1["party.registered"] | {"identity?†": _identity},
    "party.key_added": VERSION_1["party.key_added"],
    "party.key_revoked": {"keyid": hex32, "compromised_since_ms?": time, "reason?†": text(1000)},
    "listing.registered": {"title†": line(300), "content": sealed, **_described},
    "listing.amended": {"listing": id_, "title?†": line(300), "content?": sealed, **_described},
    "listing.withdrawn": {"listing": id_, "reason?†": text(1000)},
    "classification.changed": {"listing": id_, "classification†": _classification, "reason?†": text(1000)},
    "license.agreed": {
        "listing": id_,
        "licensee": name,
        "valid_from_ms": time,
        "valid_until_ms": time,
        "terms": _object,
        "text?†": _document,
        "governing_law?†": line(300),
        "forum?†": line(300),
        "marking_consent?": boolean,
        "parent?": id_,
        "dsp?†": _dsp,
    },
    "license.amended": {
        "license": id_,
        "valid_from_ms?": time,
        "valid_until_ms?": time,
        "terms?": _object,
        "text?†": _document,
        "governing_law?†": line(300),
        "forum?†": line(300),
        "marking_consent?": boolean,
    },
    "license.ended": {
        "license": id_,
        "code": codes("breach", "convenience", "expired", "insolvency", "other", "regulatory"),
        "effective_ms?": time,
        "notice?†": members({"channel†": line(200), "sent_ms†": time}),
        "reason?†": text(1000),
    },
    "transfer.offered": VERSION_1["transfer.offered"] | {"acknowledge_by_ms?": time, "dsp?†": _dsp},
    "transfer.acknowledged": VERSION_1["transfer.acknowledged"],
    "transfer.refused": {
        "transfer": id_,
        "code": codes("digest-mismatch", "not-received", "not-wanted", "other"),
        "reason?†": text(1000),
        "content?": sealed,
    },
    "transfer.forwarded": {
        "transfer": id_,
        "recipient?": name,
        "outsider?†": line(300),
        "license?": id_,
        "disclosure?": id_,
        "purpose?†": purpose,
        "spatial?†": region,
        "content?": sealed,
    },
    "disclosure.compelled": {
        "transfer?": id_,
        "listing?": id_,
        "authority†": line(300),
        "instrument†": line(500),
        "scope?†": text(4000),
        "demanded_ms?†": time,
    },
    "usage.reported": {
        "license": id_,
        "transfer?": id_,
        "action": action,
        "purpose?†": purpose,
        "spatial?†": region,
        "industry?†": line(200),
        "product?†": line(200),
        "recipient?†": line(200),
        "count?†": count,
        "from_ms?†": time,
        "until_ms?†": time,
        "fulfils?": set_of(action, 20),
        "derivatives?†": items(_derivative, 50),
    },
    "venue.status": {
        "venue": name,
        "status": codes("closed", "operating", "suspended"),
        "note?†": text(1000),
    },
    "claim.opened": {
        "license?": id_,
        "transfer?": id_,
        "respondent": name,
        "clause†": line(500),
        "demand?†": text(4000),
        "evidence?†": _document,
        "answer_by_ms?": time,
        "legal_hold?": boolean,
        "tribunal?": name,
    },
    "claim.answered": {
        "claim": id_,
        "position": codes("admitted", "denied", "partly-admitted"),
        "answer?†": text(4000),
    },
    "claim.determined": {
        "claim": id_,
        "outcome": codes("dismissed", "partly-upheld", "settled", "upheld", "withdrawn"),
        "decision?†": text(4000),
        "document?†": _document,
    },
    "erasure.requested": {
        "license?": id_,
        "transfer?": id_,
        "basis": _basis,
        "erase_by_ms": time,
        "authority?†": line(300),
        "scope?†": text(4000),
    },
    "erasure.attested": {
        "license?": id_,
        "transfer?": id_,
        "statement?": id_,
        "request?": id_,
        "basis": _basis,
        "destroyed": set_of(codes("data", "derivatives", "keys", "salts"), 4),
        "method?†": line(300),
        "pointers?": set_of(line(500), 64),
    },
}
"""The fields that each type has beside the common ones."""

_EXACTLY_ONE = {
    "transfer.forwarded": ("recipient", "outsider"),
    "disclosure.compelled": ("transfer", "listing"),
    "claim.opened": ("license", "transfer"),
    "erasure.requested": ("license", "transfer"),
    "erasure.attested": ("license", "transfer", "statement"),
}
_AT_LEAST_ONE = {
    kind: frozenset(field.rstrip("?†") for field in OWN_FIELDS[kind] if "?" in field)
    for kind in ("listing.amended", "license.amended")
}


def verify_relations(statement: dict[str, Any]) -> None:
    """Check what version 2 says of several fields at once, and what machine terms are."""
    kind = statement["type"]
    if choice := _EXACTLY_ONE.get(kind):
        _verify_exactly_one(statement, choice)
    if (any_of := _AT_LEAST_ONE.get(kind)) and not any_of & statement.keys():
        raise Fault("missing-field")
    if kind == "erasure.attested":
        _verify_attested_places(statement)
    if kind == "license.agreed" and statement["valid_until_ms"] <= statement["valid_from_ms"]:
        raise Fault("wrong-value", "/valid_until_ms")
    if "terms" in statement:
        _verify_terms(statement)


def _verify_exactly_one(statement: dict[str, Any], choice: tuple[str, ...]) -> None:
    present = [field for field in choice if field in statement]
    if not present:
        raise Fault("missing-field", f"/{choice[0]}")
    if len(present) > 1:
        raise Fault("unknown-field", f"/{present[-1]}")


def _verify_attested_places(statement: dict[str, Any]) -> None:
    """Check that pointers stand beside a statement, and only there (docs/statements.md §9)."""
    if "statement" not in statement:
        if "pointers" in statement:
            raise Fault("unknown-field", "/pointers")
    elif "pointers" not in statement:
        raise Fault("missing-field", "/pointers")
    elif "request" in statement:
        raise Fault("unknown-field", "/request")


def _verify_terms(statement: dict[str, Any]) -> None:
    """Check machine terms (docs/terms.md §1–§3) against the statement that they stand in.

    An amendment's listing and parties are those of its license, which step 9.14 looks up.
    """
    terms = statement["terms"]
    _verify_depth(terms, 2)
    try:
        if statement["type"] == "license.agreed":
            verify_terms(terms, statement["listing"], statement["issuer"], statement["licensee"])
        else:
            verify_terms(terms)
    except MalformedInput as error:
        raise Fault(error.reason, f"/terms{error.detail}") from None


def _verify_depth(value: Json, depth: int) -> None:
    """Refuse terms that nest too deeply: of all fields, only they can (docs/format.md §1.3)."""
    if isinstance(value, dict | list):
        if depth > MAX_DEPTH:
            raise Fault("too-deep")
        for member in value.values() if isinstance(value, dict) else value:
            _verify_depth(member, depth + 1)
