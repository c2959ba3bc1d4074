"""One statement of every type of version 2 with every field it can have, and where it may be sealed.

Written from the tables of docs/statements.md alone: `SEALABLE` lists the places marked †, `*` being any position.
"""

from __future__ import annotations

from typing import Any

from tests.verifier.builder import ORIGIN, Builder, agreement, b64, key_from, keyid, public, vkey
from verifier.schema.versions import NEWEST_RULES

ID, OTHER_ID, HEX = "sha256:" + "1" * 64, "sha256:" + "2" * 64, "ab" * 32
SEALED = {"sealed": HEX}
TIME = 1_800_000_000_000
_KEYS = {"keys": [public(key_from("a"))], "recovery_keys": [public(key_from("b"))]}
_DOCUMENT = {"bytes": 5, "media_type": "application/pdf", "sha256": HEX}
_DSP = {"agreement": "urn:1", "provider_pid": "urn:2", "consumer_pid": "urn:3"}
_CLASSIFICATION = {"level": "public", "authority": "acme", "as_of_ms": TIME}
_DESCRIBED: dict[str, Any] = {
    "content": SEALED,
    "description": "a\nb",
    "publisher": "Acme",
    "rights_holder": "Acme",
    "version": "1.2",
    "keywords": ["one", "two"],
    "spatial": ["DE", "FR"],
    "temporal": {"from_ms": 9, "until_ms": 3},
    "conforms_to": ["https://example.com/schema"],
    "distributions": [{"media_type": "text/csv", "bytes": 0, "title": "csv", "sha256": HEX, "access_url": "https://x"}],
    "sources": [{"title": "us", "publisher": "us", "uri": "https://us", "retrieved_ms": TIME}],
    "derived_from": [ID, OTHER_ID],
    "classification": _CLASSIFICATION,
    "use": {
        **dict.fromkeys(("classification", "consents", "copyright", "license"), "word"),
        **dict.fromkeys(("patent", "privacy_enhancing", "trademark"), "word"),
        **{name: ["some", "words"] for name in ("intended_purpose", "processing_excluded", "processing_included")},
        **{name: ["some", "words"] for name in ("storage_allowed", "storage_forbidden")},
    },
    "venue": {"party": "exchange", "name": "The Exchange", "registration": "No. 1"},
}
_DEADLINE = {"leftOperand": "elapsedTime", "operator": "lteq",
             "rightOperand": {"@type": "xsd:duration", "@value": "P30D"}}  # fmt: skip
TERMS = agreement(ID, "acme", "birch", obligation=[{"action": "delete", "constraint": [_DEADLINE]}])

