"""docs/threats.md names tests that exist, so that a stranger can run each row."""

from __future__ import annotations

import re
from pathlib import Path

HOME = Path(__file__).parent.parent
SECTIONS = ("## The operator", "## Whoever makes a fraud proof")


def test_every_test_that_is_named_exists() -> None:
    text = (HOME / "docs" / "threats.md").read_text()
    defined = set()
    for path in (HOME / "tests").rglob("*.py"):
        defined |= set(re.findall(r"^(?:async )?def ([a-z0-9_]+)\(", path.read_text(), re.MULTILINE))
    named = set()
    for section in SECTIONS:
        rows = text[text.index(section) :].split("\n## ")[0].splitlines()
        for row in rows:
            if row.startswith("| ") and not row.startswith("| lie"):
                named |= set(re.findall(r"`([a-z0-9_/]+)`", row.split("|")[-2]))
    assert len(named) > 60
    assert {name for name in named if not (HOME / name).is_dir()} <= defined
