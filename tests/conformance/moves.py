"""What people say about keys, listings, hand-offs and venues in a random history since version 2: mostly theirs."""

from __future__ import annotations

from collections.abc import Collection

from ledger.core.encoding import Json
from ledger.core.keys import Signer
from ledger.statements.parse import LASTING_KEYS
from tests.conformance.affairs import Affairs
from tests.conformance.optional import add_optional
from tests.harness.people import Person, key, lasting_key, person
from tests.harness.sealing import seal
from tests.harness.speech import DAY_MS, OPENING_SINCE, Speech, marks, sealed, sealed_marks

Said = dict[str, Json]
MAX_PEOPLE = 7
MARKS_SINCE = 3
"""The version of the rules since which an offer may have marks."""
VERSIONS = ["1", "1.0", "1.2", "1.2.1", "2", "2.0.1", "10", "beta"]


class Mover:
    """Makes statements out of affairs; one draw of `pick` after the other, so that a seed repeats a history."""

    def __init__(self, affairs: Affairs) -> None:
        """Speak on the ledger of these affairs."""
        self.affairs = affairs
        self.pick = affairs.pick
        self.extras = self.pick.choice([0.0, 0.05, 0.3])

    @property
    def speech(self) -> Speech:
        return self.affairs.ledger.speech

    def say(self, kind: str, who: Person, /, *also: Person, **fields: Json) -> Said:
        """Return a statement signed by signing keys of these people; None leaves a field out."""
        keys = [one for person_ in (who, *also) for one in self._voice(person_)]
        statement: Said = self.speech.say(kind, who, keys, **fields)
        add_optional(self.pick, self.affairs.terms, statement, self.extras)
        return statement

    def _voice(self, who: Person) -> list[Signer]:
        """Return signing keys of somebody: enough of them, with a small chance not of every algorithm."""
        some = who.keys[: self.pick.choice([1, 1, 1, 2])]
        return some if self.pick.random() < 0.05 else list({id(one): one for one in [*some, *who.voice]}.values())

    def _new_key(self, label: str) -> Signer:
        """Return a key that nobody has, since version 5 often of ML-DSA-44, before it rarely."""
        chance = 0.4 if self.speech.rules >= LASTING_KEYS else 0.02
        return lasting_key(label) if self.pick.random() < chance else key(label)

    def maybe(self, chance: float, value: Json) -> Json:
        """Return a value with a chance, or None."""
        return value if self.pick.random() < chance else None

    def soon(self, *days: float) -> int:
        """Return a moment some days from now, give or take nothing."""
        return max(0, self.affairs.ledger.now_ms + round(self.pick.choice(days or (1, 7, 30)) * DAY_MS))

    def id_of(self, known: Collection[str]) -> str:
        """Return mostly a recent id of the kind asked for, rarely another kind's or nobody's."""
        chance = self.pick.random()
        if known and chance < 0.96:
            return self.pick.choice(list(known)[-8:])
        if chance < 0.99:
            return self.pick.choice([self.affairs.ledger.id, *(said for said, _ in self.affairs.statements[-10:])])
        return "sha256:" + self.pick.randbytes(32).hex()

    def license_id(self) -> str:
        """Return a license's id, mostly of one in force."""
        affairs, now_ms = self.affairs, self.affairs.ledger.times[-1]
        running = [
            name for name, kept in affairs.licenses.items() if kept.from_ms <= now_ms < kept.until_ms and not kept.ended
        ]
        return self.id_of(running if running and self.pick.random() < 0.85 else affairs.licenses)

    # ------------------------------------------------------------------------------------------------------- parties

    def party(self) -> Said:
        """Register somebody new, rarely of a taken name or with taken keys."""
        affairs, number = self.affairs, len(self.affairs.people)
        known = affairs.someone()
        if number >= MAX_PEOPLE:
            return self.added_key()
        name = known.name if self.pick.random() < 0.05 else f"party-{number}.example"
        who = person(name, f"{name} {self.pick.randrange(10**6)}")
        if self.pick.random() < 0.05:
            who.keys.append(self.pick.choice([known.key, known.recovery, affairs.ledger.log_key]))
        if self.pick.random() < 0.3:
            who.keys.append(self._new_key(f"{name} second {self.pick.randrange(10**6)}"))
            who.recovery_keys.append(self._new_key(f"{name} second recovery {self.pick.randrange(10**6)}"))
        affairs.own(*who.all_keys)
        statement: Said = self.speech.party_registered(who)
        add_optional(self.pick, affairs.terms, statement, self.extras)
        return statement

    def added_key(self) -> Said:
        new = self._new_key(f"added {self.pick.randrange(10**6)} of {self.affairs.ledger.origin}")
        self.affairs.own(new)
        use = self.pick.choice(["signing", "signing", "signing", "recovery"])
        return dict(self.speech.key_added(self.affairs.someone(), new, use))

    def revoked_key(self) -> Said:
        """Revoke a key that its owner can spare, often as compromised."""
        spare = [who for who in self.affairs.people if len(who.keys) > 1 or len(who.recovery_keys) > 1]
        if not spare:
            return self.added_key()
        who = self.pick.choice(spare)
        gone = self.pick.choice([*who.keys[1:], *who.recovery_keys[1:]])
        by = gone if gone in who.keys and self.pick.random() < 0.2 else None
        since = self.maybe(0.8, max(0, self.soon(-20, -3, -0.5, -0.01, 0, 1) + self.pick.choice([0, 1, -1])))
        statement: Said = self.speech.key_revoked(who, gone, by, compromised_since_ms=since)
        add_optional(self.pick, self.affairs.terms, statement, self.extras)
        return statement

    # ------------------------------------------------------------------------------------------------------ listings

    def _offer_fields(self) -> Said:
        """Return what decides something about a listing."""
        pick, affairs = self.pick, self.affairs
        sources = {self.id_of(affairs.listings) for _ in range(pick.choice([1, 1, 2, 3]))}
        venue: Said = {"party": self.affairs.someone().name if pick.random() < 0.97 else "nobody.example"}
        if pick.random() < 0.2:
            venue |= {"name": "Börse", "registration": "A-1"}
        return {
            "version": self.maybe(0.6, pick.choice(VERSIONS)),
            "derived_from": self.maybe(0.3 if affairs.listings else 0, sorted(sources)),
            "venue": self.maybe(0.4, venue),
        }

    def listing(self) -> Said:
        title = self.pick.choice(["Airports", "机场数据", "مطارات", "\U0001d538"])
        return self.say(
            "listing.registered", self.affairs.someone(), title=title, content=sealed(title), **self._offer_fields()
        )

    def amended_listing(self) -> Said:
        name = self.id_of(self.affairs.listings)
        fields = self._offer_fields()
        if not any(fields.values()):
            fields["version"] = self.pick.choice(VERSIONS)
        return self.say("listing.amended", self._issuer_of(name), listing=name, **fields)

    def withdrawal(self) -> Said:
        name = self.id_of(self.affairs.listings)
        return self.say("listing.withdrawn", self._issuer_of(name), listing=name)

    def classification(self) -> Said:
        name = self.id_of(self.affairs.listings)
        level: Said = {"level": "一般", "authority": "Agency", "as_of_ms": self.soon(0, -1)}
        return self.say("classification.changed", self._issuer_of(name), listing=name, classification=level)

    def _issuer_of(self, listing: str) -> Person:
        kept = self.affairs.listings.get(listing)
        return self.affairs.speaker(kept.issuer) if kept else self.affairs.someone()

    # ----------------------------------------------------------------------------------------------------- hand-offs

    def offer(self) -> Said:
        """Offer, mostly under a license and as it says."""
        affairs, pick = self.affairs, self.pick
        name = self.maybe(0.92, self.license_id()) if affairs.licenses else None
        kept = affairs.licenses.get(name) if name else None
        if kept is None:
            listing = self.id_of(affairs.listings)
            sender, recipient = self._issuer_of(listing), affairs.someone()
        else:
            listing = kept.listing if pick.random() < 0.95 else self.id_of(affairs.listings)
            sender = affairs.speaker(kept.licensor, 0.06)
            recipient = affairs.speaker(kept.licensee, 0.06)
        by = self.maybe(0.5, self.soon(0, 0.5, 1, 7, -1))
        offer = self.say(
            "transfer.offered", sender, listing=listing, license=name, recipient=recipient.name, content=sealed("t"),
            acknowledge_by_ms=by,
        )  # fmt: skip
        # Under a version that has another form of marks, or none, it is refused.
        if pick.random() < (0.35 if MARKS_SINCE <= self.speech.rules < OPENING_SINCE else 0.05):
            self._mark(offer)
        return offer

    def _mark(self, offer: Said) -> None:
        """Add marks to an offer, and keep what opens their seal."""
        pick = self.pick
        offer["marks"] = marks(
            bound=pick.choice(["0.5", "0.001", "0." + "0" * 29 + "1", "0.10"]),
            method=pick.choice(["canary", "tardos"]),
            seal=sealed_marks(file=pick.choice([0, 1])),
            threshold_millibits=pick.choice([1, 20_000, 2**53 - 1]),
        )
        self.affairs.openings[offer["nonce"]] = seal(offer, "/marks/seal", kind="marks")

    def decision(self) -> Said:
        """Acknowledge or refuse, mostly what is open."""
        waiting = {name: kept for name, kept in self.affairs.transfers.items() if not kept.decided}
        if not waiting and self.pick.random() < 0.9:
            return self.offer()
        name = self.id_of(waiting if waiting and self.pick.random() < 0.95 else self.affairs.transfers)
        kept = self.affairs.transfers.get(name)
        who = self.affairs.speaker(kept.recipient) if kept else self.affairs.someone()
        if self.pick.random() < 0.8:
            opens: Said = {}
            if self.speech.rules >= OPENING_SINCE and self.pick.random() < 0.08:
                opens["opens"] = self.pick.choice([None, sealed("u")["sealed"]])
            return self.say("transfer.acknowledged", who, transfer=name, content=sealed("a"), **opens)
        code = self.pick.choice(["digest-mismatch", "not-received", "not-wanted", "other"])
        return self.say("transfer.refused", who, transfer=name, code=code)

    def forwarding(self) -> Said:
        """Forward what was received: to a sub-licensee, to anybody, or because an authority said so."""
        affairs, pick = self.affairs, self.pick
        if not affairs.transfers and pick.random() < 0.9:
            return self.offer()
        name = self.id_of(affairs.transfers)
        kept = affairs.transfers.get(name)
        who = affairs.speaker(kept.recipient) if kept else affairs.someone()
        subs = {own: one for own, one in affairs.licenses.items() if one.licensor == who.name}
        under = self.id_of(subs or affairs.licenses) if affairs.licenses and pick.random() < 0.45 else None
        to: Said = {"recipient": affairs.another(who.name).name}
        if under in affairs.licenses and pick.random() < 0.9:
            to["recipient"] = affairs.licenses[under].licensee
        if pick.random() < 0.25:
            to = {"outsider": affairs.terms.word("recipient")}
        why = None
        if affairs.disclosures and pick.random() < 0.25:
            why = self.id_of(affairs.disclosures)
        return self.say(
            "transfer.forwarded", who, transfer=name, license=under, disclosure=why,
            purpose=self.maybe(0.5, affairs.terms.word("purpose")),
            spatial=self.maybe(0.5, affairs.terms.word("spatial")), **to,
        )  # fmt: skip

    def compelled(self) -> Said:
        affairs = self.affairs
        if affairs.transfers and self.pick.random() < 0.7:
            name = self.id_of(affairs.transfers)
            kept = affairs.transfers.get(name)
            who = affairs.speaker(self.pick.choice([kept.sender, kept.recipient, kept.recipient])) if kept else None
            fields = {"transfer": name}
        else:
            name = self.id_of(affairs.listings)
            who, fields = self._issuer_of(name), {"listing": name}
        return self.say(
            "disclosure.compelled", who or affairs.someone(), authority="Regulator", instrument="Order 7", **fields
        )

    # -------------------------------------------------------------------------------------------------------- venues

    def venue(self) -> Said:
        """Announce, or observe, a venue's status."""
        venue = self.affairs.someone()
        who = venue if self.pick.random() < 0.7 else self.affairs.someone()
        status = self.pick.choice(["closed", "closed", "operating", "suspended"])
        name = venue.name if self.pick.random() < 0.97 else "nobody.example"
        return self.say("venue.status", who, venue=name, status=status)
