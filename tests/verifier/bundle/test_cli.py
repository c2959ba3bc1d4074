"""`verifier bundle` as its users see it: a file and a policy in; words, JSON, a page and an exit code out."""

from __future__ import annotations

import io
import json
import re
from contextlib import redirect_stdout
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from ledger.core.keys import SigningKey
from tests.harness.bundle_leak import leak
from tests.harness.bundle_story import Story
from tests.harness.bundles import NOT_NEEDED, Maker, finished, good, with_manifest, zipped
from tests.harness.people import key
from tests.harness.verify import run_verifier
from verifier.bundle.case import SLUGS
from verifier.cli.main import main
from verifier.schema.versions import NEWEST_RULES

BOB = key("bob.example signing")


def written(directory: Path, maker: Maker | None = None) -> list[str]:
    """Write a bundle and its policy; return the arguments that name them."""
    raw, policy = finished(maker or good())
    (directory / "evidence.zip").write_bytes(raw)
    (directory / "policy.txt").write_text(policy)
    return ["bundle", str(directory / "evidence.zip"), "--policy", str(directory / "policy.txt")]


def pinned(directory: Path, name: str, to: SigningKey) -> list[str]:
    (directory / "parties.txt").write_text(f"party {name} {to.public.keyid}\n")
    return ["--parties", str(directory / "parties.txt")]


def in_words(*arguments: str) -> tuple[int, str]:
    words = io.StringIO()
    with redirect_stdout(words):
        code = main(arguments)
    return code, words.getvalue()


def test_what_is_proved_and_no_more(tmp_path: Path) -> None:
    maker = good()
    code, words = in_words(*written(tmp_path, maker))
    assert code == 0
    assert "derives from the copy that alice.example made for bob.example" in words
    assert "It is not proved which of the two let it out" in words
    assert "complete according to the operator" in words
    assert "That the rows shown are in the found file" in words
    assert 'word of "A. Examiner"' in words
    assert "No signed history says that no entry left out revokes a key of alice.example, bob.example" in words
    assert "under a seal of its own, which was not opened" in words
    assert "One signer" in words
    assert "bob.example: name only (respondent)" in words
    assert words.rstrip().endswith("the origin of the file is shown (exit 0)")


def test_what_is_not_enough_proves_nothing(tmp_path: Path) -> None:
    code, words = in_words(*written(tmp_path, good(marks=1)))
    assert (code, "derives from" in words) == (0, False)
    assert "Nothing about where the file comes from" in words
    assert "the origin of the file is not shown" in words


def test_a_copy_that_nobody_acknowledged_is_not_said_to_be_held(tmp_path: Path) -> None:
    code, words = in_words(*written(tmp_path, good(left_out=NOT_NEEDED | {"acknowledged bob.example"})))
    assert code == 0
    assert "Both of them held it" not in words
    assert "alice.example held it; that bob.example ever had it is not proved" in words
    assert "which of the two" not in words
    assert "Nothing here says that bob.example received the copy" in words


def test_more_marks_than_a_part_of_the_copy_would_hold_are_remarked_upon(tmp_path: Path) -> None:
    """As where somebody who knew the marks wrote them into another file."""
    code, words = in_words(*written(tmp_path, good("tardos", base=1)))
    assert (code, "somebody who knew the marks added or removed them" in words) == (0, True)
    assert "somebody who knew" not in in_words(*written(tmp_path, good()))[1]


def test_marks_that_were_sealed_after_the_file_was_examined_prove_nothing(tmp_path: Path) -> None:
    """Whoever has a file can seal its rows as marks, and hand them to somebody who never had the file."""
    maker = good()
    evidence = maker.evidence()
    offered_ms = maker.story.times[maker.said["transfer bob.example"].index]
    evidence["custody"][0]["at_ms"] = offered_ms
    maker.evidence = lambda: evidence  # type: ignore[method-assign]
    assert in_words(*written(tmp_path, maker))[1].rstrip().endswith("the origin of the file is shown (exit 0)")
    evidence["custody"][0]["at_ms"] = offered_ms - 1
    assert in_words(*written(tmp_path, maker))[0] == 1, "it says that it is enough"
    evidence["conclusion"]["is_enough"] = False
    code, words = in_words(*written(tmp_path, maker))
    assert (code, "derives from" in words) == (0, False)
    assert "before the marks were sealed" in words


