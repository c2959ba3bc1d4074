"""The honest story in which lies about rights are told: licenses on licenses, claims, legal holds, requests."""

from __future__ import annotations

from collections.abc import Callable

from ledger.core.encoding import Json
from ledger.statements.parse import NEWEST_RULES
from tests.harness.agreements import fixed_members, use_permitted
from tests.harness.forger import Expected, Scene
from tests.harness.people import Person, person
from tests.harness.speech import CONTENT, sealed

Lie2 = Callable[["Scene2"], list[Expected]]
LIES_2: list[Lie2] = []
"""Every lie of `lies_in_rights` and `lies_about_pools`."""
SEALED_MARKS = 5
"""The last version whose offers seal their marks themselves."""
_EARLIER: set[Lie2] = set()


def lie_2(tell: Lie2) -> Lie2:
    """Add a lie that needs the newest version: told once to an honest scene, it returns the failures that it causes."""
    LIES_2.append(tell)
    return tell


def lie_5(tell: Lie2) -> Lie2:
    """Add a lie about marks of the older form, which is told on a ledger of version 5."""
    _EARLIER.add(tell)
    return lie_2(tell)


def scene_for(tell: Lie2) -> Scene2:
    """Return the scene in which a lie is told, under the version that it needs."""
    return Scene2(SEALED_MARKS if tell in _EARLIER else NEWEST_RULES)


class Scene2(Scene):
    """Alice licenses to bob, bob to carol; a license that ended; a claim that a court may decide, with a legal hold."""

    def __init__(self, rules: int = NEWEST_RULES) -> None:
        """Tell the honest part."""
        super().__init__(rules=rules)
        say, speech = self.say, self.speech
        self.court = self.register(person("court"))
        self.second = say(speech.listing_registered(self.alice, "Stations"), self.alice.key)
        self.sub = self.tell("license.agreed", self.bob, self.carol, **self.license_fields(self.bob, self.carol))
        self.ended = say(speech.license_agreed(self.alice, self.carol, self.second), self.alice.key, self.carol.key)
        self.tell("license.ended", self.alice, license=self.ended, code="convenience")
        self.copy = self.tell(
            "transfer.offered",
            self.alice,
            listing=self.listing,
            license=self.license,
            recipient="bob.example",
            content=dict(CONTENT),
        )
        self.tell("transfer.acknowledged", self.bob, transfer=self.copy, content=sealed("copy here"))
        self.claim = self.tell(
            "claim.opened", self.alice, license=self.license, respondent="bob.example", clause="3", legal_hold=True,
            tribunal="court",
        )  # fmt: skip
        self.answered = self.tell(
            "claim.opened", self.bob, license=self.license, respondent="alice.example", clause="4"
        )
        self.tell("claim.answered", self.alice, claim=self.answered, position="denied")
        self.request = self.tell(
            "erasure.requested", self.alice, transfer=self.done, basis="contract", erase_by_ms=2**53 - 1
        )

    def license_fields(self, licensor: Person, licensee: Person, **fields: Json) -> dict[str, Json]:
        """Return the fields of a sub-license of bob's license; `fields` replace or add."""
        terms = fixed_members(self.listing, licensor.name, licensee.name) | use_permitted()
        own = {"listing": self.listing, "licensee": licensee.name, "parent": self.license, "terms": terms}
        agreed_ms = 1_700_000_000_000
        return own | {"valid_from_ms": agreed_ms, "valid_until_ms": agreed_ms + 86_400_000} | fields

    def prepare(self, **fields: Json) -> str:
        """Have alice seal a pool for bob; return the preparation's id."""
        return self.say(self.speech.transfer_prepared(self.alice, self.bob, self.listing, **fields), self.alice.key)

    def seen(self, size: int | None = None) -> Json:
        """Return what somebody has seen who knows the tree of `size` entries, or all of it."""
        size = self.size if size is None else size
        return {"root": self.root_at(size).hex(), "size": size}

    def ask(self, prepared: str) -> str:
        """Have bob ask for his copy; return the request's id."""
        return self.say(self.speech.transfer_requested(self.bob, prepared, seen=self.seen()), self.bob.key)

    def said(self, kind: str, *signing: Person, **fields: Json) -> Json:
        """Return a statement of the first of these people."""
        return self.speech.say(kind, signing[0], [who.key for who in signing], **fields)

    def tell(self, kind: str, *signing: Person, **fields: Json) -> str:
        """Record a statement as everybody must; return its id."""
        return self.say(self.said(kind, *signing, **fields), *(who.key for who in signing))

    def lie(self, kind: str, *signing: Person, **fields: Json) -> int:
        """Record a statement that nobody had to take; return its index."""
        return self.force_said(self.said(kind, *signing, **fields), *(who.key for who in signing))
