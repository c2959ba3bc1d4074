"""What is proved and what remains open follow from the same facts: no two sentences contradict each other."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import product

import pytest

from verifier.bundle import enough, weight
from verifier.bundle.facts import Facts, Receipt, Score
from verifier.bundle.sentences import UNREAD, about_found, about_marks, about_receipt, origin

LACKING = (
    (),
    (enough.TOO_LOW,),
    (enough.CONTROL,),
    (enough.BEFORE,),
    (enough.BOUND_TOO_HIGH,),
    (enough.TOO_FEW,),
    (enough.TOO_LOW, enough.CONTROL, enough.BEFORE, enough.BOUND_TOO_HIGH, enough.TOO_FEW),
)
PHRASES = (
    (r"Both of them held it", "held", "yes"),
    (r"that bob ever had it is not shown", "held", "not shown"),
    (r"that it is this content is not shown", "held", "not shown"),
    (r"nothing here says that it received this copy", "held", "not shown"),
    (r"Nothing here says that bob received", "held", "not shown"),
    (r"signed for this very content", "signed for", "this"),
    (r"Whether bob computed the content that it signed for", "signed for", "this"),
    (r"acknowledged other content", "signed for", "other"),
    (r"signed for other content", "signed for", "other"),
    (r"acknowledged something", "signed for", "sealed"),
    (r"under a seal of its own, which was not opened", "signed for", "sealed"),
    (r"refused it (at|\()", "signed for", "refused"),
    (r"neither acknowledged nor refused", "signed for", "nothing"),
    (r"derives from the copy", "origin", "shown"),
    (r"Nothing about where the file comes from", "origin", "not shown"),
    (r"SHA-256", "file", "read"),
    (r"no program read it", "file", "not read"),
    (r"a file of 49 rows", "file", "not read"),
    (r"That there is a file that holds the rows shown", "file", "not read"),
    (r"No control reached what was needed", "control", "below"),
    (r"a control reaches what is needed too", "control", "above"),
    (r"as probable if the file derives", "ratio", "given"),
    (r"no likelihood ratio is given", "ratio", "not given"),
    (r"no marks of the hand-off were opened", "marks", "closed"),
    (r"how unlikely each was, is the word of", "marks", "opened"),
    (r"If every mark was as unlikely as alice says", "marks", "opened"),
    (r"files examined against this listing: ", "files", "counted"),
    (r"How many files were examined against this listing is not said", "files", "not counted"),
)
"""What a sentence says of what, written down from the words alone."""


def every_fact() -> Iterator[Facts]:
    """Yield facts of every kind beside those of every other."""
    pairs = product(Receipt, (True, False), (None, 37), LACKING, (0, 30_000), (True, False))
    for receipt, is_read, count, lacking, surprise, is_opened in pairs:
        ratio = None if surprise >= weight.SURPRISING_MILLIBITS else 60_000
        score = Score(
            90_000,
            22_000,
            2,
            ratio,
            3,
            8,
            surprise,
            8,
            "0.000001",
            is_code=False,
            is_drawn=True,
            pool=None,
            is_agreed=False,
        )
        yield Facts(
            sender="alice", respondent="bob", offer_index=9, offer_ms=5_000, receipt=receipt,
            receipt_index=None if receipt is Receipt.NOTHING else 10, is_read=is_read, found_name="leak.csv",
            found_sha256="ab" * 32, row_count=49, column_count=3, holders=("A. Examiner",), examined_ms=4_000,
            file_count=count, score=score if is_opened else None,
            shortcomings=lacking if is_opened else (enough.NOT_OPENED,), was_called_enough=not lacking and is_opened,
            withheld=1, closed=0,
        )  # fmt: skip


def sentences(facts: Facts) -> list[str]:
    """Return all that a report says of these facts, in both of its halves."""
    unread = [] if facts.is_read else [UNREAD]
    return [*unread, *origin(facts), about_receipt(facts), *about_found(facts), *about_marks(facts)]


def said(lines: list[str]) -> dict[str, set[str]]:
    """Return what is said of what."""
    found = defaultdict(set)
    for line, (phrase, subject, answer) in product(lines, PHRASES):
        if re.search(phrase, line):
            found[subject].add(answer)
    return found


def test_no_two_sentences_contradict_each_other() -> None:
    seen: dict[str, set[str]] = defaultdict(set)
    for facts in every_fact():
        found = said(sentences(facts))
        assert {subject: answers for subject, answers in found.items() if len(answers) > 1} == {}, facts
        for subject, answers in found.items():
            seen[subject] |= answers
    assert {(subject, answer) for _, subject, answer in PHRASES} == {
        (subject, answer) for subject, answers in seen.items() for answer in answers
    }


def test_every_phrase_is_one_that_is_said() -> None:
    """Else what it stands for would go unnoticed."""
    lines = [line for facts in every_fact() for line in sentences(facts)]
    assert [phrase for phrase, _, _ in PHRASES if not any(re.search(phrase, line) for line in lines)] == []


def test_a_contradiction_would_be_noticed() -> None:
    """The one that reports once printed."""
    lines = ["Both of them held it: bob acknowledged it.", "Of what bob signed, that it is this content is not shown."]
    assert said(lines)["held"] == {"yes", "not shown"}


def test_only_a_file_that_was_read_is_named() -> None:
    for facts in every_fact():
        assert any("leak.csv" in line or "ab" * 32 in line for line in origin(facts)) == (
            facts.is_read and not facts.shortcomings
        )


@pytest.mark.parametrize(
    ("millibits", "odds", "factor", "support"),
    [
        (999, "no better than one in two", "at least 1 times", "no support"),
        (1_000, "at most one in 2", "at least 2 times", "weak support"),
        (3_322, "at most one in 10", "at least 10 times", "moderate support"),
        (6_643, "at most one in 99", "at least 99 times", "moderate support"),
        (6_644, "at most one in 100", "at least 100 times", "moderately strong support"),
        (9_966, "at most one in 1,000", "at least 1,000 times", "strong support"),
        (13_288, "at most one in 10,000", "at least 10,000 times", "very strong support"),
        (19_932, "at most one in 1,000,000", "at least 1,000,000 times", "extremely strong support"),
        (29_897, "at most one in 999,000,000", "at least 999,000,000 times", "extremely strong support"),
        (29_898, "less than one in a billion; other errors are likelier", "more than a billion times",
         "extremely strong support"),
        (2**31, "less than one in a billion; other errors are likelier", "more than a billion times",
         "extremely strong support"),
    ],
)  # fmt: skip
def test_what_numbers_are_called(millibits: int, odds: str, factor: str, support: str) -> None:
    assert (weight.odds(millibits), weight.factor(millibits), weight.support(millibits)) == (odds, factor, support)
