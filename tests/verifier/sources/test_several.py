"""Several sources of one log: whichever answers is read, and what contradicts is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.verifier.cli.test_cli import verifier
from tests.verifier.replay.test_replay import MANY, checks, code, run
from tests.verifier.sources.test_remembered import early, flip, forked
from verifier.core.policy import parse_policy
from verifier.mirror.mirror import Mirrored, mirror
from verifier.replay.replay import replay
from verifier.replay.result import Replay

SIZE = len(MANY.entries)
GONE = "http://127.0.0.1:1"


def run_all(*sources: object) -> Replay:
    policy = parse_policy(MANY.policy().encode())
    return replay(tuple(map(str, sources)), policy, policy.logs[0], progress=lambda *_: None)


def copy_all(target: Path, *sources: object) -> Mirrored:
    policy = parse_policy(MANY.policy().encode())
    return mirror(tuple(map(str, sources)), target, policy, policy.logs[0], lambda *_: None)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return MANY.write(tmp_path / "log")


def test_the_newest_that_answers_is_read(log: Path, tmp_path: Path) -> None:
    """One is gone, one is behind: neither is a fault, and the report says what each shows."""
    behind = early(300).write(tmp_path / "behind")
    for sources in ((GONE, behind, log), (log, GONE, behind), (tmp_path / "nowhere", log)):
        result = run_all(*sources)
        assert (code(result), result.tree.size, result.failures, result.doubts) == (0, SIZE, [], [])
        assert copy_all(tmp_path / f"mirror {len(sources)}", *sources).failures == []
    assert [view.why != "" for view in run_all(GONE, behind, log).views] == [True, False, False]
    assert code(run_all(GONE, tmp_path / "nowhere")) == 3


def test_files_that_one_lacks_come_from_another(log: Path, tmp_path: Path) -> None:
    """Two damaged copies, each missing what the other has, are one log."""
    other = MANY.write(tmp_path / "other")
    (log / "tile/entries/000").unlink()
    (log / "tile/0/001").unlink()
    (other / "tile/entries/001").unlink()
    (other / "checkpoint").unlink()
    assert code(run(log)) == 3
    assert code(run_all(log, other)) == 0
    assert code(run_all(other, log)) == 0
    assert copy_all(tmp_path / "mirror", log, other).failures == []


@pytest.mark.parametrize("size", [1, 256, 300, SIZE - 1, SIZE])
def test_a_contradiction_is_a_fork_that_names_both(size: int, log: Path, tmp_path: Path) -> None:
    """Of the same size or of another; the report has both notes; a mirror writes neither."""
    other = forked(0)
    other.entries, other.leaves = other.entries[:size], other.leaves[:size]
    branch = other.write(tmp_path / "branch")
    for sources in ((log, branch), (branch, log)):
        result = run_all(*sources)
        assert [item.reason for item in result.failures if item.check.slug == "remembered"] == ["fork"]
        [fork] = [item for item in result.failures if item.reason == "fork"]
        assert str(log) in fork.where
        assert str(branch) in fork.where
        assert {view.opened.raw for view in result.views if view.opened} == {MANY.note(), other.note()}
        assert code(result) == 1
        target = tmp_path / f"mirror {sources.index(log)}"
        copied = copy_all(target, *sources)
        assert ("remembered", "fork", None) in checks(copied)
        assert not (target / "checkpoint").exists()


def test_what_is_no_checkpoint_of_the_log_is_false_and_read_from_no_more(log: Path, tmp_path: Path) -> None:
    """A changed bit, a size of 2^63, too many bytes: the fault is the source's, and named so."""
    other = MANY.write(tmp_path / "other")
    flip(other / "checkpoint", len(MANY.note()) - 20)
    result = run_all(log, other)
    assert (code(result), result.is_complete) == (1, True)
    assert [failure.where.startswith(str(other)) for failure in result.failures] == [True]
    (other / "checkpoint").write_bytes(MANY.note().replace(b"\n%d\n" % SIZE, b"\n9223372036854775808\n"))
    assert checks(run_all(other, log)) == {("checkpoint-form", "malformed", None)}
    (other / "checkpoint").write_bytes(bytes(10 << 20))
    result = run_all(other, log)
    assert (code(result), "larger than" in result.views[0].why) == (0, True)
    flip(log / "checkpoint", len(MANY.note()) - 20)
    (other / "checkpoint").write_bytes(b"")
    assert code(run_all(log, other)) == 1


def test_the_command_compares(log: Path, tmp_path: Path) -> None:
    """`--also`, in words and as JSON."""
    policy = tmp_path / "policy.txt"
    policy.write_text(MANY.policy())
    branch = forked(0).write(tmp_path / "branch")
    out = verifier("replay", log, "--also", branch, "--policy", policy, "--quiet", code=1)
    assert f"Source      {branch}" in out
    assert "fork" in out
    out = verifier("replay", log, "--also", GONE, "--policy", policy, "--quiet", "--json", code=0)
    assert '"note": null' in out
