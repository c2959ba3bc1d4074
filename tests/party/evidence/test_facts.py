"""A report is told from one set of facts: whatever the recipient said, no two of its sentences contradict."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import product

import pytest

from ledger.party.evidence.report.papers import pages
from ledger.party.evidence.report.story import tell
from tests.harness.receipts import RECEIPTS
from tests.party.evidence.cases import documents_of

PHRASES = (
    (r"by their own signatures", "held", "yes"),
    (r"ever had it is not shown", "held", "not shown"),
    (r"it is this content is not shown", "held", "not shown"),
    (r"That bob.example (received the copy|signed for this very content): it", "held", "not shown"),
    (r"(?<!That bob.example )signed (on [^.]* )?for (this very|other) content", "signed for", None),
    (r"acknowledged something under", "signed for", "sealed"),
    (r"refused it (on|at)", "signed for", "refused"),
    (r"neither acknowledged nor refused", "signed for", "nothing"),
    (r"[Aa] file of 49 rows and 3 columns that holds", "file", "not here"),
    (r"Conditional, for the file that was found is not in the bundle", "file", "not here"),
    (r"The file is in the bundle", "file", "here"),
    (r"the file derives from the copy", "file", "here"),
    (r"The file is not in the bundle", "file", "not here"),
    (r'exit code 3, "CONDITIONAL"', "file", "not here"),
)
"""What a sentence says of what; None: what its second group says."""


class _Text(HTMLParser):
    """What a page says, without its drawings."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.depth += tag == "svg"

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag == "svg"

    def handle_data(self, data: str) -> None:
        if not self.depth:
            self.words.append(data)


def said(page: bytes) -> Iterator[tuple[str, str]]:
    """Yield what a page says of what."""
    text = _Text()
    text.feed(page.decode())
    words = " ".join(" ".join(text.words).split())
    for phrase, subject, answer in PHRASES:
        for match in re.finditer(phrase, words):
            yield subject, answer or match[2].removesuffix(" very")


@pytest.mark.parametrize(("kind", "is_here"), list(product(RECEIPTS, (True, False))))
def test_no_page_contradicts_another(kind: str, is_here: bool) -> None:
    maker = RECEIPTS[kind]()
    maker.includes_found = is_here
    found = defaultdict(set)
    for page in pages(tell(documents_of(maker))).values():
        for subject, answer in said(page):
            found[subject].add(answer)
    signed = {"same": "this"}.get(kind, kind)
    assert found == {
        "held": {"yes" if kind == "same" else "not shown"},
        "signed for": {signed},
        "file": {"here" if is_here else "not here"},
    }
