"""What the people of a random history have made so far, since version 2: learned from what was accepted."""

from __future__ import annotations

import re
from bisect import insort
from dataclasses import dataclass, field
from random import Random
from typing import Any

from ledger.core.encoding import Json
from ledger.core.keys import Signer
from tests.conformance.random_terms import TermsMaker
from tests.harness.forger import Forger
from tests.harness.people import Person, person
from tests.harness.speech import DAY_MS

MAX_MOMENTS = 60
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


@dataclass
class Listing:
    """A listing as its issuer knows it."""

    id: str
    issuer: str
    withdrawn: bool = False


@dataclass
class License:
    """A license as its parties know it; `rules` are those of its terms, in clear."""

    id: str
    listing: str
    licensor: str
    licensee: str
    parent: str | None
    from_ms: int
    until_ms: int
    rules: dict[str, Json]
    ended: bool = False


@dataclass
class Transfer:
    """A hand-off."""

    id: str
    listing: str
    license: str | None
    sender: str
    recipient: str
    decided: bool = False


@dataclass
class Preparation:
    """A sealed pool for copies to come."""

    id: str
    nonce: str
    listing: str
    sender: str
    recipient: str
    coin: Json
    """As it is sealed."""
    requested: bool = False


@dataclass
class Claim:
    """A claim and what was said on it."""

    id: str
    claimant: str
    respondent: str
    tribunal: str | None
    answered: bool = False
    determined: bool = False


@dataclass
class Subject:
    """A request or a compelled disclosure: whose it is, and which fields say what it is about."""

    id: str
    issuer: str
    fields: dict[str, str]


@dataclass
class Affairs:
    """The people and things of one history, oldest first, and the moments that matter to them."""

    pick: Random
    ledger: Forger
    people: list[Person] = field(default_factory=list)
    owners: dict[str, Signer] = field(default_factory=dict)
    listings: dict[str, Listing] = field(default_factory=dict)
    licenses: dict[str, License] = field(default_factory=dict)
    transfers: dict[str, Transfer] = field(default_factory=dict)
    preparations: dict[str, Preparation] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)
    requests: dict[str, Subject] = field(default_factory=dict)
    disclosures: dict[str, Subject] = field(default_factory=dict)
    statements: list[tuple[str, Json]] = field(default_factory=list)
    """Id and clear statement of everything accepted."""
    openings: dict[str, list[dict[str, Json]]] = field(default_factory=dict)
    """What opens the marks of an offer, or the coin and the pool of a preparation, by its nonce."""
    coins: dict[str, dict[str, Json]] = field(default_factory=dict)
    """Salt and value that an offer shows of a preparation, by its nonce."""
    moments: list[int] = field(default_factory=list)
    """Moments at which something begins, ends or falls due, ascending."""

    def __post_init__(self) -> None:
        """Begin with the operator."""
        self.people.append(self.ledger.operator)
        self.own(*self.ledger.operator.all_keys)
        self.terms = TermsMaker(self.pick, [self.ledger.operator.name])

    def own(self, *keys: Signer) -> None:
        """Keep private keys."""
        self.owners.update({item.public.keyid: item for item in keys})

    def speaker(self, name: str, wrong: float = 0.04) -> Person:
        """Return the person of a name, or with a small chance somebody who has no right to speak."""
        return self.someone() if self.pick.random() < wrong else self.named(name)

    def named(self, name: str) -> Person:
        """Return the person of a name; a name that nobody has is somebody's who has keys all the same."""
        return next((who for who in self.people if who.name == name), person(name))

    def someone(self) -> Person:
        return self.pick.choice(self.people)

    def another(self, *names: str) -> Person:
        """Return somebody of another name, where there is one."""
        others = [who for who in self.people if who.name not in names]
        return self.pick.choice(others or self.people)

    def remember(self, statement: dict[str, Any], statement_id: str, time_ms: int) -> None:
        """Learn from an accepted statement, given in clear."""
        self.statements.append((statement_id, statement))
        if statement["type"] in _LEARN:
            _LEARN[statement["type"]](self, statement, statement_id)
        self._note_moments(statement, time_ms)

    def _note_moments(self, statement: dict[str, Any], time_ms: int) -> None:
        """Keep the times in a statement, and each duration in any terms after each of them and after now."""
        named = [value for name, value in statement.items() if name.endswith("_ms") and name != "not_after_ms"]
        times = [value for value in named if isinstance(value, int)]
        texts = re.findall(r"'xsd:duration', '@value': '([^']+)'", repr(statement.get("terms")))
        if statement["type"] in {"license.ended", "claim.determined"}:
            texts += ["P1D", "P7D", "P30D"]
        for start_ms in {time_ms, *times}:
            for text in {"PT0S", *texts}:
                at = start_ms + milliseconds(text)
                if time_ms < at < time_ms + 2000 * DAY_MS and at not in self.moments:
                    insort(self.moments, at)
        self.moments = [at for at in self.moments if at > time_ms][:MAX_MOMENTS]


