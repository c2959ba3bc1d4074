"""The report for a court: one page first, marks beside the rows that show them, and a number that can be recomputed."""

from __future__ import annotations

import io
import re
from math import comb, exp, log, log2, sqrt

import pypdf
import pytest

from ledger.party.evidence.report.papers import pages
from ledger.party.evidence.report.pdf import report_pdf
from ledger.party.evidence.report.story import tell
from ledger.party.evidence.report.verdict import judge_evidence
from ledger.party.marks.weight import as_often
from ledger.party.trace.words import summary
from tests.harness.bundle_pool import BOB, pooled
from tests.harness.bundles import good
from tests.harness.receipts import RECEIPTS
from tests.party.evidence.cases import documents_of


def test_the_first_page_stands_alone() -> None:
    """Question, answer, three dangers and what to ask: all on the first page of the PDF, and nothing else."""
    story = tell(documents_of(pooled()))
    first, second = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(report_pdf(story).pdf)).pages[:2]]
    for words in ("The question", "The answer", "What could make it wrong", "What to ask alice.example"):
        assert words in first
        assert words not in second
    assert "scale of ENFSI, 2015" in " ".join(first.split())
    assert "1. The case" in second


@pytest.mark.parametrize("kind", list(RECEIPTS))
def test_the_dangers_are_those_of_the_case(kind: str) -> None:
    dangers = tell(documents_of(RECEIPTS[kind]()))["front"]["dangers"]
    assert len(dangers) == 3
    held = [danger for danger in dangers if "alice.example held the same copy" in danger]
    assert bool(held) == (kind == "same")
    assert bool([danger for danger in dangers if "bob.example ever held this copy" in danger]) == (kind != "same")


def test_what_weighs_most_stands_first() -> None:
    conditional = tell(documents_of(pooled(includes_found=False)))["front"]
    assert conditional["dangers"][0].startswith("The found file is not in the bundle")
    assert conditional["scale"].startswith("On that condition: extremely strong support")
    drawn, stated = tell(documents_of(pooled()))["front"]["dangers"], tell(documents_of(good()))["front"]["dangers"]
    assert [danger for danger in drawn if "chose the draw together" in danger]
    assert [danger for danger in stated if "rest on what alice.example says of its own marks" in danger]
    few = tell(documents_of(pooled(marks=4)))["front"]["dangers"]
    assert [danger for danger in few if "few marks: 4" in danger]


def test_too_little_is_no_support_and_no_exoneration() -> None:
    assert tell(documents_of(pooled(marks=2)))["front"]["scale"].startswith("No answer either way")


@pytest.mark.parametrize("method", ["canary", "tardos"])
def test_three_marks_stand_beside_their_rows(method: str) -> None:
    for maker in (pooled(method), good(method), good(method, redactable=True)):
        shown = tell(documents_of(maker))["examples"]
        assert shown is not None
        assert len({tuple(pair["ours"]) for pair in shown["pairs"]}) == 3
        copy = maker.story.copies[BOB]
        marks = {row[0] for row in copy.marks}
        for pair in shown["pairs"]:
            assert pair["ours"][0] in marks
            assert pair["theirs"][0].strip().lower() == pair["ours"][0].lower()
            assert copy.rows[pair["record"]][0] == pair["ours"][0]


def test_rows_that_a_copy_lacks_are_shown_to_be_lacking() -> None:
    maker = pooled("omission", base=44)
    shown = tell(documents_of(maker))["examples"]
    assert shown is not None
    copy = maker.story.copies[BOB]
    for pair in shown["pairs"]:
        assert pair["record"] in copy.drawn
        assert copy.pool[pair["record"]][0] == pair["ours"][0]
        assert pair["row"] is None
    page = pages(tell(documents_of(maker)))["report.html"].decode()
    assert page.count("no such row") == 3 * len(shown["columns"])
    assert "No row of the file is like them" in page
    elsewhere = pages(tell(documents_of(pooled("omission", base=44, includes_found=False))))["report.html"].decode()
    assert "No row of the file is like them" not in elsewhere


def test_the_number_can_be_recomputed_from_what_is_printed() -> None:
    documents = documents_of(pooled())
    formula = tell(documents)["formula"]
    assert formula is not None
    value = {step["name"]: step["value"] for step in formula["steps"]}
    drawn, others, hit, others_hit = (int(value[name].replace(",", "")) for name in ("K", "M", "k", "c"))
    ways = sum(
        comb(drawn, j) * comb(others, hit + others_hit - j) for j in range(hit, min(drawn, hit + others_hit) + 1)
    )
    bits = log2(comb(drawn + others, hit + others_hit) / ways)
    paid, score, needed = (float(value[name].split()[0]) for name in ("less paid", "score", "needed"))
    assert abs(bits - float(value["−log2 tail"].split()[0])) < 0.001
    assert abs(bits - paid - score) < 0.002
    assert abs(log2(int(value["n'"]) / float(value["bound"])) + log2(int(value["tries"])) - needed) < 0.002
    assert round(1000 * score) == documents.evidence["conclusion"]["score_millibits"]


