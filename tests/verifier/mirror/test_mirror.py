"""A mirror reads its own files again: disks forget, and a copy that is damaged is no evidence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.verifier.replay.test_replay import MANY, checks, code, copy, run
from tests.verifier.sources.test_remembered import NEWEST, SIZE, early, flip
from verifier.mirror.mirror import Mirrored


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Make a whole mirror of the log as it was at 530 entries."""
    target = tmp_path / "mirror"
    assert copy(early(530).write(tmp_path / "early"), target).failures == []
    MANY.write(tmp_path / "log")
    return target


def files(directory: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def places(result: Mirrored) -> set[str]:
    return {failure.where for failure in result.failures}


@pytest.mark.parametrize("source", ["early", "log"])
@pytest.mark.parametrize(
    ("path", "index"), [("tile/entries/000", 0), ("tile/entries/001", 256), ("tile/entries/002.p/18", 512)]
)
def test_a_damaged_bundle_of_the_mirror_is_named_and_left_alone(
    source: str, path: str, index: int, target: Path, tmp_path: Path
) -> None:
    """Whether or not the log has grown: exit 1, file and entry, and nothing overwritten."""
    flip(target / path, 2 + 40)
    before = files(target)
    result = copy(tmp_path / source, target)
    assert checks(result) == {("entry-bytes", "changed-bytes", index)}
    assert places(result) == {str(target / path)}
    assert files(target) == before


def test_every_damaged_bundle_is_named(target: Path, tmp_path: Path) -> None:
    """One damaged file does not hide another."""
    flip(target / "tile/entries/000", 2 + 40)
    (target / "tile/entries/001").write_bytes((target / "tile/entries/001").read_bytes()[:-1])
    result = copy(tmp_path / "log", target)
    assert checks(result) == {("entry-bytes", "changed-bytes", 0), ("bundle", "truncated", 511)}


@pytest.mark.parametrize(
    ("path", "at", "expected"),
    [
        ("tile/0/000", 7 * 32, {("tile", "wrong-hash", 7)}),
        ("tile/0/002.p/18", 2 * 32, {("tile", "wrong-hash", 514)}),
        ("tile/1/000.p/2", 40, {("tile", "wrong-hash", None)}),
    ],
)
def test_a_damaged_tile_of_the_mirror_is_named(
    path: str, at: int, expected: set[tuple[str, str, int | None]], target: Path, tmp_path: Path
) -> None:
    """Hash tiles are held against the signed root and the entries."""
    flip(target / path, at)
    for source in ("early", "log"):
        result = copy(tmp_path / source, target)
        assert checks(result) == expected
        assert all(place.startswith(str(target / path)) for place in places(result))


def test_a_damaged_checkpoint_of_the_mirror_is_named(target: Path, tmp_path: Path) -> None:
    """It is the mirror's own that is wrong, and not the source's."""
    flip(target / "checkpoint", 120)
    [where] = places(copy(tmp_path / "log", target))
    assert where.startswith(str(target / "checkpoint"))


def test_a_missing_file_of_the_mirror_is_fetched(target: Path, tmp_path: Path) -> None:
    """So a damaged file is repaired by taking it away and running the mirror again."""
    assert copy(tmp_path / "log", target).failures == []
    for path in ("tile/entries/000", "tile/0/001", "tile/1/000.p/2", f"tile/entries/{NEWEST}"):
        (target / path).unlink()
        result = copy(tmp_path / "log", target)
        assert (result.failures, result.doubts, result.size_before, result.files_written) == ([], [], SIZE, 1)
    assert code(run(target)) == 0
