"""What is installed for development and CI is what the lock says, by hash, and the lock is of pyproject.toml."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
LOCKED = ROOT / ".ci" / "requirements.txt"
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_lock_is_fresh() -> None:
    """Without the network: a lock of other requirements is told by itself, and the list of hashes is its export."""
    words = re.search(r"uv export (.*?)\\\n", MAKEFILE)
    assert words is not None, "make lock says how the list is made"
    command = [Path(sys.executable).with_name("uv"), "export", "--offline", *words[1].split()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"make lock: {done.stderr}"
    assert done.stdout == LOCKED.read_text(encoding="utf-8"), "make lock"


def test_everything_is_pinned_by_hash_and_from_the_public_index() -> None:
    text = LOCKED.read_text(encoding="utf-8").replace(" \\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert len(lines) > 60
    assert [line for line in lines if "==" not in line or "--hash=sha256:" not in line] == []
    hosts = set(re.findall(r"https?://([^/\"]+)", (ROOT / "uv.lock").read_text(encoding="utf-8")))
    assert hosts <= {"pypi.org", "files.pythonhosted.org"}


def test_pre_commit_runs_what_make_lint_runs() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert recipe is not None
    ran = [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe[1].splitlines()]
    assert [hook["entry"] for hook in hooks] == ran
