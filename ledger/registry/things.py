"""Further facts of version 2: what is claimed, requested, compelled, announced, granted, and how licenses stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from ledger.core.encoding import Json
from ledger.registry.facts import (
    Fact,
    KeyFact,
    LedgerFact,
    LicenseFact,
    ListingFact,
    PartyFact,
    PreparationFact,
    Thing,
    TransferFact,
)

FACTS_VERSION = 5
"""Which facts, subjects and findings this software derives from entries: others are made anew at start-up."""


@dataclass(frozen=True)
class ClaimFact(Thing):
    """A claim on a license or a transfer; `state` is opened, answered or determined."""

    kind: ClassVar[str] = "claim"

    license: str | None
    transfer: str | None
    claimant: str
    respondent: str
    tribunal: str | None
    answer_by_ms: int | None
    legal_hold: bool
    state: str = "opened"
    position: str | None = None
    answered_index: int | None = None
    outcome: str | None = None
    determined_index: int | None = None


@dataclass(frozen=True)
class ErasureFact(Thing):
    """A request to erase a license's or a transfer's data, which `party` has to meet.

    `due_ms` is its due moment, None while one of `holds`, claims, suspends it.
    """

    kind: ClassVar[str] = "erasure"

    license: str | None
    transfer: str | None
    party: str
    erase_by_ms: int
    due_ms: int | None
    holds: list[str]


@dataclass(frozen=True)
class DisclosureFact(Thing):
    """An authority compelled its issuer to disclose the data of a transfer or of a listing."""

    kind: ClassVar[str] = "disclosure"

    issuer: str
    transfer: str | None
    listing: str | None


@dataclass(frozen=True)
class VenueFact(Fact):
    """The newest status that a venue announced itself, by the entry `announced_index`; `index` is its first."""

    kind: ClassVar[str] = "venue"

    name: str
    status: str
    announced_index: int

    @property
    def key(self) -> str:
        """Its name, prefixed."""
        return venue_key(self.name)


@dataclass(frozen=True)
class StandingFact(Fact):
    """What changes often about a license (`id`), or about a transfer that was offered under none.

    `tallies`: action to how often it was done under the license and those below it, and the first entry, if any, that
    sealed its count (which counts as 1). `met`: action to when it was first done as a duty.
    `held`: how many copies the licensee holds; `erased_index`, the newest entry by which it destroyed all of them;
    `erased_ms`, when it first attested the license's erasure. `holds` and `transfer_holds` are the claims that hold the
    license itself and the transfers under it; `duty_holds`, those of them that suspend its erasure duty, and
    `released_ms`, when the last that did so was determined. `requests` are the open requests to erase.
    """

    kind: ClassVar[str] = "standing"
    sparse: ClassVar[frozenset[str]] = frozenset(
        {"tallies", "met", "held", "holds", "transfer_holds", "duty_holds", "requests"}
    )

    id: str
    tallies: dict[str, list[Json]] = field(default_factory=dict)
    met: dict[str, int] = field(default_factory=dict)
    held: int = 0
    erased_index: int | None = None
    erased_ms: int | None = None
    holds: list[str] = field(default_factory=list)
    transfer_holds: list[str] = field(default_factory=list)
    duty_holds: list[str] = field(default_factory=list)
    released_ms: int | None = None
    requests: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The id, prefixed."""
        return standing_key(self.id)


@dataclass(frozen=True)
class GrantFact(Fact):
    """The licenses on a listing to one party that have not ended, oldest first."""

    kind: ClassVar[str] = "grant"

    listing: str
    licensee: str
    licenses: list[str]

    @property
    def key(self) -> str:
        """Both, prefixed."""
        return grant_key(self.listing, self.licensee)


KINDS: dict[str, type[Fact]] = {
    fact.kind: fact
    for fact in (
        *(LedgerFact, PartyFact, KeyFact, ListingFact, LicenseFact, TransferFact, PreparationFact),
        *(ClaimFact, ErasureFact, DisclosureFact, VenueFact, StandingFact, GrantFact),
    )
}
"""Every kind of fact."""


def venue_key(name: str) -> str:
    """Return the store's key of what a venue announced."""
    return f"venue:{name}"


def standing_key(name: str) -> str:
    """Return the store's key of how a license stands."""
    return f"standing:{name}"


def grant_key(listing: str, licensee: str) -> str:
    """Return the store's key of the licenses on a listing to a party."""
    return f"grant:{listing}:{licensee}"


def read_fact(kind: str, document: dict[str, Any]) -> Fact:
    """Read back what `Fact.document` returned."""
    return KINDS[kind](**document)
