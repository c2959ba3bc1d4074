"""What judging adds to the state that the rules keep (docs/statements.md §10, docs/terms.md §5).

Listings, licenses, hand-offs and claims are those of verifier/rules/registry.py, as of the newest entry that was taken;
here stands what follows from them. Objects refer to each other; verifier/judgement/dump.py takes them apart for a state
file.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from verifier.core.jcs import Json
from verifier.rules.registry import Claim, License, Listing
from verifier.terms.answers import Place, Places
from verifier.terms.parsed import Terms
from verifier.terms.vocabulary import covers

MAX_PLACES = 64
"""Sealed or opened counts that are remembered a license and action: enough to say what to ask for next."""


class Stated(NamedTuple):
    """What a statement says of one left operand."""

    value: str | int | None
    """None: sealed, and not disclosed."""
    place: Place
    is_opened: bool = False
    """It was sealed, and a disclosure opened it."""


@dataclass(slots=True, eq=False)
class JudgedListing:
    """A dataset on offer, as amended."""

    id: bytes
    recorded: Listing
    title: str | None = None
    """None: sealed."""
    version: Stated | None = None
    venue: str | None = None

    @property
    def index(self) -> int:
        """The entry that registered it."""
        return self.recorded.index

    @property
    def issuer(self) -> str:
        """Whose it is."""
        return self.recorded.issuer


@dataclass(slots=True)
class Count:
    """How often an action was reported under a license."""

    known: int = 0
    sealed: list[Place] = field(default_factory=list)
    """The first count that is sealed, if any is: then the sum is uncertain. Each sealed one counts as at least 1."""
    opened: list[Place] = field(default_factory=list)

    def add(self, stated: Stated) -> None:
        """Count one more report."""
        self.known += stated.value if isinstance(stated.value, int) else 1
        if stated.value is None and not self.sealed:
            self.sealed.append(stated.place)
        elif stated.is_opened and len(self.opened) < MAX_PLACES:
            self.opened.append(stated.place)


@dataclass(slots=True)
class Periods:
    """When legal holds were on something: the times during which at least one was."""

    starts_ms: list[int] = field(default_factory=list)
    ends_ms: list[int | None] = field(default_factory=list)
    """None, only at the end: it is on."""
    start_indexes: list[int] = field(default_factory=list)
    end_indexes: list[int] = field(default_factory=list)
    """As many as have ended."""
    count: int = 0
    """Holds that are on."""

    def open(self, index: int, time_ms: int) -> None:
        """Begin a hold at entry `index`."""
        self.count += 1
        if self.count == 1:
            self.starts_ms.append(time_ms)
            self.ends_ms.append(None)
            self.start_indexes.append(index)

    def close(self, index: int, time_ms: int) -> None:
        """End one of the holds at entry `index`."""
        self.count -= 1
        if self.count == 0:
            self.ends_ms[-1] = time_ms
            self.end_indexes.append(index)

    def first_after(self, index: int) -> int:
        """Return the number of the first period that was on at entry `index`, or began later."""
        return bisect_right(self.end_indexes, index)


@dataclass(slots=True)
class Meeting:
    """When a prohibition was met."""

    first: int | None = None
    latest: int | None = None
    doubtful: int | None = None
    """The first entry that may have met it."""
    places: Places = frozenset()
    """What would decide that."""
    rests_on: Places = frozenset()


@dataclass(slots=True, eq=False)
class JudgedLicense:
    """A license as agreed, amended and ended, and what was done under it."""

    id: bytes
    recorded: License
    agreed_ms: int
    listing: JudgedListing
    parent: JudgedLicense | None
    raw_terms: Json
    terms: Terms
    terms_index: int
    """The entry that last set the terms."""
    bound_index: int
    """The entry that last set a bound of the term."""
    consents_to_marks: bool
    """`marking_consent`, as it stands."""
    consent_index: int
    """The entry that last said so, or the agreement."""
    marking: dict[str, Json] | None
    """How they are agreed, where that entry says it."""
    end_ms: int | None = None
    """When a recorded end takes effect."""
    counts: dict[str, Count] = field(default_factory=dict)
    """By action, under it and its sub-licenses."""
    met: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Action of a duty to the time and the index of the first entry that met it."""
    meetings: dict[str, Meeting] = field(default_factory=dict)
    """By the pointer of a prohibition."""
    held: set[bytes] = field(default_factory=set)
    """Transfers whose copies the licensee holds."""
    erased_index: int | None = None
    """The last attestation that ended a held copy."""
    attested_ms: dict[str, int] = field(default_factory=dict)
    """Party to the time of its first attestation of erasure of the license."""
    holds: Periods = field(default_factory=Periods)
    """On the license: by claims on it, and on transfers under it."""
    own_holds: Periods = field(default_factory=Periods)
    """By claims on it: those are on its transfers too."""
    suspending: int = 0
    """Holds that are on, and were opened before its erasure duty was overdue."""
    released_ms: int | None = None
    """When the last such hold ended."""

    @property
    def index(self) -> int:
        """The entry that agreed it."""
        return self.recorded.index

    @property
    def licensor(self) -> str:
        """Who grants it."""
        return self.recorded.licensor

    @property
    def licensee(self) -> str:
        """To whom."""
        return self.recorded.licensee

    @property
    def valid_from_ms(self) -> int:
        """When its term begins, as amended."""
        return self.recorded.valid_from_ms

    @property
    def valid_until_ms(self) -> int:
        """When its term is over, as amended."""
        return self.recorded.valid_until_ms

    @property
    def ended_index(self) -> int | None:
        """The entry that ended it before that."""
        return self.recorded.ended_index

    def chain(self) -> Iterator[JudgedLicense]:
        """Yield the license, its parent, the parent's parent, and so on."""
        step: JudgedLicense | None = self
        while step is not None:
            yield step
            step = step.parent

    def is_in_force(self, time_ms: int) -> bool:
        """Tell whether it alone is, whatever its parent is."""
        has_ended = self.end_ms is not None and time_ms >= self.end_ms
        return self.recorded.valid_from_ms <= time_ms < self.recorded.valid_until_ms and not has_ended

    def entries(self) -> set[int]:
        """Return E(L): the entries that its present state follows from."""
        entries = {self.terms_index, self.bound_index}
        return entries if self.ended_index is None else entries | {self.ended_index}

    def ends_ms(self) -> int:
        """Return when it ends or ended, as far as is recorded."""
        return self.valid_until_ms if self.end_ms is None else min(self.end_ms, self.valid_until_ms)

    def sum(self, action: str) -> Count:
        """Return how often actions that `action` covers were reported under it."""
        total = Count()
        for name, count in self.counts.items():
            if covers(action, name):
                total.known += count.known
                total.opened += count.opened
                if count.sealed:
                    total.sealed = sorted(total.sealed + count.sealed)[:1]
        return total


@dataclass(slots=True)
class JudgedClaim:
    """A claim, for as long as it is not determined."""

    recorded: Claim
    answer_by_ms: int | None
    suspends: bool = False
    """It is a hold that moves the due moment of its license's erasure duty."""
    answered_ms: int | None = None


@dataclass(slots=True)
class ErasureRequest:
    """A request for erasure."""

    index: int
    subject: bytes
    party: str
    """Who is asked: the licensee, or the recipient."""
    erase_by_ms: int