def test_the_number_of_a_code_can_be_recomputed_too() -> None:
    documents = documents_of(pooled("tardos"))
    formula = tell(documents)["formula"]
    assert formula is not None
    steps = {step["name"]: step for step in formula["steps"]}
    counted = re.findall(r"(\d+) × \(([0-9.]+), ([01]), ([01])\)", steps["positions seen"]["words"])
    seen = [(float(p), int(x), int(y)) for count, p, x, y in counted for _ in range(int(count))]
    assert len(seen) == int(steps["positions seen"]["value"])
    strength = float(steps["λ"]["value"])

    def gain(p: float, x: int, y: int) -> float:
        size = sqrt((1 - p) / p) if x else sqrt(p / (1 - p))
        return size if x == y else -size

    agreement = sum(gain(*one) for one in seen)
    cost = sum(log(p * exp(strength * gain(p, 1, y)) + (1 - p) * exp(strength * gain(p, 0, y))) for p, _, y in seen)
    assert abs(agreement - float(steps["S"]["value"])) < 0.001
    assert abs(cost - float(steps["L"]["value"])) < 0.001
    assert abs((strength * agreement - cost) / log(2) - float(steps["word"]["value"].split()[0])) < 0.002


@pytest.mark.parametrize("maker", [good(), good("tardos"), pooled("tardos"), pooled("omission", base=44)])
def test_every_kind_of_marks_has_its_steps(maker: object) -> None:
    formula = tell(documents_of(maker))["formula"]  # type: ignore[arg-type]
    assert formula is not None
    assert "≥" in formula["outcome"]
    assert {"score", "bound", "n'", "tries", "needed"} <= {step["name"] for step in formula["steps"]}


def test_all_are_there_and_so_are_rows_that_were_never_planted() -> None:
    """A register that holds all of the pool shows nothing, and the report says why."""
    maker = pooled()
    documents = documents_of(maker)
    own = documents.evidence["marks"][0] | {"found": 12, "others_found": 588, "score_millibits": 0}
    ended = documents.evidence["conclusion"] | {"is_enough": False, "score_millibits": 0}
    reason = judge_evidence(documents_of(maker, marks=[own], conclusion=ended)).reason
    assert "All 12 are there, but in the 3 of 4 columns that are left such rows that were never planted" in reason
    assert "as often (588 of 588)" in reason
    assert "The score is too low" not in reason


def test_the_trace_says_so_too() -> None:
    marks = {"drawn": 530, "found": 530, "others": 5_000, "others_found": 3_000}
    words = as_often(marks, "canary", 3, 9)
    assert words == (
        "all 530 are there, but in the 3 of 9 columns that are left such rows that were never planted stand there more "
        "than half as often (3,000 of 5,000)"
    )
    assert "such rows lack as often" in as_often(marks | {"others_found": 5_000}, "omission", 9, 9)
    item = {
        "by": "rows", "columns": 9, "conclusion": {"is_enough": False, "needed_millibits": 21_517, "seals": 1},
        "examined": None, "hypotheses": [], "index": 4, "mapping": [{}, {}, {}], "problems": [], "recipient": "beta",
        "marks": marks | {"method": "canary", "planted": 530, "planted_found": 530, "score_millibits": 0,
                          "status": "opened"},
        "same_file": [], "status": "compared", "transfer": "sha256:ab", "why_not": ["others-found-as-often"],
    }  # fmt: skip
    found = {"bytes": 1, "columns": ["a"], "count": 1, "format": "csv", "name": "leak.csv", "sha256": "ab"}
    lines = summary({"conclusion": {"is_enough": False}, "found": found, "notes": [], "transfers": [item]})
    assert f"  Not enough: {words}." in lines


def test_the_sheets_say_what_is_not_met() -> None:
    index = pages(tell(documents_of(pooled(includes_found=False))))["index.html"].decode()
    for words in ("702(c)", "Proposed Rule 707", "902(13)", "902(14)", "Art. 16–18", "Art. 41", "Art. 45l", "Art. 11",
                  "Six questions",
                  "Not met by the bundle alone", "No validation study", "not peer-reviewed"):  # fmt: skip
        assert words in index, words
