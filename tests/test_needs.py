"""The list of what the checks use of the machine: README and `.ci/needs` say the same, and in CI nothing is skipped."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.harness import needs
from tests.harness.needs import LIST, do_without, need, read_needs

ROOT = Path(__file__).parents[1]
SKIPPING = re.compile(r"pytest\.(?:skip|importorskip|xfail)\b|mark\.(?:skip|xfail)")


def test_the_readme_names_every_package_of_the_list() -> None:
    [command] = re.findall(r"^    apt-get install (.+)$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert command.split() == [item.package for item in read_needs().values() if item.package]
    assert "(.ci/needs.txt)" in (ROOT / "README.md").read_text("utf-8")


def test_what_is_missing_is_named_in_one_line_with_its_command(tmp_path: Path) -> None:
    """On a machine of which nothing is known but a shell, and where nothing can be installed."""
    for name in ("sh", "dirname", "id"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    done = subprocess.run(
        ["/bin/sh", ROOT / ".ci" / "needs"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=True
    )
    [line] = done.stderr.splitlines()
    names, _, command = line.partition("; ")
    missing = [item for item in read_needs().values() if item.kind == "program" and item.package]
    assert {item.name for item in missing} <= set(names.split())
    assert {str(item.package) for item in missing} <= set(command.partition("apt-get install")[2].split())


@pytest.mark.parametrize(("variable", "value"), [("CI", "true"), ("PROVENANCE_REQUIRE_ALL", "1")])
def test_in_ci_what_is_missing_fails(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, tmp_path: Path
) -> None:
    for name in ("CI", "PROVENANCE_REQUIRE_ALL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "list").write_text("magic | program no-such-program | magic-tools | is magic\n")
    monkeypatch.setattr(needs, "LIST", tmp_path / "list")
    with pytest.raises(pytest.skip.Exception, match="magic is missing, which is magic: apt-get install magic-tools"):
        need("magic")
    monkeypatch.setenv(variable, value)
    with pytest.raises(pytest.fail.Exception, match="nothing is skipped here: magic is missing"):
        need("magic")
    with pytest.raises(pytest.fail.Exception):
        do_without("the network")


def test_the_list_is_the_one_place_where_a_test_is_skipped() -> None:
    ours = {Path(__file__), ROOT / "tests" / "harness" / "needs.py"}
    found = [
        path for path in ROOT.glob("tests/**/*.py") if path not in ours and SKIPPING.search(path.read_text("utf-8"))
    ]
    assert found == []


def test_every_need_is_needed() -> None:
    """By the commands themselves, by a test, or by what a test draws with."""
    said = " ".join(path.read_text("utf-8") for path in ROOT.glob("tests/**/*.py"))
    by_commands = {"make", "python", "venv", "dejavu"}
    assert {name for name in read_needs() if f'need("{name}")' not in said} <= by_commands
    assert os.access(ROOT / ".ci" / "needs", os.X_OK)
    assert LIST.is_file()
