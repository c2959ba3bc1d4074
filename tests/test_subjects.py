"""CI refuses commits with long subjects, wherever it looks from."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.harness.needs import need

ROOT = Path(__file__).parents[1]
LONGEST = "é" * 71


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with the script in it, which no git knows yet."""
    made = tmp_path / "project"
    (made / ".ci").mkdir(parents=True)
    shutil.copy2(ROOT / ".ci" / "subjects", made / ".ci")
    return made


def git(project: Path, *words: str) -> str:
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@alpha.example", "-c", "init.defaultBranch=main"]
    done = subprocess.run([need("git"), "-C", project, *who, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(project: Path, subject: str) -> str:
    git(project, "commit", "--allow-empty", "--message", f"{subject}\n\n{'A body may have longer lines. ' * 5}")
    return git(project, "rev-parse", "HEAD")


def check(project: Path, *since: str) -> tuple[int, str]:
    done = subprocess.run([project / ".ci" / "subjects", *since], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_a_long_subject_is_refused_and_shown(project: Path) -> None:
    git(project, "init")
    since = commit(project, "x" * 100)
    commit(project, LONGEST)
    assert check(project, since) == (0, "")
    commit(project, LONGEST + "!")
    commit(project, "A short one")
    code, said = check(project, since)
    assert (code, said.count("\n"), LONGEST in said) == (1, 1, True)


def test_a_clone_without_history_shows_its_newest_commit(project: Path, tmp_path: Path) -> None:
    git(project, "init")
    git(project, "add", ".")
    since = commit(project, "x" * 100)
    commit(project, "A short one")
    git(tmp_path, "clone", "--depth", "1", project.as_uri(), "shallow")
    assert check(tmp_path / "shallow", since) == (0, "")
    commit(tmp_path / "shallow", LONGEST + "!")
    assert check(tmp_path / "shallow", since)[0] == 1


def test_a_folder_without_git_has_no_subjects(project: Path) -> None:
    assert check(project) == (0, "")


def test_ci_looks() -> None:
    assert "\n.ci/subjects\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
