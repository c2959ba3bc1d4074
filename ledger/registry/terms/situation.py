"""What a license is judged in: the license at a moment, and what is asked of it (docs/terms.md §5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal, TypeAlias

from ledger.statements.terms import Rules
from ledger.statements.vocabulary import covers


class Seal(Enum):
    """Something is said, and sealed."""

    SEALED = "sealed"


SEALED: Final = Seal.SEALED
Stated: TypeAlias = str | Literal[Seal.SEALED]


@dataclass(frozen=True, slots=True)
class Count:
    """How often: exactly `known`, or at least that where a count in the sum is sealed (docs/terms.md §5.1).

    `sealed_index` is the entry of the first use in the sum whose count is sealed, if that is known.
    """

    known: int
    is_uncertain: bool = False
    sealed_index: int | None = None

    def __add__(self, other: Count) -> Count:
        """Return the sum, which is uncertain if one of the two is."""
        sealed = [each for each in (self.sealed_index, other.sealed_index) if each is not None]
        is_uncertain = self.is_uncertain or other.is_uncertain
        return Count(self.known + other.known, is_uncertain, min(sealed, default=None))


SEALED_COUNT: Final = Count(1, is_uncertain=True)
"""A use whose count is sealed: at least once."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One license at a moment.

    `ended_ms` is the end that a recorded `license.ended` gives, `agreed_ms` the time of the entry that agreed it.
    `counts` has the uses and forwardings under it *before* the one that is judged, by their own action. `met` has the
    actions that the licensee has done as duties, with the time of the first entry for each, the judged one included.
    """

    terms: Rules
    valid_from_ms: int
    valid_until_ms: int
    agreed_ms: int
    ended_ms: int | None = None
    counts: Mapping[str, Count] = field(default_factory=dict)
    met: Mapping[str, int] = field(default_factory=dict)

    @property
    def end_ms(self) -> int:
        """When it ends, as far as is recorded: the earlier of its term's end and the end that was declared."""
        return self.valid_until_ms if self.ended_ms is None else min(self.valid_until_ms, self.ended_ms)

    def is_in_force(self, time_ms: int) -> bool:
        """Tell whether it is in force at a moment (docs/statements.md §10)."""
        return self.valid_from_ms <= time_ms < self.end_ms

    def count_of(self, action: str) -> Count:
        """Return how often what a rule on `action` covers was done under it."""
        return sum((count for done, count in self.counts.items() if covers(action, done)), start=Count(0))


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: whether this may be done at `time_ms`.

    `version` is the listing's at that moment. `stated` is what the statement says of `purpose`, `spatial`, `industry`,
    `product` and `recipient`; what it does not say is left out. `count` is how often this time.
    """

    action: str
    time_ms: int
    version: Stated | None = None
    stated: Mapping[str, Stated] = field(default_factory=dict)
    count: Count = Count(1)