@pytest.mark.parametrize("is_same", [True, False])
def test_what_the_recipient_signed_for(tmp_path: Path, is_same: bool) -> None:
    """Where its seal is opened, too, the two are compared."""
    story = Story(received=None if is_same else lambda content: content["files"][0].update(bytes=1))
    maker = Maker(story, leak([story.copies["bob.example"]]))
    shown = [*maker.disclosures(), *story.said["acknowledged bob.example"].disclosures]
    maker.disclosures = lambda: shown  # type: ignore[method-assign]
    judgement = maker.judgement()
    if not is_same:
        index = story.said["acknowledged bob.example"].index
        finding = {"entries": [index - 1, index], "index": index, "party": "bob.example", "slug": "digest-mismatch"}
        judgement["findings"].insert(1, finding | {"since_ms": story.times[index]})
    maker.judgement = lambda: judgement  # type: ignore[method-assign]
    code, words = in_words(*written(tmp_path, maker))
    expected = "signed for the content (entry 10): it computed it, or was told it"
    assert (code, expected in words, "signed for another content" in words) == (0, is_same, not is_same)


def test_without_opened_marks_nothing_is_said_of_the_origin(tmp_path: Path) -> None:
    verdict = run_verifier(*written(tmp_path, good(withheld=frozenset({"transfer bob.example"}))))
    assert (verdict.exit_code, verdict.report["is_enough"]) == (0, False)
    assert "1 seals of marks for bob.example were not opened; the bound counts them." in verdict.report["open"]


def test_the_report_as_json(tmp_path: Path) -> None:
    verdict = run_verifier(*written(tmp_path))
    report = verdict.report
    assert report["type"] == "provenance-ledger.bundle-report/v1"
    assert (report["exit_code"], report["failures"], report["doubts"]) == (0, [], [])
    assert report["completeness"]["status"] == "complete according to the operator"
    assert [act["decision"] for act in report["acts"]] == ["prohibited", "permitted"]
    assert {item["party"] for item in report["findings"]} == {"bob.example", "carol.example"}
    assert report["score"]["conclusion"]["is_enough"]
    license_entry = next(item for item in report["entries"] if item["type"] == "license.agreed")
    assert license_entry["signed_by"] == ["alice.example", "bob.example"]


def test_a_found_file_of_ones_own(tmp_path: Path) -> None:
    """Who has the file need not believe anybody that the rows are in it; another file is refused."""
    maker = good()
    arguments = written(tmp_path, maker)
    (tmp_path / "leak.csv").write_bytes(maker.leaked.raw)
    code, words = in_words(*arguments, "--found", str(tmp_path / "leak.csv"))
    assert (code, "The file " in words, 'is the word of "A. Examiner"' in words) == (0, True, False)
    (tmp_path / "leak.csv").write_bytes(maker.leaked.raw + b"1;2;3\n")
    verdict = run_verifier(*arguments, "--found", str(tmp_path / "leak.csv"))
    assert (verdict.exit_code, verdict.report["failures"][0]["check"]) == (1, "found")


def test_pins(tmp_path: Path) -> None:
    arguments = written(tmp_path)
    verdict = run_verifier(*arguments, *pinned(tmp_path, "bob.example", BOB))
    status = {party["name"]: party["status"] for party in verdict.report["parties"]}
    assert (verdict.exit_code, status["bob.example"]) == (0, "pinned")
    wrong = run_verifier(*arguments, *pinned(tmp_path, "carol.example", BOB))
    assert (wrong.exit_code, wrong.report["failures"][0]["check"]) == (1, "party")
    unknown = run_verifier(*arguments, *pinned(tmp_path, "bob.example", key("a later key of bob")))
    assert (unknown.exit_code, unknown.report["doubts"][0]["check"]) == (3, "party")


