"""Base64 that has one spelling only (docs/format.md, preamble)."""

from __future__ import annotations

from binascii import Error, a2b_base64, b2a_base64


def decode_base64(text: str | bytes) -> bytes | None:
    """Return the bytes of RFC 4648 §4 base64 with padding, or None if encoding them gives other characters."""
    try:
        raw = text.encode("ascii") if isinstance(text, str) else text
        decoded = a2b_base64(raw)
    except (Error, ValueError):
        return None
    return decoded if b2a_base64(decoded, newline=False) == raw else None


def encode_base64(raw: bytes) -> str:
    """Return RFC 4648 §4 base64 with padding."""
    return b2a_base64(raw, newline=False).decode()
