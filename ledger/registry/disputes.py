"""Claims, and the legal holds that some of them are (docs/statements.md §8–§10)."""

from __future__ import annotations

from dataclasses import replace

from ledger.registry.erasing import is_met
from ledger.registry.facts import LicenseFact, TransferFact, View
from ledger.registry.finding import Moment, place_of
from ledger.registry.judging import hold_of, judged
from ledger.registry.lookup import root, standing, standing_of
from ledger.registry.overdue import refresh, unanswered, unerased
from ledger.registry.terms import erasure_due_ms
from ledger.registry.things import ClaimFact, ErasureFact, StandingFact
from ledger.statements.claim import ClaimAnswered, ClaimDetermined, ClaimOpened


def is_held(view: View, license_: str | None, transfer: str | None) -> bool:
    """Tell whether a legal hold is on a license, or on a transfer.

    One on a license is also on the transfers under it, and one on a transfer also on the license it was offered under.
    """
    if license_ is not None:
        stands = standing(view, license_)
        return bool(stands.holds or stands.transfer_holds)
    offered = view.get(TransferFact, transfer)
    if offered is None:
        return False
    return bool(offered.holds or (offered.license is not None and standing(view, offered.license).holds))


def open_claim(view: View, statement: ClaimOpened, moment: Moment, subjects: list[str]) -> None:
    """Open a claim, and put its hold on what it names."""
    claim = ClaimFact(
        index=moment.index,
        id=moment.statement_id,
        subjects=subjects,
        license=statement.license,
        transfer=statement.transfer,
        claimant=statement.issuer,
        respondent=statement.respondent,
        tribunal=statement.tribunal,
        answer_by_ms=statement.answer_by_ms,
        legal_hold=bool(statement.legal_hold),
    )
    view.put(claim)
    view.keep_findings(unanswered(claim))
    if claim.legal_hold:
        _hold(view, claim, moment.time_ms)


def answer_claim(view: View, statement: ClaimAnswered, index: int, time_ms: int) -> None:
    """Answer a claim."""
    claim = view.get(ClaimFact, statement.claim)
    if claim is not None:
        view.change(claim, state="answered", position=statement.position, answered_index=index)
        _settle_answer(view, claim, time_ms)


def determine_claim(view: View, statement: ClaimDetermined, index: int, time_ms: int) -> None:
    """Determine a claim, and end its hold."""
    claim = view.get(ClaimFact, statement.claim)
    if claim is None:
        return
    view.change(claim, state="determined", outcome=statement.outcome, determined_index=index)
    if claim.answered_index is None:
        _settle_answer(view, claim, time_ms)
    if claim.legal_hold:
        _release(view, claim, time_ms)


def _settle_answer(view: View, claim: ClaimFact, time_ms: int) -> None:
    """Take back what would have held if nobody had answered; an answer that is late changes nothing."""
    if claim.answer_by_ms is not None and time_ms <= claim.answer_by_ms:
        view.take_back([place_of("claim-unanswered", claim.index)])


def _hold(view: View, claim: ClaimFact, time_ms: int) -> None:
    name = root(view, claim.license, claim.transfer)
    stands = standing_of(view, name)
    if claim.license is not None:
        stands = replace(stands, holds=[*stands.holds, claim.id])
    else:
        transfer = view.get(TransferFact, claim.transfer)
        if transfer is not None:
            view.change(transfer, holds=[*transfer.holds, claim.id])
        stands = replace(stands, transfer_holds=[*stands.transfer_holds, claim.id])
    if not _is_overdue(view, stands, time_ms):
        stands = replace(stands, duty_holds=[*stands.duty_holds, claim.id])
    still_open = []
    for request_id in stands.requests:
        request = view.get(ErasureFact, request_id)
        if request is None:
            continue
        if request.due_ms is not None and time_ms > request.due_ms:
            continue  # it is late for good: nothing that comes later changes that
        still_open.append(request_id)
        if claim.license is not None or request.transfer in {None, claim.transfer}:
            view.change(request, due_ms=None, holds=[*request.holds, claim.id])
            view.take_back([place_of("erasure-late", request.index)])
    view.put(replace(stands, requests=still_open))
    refresh(view, name)


def _is_overdue(view: View, stands: StandingFact, time_ms: int) -> bool:
    """Tell whether the license's erasure duty is overdue: a hold that comes then changes nothing."""
    agreed = view.get(LicenseFact, stands.id)
    if agreed is None or agreed.is_version_1 or not stands.held:
        return False
    due_ms = erasure_due_ms(judged(agreed, stands), hold_of(stands))
    return due_ms is not None and time_ms > due_ms


def _release(view: View, claim: ClaimFact, time_ms: int) -> None:
    name = root(view, claim.license, claim.transfer)
    stands = standing_of(view, name)
    transfer = view.get(TransferFact, claim.transfer)
    if transfer is not None:
        view.change(transfer, holds=_without(transfer.holds, claim.id))
    suspended = claim.id in stands.duty_holds
    stands = replace(
        stands,
        holds=_without(stands.holds, claim.id),
        transfer_holds=_without(stands.transfer_holds, claim.id),
        duty_holds=_without(stands.duty_holds, claim.id),
        released_ms=time_ms if suspended else stands.released_ms,
    )
    still_open = []
    for request_id in stands.requests:
        request = view.get(ErasureFact, request_id)
        if request is None:
            continue
        if claim.id in request.holds:
            holds = _without(request.holds, claim.id)
            due_ms = None if holds else max(request.erase_by_ms, time_ms)
            request = replace(request, holds=holds, due_ms=due_ms)
            view.put(request)
            if is_met(view, request, stands):
                continue
            view.keep_findings(unerased(request))
        still_open.append(request_id)
    view.put(replace(stands, requests=still_open))
    refresh(view, name)


def _without(names: list[str], gone: str) -> list[str]:
    return [name for name in names if name != gone]
