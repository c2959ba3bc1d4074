"""What docs/terms.md §8 says of each example is what ledger and verifier say of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ledger.core.errors import FormatError
from tests.harness.forger import Forger
from tests.harness.judged import Judged, ledger_judged, of_report
from tests.harness.sealing import disclosures_file
from tests.harness.speech import signed
from tests.harness.verify import Verdict, replay_files
from tests.terms_examples.course import Course, Finding
from tests.terms_examples.page import Example, milliseconds, read_examples

EXAMPLES = read_examples()
TOLD = [example for example in EXAMPLES if "course" in example.block]
DISCLOSED = [example for example in TOLD if "sealed" in example.block]
REFUSED = [
    pytest.param(item, id=f"{example.number}-{place}")
    for example in EXAMPLES
    for place, item in enumerate(example.block.get("refused", []))
]
MOMENTS = [
    pytest.param(example, moment, id=f"{example.number}-{moment['time']}")
    for example in TOLD
    for moment in example.block.get("as_of", [])
]
BY_NUMBER = pytest.mark.parametrize("example", TOLD, ids=lambda example: example.number)


def expected(course: Course, *, is_disclosed: bool = False, waiting: list[list[str]] | None = None) -> list[Finding]:
    """Return the findings that the page gives for a course."""
    found = list(course.findings)
    for index, (open_, disclosed, slug) in course.decisions.items():
        if (disclosed if is_disclosed else open_) == "prohibited":
            found.append((slug, index, course.issuers[index], course.ledger.times[index]))
    for slug, name, since in waiting or []:
        index = course.indexes[name]
        found.append((slug, index, course.party_of(slug, name), milliseconds(since)))
    return sorted(found)


def undetermined(course: Course) -> list[int]:
    return [index for index, (open_, _, _) in course.decisions.items() if open_ == "undetermined"]


def told(judged: Judged) -> list[Finding]:
    return sorted((item.slug, item.at, item.party, item.since_ms) for item in judged.findings)


def replayed(course: Course, directory: Path, *arguments: str) -> Verdict:
    verdict = replay_files(directory, course.ledger.files(), course.ledger.policy(), *arguments)
    assert (verdict.exit_code, verdict.failures, verdict.report["doubts"]) == (0, [], [])
    return verdict


def rules_of(verdict: Verdict, course: Course) -> dict[str, str]:
    """Return what the report says of the rules of the license, by their pointers in its terms."""
    (license_,) = (item for item in verdict.report["licenses"] if item["id"] == course.ids["license"])
    return {rule["pointer"].removeprefix("/terms"): rule["state"] for rule in license_["rules"]}


def test_there_are_twenty_examples() -> None:
    assert [example.number for example in EXAMPLES] == [f"8.{number}" for number in range(1, 21)]
    for example in EXAMPLES:
        sentences = example.words.count(". ") + example.words.count(".\n") + 1
        assert 2 <= sentences <= 6, example.title


@BY_NUMBER
def test_the_ledger_finds_what_the_page_says(example: Example) -> None:
    course = Course(example.block)
    judged = ledger_judged(course.ledger)
    wanted = expected(course, waiting=waiting_at_the_end(course))
    assert told(judged) == wanted
    assert [item.at for item in judged.undetermined] == undetermined(course)


@BY_NUMBER
def test_the_verifier_finds_what_the_page_says(example: Example, tmp_path: Path) -> None:
    course = Course(example.block)
    judged = of_report(replayed(course, tmp_path).report)
    assert told(judged) == expected(course, waiting=waiting_at_the_end(course))
    assert [item.at for item in judged.undetermined] == undetermined(course)
    assert judged == ledger_judged(course.ledger)


def waiting_at_the_end(course: Course) -> list[list[str]]:
    """Return the findings that wait, as of the newest entry: those of the last moment before it that the page gives."""
    end_ms = course.ledger.times[-1]
    past = [item for item in course.block.get("as_of", []) if milliseconds(item["time"]) <= end_ms]
    return max(past, key=lambda item: milliseconds(item["time"])).get("findings", []) if past else []


@pytest.mark.parametrize("example", DISCLOSED, ids=lambda example: example.number)
def test_disclosures_decide(example: Example, tmp_path: Path) -> None:
    """With the sealed places disclosed, the verifier decides what it could not, and says what that rests on."""
    course = Course(example.block)
    path = tmp_path / "disclosures"
    path.write_bytes(disclosures_file(course.disclosures))
    verdict = replayed(course, tmp_path, "--disclosures", str(path))
    judged = of_report(verdict.report)
    assert told(judged) == expected(course, is_disclosed=True, waiting=waiting_at_the_end(course))
    assert judged.undetermined == []
    for moment in example.block.get("as_of", []):
        if "disclosed" in moment:
            as_of = ["--as-of", moment["time"], "--disclosures", str(path)]
            rules = rules_of(replayed(course, tmp_path, *as_of), course)
            assert {pointer: rules[pointer] for pointer in moment["disclosed"]} == moment["disclosed"], moment


@pytest.mark.parametrize(("example", "moment"), MOMENTS)
def test_as_of_a_moment(example: Example, moment: dict[str, Any], tmp_path: Path) -> None:
    """The verifier looks back on the whole course; the ledger is asked when that moment is now."""
    whole, now_ms = Course(example.block), milliseconds(moment["time"])
    past = Course(example.block, until_ms=now_ms)
    verdict = replayed(whole, tmp_path, "--as-of", moment["time"])
    rules = rules_of(verdict, whole)
    assert {pointer: rules.get(pointer) for pointer in moment["rules"]} == moment["rules"]
    if "findings" in moment:
        wanted = expected(past, waiting=moment["findings"])
        assert told(of_report(verdict.report)) == wanted
        past.tick(now_ms)
        assert told(ledger_judged(past.ledger)) == wanted


@pytest.mark.parametrize("item", REFUSED)
def test_terms_that_are_refused(item: dict[str, Any], tmp_path: Path) -> None:
    """The ledger refuses them with the clause; recorded all the same, they fail the verifier's check of fields."""
    course = Course({})
    own = {"licensee": "licensee", "terms": item["terms"], "term": ["2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"]}
    statement, keys = course.statement("license.agreed", course.people["licensor"], own)
    envelope = signed(statement, *keys)
    with pytest.raises(FormatError) as caught:
        course.ledger.record(envelope)
    assert caught.value.reason == item["reason"]
    assert caught.value.field.startswith(item["pointer"])
    forger: Forger = course.ledger
    at = forger.force(envelope)
    verdict = replay_files(tmp_path, forger.files(), forger.policy())
    assert verdict.failures == [(at, "fields", item["reason"])]
    assert verdict.report["failures"][0]["where"].startswith(item["pointer"])
