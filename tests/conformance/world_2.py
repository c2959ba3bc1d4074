"""The people of a random history since version 2: everything that they may say, whether or not it is theirs to say."""

from __future__ import annotations

from random import Random

from ledger.core.dsse import Envelope
from ledger.core.encoding import Json, b64encode, canonical, parse_json
from ledger.core.keys import LastingKey, Signer, SigningKey
from ledger.core.note import note_key_of
from ledger.statements.parse import NEWEST_RULES
from tests.conformance.affairs import Affairs, License, Listing, Transfer
from tests.conformance.dealings import Dealer
from tests.conformance.optional import choose_seals
from tests.conformance.world import World
from tests.harness.forger import Forger
from tests.harness.people import Person
from tests.harness.sealing import seal
from tests.harness.speech import OPENING_SINCE, TYPES_2, created, keyids, types_of

ROTATION = 4
"""The version of the rules since which the log's keys may change."""


class World2:
    """What `World` is for version 1: it learns only of statements that were accepted."""

    def __init__(self, pick: Random, ledger: Forger) -> None:
        """Begin with the operator alone."""
        self.pick = pick
        self.ledger = ledger
        self.speech = ledger.speech
        self.affairs = Affairs(pick, ledger)
        self.moves = Dealer(self.affairs)
        self.past: list[Envelope] = []
        self._clear: dict[bytes, Json] = {}
        """Statements before they were sealed, by the payload after it."""
        self.affairs.own(ledger.log_key, ledger.service_key)

    @classmethod
    def after(cls, world: World) -> World2:
        """Go on, after the rules changed, with the people and things of version 1."""
        new = cls(world.pick, world.ledger)
        new.past = world.past
        new.affairs.own(*world.owners.values())
        for who in world.people[1:]:
            new.affairs.people.append(who)
            new.affairs.terms.names.append(who.name)
        for envelope in world.past:
            said = parse_json(envelope.payload)
            new.affairs.statements.append((envelope.id, said))
            match said["type"]:
                case "listing.registered":
                    new.affairs.listings[envelope.id] = Listing(envelope.id, said["issuer"])
                case "license.agreed":
                    terms = said["terms"]
                    new.affairs.licenses[envelope.id] = License(
                        envelope.id, said["listing"], said["issuer"], said["licensee"], None, terms["valid_from_ms"],
                        terms["valid_until_ms"], {"permission": [{"action": "use"}]},
                    )  # fmt: skip
                case "transfer.offered":
                    new.affairs.transfers[envelope.id] = Transfer(
                        envelope.id, said["listing"], said.get("license"), said["issuer"], said["recipient"]
                    )
        return new

    @property
    def owners(self) -> dict[str, Signer]:
        return self.affairs.owners

    def registration(self, who: Person) -> Json:
        self.affairs.own(*who.all_keys)
        return self.speech.party_registered(who, self._countersigner)

    @property
    def _countersigner(self) -> Person | None:
        return self.ledger.operator if self.ledger.admission == "operator" else None

    def statement(self) -> Json:
        """Return a well-formed statement of any type, sealed here and there."""
        moves = self.moves
        weights = {
            self._party: 4, moves.added_key: 4, moves.revoked_key: 3, moves.listing: 6, moves.amended_listing: 6,
            moves.withdrawal: 3, moves.classification: 3, moves.agreement: 8, moves.sublicense: 7,
            moves.amended_license: 8, moves.end: 4, moves.offer: 8, moves.decision: 8, moves.forwarding: 8,
            moves.compelled: 5, moves.usage: 8, moves.venue: 4, moves.claim: 9, moves.answer: 6,
            moves.determination: 9, moves.request: 5, moves.attestation: 8, self._rules: 1, self._creation: 1,
        }  # fmt: skip
        if self.speech.rules >= ROTATION:
            weights[self._log_key] = 4
        if self.speech.rules >= OPENING_SINCE:
            weights |= {moves.preparation: 6, moves.copy_request: 7, moves.marked_offer: 3}
        said: Json = self.pick.choices(list(weights), list(weights.values()))[0]()
        if self.pick.random() < 0.3 and said["type"] != "ledger.created":
            clear = parse_json(canonical(said))
            seal(said, *choose_seals(self.pick, said, 0.2))
            self._clear[canonical(said)] = clear
        return said

    def remember(self, envelope: Envelope) -> None:
        """Learn from an accepted statement."""
        self.past.append(envelope)
        said = self._clear.get(envelope.payload) or parse_json(envelope.payload)
        if said["type"] != "ledger.rules_changed":
            self.affairs.remember(said, envelope.id, self.ledger.now_ms)

    def _party(self) -> Json:
        said = self.moves.party()
        if said["type"] == "party.registered" and self._countersigner:
            said["signers"] = sorted({*said["signers"], *keyids(self.ledger.operator.voice)})
        return said

    def _rules(self) -> Json:
        who = self.pick.choice([self.affairs.someone(), self.ledger.operator])
        types: list[Json] = self.pick.choice([list(types_of(self.speech.rules)), list(TYPES_2[:5]), ["a"]])
        following = self.speech.rules + 1
        versions = [version for version in (2, 3, 4, 5, 6, 7) if version != following or version > NEWEST_RULES]
        return self.speech.rules_changed(who, self.pick.choice(versions), statement_types=types)

    def _log_key(self) -> Json:
        """Bring a key of the log or end one, mostly as the operator may."""
        pick, ledger = self.pick, self.ledger
        who = pick.choice([ledger.operator] * 5 + [self.affairs.someone()])
        known = list(ledger.log_signers)
        if pick.random() < 0.4:
            return self.speech.say("ledger.log_key_retired", who, who.voice, log_key=pick.choice(known))
        seed = pick.randbytes(32)
        new: Signer = LastingKey(seed) if pick.random() < 0.3 else SigningKey(seed)
        taken = [ledger.service_key, self.affairs.someone().key, *ledger.log_signers.values()]
        if pick.random() < 0.1:
            new = pick.choice(taken)
        origin = "elsewhere.example/log" if pick.random() < 0.05 else ledger.origin
        vkey = note_key_of(origin, new.public).vkey()
        ledger.log_signers.setdefault(vkey, new)
        return self.speech.say("ledger.log_key_added", who, who.voice, log_key=vkey)

    def _creation(self) -> Json:
        nonce = b64encode(self.pick.randbytes(16))
        ledger, rules = self.ledger, self.speech.rules
        who = self.affairs.someone()
        return created(who, ledger.origin, ledger.log_key, ledger.service_key, nonce=nonce, rules=rules)
