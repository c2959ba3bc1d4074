"""The stamped checkpoints of a log, as files: `timestamps/<size>.tsr` and `.checkpoint` (docs/format.md §21.4)."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from verifier.core.b64 import encode_base64
from verifier.core.checks import Check, Failure
from verifier.core.errors import CheckFailed, SourceUnavailable, UsageError
from verifier.core.jcs import MAX_INTEGER
from verifier.core.notes import MAX_NOTE_BYTES
from verifier.core.policy import open_checkpoint
from verifier.sources.source import DirectorySource
from verifier.times.dating import Untold
from verifier.times.form import MAX_TOKEN_BYTES
from verifier.times.tokens import Status, date_token, verify_token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verifier.core.certificates import Roots
    from verifier.core.notes import Checkpoint, VerifierKey
    from verifier.core.policy import OpenedCheckpoint, Policy
    from verifier.sources.source import Source
    from verifier.times.dating import Dating

FOLDER = "timestamps"
SIZES = f"{FOLDER}/sizes"
MAX_SIZES = 1_000_000
_MAX_SIZES_BYTES = MAX_SIZES * 17
_size = re.compile("[1-9][0-9]{0,15}").fullmatch


class Stamped(NamedTuple):
    """A checkpoint that was stamped; nothing of it is verified."""

    size: int
    token: bytes
    note: bytes | None
    """The checkpoint, if it was kept: with its cosignatures."""
    where: str


def stamped_text(origin: str, size: int, root: bytes) -> bytes:
    """Return what a token is over: the text of a checkpoint without extensions (docs/format.md §10.4, §21.1)."""
    return f"{origin}\n{size}\n{encode_base64(root)}\n".encode()


def read_sizes(source: Source) -> list[int]:
    """Return the sizes of which a log's files say that they were stamped, ascending; none where nothing says so.

    Raises `SourceUnavailable`, and `CheckFailed` for a list that is none.
    """
    try:
        raw = source.read(SIZES, _MAX_SIZES_BYTES)
    except SourceUnavailable as error:
        if error.missing:
            return []
        raise
    lines = raw.decode("ascii", "replace").split("\n")
    sizes = [int(line) for line in lines[:-1] if _size(line)]
    if lines[-1] or len(sizes) != len(lines) - 1 or sizes != sorted(set(sizes)) or sizes[-1:] > [MAX_INTEGER]:
        raise CheckFailed(Failure(Check.TIMESTAMP, "malformed", where=SIZES))
    return sizes


def read_stamped(source: Source, size: int) -> Stamped:
    """Return one of them.

    Raises `SourceUnavailable`.
    """
    path = f"{FOLDER}/{size}"
    token = source.read(f"{path}.tsr", MAX_TOKEN_BYTES)
    note = None
    with suppress(SourceUnavailable):
        note = source.read(f"{path}.checkpoint", MAX_NOTE_BYTES)
    return Stamped(size, token, note, f"{path}.tsr")


def read_source(source: Source) -> Iterator[Stamped]:
    """Yield all of a log; raises what `read_sizes` and `read_stamped` raise."""
    for size in read_sizes(source):
        yield read_stamped(source, size)


def read_directory(directory: Path) -> Iterator[Stamped]:
    """Yield what a directory of `<size>.tsr` and `<size>.checkpoint` holds, ascending by size.

    Raises `UsageError`.
    """
    if not directory.is_dir():
        raise UsageError(f"no such directory: {directory}")
    source = DirectorySource(directory)
    sizes = sorted(int(path.stem) for path in directory.glob("*.tsr") if _size(path.stem))
    for size in sizes:
        try:
            token = source.read(f"{size}.tsr", MAX_TOKEN_BYTES)
            note = (
                source.read(f"{size}.checkpoint", MAX_NOTE_BYTES)
                if (directory / f"{size}.checkpoint").exists()
                else None
            )
        except SourceUnavailable as error:
            raise UsageError(f"cannot read {directory / error.where}: {error.why}") from error
        yield Stamped(size, token, note, str(directory / f"{size}.tsr"))


class ContradictingNote(CheckFailed):
    """The log signed another tree of that size: with its own checkpoint, proof of a fork."""

    def __init__(self, failure: Failure, opened: OpenedCheckpoint) -> None:
        self.opened = opened
        super().__init__(failure)


def false_parts(
    stamped: Stamped, tree: Rooted, policy: Policy, log: VerifierKey
) -> tuple[list[Failure], list[OpenedCheckpoint]]:
    """Return what is false about one, whoever its authority is: it is copied by those who name no roots too.

    With it, its checkpoint, where that one contradicts the tree.
    """
    failures, contradicting = [], []
    over = [stamped_text(log.name, stamped.size, tree.root(stamped.size))]
    if stamped.note is not None:
        try:
            over.append(verify_note(stamped.note, policy, log, stamped.size, tree).raw)
        except CheckFailed as error:
            failures.append(error.failure)
            contradicting += [error.opened] if isinstance(error, ContradictingNote) else []
    stamp = verify_token(stamped.token, over, ())
    if stamp.status is Status.FALSE:
        failures.append(Failure(Check.TIMESTAMP, stamp.reason, where=stamped.where))
    return failures, contradicting


class Rooted(Protocol):
    """A tree whose roots are known."""

    def root(self, size: int) -> bytes:
        """Return the root of the first `size` entries."""


class FixedTree:
    """The tree of which one checkpoint is all that is known."""

    def __init__(self, head: Checkpoint) -> None:
        self._head = head

    def root(self, size: int) -> bytes:
        """See `Rooted`; `size` is the checkpoint's."""
        if size != self._head.size:
            raise ValueError("only the root of the checkpoint is known")
        return self._head.root


