"""Files on disk, measured: what a listing or a hand-off seals of them (docs/format.md §8.2)."""

from __future__ import annotations

import mimetypes
import re
import stat
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

from ledger.core.encoding import Json
from ledger.party.errors import Unfit
from ledger.statements.content import MAX_FILES, Content, FileDigest, ManifestFile

DEFAULT_MEDIA_TYPE = "application/octet-stream"
_CHUNK_BYTES = 1024 * 1024
_TOKEN = "[a-z0-9!#$&^_.+-]{1,60}"  # noqa: S105 - a grammar's token, not a secret
_MEDIA_TYPE = re.compile(f"{_TOKEN}/{_TOKEN}", re.ASCII)

Progress = Callable[[int], None]
"""Called with the number of bytes read since the last call, from another thread."""


def no_progress(byte_count: int) -> None:
    """Show nothing."""


def total_bytes(paths: Sequence[Path]) -> int:
    """Return the size of all files; raise Unfit for what is not a regular file, OSError for what is not there."""
    total = 0
    for path in paths:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Unfit(f"{path} is not a regular file")
        total += status.st_size
    return total


def describe(paths: Sequence[Path]) -> list[ManifestFile]:
    """Return names and guessed media types, in order; raise Unfit where a name is unfit or appears twice."""
    if not 1 <= len(paths) <= MAX_FILES:
        raise Unfit(f"a hand-off has 1 to {MAX_FILES} files, not {len(paths)}")
    names = [path.name for path in paths]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Unfit(f"two files are called {twice[0]}: the recipient could not tell them apart")
    return [_describe(path) for path in paths]


def measure(paths: Sequence[Path], files: Sequence[ManifestFile], progress: Progress = no_progress) -> Content:
    """Hash the files, which takes its time; `files` say their media types. Raises Unfit or OSError."""
    total_bytes(paths)
    pairs = zip(paths, files, strict=True)
    return Content(files=[digest_file(path, file.media_type, progress) for path, file in pairs])


def digest_file(path: Path, media_type: str, progress: Progress = no_progress) -> FileDigest:
    """Hash one file in bounded memory. Its size is what was read, not what the directory said before."""
    digest, count = sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            count += len(chunk)
            progress(len(chunk))
    return FileDigest(bytes=count, media_type=media_type, sha256=digest.hexdigest())


def guess_media_type(path: Path) -> str:
    """Return the media type that the file's name suggests."""
    guess, encoding = mimetypes.guess_type(path.name)
    if guess is None or encoding is not None or not _MEDIA_TYPE.fullmatch(guess.lower()):
        return DEFAULT_MEDIA_TYPE
    return guess.lower()


def _describe(path: Path) -> ManifestFile:
    if "\n" in path.name or not path.name.isprintable() or len(path.name) > 255:
        raise Unfit(f"the name {path.name!a} cannot stand in a manifest")
    return ManifestFile(media_type=guess_media_type(path), name=path.name)


def document(path: Path | None) -> Json:
    """Return what a statement says of a file: size, media type and SHA-256; None for no file.

    Raises Unfit for an empty file or what is not a regular one, OSError for what is not there.
    """
    if path is None:
        return None
    if not total_bytes([path]):
        raise Unfit(f"{path} is empty: there is nothing in it to point to")
    return digest_file(path, guess_media_type(path)).model_dump(exclude_none=True)
