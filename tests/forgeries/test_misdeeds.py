"""What parties do wrong is recorded, found, and no fault of the ledger (docs/statements.md §10)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.misdeeds import MISDEEDS, Found, Misdeed
from tests.harness.scene_2 import Scene2
from tests.harness.verify import replay_files
from verifier.bundle.case import SLUGS


@pytest.mark.parametrize("tell", MISDEEDS, ids=lambda tell: tell.__name__)
def test_misdeed(tmp_path: Path, tell: Misdeed) -> None:
    """The verifier finds it, at its entry, against who did it, and finds nothing else."""
    scene = Scene2()
    wanted = tell(scene)
    scene.go_on()
    verdict = replay_files(tmp_path, scene.directory(), scene.policy(), "--fail-on-findings")
    assert (verdict.exit_code, verdict.failures, verdict.report["doubts"]) == (4, [], [])
    assert [Found(item["index"], item["slug"], item["party"]) for item in verdict.report["findings"]] == [wanted]


def test_every_finding_is_caused() -> None:
    assert {tell(Scene2()).slug for tell in MISDEEDS} == set(SLUGS)
