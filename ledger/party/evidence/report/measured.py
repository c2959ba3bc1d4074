"""What was measured, in words and with its units: marks, bounds, controls, hypotheses, matches (docs/marks.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger.core.encoding import Json
from ledger.party.evidence.report import numbers
from ledger.party.evidence.report.events import Tale
from ledger.party.evidence.report.facts import Facts
from ledger.party.marks.weight import odds

MAX_ROWS = 20
"""How many matching records a report prints; all are in evidence.json."""

_PLANTED = {
    "canary": "rows of its own were put into this copy",
    "tardos": "rows were put into the copies of all recipients, into each in a choice of its own",
}


_DRAWN = {
    "canary": "rows drawn from a sealed pool were put into this copy",
    "omission": "rows drawn from a sealed pool were left out of this copy",
    "tardos": "of each pair of a sealed pool, one row was put into this copy",
}


def mark_words(tale: Tale, item: Mapping[str, Json]) -> dict[str, Any]:
    """Return one line of the table of marks; of withheld ones, only that they are."""
    label = tale.label(item["transfer"])
    if item["status"] != "opened":
        return {"label": label, "is_opened": False}
    return {
        "label": label,
        "is_opened": True,
        "found": str(item.get("found", item.get("seen"))),
        "of": str(item["drawn"]) if "drawn" in item else str(item.get("of", "")),
        "others": f"{item['others_found']} of {item['others']:,}" if "others" in item else "",
        "score": numbers.bits(item["score_millibits"]),
        "odds": odds(item["score_millibits"]),
    }


def bound_words(facts: Facts) -> dict[str, Any] | None:
    """Return what was said in the open of a copy's marks; None of one without any."""
    stated = facts.stated
    if stated is None:
        return None
    method, at = stated["method"], facts.offer.index if facts.prepared is None else facts.prepared.index
    who = f"{facts.sender} stated"
    if facts.is_agreed:
        who = f"{facts.sender} and {facts.respondent} agreed on in the license"
    elif facts.prepared is not None:
        who = f"{facts.sender} stated, and {facts.respondent} asked for its copy by"
    return {
        "bound": numbers.bound(stated["bound"]),
        "method": method,
        "rows": _DRAWN[method] if facts.prepared is not None else _PLANTED[method],
        "entry": at,
        "who": who,
        "is_drawn": facts.prepared is not None,
    }


def control_words(tale: Tale, evidence: Mapping[str, Json]) -> dict[str, Any]:
    """Return the scores of the controls, in bits; `pooled` are other recipients whose copies reach what is needed."""
    controls, needed = evidence["controls"], evidence["conclusion"].get("needed_millibits")
    greatest = controls.get("greatest_millibits")
    others = controls["others"]
    return {
        "greatest": None if greatest is None else numbers.bits(greatest),
        "others": [
            {
                "party": str(item["party"]),
                "label": tale.label(item["transfer"]),
                "score": numbers.bits(item["score_millibits"]),
            }
            for item in others
        ],
        "pooled": [item["party"] for item in others if needed is not None and item["score_millibits"] >= needed],
    }


def hypothesis_words(item: Mapping[str, Json], respondent: str, sender: str) -> dict[str, Json]:
    """Return one competing explanation: what it says, what it predicts, and how surprising what was found is."""
    words = {
        "recipient": f"It comes from the copy made for {respondent}, let out by {respondent}.",
        "sender": f"It comes from the same copy, let out by {sender}, which made it.",
        "other": f"It comes from the copy made for {item.get('party', 'somebody else')}.",
        "none": "It comes from nothing that was marked: a public source, or chance.",
    }
    return {
        "words": words.get(item["hypothesis"], item["hypothesis"]),
        "expected": numbers.milli(item["expected_milli"]),
        "observed": str(item["observed"]),
        "surprise": numbers.bits(item["surprise_millibits"]),
        "odds": numbers.surprise(item["surprise_millibits"]),
    }


def match_words(evidence: Mapping[str, Json]) -> dict[str, Any]:
    """Return how many records match and how, and the first twenty of them."""
    kinds = [item["kind"] for item in evidence["matches"]]
    return {
        "opened": len(evidence["records"]),
        "exact": kinds.count("exact"),
        "normalised": kinds.count("normalised"),
        "rows": [
            {"record": item["record"], "row": item["row"], "kind": item["kind"]}
            for item in evidence["matches"][:MAX_ROWS]
        ],
        "more": max(0, len(kinds) - MAX_ROWS),
    }
