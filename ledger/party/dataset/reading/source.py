"""A file's bytes, read once: hashed as they go by, so that digest and rows are of the same bytes."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from ledger.party.digests import Progress, no_progress


class HashedFile:
    """A file that is read from its start to its end; `count` and `sha256` are of what was read so far."""

    def __init__(self, path: Path, progress: Progress = no_progress) -> None:
        self.path = path
        self.count = 0
        self._progress = progress
        self._digest = sha256()
        self._file = path.open("rb")

    def __enter__(self) -> Self:
        """Return the open file."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the file."""
        self._file.close()

    def read(self, size: int) -> bytes:
        """Return up to `size` further bytes, none at the end."""
        data = self._file.read(size)
        self._digest.update(data)
        self.count += len(data)
        self._progress(len(data))
        return data

    @property
    def sha256(self) -> str:
        """The digest, lower-case hex."""
        return self._digest.hexdigest()
