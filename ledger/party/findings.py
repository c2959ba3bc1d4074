"""What parties did wrong, as the ledger's operator judges it (docs/statements.md §10): its word, not a proof."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ledger.party.client import LedgerClient
from ledger.party.replies import Page, Reply, read_reply
from ledger.party.transport import Query
from ledger.statements.fields import Name, Time


class PlaceState(Reply):
    """A sealed place that a judgement would need: `pointer` in the statement of entry `index`."""

    index: Time
    pointer: str


class FindingState(Reply):
    """That `party` broke something: at entry `index`, as `entries` show, since `since_ms` (Unix milliseconds).

    One that is undetermined names the sealed `places` that it would rest on.
    """

    slug: str
    index: Time
    party: Name
    entries: list[Time]
    since_ms: Time
    places: Annotated[list[PlaceState], Field(default_factory=list)]


class FindingsPage(Page[FindingState]):
    """Findings as of the newest entry's time, `as_of_ms`."""

    undetermined: Annotated[list[FindingState], Field(default_factory=list)]
    as_of_ms: Time


async def findings(client: LedgerClient, query: Query = ()) -> FindingsPage:
    """Return a page of findings; `query`: party, cursor, limit."""
    return read_reply(FindingsPage, await client.said("/v1/findings", query))
