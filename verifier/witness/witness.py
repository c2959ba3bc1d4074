"""A witness: cosigns the checkpoints of logs that it has seen grow, and only grow (C2SP tlog-witness v1.0.0).

It looks at no entry. That the log showed it, and so everybody who asks for its cosignature, one and the same history:
that is all that its cosignature says. What contradicts it, signed by the log, is kept as proof.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verifier.core.b64 import decode_base64, encode_base64
from verifier.core.errors import CheckFailed, MalformedInput, VerifierError
from verifier.core.notes import (
    MAX_NOTE_BYTES,
    Checkpoint,
    Note,
    VerifierKey,
    open_line,
    parse_checkpoint,
    parse_decimal,
    parse_note,
)
from verifier.core.policy import Policy, open_checkpoint
from verifier.core.tree import EMPTY_ROOT, HASH_BYTES, verify_consistency
from verifier.fraud.making import make_fork
from verifier.replay.convicting import keep_frauds
from verifier.witness.store import Head, WitnessStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from verifier.witness.keys import Cosigner

MAX_PATH = 63
MAX_REQUEST_BYTES = MAX_NOTE_BYTES + 4096
"""Of a request to add a checkpoint: the note, 63 hashes of 45 bytes, and the old size."""
SIZE_TYPE = "text/x.tlog.size"


class Refused(VerifierError):
    """What is answered instead of a cosignature: an HTTP status of the specification, and what to say with it."""

    def __init__(self, status: int, why: str, content_type: str = "text/plain") -> None:
        self.status = status
        self.why = why
        self.content_type = content_type
        super().__init__(f"{status}: {why}")


@dataclass(frozen=True, slots=True)
class CosigningRequest:
    """A request to add a checkpoint, as it was sent: nothing about it is verified."""

    old: int
    path: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint

    @property
    def head(self) -> Head:
        """The tree that is to be cosigned."""
        return Head(self.checkpoint.size, self.checkpoint.root)


def parse_request(raw: bytes) -> CosigningRequest:
    """Return what `old <size>`, up to 63 hashes, an empty line and a checkpoint say.

    Raises `Refused` (400).
    """
    above, empty_line, note_raw = raw.partition(b"\n\n")
    first, *lines = above.decode("latin-1").split("\n")
    old = parse_decimal(first.removeprefix("old "))
    path = tuple(digest for line in lines if len(digest := decode_base64(line) or b"") == HASH_BYTES)
    if not empty_line or not first.startswith("old ") or old is None:
        raise Refused(400, "a request is 'old <size>', hashes, an empty line and a checkpoint")
    if len(path) != len(lines) or len(path) > MAX_PATH:
        raise Refused(400, f"a proof is up to {MAX_PATH} lines, each the base64 of 32 bytes")
    try:
        note = parse_note(note_raw)
        return CosigningRequest(old, path, note, parse_checkpoint(note.text))
    except MalformedInput as error:
        raise Refused(400, str(error)) from error


class Witness:
    """Answers one request after the other; several threads must take turns."""

    def __init__(
        self,
        logs: Sequence[VerifierKey],
        cosigner: Cosigner,
        store: WitnessStore,
        fraud_directory: Path,
        clock: Callable[[], int],
    ) -> None:
        """Trust `logs`, one key or more an origin; `clock` returns Unix seconds."""
        self._logs = logs
        self._cosigner = cosigner
        self._store = store
        self._fraud_directory = fraud_directory
        self._clock = clock

    def add_checkpoint(self, raw: bytes) -> bytes:
        """Return the cosignature lines for a checkpoint that extends what was cosigned; it is durable by then.

        Raises `Refused`.
        """
        request = parse_request(raw)
        origin, new = request.checkpoint.origin, request.head
        signed = self._signed_by_log(request.note, origin)
        if request.old > new.size:
            raise Refused(400, f"the old size, {request.old}, is larger than that of the checkpoint, {new.size}")
        self._look_for_fork(origin, new, signed)
        old = self._store.head(origin)
        if request.old != old.size:
            raise Refused(409, f"{old.size}\n", SIZE_TYPE)
        try:
            _verify_growth(old, new, request.path)
        except MalformedInput as error:
            self._store.keep_refused(origin, new, signed, self._clock())
            raise Refused(422, str(error)) from error
        time_unix_s = self._clock()
        try:
            lines = self._cosigner.lines(request.note.text, time_unix_s)
        except MalformedInput as error:
            raise Refused(400, str(error)) from error
        if not self._store.advance(origin, old, new, signed + lines, time_unix_s):
            raise Refused(409, f"{self._store.head(origin).size}\n", SIZE_TYPE)
        return lines

    def newest(self, hex_hash: str) -> bytes:
        """Return the newest checkpoint of the log whose origin has this SHA-256, with its and our signatures.

        Raises `Refused` (404).
        """
        note = self._store.newest(hex_hash)
        if note is None:
            raise Refused(404, "no checkpoint of such a log was cosigned")
        return note

    def _signed_by_log(self, note: Note, origin: str) -> bytes:
        """Return the note with the signatures of keys trusted for the origin, and no other line.

        What nobody verified is not kept: passed on to monitors, one wrong line would spoil the note for them.
        """
        known = {(key.name, key.key_id): key for key in self._logs if key.name == origin}
        if not known:
            raise Refused(404, "the checkpoint is of a log that is not witnessed here")
        lines = ""
        for line in note.signatures:
            key = known.get((line.name, line.key_id))
            if key is None:
                continue
            if open_line(key, note.text, line) is None:
                raise Refused(403, "a signature by the log's key is wrong")
            lines += f"— {line.name} {encode_base64(line.key_id + line.signature)}\n"
        if not lines:
            raise Refused(403, "the checkpoint is not signed by a key that is trusted for its origin")
        return note.text + b"\n" + lines.encode()

    def _look_for_fork(self, origin: str, new: Head, signed: bytes) -> None:
        """Compare with the kept checkpoint of the same size: two roots, both signed by the log, are a fraud proof."""
        kept = self._store.note(origin, new.size)
        if kept is None or parse_checkpoint(parse_note(kept).text).root == new.root:
            return
        policy = Policy(tuple(self._logs), {}, (), None)
        for log in (key for key in self._logs if key.name == origin):
            try:
                known, other = (open_checkpoint(note, policy, log) for note in (kept, signed))
            except CheckFailed:  # signed by another key of this log's
                continue
            if (fork := make_fork(known, other, None, policy, log)) is not None:
                keep_frauds(str(self._fraud_directory), None, [fork])


def _verify_growth(old: Head, new: Head, path: Sequence[bytes]) -> None:
    """Check that `new` contains all of `old`; raises `MalformedInput`."""
    if new.size == 0 and new.root != EMPTY_ROOT:
        raise MalformedInput("checkpoint", "root-mismatch", "the empty tree has another root")
    if old.size:
        verify_consistency(old.size, old.root, new.size, new.root, path)
    elif path:
        raise MalformedInput("consistency proof", "path-length", "the empty tree needs none")