EXAMPLES: dict[str, dict[str, Any]] = {
    "ledger.created": {
        "origin": ORIGIN,
        **_KEYS,
        "log_keys": [vkey(ORIGIN, 1, key_from("log"))],
        "service_key": public(key_from("service")),
        "rules": NEWEST_RULES,
        "relation": "none",
        "admission": "open",
        "predecessor": {"ledger": ID, "root": HEX, "size": 1},
    },
    "ledger.rules_changed": {
        "rules": NEWEST_RULES,
        "payload_types": ["a"],
        "statement_types": ["a", "b"],
        "signature_forms": ["ed25519"],
    },
    "party.registered": _KEYS
    | {
        "identity": {
            "legal_name": "Acme AG",
            "jurisdiction": "CH",
            "registration": {"authority": "Zug", "number": "CHE-1"},
            "certificates": {"chain": [b64(b"x" * 4096), b64(b"y")], "signature": b64(b"z" * 1024)},
        }
    },
    "party.key_added": {"key": public(key_from("a")), "use": "signing"},
    "party.key_revoked": {"keyid": keyid(key_from("a")), "compromised_since_ms": TIME, "reason": "lost"},
    "listing.registered": {"title": "Airports", **_DESCRIBED},
    "listing.amended": {"listing": ID, "title": "Airports", **_DESCRIBED},
    "listing.withdrawn": {"listing": ID, "reason": "sold"},
    "classification.changed": {"listing": ID, "classification": _CLASSIFICATION, "reason": "a new law"},
    "license.agreed": {
        "listing": ID,
        "licensee": "birch",
        "valid_from_ms": 1,
        "valid_until_ms": 2,
        "terms": TERMS,
        "text": _DOCUMENT,
        "governing_law": "Swiss",
        "forum": "Zug",
        "marking_consent": True,
        "parent": OTHER_ID,
        "dsp": _DSP,
    },
    "license.amended": {
        "license": ID,
        "valid_from_ms": 2,
        "valid_until_ms": 1,
        "terms": TERMS,
        "text": _DOCUMENT,
        "governing_law": "Swiss",
        "forum": "Zug",
        "marking_consent": False,
    },
    "license.ended": {
        "license": ID,
        "code": "breach",
        "effective_ms": TIME,
        "notice": {"channel": "post", "sent_ms": TIME},
        "reason": "unpaid",
    },
    "transfer.offered": {
        "listing": ID,
        "license": OTHER_ID,
        "recipient": "birch",
        "content": SEALED,
        "acknowledge_by_ms": TIME,
        "dsp": _DSP,
        "marks": {
            "prepared": ID,
            "file": 0,
            "retired": [0, 7],
            "coin": {"salt": b64(bytes(16)), "value": b64(bytes(32))},
        },
    },
    "transfer.acknowledged": {"transfer": ID, "content": SEALED, "opens": HEX},
    "transfer.prepared": {
        "listing": ID,
        "recipient": "birch",
        "bound": "0.001",
        "method": "canary",
        "recipients": 2,
        "coin": SEALED,
        "seal": SEALED,
    },
    "transfer.requested": {"prepared": ID, "coin": b64(bytes(32))},
    "transfer.refused": {"transfer": ID, "code": "digest-mismatch", "reason": "cut", "content": SEALED},
    "transfer.forwarded": {
        "transfer": ID,
        "outsider": "Dana Ltd",
        "license": OTHER_ID,
        "disclosure": OTHER_ID,
        "purpose": "Marketing",
        "spatial": "DE",
        "content": SEALED,
    },
    "disclosure.compelled": {
        "transfer": ID,
        "authority": "a court",
        "instrument": "an order",
        "scope": "all",
        "demanded_ms": TIME,
    },
    "usage.reported": {
        "license": ID,
        "transfer": OTHER_ID,
        "action": "train",
        **dict.fromkeys(("purpose", "spatial", "industry", "product", "recipient"), "word"),
        "count": 3,
        "from_ms": 5,
        "until_ms": 4,
        "fulfils": ["attribute", "inform"],
        "derivatives": [{"title": "model", "listing": ID, "sha256": HEX}],
    },
    "venue.status": {"venue": "exchange", "status": "closed", "note": "for good"},
    "claim.opened": {
        "license": ID,
        "respondent": "birch",
        "clause": "4.2",
        "demand": "stop",
        "evidence": _DOCUMENT,
        "answer_by_ms": TIME,
        "legal_hold": True,
        "tribunal": "cedar",
    },
    "claim.answered": {"claim": ID, "position": "partly-admitted", "answer": "well"},
    "claim.determined": {"claim": ID, "outcome": "partly-upheld", "decision": "so", "document": _DOCUMENT},
    "erasure.requested": {
        "license": ID,
        "basis": "gdpr-17",
        "erase_by_ms": TIME,
        "authority": "a court",
        "scope": "all",
    },
    "erasure.attested": {
        "transfer": ID,
        "request": OTHER_ID,
        "basis": "contract",
        "destroyed": ["data", "derivatives", "keys", "salts"],
        "method": "shredded",
    },
}

_DOCUMENT_PLACES = "{0} {0}/bytes {0}/media_type {0}/sha256"
_DSP_PLACES = "/dsp /dsp/agreement /dsp/provider_pid /dsp/consumer_pid"
_CLASSIFICATION_PLACES = "/classification /classification/level /classification/authority /classification/as_of_ms"
_DESCRIBED_PLACES = f"""/title /description /publisher /rights_holder /version /keywords /keywords/* /spatial /spatial/*
    /temporal /conforms_to /conforms_to/* {_CLASSIFICATION_PLACES}
    /distributions /distributions/* /distributions/*/media_type /distributions/*/bytes /distributions/*/title
    /distributions/*/sha256 /distributions/*/access_url
    /sources /sources/* /sources/*/title /sources/*/publisher /sources/*/uri /sources/*/retrieved_ms
    /use /use/classification /use/consents /use/copyright /use/license /use/patent /use/privacy_enhancing /use/trademark
    /use/intended_purpose /use/intended_purpose/* /use/processing_excluded /use/processing_excluded/*
    /use/processing_included /use/processing_included/* /use/storage_allowed /use/storage_allowed/*
    /use/storage_forbidden /use/storage_forbidden/* /venue/name /venue/registration"""
