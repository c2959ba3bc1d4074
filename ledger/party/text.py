"""Text that came from somebody else, made safe to show."""

from __future__ import annotations


def plain(text: str) -> str:
    """Return `text` with everything escaped that is not printed as itself.

    Escape sequences could repaint what a person is about to sign; bidirectional overrides could reorder it.
    """
    return "".join(
        character if character.isprintable() or character == "\n" else character.encode("unicode_escape").decode()
        for character in text
    )
