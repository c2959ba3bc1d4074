"""A ledger of the newest version on which much has happened, and a good statement of every type with all fields."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.core.dsse import Envelope, sign
from ledger.core.encoding import Json
from ledger.core.keys import Signer
from ledger.statements.parse import NEWEST_RULES
from tests.harness.agreements import fixed_members, rule
from tests.harness.people import Person, person
from tests.harness.running import House
from tests.harness.speech import DAY_MS, START_MS, sealed

DOCUMENT = {"bytes": 5000, "media_type": "application/pdf", "sha256": "cd" * 32}


class Stage:
    """Alpha offers data, beta licensed and got them, gamma is beta's sub-licensee, delta a venue and tribunal."""

    def __init__(self) -> None:
        """Say everything; `beginning` is to be submitted in order."""
        self.house = House("newest version", rules=NEWEST_RULES)
        self.speech = self.house.speech
        self.speech.rules = NEWEST_RULES
        self.alpha, self.beta, self.gamma, self.delta = (person(name) for name in ("alpha", "beta", "gamma", "delta"))
        people = [self.alpha, self.beta, self.gamma, self.delta]
        self._keys = {item.public.keyid: item for who in people for item in who.all_keys}
        self.beginning = [self.house.created, *(self.house.registration(who) for who in people)]
        self._set_up_licenses()
        self._set_up_transfers()
        self._set_up_claims()
        self.compelled = self._add("disclosure.compelled", self.beta, **self.compulsion(transfer=self.offer))
        self.request = self._add("erasure.requested", self.alpha, **self.erasure_request(transfer=self.taken))

    def _set_up_licenses(self) -> None:
        self.listing = self._add("listing.registered", self.alpha, title="Airports", content=sealed("airports"))
        self.other_listing = self._add("listing.registered", self.alpha, title="Planes", content=sealed("planes"))
        self.gone_listing = self._add("listing.registered", self.alpha, title="Gone", content=sealed("gone"))
        self._add("listing.withdrawn", self.alpha, listing=self.gone_listing)
        self.license = self.agree(self.alpha, self.beta)
        self.held_license = self.agree(self.alpha, self.beta)
        self.ended_license = self.agree(self.alpha, self.beta)
        self._add("license.ended", self.alpha, license=self.ended_license, code="breach")
        self.sublicense = self.agree(self.beta, self.gamma, parent=self.license)

    def _set_up_transfers(self) -> None:
        self.offer = self._offer()
        self.taken = self._offer()
        self._add("transfer.acknowledged", self.beta, transfer=self.taken, content=sealed("taken"))

    def _set_up_claims(self) -> None:
        about = {"license": self.license, "respondent": "beta", "clause": "4.2", "tribunal": "delta"}
        self.claim = self._add("claim.opened", self.alpha, **about)
        self.answered_claim = self._add("claim.opened", self.alpha, **about)
        self._add("claim.answered", self.beta, claim=self.answered_claim, position="denied")
        self.decided_claim = self._add("claim.opened", self.alpha, **about)
        self._add("claim.determined", self.alpha, claim=self.decided_claim, outcome="withdrawn")
        held = about | {"license": self.held_license, "legal_hold": True}
        self.hold = self._add("claim.opened", self.alpha, **held)

    def _add(self, kind: str, issuer: Person, by: Iterable[Person] = (), /, **fields: Json) -> str:
        envelope = self.sign(self.say(kind, issuer, by, **fields))
        self.beginning.append(envelope)
        return envelope.id

    def _offer(self) -> str:
        fields = {"listing": self.listing, "license": self.license, "recipient": "beta", "content": sealed("t")}
        return self._add("transfer.offered", self.alpha, **fields)

    def say(self, kind: str, issuer: Person, by: Iterable[Person] = (), /, **fields: Json) -> dict[str, Json]:
        """Return a statement, signed by the issuer's key, or by those of `by`; None leaves a field out."""
        statement: dict[str, Json] = self.speech.say(kind, issuer, [who.key for who in by or [issuer]], **fields)
        return statement

    def sign(self, statement: dict[str, Json]) -> Envelope:
        """Sign by the keys that the statement names as its signers."""
        keys: list[Signer] = [self._keys[keyid] for keyid in statement["signers"]]
        return sign(statement, keys)

    def agree(self, licensor: Person, licensee: Person, **fields: Json) -> str:
        """Add a license on the first listing and return its id."""
        statement = self.agreement(licensor, licensee, **fields)
        return self._add(statement["type"], licensor, [licensor, licensee], **statement)

    def agreement(self, licensor: Person, licensee: Person, **fields: Json) -> dict[str, Json]:
        """Return a license on the first listing: every use, for a year."""
        terms = fixed_members(self.listing, licensor.name, licensee.name) | {"permission": [rule("use")]}
        own = {"listing": self.listing, "licensee": licensee.name, "terms": terms} | self.speech.term()
        return self.say("license.agreed", licensor, [licensor, licensee], **(own | fields))

    def terms(self, **rules: Json) -> dict[str, Json]:
        """Return terms between alpha and beta with these lists of rules."""
        return fixed_members(self.listing, "alpha", "beta") | rules

    def compulsion(self, **fields: Json) -> dict[str, Json]:
        """Return the fields of a `disclosure.compelled` without what it is about."""
        return {"authority": "Amtsgericht Ulm", "instrument": "2 C 118/27"} | fields

    def erasure_request(self, **fields: Json) -> dict[str, Json]:
        """Return the fields of an `erasure.requested` without what it is about."""
        return {"basis": "gdpr-17", "erase_by_ms": START_MS + 30 * DAY_MS} | fields
