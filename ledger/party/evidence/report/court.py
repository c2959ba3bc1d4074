"""The first page: the question, the answer on a verbal scale, what could make it wrong, and what to ask the sender.

All of it follows from the facts of this case: a danger that does not exist here is not listed, and the three that
weigh most are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ledger.party.evidence.parts.documents import Documents
from ledger.party.evidence.report.facts import Facts, Receipt
from ledger.party.evidence.report.verdict import Verdict
from ledger.party.marks.weight import ratio_millibits, support

_DANGERS, _MAX_NAMED = 3, 5
_FEW = 6
"""Of fewer marks, a reader is told that they are few; three are the least that is enough."""
_NOT_GIVEN = "No likelihood ratio can be given"


def front_words(documents: Documents, facts: Facts, verdict: Verdict) -> dict[str, Any]:
    """Return what stands on the first page."""
    return {
        "scale": _scale(documents, verdict),
        "dangers": list(_dangers(documents, facts))[:_DANGERS],
        "asks": list(_asks(documents, facts)),
    }


def _scale(documents: Documents, verdict: Verdict) -> str:
    """Return the answer on ENFSI's scale, which speaks of this copy against another or none."""
    ended = documents.evidence["conclusion"]
    before = "On that condition: " if verdict.is_conditional else ""
    if "score_millibits" not in ended:
        return f"{_NOT_GIVEN}: the marks are not opened."
    if not ended["is_enough"]:
        return "No answer either way: what was found neither supports that copy as the origin, nor rules it out."
    ratio = ratio_millibits(ended, documents.evidence["hypotheses"])
    if ratio is None:
        return (
            f"{before or 'It '}{'it ' if before else ''}is more than chance explains, by the bound that stands in the "
            f"open. {_NOT_GIVEN}: how many marks such a part of the copy would show is not known, or is not what was "
            "found."
        )
    words = support(ratio)
    return (
        f"{before}{words if before else words.capitalize()} for that copy, against another copy or none (scale of "
        "ENFSI, 2015)."
    )


def _dangers(documents: Documents, facts: Facts) -> Iterator[str]:
    """Yield what could make the answer wrong here, what weighs most first."""
    evidence = documents.evidence
    if not facts.is_file_here:
        yield "The found file is not in the bundle. If the rows shown are not in it, nothing follows."
    if facts.receipt is not Receipt.SAME:
        yield f"It is not shown that {facts.respondent} ever held this copy: {facts.sender} made it, and held it."
    else:
        yield (
            f"{facts.sender} held the same copy. If it got out there, every mark is found all the same: the marks tell "
            "copies apart, not those who held one."
        )
    if facts.prepared is not None:
        yield (
            f"If {facts.sender} and {facts.respondent} chose the draw together, the numbers mean nothing. Neither can "
            "alone: each had fixed its coin before it knew the other's."
        )
    elif facts.stated is not None:
        yield (
            f"The numbers rest on what {facts.sender} says of its own marks: that they were drawn at random, and how "
            "rare each is. No verifier can check that."
        )
    if (count := evidence["counts"]["marks"]) < _FEW:
        yield f"It rests on few marks: {count}. So few rows can travel with a small part of the data, by lawful ways."
    if "registration" not in evidence:
        yield (
            "Where the file was found, and that nobody changed it since, is the word of those named under custody: it "
            "was not registered on the ledger when it was found."
        )
    if evidence["counts"].get("examined") is None:
        yield "How many other files were tried is not said. Whoever tries many finds something by chance in one."
    yield "Where the file was found is not proved: a file can be put in a place to be found there."


def _asks(documents: Documents, facts: Facts) -> Iterator[str]:
    """Yield what to ask the sender."""
    yield f"Who in {facts.sender}'s house, or working for it, could read this marked copy? From when, and is it logged?"
    yield "Where was it kept, how was it sent, and is there a record of both?"
    yield "Did anybody but these two get this very copy, a backup or a test system for instance?"
    if any(item["status"] == "withheld" for item in documents.evidence["marks"]):
        yield f"Why were other marks made for {facts.respondent} not opened?"
    if others := documents.evidence["controls"]["others"]:
        names = ", ".join(sorted({item["party"] for item in others})[:_MAX_NAMED])
        yield f"The same test was made of the copies of {names}: are these all other copies that were made?"
    else:
        yield "Were other marked copies made, and why is none of them put to the same test?"
    if facts.prepared is None:
        yield "How were the marks made, and who can show that they stand in no public source?"
    elif facts.stated is not None and facts.stated["method"] == "omission":
        yield "Did the table ever lack the rows of the pool for another reason: in an earlier version, or a part of it?"
    else:
        yield "How were the rows of the pool made, and does any stand in a source that others have too?"
    yield "How many files were examined before this one, and what came of each?"
