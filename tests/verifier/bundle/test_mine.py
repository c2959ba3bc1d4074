"""The respondent's own files, by the same test: scored beside what is needed, and never a part of the verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.harness.bundle_pool import BOB, PoolCopy, pooled
from tests.harness.bundles import good
from tests.harness.verify import run_verifier
from tests.verifier.bundle.test_cli import in_words, written


def own_copy(
    copy: PoolCopy, order: tuple[int, ...] = (0, 1, 2), names: tuple[str, ...] = ("tail", "seats", "built")
) -> str:
    """Return the copy as its recipient may keep it."""
    lines = [";".join(names)] + [";".join(row[column] or "" for column in order) for row in copy.rows]
    return "\n".join(lines) + "\n"


def scored(arguments: list[str], *files: Path) -> tuple[int, dict[str, Any]]:
    verdict = run_verifier(*arguments, "--mine", *map(str, files))
    return verdict.exit_code, verdict.report


@pytest.mark.parametrize("method", ["canary", "tardos", "omission"])
def test_a_copy_reaches_what_is_needed_and_data_of_ones_own_do_not(tmp_path: Path, method: str) -> None:
    maker = pooled(method, base=44 if method == "omission" else 40)
    arguments = written(tmp_path, maker)
    before = run_verifier(*arguments)
    (tmp_path / "copy.csv").write_text(own_copy(maker.story.copies[BOB], (2, 0, 1), ("Built", "TAIL", "seats")))
    (tmp_path / "other.csv").write_text(own_copy(maker.story.copies["carol.example"]))
    (tmp_path / "own.csv").write_text("tail,seats,built\nN1,2,2001-01-01\nN2,3,2002-01-01\n")
    code, report = scored(arguments, *(tmp_path / name for name in ("copy.csv", "other.csv", "own.csv")))
    copy, other, own = report.pop("mine")["files"]
    assert (code, report) == (before.exit_code, before.report)
    assert (copy["reaches_needed"], copy["mapped_by"], copy["columns"]) == (True, "names", 3)
    assert copy["needed_millibits"] == report["score"]["conclusion"]["needed_millibits"]
    assert (other["reaches_needed"], own["reaches_needed"], own["score_millibits"]) == (False, False, 0)


def test_a_file_that_has_all_rows_of_the_pool_is_not_accused(tmp_path: Path) -> None:
    """Whoever holds a register of all of them holds those that were not drawn as well."""
    maker = pooled()
    arguments = written(tmp_path, maker)
    copy = maker.story.copies[BOB]
    copy.rows = copy.pool
    (tmp_path / "register.csv").write_text(own_copy(copy))
    _, report = scored(arguments, tmp_path / "register.csv")
    [file] = report["mine"]["files"]
    assert (file["found"], file["others_found"], file["score_millibits"]) == (12, 588, 0)


def test_columns_are_paired_as_in_the_evidence_where_no_name_is_equal(tmp_path: Path) -> None:
    maker = pooled()
    arguments = written(tmp_path, maker)
    (tmp_path / "leak.csv").write_bytes(maker.leaked.raw)
    lines = maker.leaked.raw.decode().splitlines()
    (tmp_path / "renamed.csv").write_text("\n".join(["x;y;z", *lines[1:]]))
    _, report = scored(arguments, tmp_path / "leak.csv", tmp_path / "renamed.csv")
    same, renamed = report["mine"]["files"]
    assert same["reaches_needed"]
    assert "none of its columns" in renamed["not_scored"]


def test_what_cannot_be_scored_is_said_and_changes_nothing(tmp_path: Path) -> None:
    arguments = written(tmp_path, good(includes_found=False))
    (tmp_path / "broken.csv").write_text('"a')
    code, words = in_words(*arguments, "--mine", str(tmp_path / "broken.csv"), "--html", str(tmp_path / "out.html"))
    assert (code, '"broken.csv": not scored, for it cannot be read as a table' in words) == (3, True)
    assert "The found file itself, for a program of one's own to read." in words
    assert "The opening of 1 other seals" not in words
    assert "What you may ask for" in (tmp_path / "out.html").read_text()
    closed = written(tmp_path, pooled(withheld=frozenset({BOB})))
    code, report = scored(closed, tmp_path / "broken.csv")
    assert (code, "not opened" in report["mine"]["files"][0]["not_scored"]) == (0, True)
    assert report["mine"]["demands"][0].startswith("The opening of the marks of this hand-off")
    assert in_words(*closed, "--mine", str(tmp_path / "nothing.csv"))[0] == 2


def test_of_a_false_bundle_nothing_is_scored(tmp_path: Path) -> None:
    arguments = written(tmp_path, good(includes_found=False))
    (tmp_path / "own.csv").write_text("tail\nN1\n")
    code, report = scored([*arguments, "--found", str(tmp_path / "own.csv")], tmp_path / "own.csv")
    assert (code, "not what it claims to be" in report["mine"]["files"][0]["not_scored"]) == (1, True)


def test_what_the_mapping_costs_is_printed_column_by_column(tmp_path: Path) -> None:
    _, words = in_words(*written(tmp_path, pooled()))
    assert 'paid for by 3.000 bits, the sum of log2(1 + A) over the columns, A being: "tail" 1, "seats" 1' in words
