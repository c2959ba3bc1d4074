"""Who is there, what they made, and what they might say next: well-formed, but not always right or theirs to say."""

from __future__ import annotations

from random import Random

from ledger.core.dsse import Envelope
from ledger.core.encoding import Json, b64encode, parse_json
from ledger.core.keys import Signer
from ledger.registry.facts import LicenseFact, ListingFact, TransferFact
from tests.harness.forger import Forger
from tests.harness.people import Person, key, person
from tests.harness.speech import created

MAX_PEOPLE = 9


class World:
    """The people and things of one random history; it learns only of statements that were accepted."""

    def __init__(self, pick: Random, ledger: Forger) -> None:
        """Begin with the operator alone, on a ledger under version 1."""
        self.pick = pick
        self.ledger = ledger
        self.speech = self.ledger.speech
        self.people = [self.ledger.operator]
        self.owners: dict[str, Signer] = {}
        """Every private key by keyid."""
        self.listings: list[str] = []
        self.licenses: list[str] = []
        self.transfers: list[str] = []
        self.past: list[Envelope] = []
        self.own(*self.ledger.operator.all_keys, self.ledger.log_key, self.ledger.service_key)

    def own(self, *keys: Signer) -> None:
        """Keep private keys."""
        self.owners.update({item.public.keyid: item for item in keys})

    def someone(self) -> Person:
        return self.pick.choice(self.people)

    def registration(self, who: Person) -> Json:
        self.own(*who.all_keys)
        return self.speech.party_registered(who, self.ledger.operator if self.ledger.admission == "operator" else None)

    def remember(self, envelope: Envelope) -> None:
        """Learn from an accepted statement."""
        statement = parse_json(envelope.payload)
        self.past.append(envelope)
        match statement["type"]:
            case "listing.registered":
                self.listings.append(envelope.id)
            case "license.agreed":
                self.licenses.append(envelope.id)
            case "transfer.offered":
                self.transfers.append(envelope.id)
            case "party.registered" if len(self.people) < MAX_PEOPLE:
                keys, recovery = self._find(statement["keys"]), self._find(statement["recovery_keys"])
                self.people.append(Person(statement["issuer"], keys, recovery))
            case "party.key_added":
                for who in self.people:
                    if who.name == statement["issuer"]:
                        (who.keys if statement["use"] == "signing" else who.recovery_keys).insert(
                            0, self._find([statement["key"]])[0]
                        )
            case _:
                pass

    def _find(self, documents: list[Json]) -> list[Signer]:
        by_public = {item.public.document()["public_key"]: item for item in self.owners.values()}
        return [by_public[document["public_key"]] for document in documents]

    def _id(self, known: list[str]) -> str:
        """Return mostly a fitting id, sometimes one of another kind, sometimes none on this ledger."""
        everything = [*self.listings, *self.licenses, *self.transfers, self.ledger.id]
        chance = self.pick.random()
        if known and chance < 0.85:
            return self.pick.choice(known[-6:])
        return self.pick.choice(everything) if chance < 0.97 else "sha256:" + self.pick.randbytes(32).hex()

    def _person(self, name: str) -> Person:
        return next((who for who in self.people if who.name == name), self.people[0])

    def statement(self) -> Json:
        """Return a well-formed statement, half of them by somebody who has the role for it."""
        return self.any_statement() if self.pick.random() < 0.5 else self.fitting_statement()

    def any_statement(self) -> Json:
        """Return a well-formed statement, whose issuer need not have the role or the right for it."""
        weights = {
            self._party: 5, self._key: 5, self._revocation: 3, self._listing: 8, self._withdrawal: 4, self._license: 12,
            self._end: 5, self._offer: 16, self._decision: 12, self._rules: 2, self._creation: 2,
        }  # fmt: skip
        return self.pick.choices(list(weights), list(weights.values()))[0]()

    def fitting_statement(self) -> Json:
        """Return a statement by somebody who has the role for it, where the world has one."""
        return self.pick.choice([self._own_license, self._own_decision, self._own_end, self._own_offer])()

    def _party(self) -> Json:
        """Register a person who may be new, of a taken name, or with taken keys."""
        known = self.someone()
        name = known.name if self.pick.random() < 0.2 else f"party-{self.pick.randrange(10**6)}.example"
        new = person(name, f"{name} {self.pick.randrange(10**6)}")
        if self.pick.random() < 0.2:
            new.keys.append(self.pick.choice([known.key, known.recovery, self.ledger.log_key, self.ledger.service_key]))
        return self.registration(new)

    def _key(self) -> Json:
        new = key(f"added {self.pick.randrange(100)} of {self.ledger.id}")
        self.own(new)
        return self.speech.key_added(self.someone(), new, self.pick.choice(["signing", "signing", "recovery"]))

    def _revocation(self) -> Json:
        who = self.someone()
        keys = who.keys[1:] or [self.someone().key]
        gone = self.pick.choice([*keys, *who.recovery_keys[1:]])
        by = self.pick.choice([who.recovery, who.recovery, gone, who.key])
        extra = {"compromised_since_ms": self.speech.now_ms - 1000} if self.pick.random() < 0.5 else {}
        return self.speech.key_revoked(who, gone, by, **extra)

    def _listing(self) -> Json:
        title = self.pick.choice(["Airports", "Flughäfen ✈", "𝔸", "\u00a0"])
        return self.speech.listing_registered(self.someone(), title, description=self.pick.choice([None, "a\nb"]))

    def _withdrawal(self) -> Json:
        return self.speech.listing_withdrawn(self.someone(), self._id(self.listings))

    def _license(self) -> Json:
        return self.speech.license_agreed(self.someone(), self.someone(), self._id(self.listings))

    def _end(self) -> Json:
        return self.speech.license_ended(self.someone(), self._id(self.licenses), reason="Breach\nof terms")

    def _offer(self) -> Json:
        license_id = self._id(self.licenses) if self.pick.random() < 0.8 else None
        return self.speech.transfer_offered(self.someone(), self.someone(), self._id(self.listings), license_id)

    def _decision(self) -> Json:
        return self._decide(self.someone(), self._id(self.transfers))

    def _decide(self, who: Person, transfer: str) -> Json:
        if self.pick.random() < 0.5:
            return self.speech.transfer_acknowledged(who, transfer)
        return self.speech.transfer_refused(who, transfer)

    def _rules(self) -> Json:
        return self.speech.rules_changed(
            self.pick.choice([self.someone(), self.ledger.operator]), self.pick.choice([3, 7])
        )

    def _creation(self) -> Json:
        nonce = b64encode(self.pick.randbytes(16))
        log, service = self.ledger.log_key, self.ledger.service_key
        return created(self.someone(), self.ledger.origin, log, service, nonce=nonce)

    def _own_license(self) -> Json:
        if not self.listings:
            return self._listing()
        name = self.pick.choice(self.listings[-8:])
        fact = self.ledger.view.get(ListingFact, name)
        assert fact is not None
        return self.speech.license_agreed(self._person(fact.issuer), self.someone(), name)

    def _own_decision(self) -> Json:
        if not self.transfers:
            return self._offer()
        name = self.pick.choice(self.transfers[-4:])
        fact = self.ledger.view.get(TransferFact, name)
        assert fact is not None
        return self._decide(self._person(fact.recipient), name)

    def _own_end(self) -> Json:
        if not self.licenses or self.pick.random() < 0.7:
            return self.speech.listing_registered(self.someone())
        name = self.pick.choice(self.licenses[-4:])
        fact = self.ledger.view.get(LicenseFact, name)
        assert fact is not None
        return self.speech.license_ended(self._person(self.pick.choice([fact.licensor, fact.licensee])), name)

    def _own_offer(self) -> Json:
        if not self.licenses:
            return self._own_license()
        name = self.pick.choice(self.licenses[-8:])
        fact = self.ledger.view.get(LicenseFact, name)
        assert fact is not None
        sender, recipient = self._person(fact.licensor), self._person(fact.licensee)
        return self.speech.transfer_offered(sender, recipient, fact.listing, name)
