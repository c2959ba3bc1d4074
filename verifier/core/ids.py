"""How a statement's id is written (docs/format.md §4.3): `sha256:` and hex."""

from __future__ import annotations


def id_bytes(text: str) -> bytes:
    """Return the 32 bytes of an id that was checked."""
    return bytes.fromhex(text[7:])


def id_text(statement_id: bytes) -> str:
    """Return an id as statements write it."""
    return f"sha256:{statement_id.hex()}"