class _Page(HTMLParser):
    """What a page would load or run, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href"} or name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_says_the_same_and_runs_nothing(tmp_path: Path) -> None:
    """What others wrote is text in it, whatever they wrote."""
    maker = good()
    case = maker.case()
    hostile = "<script>alert(1)</script>\u202e<img src=x onerror=alert(1)>"
    maker.case = lambda: case | {"question": hostile}  # type: ignore[method-assign]
    arguments = written(tmp_path, maker)
    code, words = in_words(*arguments, "--html", str(tmp_path / "report.html"))
    page = _Page()
    page.feed((tmp_path / "report.html").read_text())
    assert code == 0
    assert (page.tags & {"script", "img", "iframe", "object", "link", "base", "form"}, page.links) == (set(), [])
    assert "\u202e" not in words + page.text
    for line in words.splitlines():
        assert line.strip() in page.text


def test_a_tokens_presence_is_no_proof(tmp_path: Path) -> None:
    maker = good()
    files = maker.files() | {"timestamps/0.tsr": b"any bytes"}
    (tmp_path / "evidence.zip").write_bytes(zipped(with_manifest(files)))
    (tmp_path / "policy.txt").write_text(maker.story.policy())
    arguments = ["bundle", str(tmp_path / "evidence.zip"), "--policy", str(tmp_path / "policy.txt")]
    verdict = run_verifier(*arguments)
    assert verdict.exit_code == 0
    assert "1 time-stamp tokens are in the bundle, and were not checked." in verdict.report["open"]


def test_a_found_file_that_cannot_be_read_here(tmp_path: Path) -> None:
    """Its digest is checked; whether its rows are those of the evidence could not be told."""
    maker = good(includes_found=True)
    evidence: dict[str, Any] = maker.evidence()
    evidence["found"]["format"] = "parquet"
    del evidence["found"]["delimiter"]
    maker.evidence = lambda: evidence  # type: ignore[method-assign]
    verdict = run_verifier(*written(tmp_path, maker))
    assert (verdict.exit_code, verdict.report["doubts"][0]["check"]) == (3, "found")


def test_an_unreadable_bundle_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    arguments = written(tmp_path)
    assert main(["bundle", str(tmp_path / "nothing.zip"), *arguments[2:]]) == 2
    assert main([*arguments, "--found", str(tmp_path / "nothing.csv")]) == 2
    assert main([*arguments, "--html", str(tmp_path / "no" / "such" / "place.html")]) == 2


def test_a_bundle_under_rules_that_nobody_knows(tmp_path: Path) -> None:
    """Bytes, links and receipts are checked; the rest could not be told."""
    story = Story(tamper=lambda _label, _statement, keys: keys)
    for rules in range(story.rules + 1, NEWEST_RULES + 2):
        story.tell(f"rules {rules}", story.speech.rules_changed(story.operator, rules), story.operator.key)
    verdict = run_verifier(*written(tmp_path, Maker(story, leak([story.copies["bob.example"]]))))
    first = verdict.report["doubts"][0]
    assert (verdict.exit_code, first["check"], first["reason"]) == (3, "entry", "unknown-rules")
    assert json.dumps(verdict.report["proved"]).count("Nothing") == 1


def test_findings_are_in_the_order_of_the_table() -> None:
    """docs/bundle.md §5: by index, then in the order of the table of docs/statements.md §10."""
    text = (Path(__file__).parents[3] / "docs" / "statements.md").read_text()
    table = text[text.index("| slug | at, by | when |") :]
    table = table[: table.index("\n\n")]
    assert tuple(dict.fromkeys(re.findall(r"^\| `([a-z-]+)`", table, re.MULTILINE))) == SLUGS