_CONSTRAINT = "/terms/obligation/*/constraint/*"
_TERMS_PLACES = f"{_CONSTRAINT} {_CONSTRAINT}/rightOperand"
SEALABLE: dict[str, str] = {
    "party.registered": "/identity /identity/legal_name /identity/jurisdiction /identity/registration "
    "/identity/registration/authority /identity/registration/number /identity/certificates",
    "party.key_revoked": "/reason",
    "listing.registered": _DESCRIBED_PLACES,
    "listing.amended": _DESCRIBED_PLACES,
    "listing.withdrawn": "/reason",
    "classification.changed": f"{_CLASSIFICATION_PLACES} /reason",
    "license.agreed": f"{_TERMS_PLACES} {_DOCUMENT_PLACES.format('/text')} /governing_law /forum {_DSP_PLACES}",
    "license.amended": f"{_TERMS_PLACES} {_DOCUMENT_PLACES.format('/text')} /governing_law /forum",
    "license.ended": "/notice /notice/channel /notice/sent_ms /reason",
    "transfer.offered": _DSP_PLACES,
    "transfer.refused": "/reason",
    "transfer.forwarded": "/outsider /purpose /spatial",
    "disclosure.compelled": "/authority /instrument /scope /demanded_ms",
    "usage.reported": "/purpose /spatial /industry /product /recipient /count /from_ms /until_ms "
    "/derivatives /derivatives/* /derivatives/*/title /derivatives/*/sha256",
    "venue.status": "/note",
    "claim.opened": f"/clause /demand {_DOCUMENT_PLACES.format('/evidence')}",
    "claim.answered": "/answer",
    "claim.determined": f"/decision {_DOCUMENT_PLACES.format('/document')}",
    "erasure.requested": "/authority /scope",
    "erasure.attested": "/method",
}

OPTIONAL: dict[str, str] = {
    "ledger.created": "predecessor",
    "party.registered": "identity",
    "party.key_revoked": "compromised_since_ms reason",
    "listing.registered": "description publisher rights_holder version keywords spatial temporal conforms_to "
    "distributions sources derived_from classification use venue",
    "listing.amended": "title content description publisher rights_holder version keywords spatial temporal "
    "conforms_to distributions sources derived_from classification use venue",
    "listing.withdrawn": "reason",
    "classification.changed": "reason",
    "license.agreed": "text governing_law forum marking_consent parent dsp",
    "license.amended": "valid_from_ms valid_until_ms terms text governing_law forum marking_consent",
    "license.ended": "effective_ms notice reason",
    "transfer.offered": "license acknowledge_by_ms dsp marks",
    "transfer.refused": "reason content",
    "transfer.forwarded": "license disclosure purpose spatial content",
    "disclosure.compelled": "scope demanded_ms",
    "usage.reported": "transfer purpose spatial industry product recipient count from_ms until_ms fulfils derivatives",
    "venue.status": "note",
    "claim.opened": "demand evidence answer_by_ms legal_hold tribunal",
    "claim.answered": "answer",
    "claim.determined": "decision document",
    "erasure.requested": "authority scope",
    "erasure.attested": "request method",
}
"""Fields that may be left out, by name; what stands for another field (`outsider`) is not among them."""


def example(kind: str) -> dict[str, Any]:
    """Return a whole statement of a type, with every field that it can have; nothing of it is signed."""
    builder = Builder(ledger=OTHER_ID)
    common: dict[str, Any] = {
        "type": kind,
        "issuer": "acme",
        "nonce": b64(bytes(16)),
        "signers": [keyid(key_from("a"))],
    }
    common |= {"issued_ms": builder.time_ms, "not_after_ms": builder.time_ms + 1}
    in_a_ledger = {"ledger": OTHER_ID, "seen": {"root": HEX, "size": 1}} if kind != "ledger.created" else {}
    return common | in_a_ledger | EXAMPLES[kind]
