"""Ledger and verifier, two readings of docs/format.md §9, refuse the same statements for the same reasons."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.conformance.histories import History
from tests.harness.verify import replay_files

STEPS = 1000
SEEDS = range(5)
OF_JSON = {
    "not-json", "duplicate-key", "float", "integer-out-of-range", "lone-surrogate", "control-character", "too-deep",
    "non-canonical",
}  # fmt: skip
"""Reasons of §1.3: where several apply, any may be given."""


def group(reason: str) -> str:
    return "not canonical JSON" if reason in OF_JSON else reason


@pytest.mark.parametrize("seed", SEEDS)
def test_ledger_and_verifier_agree(tmp_path: Path, seed: int) -> None:
    """Every statement of a random history is accepted by both, or refused by both for the same reason."""
    history = History(seed)
    for _ in range(STEPS):
        history.step()
    verdict = replay_files(tmp_path, history.ledger.files(), history.ledger.policy())
    found: dict[int, list[str]] = {}
    for index, check, reason in verdict.failures:
        assert index is not None, (check, reason)
        found.setdefault(index, []).append(group(reason))
    disagreements = [
        (item, found.get(item.at, []))
        for item in history.judged
        if found.get(item.at, []) != ([group(item.reason)] if item.reason else [])
    ]
    assert disagreements == []
    counts = Counter(item.reason for item in history.judged)
    assert counts[""] > STEPS / 5, "too few statements are accepted to say anything about state"
    assert verdict.report["judged"] == len(history.judged)
