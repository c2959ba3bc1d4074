"""Ledger and verifier, two readings of docs/format.md §9, refuse the same statements for the same reasons."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ledger.statements.parse import NEWEST_RULES
from tests.conformance.effort import rounds
from tests.conformance.histories import History
from tests.harness.speech import types_of
from tests.harness.verify import replay_files

STEPS = 700
OF_JSON = {
    "not-json", "duplicate-key", "float", "integer-out-of-range", "lone-surrogate", "control-character", "too-deep",
    "non-canonical",
}  # fmt: skip
"""Reasons of §1.3: where several apply, any may be given."""


def group(reason: str) -> str:
    return "not canonical JSON" if reason in OF_JSON else reason


def compare(history: History, directory: Path) -> None:
    """Replay a history; every statement must be accepted by both, or refused by both for the same reason."""
    verdict = replay_files(directory, history.ledger.files(), history.ledger.policy())
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
    assert counts[""] > len(history.judged) / 6, "too few statements are accepted to say anything about state"
    assert verdict.report["judged"] == len(history.judged)


@pytest.mark.parametrize("seed", range(rounds(3)))
def test_version_1(tmp_path: Path, seed: int) -> None:
    history = History(seed)
    for _ in range(STEPS):
        history.step()
    compare(history, tmp_path)


@pytest.mark.parametrize("seed", range(1000, 1000 + rounds(6)))
def test_versions_since_2(tmp_path: Path, seed: int) -> None:
    """Statements of all types, sealed and marked here and there: of version 2 a third, the rest of the newest."""
    history = History(seed, rules=NEWEST_RULES if seed % 3 else 2)
    for _ in range(STEPS):
        history.step()
    accepted = {item.how for item in history.judged if not item.reason}
    missing = set(types_of(history.ledger.rules)) - accepted - {"ledger.rules_changed"}
    assert len(missing) < 3, missing
    compare(history, tmp_path)


@pytest.mark.parametrize("seed", range(2000, 2000 + rounds(4)))
def test_one_version_after_the_other(tmp_path: Path, seed: int) -> None:
    """The rules change on the way: what was said before keeps its meaning, and is referred to afterwards."""
    history = History(seed)
    for _ in range(STEPS // 4):
        history.step()
    for _ in range(1, NEWEST_RULES):
        history.change_rules()
        for _ in range(STEPS // 3):
            history.step()
    compare(history, tmp_path)
