"""Lies about the log's own keys: who may change them, and which stay."""

# ruff: noqa: D401 - the docstring of a lie is what it says

from __future__ import annotations

from ledger.core.note import note_key_of
from tests.harness.forger import Expected, Scene, lie
from tests.harness.people import key

ROTATION = 4
"""The version of the rules since which the log's keys may change."""


def _told(scene: Scene, at: int, check: str, reason: str) -> list[Expected]:
    """Return what is expected; before version 4 there is no such statement at all."""
    return [(at, check, reason) if scene.rules >= ROTATION else (at, "payload", "unknown-type")]


@lie
def log_key_brought_by_a_party(scene: Scene) -> list[Expected]:
    """A party brings a key of the log: it would sign checkpoints for the operator."""
    vkey = note_key_of(scene.origin, key("another log").public).vkey()
    said = scene.speech.say("ledger.log_key_added", scene.alice, [scene.alice.key], log_key=vkey)
    return _told(scene, scene.force_said(said, scene.alice.key), "signers", "wrong-signers")


@lie
def party_key_as_log_key(scene: Scene) -> list[Expected]:
    """A party's key becomes the log's: what it signed for one could pass for the other."""
    vkey = note_key_of(scene.origin, scene.alice.key.public).vkey()
    said = scene.speech.say("ledger.log_key_added", scene.operator, [scene.operator.key], log_key=vkey)
    return _told(scene, scene.force_said(said, scene.operator.key), "reference", "key-taken")


@lie
def last_log_key_retired(scene: Scene) -> list[Expected]:
    """The operator retires the only key of the log: nothing after it could be signed."""
    vkey = note_key_of(scene.origin, scene.log_key.public).vkey()
    said = scene.speech.say("ledger.log_key_retired", scene.operator, [scene.operator.key], log_key=vkey)
    return _told(scene, scene.force_said(said, scene.operator.key), "reference", "wrong-value")