class Dater:
    """Judges stamped checkpoints of a log whose tree was verified, and notes in `dating` what they tell."""

    def __init__(self, dating: Dating, tree: Rooted, opened: OpenedCheckpoint, log: VerifierKey, roots: Roots) -> None:
        """`tree` is that of `opened`, the newest checkpoint; `roots` are the user's."""
        self._dating = dating
        self._tree = tree
        self._opened = opened
        self._log = log
        self._roots = roots
        self.contradicting: list[OpenedCheckpoint] = []
        """Those that the log signed and that are of another tree."""
        dating.add_cosignatures(opened)

    def take(self, stamped: Stamped) -> list[Failure]:
        """Judge one; return what is false about it."""
        head = self._opened.checkpoint
        if stamped.size > head.size:
            self._dating.untold.append(Untold(stamped.where, "newer-than-checkpoint", ""))
            return []
        failures = []
        over = [stamped_text(head.origin, stamped.size, self._tree.root(stamped.size))]
        if stamped.size == head.size:
            over.append(self._opened.raw)
        if stamped.note is not None:
            try:
                older = verify_note(stamped.note, self._dating.policy, self._log, stamped.size, self._tree)
                over.append(stamped.note)
                self._dating.add_cosignatures(older)
            except CheckFailed as error:
                failures.append(error.failure)
                self.contradicting += [error.opened] if isinstance(error, ContradictingNote) else []
        token, where = stamped.token, stamped.where
        if reason := date_token(self._dating, token, over, self._roots, where=where, size=stamped.size):
            failures.append(Failure(Check.TIMESTAMP, reason, where=where))
        return failures


def verify_note(note: bytes, policy: Policy, log: VerifierKey, size: int, tree: Rooted) -> OpenedCheckpoint:
    """Return an older checkpoint of the log, of `size`, that agrees with its tree.

    Raises `CheckFailed`, or its kind `ContradictingNote` where the log signed another tree of that size.
    """
    opened = open_checkpoint(note, policy, log)
    where = f"{FOLDER}/{size}.checkpoint"
    if opened.checkpoint.size != size:
        raise CheckFailed(Failure(Check.TIMESTAMP, "wrong-size", None, where, str(size), str(opened.checkpoint.size)))
    if opened.checkpoint.root != tree.root(size):
        expected, actual = tree.root(size).hex(), opened.checkpoint.root.hex()
        raise ContradictingNote(Failure(Check.TIMESTAMP, "root-mismatch", None, where, expected, actual), opened)
    return opened
