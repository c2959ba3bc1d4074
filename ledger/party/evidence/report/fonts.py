"""Characters that no font here has: what a report says of them, and which package has them."""

from __future__ import annotations

import unicodedata

_MAX_NAMED = 20
_CJK = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC", "FULLWIDTH", "HALFWIDTH")


def absent_words(absent: str) -> str:
    """Return one sentence, without its full stop: which characters stand as codes, and what to install for them."""
    named = absent if len(absent) <= _MAX_NAMED else f"{absent[:_MAX_NAMED]}…"
    packages = sorted({_package(character) for character in absent})
    return (
        f"the characters {named} of the PDF, which no font here has, and which stand there as codes: install fonts, on "
        f"Debian with apt-get install {' '.join(packages)}, and build it again"
    )


def _package(character: str) -> str:
    """Return the package of Debian whose fonts have a character, if any has."""
    return "fonts-noto-cjk" if unicodedata.name(character, "").startswith(_CJK) else "fonts-noto-core"
