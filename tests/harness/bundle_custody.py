"""Bundles of a found file that was registered (docs/bundle.md §4.1), and what is told against its registration."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from ledger.core.encoding import Json, canonical
from tests.harness.bundle_leak import leak
from tests.harness.bundle_story import Story
from tests.harness.bundles import Case, Maker, document, with_manifest, zipped
from tests.harness.people import Person

Document = dict[str, Any]
Edit = Callable[[Document], object]
Edits = Callable[[Document, Document], object]
_RAW = leak([Story().copies["bob.example"]]).raw
_HOUR_MS = 3_600_000


def _link(at_ms: int, raw: bytes, **fields: Json) -> Document:
    capture = {"bytes": 9, "kind": "capture", "name": "forum.png", "sha256": sha256(b"the image").hexdigest()}
    acquisition = {
        "address": "https://forum.example/t/1",
        "how": "Downloaded.",
        "records": [capture],
        "second": "B. Notary",
    }
    file = {"bytes": len(raw), "name": "leak, as downloaded", "sha256": sha256(raw).hexdigest()}
    return {"acquisition": acquisition, "at_ms": at_ms, "file": file, "type": "provenance-ledger.custody/v1",
            "who": "A. Examiner"} | fields  # fmt: skip


class RegisteredStory(Story):
    """Alice registers what she found: after the hand-offs, or, `early`, before them."""

    def __init__(self, *, early: bool = False, change: Edit | None = None) -> None:
        """`change` is done to what is registered."""
        self.early, self.change, self.link = early, change, Document()
        super().__init__()
        if not early:
            self.tell_registration()

    def tell_registration(self) -> None:
        """Seal the first link as the content of a listing, and its title too."""
        self.link = _link(self.now_ms, _RAW)
        if self.change is not None:
            self.change(self.link)
        raw = canonical(self.link) + b"\n"
        file = {"bytes": len(raw), "media_type": "application/json", "sha256": sha256(raw).hexdigest()}
        statement = self.speech.listing_registered(self.alice, "Found") | {"content": {"files": [file]}}
        self.tell("registration", statement, *self.alice.voice, seals={"/content": "content", "/title": "field"})

    def _hand_over(self, who: Person, again: str) -> None:
        if self.early and "registration" not in self.said:
            self.tell_registration()
        super()._hand_over(who, again)


def bundle(change: Edit | None = None, *, early: bool = False, edit: Edits | None = None,
           opens: bool = True) -> tuple[bytes, str]:  # fmt: skip
    """Return a bundle whose custody hangs on the registration; `edit` is done to its case and evidence."""
    story = RegisteredStory(early=early, change=change)
    maker = Maker(story, leak([story.copies["bob.example"]]), includes_found=True)
    files = maker.files()
    case, evidence, shown = (json.loads(files[name]) for name in ("case.json", "evidence.json", "disclosures.json"))
    case["registration"] = story.said["registration"].id
    evidence["registration"] = story.link
    if early:
        evidence["conclusion"]["is_enough"] = False
    if opens:
        shown["disclosures"].append(story.said["registration"].disclosures[0])
    link_steps(evidence)
    if edit is not None:
        edit(case, evidence)
    files |= {"case.json": document(case), "evidence.json": document(evidence), "disclosures.json": document(shown)}
    return zipped(with_manifest(files)), story.policy()


def link_steps(evidence: Document) -> None:
    """Hang the steps of custody on each other, as who makes the bundle does."""
    previous, digest = evidence["registration"], evidence["registration"]["file"]["sha256"]
    for step in evidence["custody"]:
        step |= {"after": digest, "before": digest, "previous": sha256(canonical(previous) + b"\n").hexdigest()}
        previous = step


def _lie(edit: Edits | None = None, change: Edit | None = None,
         **how: bool) -> Callable[[], tuple[bytes, str]]:  # fmt: skip
    return lambda: bundle(change, edit=edit, **how)


def _tell_otherwise(_case: Document, evidence: Document) -> None:
    """Say that it was somebody else who handled it, now that it matters."""
    evidence["custody"][0]["who"] = "C. Nobody"


def _leave_out(_case: Document, evidence: Document) -> None:
    del evidence["custody"][0]


def _unlink(_case: Document, evidence: Document) -> None:
    for name in ("after", "before", "previous"):
        del evidence["custody"][1][name]


def _claim_another_address(_case: Document, evidence: Document) -> None:
    evidence["registration"]["acquisition"]["address"] = "https://bob.example/download"
    link_steps(evidence)


def _exchange(_case: Document, evidence: Document) -> None:
    """Let a step make another file of the one that was registered, and another step this one of that."""
    evidence["custody"][0]["after"] = "ab" * 32
    evidence["custody"][1]["previous"] = sha256(canonical(evidence["custody"][0]) + b"\n").hexdigest()


def _other_digest(link: Document) -> None:
    link["file"]["sha256"] = sha256(b"another file").hexdigest()


def _postdate(link: Document) -> None:
    link["at_ms"] += _HOUR_MS


def _register_nothing(case: Document, _evidence: Document) -> None:
    del case["registration"]


def _accuse(_case: Document, evidence: Document) -> None:
    evidence["conclusion"]["is_enough"] = True


def _move_behind(_case: Document, evidence: Document) -> None:
    """Let what came before the registration be said afterwards, as if it hung on it."""
    evidence["custody"][0]["at_ms"] = evidence["registration"]["at_ms"] - 1
    link_steps(evidence)


GOOD = [
    Case("good-registered", bundle),
    Case("good-registered-before-the-marks", lambda: bundle(early=True)),
]
LIES = [
    Case(name, make, 1, check)
    for name, check, make in (
        ("custody-told-otherwise", "custody", _lie(_tell_otherwise)),
        ("custody-step-left-out", "custody", _lie(_leave_out)),
        ("custody-step-that-hangs-on-nothing", "custody", _lie(_unlink)),
        ("custody-of-another-address", "custody", _lie(_claim_another_address)),
        ("custody-that-exchanges-the-file", "custody", _lie(_exchange)),
        ("custody-before-the-registration", "custody", _lie(_move_behind)),
        ("registration-of-another-file", "custody", _lie(change=_other_digest)),
        ("registration-postdated", "custody", _lie(change=_postdate)),
        ("registration-not-opened", "custody", _lie(opens=False)),
        ("registration-that-the-case-does-not-name", "custody", _lie(_register_nothing)),
        ("registered-before-and-enough", "score", _lie(_accuse, early=True)),
    )
]
CASES = [*GOOD, *LIES]
