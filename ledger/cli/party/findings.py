"""`ledger findings`: who broke what, as the ledger itself judges it."""

from __future__ import annotations

import typer

from ledger.cli.kit.home import page_query, reading, run
from ledger.cli.kit.options import DEFAULT_HOME as HOME
from ledger.cli.kit.options import Cursor, Home, JsonOutput, Limit, PartyFilter
from ledger.cli.kit.words import as_json, say, when
from ledger.party.answers.replies import FindingsPage, FindingState, UndeterminedState

_MEANINGS = {
    "claim-unanswered": "did not answer a claim in time",
    "derived-from-unlicensed": "offers something made from data that no license let it derive from",
    "digest-mismatch": "handed over something other than was offered, says the recipient",
    "erasure-late": "erased too late, or not at all",
    "key-compromised": "spoke with a key that it later called compromised",
    "license-ended-without-erasure": "kept copies although its license ended",
    "listing-withdrawn": "licensed or handed over what was withdrawn",
    "not-acknowledged-in-time": "did not answer a hand-off in time",
    "onward-without-permission": "handed data on without permission",
    "sublicense-wider-than-parent": "granted more than it was granted",
    "duty-unfulfilled": "did not fulfil a duty",
    "transfer-outside-term": "handed data over outside the license's term",
    "transfer-without-license": "handed data over without a license for them",
    "transfer-wrong-recipient": "handed data to another than the licensee",
    "transfer-wrong-sender": "handed data over under a license of somebody else",
    "marked-without-consent": "marked a copy, and the license does not consent to that",
    "usage-beyond-count": "used data more often than allowed",
    "usage-prohibited": "used data in a way that is not allowed",
    "venue-closed": "went on at a venue that had closed",
}
"""docs/statements.md §10, a few words each."""

_TRUST = (
    "This is the ledger operator's own judgement. What to trust is a replay by yourself: "
    "'verifier replay URL --policy policy.txt', with --disclosures for what was sealed."
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(findings)


def findings(
    party: PartyFilter = None,
    limit: Limit = 100,
    cursor: Cursor = None,
    home: Home = HOME,
    json_output: JsonOutput = False,
) -> None:
    """List what parties did wrong, as the ledger itself judges its entries.

    Exit code 0 however many there are: they say nothing against the ledger. Trust the verifier's, not the ledger's.

    Example: ledger findings --party beta.example
    """

    async def work() -> FindingsPage:
        async with reading(home) as client:
            return await client.findings(page_query(party, cursor, limit))

    page = run(work())
    if json_output:
        as_json(page.model_dump())
        return
    say(f"As of {when(page.as_of_ms)}, of {page.size} entries: {_count(page)}", "bold")
    for item in page.items:
        say(_line(item))
    if page.undetermined:
        say("Undetermined, because something is sealed:", "bold")
        for item in page.undetermined:
            say(_line(item))
    if page.next is not None:
        say(f"More with --cursor {page.next}", "dim")
    say(_TRUST, "dim")


def _count(page: FindingsPage) -> str:
    if not page.items:
        return "nothing found"
    more = " on this page" if page.next is not None else ""
    return f"1 finding{more}" if len(page.items) == 1 else f"{len(page.items)} findings{more}"


def _line(item: FindingState) -> str:
    what = _MEANINGS.get(item.slug, "see docs/statements.md §10")
    others = [str(index) for index in item.entries if index != item.index]
    follows = f" (with {', '.join(others)})" if others else ""
    line = f"  {item.slug}: {item.party} {what}: entry {item.index}{follows}, since {when(item.since_ms)}"
    if isinstance(item, UndeterminedState):
        line += "; sealed: " + ", ".join(f"{place.pointer} of entry {place.index}" for place in item.places)
    return line
