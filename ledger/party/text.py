"""What is shown to people: text that came from somebody else, made safe, and the times that a calendar has."""

from __future__ import annotations

MAX_TIME_MS = 253_402_300_799_999
"""The end of the year 9999 in Unix milliseconds, past which no calendar here goes."""


def plain(text: str) -> str:
    """Return `text` with everything escaped that is not printed as itself.

    Escape sequences could repaint what a person is about to sign; bidirectional overrides could reorder it.
    """
    return "".join(
        character if character.isprintable() or character == "\n" else character.encode("unicode_escape").decode()
        for character in text
    )
