"""Every forged bundle is caught by the check named for it, and every good one is verified (docs/bundle.md §6)."""

from __future__ import annotations

import pytest

from tests.harness.bundle_set import all_cases
from tests.harness.bundles import Case
from verifier.bundle.bundle import Examination, verify_bundle
from verifier.bundle.case import BY_OPERATOR, COMPLETE, OMISSIONS
from verifier.core.policy import parse_policy

CASES = {case.name: case for case in all_cases()}
WAYS = {
    "good-canary": BY_OPERATOR,
    "good-canary-whole-log": COMPLETE,
    "good-canary-omissions-possible": OMISSIONS,
    "omitted-seal": OMISSIONS,
}


def examined(case: Case) -> Examination:
    raw, policy_text = case.make()
    policy = parse_policy(policy_text.encode())
    return verify_bundle(raw, policy, policy.logs[0])


@pytest.mark.parametrize("name", CASES)
def test_bundle(name: str) -> None:
    case = CASES[name]
    outcome = examined(case).outcome
    first = next((fault.check.slug for fault in (*outcome.failures, *outcome.doubts)), None)
    assert (outcome.exit_code, first) == (case.exit_code, case.check), outcome


@pytest.mark.parametrize("name", WAYS)
def test_how_much_of_the_history_is_there(name: str) -> None:
    """Leaving a hand-off out is no lie that can be seen, but the history says that something is missing."""
    assert examined(CASES[name]).completeness == WAYS[name]


def test_every_check_catches_a_lie() -> None:
    caught = {case.check for case in CASES.values() if case.exit_code == 1}
    assert caught == {
        *("bundle-form", "checkpoint", "receipt", "entry", "signature", "acceptance", "history", "case", "disclosure"),
        *("record", "found", "custody", "match", "marks", "score", "control", "judgement"),
    }
    assert len(CASES) >= 130
