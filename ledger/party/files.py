"""Durable files that only their owner can read. A crash leaves the old file or the new one, never half of one."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from stat import S_ISDIR
from typing import BinaryIO

from ledger.party.errors import AlreadyThere, OpenToOthers

OWNER_ONLY_FILE = 0o600
OWNER_ONLY_DIRECTORY = 0o700
OTHERS = 0o077
OTHERS_WRITE = 0o022


def create_file(path: Path, data: bytes) -> None:
    """Write a new file, 0600 and durable; raise AlreadyThere instead of replacing one."""
    write_file(path, lambda file: file.write(data))


def write_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` write a new file of any size, 0600 and durable; raise AlreadyThere instead of replacing one."""
    file = create_new(path)
    try:
        with file:
            _write(file, write)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def create_new(path: Path) -> BinaryIO:
    """Open a new file for writing, 0600; raise AlreadyThere instead of replacing one."""
    try:
        return os.fdopen(_open_new(path), "wb")
    except FileExistsError as error:
        raise AlreadyThere(path) from error


def replace_file(path: Path, data: bytes) -> None:
    """Write a file, 0600 and durable, in the place of any older one, atomically."""
    rewrite_file(path, lambda file: file.write(data))


def rewrite_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` write a file of any size, 0600 and durable, in the place of any older one, atomically."""
    _put(path, write)
    sync_directory(path.parent)


def put_file(path: Path, data: bytes) -> None:
    """Do the same, but for the name, which is durable once `sync_directory` was called: one call serves many files."""
    _put(path, lambda file: file.write(data))


def make_directory(path: Path, ours: Callable[[], bool]) -> None:
    """Create a directory that only its owner can enter, and missing parents.

    Where it exists, it is tightened only if it is `ours`: nobody else's directory changes its mode. Raises OpenToOthers
    if it is not, and others may write in it.
    """
    try:
        path.mkdir(mode=OWNER_ONLY_DIRECTORY, parents=True)
    except FileExistsError:
        mode = path.stat().st_mode
        if not S_ISDIR(mode):
            raise
        if mode & OTHERS and ours():
            path.chmod(OWNER_ONLY_DIRECTORY)
        elif mode & OTHERS_WRITE:
            raise OpenToOthers(path) from None


def sync_directory(path: Path) -> None:
    """Make names in a directory durable: a file's own fsync does not cover its name."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _put(path: Path, write: Callable[[BinaryIO], object]) -> None:
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(_open_new(temporary), "wb") as file:
            _write(file, write)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _open_new(path: Path) -> int:
    # O_EXCL also refuses a symbolic link planted under the name, so the bytes go nowhere else.
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY_FILE)


def _write(file: BinaryIO, write: Callable[[BinaryIO], object]) -> None:
    write(file)
    file.flush()
    os.fsync(file.fileno())
