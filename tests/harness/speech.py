"""Makers of valid statements of every type, as JSON objects that a test may then spoil."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from ledger.core.commitment import Place, commit
from ledger.core.dsse import Envelope, sign
from ledger.core.encoding import Json, b64encode, canonical
from ledger.core.keys import Signer
from ledger.core.note import ED25519_TYPE, NoteKey
from tests.harness.agreements import fixed_members, use_permitted
from tests.harness.people import Person

START_MS = 1_700_000_000_000
DAY_MS = 24 * 60 * 60 * 1000
OPENING_SINCE = 6
"""The version of the rules since which an acknowledgement opens the offer's commitment, and marks come from a pool."""
TYPES_2 = (
    "claim.answered", "claim.determined", "claim.opened", "classification.changed", "disclosure.compelled",
    "erasure.attested", "erasure.requested", "ledger.created", "ledger.rules_changed", "license.agreed",
    "license.amended", "license.ended", "listing.amended", "listing.registered", "listing.withdrawn",
    "party.key_added", "party.key_revoked", "party.registered", "transfer.acknowledged", "transfer.forwarded",
    "transfer.offered", "transfer.refused", "usage.reported", "venue.status",
)  # fmt: skip
"""The types of docs/statements.md since version 2, ascending; log keys are for tests of their own."""
TYPES_6 = tuple(sorted((*TYPES_2, "transfer.prepared", "transfer.requested")))
"""The types since version 6, ascending."""


def types_of(rules: int) -> tuple[str, ...]:
    """Return what a `ledger.rules_changed` to this version may allow."""
    return TYPES_2 if rules < OPENING_SINCE else TYPES_6


def keyids(keys: Iterable[Signer]) -> list[str]:
    """Return the sorted keyids."""
    return sorted({item.public.keyid for item in keys})


def documents(keys: Iterable[Signer]) -> list[Json]:
    """Return public keys as they stand in statements."""
    return [item.public.document() for item in keys]


def sealed(text: str) -> Json:
    """Return some commitment."""
    return {"sealed": sha256(text.encode()).hexdigest()}


CONTENT = sealed("t")
"""What is handed over where a test says nothing else."""


def marks(label: str = "codes", **fields: Json) -> dict[str, Json]:
    """Return what an offer says of marks, since version 3; `fields` replace members."""
    own = {"bound": "0.001", "method": "tardos", "seal": sealed(label), "threshold_millibits": 20_000}
    return own | fields


COIN = {"salt": b64encode(b"s" * 16), "value": b64encode(b"c" * 32)}
"""What opens the coin of every preparation."""


def drawn_marks(prepared: str, **fields: Json) -> dict[str, Json]:
    """Return what an offer says of marks since version 6; `fields` replace members."""
    return {"prepared": prepared, "coin": dict(COIN), "file": 0} | fields


def sealed_pool(**fields: Json) -> dict[str, Json]:
    """Return what the seal of a pool of four rows holds, of which two are drawn; `fields` replace members."""
    rows = [b64encode(canonical([f"row {number}"])) for number in range(4)]
    own: dict[str, Json] = {
        "type": "provenance-ledger.pool/v1", "method": "canary", "columns": ["name"], "key": b64encode(bytes(32)),
        "draws": 2, "rows": rows,
    }  # fmt: skip
    return own | fields


def sealed_marks(**fields: Json) -> dict[str, Json]:
    """Return what the seal of canary marks holds (docs/marks.md §3); `fields` replace members."""
    row, control = (b64encode(canonical([label])) for label in ("planted", "control"))
    own: dict[str, Json] = {
        "type": "provenance-ledger.marks/v1", "method": "canary", "bound": "0.001", "threshold_millibits": 20_000,
        "recipients": 2, "file": 0, "columns": ["name"], "bits": [64], "origin": "drawn", "key": b64encode(bytes(32)),
        "rows": [row], "controls": [control],
    }  # fmt: skip
    return own | fields


def created(operator: Person, origin: str, log: Signer, service: Signer, **fields: Json) -> Json:
    """Return a `ledger.created`; `fields` replace or add members."""
    statement = {
        "type": "ledger.created",
        "issuer": operator.name,
        "signers": keyids(operator.all_keys),
        "nonce": b64encode(sha256(origin.encode()).digest()[:16]),
        "issued_ms": START_MS,
        "not_after_ms": START_MS + DAY_MS,
        "origin": origin,
        "keys": documents(operator.keys),
        "recovery_keys": documents(operator.recovery_keys),
        "log_keys": [NoteKey(origin, ED25519_TYPE, log.public.raw).vkey()],
        "service_key": service.public.document(),
        "rules": 1,
        "relation": "The operator is party to no hand-off.",
        "admission": "open",
    }
    return statement | fields


