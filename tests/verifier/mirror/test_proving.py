"""Proofs out of a mirror's tiles, held against the definitions and the checks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.verifier.replay.test_replay import MANY
from tests.verifier.sources.test_remembered import early
from verifier.core.errors import SourceUnavailable
from verifier.core.tree import tile_path, verify_consistency, verify_inclusion
from verifier.mirror.proving import Address, MirrorFiles, parse_tile_path

SIZE = len(MANY.entries)
SIZES = [1, 2, 3, 5, 8, 255, 256, 257, 300, 511, 512, 530, SIZE]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> MirrorFiles:
    return MirrorFiles(MANY.write(tmp_path_factory.mktemp("mirror")), SIZE)


@pytest.mark.parametrize("size", SIZES)
def test_every_path_leads_to_the_root(size: int, files: MirrorFiles) -> None:
    """Of every size that the mirror has passed, and from the tiles of the newest alone."""
    root = MANY.root(size)
    for index in {0, 1, size // 2, size - 2, size - 1} & set(range(size)):
        path = files.inclusion_path(index, size)
        verify_inclusion(MANY.leaves[index], index, size, path, root)
        assert files.entry(index) == MANY.entries[index]
    for old in [item for item in SIZES if item <= size]:
        verify_consistency(old, MANY.root(old), size, root, files.consistency_path(old, size))


@pytest.mark.parametrize("size", SIZES)
def test_files_are_those_of_the_log_at_every_size(size: int, files: MirrorFiles, tmp_path: Path) -> None:
    """Partial tiles of older sizes, too, though the mirror never wrote them; and nothing beyond the size."""
    written = early(size).files()
    for path, raw in written.items():
        if path != "checkpoint":
            assert files.file(path) == raw
    shorter = MirrorFiles(tmp_path, size)
    assert shorter.file(tile_path(0, size // 256, size % 256 + 1)) is None
    assert shorter.file(tile_path("entries", 9, 256)) is None


WRONG = """
checkpoint
tile/0/0
tile/0/000.p/256
tile/0/000.p/0
tile/00/000
tile/64/000
tile/0/x000/000
tile/0/../../checkpoint
tile/entries/000.p/01
tile/0/000/
/tile/0/000
tile/0/x999/x999/x999/x999/x999/999
"""


@pytest.mark.parametrize("path", WRONG.split("\n"))
def test_a_tile_has_one_spelling(path: str, files: MirrorFiles) -> None:
    assert parse_tile_path(path) is None
    assert files.file(path) is None
    assert parse_tile_path("tile/entries/x001/234.p/7") == Address("entries", 1234, 7)


def test_a_damaged_file_is_not_served(tmp_path: Path) -> None:
    """What is cut short is told to be, and no proof is made of it."""
    files = MirrorFiles(MANY.write(tmp_path), SIZE)
    for name in ("tile/0/000", "tile/entries/000"):
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:100])
        with pytest.raises(SourceUnavailable):
            files.file(name)
    with pytest.raises(SourceUnavailable):
        files.inclusion_path(0, SIZE)
    with pytest.raises(SourceUnavailable):
        files.entry(3)
