"""Reports say what the bundle says, no more, and never let a party's words be markup."""

from __future__ import annotations

import io
import re
import zipfile
from functools import partial
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pypdf
import pytest
import typst

from ledger.core.encoding import Json, parse_json
from ledger.core.keys import Signer
from ledger.party.evidence import finishing
from ledger.party.evidence.finishing import Built, finish
from ledger.party.evidence.parts.documents import Documents
from ledger.party.evidence.report import papers
from ledger.party.evidence.report.story import tell
from ledger.party.evidence.report.verdict import judge_evidence
from ledger.party.evidence.single import WARNING
from tests.harness.bundle_leak import leak
from tests.harness.bundle_story import Story
from tests.harness.bundles import Maker, good
from tests.harness.needs import need
from tests.party.evidence.cases import documents_of

HOSTILE = (
    "<script>alert(1)</script> & \"'>#strong[x] $y$ *z* {{ 7 * 7 }} \u202egnp.exe \u4e2d\u6587 \u0639\u0631\u0628\u064a"
)
PAGE = b"<!DOCTYPE html><html><head><title>v</title></head><body class='x'><main>drop</main></body></html>"
VOID = {"meta", "input", "br", "circle", "line", "path", "rect"}


@pytest.fixture(autouse=True)
def _page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a page of our own in place of the verifier's, which is not these tests' subject."""
    monkeypatch.setattr(finishing, "verify_page", lambda: PAGE)


class _Tags(HTMLParser):
    """Collects tags, and complains about any that does not fit another."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def _read(page: bytes) -> _Tags:
    tags = _Tags()
    tags.feed(page.decode())
    assert not tags.open
    return tags


def _hostile() -> Documents:
    def tamper(label: str, statement: Json, signing: list[Signer]) -> list[Signer]:
        if label == "listing":
            statement["title"] = HOSTILE
        if label == "claim":
            statement["clause"] = HOSTILE
        return signing

    story = Story(tamper=tamper, relation=HOSTILE)
    maker = Maker(story, leak([story.copies["bob.example"]], marks=8, base=40))
    custody = [{"at_ms": 1, "tools": [HOSTILE], "what": HOSTILE, "who": HOSTILE}]
    found = parse_json(maker.files()["evidence.json"])["found"] | {"name": HOSTILE}
    return documents_of(maker, custody=custody, found=found)


def _text(pdf: bytes) -> str:
    return " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


def _built(documents: Documents) -> Built:
    return finish(documents, {"policy-hint.txt": b"hint\n"})


@pytest.mark.parametrize("method", ["canary", "tardos"])
def test_the_judgement_is_what_a_lawyer_would_write_down(method: str) -> None:
    maker = good(method)
    assert documents_of(maker).judgement == maker.judgement()


def test_the_words_of_parties_are_never_markup() -> None:
    need("cjk")
    built = _built(_hostile())
    with zipfile.ZipFile(io.BytesIO(built.archive)) as archive:
        pages = {name: archive.read(name) for name in papers.PAGES}
        pdf = archive.read("report.pdf")
    for name, page in pages.items():
        assert "\u202e" not in page.decode(), name
        if name.endswith(".html"):
            read = _read(page)
            assert "script" not in read.seen
            assert "strong[x]" not in read.seen
    report = _read(pages["report.html"])
    assert (
        report.text.count("<script>alert(1)</script> & \"'>#strong[x] $y$ *z* {{ 7 * 7 }} \\u202egnp.exe 中文 عربي")
        >= 5
    )
    words = re.sub(r"\s+", "", _text(pdf))
    assert "<script>alert(1)</script>&" in words
    assert "#strong[x]$y$*z*{{7*7}}\\u202egnp.exe中文" in words


def test_characters_that_no_font_has_are_codes_and_never_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typst, "compile", partial(typst.compile, ignore_system_fonts=True))
    built = _built(_hostile())
    words = re.sub(r"\s+", "", _text(built.report))
    assert "\\u202egnp.exe\\u4e2d\\u6587" in words
    assert b"<pdfaid:part>3" in built.report, "with a glyph of every character, it can be archived"
    [said] = built.left_out
    assert said.startswith("the characters \u0628\u0631\u0639\u064a\u4e2d\u6587 of the PDF")
    assert "apt-get install fonts-noto-cjk fonts-noto-core," in said
    assert _built(documents_of(good())).left_out == ()


