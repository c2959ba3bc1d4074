"""Writes the three tables of format.md §15.8, and the vectors: `python -m tests.write_unicode`.

Run by a Python whose `unicodedata` is of Unicode 14.0 (3.11). The tables have three forms, so that no two readings
share one: ranges in hexadecimal, lengths of runs in decimal, and in base 36.
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
import unicodedata
from collections.abc import Iterator
from hashlib import sha256
from itertools import groupby
from pathlib import Path

HOME = Path(__file__).parents[1]
VECTORS = HOME / "tests" / "vectors" / "unicode.json"
VERSION = "14.0.0"
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_END, _WIDTH = 0x110000, 116


def is_assigned(point: int) -> bool:
    """Tell whether DerivedAge.txt of Unicode 14.0 has a code point: noncharacters are in it, though of category Cn."""
    is_noncharacter = point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF
    return is_noncharacter or unicodedata.category(chr(point)) != "Cn"


def runs() -> Iterator[tuple[bool, int, int]]:
    """Yield whether they are assigned, the first and the last, of every run of code points."""
    for assigned, points in groupby(range(_END), is_assigned):
        numbers = list(points)
        yield assigned, numbers[0], numbers[-1]


def base_36(number: int) -> str:
    """Return a number as JavaScript's `toString(36)` does."""
    text = ""
    while number or not text:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text


def _put(path: Path, opening: str, words: str, quote: str) -> None:
    """Replace what stands between `opening` and the next line that begins with `quote`."""
    text, lines = path.read_text(encoding="utf-8"), "\n".join(textwrap.wrap(words, _WIDTH, break_on_hyphens=False))
    changed, count = re.subn(
        rf"({re.escape(opening)}).*?(?=\n{re.escape(quote)})",
        lambda found: f"{found[1]}\n{lines}",
        text,
        flags=re.DOTALL,
    )
    assert count == 1, path
    path.write_text(changed, encoding="utf-8")


def main() -> None:
    """Write all of them."""
    if unicodedata.unidata_version != VERSION:
        sys.exit(f"this Python has Unicode {unicodedata.unidata_version}; {VERSION} is needed")
    every = list(runs())
    unassigned = [(first, last) for assigned, first, last in every if not assigned]
    lengths = [last - first + 1 for _, first, last in every]
    hexadecimal = " ".join(f"{first:x}-{last:x}" if last > first else f"{first:x}" for first, last in unassigned)
    _put(HOME / "ledger/core/unicode.py", '_UNASSIGNED = """', hexadecimal, '"""')
    _put(HOME / "verifier/core/code_points.py", '_RUNS = """', " ".join(map(str, lengths)), '"""')
    _put(HOME / "verifier/page/src/unicode.js", "const RUNS = `", " ".join(map(base_36, lengths)), "`")
    spelled = "".join(f"{first:X}-{last:X}\n" for first, last in unassigned)
    document = {"ranges": len(unassigned), "sha256": sha256(spelled.encode()).hexdigest(), "unassigned": unassigned}
    VECTORS.write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
