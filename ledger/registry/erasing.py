"""Requests to erase, and attestations that it was done (docs/statements.md §9, §10)."""

from __future__ import annotations

from dataclasses import replace

from ledger.registry.facts import LicenseFact, TransferFact, View
from ledger.registry.finding import place_of
from ledger.registry.judging import hold_of, judged
from ledger.registry.lookup import root, standing, standing_of
from ledger.registry.overdue import refresh, unerased
from ledger.registry.terms import erasure_due_ms
from ledger.registry.things import ErasureFact, StandingFact
from ledger.statements.erasure import ErasureAttested, ErasureRequested


def is_copy(transfer: TransferFact, agreed: LicenseFact | None, stands: StandingFact) -> bool:
    """Tell whether a transfer is a held copy of the license that it was offered under."""
    if agreed is None or agreed.is_version_1 or transfer.recipient != agreed.licensee or transfer.is_erased:
        return False
    if transfer.state != "acknowledged" or transfer.decided_index is None:
        return False
    return stands.erased_index is None or stands.erased_index < transfer.decided_index


def keep_copy(view: View, transfer: TransferFact) -> None:
    """Count a transfer that was acknowledged as a copy, if its license's licensee holds it."""
    agreed = view.get(LicenseFact, transfer.license)
    if agreed is None:
        return
    stands = standing(view, agreed.id, agreed.index)
    if is_copy(transfer, agreed, stands):
        view.change(stands, held=stands.held + 1)
        if not stands.held and "obligation" in agreed.terms:
            refresh(view, agreed.id)


def late_erasures(view: View, statement: ErasureAttested, time_ms: int) -> list[list[int]]:
    """Return, where the attestation ends held copies after their license's erasure was due, what that follows from."""
    agreed = view.get(LicenseFact, _license_of(view, statement))
    if agreed is None or agreed.licensee != statement.issuer:
        return []
    stands = standing(view, agreed.id)
    transfer = view.get(TransferFact, statement.transfer)
    if not (stands.held if transfer is None else is_copy(transfer, agreed, stands)):
        return []
    due_ms = erasure_due_ms(judged(agreed, stands), hold_of(stands))
    is_late = due_ms is not None and time_ms > due_ms
    return [[agreed.index, *agreed.basis]] if is_late else []


def request_erasure(
    view: View, statement: ErasureRequested, statement_id: str, index: int, subjects: list[str]
) -> None:
    """Keep a request until it is met or late; holds that are on its subject already suspend it."""
    stands = standing_of(view, root(view, statement.license, statement.transfer))
    transfer, agreed = view.get(TransferFact, statement.transfer), view.get(LicenseFact, statement.license)
    if transfer is not None:
        party = transfer.recipient
        holds = [*transfer.holds, *stands.holds]
    else:
        party = agreed.licensee if agreed is not None else ""
        holds = [*stands.holds, *stands.transfer_holds]
    due_ms = None if holds else statement.erase_by_ms
    request = ErasureFact(
        index=index,
        id=statement_id,
        subjects=subjects,
        license=statement.license,
        transfer=statement.transfer,
        party=party,
        erase_by_ms=statement.erase_by_ms,
        due_ms=due_ms,
        holds=holds,
    )
    view.put(request)
    if not is_met(view, request, stands):
        view.keep_findings(unerased(request))
        view.put(replace(stands, requests=[*stands.requests, statement_id]))


def is_met(view: View, request: ErasureFact, stands: StandingFact) -> bool:
    """Tell whether whoever has to had attested the erasure by the due moment; not while that is suspended."""
    transfer = view.get(TransferFact, request.transfer)
    agreed = view.get(LicenseFact, stands.id)
    attested = [transfer.erased_ms] if transfer is not None else []
    if agreed is not None and agreed.licensee == request.party:
        attested.append(stands.erased_ms)
    due_ms = request.due_ms
    return due_ms is not None and any(moment is not None and moment <= due_ms for moment in attested)


def attest_erasure(view: View, statement: ErasureAttested, index: int, time_ms: int) -> None:
    """End held copies and requests, where the issuer is the one who has to erase; no effect for other attestations."""
    if statement.statement is not None:
        return
    name = root(view, statement.license, statement.transfer)
    agreed, transfer = view.get(LicenseFact, name), view.get(TransferFact, statement.transfer)
    stands = standing_of(view, name)
    if transfer is not None:
        if transfer.recipient != statement.issuer:
            return
        was_copy = is_copy(transfer, agreed, stands)
        first_ms = time_ms if transfer.erased_ms is None else transfer.erased_ms
        view.change(transfer, erased_ms=first_ms, is_erased=transfer.is_erased or transfer.state == "acknowledged")
        if was_copy:
            stands = replace(stands, held=stands.held - 1)
    else:
        if agreed is None or agreed.licensee != statement.issuer:
            return
        first_ms = time_ms if stands.erased_ms is None else stands.erased_ms
        stands = replace(stands, held=0, erased_index=index, erased_ms=first_ms)
    view.put(_without_met(view, statement, stands, time_ms))
    refresh(view, name)


def _without_met(view: View, statement: ErasureAttested, stands: StandingFact, time_ms: int) -> StandingFact:
    """Return how the license stands without the requests that this attestation meets, in time or late."""
    still_open = []
    for request_id in stands.requests:
        request = view.get(ErasureFact, request_id)
        if request is None:
            continue
        is_subject = statement.license is not None or request.transfer == statement.transfer
        if not is_subject or request.party != statement.issuer or request.due_ms is None:
            still_open.append(request_id)
        elif time_ms <= request.due_ms:
            view.take_back([place_of("erasure-late", request.index)])
    return replace(stands, requests=still_open)


def _license_of(view: View, statement: ErasureAttested) -> str | None:
    if statement.license is not None or statement.transfer is None:
        return statement.license
    transfer = view.get(TransferFact, statement.transfer)
    return transfer.license if transfer is not None else None