def test_a_report_says_whether_it_is_enough_and_what_is_not_shown() -> None:
    enough, little = documents_of(good()), documents_of(good(marks=1))
    unmarked = documents_of(good("", marks=0))
    premise = "If every mark was as unlikely as alice.example says, "
    conclusion = "the file derives from the copy that alice.example made for bob.example."
    assert judge_evidence(enough).headline == premise + conclusion
    for documents in (little, unmarked):
        verdict = judge_evidence(documents)
        assert not verdict.is_enough
        assert "not enough" in verdict.headline
        assert "derives from this copy" not in tell(documents)["graph"]


def test_what_is_not_shown_is_said() -> None:
    enough, little = documents_of(good()), documents_of(good(marks=1))
    assert tell(enough)["controls"]["pooled"] == []
    assert tell(documents_of(good("tardos", pooled=True)))["controls"]["pooled"] == ["carol.example"]
    limits = " ".join(tell(little)["limits"])
    for words in ("let the file out", "do not distinguish", "key belongs", "no witness", "below what is needed"):
        assert words in limits
    assert "that it is this content is not shown" in limits


def test_a_file_that_is_not_in_the_bundle_is_a_condition() -> None:
    """Neither its name nor its digest stands in the sentence, and the instructions expect exit code 3."""
    documents = documents_of(good(includes_found=False))
    verdict = judge_evidence(documents)
    assert (verdict.is_enough, verdict.is_conditional) == (False, True)
    assert verdict.headline.startswith("Conditional, for the file that was found is not in the bundle: if every mark")
    assert "a file of 49 rows and 3 columns that holds the rows shown derives from" in verdict.headline
    found = documents.evidence["found"]
    assert not [word for word in (found["name"], found["sha256"]) if word in verdict.headline + verdict.reason]
    with zipfile.ZipFile(io.BytesIO(_built(documents).archive)) as archive:
        steps = archive.read("how-to-verify.txt").decode()
    assert 'exit code 3, "CONDITIONAL"' in steps


def test_the_picture_accuses_nobody() -> None:
    """The copy stands on its own: an arrow leads to it from who made it, and from it to who was to get it."""
    drawn = ET.fromstring(tell(documents_of(good(second_seal=True)))["graph"])  # noqa: S314 (a drawing of our own)
    boxes = {}
    for rect, name in zip(drawn.findall("{*}rect"), drawn.findall("{*}text[@text-anchor='middle']"), strict=True):
        x, y, width, height = (float(rect.attrib[key]) for key in ("x", "y", "width", "height"))
        boxes["".join(name.itertext())] = (x, x + width, y, y + height)

    def at(x: str, y: str) -> str:
        """Return the box that a line begins or ends at."""
        inside = [
            name
            for name, (left, right, top, bottom) in boxes.items()
            if left <= float(x) <= right and top <= float(y) <= bottom
        ]
        return inside[0]

    lines = [line.attrib for line in drawn.findall("{*}line")]
    copy, found = "the copy: hand-off 1", "“leak, as downloaded”"
    joined = {(at(line["x1"], line["y1"]), at(line["x2"], line["y2"])) for line in lines}
    assert {("alice.example", copy), (copy, "bob.example"), (copy, found)} <= joined
    assert {source for source, _ in joined} == {"alice.example", copy}


def test_the_same_documents_give_the_same_bytes_and_the_pdf_carries_the_zip() -> None:
    built, again = _built(documents_of(good())), _built(documents_of(good()))
    assert (built.archive, built.report, built.page) == (again.archive, again.report, again.page)
    reader = pypdf.PdfReader(io.BytesIO(built.report))
    assert reader.attachments["bundle.zip"] == [built.archive]
    assert b"<pdfaid:part>3" in built.report
    with zipfile.ZipFile(io.BytesIO(built.archive)) as archive:
        assert archive.namelist()[0] == "manifest.json"
        assert archive.namelist()[1:] == sorted(archive.namelist()[1:])
        assert not pypdf.PdfReader(io.BytesIO(archive.read("report.pdf"))).attachments
        manifest = parse_json(archive.read("manifest.json"))
        assert [item["path"] for item in manifest["files"]] == archive.namelist()[1:]


def test_a_single_file_warns_in_its_first_line_and_holds_the_bundle() -> None:
    built = _built(documents_of(good()))
    page = built.page.decode()
    assert _read(built.page).text.removeprefix("v").strip().startswith(WARNING)
    assert page.index(WARNING) < page.index("drop")
    assert '<script type="application/octet-stream" id="bundle">UEsDB' in page


def test_what_is_withheld_is_not_shown() -> None:
    again = "transfer bob.example again"
    maker = good(second_seal=True, withheld=frozenset({again}))
    built = _built(documents_of(maker))
    sealed = maker.story.said[again].disclosures
    with zipfile.ZipFile(io.BytesIO(built.archive)) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
    for item in sealed:
        assert item["salt"].encode() not in everything
    assert b"withheld" in everything
