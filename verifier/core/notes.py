"""Signed notes, verifier keys and checkpoints (docs/format.md §10; C2SP signed-note, -checkpoint, -cosignature)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256

from verifier.core.b64 import decode_base64, encode_base64
from verifier.core.ed25519 import PUBLIC_KEY_BYTES, is_signed, is_strong
from verifier.core.errors import MalformedInput
from verifier.core.jcs import MAX_INTEGER
from verifier.core.mldsa import MLDSA44_KEY_BYTES, is_mldsa44_signed
from verifier.core.tree import HASH_BYTES

MAX_NOTE_BYTES = 64 * 1024
MAX_SIGNATURES = 64
KEY_ID_BYTES = 4
TYPE_ED25519 = 0x01
"""Ed25519 over the text."""
TYPE_COSIGNATURE = 0x04
"""Ed25519 over a time and the text."""
TYPE_MLDSA44 = 0x06
"""ML-DSA-44 over a time and the tree head."""
CHECKED_TYPES = frozenset({TYPE_ED25519, TYPE_COSIGNATURE, TYPE_MLDSA44})
_TIME_BYTES = 8
_MAX_TIME_S = 2**63 - 1
_MAX_NAME_BYTES = 255
_SIGNATURE_MARK = "\u2014 "

_CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")
_KEY_NAME = re.compile(r"[^\s+]+")
_HEX_KEY_ID = re.compile("[0-9a-f]{8}")
_DECIMAL = re.compile("0|[1-9][0-9]{0,15}")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A vkey (§10.2)."""

    name: str
    key_id: bytes
    """4 bytes."""
    kind: int
    """The type byte: one of `CHECKED_TYPES`, or one that nobody here can check."""
    public_key: bytes

    @property
    def vkey(self) -> str:
        """The key as text."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(bytes([self.kind]) + self.public_key)}"


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One line below a note's text; nothing about it is verified."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed note; nothing about it is verified."""

    text: bytes
    signatures: tuple[SignatureLine, ...]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The text of a checkpoint (§10.4)."""

    origin: str
    size: int
    root: bytes


def parse_decimal(text: str) -> int | None:
    """Return an integer 0 … 2^53 − 1 in its shortest decimal form, or None."""
    if not _DECIMAL.fullmatch(text) or int(text) > MAX_INTEGER:
        return None
    return int(text)


def make_key(name: str, kind: int, public_key: bytes) -> VerifierKey:
    """Return the key of these parts, with its key id computed; nothing is checked."""
    key_id = sha256(name.encode() + b"\n" + bytes([kind]) + public_key).digest()[:KEY_ID_BYTES]
    return VerifierKey(name, key_id, kind, public_key)


def parse_vkey(text: str) -> VerifierKey:
    """Return the vkey `<name>+<hex8 key id>+base64(type byte ‖ public key)` (docs/format.md §10.2).

    Raises `MalformedInput` for anything else, for a key id that is not the key's, and (reason `weak-key`) for a weak
    Ed25519 key.
    """
    name, _, rest = text.partition("+")
    hex_id, _, encoded = rest.partition("+")
    key = decode_base64(encoded)
    if not _KEY_NAME.fullmatch(name) or not _HEX_KEY_ID.fullmatch(hex_id) or not key:
        raise MalformedInput("vkey", "malformed", text[:80])
    if sha256(name.encode() + b"\n" + key).digest()[:KEY_ID_BYTES].hex() != hex_id:
        raise MalformedInput("vkey", "malformed", f"key id {hex_id} is not that of the key")
    kind, public_key = key[0], key[1:]
    if kind in (TYPE_ED25519, TYPE_COSIGNATURE):
        if len(public_key) != PUBLIC_KEY_BYTES:
            raise MalformedInput("vkey", "malformed", "an Ed25519 key has 32 bytes")
        if not is_strong(public_key):
            raise MalformedInput("vkey", "weak-key", text[:80])
    if kind == TYPE_MLDSA44 and len(public_key) != MLDSA44_KEY_BYTES:
        raise MalformedInput("vkey", "malformed", "an ML-DSA-44 key has 1312 bytes")
    return VerifierKey(name, bytes.fromhex(hex_id), kind, public_key)


def parse_note(raw: bytes) -> Note:
    """Split a signed note into text and signature lines (docs/format.md §10.1).

    Raises `MalformedInput`.
    """
    if len(raw) > MAX_NOTE_BYTES:
        raise MalformedInput("note", "too-large", f"{len(raw)} bytes")
    try:
        whole = raw.decode()
    except UnicodeDecodeError:
        raise MalformedInput("note", "malformed", "not UTF-8") from None
    if _CONTROL.search(whole):
        raise MalformedInput("note", "malformed", "a control character")
    text, empty_line, below = whole.rpartition("\n\n")  # the text may itself hold empty lines
    if not empty_line or not below.endswith("\n"):
        raise MalformedInput("note", "malformed", "no signature lines after an empty line")
    lines = below[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise MalformedInput("note", "too-large", f"{len(lines)} signature lines")
    return Note((text + "\n").encode(), tuple(_parse_signature(line) for line in lines))


def _parse_signature(line: str) -> SignatureLine:
    name, space, encoded = line.removeprefix(_SIGNATURE_MARK).partition(" ")
    blob = decode_base64(encoded)
    if not line.startswith(_SIGNATURE_MARK) or not space or not _KEY_NAME.fullmatch(name) or blob is None:
        raise MalformedInput("note", "malformed", "a signature line")
    if len(blob) <= KEY_ID_BYTES:
        raise MalformedInput("note", "malformed", "a signature line without signature")
    return SignatureLine(name, blob[:KEY_ID_BYTES], blob[KEY_ID_BYTES:])


def parse_checkpoint(text: bytes) -> Checkpoint:
    """Return what the text of a checkpoint says: `origin LF size LF base64(root) LF [extension LF]*` (§10.4).

    Raises `MalformedInput`.
    """
    lines = text.decode().removesuffix("\n").split("\n")
    if len(lines) < 3 or not all(lines):
        raise MalformedInput("checkpoint", "malformed", "fewer than three lines, or an empty one")
    size = parse_decimal(lines[1])
    root = decode_base64(lines[2])
    if size is None:
        raise MalformedInput("checkpoint", "malformed", "size")
    if root is None or len(root) != HASH_BYTES:
        raise MalformedInput("checkpoint", "malformed", "root")
    return Checkpoint(lines[0], size, root)


def open_line(key: VerifierKey, text: bytes, line: SignatureLine) -> int | None:
    """Return the time (Unix seconds) of a valid cosignature, 0 for a valid plain signature, None for an invalid one.

    `key` is of one of `CHECKED_TYPES` and is the one that `line` names (docs/format.md §10.2).
    """
    if key.kind == TYPE_ED25519:
        return 0 if is_signed(key.public_key, text, line.signature) else None
    time_unix_s, signature = int.from_bytes(line.signature[:_TIME_BYTES], "big"), line.signature[_TIME_BYTES:]
    if time_unix_s > _MAX_TIME_S:
        return None
    message = cosigned_message(key, text, time_unix_s)
    if message is None:
        return None
    is_valid = is_signed if key.kind == TYPE_COSIGNATURE else is_mldsa44_signed
    return time_unix_s if is_valid(key.public_key, message, signature) else None


def cosigned_message(key: VerifierKey, text: bytes, time_unix_s: int) -> bytes | None:
    """Return what a cosigner's key, of type 0x04 or 0x06, signs of a checkpoint's text at a time (§10.2).

    None where a type 0x06 cannot sign it: no checkpoint, or a name of more than 255 bytes.
    """
    if key.kind == TYPE_COSIGNATURE:
        return b"cosignature/v1\ntime %d\n" % time_unix_s + text
    try:
        head = parse_checkpoint(text)
    except MalformedInput:
        return None
    name, origin = key.name.encode(), head.origin.encode()
    if max(len(name), len(origin)) > _MAX_NAME_BYTES:
        return None
    parts = [b"subtree/v1\n\x00", bytes([len(name)]), name, time_unix_s.to_bytes(8, "big")]
    parts += [bytes([len(origin)]), origin, bytes(8), head.size.to_bytes(8, "big"), head.root]
    return b"".join(parts)
