"""Bundles in which the recipient said each thing that it can say of a copy: nothing, no, or one of three receipts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ledger.core.keys import Signer
from tests.harness.bundle_leak import leak
from tests.harness.bundle_story import Story
from tests.harness.bundles import NOT_NEEDED, Maker

_DECIDED = "acknowledged bob.example"


def nothing_said() -> Maker:
    """Return a bundle without any answer of the recipient's."""
    story = Story()
    return Maker(story, leak([story.copies["bob.example"]]), left_out=NOT_NEEDED | {_DECIDED})


def refused() -> Maker:
    """Return one in which it refused the hand-off."""

    def refuse(label: str, statement: dict[str, Any], keys: list[Signer]) -> list[Signer]:
        if label == _DECIDED:
            del statement["content"]
            statement |= {"code": "not-wanted", "type": "transfer.refused"}
        return keys

    story = Story(tamper=refuse)
    return Maker(story, leak([story.copies["bob.example"]]))


def sealed() -> Maker:
    """Return one in which it acknowledged something, and nobody opened what."""
    story = Story()
    return Maker(story, leak([story.copies["bob.example"]]))


def same() -> Maker:
    """Return one in which it signed for this very content."""
    return _opened(None)


def other() -> Maker:
    """Return one in which it signed for a file of one byte."""
    maker = _opened(lambda content: content["files"][0].update(bytes=1))
    story, judgement = maker.story, maker.judgement()
    index = story.said[_DECIDED].index
    finding = {"entries": [index - 1, index], "index": index, "party": "bob.example", "slug": "digest-mismatch"}
    judgement["findings"].insert(1, finding | {"since_ms": story.times[index]})
    maker.judgement = lambda: judgement  # type: ignore[method-assign]
    return maker


def _opened(received: Callable[[dict[str, Any]], object] | None) -> Maker:
    story = Story(received=received)
    maker = Maker(story, leak([story.copies["bob.example"]]))
    shown = [*maker.disclosures(), *story.said[_DECIDED].disclosures]
    maker.disclosures = lambda: shown  # type: ignore[method-assign]
    return maker


RECEIPTS: dict[str, Callable[[], Maker]] = {
    "nothing": nothing_said,
    "refused": refused,
    "sealed": sealed,
    "other": other,
    "same": same,
}
"""By the name that the page has for it."""
