"""A witness that cosigns whatever it is given (docs/format.md §10.2, type 0x04)."""

from __future__ import annotations

from ledger.core.encoding import b64encode
from ledger.core.note import COSIGNATURE_TYPE, NoteKey
from tests.harness.people import key


class Witness:
    """A name with a cosignature key."""

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
        signature = self.key.sign(b"cosignature/v1\ntime %d\n" % time_unix_s + text)
        data = self.note_key.id + time_unix_s.to_bytes(8, "big") + signature
        return f"— {self.name} {b64encode(data)}\n".encode()

    def cosign(self, note: bytes, time_unix_s: int = 1_700_000_000) -> bytes:
        """Return the note with this witness's line."""
        text = note.rpartition(b"\n\n")[0] + b"\n"
        return note + self.line(text, time_unix_s)
