"""What this log has shown, kept outside its database, and compared with it at start-up (docs/format.md §20.1).

A database that is restored from an old backup checks in itself, and signing on from it would fork the log. So the last
published checkpoint is kept in a file of its own, and witnesses are asked for theirs.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from ledger.core.errors import NoteError, PolicyError
from ledger.core.hashing import EMPTY_ROOT
from ledger.core.merkle import perfect_nodes, range_hash
from ledger.core.note import MAX_NOTE_BYTES, NoteKey
from ledger.server.log.recovery.recovery import open_own
from ledger.server.log.state.errors import ContradictedError
from ledger.server.store.contract import IntegrityError, Store, StoreError

PUBLISHED = "published"
"""The directory, beside the database, that holds the last published `checkpoint`."""


class Shown(NamedTuple):
    """A checkpoint that was shown, and to whom: nothing about `note` is verified."""

    where: str
    note: bytes


class PublishedCheckpoints(Protocol):
    """Where a log's checkpoints are known beside its own database."""

    async def shown(self) -> list[Shown]:
        """Return what is known there; raise StoreError where it cannot be read."""

    async def keep(self, note: bytes) -> None:
        """Keep a checkpoint, durably, before anybody sees it; raise StoreError."""


class PublishedFile:
    """The last published checkpoint in a directory of its own. A crash leaves the old one or the new one, whole."""

    def __init__(self, directory: Path) -> None:
        """`directory` is made when it is first needed."""
        self._path = directory / "checkpoint"

    async def shown(self) -> list[Shown]:
        """Return the checkpoint, or nothing before the first."""
        note = await asyncio.to_thread(self.read)
        return [] if note is None else [Shown(str(self._path), note)]

    async def keep(self, note: bytes) -> None:
        """Replace the checkpoint: two fsyncs a batch, beside the one of the database."""
        try:
            await asyncio.to_thread(replace_durably, self._path, note)
        except OSError as error:
            raise StoreError(f"{self._path}: {error.strerror or error}") from error

    def read(self) -> bytes | None:
        """Return the checkpoint; None before the first. Raises StoreError."""
        try:
            with self._path.open("rb") as file:
                return file.read(MAX_NOTE_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"{self._path}: {error.strerror or error}") from error


async def compare(store: Store, keys: Sequence[NoteKey], size: int, shown: Iterable[Shown]) -> None:
    """Raise ContradictedError unless a store of `size` entries contains every tree that was shown.

    `keys` are all that the log ever had. Raises IntegrityError for what is not a checkpoint of this log.
    """
    for where, note in shown:
        try:
            head = open_own(keys, note).head
        except (NoteError, PolicyError) as error:
            raise IntegrityError(f"{where} is not a checkpoint signed by a key of this log: {error}") from error
        if head.size > size or await root_at(store, head.size) != head.root:
            raise ContradictedError(where, head.size, size)


async def root_at(store: Store, size: int) -> bytes:
    """Return the root of the first `size` entries, of which the store has at least so many."""
    return range_hash(0, size, await store.nodes(perfect_nodes(0, size))) if size else EMPTY_ROOT


def replace_durably(path: Path, raw: bytes) -> None:
    """Write a file, making its directory where that is missing; a crash leaves the old one or the new one, whole.

    Raises OSError.
    """
    directory = path.parent
    if not directory.is_dir():
        directory.mkdir(mode=0o755)
        _sync(directory.parent)
    temporary = directory / f".{path.name}.{secrets.token_hex(8)}"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync(directory)


def _sync(directory: Path) -> None:
    """Make names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
