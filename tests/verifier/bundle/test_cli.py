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

from ledger.core.encoding import b64encode
from ledger.core.keys import SigningKey
from tests.harness.bundle_leak import leak
from tests.harness.bundle_math import canonical_record, needed_millibits
from tests.harness.bundle_set import all_cases
from tests.harness.bundle_story import RECIPIENTS, Story
from tests.harness.bundles import NOT_NEEDED, Maker, finished, good, with_manifest, zipped
from tests.harness.forged_evidence import OTHER
from tests.harness.people import key
from tests.harness.receipts import RECEIPTS
from tests.harness.verify import run_verifier
from verifier.bundle.case import SLUGS
from verifier.bundle.marks import Seal, Trial
from verifier.bundle.records import distinct
from verifier.bundle.sentences import UNREAD
from verifier.cli.main import main
from verifier.schema.versions import NEWEST_RULES
from verifier.sealed.normal import Mapped, Mapping

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
    assert "If every mark was as unlikely as alice.example says, the file" in words
    assert "derives from the copy that alice.example made for bob.example" in words
    assert "The marks do not distinguish bob.example from alice.example" in words
    assert "complete according to the operator" in words
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
    assert "alice.example held it; that bob.example ever had it is not shown" in words
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
    maker = RECEIPTS["same" if is_same else "other"]()
    code, words = in_words(*written(tmp_path, maker))
    assert code == 0
    held = ["Both of them held it, by their own signatures", "bob.example computed the content that it signed for"]
    other = ["at entry 10 it acknowledged other content", "bob.example signed for other content (entry 10)"]
    assert [part in words for part in held + other] == [is_same] * 2 + [not is_same] * 2


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
    maker = good(includes_found=False)
    arguments = written(tmp_path, maker)
    code, words = in_words(*arguments)
    assert (code, "That there is a file that holds the rows shown" in words) == (3, True)
    assert 'is the word of "A. Examiner"' in words
    (tmp_path / "leak.csv").write_bytes(maker.leaked.raw)
    code, words = in_words(*arguments, "--found", str(tmp_path / "leak.csv"))
    assert (code, "the file " in words, 'is the word of "A. Examiner"' in words) == (0, True, False)
    (tmp_path / "leak.csv").write_bytes(maker.leaked.raw + b"1;2;3\n")
    verdict = run_verifier(*arguments, "--found", str(tmp_path / "leak.csv"))
    assert (verdict.exit_code, verdict.report["failures"][0]["check"]) == (1, "found")


@pytest.mark.parametrize("lie", ["marks-listed-as-rows-of-another-file", "found-count-understated"])
def test_the_file_itself_disproves_what_was_said_of_it(tmp_path: Path, lie: str) -> None:
    """Without it, nothing can be told; with it, the bundle is false."""
    raw, policy = next(case for case in all_cases() if case.name == lie).make()
    for name, content in (("lie.zip", raw), ("policy.txt", policy.encode()), ("README.md", OTHER)):
        (tmp_path / name).write_bytes(content)
    arguments = ["bundle", str(tmp_path / "lie.zip"), "--policy", str(tmp_path / "policy.txt")]
    assert run_verifier(*arguments).report["verdict"] == "conditional"
    verdict = run_verifier(*arguments, "--found", str(tmp_path / "README.md"))
    assert (verdict.exit_code, verdict.report["failures"][0]["check"]) == (1, "found")
    assert verdict.report["conditional"] == []


def test_nothing_is_concluded_about_a_file_that_nobody_read(tmp_path: Path) -> None:
    """Neither its name nor its digest stands in what would follow, and no program takes it for a yes."""
    verdict = run_verifier(*written(tmp_path, good(includes_found=False)))
    report = verdict.report
    assert (verdict.exit_code, report["exit_code"]) == (3, 3)
    assert (report["verdict"], report["is_enough"]) == ("conditional", None)
    assert report["proved"] == [UNREAD]
    assert "a file of 49 rows and 3 columns that holds the rows shown derives from" in report["conditional"][0]
    assert "leak, as downloaded" not in " ".join(report["conditional"])
    little = run_verifier(*written(tmp_path, good(marks=1, includes_found=False))).report
    assert (little["verdict"], little["is_enough"]) == ("conditional", False)
    false = run_verifier(*written(tmp_path, good(includes_found=False)), "--found", str(tmp_path / "policy.txt"))
    assert (false.exit_code, false.report["verdict"], false.report["is_enough"]) == (1, "false", False)


def test_what_earlier_programs_called_enough(tmp_path: Path) -> None:
    """Two marks, or a careless bound: every number of it holds, and today it is not enough."""
    code, words = in_words(*written(tmp_path, good(marks=2, is_earlier=True)))
    assert (code, "derives from" in words) == (0, False)
    assert "2 different marks were found, and fewer than three can travel by accident" in words
    assert "By the rule when this was made it was called enough." in words
    assert "the origin of the file is not shown" in words
    assert "was called enough" not in in_words(*written(tmp_path, good(marks=2)))[1]


def test_a_careless_bound_shows_nothing(tmp_path: Path) -> None:
    """Whatever the score: 0.001 is the most that a sender may be content with."""
    for bound, is_shown in (("0.0010001", False), ("0.00100", True)):
        needed = needed_millibits(0, RECIPIENTS, bound, 1)
        seal = {"bound": bound, "threshold_millibits": needed}
        story = Story(spoil=lambda value, seal=seal: value.update(seal))  # type: ignore[misc]
        code, words = in_words(*written(tmp_path, Maker(story, leak([story.copies["bob.example"]]))))
        assert (code, "derives from the copy" in words) == (0, is_shown), bound
        assert (f"{bound}, is above 0.001" in words) is not is_shown


def test_one_row_is_never_three_marks() -> None:
    """Marks that the mapped columns do not tell apart are found by one row of the file, and are one."""
    rows = [b64encode(canonical_record([f"N{number}", "1"])) for number in range(3)]
    value = {"method": "canary", "key": "", "bits": [9, 9], "rows": rows, "controls": []}
    for column, different in ((0, 3), (1, 1)):
        mapping = Mapping([Mapped(column, 0, "text")])
        found = [(f"N{number}",) for number in range(3)] if column == 0 else [("1",)]
        trial = Trial(mapping, frozenset(distinct(found, mapping)), len(found), 1)
        seal = Seal(value, "bob", trial)
        assert (len(seal.planted_found), seal.different) == (3, different)


def test_how_many_files_were_examined(tmp_path: Path) -> None:
    maker = good()
    evidence = maker.evidence()
    evidence["counts"]["examined"] = 37
    maker.evidence = lambda: evidence  # type: ignore[method-assign]
    assert "1 of 37 files examined against this listing" in in_words(*written(tmp_path, maker))[1]
    assert "How many files were examined against this listing is not said" in in_words(*written(tmp_path, good()))[1]


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
