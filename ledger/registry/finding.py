"""One finding: what a party did wrong, or may have done (docs/statements.md §10)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ledger.core.encoding import Json

SLUGS = (
    "transfer-without-license",
    "transfer-outside-term",
    "transfer-wrong-recipient",
    "transfer-wrong-sender",
    "marked-without-consent",
    "marked-otherwise-than-agreed",
    "listing-withdrawn",
    "venue-closed",
    "sublicense-wider-than-parent",
    "derived-from-unlicensed",
    "usage-prohibited",
    "usage-beyond-count",
    "onward-without-permission",
    "digest-mismatch",
    "not-acknowledged-in-time",
    "claim-unanswered",
    "erasure-late",
    "license-ended-without-erasure",
    "duty-unfulfilled",
    "key-compromised",
)
"""In the order of the table of docs/statements.md §10, which is their order at one entry."""

_PER_SLUG = 64


@dataclass(frozen=True)
class Finding:
    """`party` broke `slug` at the entry `index`, by what `entries` say, since `since_ms`.

    It holds as of every moment from `from_ms` on: a due moment that has passed, or the entry's time. With `places`,
    `{"index", "pointer"}` of what was sealed, it is undetermined. With `keyid` it stands for a compromised key: for
    one finding at each entry that the key signed at `since_ms` or later. `part` tells apart several of a slug at one
    entry, 0 … 63.
    """

    slug: str
    index: int
    party: str
    entries: list[int]
    since_ms: int
    from_ms: int
    places: list[dict[str, Json]] | None = None
    keyid: str = ""
    part: int = 0

    @property
    def number(self) -> int:
        """Its number at its entry."""
        return SLUGS.index(self.slug) * _PER_SLUG + self.part

    @property
    def place(self) -> tuple[int, int]:
        """The index of its entry and its number there: unique."""
        return self.index, self.number

    @property
    def order(self) -> tuple[int, int, int]:
        """What findings are listed by: since when they hold, then their place."""
        return self.from_ms, self.index, self.number

    def document(self) -> dict[str, Json]:
        """Return what people and programs are told (docs/statements.md §10)."""
        told: dict[str, Json] = {
            "slug": self.slug,
            "index": self.index,
            "party": self.party,
            "entries": self.entries,
            "since_ms": self.since_ms,
        }
        return told if self.places is None else told | {"places": self.places}


@dataclass(frozen=True)
class Moment:
    """The entry that is judged: `statement_id`, its index, its time in Unix milliseconds."""

    statement_id: str
    index: int
    time_ms: int

    def finding(
        self,
        slug: str,
        party: str,
        entries: Iterable[int] = (),
        places: list[dict[str, Json]] | None = None,
        part: int = 0,
    ) -> Finding:
        """Return a finding at this entry, by what else `entries` say; undetermined with `places`."""
        ascending = sorted({self.index, *entries})
        return Finding(slug, self.index, party, ascending, self.time_ms, self.time_ms, places, part=part)


def place_of(slug: str, index: int, part: int = 0) -> tuple[int, int]:
    """Return the place of a finding."""
    return index, SLUGS.index(slug) * _PER_SLUG + part


def read_finding(document: dict[str, Any]) -> Finding:
    """Read back what `vars` gave of a finding."""
    return Finding(**document)
