"""Checking an evidence bundle, from its bytes and a policy alone (docs/bundle.md).

Nothing in it is believed because it is there. The checks run in the order of `BundleCheck`, in stages: what a stage
finds false ends the examination, for what comes after rests on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from verifier.bundle.case import (
    Case,
    History,
    completeness,
    read_histories,
    verify_case,
    verify_disclosures,
    verify_histories,
    verify_judgement,
)
from verifier.bundle.checks import BundleCheck, Outcome, Unverifiable
from verifier.bundle.custody import Registration, verify_custody
from verifier.bundle.entries import Chain, verify_chain
from verifier.bundle.form import Bundle, parse_bundle
from verifier.bundle.marks import Tried, opened_value, verify_marks
from verifier.bundle.numbers import Scores
from verifier.bundle.records import Found, verify_found, verify_matches, verify_records
from verifier.bundle.times import verify_times
from verifier.core.errors import MalformedInput
from verifier.judgement.judge import Judgement
from verifier.judgement.pins import PinCheck, Pins, verify_pins
from verifier.times.dating import Dating

if TYPE_CHECKING:
    from verifier.core.certificates import Roots
    from verifier.core.notes import VerifierKey
    from verifier.core.policy import Policy


@dataclass(slots=True)
class Examination:
    """What is known of a bundle so far, or in the end: a member is None, or empty, where a check before it failed."""

    policy: Policy
    log: VerifierKey
    outcome: Outcome = field(default_factory=Outcome)
    bundle: Bundle | None = None
    chain: Chain | None = None
    pins: PinCheck = field(default_factory=PinCheck)
    case: Case | None = None
    histories: list[History] = field(default_factory=list)
    completeness: str = ""
    acts: list[dict[str, Any]] = field(default_factory=list)
    """What follows from the entries for each act that is alleged."""
    judgement: Judgement = field(default_factory=Judgement)
    found: Found | None = None
    registration: Registration | None = None
    """Since when the found file was provably in hand, if it was registered."""
    tried: Tried | None = None
    dating: Dating | None = None
    """What bounds the times of the entries; None where the user named no roots of time-stamps."""
    is_settled: bool = False
    """Every check was made."""

    @property
    def exit_code(self) -> int:
        """0 verified, 1 something is false, 3 could not tell, or only on a condition."""
        return self.outcome.exit_code

    @property
    def is_conditional(self) -> bool:
        """Every check was made and holds, but no program read the found file."""
        return self.is_settled and self.outcome.is_conditional


def verify_bundle(  # noqa: PLR0917 (a bundle, whom to trust, and what the user has beside it)
    raw: bytes,
    policy: Policy,
    log: VerifierKey,
    pins: Pins = (),
    found: bytes | None = None,
    tsa_roots: Roots = (),
) -> Examination:
    """Check everything that docs/bundle.md §6 lists; faults do not raise: they are in the result's `outcome`.

    `found` is the found file, where the user has it; `tsa_roots` are whose word the user takes for the time.
    """
    examination = Examination(policy, log)
    try:
        _examine(examination, raw, pins, found, tsa_roots)
    except MalformedInput as error:
        examination.outcome.fail(BundleCheck.FORM, error.reason, error.detail)
    except Unverifiable:
        pass  # what was false has been noted
    examination.outcome.sort()
    return examination


def _examine(examination: Examination, raw: bytes, pins: Pins, found: bytes | None, tsa_roots: Roots) -> None:
    outcome = examination.outcome
    bundle = examination.bundle = parse_bundle(raw)
    read = read_histories(bundle)
    chain = examination.chain = verify_chain(bundle, examination.policy, examination.log, outcome)
    if not chain.is_readable:
        return
    examination.pins = verify_pins(chain.registry, pins, is_complete=chain.is_whole)
    for failure in examination.pins.failures:
        outcome.fail(BundleCheck.PARTY, failure.reason, failure.where, failure.expected, failure.actual)
    for doubt in examination.pins.doubts:
        outcome.doubt(BundleCheck.PARTY, doubt.reason, doubt.where)
    histories = examination.histories = verify_histories(read, chain, outcome)
    case = examination.case = verify_case(bundle, chain, outcome)
    examination.completeness = completeness(chain, histories, case.raw["listing"])
    verify_disclosures(bundle, case, chain, outcome)
    outcome.stop_if_false()
    examination.acts, examination.judgement = verify_judgement(bundle, chain, outcome)
    _examine_evidence(examination, bundle, chain, case, found)
    examination.dating = verify_times(bundle, chain, examination.policy, examination.log, tsa_roots, outcome)
    outcome.stop_if_false()
    examination.is_settled = True


def _examine_evidence(examination: Examination, bundle: Bundle, chain: Chain, case: Case, given: bytes | None) -> None:
    outcome = examination.outcome
    before = len(outcome.failures)
    content = opened_value(bundle, case.transfer, "/content")
    records = verify_records(bundle, content, outcome)
    found = examination.found = verify_found(bundle, given, outcome)
    examination.registration = verify_custody(bundle, case, outcome)
    if len(outcome.failures) > before:
        return
    matched = verify_matches(bundle, records, found, outcome)
    if len(outcome.failures) > before:
        return
    shown = {place: record for place, record in records.items() if place in matched}
    tried = examination.tried = verify_marks(bundle, chain, case, found, shown, outcome)
    if len(outcome.failures) > before:
        return
    Scores(bundle, chain, case, tried, outcome).verify()
