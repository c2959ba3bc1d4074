"""What people say about licenses, use, claims and erasure in a random history of version 2: mostly theirs to say."""

from __future__ import annotations

from typing import Any

from ledger.core.encoding import Json
from tests.conformance.affairs import Claim
from tests.conformance.drawing import Drawer
from tests.conformance.moves import Said
from tests.conformance.random_terms import ACTIONS
from tests.harness.agreements import fixed_members
from tests.harness.people import Person

STATED = ("purpose", "spatial", "industry", "product", "recipient")
BASES = ["contract", "court-order", "gdpr-17", "other", "pipl-47"]
DESTROYED = [["data"], ["data", "derivatives"], ["data", "derivatives", "keys", "salts"], ["keys"], ["salts"]]


class Dealer(Drawer):
    """Makes statements about rights and their breach."""

    # ------------------------------------------------------------------------------------------------------ licenses

    def _term(self) -> Said:
        first, last = self.soon(-1, 0, 0, 0, 0, 0.01), self.soon(3, 20, 60, 365, 365, 2000)
        if self.pick.random() < 0.03:
            first, last = 0, 2**53 - 1
        return {"valid_from_ms": first, "valid_until_ms": max(last, first + 1)}

    def agreement(self) -> Said:
        """Agree a license on a listing."""
        affairs = self.affairs
        name = self.id_of(affairs.listings)
        licensor = self._issuer_of(name)
        licensee = affairs.another(licensor.name) if self.pick.random() < 0.98 else licensor
        terms = fixed_members(name, licensor.name, licensee.name) | affairs.terms.rules()
        return self.say(
            "license.agreed", licensor, licensee, listing=name, licensee=licensee.name, terms=terms,
            **self.consent(0.5), **self._term(),
        )  # fmt: skip

    def sublicense(self) -> Said:
        """Agree a sub-license: mostly of the parent's rules and term, tightened or loosened."""
        affairs, pick = self.affairs, self.pick
        if not affairs.licenses:
            return self.agreement()
        name = self.license_id()
        parent = affairs.licenses.get(name)
        if parent is None:
            return self.agreement() | {"parent": name}
        licensor = affairs.speaker(parent.licensee)
        licensee = affairs.another(licensor.name)
        term: Said = {"valid_from_ms": parent.from_ms, "valid_until_ms": parent.until_ms}
        if pick.random() < 0.25:
            term = self._term()
        rules = affairs.terms.narrower(parent.rules) if pick.random() < 0.85 else affairs.terms.rules()
        listing = parent.listing if pick.random() < 0.98 else self.id_of(affairs.listings)
        return self.say(
            "license.agreed", licensor, licensee, listing=listing, licensee=licensee.name, parent=name,
            terms=fixed_members(listing, licensor.name, licensee.name) | rules, **self.consent(0.5), **term,
        )  # fmt: skip

    def amended_license(self) -> Said:
        """Amend a license: terms, a bound of its term, consent to marks, or words only."""
        affairs, pick = self.affairs, self.pick
        name = self.id_of(affairs.licenses)
        kept = affairs.licenses.get(name)
        fields: Said = {"governing_law": "Swiss law"} if pick.random() < 0.2 else {}
        if kept is None:
            return self.say("license.amended", affairs.someone(), affairs.someone(), license=name, forum="Zug")
        if pick.random() < 0.3:
            fields["valid_until_ms"] = self.soon(-1, 0, 1, 30, 400)
        if pick.random() < 0.2:
            fields["valid_from_ms"] = self.soon(-30, -1, 0, 1)
        fields |= self.consent(0.3)
        if not fields or pick.random() < 0.5:
            parent = affairs.licenses.get(kept.parent) if kept.parent else None
            base = parent.rules if parent and pick.random() < 0.6 else kept.rules
            rules = affairs.terms.narrower(base) if pick.random() < 0.8 else affairs.terms.rules()
            fields["terms"] = fixed_members(kept.listing, kept.licensor, kept.licensee) | rules
        issuer, other = pick.choice([(kept.licensor, kept.licensee), (kept.licensee, kept.licensor)])
        return self.say("license.amended", affairs.named(issuer), affairs.speaker(other), license=name, **fields)

    def end(self) -> Said:
        name = self.id_of(self.affairs.licenses)
        kept = self.affairs.licenses.get(name)
        who = self.affairs.speaker(self.pick.choice([kept.licensor, kept.licensee])) if kept else None
        code = self.pick.choice(["breach", "convenience", "expired", "insolvency", "other", "regulatory"])
        effective = self.maybe(0.5, self.soon(-10, 0, 0.5, 5, 30, 500))
        return self.say("license.ended", who or self.affairs.someone(), license=name, code=code, effective_ms=effective)

    # ----------------------------------------------------------------------------------------------------------- use

    def usage(self) -> Said:
        """Report a use, often with words that the terms look for."""
        affairs, pick = self.affairs, self.pick
        name = self.license_id()
        kept = affairs.licenses.get(name)
        who = affairs.speaker(kept.licensee, 0.02) if kept else affairs.someone()
        sought = _sought(kept.rules) if kept else {}
        stated: Said = {}
        for left in STATED:
            if pick.random() < (0.93 if left in sought else 0.25):
                stated[left] = pick.choice([*sought.get(left, []), *sought.get(left, []), affairs.terms.word(left)])
        actions = _actions(kept.rules) if kept else []
        duties = ["attribute", "inform", "obtainConsent", "delete", pick.choice(ACTIONS)]
        fulfils = sorted({pick.choice(duties) for _ in range(2)})
        copies = {own: one for own, one in affairs.transfers.items() if one.recipient == who.name}
        return self.say(
            "usage.reported", who, license=name, action=pick.choice([*actions, *actions, "use", pick.choice(ACTIONS)]),
            count=self.maybe(0.4, pick.choice([1, 2, 3, 10])), fulfils=self.maybe(0.25, fulfils),
            transfer=self.maybe(0.1 if copies else 0.01, self.id_of(copies)), **stated,
        )  # fmt: skip

    # -------------------------------------------------------------------------------------------------------- claims

    def _pair(self, fields: dict[str, Any]) -> tuple[str, str] | None:
        """Return the two parties of a license or transfer that `fields` name."""
        if (agreed := self.affairs.licenses.get(fields.get("license", ""))) is not None:
            return agreed.licensor, agreed.licensee
        if (transfer := self.affairs.transfers.get(fields.get("transfer", ""))) is not None:
            return transfer.sender, transfer.recipient
        return None

    def _about(self) -> dict[str, Any]:
        """Return the license or transfer that a claim or an erasure is about."""
        if self.affairs.transfers and self.pick.random() < 0.5:
            return {"transfer": self.id_of(self.affairs.transfers)}
        return {"license": self.id_of(self.affairs.licenses)}

    def claim(self) -> Said:
        affairs, pick = self.affairs, self.pick
        about = self._about()
        pair = self._pair(about) or (affairs.someone().name, affairs.someone().name)
        claimant, respondent = pair if pick.random() < 0.7 else pair[::-1]
        who = affairs.speaker(claimant)
        against = affairs.speaker(respondent)
        tribunal = affairs.another(who.name, against.name).name if pick.random() < 0.97 else against.name
        return self.say(
            "claim.opened", who, respondent=against.name, clause="§ 3", tribunal=self.maybe(0.5, tribunal),
            answer_by_ms=self.maybe(0.6, self.soon(0, 0.5, 2, 10, -1)),
            legal_hold=self.maybe(0.7, pick.choice([True, True, True, False])), **about,
        )  # fmt: skip

    def answer(self) -> Said:
        kept = self._some_claim("answered")
        if kept is None and self.pick.random() < 0.9:
            return self.claim()
        who = self.affairs.speaker(kept.respondent) if kept else self.affairs.someone()
        position = self.pick.choice(["admitted", "denied", "partly-admitted"])
        return self.say("claim.answered", who, claim=kept.id if kept else self.id_of({}), position=position)

    def determination(self) -> Said:
        """End a claim: by its tribunal, by the claimant, or by both sides."""
        affairs, pick = self.affairs, self.pick
        kept = self._some_claim("determined")
        if kept is None and self.pick.random() < 0.9:
            return self.claim()
        if kept is None:
            return self.say("claim.determined", affairs.someone(), claim=self.id_of({}), outcome="withdrawn")
        if kept.tribunal and pick.random() < 0.6:
            outcome, who = pick.choice(["dismissed", "partly-upheld", "upheld"]), affairs.speaker(kept.tribunal)
        else:
            outcome, who = pick.choice(["withdrawn", "settled"]), affairs.speaker(kept.claimant)
        also = [affairs.speaker(kept.respondent)] if outcome == "settled" else []
        return self.say("claim.determined", who, *also, claim=kept.id, outcome=outcome)

    def _some_claim(self, done: str) -> Claim | None:
        waiting = [kept for kept in self.affairs.claims.values() if not getattr(kept, done)]
        claims = waiting if waiting and self.pick.random() < 0.9 else list(self.affairs.claims.values())
        return self.pick.choice(claims[-8:]) if claims and self.pick.random() < 0.98 else None

    # ------------------------------------------------------------------------------------------------------- erasure

    def request(self) -> Said:
        about = self._about()
        pair = self._pair(about)
        who = self.affairs.speaker(pair[0]) if pair else self.affairs.someone()
        by = self.soon(-1, 0, 0.5, 5, 30)
        return self.say("erasure.requested", who, basis=self.pick.choice(BASES), erase_by_ms=by, **about)

    def attestation(self) -> Said:
        """Attest that copies, or the salts of one's own statement, were destroyed."""
        affairs, pick = self.affairs, self.pick
        basis, destroyed = pick.choice(BASES), list(pick.choice(DESTROYED))
        if pick.random() < 0.1:
            own, said = pick.choice(affairs.statements)
            who: Person = affairs.speaker(said["issuer"])
            pointers = sorted(pick.choices(["/title", "/terms/permission/0/constraint/0", "", "/x~1y", "x"], k=1))
            pointers = pointers if pointers != [""] else ["/reason"]
            return self.say("erasure.attested", who, statement=own, basis=basis, destroyed=["salts"], pointers=pointers)
        asked = pick.choice(list(affairs.requests.values())) if affairs.requests and pick.random() < 0.5 else None
        about = dict(asked.fields) if asked else self._about()
        pair = self._pair(about)
        who = affairs.speaker(pair[0 if pick.random() < 0.12 else 1]) if pair else affairs.someone()
        return self.say(
            "erasure.attested", who, request=asked.id if asked and pick.random() < 0.8 else None, basis=basis,
            destroyed=destroyed, **about,
        )  # fmt: skip


def _sought(rules: dict[str, Json]) -> dict[str, list[str]]:
    """Return the words that constraints of these rules compare with, by left operand."""
    found: dict[str, list[str]] = {}

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if value.get("leftOperand") in STATED:
                right = value["rightOperand"]
                words = right if isinstance(right, list) else [right]
                found.setdefault(value["leftOperand"], []).extend(word for word in words if isinstance(word, str))
            for child in value.values():
                walk(child)
        elif isinstance(value, list):
            for child in value:
                walk(child)

    walk(rules)
    return found


def _actions(rules: dict[str, Json]) -> list[str]:
    return [rule["action"] for kind in ("permission", "prohibition") for rule in rules.get(kind, [])]
