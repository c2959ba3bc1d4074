"""A replay keeps a proof of every failure that can be proved, and of none that cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import lies  # noqa: F401 - importing it fills LIES
from tests.harness.builder import write_files
from tests.harness.forger import LIES, Lie, Scene
from tests.harness.frauds import WITNESS, listing, take_back
from tests.harness.scene_2 import LIES_2, Lie2, scene_for
from tests.harness.speech import signed
from tests.harness.verify import Verdict, replay_files, run_verifier
from verifier.cli.main import main

UNPROVABLE = {"entry-bytes", "root", "tile", "bundle", "checkpoint-signature", "checkpoint-origin"}
"""Checks of what no key of the log signed, or of a copy that may be damaged."""


def proofs(directory: Path, verdict: Verdict) -> list[tuple[int, str]]:
    """Return exit code and kind of every proof that a replay kept."""
    found = []
    for path in verdict.report["fraud_proofs"]:
        checked = run_verifier("fraud", path, "--policy", str(directory / "policy.txt"))
        found.append((checked.exit_code, checked.report["kind"]))
    return found


@pytest.mark.parametrize("lie", LIES, ids=lambda tell: tell.__name__)
def test_lies(tmp_path: Path, lie: Lie) -> None:
    """Whatever the log signed that is false is in a file that convicts."""
    scene = Scene()
    expected = lie(scene)
    is_remembered = scene.remembered is not None
    if scene.remembered is not None:
        replay_files(tmp_path, scene.remembered, scene.policy(), is_remembered=True)
    scene.go_on()
    frauds = ("--fraud-dir", str(tmp_path / "frauds"))
    verdict = replay_files(tmp_path, scene.directory(), scene.policy(), *frauds, is_remembered=is_remembered)
    found = proofs(tmp_path, verdict)
    assert {code for code, _ in found} <= {0}
    checks = {check for _, check, _ in expected}
    if "fork" in {reason for _, _, reason in expected}:
        assert found == [(0, "fork")]
    elif checks & UNPROVABLE or "remembered" in checks:
        assert len(found) < len(expected)
    else:
        assert len(found) == len(expected), (found, expected)


@pytest.mark.parametrize("lie", LIES_2, ids=lambda tell: tell.__name__)
def test_lies_about_rights(tmp_path: Path, lie: Lie2) -> None:
    scene = scene_for(lie)
    expected = lie(scene)
    scene.go_on()
    verdict = replay_files(tmp_path, scene.directory(), scene.policy(), "--fraud-dir", str(tmp_path / "frauds"))
    found = proofs(tmp_path, verdict)
    assert (len(found), {code for code, _ in found}) == (len(expected), {0})


def test_a_sound_log_leaves_no_proof(tmp_path: Path) -> None:
    scene = Scene()
    scene.go_on()
    verdict = replay_files(tmp_path, scene.directory(), scene.policy(), "--fraud-dir", str(tmp_path / "frauds"))
    assert (verdict.exit_code, verdict.report["fraud_proofs"]) == (0, [])
    assert not (tmp_path / "frauds").exists()


def test_proofs_are_kept_beside_the_state(tmp_path: Path) -> None:
    scene = Scene()
    replay_files(tmp_path, scene.files(), scene.policy(), is_remembered=True)
    scene.force(signed(scene.speech.listing_registered(scene.carol), scene.carol.key), previous="ab" * 32)
    verdict = replay_files(tmp_path, scene.files(), scene.policy(), is_remembered=True)
    [path] = verdict.report["fraud_proofs"]
    assert Path(path).parent == tmp_path / "state.json.frauds"
    assert proofs(tmp_path, verdict) == [(0, "unlawful-entry")]


def test_a_witness_that_saw_it_earlier(tmp_path: Path) -> None:
    scene = Scene()
    scene.record(listing(scene))
    files = scene.files()
    files["checkpoint"] = WITNESS.cosign(files["checkpoint"], scene.times[-1] // 1000 - 400)
    policy = scene.policy().replace("quorum none", f"{WITNESS.policy_line}\nquorum w1")
    verdict = replay_files(tmp_path, files, policy, "--fraud-dir", str(tmp_path / "frauds"))
    assert verdict.failures == [(None, "cosignature-time", "older-than-entry")]
    assert proofs(tmp_path, verdict) == [(0, "time")]


def test_a_directory_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scene = Scene()
    scene.force(listing(scene), previous="ab" * 32)
    scene.write(tmp_path / "log")
    (tmp_path / "policy.txt").write_text(scene.policy())
    (tmp_path / "file").write_text("")
    places = [str(tmp_path / "log"), "--policy", str(tmp_path / "policy.txt"), "--fraud-dir", str(tmp_path / "file/in")]
    assert main(["replay", *places, "--quiet"]) == 2
    assert "cannot write the fraud proof" in capsys.readouterr().err


def mirror(directory: Path, *sources: Path) -> Verdict:
    """Bring the mirror in `directory` up to date."""
    policy = ["--policy", str(directory / "policy.txt"), "--quiet"]
    return run_verifier("mirror", *map(str, sources), str(directory / "mirror"), *policy)


def fork_of(scene: Scene, difference: int) -> None:
    """Sign another history, of so many entries more than the one that there was."""
    take_back(scene, 2)
    for number in range(2 + difference):
        scene.force(listing(scene, f"Planes {number}"))


@pytest.mark.parametrize("difference", [-1, 0, 1], ids=["shorter", "as long", "longer"])
def test_a_mirror_keeps_the_fork_and_what_was_changed(tmp_path: Path, difference: int) -> None:
    scene = Scene()
    (tmp_path / "policy.txt").write_text(scene.policy())
    assert mirror(tmp_path, scene.write(tmp_path / "log")).exit_code == 0
    fork_of(scene, difference)
    verdict = mirror(tmp_path, scene.write(tmp_path / "other"))
    assert verdict.exit_code == 1
    assert proofs(tmp_path, verdict) == [(0, "fork"), (0, "rewrite")]
    assert {Path(path).parent for path in verdict.report["fraud_proofs"]} == {tmp_path / "mirror.frauds"}


@pytest.mark.parametrize("difference", [-1, 0], ids=["shorter", "as long"])
@pytest.mark.parametrize("is_withheld", [False, True], ids=["cut", "withheld"])
def test_a_fork_is_proved_though_its_tiles_are_kept_back(tmp_path: Path, difference: int, *, is_withheld: bool) -> None:
    """Two signed checkpoints and the leaves of the first are enough: nothing more that the operator serves is."""
    scene = Scene()
    (tmp_path / "policy.txt").write_text(scene.policy())
    assert mirror(tmp_path, scene.write(tmp_path / "first")).exit_code == 0
    replay_files(tmp_path, scene.files(), scene.policy(), is_remembered=True)
    fork_of(scene, difference)
    files = {path: raw[:-1] if path.startswith("tile/") else raw for path, raw in scene.files().items()}
    if is_withheld:
        files = {path: raw for path, raw in files.items() if not path.startswith("tile/")}
    write_files(tmp_path / "other", files)
    verdict = mirror(tmp_path, tmp_path / "other")
    assert (verdict.exit_code, proofs(tmp_path, verdict)) == (1, [(0, "fork")])
    verdict = replay_files(tmp_path, files, scene.policy(), is_remembered=True)
    assert (verdict.exit_code, proofs(tmp_path, verdict)) == (1, [(0, "fork")])


def test_two_sources_that_contradict_each_other(tmp_path: Path) -> None:
    """A split view is caught where the views meet: by a replay, and by a mirror that had neither."""
    scene = Scene()
    scene.write(tmp_path / "short")
    take_back(scene)
    for title in ("Planes", "Airlines"):
        scene.force(listing(scene, title))
    frauds = ("--fraud-dir", str(tmp_path / "frauds"))
    verdict = replay_files(tmp_path, scene.files(), scene.policy(), "--also", str(tmp_path / "short"), *frauds)
    assert proofs(tmp_path, verdict) == [(0, "fork")]
    verdict = mirror(tmp_path, tmp_path / "short", tmp_path / "log")
    assert (verdict.exit_code, proofs(tmp_path, verdict)) == (1, [(0, "fork")])
