"""A successor and the ledger that it continues, verified in one go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.verifier.builder import Builder, b64, key_from, small_ledger, vkey
from tests.verifier.cli.test_cli import verifier
from verifier.cli.main import main

OLD = small_ledger(transfers=20)


def successor(**predecessor: Any) -> Builder:
    """Return a ledger under another origin and key, which continues OLD at its end."""
    builder = Builder(origin="log.example/next", rules=3, log_key=key_from("another log"), time_ms=OLD.time_ms)
    named = {"ledger": OLD.ledger, "root": OLD.root().hex(), "size": len(OLD.entries)}
    builder.create(predecessor=named | predecessor)
    builder.register("acme")
    return builder


def both(tmp_path: Path, new: Builder, old: Builder, *more: object, code: int) -> str:
    policy = tmp_path / "policy.txt"
    lines = [f"log {vkey(item.origin, 1, item.log_key)}" for item in (new, OLD)]
    policy.write_text("\n".join([*lines, "quorum none", ""]))
    arguments = ["replay", new.write(tmp_path / "new"), "--predecessor", old.write(tmp_path / "old")]
    arguments += ["--policy", policy, "--origin", new.origin, "--quiet", *more]
    return verifier(*arguments, code=code)


def test_both_are_verified(tmp_path: Path) -> None:
    """In words and as JSON, with state and without; the old log may have gone on since."""
    out = both(tmp_path, successor(), OLD, code=0)
    assert f"Continues   ledger {OLD.ledger}, at size {len(OLD.entries)}" in out
    assert out.count("VERIFIED (exit 0)") == 2
    report = json.loads(both(tmp_path, successor(), OLD, "--json", code=0))
    assert report["predecessor"]["size"] == len(OLD.entries)
    assert report["predecessor"]["replay"]["ledger"] == OLD.ledger
    for _ in range(2):
        both(tmp_path, successor(), OLD, "--state", tmp_path / "state", code=0)
    shorter = successor(size=10, root=OLD.root(10).hex())
    assert f"{len(OLD.entries) - 10} entries of it come after" in both(tmp_path, shorter, OLD, code=0)


def test_a_chain_of_predecessors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is followed from one that verified; behind one that does not, nothing is looked at, and that is said."""
    middle = successor()
    newest = Builder(origin="log.example/third", rules=3, log_key=key_from("a third log"), time_ms=middle.time_ms)
    named = {"ledger": middle.ledger, "root": middle.root().hex(), "size": len(middle.entries)}
    newest.create(predecessor=named)
    policy = tmp_path / "policy.txt"
    lines = [f"log {vkey(item.origin, 1, item.log_key)}" for item in (newest, middle, OLD)]
    policy.write_text("\n".join([*lines, "quorum none", ""]))
    new, mid, old = (item.write(tmp_path / name) for item, name in ((newest, "a"), (middle, "b"), (OLD, "c")))

    def said(*before: Path, json_too: bool = False) -> tuple[int, str]:
        arguments = ["replay", str(new), "--policy", str(policy), "--origin", newest.origin, "--processes", "1"]
        arguments += [word for path in before for word in ("--predecessor", str(path))]
        return main([*arguments, "--quiet", *(["--json"] if json_too else [])]), capsys.readouterr().out

    code, words = said(mid, old)
    assert (code, words.count("VERIFIED (exit 0)")) == (0, 3)
    report = json.loads(said(mid, old, json_too=True)[1])
    assert report["predecessor"]["predecessor"]["ledger"] == OLD.ledger
    code, words = said(old, mid)
    assert (code, "another-ledger" in words, "not-reached" in words) == (1, True, True)
    assert said(mid, tmp_path / "nowhere")[0] == 3


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"root": "00" * 32}, 1, "root-mismatch"),
        ({"ledger": "sha256:" + "00" * 32}, 1, "another-ledger"),
        ({"size": len(OLD.entries) + 1}, 3, "too-short"),
        ({"size": 2**53 - 1}, 3, "too-short"),
    ],
)
def test_a_false_succession_is_told(fields: dict[str, Any], code: int, words: str, tmp_path: Path) -> None:
    assert words in both(tmp_path, successor(**fields), OLD, code=code)


def test_a_damaged_predecessor_is_no_success(tmp_path: Path) -> None:
    """Exit codes are those of the worse of both."""
    damaged = Builder(entries=[*OLD.entries], leaves=OLD.leaves)
    damaged.entries[5] = damaged.entries[5].replace(b'"index":5', b'"index":6')
    assert "entry-bytes" in both(tmp_path, successor(), damaged, code=1)
    short = Builder(entries=OLD.entries[:7], leaves=OLD.leaves[:7])
    assert "too-short" in both(tmp_path, successor(), short, code=3)


def test_what_names_no_predecessor_has_none(tmp_path: Path) -> None:
    """A ledger that continues nothing, and a source that is nothing."""
    alone = Builder(origin="log.example/next", rules=3, log_key=key_from("another log"))
    alone.create()
    assert "names-none" in both(tmp_path, alone, OLD, code=1)
    policy = tmp_path / "policy.txt"
    common = ("replay", tmp_path / "new", "--policy", policy, "--origin", alone.origin, "--quiet")
    successor().write(tmp_path / "new")
    assert "available" in verifier(*common, "--predecessor", tmp_path / "nowhere", code=3)
    stranger = Builder(origin="log.example/stranger")
    stranger.create()
    stranger.write(tmp_path / "stranger")
    assert "log.example/stranger" in verifier(*common, "--predecessor", tmp_path / "stranger", code=2)
    (tmp_path / "stranger/checkpoint").write_text("nonsense " + b64(b"x"))
    assert "checkpoint-form" in verifier(*common, "--predecessor", tmp_path / "stranger", code=1)