def milliseconds(duration: str) -> int:
    """Return the length of a duration such as P1DT2H, in milliseconds."""
    found = _DURATION.fullmatch(duration)
    assert found is not None, duration
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000


def _party(affairs: Affairs, said: dict[str, Any], _: str) -> None:
    by_public = {item.public.document()["public_key"]: item for item in affairs.owners.values()}
    keys, recovery = ([by_public[item["public_key"]] for item in said[name]] for name in ("keys", "recovery_keys"))
    affairs.people.append(Person(said["issuer"], keys, recovery))
    affairs.terms.names.append(said["issuer"])


def _key(affairs: Affairs, said: dict[str, Any], _: str) -> None:
    by_public = {item.public.document()["public_key"]: item for item in affairs.owners.values()}
    who = affairs.named(said["issuer"])
    kept = who.keys if said["use"] == "signing" else who.recovery_keys
    kept.insert(0, by_public[said["key"]["public_key"]])


def _revocation(affairs: Affairs, said: dict[str, Any], _: str) -> None:
    who = affairs.named(said["issuer"])
    for kept in (who.keys, who.recovery_keys):
        kept[:] = [item for item in kept if item.public.keyid != said["keyid"]]


def _listing(affairs: Affairs, said: dict[str, Any], own_id: str) -> None:
    affairs.listings[own_id] = Listing(own_id, said["issuer"])


def _withdrawn(affairs: Affairs, said: dict[str, Any], _: str) -> None:
    affairs.listings[said["listing"]].withdrawn = True


def _agreed(affairs: Affairs, said: dict[str, Any], own_id: str) -> None:
    rules = {kind: said["terms"][kind] for kind in ("permission", "prohibition", "obligation") if kind in said["terms"]}
    affairs.licenses[own_id] = License(
        own_id, said["listing"], said["issuer"], said["licensee"], said.get("parent"), said["valid_from_ms"],
        said["valid_until_ms"], rules,
    )  # fmt: skip


def _amended(affairs: Affairs, said: dict[str, Any], _: str) -> None:
    kept = affairs.licenses[said["license"]]
    kept.from_ms = said.get("valid_from_ms", kept.from_ms)
    kept.until_ms = said.get("valid_until_ms", kept.until_ms)
    if "terms" in said:
        kept.rules = {
            kind: rules for kind, rules in said["terms"].items() if isinstance(rules, list) and kind[0] != "@"
        }


def _ended(affairs: Affairs, said: dict[str, Any], _: str) -> None:
    affairs.licenses[said["license"]].ended = True


def _offered(affairs: Affairs, said: dict[str, Any], own_id: str) -> None:
    affairs.transfers[own_id] = Transfer(
        own_id, said["listing"], said.get("license"), said["issuer"], said["recipient"]
    )


def _decided(affairs: Affairs, said: dict[str, Any], _: str) -> None:
    affairs.transfers[said["transfer"]].decided = True


def _prepared(affairs: Affairs, said: dict[str, Any], own_id: str) -> None:
    affairs.preparations[own_id] = Preparation(
        own_id, said["nonce"], said["listing"], said["issuer"], said["recipient"], said["coin"]
    )


def _drawn(affairs: Affairs, said: dict[str, Any], _: str) -> None:
    affairs.preparations[said["prepared"]].requested = True


def _claim(affairs: Affairs, said: dict[str, Any], own_id: str) -> None:
    affairs.claims[own_id] = Claim(own_id, said["issuer"], said["respondent"], said.get("tribunal"))


def _answered(affairs: Affairs, said: dict[str, Any], _: str) -> None:
    affairs.claims[said["claim"]].answered = True


def _determined(affairs: Affairs, said: dict[str, Any], _: str) -> None:
    affairs.claims[said["claim"]].determined = True


def _subject(said: dict[str, Any], own_id: str) -> Subject:
    fields: dict[str, str] = {name: said[name] for name in ("license", "transfer", "listing") if name in said}
    return Subject(own_id, said["issuer"], fields)


def _requested(affairs: Affairs, said: dict[str, Any], own_id: str) -> None:
    affairs.requests[own_id] = _subject(said, own_id)


def _compelled(affairs: Affairs, said: dict[str, Any], own_id: str) -> None:
    affairs.disclosures[own_id] = _subject(said, own_id)


_LEARN = {
    "party.registered": _party,
    "party.key_added": _key,
    "party.key_revoked": _revocation,
    "listing.registered": _listing,
    "listing.withdrawn": _withdrawn,
    "license.agreed": _agreed,
    "license.amended": _amended,
    "license.ended": _ended,
    "transfer.offered": _offered,
    "transfer.acknowledged": _decided,
    "transfer.refused": _decided,
    "transfer.prepared": _prepared,
    "transfer.requested": _drawn,
    "claim.opened": _claim,
    "claim.answered": _answered,
    "claim.determined": _determined,
    "erasure.requested": _requested,
    "disclosure.compelled": _compelled,
}
