"""Disclosures and moments on the command line: what opens, what is false about what does not, and what rests on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.harness.builder import write_files
from tests.harness.verify import replay_files
from tests.terms_examples.course import Course
from tests.terms_examples.page import read_examples
from verifier.cli.main import main
from verifier.core.errors import MalformedInput
from verifier.core.jcs import format_canonical
from verifier.sealed.disclosures import parse_disclosures

SEALED = next(example for example in read_examples() if example.number == "8.12")


def written(path: Path, items: list[dict[str, Any]]) -> str:
    """Write a disclosures file (docs/format.md §8.6)."""
    document = {"disclosures": items, "for": "the court", "type": "provenance-ledger.disclosures/v1"}
    path.write_bytes(json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n")
    return str(path)


@pytest.fixture
def course() -> Course:
    """Tell the example in which a clause is sealed."""
    return Course(SEALED.block)


def refused(course: Course, directory: Path, *arguments: str) -> int:
    """Return the exit code of a replay that is not begun."""
    write_files(directory / "log", course.ledger.files())
    policy = directory / "policy.txt"
    policy.write_text(course.ledger.policy())
    return main(["replay", str(directory / "log"), "--policy", str(policy), "--quiet", *arguments])


def replayed(course: Course, directory: Path, *arguments: str) -> Any:
    return replay_files(directory, course.ledger.files(), course.ledger.policy(), *arguments)


def test_what_opens_is_judged_by_and_said(course: Course, tmp_path: Path) -> None:
    path = written(tmp_path / "all", course.disclosures)
    again = written(tmp_path / "again", course.disclosures)
    verdict = replayed(course, tmp_path, "--disclosures", path, "--disclosures", again)
    assert (verdict.exit_code, verdict.failures) == (0, [])
    assert verdict.report["undetermined"] == []
    assert verdict.report["sealed"]["opened"] == len(course.disclosures)
    rested = [rule for item in verdict.report["licenses"] for rule in item["rules"] if "rests_on" in rule]
    assert rested, "a conclusion says which disclosures it rests on"
    opened = {item["pointer"] for item in course.disclosures}
    assert {place["pointer"] for rule in rested for place in rule["rests_on"]} <= opened
    public = replayed(course, tmp_path)
    assert len(public.report["undetermined"]) > 0
    assert public.report["findings"] == verdict.report["findings"], "what was certain before rests on no disclosure"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"value": "Marketing"}, "disclosure-mismatch"),
        ({"salt": "AAAAAAAAAAAAAAAAAAAAAA=="}, "disclosure-mismatch"),
        ({"issuer": "somebody.else"}, "disclosure-mismatch"),
        ({"pointer": "/terms/permission/7"}, "disclosure-mismatch"),
        ({"statement_id": "sha256:" + "0" * 64}, "disclosure-unknown-statement"),
        ({"ledger": "sha256:" + "0" * 64}, "disclosure-other-ledger"),
    ],
)
def test_what_does_not_open_is_false(course: Course, tmp_path: Path, change: dict[str, str], reason: str) -> None:
    """It is a failure, whoever made the file, and the ledger's own entries are judged as if nothing had been shown."""
    path = written(tmp_path / "changed", [course.disclosures[0] | change])
    verdict = replayed(course, tmp_path, "--disclosures", path)
    assert verdict.exit_code == 1
    assert [(item["check"], item["reason"]) for item in verdict.report["failures"]] == [("disclosure", reason)]
    assert verdict.report["sealed"]["opened"] == 0


@pytest.mark.parametrize(
    "raw",
    [b"", b"{}\n", b"not JSON\n", b'{"disclosures":[],"type":"provenance-ledger.disclosures/v1"}\n'],
    ids=["empty", "object", "garbage", "none"],
)
def test_a_file_that_is_none_is_a_mistake_of_the_user(course: Course, tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(raw)
    assert refused(course, tmp_path, "--disclosures", str(path)) == 2


@pytest.mark.parametrize("whom", ["", "a\nb", "x" * 301, 7])
def test_for_whom_is_a_line(course: Course, whom: object) -> None:
    document = {"disclosures": course.disclosures[:1], "for": whom, "type": "provenance-ledger.disclosures/v1"}
    with pytest.raises(MalformedInput, match="its members"):
        parse_disclosures(format_canonical(document) + b"\n")


def test_a_place_disclosed_twice_is_malformed(course: Course, tmp_path: Path) -> None:
    path = written(tmp_path / "twice", [course.disclosures[0], course.disclosures[0] | {"value": "other"}])
    assert refused(course, tmp_path, "--disclosures", path) == 2


@pytest.mark.parametrize(
    "moment", ["yesterday", "2026-01-01T00:00:00", "-1", "2026-13-01", "1969-12-31T23:59:59Z", "9" * 17]
)
def test_a_moment_that_is_none(course: Course, tmp_path: Path, moment: str) -> None:
    assert refused(course, tmp_path, f"--as-of={moment}") == 2


def test_moments_are_told_in_three_ways(course: Course, tmp_path: Path) -> None:
    said = [
        replayed(course, tmp_path, "--as-of", text).report["as_of_ms"]
        for text in ("2026-01-31T12:00:00Z", "2026-01-31T13:00:00+01:00", "1769860800000")
    ]
    assert said == [1_769_860_800_000] * 3


def test_a_state_is_of_what_is_public_and_newest(course: Course, tmp_path: Path) -> None:
    state = ["--state", str(tmp_path / "state")]
    assert refused(course, tmp_path, *state, "--as-of", "now") == 2
    path = written(tmp_path / "all", course.disclosures)
    assert refused(course, tmp_path, *state, "--disclosures", path) == 2
    assert not (tmp_path / "state").exists()
