"""From facts to what terms are judged by (docs/terms.md §5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from ledger.core.encoding import Json
from ledger.registry.facts import LicenseFact, ListingFact, View
from ledger.registry.lookup import standing
from ledger.registry.terms import SEALED, Count, Hold, Place, Standing, Stated, read_rules
from ledger.registry.things import StandingFact
from ledger.statements.fields import Sealed
from ledger.statements.terms import Rules, from_version_1

DELETE = "delete"


def judged(agreed: LicenseFact, stands: StandingFact, met: Mapping[str, int] | None = None) -> Standing:
    """Return a license as terms are judged by it; `met` is what this very entry meets."""
    valid_from_ms, valid_until_ms = agreed.term
    return Standing(
        terms=rules_of(agreed),
        valid_from_ms=valid_from_ms,
        valid_until_ms=valid_until_ms,
        agreed_ms=agreed.agreed_ms,
        ended_ms=None if agreed.ended_index is None else agreed.ended_ms,
        counts={action: Count(known, at is not None, at) for action, (known, at) in stands.tallies.items()},
        met={**(met or {}), **stands.met},
    )


def judged_chain(view: View, chain: Sequence[LicenseFact], met: Mapping[str, int] | None = None) -> list[Standing]:
    """Return a chain of licenses; `met` is what this very entry meets under the first."""
    return [judged(agreed, standing(view, agreed.id), met if at == 0 else None) for at, agreed in enumerate(chain)]


def rules_of(agreed: LicenseFact) -> Rules:
    """Return the rules of a license of either version."""
    return _version_1(tuple(agreed.terms["purposes"])) if agreed.is_version_1 else read_rules(agreed.terms)


def hold_of(stands: StandingFact) -> Hold:
    """Return the legal holds that move the license's erasure duty."""
    return Hold(bool(stands.duty_holds), stands.released_ms)


def version_of(listing: ListingFact | None) -> Stated | None:
    """Return the listing's version now."""
    version: Json = listing.fields.get("version") if listing is not None else None
    return SEALED if isinstance(version, dict) else version


def stated(**values: str | Sealed | None) -> dict[str, Stated]:
    """Return what a statement says of these operands; what it does not say is left out."""
    return {name: SEALED if isinstance(value, Sealed) else value for name, value in values.items() if value is not None}


def sealed_places(
    places: Iterable[Place],
    chain: Sequence[LicenseFact],
    own_index: int,
    listing: ListingFact | None,
    *,
    names: Mapping[str, str] | None = None,
) -> list[dict[str, Json]]:
    """Return where what was sealed stands: entries and pointers, ascending, each once.

    `chain` is what positions count in; `own_index` is the entry that is judged, and `names` are the pointers of those
    operands that have another name there.
    """
    found: set[tuple[int, str]] = set()
    for place in places:
        if place.position is not None:
            agreed = chain[place.position]
            index = agreed.terms_index or agreed.index if place.entry_index is None else place.entry_index
            found.add((index, place.pointer))
        elif place.pointer == "/version" and listing is not None:
            found.add((listing.version_index or listing.index, "/version"))
        else:
            found.add((own_index, (names or {}).get(place.pointer, place.pointer)))
    return [{"index": index, "pointer": pointer} for index, pointer in sorted(found)]


@lru_cache(maxsize=512)
def _version_1(purposes: tuple[str, ...]) -> Rules:
    return from_version_1(purposes)
