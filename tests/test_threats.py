"""docs/threats.md is held to what there is: a row names what shows it, and every lie has a row and can be seen."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import lies
from tests.harness import telling, views
from tests.harness.builder import LedgerBuilder
from tests.harness.bundle_set import all_cases
from tests.harness.telling import Catch, Step, Telling, log_files
from verifier.bundle.checks import BundleCheck
from verifier.cli import watch as cli_watch
from verifier.core.checks import Check

ROWS = lies.read_rows()
NAMED = {name for row in ROWS for name in row.names}
MADE = lies.read_tellings()


def test_every_row_names_what_shows_it() -> None:
    """By its exact name: no folder, nothing that is not there, and no table without its last column."""
    known = {*MADE, *lies.read_tests()}
    assert [row.cells for row in ROWS if not row.names] == []
    assert NAMED - known == set()
    assert {list(row.cells)[-1] for row in ROWS} == {"name"}
    assert len(ROWS) > 150
    assert len({row.section for row in ROWS}) >= 10


def test_every_lie_has_a_row() -> None:
    """Of the Forger, of parties, of makers of bundles, every fraud and every view."""
    assert set(MADE) - NAMED == set()
    assert len(MADE) > 250


def test_a_row_says_what_really_catches_its_lies() -> None:
    """A check, a finding, an alarm or a fraud proof of those that each of its lies is caught by."""
    bundles = {case.name: case.check or "completeness" for case in all_cases()}
    wrong = []
    for row in ROWS:
        said = set(re.findall(r"`([^`]+)`", " ".join(list(row.cells.values())[1:-1])))
        for name in set(row.names) & set(MADE):
            made = [make() for make in MADE[name] if name not in bundles]
            caught = {catch.name.split()[-1] for told in made for step in told.steps for catch in step.catches}
            if not (caught | {bundles.get(name)}) & said:
                wrong.append((name, caught, said))
    assert wrong == []


def test_a_row_says_how_it_is_caught() -> None:
    """No cell is empty, no lie stands in two rows of a section, and slugs are words that the verifier can say."""
    assert [row for row in ROWS if not all(row.cells.values())] == []
    told = [(row.section, next(iter(row.cells.values()))) for row in ROWS]
    assert len(told) == len(set(told))
    caught = " ".join(row.cells["caught by"] for row in ROWS)
    slugs = {check.slug for check in (*Check, *BundleCheck)}
    # An entry that does not fit has a payload that is too large long before.
    assert {slug for slug in slugs if f"`{slug}`" not in caught} == {"fits"}
    program = "".join(path.read_text() for path in (lies.HOME / "verifier").rglob("*.py"))
    words = {*re.findall(r'"([a-z]+-[a-z-]+)"', program), *re.findall(r"[a-z]+-[a-z-]+", cli_watch.MANUAL)}
    assert set(re.findall(r"`([a-z]+-[a-z-]+)`", caught)) - slugs - words == set()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("wrong_previous", ["Lie: an entry that says", "verifier replay", "Caught by: link", "fraud proof"]),
        ("claim_upheld_by_the_claimant", ["Alice upholds her own claim", "Caught by: reference"]),
        ("decided_twice", ["already-decided", "verifier fraud", "Caught by: the fraud proof unlawful-entry"]),
        ("used_too_often", ["Caught by: the finding usage-beyond-count", "exit code 4"]),
        ("score-raised", ["verifier bundle", "Caught by: score"]),
        ("my_key_used", ["verifier watch", "Caught by: the alarm key-used"]),
    ],
)
def test_a_stranger_sees_one_of_each_kind(name: str, words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """The row, what was done, the verifier's own words, and what caught it."""
    assert lies.main([name]) == lies.CAUGHT
    said = capfd.readouterr().out
    assert [part for part in words if part not in " ".join(said.split())] == [], said


def test_a_stranger_runs_a_test(tmp_path: Path) -> None:
    """As one command in a shell; what the lie made is kept where it was asked for."""
    command = [sys.executable, "-m", "tests.lies"]
    done = subprocess.run([*command, "test_garbage"], cwd=lies.HOME, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "$ verifier fraud" in done.stdout
    assert "exit code 1" in done.stdout
    assert "Caught: the test passed" in done.stdout
    assert lies.main(["changed_byte", "--keep", str(tmp_path / "kept")]) == 0
    assert (tmp_path / "kept" / "log" / "checkpoint").is_file()
    with pytest.raises(SystemExit):  # what another lie left there would be taken for this one's
        lies.main(["wrong_root", "--keep", str(tmp_path / "kept")])


def test_the_list_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert lies.main([]) == 0
    listed = capsys.readouterr().out
    assert [name for name in NAMED if name not in listed] == []
    assert lies.main(["nothing_of_that_name"]) == lies.USAGE
    assert "make lie" in capsys.readouterr().err


def test_what_is_not_caught_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An honest log passed off as a lie; and a lie caught by another check than was said: neither is a success."""
    honest = log_files(LedgerBuilder())
    step = Step(telling.REPLAY, 1, (Catch("root", "[root]"),))
    assert not lies.show_telling(Telling("Nothing.", honest, (step,)), tmp_path / "honest")
    assert "NOT CAUGHT" in capsys.readouterr().out
    false = views.a_file_cut_off()
    wrong = Telling(false.done, false.files, (false.steps[0]._replace(catches=(Catch("link", "[link]"),)),))
    assert not lies.show_telling(wrong, tmp_path / "wrong")
    assert "and link." in capsys.readouterr().out
