"""What may be called a fork: two signed heads that contradict each other, and nothing less."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.verifier.builder import Builder, sha
from tests.verifier.replay.test_replay import MANY, checks, code, copy, run
from verifier.core.policy import parse_policy
from verifier.replay.state import ReplayState, format_state, parse_state

if TYPE_CHECKING:
    from verifier.replay.result import Replay

SIZE = len(MANY.entries)
NEWEST = f"002.p/{SIZE - 512}"
BEFORE = [255, 256, 300, 512, 530]
"""Sizes at which the log was seen: in and at the edge of full and partial bundles."""


def early(size: int) -> Builder:
    return Builder(entries=MANY.entries[:size], leaves=MANY.leaves[:size])


def state(seen: int | Builder, directory: Path) -> ReplayState:
    """Return what a replay of a log, or of so many first entries of the common one, leaves behind."""
    policy = parse_policy(MANY.policy().encode())
    result = run((early(seen) if isinstance(seen, int) else seen).write(directory))
    assert code(result) == 0
    return parse_state(format_state(result.state()), policy, policy.logs[0])


def forked(at: int) -> Builder:
    """Return another history of the same length, in which the entry at `at` has another time."""
    entries = [*MANY.entries]
    entries[at] = entries[at][:-2] + (b"1}" if entries[at][-2:] != b"1}" else b"2}")
    return Builder(entries=entries, leaves=[sha(b"\x00" + raw) for raw in entries])


def flip(path: Path, at: int) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])


def change_entry(log: Path, at: int) -> None:
    """Change an entry and its hash in the level-0 tile, under the log's own checkpoint."""
    files = forked(at).files()
    number = at // 256
    name = f"{number:03d}" if number < 2 else NEWEST
    for path in (f"tile/entries/{name}", f"tile/0/{name}"):
        (log / path).write_bytes(files[path])


def says_fork(result: Replay) -> bool:
    return any(check == "remembered" for check, _, _ in checks(result))


@pytest.mark.parametrize("size", BEFORE)
def test_a_damaged_new_tile_is_no_fork(size: int, tmp_path: Path) -> None:
    """One flipped bit in the newest tile accuses the tile: to a replay, and to a mirror that knows only tiles."""
    log = MANY.write(tmp_path / "log")
    copy(early(size).write(tmp_path / "early"), tmp_path / "mirror")
    flip(log / f"tile/0/{NEWEST}", 32 * (SIZE - 1 - 512) + 7)
    result = run(log, state=state(size, tmp_path / "seen"))
    assert checks(result) == {("tile", "wrong-hash", SIZE - 1)}
    for target in ("mirror", "new mirror"):
        assert checks(copy(log, tmp_path / target)) == {("tile", "wrong-hash", SIZE - 1)}
    assert (tmp_path / "mirror/checkpoint").read_bytes() == early(size).note()


@pytest.mark.parametrize("size", BEFORE)
def test_new_bytes_that_nobody_signed_are_no_fork(size: int, tmp_path: Path) -> None:
    """The first new entry is changed together with its tile: the root is missed, and no more can be told."""
    log = MANY.write(tmp_path / "log")
    copy(early(size).write(tmp_path / "early"), tmp_path / "mirror")
    change_entry(log, size)
    result = run(log, state=state(size, tmp_path / "seen"))
    assert ("root", "root-mismatch", None) in checks(result)
    assert not says_fork(result)
    assert checks(copy(log, tmp_path / "mirror")) == {("root", "root-mismatch", None)}


@pytest.mark.parametrize("size", BEFORE)
def test_a_changed_new_entry_is_named(size: int, tmp_path: Path) -> None:
    """The source's tiles fold to the signed root: its bundle is wrong, at one entry."""
    log = MANY.write(tmp_path / "log")
    tiles = {path: path.read_bytes() for path in log.glob("tile/0/**/*") if path.is_file()}
    change_entry(log, size)
    for path, raw in tiles.items():
        path.write_bytes(raw)
    result = run(log, state=state(size, tmp_path / "seen"))
    assert ("entry-bytes", "changed-bytes", size) in checks(result)
    assert not says_fork(result)


@pytest.mark.parametrize("is_tile_damaged", [False, True])
def test_a_damaged_old_entry_is_no_fork(tmp_path: Path, is_tile_damaged: bool) -> None:
    """An entry that was judged before is read again with its bundle: its bytes are wrong, and the log is not."""
    log = MANY.write(tmp_path / "log")
    tile = (log / "tile/0/001").read_bytes()
    change_entry(log, 299)
    if not is_tile_damaged:
        (log / "tile/0/001").write_bytes(tile)
    result = run(log, state=state(300, tmp_path / "seen"))
    assert checks(result) == {("entry-bytes", "changed-bytes", 299)}
    assert result.is_complete


@pytest.mark.parametrize("size", BEFORE)
@pytest.mark.parametrize("at", [3, 254, -1])
def test_a_fork_is_proved_by_the_sources_own_tiles(size: int, at: int, tmp_path: Path) -> None:
    """Another past under the log's signature is a fork, whichever file of the source is damaged besides."""
    log = forked(size - 1 if at < 0 else at).write(tmp_path / "log")
    seen = state(size, tmp_path / "seen")
    copy(early(size).write(tmp_path / "early"), tmp_path / "mirror")
    [fork] = [failure for failure in run(log, state=seen).failures if failure.reason == "fork"]
    assert fork.expected == MANY.root(size).hex()
    assert checks(copy(log, tmp_path / "mirror")) == {("remembered", "fork", None)}
    assert (tmp_path / "mirror/checkpoint").read_bytes() == early(size).note()
    flip(log / f"tile/0/{NEWEST}", 32 * (SIZE - 1 - 512))
    assert ("remembered", "fork", None) in checks(run(log, state=state(size, tmp_path / "seen")))


def test_a_fork_of_the_same_size_needs_no_tiles(tmp_path: Path) -> None:
    """Two signed heads of one size and two roots: nothing else has to be read."""
    other = forked(3)
    log = other.write(tmp_path / "log")
    for path in log.glob("tile/**/*"):
        if path.is_file():
            path.unlink()
    assert checks(run(log, state=state(SIZE, tmp_path / "seen"))) == {("remembered", "fork", None)}
    copy(MANY.write(tmp_path / "whole"), tmp_path / "mirror")
    assert checks(copy(log, tmp_path / "mirror")) == {("remembered", "fork", None)}


def test_what_cannot_be_told_is_no_fork(tmp_path: Path) -> None:
    """Without the source's old tiles nothing shows that the remembered entries are not below the new root."""
    log = forked(3).write(tmp_path / "log")
    seen = state(300, tmp_path / "seen")
    copy(early(300).write(tmp_path / "early"), tmp_path / "mirror")
    (log / "tile/0/000").unlink()
    result = run(log, state=seen)
    assert ("root", "root-mismatch", None) in checks(result)
    assert not says_fork(result)
    assert [(doubt.check.slug, doubt.where) for doubt in result.doubts] == [("available", "tile/0/000")]
    assert checks(copy(log, tmp_path / "mirror")) == {("root", "root-mismatch", None)}
