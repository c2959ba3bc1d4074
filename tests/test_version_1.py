"""A ledger made under version 1 of the rules still says what it said, and goes on under version 2."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.harness.verify import Verdict, run_verifier

LEDGER = Path(__file__).parent / "vectors" / "ledger-v1"
REPORT: dict[str, Any] = json.loads((LEDGER / "replay.json").read_text(encoding="utf-8"))
SAME = ("verdict", "origin", "ledger", "operator", "entries", "judged", "statements", "failures", "doubts")
"""Members of a report that must be what they were."""


def replayed(source: str) -> Verdict:
    policy, parties = str(LEDGER / "policy.txt"), str(LEDGER / "parties.txt")
    return run_verifier("replay", source, "--policy", policy, "--parties", parties, "--quiet")


def test_the_report_is_what_it_was() -> None:
    verdict = replayed(str(LEDGER / "mirror"))
    assert verdict.exit_code == 0
    assert {name: verdict.report[name] for name in SAME} == {name: REPORT[name] for name in SAME}
    for now, then in zip(verdict.report["parties"], REPORT["parties"], strict=True):
        assert now.items() >= then.items()
    assert verdict.report["checkpoint"]["root"] == REPORT["checkpoint"]["root"]
    findings = [(item["slug"], item["index"]) for item in verdict.report["findings"]]
    assert findings == [(item["slug"], item["index"]) for item in REPORT["findings"]]


@pytest.mark.parametrize("receipt", sorted((LEDGER / "evidence").glob("*.tlog-proof")), ids=lambda path: path.name[:8])
def test_the_receipts_verify(receipt: Path) -> None:
    policy, entry = str(LEDGER / "policy.txt"), str(receipt.with_suffix(".entry"))
    verdict = run_verifier("receipt", str(receipt), "--entry", entry, "--policy", policy)
    assert verdict.exit_code == 0
