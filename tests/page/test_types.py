"""The page's modules have the types that their JSDoc says (`// @ts-check`), by TypeScript in its strict mode."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.harness.needs import do_without, need
from verifier.page.join import SOURCE

PROJECT = Path(__file__).with_name("node")
_PATIENCE_S = 120
UNCHECKED = {"judge", "main", "show", "verify"}
"""Modules whose parameters have no types yet; of the others, none may lose them."""


def test_which_modules_are_checked() -> None:
    paths = list(SOURCE.glob("*.js"))
    assert {path.stem for path in paths if not path.read_text("utf-8").startswith("// @ts-check\n")} == UNCHECKED
    assert not any(word in path.read_text("utf-8") for path in paths for word in ("@ts-ignore", "@ts-expect-error"))


def test_types() -> None:
    node, checker = need("node"), PROJECT / "node_modules" / "typescript" / "lib" / "tsc.js"
    if not checker.exists():
        need("npm")
        do_without("TypeScript is missing, which checks the types of the page: npm ci --prefix tests/page/node")
    command = [node, str(checker), "--project", str(PROJECT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE_S)
    assert done.returncode == 0, done.stdout + done.stderr
