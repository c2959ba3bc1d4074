"""Ledgers made under earlier versions of the rules still say what they said, and nothing that came later."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.statements.parse import NEWEST_RULES
from tests.harness.forger import Scene
from tests.harness.speech import COIN, drawn_marks, marks, sealed
from tests.harness.verify import Verdict, replay_files, run_verifier

VECTORS = Path(__file__).parent / "vectors"
BUNDLE = VECTORS / "bundle-v1"
LEDGERS = [VECTORS / f"ledger-v{version}" for version in range(1, NEWEST_RULES)]
RECEIPTS = [receipt for ledger in LEDGERS for receipt in sorted((ledger / "evidence").glob("*.tlog-proof"))]
SAME = ("verdict", "origin", "ledger", "operator", "entries", "judged", "statements", "failures", "doubts")
"""Members of a report that must be what they were."""


def name_of(path: Path) -> str:
    return path.name[:9]


def replayed(ledger: Path) -> Verdict:
    policy, parties = str(ledger / "policy.txt"), str(ledger / "parties.txt")
    return run_verifier("replay", str(ledger / "mirror"), "--policy", policy, "--parties", parties, "--quiet")


@pytest.mark.parametrize("ledger", LEDGERS, ids=name_of)
def test_the_report_is_what_it_was(ledger: Path) -> None:
    then: dict[str, Any] = json.loads((ledger / "replay.json").read_text(encoding="utf-8"))
    verdict = replayed(ledger)
    assert verdict.exit_code == 0
    assert {name: verdict.report[name] for name in SAME} == {name: then[name] for name in SAME}
    for now, before in zip(verdict.report["parties"], then["parties"], strict=True):
        assert now.items() >= before.items()
    assert verdict.report["checkpoint"]["root"] == then["checkpoint"]["root"]
    findings = [(item["slug"], item["index"]) for item in verdict.report["findings"]]
    assert findings == [(item["slug"], item["index"]) for item in then["findings"]]


@pytest.mark.parametrize("ledger", LEDGERS[1:], ids=name_of)
def test_what_follows_from_it_is_what_it_was(ledger: Path) -> None:
    """Since version 2 a report says of each finding from which entries it follows, and what each license says."""
    then, verdict = json.loads((ledger / "replay.json").read_text(encoding="utf-8")), replayed(ledger)
    for name in ("findings", "undetermined", "licenses"):
        assert verdict.report[name] == then[name]


@pytest.mark.parametrize("receipt", RECEIPTS, ids=name_of)
def test_the_receipts_verify(receipt: Path) -> None:
    policy, entry = str(receipt.parents[1] / "policy.txt"), str(receipt.with_suffix(".entry"))
    verdict = run_verifier("receipt", str(receipt), "--entry", entry, "--policy", policy)
    assert verdict.exit_code == 0


def test_a_bundle_of_the_first_packaging_verifies() -> None:
    then: dict[str, Any] = json.loads((BUNDLE / "report.json").read_bytes())
    verdict = run_verifier("bundle", str(BUNDLE / "case.zip"), "--policy", str(BUNDLE / "policy.txt"))
    assert verdict.exit_code == 0
    for name in ("verdict", "is_enough", "origin", "ledger", "checkpoint", "completeness", "failures", "doubts"):
        assert verdict.report[name] == then[name]


@pytest.mark.parametrize("rules", range(1, 3))
def test_marks_are_unknown_before_version_3(rules: int, tmp_path: Path) -> None:
    """What only a later version knows is false on a ledger under an earlier one."""
    scene = Scene(rules=rules)
    offer = scene.speech.transfer_offered(scene.alice, scene.bob, scene.listing, scene.license, marks=marks())
    at = scene.force_said(offer, scene.alice.key)
    scene.go_on()
    verdict = replay_files(tmp_path, scene.directory(), scene.policy())
    assert (verdict.exit_code, verdict.failures) == (1, [(at, "fields", "unknown-field")])


@pytest.mark.parametrize("rules", range(1, 6))
def test_pools_are_unknown_before_version_6(rules: int, tmp_path: Path) -> None:
    """Nor are there requests, draws, what an acknowledgement opens, and how copies are marked."""
    scene = Scene(rules=rules)
    speech, alice, bob = scene.speech, scene.alice, scene.bob
    prepared = scene.force_said(speech.transfer_prepared(alice, bob, scene.listing), alice.key)
    requested = scene.force_said(speech.transfer_requested(bob, scene.listing), bob.key)
    acknowledged = scene.force_said(speech.transfer_acknowledged(bob, scene.open, opens=sealed("t")["sealed"]), bob.key)
    marking = {"bound": "0.001", "method": "canary", "recipients": 2}
    agreed = speech.license_agreed(alice, bob, scene.listing, marking=marking)
    licensed = scene.force_said(agreed, alice.key, bob.key)
    scene.go_on()
    verdict = replay_files(tmp_path, scene.directory(), scene.policy())
    assert (verdict.exit_code, verdict.failures) == (1, [
        (prepared, "payload", "unknown-type"), (requested, "payload", "unknown-type"),
        (acknowledged, "fields", "unknown-field"), (licensed, "fields", "unknown-field"),
    ])  # fmt: skip


@pytest.mark.parametrize("rules", range(1, 6))
def test_drawn_marks_are_unknown_before_version_6(rules: int, tmp_path: Path) -> None:
    """An offer that names a preparation lacks what marks had to have then, if it could have any."""
    scene = Scene(rules=rules)
    said = drawn_marks(scene.listing, coin=dict(COIN))
    offer = scene.speech.transfer_offered(scene.alice, scene.bob, scene.listing, scene.license, marks=said)
    at = scene.force_said(offer, scene.alice.key)
    scene.go_on()
    verdict = replay_files(tmp_path, scene.directory(), scene.policy())
    assert (verdict.exit_code, [failure[:2] for failure in verdict.failures]) == (1, [(at, "fields")])
