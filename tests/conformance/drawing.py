"""What people say about marks in a random history since version 6: a pool sealed, asked for, drawn from."""

from __future__ import annotations

from ledger.core.encoding import Json, b64encode
from ledger.registry.facts import PreparationFact
from tests.conformance.moves import Mover, Said
from tests.harness.sealing import seal
from tests.harness.speech import OPENING_SINCE, drawn_marks, sealed, sealed_pool

BOUNDS, METHODS, COUNTS = ["0.001", "0.001", "0.5"], ["canary", "canary", "omission", "tardos"], [2, 2, 3]
"""What is agreed and what is prepared are often, and not always, the same."""


class Drawer(Mover):
    """Makes statements about pools and copies that were marked from them."""

    def marking(self) -> Said:
        """Return how copies are marked."""
        pick = self.pick
        return {"bound": pick.choice(BOUNDS), "method": pick.choice(METHODS), "recipients": pick.choice(COUNTS)}

    def consent(self, chance: float) -> Said:
        """Return what a license says of marks with a chance; with a small one, how, though it does not consent."""
        if self.pick.random() >= chance:
            return {}
        said: Said = {"marking_consent": self.pick.random() < 0.7}
        how = 0.6 if said["marking_consent"] else 0.03
        if self.speech.rules >= OPENING_SINCE and self.pick.random() < how:
            said["marking"] = self.marking()
        return said

    def preparation(self) -> Said:
        """Seal a pool, mostly for a licensee."""
        affairs, pick = self.affairs, self.pick
        kept = affairs.licenses.get(self.license_id()) if affairs.licenses and pick.random() < 0.9 else None
        if kept is None:
            listing = self.id_of(affairs.listings)
            sender = self._issuer_of(listing)
            recipient = affairs.another(sender.name).name if pick.random() < 0.95 else sender.name
        else:
            listing, sender, recipient = kept.listing, affairs.speaker(kept.licensor, 0.06), kept.licensee
        if pick.random() < 0.03:
            recipient = "nobody.example"
        coin = b64encode(pick.randbytes(32))
        prepared = self.say(
            "transfer.prepared", sender, listing=listing, recipient=recipient, coin=coin, seal=sealed_pool(),
            **self.marking(),
        )  # fmt: skip
        opening, pool = seal(prepared, "/coin", kind="coin"), seal(prepared, "/seal", kind="pool")
        affairs.coins[prepared["nonce"]] = {"salt": opening[0]["salt"], "value": opening[0]["value"]}
        if affairs.preparations and pick.random() < 0.05:  # one coin for two draws: it opens the first one only
            earlier = pick.choice(list(affairs.preparations.values()))
            prepared["coin"], opening = dict(earlier.coin), []
            affairs.coins[prepared["nonce"]] = affairs.coins[earlier.nonce]
        affairs.openings[prepared["nonce"]] = [*opening, *pool]
        return prepared

    def copy_request(self) -> Said:
        """Ask for a copy, mostly once, by its recipient, who has seen the seal."""
        affairs, pick = self.affairs, self.pick
        waiting = {name: kept for name, kept in affairs.preparations.items() if not kept.requested}
        if not waiting and pick.random() < 0.9:
            return self.preparation()
        name = self.id_of(waiting if waiting and pick.random() < 0.93 else affairs.preparations)
        kept = affairs.preparations.get(name)
        who = affairs.speaker(kept.recipient) if kept else affairs.someone()
        said = self.say("transfer.requested", who, prepared=name, coin=b64encode(pick.randbytes(32)))
        size = affairs.ledger.size
        fact = affairs.ledger.view.get(PreparationFact, name)
        if fact is not None and pick.random() < 0.2:  # from one entry too few up to exactly enough
            size = fact.index + pick.choice([0, 0, 1])
        if pick.random() < 0.95:
            said["seen"] = {"root": affairs.ledger.root_at(size).hex(), "size": size}
        return said

    def offer(self) -> Said:
        """Offer a copy, marked or not."""
        if self.speech.rules >= OPENING_SINCE and self.pick.random() < 0.35:
            return self.marked_offer()
        return super().offer()

    def marked_offer(self) -> Said:
        """Offer a copy that was drawn from a pool, mostly as it was prepared and requested."""
        affairs, pick = self.affairs, self.pick
        drawn = {name: kept for name, kept in affairs.preparations.items() if kept.requested}
        if not drawn and pick.random() < 0.9:
            return self.copy_request()
        name = self.id_of(drawn if drawn and pick.random() < 0.93 else affairs.preparations)
        kept = affairs.preparations.get(name)
        if kept is None or pick.random() < 0.08:  # of another listing, by or for somebody else
            offer = super().offer()
        else:
            fitting = [
                own for own, one in affairs.licenses.items()
                if (one.listing, one.licensee) == (kept.listing, kept.recipient)
            ]  # fmt: skip
            under = self.id_of(fitting) if fitting and pick.random() < 0.9 else self.maybe(0.5, self.license_id())
            offer = self.say(
                "transfer.offered", affairs.speaker(kept.sender, 0.02), listing=kept.listing, license=under,
                recipient=kept.recipient, content=sealed("t"),
            )  # fmt: skip
        coin = affairs.coins[kept.nonce] if kept else {"salt": b64encode(bytes(16)), "value": b64encode(bytes(32))}
        if pick.random() < 0.04:
            coin = coin | {"value": b64encode(pick.randbytes(32))}
        retired: Json = self.maybe(0.2, sorted(pick.sample(range(4), pick.choice([1, 2]))))
        offer["marks"] = drawn_marks(name, coin=dict(coin), file=pick.choice([0, 1]))
        if retired is not None:
            offer["marks"]["retired"] = retired
        return offer
