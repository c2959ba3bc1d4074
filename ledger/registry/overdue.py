"""What becomes a finding when a moment passes (docs/statements.md §10): pure functions of what the chain says now.

Each finding holds as of every T past its moment, unless something changes it before or after. So it is computed when
what it follows from changes, kept with the moment from which it holds, and never looked for again.
"""

from __future__ import annotations

from ledger.core.encoding import MAX_INTEGER
from ledger.registry.facts import LicenseFact, TransferFact, View
from ledger.registry.finding import Finding, place_of
from ledger.registry.judging import DELETE, hold_of, judged
from ledger.registry.lookup import standing
from ledger.registry.terms import Standing, duty_states, erasure_due_ms
from ledger.registry.things import ClaimFact, ErasureFact, StandingFact

ENDED_WITHOUT_ERASURE = "license-ended-without-erasure"
UNFULFILLED = "duty-unfulfilled"


def unacknowledged(transfer: TransferFact) -> list[Finding]:
    """Return what holds once an open offer is not decided in time."""
    if transfer.acknowledge_by_ms is None:
        return []
    return [_due("not-acknowledged-in-time", transfer.index, transfer.recipient, transfer.acknowledge_by_ms)]


def unanswered(claim: ClaimFact) -> list[Finding]:
    """Return what holds once an open claim is not answered in time."""
    if claim.answer_by_ms is None:
        return []
    return [_due("claim-unanswered", claim.index, claim.respondent, claim.answer_by_ms)]


def unerased(request: ErasureFact) -> list[Finding]:
    """Return what holds once an open request to erase is not met in time; nothing while a hold suspends it."""
    if request.due_ms is None:
        return []
    return [_due("erasure-late", request.index, request.party, request.due_ms)]


def unfulfilled(agreed: LicenseFact, stands: StandingFact) -> list[Finding]:
    """Return what holds once the duties of a license are not met in time, as it and its duties stand."""
    if agreed.is_version_1:
        return []
    license_, hold = judged(agreed, stands), hold_of(stands)
    found = []
    due_ms = erasure_due_ms(license_, hold)
    if due_ms is not None and stands.held:
        found.append(_due(ENDED_WITHOUT_ERASURE, agreed.index, agreed.licensee, due_ms, agreed.basis))
    violated = _first_violated(license_, stands)
    if violated is not None:
        from_ms, since_ms = violated
        entries = sorted({agreed.index, *agreed.basis})
        found.append(Finding(UNFULFILLED, agreed.index, agreed.licensee, entries, since_ms, from_ms))
    return found


def refresh(view: View, name: str) -> None:
    """Compute anew what waits under a license, after it or how it stands has changed."""
    agreed = view.get(LicenseFact, name)
    if agreed is None or agreed.is_version_1:
        return
    view.take_back([place_of(ENDED_WITHOUT_ERASURE, agreed.index), place_of(UNFULFILLED, agreed.index)])
    view.keep_findings(unfulfilled(agreed, standing(view, name)))


def _first_violated(license_: Standing, stands: StandingFact) -> tuple[int, int] | None:
    """Return from when an obligation other than `delete` is violated, and since when; None if none will be.

    As of the end of time all due moments have passed. A consequence is owed only once the duty before it is violated.
    """
    states = duty_states(license_, MAX_INTEGER, has_copies=stands.held > 0, hold=hold_of(stands))
    dues = {state.pointer: state.due_ms for state in states if state.state == "violated" and state.due_ms is not None}
    moments = [
        (1 + max(due for pointer, due in dues.items() if (state.pointer + "/").startswith(pointer + "/")), own)
        for state in states
        if state.action != DELETE and (own := dues.get(state.pointer)) is not None
    ]
    return min(moments, default=None)


def _due(slug: str, index: int, party: str, due_ms: int, entries: list[int] | None = None) -> Finding:
    return Finding(slug, index, party, sorted({index, *(entries or [])}), due_ms, due_ms + 1)
