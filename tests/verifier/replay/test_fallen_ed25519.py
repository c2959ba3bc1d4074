"""The day on which Ed25519 falls: every signature of it can be forged, and what ML-DSA-44 signed still convinces."""

from __future__ import annotations

from pathlib import Path

import pytest

import verifier.core.keys
import verifier.core.notes
from ledger.core.checkpoint import sign_checkpoint
from ledger.core.keys import Signer
from ledger.core.note import note_key_of
from tests.harness.bundle_lasting import CASES
from tests.harness.forger import Scene
from tests.harness.lies_about_algorithms import before
from tests.harness.people import lasting_key
from tests.harness.verify import Verdict, replay_files
from verifier.bundle.bundle import Examination, verify_bundle
from verifier.bundle.report import describe
from verifier.core.policy import parse_policy

LASTING = lasting_key("log, lasting")
GARBAGE = b"\x01" * 64


class Forged:
    """An Ed25519 key in the hand of whoever can forge its signatures."""

    def __init__(self, name: Signer) -> None:
        self.public = name.public

    def sign(self, _message: bytes) -> bytes:
        return GARBAGE


@pytest.fixture(autouse=True)
def fallen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every Ed25519 signature be valid under every key."""
    for module in (verifier.core.keys, verifier.core.notes):
        monkeypatch.setattr(module, "is_signed", lambda *_: True)


@pytest.fixture
def scene() -> Scene:
    """Return a ledger whose log signs with both, and Carol, who does so, too."""
    scene = Scene(rules=5)
    vkey = note_key_of(scene.origin, LASTING.public).vkey()
    scene.log_signers[vkey] = LASTING
    said = scene.speech.say("ledger.log_key_added", scene.operator, [scene.operator.key], log_key=vkey)
    scene.say(said, scene.operator.key)
    assert before(scene) == []
    return scene


def policy_of(scene: Scene) -> str:
    """Return a policy that asks for the log's ML-DSA-44 signature."""
    lasting = note_key_of(scene.origin, LASTING.public).vkey()
    return scene.policy().replace("quorum none\n", f"witness lasting {lasting}\nquorum lasting\n")


def replayed(scene: Scene, directory: Path) -> Verdict:
    return replay_files(directory, scene.directory(), policy_of(scene))


def test_a_sound_ledger_is_verified(scene: Scene, tmp_path: Path) -> None:
    done = replayed(scene, tmp_path)
    assert (done.exit_code, done.failures, done.report["doubts"]) == (0, [], [])


def test_nobody_speaks_for_a_party_with_both(scene: Scene, tmp_path: Path) -> None:
    said = scene.speech.listing_registered(scene.carol)
    said["signers"] = [scene.carol.key.public.keyid]
    at = scene.force_said(said, Forged(scene.carol.key))
    assert replayed(scene, tmp_path).failures == [(at, "signers", "wrong-signers")]


def test_anybody_speaks_for_a_party_without(scene: Scene, tmp_path: Path) -> None:
    """What is lost, and what docs/threats.md says of it: who has Ed25519 alone has no voice of its own any more."""
    scene.force_said(scene.speech.listing_registered(scene.bob), Forged(scene.bob.key))
    assert replayed(scene, tmp_path).exit_code == 0


def test_a_history_that_was_rewritten_is_not_taken(scene: Scene, tmp_path: Path) -> None:
    """Another tree under the log's forged signature: without the other, nothing is verified."""
    scene.entries.pop()
    scene.rehash()
    forged = sign_checkpoint(scene.origin, scene.head(), Forged(scene.log_key))
    scene.edit = lambda files: files.update(checkpoint=forged)
    done = replayed(scene, tmp_path)
    assert (done.exit_code, [doubt["reason"] for doubt in done.report["doubts"]]) == (
        3,
        ["quorum-not-reached", "log-signature-missing"],
    )


def examined(name: str) -> Examination:
    (case,) = [case for case in CASES if case.name == name]
    raw, text = case.make()
    policy = parse_policy(text.encode())
    return verify_bundle(raw, policy, policy.pick_log(None))


def test_a_bundle_stays_convincing() -> None:
    examination = examined("good-lasting")
    assert examination.exit_code == 0
    entries = describe(examination)["if_ed25519_falls"]["entries"]
    assert [item["short"] for item in entries] == [[]] * len(entries)
    assert {name for item in entries for name in item["lasting"]} == {"alice.example", "bob.example"}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("lasting-signature-left-out", 1),
        ("licensee-signs-with-half-of-its-keys", 1),
        ("lasting-signature-bent", 1),
        ("lasting-signature-of-64-bytes", 1),
        ("doubt-lasting-signature-left-out", 3),
    ],
)
def test_a_forged_bundle_still_convinces_nobody(name: str, code: int) -> None:
    examination = examined(name)
    assert examination.exit_code == code
    first = [*examination.outcome.failures, *examination.outcome.doubts][0]
    assert first.check.slug == "signature"
