"""The drawing: whole, readable, and no text upon another."""

from __future__ import annotations

import re
from itertools import combinations
from xml.etree import ElementTree as ET

import pytest

from ledger.party.chain.gathering import story_of
from ledger.party.extras import MissingTool, ToolFailed
from ledger.party.interop.drawing import MAX_DRAWN, dot_source, draw
from ledger.party.interop.provenance import provenance
from tests.harness.needs import need
from tests.harness.speech import sealed
from tests.party.interop.scenario import Scenario, hand_off

STORY = hand_off()
TEXT = "{http://www.w3.org/2000/svg}text"


def drawn(name: str = "transfer") -> bytes:
    """Return the drawing of a part of the story."""
    need("graphviz")
    return draw(provenance(story_of(STORY.told, STORY.ids[name])))


def boxes(svg: bytes) -> list[tuple[str, float, float, float, float]]:
    """Return each text with the box that it takes: the width of a letter is about half its size."""
    found = []
    for element in ET.fromstring(svg).iter(TEXT):  # noqa: S314 - it was drawn here
        text, size = element.text or "", float(element.get("font-size", "11"))
        x, y, width = float(element.get("x", "0")), float(element.get("y", "0")), len(element.text or "") * size * 0.52
        left = x - width / 2 if element.get("text-anchor") == "middle" else x
        found.append((text, left, y - size * 0.8, left + width, y))
    return found


@pytest.mark.parametrize("name", ["listing", "license", "transfer"])
def test_no_text_lies_upon_another(name: str) -> None:
    overlaps = [
        (one[0], other[0])
        for one, other in combinations(boxes(drawn(name)), 2)
        if one[1] < other[3] and other[1] < one[3] and one[2] < other[4] and other[2] < one[4]
    ]
    assert overlaps == []


def test_it_says_what_happened_and_who_did_it_and_no_keys() -> None:
    texts = {box[0] for box in boxes(drawn())}
    assert {"copy for beta", "entry 10", "sender alpha", "forwarder beta", "under", "revision of", "ended by"} <= texts
    assert {"Airports of the United", "A Newspaper", "venue exchange"} <= texts
    assert not any("key" in text for text in texts)


def test_it_names_no_version_and_fetches_nothing() -> None:
    svg = drawn()
    assert b"<!--" not in svg
    assert all(address.startswith(b"http://www.w3.org/") for address in re.findall(rb'https?://[^"\s>]+', svg))


def test_words_of_others_stay_words() -> None:
    need("graphviz")
    story = Scenario()
    title = '"];}\\n<script>alert(1)</script> & ' + "机场" * 40
    story.say("listing", "listing.registered", "alpha", title=title, content=sealed("c"))
    svg = draw(provenance(story_of(story.told, story.ids["listing"])))
    assert b"<script>" not in svg
    assert '"];}\\n<script>alert(1)' in "".join(box[0] for box in boxes(svg))


def test_without_graphviz_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    document = provenance(story_of(STORY.told, STORY.ids["transfer"]))
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingTool, match="apt-get install graphviz"):
        draw(document)


def test_a_program_that_fails_is_no_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    document = provenance(story_of(STORY.told, STORY.ids["transfer"]))
    monkeypatch.setattr("shutil.which", lambda _: "/bin/false")
    with pytest.raises(ToolFailed):
        draw(document)


def test_too_much_to_read_is_not_drawn() -> None:
    story = Scenario()
    listing = story.say("listing", "listing.registered", "alpha", title="T", content=sealed("c"))
    for at in range(MAX_DRAWN // 2):
        story.say(str(at), "listing.amended", "alpha", listing=listing, version=str(at))
    document = provenance(story_of(story.told, listing))
    with pytest.raises(ToolFailed, match="more than can be drawn"):
        dot_source(document)
