"""Signed notes and their keys (docs/format.md §10.1–10.3; C2SP signed-note v1.0.0, tlog-cosignature v1.1.0)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from ledger.core.cosignature import MAX_TIME_S, timed_message, tree_message
from ledger.core.encoding import b64decode, b64encode
from ledger.core.errors import FormatError, NoteError
from ledger.core.keys import KEY_BYTES, MLDSA44, PublicKey, Signer, is_strong, verify_ed25519
from ledger.core.mldsa import MLDSA44_KEY_BYTES, verify_mldsa44

ED25519_TYPE = 0x01
COSIGNATURE_TYPE = 0x04
MLDSA44_TYPE = 0x06
TIMED_TYPES = frozenset({COSIGNATURE_TYPE, MLDSA44_TYPE})
"""Types whose signature begins with a time: u64 big-endian, Unix seconds."""

MAX_NOTE_BYTES = 65_536
MAX_SIGNATURES = 64
_KEY_ID_BYTES = 4
_TIME_BYTES = 8
_VKEY = re.compile(r"([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")
_LINE = re.compile(r"— ([^+\s]+) ([A-Za-z0-9+/=]+)")
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True)
class NoteKey:
    """A key that signs notes: its name, type byte (0x01 log, 0x04 witness, 0x06 either) and public bytes."""

    name: str
    type: int
    raw: bytes

    @cached_property
    def id(self) -> bytes:
        """SHA-256(name ‖ 0x0A ‖ type ‖ key)[:4]."""
        return sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.raw).digest()[:_KEY_ID_BYTES]

    def vkey(self) -> str:
        """Return the text form, `<name>+<hex key id>+<base64(type ‖ key)>`."""
        return f"{self.name}+{self.id.hex()}+{b64encode(bytes([self.type]) + self.raw)}"

    def verify(self, text: bytes, signature: bytes) -> None:
        """Raise NoteError unless `signature`, what follows the key id on a note's line, is this key's over `text`."""
        if self.type not in {ED25519_TYPE, *TIMED_TYPES}:
            raise NoteError(f"signatures of type 0x{self.type:02x} cannot be checked")
        if not self._is_valid(text, signature):
            raise NoteError(f"the signature by {self.name} is wrong")

    def _is_valid(self, text: bytes, signature: bytes) -> bool:
        if self.type == ED25519_TYPE:
            return verify_ed25519(self.raw, text, signature)
        time_s, signature = cosigned_s(signature), signature[_TIME_BYTES:]
        if time_s > MAX_TIME_S:
            return False
        if self.type == COSIGNATURE_TYPE:
            return verify_ed25519(self.raw, timed_message(text, time_s), signature)
        return verify_mldsa44(self.raw, tree_message(self.name, text, time_s), signature)


@dataclass(frozen=True)
class NoteSignature:
    """One signature line: nothing about it is checked yet."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        """The line itself, with its LF."""
        return f"— {self.name} {b64encode(self.key_id + self.signature)}\n"


@dataclass(frozen=True)
class Note:
    """A parsed, unverified note: `text` with its final LF, and its signature lines."""

    text: bytes
    signatures: tuple[NoteSignature, ...]


def parse_vkey(text: str) -> NoteKey:
    """Parse a vkey whose key id must fit; raise FormatError `wrong-value`, `bad-base64` or `weak-key`."""
    match = _VKEY.fullmatch(text)
    data = b64decode(match[3]) if match else b""
    if match is None or len(data) < 1 + KEY_BYTES:
        raise FormatError("wrong-value", detail="not a vkey: <name>+<hex8>+<base64>")
    key = NoteKey(match[1], data[0], data[1:])
    if key.id.hex() != match[2]:
        raise FormatError("wrong-value", detail=f"the key id of this vkey is {key.id.hex()}, not {match[2]}")
    if key.type in {ED25519_TYPE, COSIGNATURE_TYPE}:
        if len(key.raw) != KEY_BYTES:
            raise FormatError("wrong-value", detail=f"a key of this type has {KEY_BYTES} bytes")
        if not is_strong(key.raw):
            raise FormatError("weak-key", detail="not a point of the prime-order subgroup")
    if key.type == MLDSA44_TYPE and len(key.raw) != MLDSA44_KEY_BYTES:
        raise FormatError("wrong-value", detail=f"a key of this type has {MLDSA44_KEY_BYTES} bytes")
    return key


def cosigned_s(signature: bytes) -> int:
    """Return the time (Unix seconds) that a signature of one of `TIMED_TYPES` begins with; 0 … 2^64 − 1."""
    return int.from_bytes(signature[:_TIME_BYTES], "big")


def parse_note(raw: bytes) -> Note:
    """Parse a signed note; raise NoteError. No signature is checked: see `open_note`."""
    if len(raw) > MAX_NOTE_BYTES:
        raise NoteError(f"a note has at most {MAX_NOTE_BYTES} bytes")
    try:
        document = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoteError("a note is UTF-8") from error
    if _CONTROL.search(document):
        raise NoteError("a note has no control characters but LF")
    text, separator, lines = document.rpartition("\n\n")
    if not separator or not lines.endswith("\n"):
        raise NoteError("a note is a text, an empty line, and signature lines")
    signatures = [_parse_line(line) for line in lines[:-1].split("\n")]
    if len(signatures) > MAX_SIGNATURES:
        raise NoteError(f"a note has at most {MAX_SIGNATURES} signatures")
    return Note((text + "\n").encode(), tuple(signatures))


def open_note(note: Note, keys: Iterable[NoteKey]) -> list[NoteKey]:
    """Return those of `keys` that signed; a line that names one of them and does not verify raises NoteError."""
    known = {(key.name, key.id): key for key in keys}
    signed = []
    for line in note.signatures:
        key = known.get((line.name, line.key_id))
        if key is not None:
            key.verify(note.text, line.signature)
            signed.append(key)
    return signed


def note_key_of(name: str, public: PublicKey) -> NoteKey:
    """Return the key by which `name` signs notes of its own: of type 0x01, or 0x06 for ML-DSA-44."""
    return NoteKey(name, MLDSA44_TYPE if public.alg == MLDSA44 else ED25519_TYPE, public.raw)


def sign_note(text: bytes, name: str, *keys: Signer, time_s: int = 0) -> bytes:
    """Return the note of `text` (ending in LF) signed by `name` with each key.

    `time_s` (Unix seconds) goes into signatures of type 0x06, which are over checkpoints only.
    """
    lines = []
    for key in keys:
        note_key = note_key_of(name, key.public)
        if note_key.type == MLDSA44_TYPE:
            time = time_s.to_bytes(_TIME_BYTES, "big")
            signature = time + key.sign(tree_message(name, text, time_s))
        else:
            signature = key.sign(text)
        lines.append(NoteSignature(name, note_key.id, signature).line)
    return text + b"\n" + "".join(lines).encode()


def _parse_line(line: str) -> NoteSignature:
    match = _LINE.fullmatch(line)
    if match is None:
        raise NoteError("a signature line is '— <name> <base64>'")
    try:
        data = b64decode(match[2])
    except FormatError as error:
        raise NoteError("a signature line is not base64") from error
    if len(data) <= _KEY_ID_BYTES:
        raise NoteError("a signature line is too short")
    return NoteSignature(match[1], data[:_KEY_ID_BYTES], data[_KEY_ID_BYTES:])
