"""Witnesses that cosign whatever they are given (docs/format.md §10.2, types 0x04 and 0x06)."""

from __future__ import annotations

from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from ledger.core.encoding import b64decode, b64encode
from ledger.core.note import COSIGNATURE_TYPE, MLDSA44_TYPE, NoteKey
from tests.harness.people import key


class Witness:
    """A name with a cosignature key of type 0x04."""

    def __init__(self, name: str) -> None:
        """Derive the key from the name."""
        self.name = name
        self.key = key(f"witness {name}")
        self.note_key = NoteKey(name, COSIGNATURE_TYPE, self.key.public.raw)

    @property
    def policy_line(self) -> str:
        return f"witness {self.name} {self.note_key.vkey()}"

    def line(self, text: bytes, time_unix_s: int) -> bytes:
        """Return the signature line for a note's text."""
        data = self.note_key.id + time_unix_s.to_bytes(8, "big") + self.signature(text, time_unix_s)
        return f"— {self.note_key.name} {b64encode(data)}\n".encode()

    def signature(self, text: bytes, time_unix_s: int) -> bytes:
        return self.key.sign(b"cosignature/v1\ntime %d\n" % time_unix_s + text)

    def cosign(self, note: bytes, time_unix_s: int = 1_700_000_000) -> bytes:
        """Return the note with this witness's line."""
        text = note.rpartition(b"\n\n")[0] + b"\n"
        return note + self.line(text, time_unix_s)


class LastingWitness(Witness):
    """A witness with a key of type 0x06; `key_name` is what its lines name, where that is not its name in policies."""

    def __init__(self, name: str, key_name: str | None = None) -> None:
        """Derive the key from the name."""
        super().__init__(name)
        self.private = MLDSA44PrivateKey.from_seed_bytes(sha256(f"witness {name}".encode()).digest())
        raw = self.private.public_key().public_bytes_raw()
        self.note_key = NoteKey(key_name or name, MLDSA44_TYPE, raw)

    def signature(self, text: bytes, time_unix_s: int) -> bytes:
        origin, size, root = text.split(b"\n")[:3]
        parts = [b"subtree/v1\n\0", bytes([len(self.note_key.name)]), self.note_key.name.encode()]
        parts += [time_unix_s.to_bytes(8, "big"), bytes([len(origin)]), origin, bytes(8)]
        return self.private.sign(b"".join([*parts, int(size).to_bytes(8, "big"), b64decode(root.decode())]))
