"""One damaged entry in a copy is one fault, however much depends on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.verifier.builder import Builder, envelope, key_from, sha, small_ledger
from tests.verifier.replay.test_replay import MANY, checks, code, run
from tests.verifier.sources.test_remembered import state
from verifier.replay.result import Replay


def damage(raw: bytes) -> bytes:
    """Return an entry with one character of its first signature changed."""
    at = raw.index(b'"sig":"') + 20
    return raw[:at] + (b"A" if raw[at : at + 1] != b"A" else b"B") + raw[at + 1 :]


def damaged(builder: Builder, directory: Path, *indexes: int) -> Path:
    """Write a copy of the log in whose bundles some entries are damaged; its tiles and checkpoint are the log's."""
    log = builder.write(directory)
    entries = [damage(raw) if at in indexes else raw for at, raw in enumerate(builder.entries)]
    for path, raw in Builder(entries=entries, leaves=builder.leaves).files().items():
        if path.startswith("tile/entries/"):
            (log / path).write_bytes(raw)
    return log


def doubts(result: Replay) -> list[tuple[str, str, int | None]]:
    return [(doubt.check.slug, doubt.reason, doubt.index) for doubt in result.doubts]


def faults(index: int) -> set[tuple[str, str, int | None]]:
    """Return what one damaged entry amounts to."""
    return {
        ("signature", "wrong-signature", index),
        ("entry-bytes", "changed-bytes", index),
        ("link", "wrong-previous", index + 1),
        ("root", "root-mismatch", None),
    }


@pytest.mark.parametrize(("index", "first"), [(1, 4), (4, 5), (5, 6), (6, 7)])
def test_a_damaged_entry_is_named_and_its_consequences_are_not_told(index: int, first: int, tmp_path: Path) -> None:
    """A registration, the listing, the license, an offer: what depends on it is not accused."""
    result = run(damaged(MANY, tmp_path / "log", index))
    assert checks(result) == faults(index)
    assert doubts(result) == [("judged", "incomplete-state", first)]
    assert (code(result), result.is_complete, result.judged_size) == (1, False, index)


def test_a_damaged_entry_that_nothing_depends_on_raises_no_doubt(tmp_path: Path) -> None:
    result = run(damaged(MANY, tmp_path / "log", 7))
    assert (checks(result), doubts(result)) == (faults(7), [])
    assert not result.is_complete


def test_several_damaged_entries_are_all_named(tmp_path: Path) -> None:
    """The doubt is about whole entries; those that are damaged too stay named, for what they are."""
    result = run(damaged(MANY, tmp_path / "log", 1, 300))
    assert {("entry-bytes", "changed-bytes", 1), ("entry-bytes", "changed-bytes", 300)} <= checks(result)
    assert doubts(result) == [("judged", "incomplete-state", 4)]


def lying() -> tuple[Builder, int]:
    """Return a log that records, in the middle, a statement under an unknown key, and that statement's index."""
    builder = small_ledger()
    stranger = key_from("stranger")
    payload = builder.statement("listing.registered", "acme", [stranger], title="x", content={"sealed": "0" * 64})
    at = builder.record(envelope(payload, [stranger]))
    builder.register("dill")
    builder.list_dataset("dill")
    return builder, at


def test_a_refusal_before_the_damage_still_accuses(tmp_path: Path) -> None:
    """What the log recorded under its root, on a state that is known, it had to refuse."""
    builder, at = lying()
    result = run(damaged(builder, tmp_path / "log", at + 1))
    assert checks(result) == faults(at + 1) | {("key-known", "unknown-key", at)}
    assert doubts(result) == [("judged", "incomplete-state", at + 2)]
    assert checks(run(builder.write(tmp_path / "whole"))) == {("key-known", "unknown-key", at)}


def test_a_damaged_entry_that_was_judged_before_excuses_nothing(tmp_path: Path) -> None:
    """A resumed replay has the effect of the old entries, however they read now."""
    builder, at = lying()
    before = Builder(entries=builder.entries[:at], leaves=builder.leaves[:at])
    result = run(damaged(builder, tmp_path / "log", 1), state=state(before, tmp_path / "seen"))
    assert checks(result) == {("entry-bytes", "changed-bytes", 1), ("key-known", "unknown-key", at)}
    assert doubts(result) == []


def test_a_fork_is_not_judged_by_the_state_of_the_other_branch(tmp_path: Path) -> None:
    """Two histories: who is registered in the one says nothing about the other."""
    builder = small_ledger()
    seen = state(builder, tmp_path / "seen")
    entries = [*builder.entries[:-1]]
    other = Builder(entries=entries, leaves=[sha(b"\x00" + raw) for raw in entries], ledger=builder.ledger)
    other.nonces, other.time_ms = 1000, builder.time_ms
    other.register("dill")
    at = len(other.entries)
    other.register("elm")
    other.list_dataset("dill")
    result = run(other.write(tmp_path / "log"), state=seen)
    assert ("remembered", "fork", None) in checks(result)
    assert doubts(result) == [("judged", "incomplete-state", at + 1)]
    assert not any(check == "key-known" for check, _, _ in checks(result))