class Speech:
    """Writes statements for one ledger: a fresh nonce each, issued when the clock says."""

    def __init__(self, ledger: str, now_ms: int = START_MS, rules: int = 1) -> None:
        """Speak on the ledger of this id, under a version of the rules; a test moves `now_ms`."""
        self.ledger = ledger
        self.now_ms = now_ms
        self.rules = rules
        self._count = 0

    def say(self, kind: str, issuer: Person, by: Iterable[Signer], /, **fields: Json) -> Json:
        """Return a statement of any type with its common fields; None leaves a field out."""
        self._count += 1
        if kind == "transfer.acknowledged" and self.rules >= OPENING_SINCE:
            fields = {"opens": CONTENT["sealed"]} | fields
        statement = {
            "type": kind,
            "ledger": self.ledger,
            "issuer": issuer.name,
            "signers": keyids(by),
            "nonce": b64encode(sha256(f"nonce {self._count}".encode()).digest()[:16]),
            "issued_ms": self.now_ms,
            "not_after_ms": self.now_ms + 30 * DAY_MS,
        }
        return {name: value for name, value in (statement | fields).items() if value is not None}

    def party_registered(self, who: Person, operator: Person | None = None) -> Json:
        """`operator` countersigns where admission asks for it."""
        signers = [*who.all_keys, *(operator.voice if operator else [])]
        keys, recovery = documents(who.keys), documents(who.recovery_keys)
        return self.say("party.registered", who, signers, keys=keys, recovery_keys=recovery)

    def key_added(self, who: Person, new: Signer, use: str = "signing") -> Json:
        return self.say("party.key_added", who, [new, *who.recovery_voice], key=new.public.document(), use=use)

    def key_revoked(self, who: Person, gone: Signer, by: Signer | None = None, **fields: Json) -> Json:
        return self.say("party.key_revoked", who, [by] if by else who.recovery_voice, keyid=gone.public.keyid, **fields)

    def listing_registered(self, who: Person, title: str = "Airports", **fields: Json) -> Json:
        return self.say("listing.registered", who, who.voice, title=title, content=sealed(title), **fields)

    def listing_withdrawn(self, who: Person, listing: str, **fields: Json) -> Json:
        return self.say("listing.withdrawn", who, who.voice, listing=listing, **fields)

    def license_agreed(self, who: Person, licensee: Person, listing: str, /, **fields: Json) -> Json:
        """Under version 1 with `purposes`; since version 2 every use is permitted, for a year."""
        own: dict[str, Json] = {"listing": listing, "licensee": licensee.name}
        if self.rules == 1:
            own["terms"] = self.terms()
        else:
            own |= self.term() | {"terms": fixed_members(listing, who.name, licensee.name) | use_permitted()}
        return self.say("license.agreed", who, [*who.voice, *licensee.voice], **(own | fields))

    def license_ended(self, who: Person, license_id: str, **fields: Json) -> Json:
        code = None if self.rules == 1 else "breach"
        return self.say("license.ended", who, who.voice, **({"license": license_id, "code": code} | fields))

    def transfer_offered(
        self, who: Person, recipient: Person, listing: str, license_id: str | None = None, /, **fields: Json
    ) -> Json:
        own = {"listing": listing, "license": license_id, "recipient": recipient.name, "content": dict(CONTENT)}
        return self.say("transfer.offered", who, who.voice, **(own | fields))

    def transfer_prepared(self, who: Person, recipient: Person, listing: str, /, **fields: Json) -> Json:
        """Seal a pool; the coin that `fields` do not seal is `COIN`, under the salt `COIN_SALT`."""
        own = {
            "listing": listing, "recipient": recipient.name, "bound": "0.001", "recipients": 2, "method": "canary",
            "seal": sealed("pool"), "coin": sealed("coin"),
        }  # fmt: skip
        statement = self.say("transfer.prepared", who, who.voice, **(own | fields))
        if "coin" not in fields:
            place = Place("coin", self.ledger, who.name, statement["nonce"], "/coin")
            statement["coin"] = {"sealed": commit(place, COIN["salt"], COIN["value"])}
        return statement

    def transfer_requested(self, who: Person, prepared: str, /, **fields: Json) -> Json:
        """`seen` has to be given: a checkpoint over the preparation."""
        own = {"prepared": prepared, "coin": b64encode(b"r" * 32)}
        return self.say("transfer.requested", who, who.voice, **(own | fields))

    def transfer_acknowledged(self, who: Person, transfer: str, /, **fields: Json) -> Json:
        own = {"transfer": transfer, "content": sealed("a")}
        return self.say("transfer.acknowledged", who, who.voice, **(own | fields))

    def transfer_refused(self, who: Person, transfer: str, reason: str = "Two rows short.", **fields: Json) -> Json:
        code = None if self.rules == 1 else "other"
        own = {"transfer": transfer, "reason": reason, "code": code}
        return self.say("transfer.refused", who, who.voice, **(own | fields))

    def rules_changed(self, operator: Person, rules: int, **fields: Json) -> Json:
        """Allow every type since version 2, unless `fields` say otherwise."""
        own: dict[str, Json] = {
            "rules": rules,
            "payload_types": ["application/vnd.provenance-ledger.statement.v1+json"],
            "statement_types": list(types_of(rules)),
            "signature_forms": ["ed25519"] if rules < 4 else ["ed25519", "ml-dsa-44"],
        }
        return self.say("ledger.rules_changed", operator, operator.voice, **(own | fields))

    def term(self, days: int = 365) -> dict[str, Json]:
        """Return the bounds of a term that begins now."""
        return {"valid_from_ms": self.now_ms, "valid_until_ms": self.now_ms + days * DAY_MS}

    def terms(self, **fields: Json) -> Json:
        """Return terms of version 1, in force for a year from now."""
        terms = {
            "purposes": ["research"],
            "text": {"bytes": 5000, "media_type": "application/pdf", "sha256": "ab" * 32},
            "valid_from_ms": self.now_ms,
            "valid_until_ms": self.now_ms + 365 * DAY_MS,
        }
        return terms | fields


def signed(statement: Json, *keys: Signer) -> Envelope:
    """Return the statement signed by these keys."""
    return sign(statement, keys)
