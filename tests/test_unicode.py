"""One version of Unicode, whichever Python and browser have (docs/format.md §15.8): three tables, one normal form."""

from __future__ import annotations

import json
import subprocess
import unicodedata
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ledger.core import unicode
from ledger.party.dataset.reading import normal as ours
from ledger.party.dataset.reading.cells import canonical_text
from tests.harness.needs import do_without, need
from tests.harness.vectors import load
from tests.write_unicode import VERSION, runs
from verifier.core import code_points
from verifier.sealed import normal as theirs
from verifier.sealed.rows import tidy

HERE = Path(__file__).parent
SURROGATES = range(0xD800, 0xE000)
POINTS = [point for point in range(0x110000) if point not in SURROGATES]
TODHRI, COMPOSED = "\U000105d2\u0307", "\U000105c9"
Told = list[Any]


def by_ledger(text: str) -> Told:
    """Return its NFC, and its normal form, or False where there is none to be told."""
    return [unicode.nfc(text), ours.normal_form(text) if ours.is_comparable(text) else False]


def by_verifier(text: str) -> Told:
    return [code_points.to_nfc(text), theirs.normal_form(text, "text") if theirs.is_comparable(text) else False]


def by_page(texts: Sequence[str]) -> list[Told]:
    command = [need("node"), str(HERE / "page" / "node" / "forms.mjs")]
    done = subprocess.run(command, input=json.dumps(texts).encode(), capture_output=True, check=True, timeout=120)
    told: list[Told] = json.loads(done.stdout)
    return told


def unassigned() -> set[int]:
    ranges: Iterable[tuple[int, int]] = load("unicode.json")["unassigned"]
    return {point for first, last in ranges for point in range(first, last + 1)}


def test_two_tables_are_the_vectors() -> None:
    known = unassigned()
    assert {point for point in POINTS if unicode.is_unassigned(chr(point))} == known
    assert {point for point in POINTS if not code_points.is_assigned(chr(point))} == known


def test_the_page_has_the_same_table() -> None:
    known = unassigned()
    told = by_page([chr(point) for point in POINTS])
    assert {point for point, (_, form) in zip(POINTS, told, strict=True) if form is False} == known


def test_the_page_of_documentation_names_the_table() -> None:
    """And its digest is that of the ranges, one a line."""
    said = load("unicode.json")
    spelled = "".join(f"{first:X}-{last:X}\n" for first, last in said["unassigned"])
    assert said["sha256"] == sha256(spelled.encode()).hexdigest()
    assert said["ranges"] == len(said["unassigned"])
    assert said["sha256"] in (HERE.parent / "docs" / "format.md").read_text(encoding="utf-8")


def test_the_vectors_are_unicode_14() -> None:
    if unicodedata.unidata_version != VERSION:
        do_without("only a Python of Unicode 14.0 has this table itself")
    assert load("unicode.json")["unassigned"] == [[first, last] for is_there, first, last in runs() if not is_there]


def test_three_readings_of_every_assigned_code_point() -> None:
    """Alone, with marks behind it, and around a sigma, whose small form depends on what is there."""
    known = unassigned()
    # (in the private planes there is nothing to see)
    points = [point for point in POINTS if point < 0xF0000 and point not in known]
    texts = [form.format(chr(point)) for point in points for form in ("{}", "{}\u0323\u0307", "aΣ{}", "a{}Σ")
             if chr(point) not in "{}"]  # fmt: skip
    page = by_page(texts)
    assert [
        text for text, told in zip(texts, page, strict=True) if not by_verifier(text) == told == by_ledger(text)
    ] == []


def test_random_texts() -> None:
    """Of assigned code points all three make one thing; with one that is not, none makes a normal form."""
    random, known = Random(14), unassigned()
    assigned, strange = [point for point in POINTS if point not in known], sorted(known)
    marks = [point for point in assigned if unicodedata.combining(chr(point))]
    texts = []
    for number in range(20_000):
        some = [random.choice(random.choice((assigned, assigned[:3000], marks))) for _ in range(random.randrange(1, 9))]
        if number % 2:
            some.insert(random.randrange(len(some) + 1), random.choice(strange))
        texts.append("".join(map(chr, some)))
    page = by_page(texts)
    assert [
        text for text, told in zip(texts, page, strict=True) if not by_verifier(text) == told == by_ledger(text)
    ] == []
    assert all(told[1] is False for told in page[1::2])
    assert sum(told[1] is False for told in page[::2]) < 10


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_canonical_text_is_stable(text: str) -> None:
    once = canonical_text(text)
    assert once == tidy(text) == canonical_text(once) == tidy(once)


def test_what_is_not_assigned_is_never_composed() -> None:
    """Python from 3.14 on, and browsers, would make U+105C9 of it."""
    assert unicode.nfc(f"e\u0301{TODHRI}e\u0301") == code_points.to_nfc(f"e\u0301{TODHRI}e\u0301") == f"é{TODHRI}é"
    for text in (TODHRI, COMPOSED, "Σ ʕ", "\U0001fae8"):
        assert not ours.is_comparable(text)
        assert not theirs.is_comparable(text)
    for cell in ("", "Σ", "ʕ", "\ufffe", "\ue000", None):
        assert ours.is_comparable(cell)
        assert theirs.is_comparable(cell)


def test_what_is_not_comparable_equals_nothing() -> None:
    """Not even itself: two rows that differ by it alone are not found, and one that has it is not either."""
    mapping = [
        ours.MappedColumn(column=0, found=0, reading="text"),
        ours.MappedColumn(column=1, found=1, reading="text"),
    ]
    assert ours.equals(["a", "b"], ["A", "b"], mapping)
    assert not ours.equals([TODHRI, "b"], [TODHRI, "b"], mapping)
    judged = theirs.Mapping([theirs.Mapped(0, 0, "text"), theirs.Mapped(1, 1, "text")])
    assert judged.of_record(["a", "b"]) == judged.of_found(("A", "b"))
    assert judged.of_found((TODHRI, "b")) is None
    assert judged.of_record([TODHRI, "b"]) is None
