"""The page's modules have the types that their JSDoc says (`// @ts-check`), by TypeScript in its strict mode."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.harness.needs import do_without, need
from verifier.page.join import SOURCE

PROJECT = Path(__file__).with_name("node")
_PATIENCE_S = 120


def test_every_module_is_checked() -> None:
    sources = {path.stem: path.read_text("utf-8") for path in SOURCE.glob("*.js")}
    assert sources
    assert not [name for name, source in sources.items() if not source.startswith("// @ts-check\n")]
    assert not [
        name
        for name, source in sources.items()
        if "@ts-ignore" in source or "@ts-expect-error" in source or "@ts-nocheck" in source
    ]


def test_types() -> None:
    node, checker = need("node"), PROJECT / "node_modules" / "typescript" / "lib" / "tsc.js"
    if not checker.exists():
        need("npm")
        do_without("TypeScript is missing, which checks the types of the page: npm ci --prefix tests/page/node")
    command = [node, str(checker), "--project", str(PROJECT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE_S)
    assert done.returncode == 0, done.stdout + done.stderr
