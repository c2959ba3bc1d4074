"""The page's modules in Node, without a browser: vectors, and what needs no page (tests/page/node/)."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.harness.needs import need

FOLDER = Path(__file__).with_name("node")
_PATIENCE_S = 120


def test_the_modules() -> None:
    node, files = need("node"), sorted(FOLDER.glob("*.test.mjs"))
    assert files
    command = [node, "--test", "--test-reporter=tap", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE_S)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    counts = {name: int(n) for name, n in re.findall(r"^# (pass|fail|skipped|todo) (\d+)$", done.stdout, re.MULTILINE)}
    assert counts.pop("pass") >= len(files), said
    assert counts == {"fail": 0, "skipped": 0, "todo": 0}, said
