"""Licenses: made, amended, ended, granted on, used (docs/statements.md §4, §6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ledger.core.encoding import Json
from ledger.registry.facts import LicenseFact, TransferFact, View
from ledger.registry.finding import Moment
from ledger.registry.findings import met_by
from ledger.registry.lookup import chain, find, standing
from ledger.registry.overdue import refresh
from ledger.registry.things import GrantFact, grant_key
from ledger.statements import version_1 as v1
from ledger.statements.common import Statement
from ledger.statements.fields import Sealed
from ledger.statements.license import LicenseAgreed, LicenseAmended, LicenseEnded
from ledger.statements.transfer import TransferForwarded
from ledger.statements.usage import UsageReported

MAX_ANCESTORS = 64
"""How many licenses above it a license names, so that long chains load in few steps."""


def made_or_amended(view: View, statement: Statement, moment: Moment, subjects: list[str]) -> LicenseFact | None:
    """Return the license that the statement makes or amends, as it stands after it; None if it does neither."""
    match statement:
        case v1.LicenseAgreed():
            terms = statement.terms.model_dump(exclude_none=True)
            return LicenseFact(
                moment.index,
                moment.statement_id,
                subjects,
                statement.listing,
                statement.issuer,
                statement.licensee,
                terms,
            )
        case LicenseAgreed():
            return _agreed(view, statement, moment, subjects)
        case LicenseAmended():
            return _amended(find(view, LicenseFact, statement.license, "/license"), statement, moment.index)
    return None


def _agreed(view: View, statement: LicenseAgreed, moment: Moment, subjects: list[str]) -> LicenseFact:
    parent = view.get(LicenseFact, statement.parent)
    ancestors = [] if parent is None else [parent.id, *parent.ancestors][:MAX_ANCESTORS]
    return LicenseFact(
        index=moment.index,
        id=moment.statement_id,
        subjects=subjects,
        listing=statement.listing,
        licensor=statement.issuer,
        licensee=statement.licensee,
        terms=statement.terms.document(),
        rules=2,
        valid_from_ms=statement.valid_from_ms,
        valid_until_ms=statement.valid_until_ms,
        agreed_ms=moment.time_ms,
        fields=_fields(statement, ("text", "governing_law", "forum", "marking_consent", "marking", "dsp")),
        parent=statement.parent,
        ancestors=ancestors,
        terms_index=moment.index,
        bound_index=moment.index,
    )


def _amended(agreed: LicenseFact, statement: LicenseAmended, index: int) -> LicenseFact:
    fields = agreed.fields | _fields(statement, ("text", "governing_law", "forum", "marking_consent", "marking"))
    if statement.marking_consent is not None and statement.marking is None:
        fields.pop("marking", None)
    amended = replace(agreed, fields=fields)
    if statement.terms is not None:
        amended = replace(amended, terms=statement.terms.document(), terms_index=index)
    if statement.valid_from_ms is not None:
        amended = replace(amended, valid_from_ms=statement.valid_from_ms, bound_index=index)
    if statement.valid_until_ms is not None:
        amended = replace(amended, valid_until_ms=statement.valid_until_ms, bound_index=index)
    if statement.marking_consent is not None:
        amended = replace(amended, consent_index=index)
    return amended


def _fields(statement: Statement, names: Sequence[str]) -> dict[str, Json]:
    return statement.model_dump(include=set(names), exclude_unset=True)


def grant(view: View, agreed: LicenseFact) -> None:
    """Note a license under its listing and licensee."""
    known = view.get(GrantFact, grant_key(agreed.listing, agreed.licensee))
    if known is None:
        view.put(GrantFact(agreed.index, agreed.listing, agreed.licensee, [agreed.id]))
    elif agreed.id not in known.licenses:
        view.change(known, licenses=[*known.licenses, agreed.id])


def end_license(view: View, statement: LicenseEnded | v1.LicenseEnded, index: int, time_ms: int) -> None:
    """End a license, at the later of now and the moment that the statement names."""
    agreed = find(view, LicenseFact, statement.license, "/license")
    named_ms = statement.effective_ms if isinstance(statement, LicenseEnded) else None
    ended_ms = 0 if agreed.is_version_1 and named_ms is None else max(time_ms, named_ms or 0)
    view.change(agreed, ended_index=index, ended_ms=ended_ms)
    known = view.get(GrantFact, grant_key(agreed.listing, agreed.licensee))
    if known is not None and ended_ms <= time_ms:
        view.change(known, licenses=[name for name in known.licenses if name != agreed.id])
    refresh(view, agreed.id)


def use(view: View, usage: UsageReported, index: int, time_ms: int) -> None:
    """Count a use under its license and all above it, and note the duties that it meets."""
    agreed = find(view, LicenseFact, usage.license, "/license")
    count = usage.count
    if isinstance(count, Sealed):
        _tally(view, agreed, usage.action, 1, index)
    else:
        _tally(view, agreed, usage.action, 1 if count is None else count, None)
    stands = standing(view, agreed.id, agreed.index)
    met = met_by(usage, time_ms) | stands.met
    if met != stands.met:
        view.change(stands, met=met)
        refresh(view, agreed.id)


def forward(view: View, statement: TransferForwarded) -> None:
    """Count a forwarding as one `distribute`, if the forwarder is the licensee."""
    transfer = view.get(TransferFact, statement.transfer)
    agreed = view.get(LicenseFact, transfer.license) if transfer is not None else None
    if agreed is not None and agreed.licensee == statement.issuer:
        _tally(view, agreed, "distribute", 1, None)


def _tally(view: View, agreed: LicenseFact, action: str, count: int, sealed_at: int | None) -> None:
    """Add to the counts of a license and of all above it; `sealed_at` is the entry that sealed the count."""
    for each in chain(view, agreed.id):
        stands = standing(view, each.id, each.index)
        known, first_sealed = stands.tallies.get(action, [0, None])
        tally = [known + count, sealed_at if first_sealed is None else first_sealed]
        view.put(replace(stands, tallies=stands.tallies | {action: tally}))
