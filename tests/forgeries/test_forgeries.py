"""Every lie is caught: exit code 1, at exactly the entries and for exactly the reasons that it is false for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ledger.core.note import ED25519_TYPE, NoteKey
from ledger.statements.parse import NEWEST_RULES, STATEMENTS
from tests import lies  # noqa: F401 - importing it fills LIES
from tests.harness.builder import ORIGIN
from tests.harness.forger import LIES, Forger, Lie, Scene
from tests.harness.people import key
from tests.harness.scene_2 import LIES_2, Lie2, Scene2, scene_for
from tests.harness.speech import TYPES_2, signed
from tests.harness.verify import Verdict, failure_order, replay_files


def name_of(lie: Lie) -> str:
    return lie.__name__


def honest(tmp_path: Path, scene: Scene) -> Verdict:
    scene.go_on()
    return replay_files(tmp_path, scene.directory(), scene.policy())


@pytest.mark.parametrize("rules", STATEMENTS)
@pytest.mark.parametrize("lie", LIES, ids=name_of)
def test_lie(tmp_path: Path, lie: Lie, rules: int) -> None:
    """The verifier names the lie, under each version of the rules, and accuses nothing else."""
    scene = Scene(rules=rules)
    expected = lie(scene)
    if scene.remembered is not None:
        before = replay_files(tmp_path, scene.remembered, scene.policy(), is_remembered=True)
        assert before.exit_code == 0
    scene.go_on()
    is_remembered = scene.remembered is not None
    verdict = replay_files(tmp_path, scene.directory(), scene.policy(), is_remembered=is_remembered)
    assert verdict.failures == sorted(expected, key=failure_order)
    assert verdict.exit_code == 1


@pytest.mark.parametrize("lie", LIES_2, ids=lambda tell: tell.__name__)
def test_lie_about_rights(tmp_path: Path, lie: Lie2) -> None:
    """The verifier names the lie, and accuses nothing else."""
    scene = scene_for(lie)
    expected = lie(scene)
    verdict = honest(tmp_path, scene)
    assert verdict.failures == sorted(expected, key=failure_order)
    assert verdict.exit_code == 1


def test_the_honest_scene_of_rights_is_verified(tmp_path: Path) -> None:
    verdict = honest(tmp_path, Scene2())
    assert (verdict.exit_code, verdict.failures, verdict.report["doubts"]) == (0, [], [])
    assert verdict.report["findings"] == []


def test_a_type_of_version_2_under_version_1(tmp_path: Path) -> None:
    """What a later version of the rules knows, an earlier one does not."""
    scene = Scene()
    statement = scene.speech.say("usage.reported", scene.bob, [scene.bob.key], license=scene.license, action="use")
    at = scene.force_said(statement, scene.bob.key)
    verdict = honest(tmp_path, scene)
    assert (verdict.exit_code, verdict.failures) == (1, [(at, "payload", "unknown-type")])


def test_a_type_that_the_change_of_rules_did_not_list(tmp_path: Path) -> None:
    """After `ledger.rules_changed` only what it lists is allowed, from the next entry on."""
    scene = Scene()
    types = [kind for kind in TYPES_2 if kind not in {"usage.reported", "party.key_added"}]
    scene.say(scene.speech.rules_changed(scene.operator, 2, statement_types=types), scene.operator.key)
    scene.speech.rules = 2
    statement = scene.speech.say("usage.reported", scene.bob, [scene.bob.key], license=scene.license, action="use")
    at = scene.force_said(statement, scene.bob.key)
    verdict = honest(tmp_path, scene)
    assert (verdict.exit_code, verdict.failures) == (1, [(at, "payload", "unknown-type")])


def test_a_change_of_rules_that_lists_what_nobody_knows(tmp_path: Path) -> None:
    """The lists of version 2 are those of docs/statements.md §1.3, or fewer types."""
    scene = Scene()
    wrong = [{"statement_types": ["listing.praised"]}, {"signature_forms": ["ml-dsa-44"]}, {"payload_types": ["a"]}]
    statements = [scene.speech.rules_changed(scene.operator, 2, **own) for own in wrong]
    places = [scene.force_said(statement, scene.operator.key) for statement in statements]
    verdict = honest(tmp_path, scene)
    assert (verdict.exit_code, verdict.failures) == (1, [(at, "reference", "wrong-value") for at in places])


@pytest.mark.parametrize("rules", STATEMENTS)
@pytest.mark.parametrize("admission", ["open", "operator"])
def test_the_honest_scene_is_verified(tmp_path: Path, admission: str, rules: int) -> None:
    """The same machinery without a lie: no failure, no doubt, no finding."""
    verdict = honest(tmp_path, Scene(admission=admission, rules=rules))
    assert (verdict.exit_code, verdict.failures, verdict.report["doubts"]) == (0, [], [])
    assert verdict.report["findings"] == []
    assert verdict.report["entries"] == verdict.report["judged"] == 13


def test_the_honest_scene_is_verified_from_a_state(tmp_path: Path) -> None:
    """A log that only grew is no fork: remembering refuses nobody honest."""
    scene = Scene()
    assert replay_files(tmp_path, scene.files(), scene.policy(), is_remembered=True).exit_code == 0
    scene.go_on()
    verdict = replay_files(tmp_path, scene.files(), scene.policy(), is_remembered=True)
    assert (verdict.exit_code, verdict.report["resumed_size"]) == (0, 11)


def test_the_honest_scene_is_verified_by_the_program(tmp_path: Path) -> None:
    """As a process of its own, with nothing of this one in memory."""
    scene = Scene()
    scene.write(tmp_path / "log")
    (tmp_path / "policy.txt").write_text(scene.policy())
    command = [sys.executable, "-m", "verifier", "replay", str(tmp_path / "log"), "--quiet"]
    done = subprocess.run([*command, "--policy", str(tmp_path / "policy.txt")], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_every_lie_is_told() -> None:
    assert len(LIES) == len({name_of(lie) for lie in LIES}) >= 50
    assert len(LIES_2) == len({lie.__name__ for lie in LIES_2}) >= 30


def test_entry_zero_for_another_key(tmp_path: Path) -> None:
    """Entry 0 does not name the key that the policy trusts: its statements were made for another log."""
    other = NoteKey(ORIGIN, ED25519_TYPE, key("another log").public.raw).vkey()
    verdict = honest(tmp_path, Scene(log_keys=[other]))
    assert (verdict.exit_code, verdict.failures) == (1, [(0, "identity", "wrong-log-key")])


def test_entry_zero_that_creates_nothing(tmp_path: Path) -> None:
    """Without `ledger.created` nothing can be judged: the first entry is false, the rest unknown."""
    scene = Scene()
    forger = Forger()
    forger.entries.clear()
    forger.times.clear()
    forger.rehash()
    for envelope in (scene.speech.party_registered(who) for who in (scene.alice, scene.bob)):
        forger.force_said(envelope, *scene.alice.all_keys)
    verdict = replay_files(tmp_path, forger.files(), forger.policy())
    assert (verdict.exit_code, verdict.failures) == (1, [(0, "reference", "not-created")])
    assert [item["reason"] for item in verdict.report["doubts"]] == ["no-ledger"]


def test_rules_that_nobody_knows(tmp_path: Path) -> None:
    """After a good `ledger.rules_changed` a verifier that does not know the version judges nothing, and says so."""
    scene = Scene(rules=NEWEST_RULES)
    at = scene.force_said(scene.speech.rules_changed(scene.operator, NEWEST_RULES + 1), scene.operator.key)
    scene.force_said({"any": "thing"}, scene.carol.key)
    verdict = replay_files(tmp_path, scene.files(), scene.policy())
    assert (verdict.exit_code, verdict.failures) == (3, [])
    assert [(item["index"], item["reason"]) for item in verdict.report["doubts"]] == [(at + 1, "unknown-rules")]


def test_links_are_checked_under_rules_that_nobody_knows(tmp_path: Path) -> None:
    """Under an unknown version bytes, links and tree are still checked."""
    scene = Scene(rules=NEWEST_RULES)
    scene.force_said(scene.speech.rules_changed(scene.operator, NEWEST_RULES + 1), scene.operator.key)
    at = scene.force(signed({"any": "thing"}, scene.carol.key), previous="ab" * 32)
    verdict = replay_files(tmp_path, scene.files(), scene.policy())
    assert (verdict.exit_code, verdict.failures) == (1, [(at, "link", "wrong-previous")])
