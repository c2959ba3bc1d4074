"""Reads docs/terms.md §8: every example has a title, words for a lawyer, and one block for a machine."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

PAGE = Path(__file__).parents[2] / "docs" / "terms.md"
_EXAMPLE = re.compile(r"^### (8\.\d+) ([^\n]+)\n\n((?:[^\n]+\n)+)\n```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCK_MEMBERS = {"term", "terms", "sealed", "listing", "course", "as_of", "refused"}


class Example(NamedTuple):
    """One example: its number and title, its words, its block."""

    number: str
    title: str
    words: str
    block: dict[str, Any]


def read_examples() -> list[Example]:
    """Return the examples in the order of the page."""
    section = PAGE.read_text(encoding="utf-8").partition("\n## 8. ")[2]
    found = []
    for number, title, words, block in _EXAMPLE.findall(section):
        document = json.loads(block)
        assert set(document) <= BLOCK_MEMBERS, (number, set(document) - BLOCK_MEMBERS)
        found.append(Example(number, title, words.strip(), document))
    assert len(found) == len(re.findall(r"^### ", section, re.MULTILINE)), "an example is not in the form of the others"
    return found


def milliseconds(text: str) -> int:
    """Return the Unix milliseconds of a time of the page."""
    at = datetime.fromisoformat(text)
    return int(at.timestamp()) * 1000 + at.microsecond // 1000
